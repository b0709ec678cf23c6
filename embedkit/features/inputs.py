"""What a transformer is given, as a list of strings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from embedkit.errors import InputError

__all__ = ["as_strings"]


def as_strings(X: Any, what: str) -> list[str]:
    """Return a column of strings as a list.

    Args:
        X: a list, a generator or another iterable; a pandas or polars Series, or a table of one
            column; a NumPy array of strings or objects, (n,) or (n, 1).
        what: "text" or "word", for the messages.

    Raises:
        InputError: it is one string, or more than one column, or a row holds something else than a
            string (None and NaN, say). The message names the row.
    """
    if isinstance(X, str | bytes) or not isinstance(X, Iterable):
        raise InputError(
            f"expected a column of {what}s, got {X!r:.60}.", hint=f"Put one {what} into a list."
        )
    items = _column(X, what)
    for row, item in enumerate(items):
        if not isinstance(item, str):
            raise InputError(
                f"row {row} (counted from 0) holds {item!r:.60}, not a {what}.",
                hint="Leave out or fill in what is missing, and turn other values into strings.",
            )
    return items


def _column(X: Any, what: str) -> list[Any]:
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        columns = shape[1] if len(shape) == 2 else 0
        if columns != 1:
            raise InputError(
                f"expected one column of {what}s, got the shape {tuple(shape)}.",
                hint=(
                    "Choose a "
                    "column; a ColumnTransformer takes several, each with a transformer of its own."
                ),
            )
        X = X[X.columns[0]] if hasattr(X, "columns") else X[:, 0]
    for name in ("tolist", "to_list", "to_pylist"):  # NumPy and pandas, polars, Arrow
        if hasattr(X, name):
            found: list[Any] = getattr(X, name)()
            return found
    return X if isinstance(X, list) else list(X)
