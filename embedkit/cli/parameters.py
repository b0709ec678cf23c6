"""Types of command-line values: numbers within limits, and paths that shells complete."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from embedkit.cli.paths import report_if_interrupted
from embedkit.cli.streams import encodable_path
from embedkit.system.files import is_standard_output

__all__ = [
    "DIRECTORY",
    "INPUT",
    "Duration",
    "MemorySize",
    "ModelPath",
    "Number",
    "OutputPath",
    "WholeNumber",
    "how_to_name",
]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_MODELS = "embedkit.models"  # key in the meta of a context: parameters by the model they name


class _Path(click.Path):
    """A path, made representable in the locale's encoding; see `encodable_path`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(encodable_path(value), param, ctx)


INPUT = _Path(readable=False, allow_dash=True)
"""A file or a directory that is read; whether it exists is checked where it is opened."""
DIRECTORY = _Path(readable=False, file_okay=False)
"""A directory; whether it exists is checked where it is used."""


class WholeNumber(click.IntRange):
    """An integer between two limits; *high* None means no upper limit."""

    name = "integer"

    def __init__(self, low: int, high: int | None = None) -> None:
        super().__init__(low, high)
        self._low, self._high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = int(click.INT.convert(value, param, ctx))
        if not self._low <= number <= (number if self._high is None else self._high):
            self.fail(f"must be {_limits(self._low, self._high)}, got {number:,}.", param, ctx)
        return number

    def _describe_range(self) -> str:  # click prints it in brackets after the help text
        return _limits(self._low, self._high)


class Number(click.FloatRange):
    """A finite number between two limits; *high* None means no upper limit."""

    name = "float"

    def __init__(self, low: float, high: float | None = None) -> None:
        super().__init__(low, high)
        self._low, self._high = low, high

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(click.FLOAT.convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"must be a finite number, got {value}.", param, ctx)
        if not self._low <= number <= (number if self._high is None else self._high):
            self.fail(f"must be {_limits(self._low, self._high)}, got {number:g}.", param, ctx)
        return number

    def _describe_range(self) -> str:  # as above
        return _limits(self._low, self._high)


class MemorySize(click.ParamType):  # type: ignore[type-arg]
    """A number of bytes between two limits, such as 500M or 2G."""

    name = "size"

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(
            r"(\d{1,18}(?:\.\d{1,6})?)([KMGT]?)(?:i?B)?", str(value), re.IGNORECASE
        )
        if not match:
            self.fail(f"expected a size, such as 500M or 2G, got {value!r}.", param, ctx)
        size = int(float(match[1]) * _UNITS[match[2].upper()])
        if not self._low <= size <= self._high:
            low, high = size_text(self._low), size_text(self._high)
            self.fail(f"must be between {low} and {high}, got {value}.", param, ctx)
        return size


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A number of seconds between two limits, such as 90s, 5m or 1.5h."""

    name = "time"

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smh]?)", str(value), re.IGNORECASE)
        if not match:
            self.fail(f"expected a time, such as 90s, 5m or 1h, got {value!r}.", param, ctx)
        seconds = float(match[1]) * _SECONDS[match[2].lower()]
        if not self._low <= seconds <= self._high:
            limits = f"between {self._low:g}s and {self._high / _SECONDS['h']:g}h"
            self.fail(f"must be {limits}, got {value}.", param, ctx)
        return seconds


def size_text(size: int) -> str:
    """Return a number of bytes as in 2G, with the largest unit that divides it."""
    unit = next(unit for unit in reversed(_UNITS) if size % _UNITS[unit] == 0)
    return f"{size // _UNITS[unit]:,}{unit}"


def _limits(low: float, high: float | None) -> str:
    lowest, highest = (f"{x:,}" if isinstance(x, int) else f"{x or 0:g}" for x in (low, high))
    return f"at least {lowest}" if high is None else f"between {lowest} and {highest}"


class ModelPath(click.ParamType):  # type: ignore[type-arg]
    """A model directory, or a file of vectors that another program wrote."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = encodable_path(str(value))
        if ctx is not None and param is not None:
            ctx.meta.setdefault(_MODELS, {})[name] = param
        return name

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the one model that an environment variable names; it may contain spaces."""
        return [rv]

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete directories, and files if no directory begins like this."""
        path = Path(incomplete)
        folder, start = (path, "") if incomplete.endswith("/") else (path.parent, path.name)
        try:
            is_directory = any(
                found.is_dir() for found in folder.iterdir() if found.name.startswith(start)
            )
        except OSError:
            is_directory = False
        return [CompletionItem(incomplete, type="dir" if is_directory else "file")]


def how_to_name(context: click.Context, model: str) -> str:
    """Return how the user can choose another model than *model*, for a hint."""
    param = context.meta.get(_MODELS, {}).get(model)
    if not isinstance(param, click.Option):
        return "pass another"
    variable = f" (or {param.envvar})" if param.envvar else ""
    return f"choose another with {max(param.opts, key=len)}{variable}"


class OutputPath(click.ParamType):  # type: ignore[type-arg]
    """The name of an output.

    Args:
        stream: whether it may be -, standard output.
        whole: whether it is either written completely or left unchanged.
        directory: whether it is a directory, which shells complete.
    """

    name = "path"

    def __init__(
        self, *, stream: bool = False, whole: bool = True, directory: bool = False
    ) -> None:
        self._stream = stream
        self._whole = whole
        self._directory = directory

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("the name is empty.", param, ctx)
        if is_standard_output(value) and not self._stream:
            self.fail("cannot write to standard output; for a file named -, use ./-.", param, ctx)
        name = encodable_path(str(value))
        if self._whole and not is_standard_output(name):
            report_if_interrupted(name)
        return name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Have the shell complete the name."""
        return [CompletionItem(incomplete, type="dir" if self._directory else "file")]
