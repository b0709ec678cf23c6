"""Convert the input of a transformer, a column of strings of any kind, to a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from embedkit.errors import InputError

__all__ = ["as_strings"]


def as_strings(X: Any, kind: str) -> list[str]:
    """Return a column of strings as a list.

    Args:
        X: a list, a generator or another iterable; a pandas or polars Series, or a table with one
            column; a NumPy array of strings or objects, (n,) or (n, 1).
        kind: "text" or "word", for the messages.

    Raises:
        InputError: X is a single string or has more than one column, or a row is not a string
            (None or NaN, for example). The message names the row.
    """
    if isinstance(X, str | bytes) or not isinstance(X, Iterable):
        raise InputError(
            f"expected a column of {kind}s, got {X!r:.60}.", hint=f"Put a single {kind} in a list."
        )
    items = _column(X, kind)
    for row, item in enumerate(items):
        if not isinstance(item, str):
            raise InputError(
                f"row {row} (counted from 0) is {item!r:.60}, not a {kind}.",
                hint="Fill in or drop missing values, and convert other values to strings.",
            )
    return items


def _column(X: Any, kind: str) -> list[Any]:
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        columns = shape[1] if len(shape) == 2 else 0
        if columns != 1:
            raise InputError(
                f"expected one column of {kind}s, got shape {tuple(shape)}.",
                hint=(
                    "Select one column; for several columns, use a ColumnTransformer with one "
                    "transformer per column."
                ),
            )
        X = X[X.columns[0]] if hasattr(X, "columns") else X[:, 0]
    for name in ("tolist", "to_list", "to_pylist"):  # NumPy and pandas, polars, Arrow
        if hasattr(X, name):
            found: list[Any] = getattr(X, name)()
            return found
    return X if isinstance(X, list) else list(X)
