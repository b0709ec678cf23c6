"""Checks of what a head should learn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from embedkit.errors import InputError, counted

__all__ = ["check_targets"]


def check_targets(texts: Sequence[str], targets: Sequence[object]) -> None:
    """Raise `InputError` unless there are texts, and each has a target that is not missing."""
    if not texts:
        raise InputError("there are no texts to train on.")
    targets = list(targets)
    if len(texts) != len(targets):
        raise InputError(
            f"got {counted(len(texts), 'text')}, but {counted(len(targets), 'target')}."
        )
    for row, target in enumerate(targets):
        if target is None or (isinstance(target, float) and math.isnan(target)):
            raise InputError(
                f"row {row} (counted from 0) has the target {target}.",
                hint="Fill in the target, or remove the row.",
            )
