"""Drawing a map of words: dots, arrows, and labels that do not overlap."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import counted
from embedkit.plotting.figures import (
    FIGURE_FORMATS,
    SIZE,
    check_suffix,
    new_figure,
    plain_settings,
    save,
    write_caption,
)
from embedkit.plotting.labels import LabelCanvas
from embedkit.plotting.page import render_page
from embedkit.plotting.theme import DARK, LIGHT, Theme, families, readable
from embedkit.plotting.word_map import Places, WordMap
from embedkit.system.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FORMATS", "draw", "draw_axes"]

FORMATS = (*FIGURE_FORMATS, ".html")

_MARGIN = 0.09  # around the places, as a share of their range
_MAX_CANDIDATES = 5_000  # words that may be labeled in addition to the named ones
_GAP, _PADDING = 8.0, 3.0  # pixels: from a dot to its label, and around a label


def draw(
    words: WordMap,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    size: tuple[int, int] = SIZE,
    dark: bool = False,
    overwrite: bool = False,
) -> list[str]:
    """Draw a map of words; the suffix of the file selects the format.

    Args:
        words: the map, from `word_map`.
        path: ends in .png, .svg, .pdf, or .html for a self-contained page.
        title: the heading of the picture.
        size: width and height in pixels; ignored for .html, which fills its window.
        dark: use a dark background.
        overwrite: replace an existing file.

    Returns:
        Warnings about words for which there was no room, and words that no font can display.

    Raises:
        ConfigurationError: the suffix is unknown, the size is out of range, or matplotlib is not
            installed.
        OutputExistsError: the file exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.
    """
    path = Path(path)
    if check_suffix(path, FORMATS) == ".html":
        page = render_page(words, title=title, dark=dark)
        with atomic_file(path, overwrite=overwrite) as file:
            file.write(page.encode())
        return []
    with plain_settings():
        axes, warnings = draw_axes(words, title=title, size=size, theme=DARK if dark else LIGHT)
        save(axes, path, overwrite=overwrite)
    return warnings


def draw_axes(
    words: WordMap, *, title: str, size: tuple[int, int], theme: Theme
) -> tuple[Axes, list[str]]:
    """Draw a map and return its axes and the warnings; see `draw`."""
    names = [readable(word) for word in words.words[: words.named + _MAX_CANDIDATES]]
    family, unsupported = families([readable(title), *names])
    axes = new_figure(size, theme, title, family)
    _fit(axes, words.places)
    if words.explained is None:
        axes.set_axis_off()  # the coordinates have no meaning
    else:
        first, second = words.explained
        axes.set_xlabel(f"first principal component ({first:.1%} of the variance)")
        axes.set_ylabel(f"second principal component ({second:.1%} of the variance)")
    write_caption(axes, words.caption, theme)
    _draw_marks(axes, words, theme)
    unplaced = _write_labels(axes, words, names, family, theme)
    warnings = []
    if unplaced:
        warnings.append(
            f"there was no room to label {len(unplaced):,} of {counted(words.named, 'word')}: "
            f"{_abbreviated(unplaced)}. Draw a larger picture, or an .html page."
        )
    if unsupported:
        warnings.append(
            f"no installed font has all characters of {_abbreviated(unsupported)}, so boxes are "
            "drawn instead. Install a font that has them (Debian: fonts-noto-cjk, "
            "fonts-noto-core), or draw an .html page."
        )
    return axes, warnings


def _abbreviated(words: Sequence[str]) -> str:
    return ", ".join(words[:5]) + (", ..." if len(words) > 5 else "")


def _fit(axes: Axes, places: Places) -> None:
    """Show all places, with the same scale on both axes."""
    least, most = places.min(axis=0), places.max(axis=0)
    middle, spans = (least + most) / 2, (most - least) * (1 + 2 * _MARGIN)
    box = axes.get_window_extent()
    unit = max(spans[0] / box.width, spans[1] / box.height) or 1 / box.width
    axes.set_xlim(middle[0] - unit * box.width / 2, middle[0] + unit * box.width / 2)
    axes.set_ylim(middle[1] - unit * box.height / 2, middle[1] + unit * box.height / 2)


def _draw_marks(axes: Axes, words: WordMap, theme: Theme) -> None:
    cloud = words.places[words.named :]
    x, y = cloud.T
    axes.scatter(x, y, s=7, color=theme.cloud, linewidths=0, alpha=0.7, zorder=1)
    for start, end in words.arrows:
        axes.annotate(
            "", words.places[end], words.places[start], zorder=2,
            arrowprops={
                "arrowstyle": "-|>,head_width=0.28,head_length=0.6", "color": theme.line,
                "linewidth": 1.3, "shrinkA": 3.5, "shrinkB": 4, "mutation_scale": 11,
            },
        )  # fmt: skip
    starts = {start for start, _ in words.arrows}
    for color, marker, size, chosen in (
        (theme.start, "o", 34, starts),
        (theme.end, "D", 27, set(range(words.named)) - starts),
    ):
        x, y = words.places[sorted(chosen)].T
        axes.scatter(
            x, y, s=size, color=color, marker=marker, edgecolors=theme.paper, linewidths=0.8,
            zorder=3,
        )  # fmt: skip


def _write_labels(
    axes: Axes, words: WordMap, names: Sequence[str], family: Sequence[str], theme: Theme
) -> list[str]:
    """Label the words; return the named words for which there was no room."""
    pixels = axes.transData.transform(words.places)
    canvas = _canvas_with_marks(axes, words, pixels)
    starts = {start for start, _ in words.arrows}
    unplaced = []
    order = [*_crowded_first(pixels[: words.named]), *range(words.named, len(names))]
    for place in order:
        named = place < words.named
        color = theme.start if place in starts else theme.end
        label = axes.text(
            0, 0, names[place], transform=None, family=family, parse_math=False, zorder=4,
            fontsize=11 if named else 8, color=color if named else theme.muted,
            ha="left", va="bottom",
        )  # fmt: skip
        extent = label.get_window_extent()
        x, y = pixels[place]
        width, height = extent.width + 2 * _PADDING, extent.height + 2 * _PADDING
        gap = _GAP if named else _GAP / 2
        box = canvas.place(x, y, width, height, gap=gap, must=named)
        if box is None:
            label.remove()
            if named:
                unplaced.append(names[place])
            continue
        # The extent of a text may start before or after its position.
        label.set_position((box.left + _PADDING - extent.x0, box.bottom + _PADDING - extent.y0))
        if (tip := box.nearest(x, y, beyond=2 * gap)) is not None:
            axes.plot(
                [x, tip[0]], [y, tip[1]], transform=None, color=theme.line, lw=0.7, zorder=1.5
            )
            canvas.line((x, y), tip)
    return unplaced


def _canvas_with_marks(axes: Axes, words: WordMap, pixels: NDArray[np.float64]) -> LabelCanvas:
    """Return the area for labels, with a cost for covering the marks of the map."""
    box = axes.get_window_extent()
    canvas = LabelCanvas(box.x0, box.y0, axes.figure.bbox.width - box.x0, box.height)
    for start, end in words.arrows:
        canvas.line(pixels[start], pixels[end], cost=4.0)
    for place, (x, y) in enumerate(pixels):
        canvas.dot(x, y, *((7.0, 4.0) if place < words.named else (3.0, 0.4)))
    return canvas


def _crowded_first(pixels: NDArray[np.float64], near: float = 90.0) -> list[int]:
    """Return the order in which points are labeled: those in the densest regions first."""
    neighbors = [int((np.abs(pixels - point).max(axis=1) < near).sum()) for point in pixels]
    return sorted(range(len(pixels)), key=lambda place: -neighbors[place])
