"""A map of words, drawn: dots, arrows, and labels that do not overlap."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.plotting.figures import (
    DRAWN,
    SIZE,
    check_suffix,
    new_figure,
    plain_settings,
    save,
    write_caption,
)
from embedkit.plotting.labels import Paper
from embedkit.plotting.page import render_page
from embedkit.plotting.theme import DARK, LIGHT, Theme, families, readable
from embedkit.plotting.word_map import Places, WordMap
from embedkit.system.files import atomic_file

__all__ = ["FORMATS", "draw", "draw_axes"]

FORMATS = (*DRAWN, ".html")

_ROOM = 0.09  # beside the places, as a share of their range
_MOST_TRIED = 5_000  # labels of words that nobody named
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
    """Draw a map of words, in the format that the file's name ends in.

    Args:
        words: from `word_map`.
        path: ends in .png, .svg, .pdf, or in .html for a page that needs nothing but itself.
        title: stands above.
        size: in pixels; of no effect on .html, which fills its window.
        dark: a dark background.
        overwrite: replace what is there.

    Returns:
        What the picture lacks, a sentence each: labels without room, words without a font.

    Raises:
        ConfigurationError: the name ends otherwise, the size is out of bounds, or matplotlib is
            missing.
        OutputExistsError: something is there and *overwrite* is false.
        StorageError: the disk is full or the place cannot be written to.
    """
    path = Path(path)
    if check_suffix(path, FORMATS) == ".html":
        page = render_page(words, title=title, dark=dark)
        with atomic_file(path, overwrite=overwrite) as file:
            file.write(page.encode())
        return []
    with plain_settings():
        axes, remarks = draw_axes(words, title=title, size=size, theme=DARK if dark else LIGHT)
        save(axes, path, overwrite=overwrite)
    return remarks


def draw_axes(
    words: WordMap, *, title: str, size: tuple[int, int], theme: Theme
) -> tuple[Any, list[str]]:
    """Return the axes of a map, drawn, and what they lack; see `draw`."""
    names = [readable(word) for word in words.words[: words.named + _MOST_TRIED]]
    family, unwritten = families([readable(title), *names])
    axes = new_figure(size, theme, title, family)
    _fit(axes, words.places)
    if words.explained is None:
        axes.set_axis_off()  # its numbers mean nothing
    else:
        first, second = words.explained
        axes.set_xlabel(f"first principal component ({first:.1%} of the variance)")
        axes.set_ylabel(f"second principal component ({second:.1%} of the variance)")
    write_caption(axes, words.caption, theme)
    _draw_marks(axes, words, theme)
    unplaced = _write_labels(axes, words, names, family, theme)
    remarks = []
    if unplaced:
        remarks.append(
            f"{len(unplaced):,} of {words.named:,} words have a dot and, for want of room, no "
            f"label: {_listed(unplaced)}. Draw a larger picture, or .html."
        )
    if unwritten:
        remarks.append(
            f"no font of this machine has all characters of {_listed(unwritten)}: boxes stand for "
            "them. Install a font that has them (Debian: fonts-noto-cjk, fonts-noto-core), or "
            "draw .html."
        )
    return axes, remarks


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:5]) + (", ..." if len(words) > 5 else "")


def _fit(axes: Any, places: Places) -> None:
    """Show all places, a unit as long across as it is up."""
    least, most = places.min(axis=0), places.max(axis=0)
    middle, spans = (least + most) / 2, (most - least) * (1 + 2 * _ROOM)
    box = axes.get_window_extent()
    unit = max(spans[0] / box.width, spans[1] / box.height) or 1 / box.width
    axes.set_xlim(middle[0] - unit * box.width / 2, middle[0] + unit * box.width / 2)
    axes.set_ylim(middle[1] - unit * box.height / 2, middle[1] + unit * box.height / 2)


def _draw_marks(axes: Any, words: WordMap, theme: Theme) -> None:
    cloud = words.places[words.named :]
    axes.scatter(*cloud.T, s=7, color=theme.cloud, linewidths=0, alpha=0.7, zorder=1)
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
        places = words.places[sorted(chosen)]
        axes.scatter(
            *places.T, s=size, color=color, marker=marker, edgecolors=theme.paper, linewidths=0.8,
            zorder=3,
        )  # fmt: skip


def _write_labels(
    axes: Any, words: WordMap, names: Sequence[str], family: Sequence[str], theme: Theme
) -> list[str]:
    """Label the words; return those named ones that no room was found for."""
    pixels = axes.transData.transform(words.places)
    paper = _marked_paper(axes, words, pixels)
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
        box = paper.place(x, y, width, height, gap=gap, must=named)
        if box is None:
            label.remove()
            if named:
                unplaced.append(names[place])
            continue
        # An extent need not begin where its text does.
        label.set_position((box.left + _PADDING - extent.x0, box.bottom + _PADDING - extent.y0))
        if (tip := box.nearest(x, y, beyond=2 * gap)) is not None:
            axes.plot(
                [x, tip[0]], [y, tip[1]], transform=None, color=theme.line, lw=0.7, zorder=1.5
            )
            paper.line((x, y), tip)
    return unplaced


def _marked_paper(axes: Any, words: WordMap, pixels: NDArray[np.float64]) -> Paper:
    """Return a paper on which marks are dear to cover, and nothing but the axes is free."""
    box = axes.get_window_extent()
    paper = Paper(box.x0, box.y0, axes.figure.bbox.width - box.x0, box.height)
    for start, end in words.arrows:
        paper.line(pixels[start], pixels[end], cost=4.0)
    for place, (x, y) in enumerate(pixels):
        paper.dot(x, y, *((7.0, 4.0) if place < words.named else (3.0, 0.4)))
    return paper


def _crowded_first(pixels: NDArray[np.float64], near: float = 90.0) -> list[int]:
    """Return the order in which points are labelled: those with the least room first."""
    neighbors = [int((np.abs(pixels - point).max(axis=1) < near).sum()) for point in pixels]
    return sorted(range(len(pixels)), key=lambda place: -neighbors[place])
