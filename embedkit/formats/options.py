"""How a format is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from embedkit.errors import ConfigurationError, quoted

__all__ = ["Progress", "WriteOptions", "ignore_progress"]

Progress: TypeAlias = Callable[[int], None]
"""Called with the number of bytes read, or words written, since the last call."""

_TABLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def ignore_progress(_: int) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class WriteOptions:
    """What a writer gets in addition to the vectors.

    Attributes:
        progress: called with the number of words written.
        name: of the table, collection or tensor, where the format has one.
        overwrite: replace the folder that exists.

    Raises:
        ConfigurationError: PostgreSQL would not accept the name without quotes.
    """

    progress: Progress = ignore_progress
    name: str = "words"
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not _TABLE_NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"{quoted(self.name)} is not a valid table name.",
                hint="Use at most 63 characters (a-z, 0-9, _), and do not start with a digit.",
            )
