"""A picture of the units of a network: a column for each layer, a line for each weight."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.plotting.figures import (
    FIGURE_FORMATS,
    SIZE,
    check_suffix,
    new_figure,
    plain_settings,
    save,
    write_caption,
)
from embedkit.plotting.theme import DARK, LIGHT, Theme, families, readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["UnitBox", "UnitColumn", "draw_units"]

_TOP, _BOTTOM = 0.93, 0.0  # where the boxes are, below the titles of the columns
_GAP = 0.1  # between two boxes, as a share of the height of both
_TALLEST = 0.11
_BOX_SHARE = 0.66  # width of a box, as a share of its column
_LINE_PIXELS = 20.5  # height of a line of words
_LETTER_PIXELS = 10.5
_WIDEST_LINE = 3.6  # points
_FAINT = 0.3  # lines of weights below this share of the largest are not drawn


@dataclass(frozen=True)
class UnitBox:
    """A unit: its name, and the words that excite it most."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class UnitColumn:
    """A layer.

    Attributes:
        title: what stands above it.
        boxes: its units, from top to bottom.
        weights: from the boxes of the previous column, (boxes before, boxes).
    """

    title: str
    boxes: tuple[UnitBox, ...]
    weights: NDArray[np.float64]


def draw_units(
    columns: Sequence[UnitColumn],
    path: str | os.PathLike[str],
    *,
    caption: str = "",
    size: tuple[int, int] = SIZE,
    dark: bool = False,
    overwrite: bool = False,
) -> None:
    """Draw a column of boxes for each layer, and lines between them by weight.

    Args:
        columns: from the first layer to the last.
        path: ends in .png, .svg or .pdf.
        caption: what stands below the picture.
        size: as for `embedkit.plotting.draw`.
        dark: as for `embedkit.plotting.draw`.
        overwrite: as for `embedkit.plotting.draw`.

    Raises:
        ConfigurationError: there are no columns, the suffix is unknown, the size is out of range,
            or matplotlib is not installed.
        OutputExistsError: the file exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.
    """
    path = Path(path)
    check_suffix(path, FIGURE_FORMATS)
    if not columns:
        raise ConfigurationError("there are no layers to draw.")
    with plain_settings():
        axes = _draw_axes(columns, caption, size, DARK if dark else LIGHT)
        save(axes, path, overwrite=overwrite)


def _draw_axes(
    columns: Sequence[UnitColumn],
    caption: str,
    size: tuple[int, int],
    theme: Theme,
) -> Axes:
    texts = [readable(word) for column in columns for box in column.boxes for word in box.words]
    names = [readable(box.name) for column in columns for box in column.boxes]
    family, _ = families([*texts, *names])
    axes = new_figure(size, theme, "", family)
    axes.set_axis_off()
    axes.set_xlim(0, len(columns))
    axes.set_ylim(0, 1)
    write_caption(axes, caption, theme)
    before: list[float] = []
    for number, column in enumerate(columns):
        middles, height = _places(len(column.boxes))
        if number:
            _draw_weights(axes, number, before, middles, column.weights, theme)
        axes.text(
            number + 0.5, 1, column.title, ha="center", va="top", color=theme.muted, fontsize=11,
            family=family, parse_math=False,
        )  # fmt: skip
        for box, middle in zip(column.boxes, middles, strict=True):
            _draw_box(axes, box, (number + 0.5, middle), height, family, theme)
        before = middles
    return axes


def _places(boxes: int) -> tuple[list[float], float]:
    """Return the middle of each box of a column, from the top, and their height."""
    step = (_TOP - _BOTTOM) / max(boxes, 1)
    middles = [_TOP - step * (place + 0.5) for place in range(boxes)]
    return middles, min(step * (1 - _GAP), _TALLEST)


def _draw_box(
    axes: Axes,
    box: UnitBox,
    center: tuple[float, float],
    height: float,
    family: Sequence[str],
    theme: Theme,
) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = center
    width = _BOX_SHARE
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height, facecolor=theme.paper,
            edgecolor=theme.line, linewidth=1, zorder=2,
            boxstyle="round,pad=0,rounding_size=0.02", mutation_aspect=0.6,
        )
    )  # fmt: skip
    pixels = axes.get_window_extent()
    columns = axes.get_xlim()[1]
    letters = max(int(width / columns * pixels.width / _LETTER_PIXELS), 8)
    lines = max(int(height * pixels.height / _LINE_PIXELS) - 1, 1)
    words = textwrap.wrap(
        ", ".join(map(readable, box.words)), letters, max_lines=lines, placeholder=" …"
    )
    inset = 0.02
    axes.text(
        x - width / 2 + inset, y + height / 2 - 0.006, readable(box.name), ha="left", va="top",
        fontsize=8.5, fontweight="bold", color=theme.muted, family=family, parse_math=False,
        zorder=3,
    )  # fmt: skip
    axes.text(
        x - width / 2 + inset, y + height / 2 - 0.006 - _LINE_PIXELS / pixels.height,
        "\n".join(words), ha="left", va="top", fontsize=9, color=theme.ink, family=family,
        parse_math=False, zorder=3, linespacing=1.1,
    )  # fmt: skip


def _draw_weights(
    axes: Axes,
    number: int,
    before: Sequence[float],
    middles: Sequence[float],
    weights: NDArray[np.float64],
    theme: Theme,
) -> None:
    largest = float(np.abs(weights).max(initial=0))
    gap = (1 - _BOX_SHARE) / 2
    for row, column in zip(*np.nonzero(np.abs(weights) > _FAINT * largest), strict=True):
        weight = float(weights[row, column])
        share = abs(weight) / largest
        axes.plot(
            [number - gap, number + gap], [before[row], middles[column]],
            color=theme.end if weight > 0 else theme.start, alpha=0.25 + 0.65 * share,
            linestyle="-" if weight > 0 else (0, (5, 2)), linewidth=0.4 + _WIDEST_LINE * share,
            solid_capstyle="butt", zorder=1,
        )  # fmt: skip
