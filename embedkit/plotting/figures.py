"""Matplotlib figures: the style that all pictures share, and writing them to files."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from embedkit.errors import ConfigurationError
from embedkit.plotting.theme import Theme, matplotlib_or_error, readable
from embedkit.system.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "FIGURE_FORMATS",
    "SIZE",
    "check_suffix",
    "new_figure",
    "plain_settings",
    "save",
    "write_caption",
]

FIGURE_FORMATS = (".png", ".svg", ".pdf")
"""The suffixes of files that matplotlib writes."""
SIZE = (1600, 1200)
"""Width and height in pixels; the text is legible at half this size."""

_DPI = 160
_SMALLEST, _LARGEST = 400, 10_000  # pixels
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.75, 0.25, 0.82, 0.25  # inches
_TITLE = 0.42  # inches


def check_suffix(path: Path, suffixes: Sequence[str]) -> str:
    """Return the suffix of a picture.

    Raises:
        ConfigurationError: it is not one of *suffixes*.
    """
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise ConfigurationError(
            f"unknown picture format {suffix!r} of {path}.",
            hint=f"Choose from {', '.join(suffixes)}.",
        )
    return suffix


@contextlib.contextmanager
def plain_settings() -> Iterator[None]:
    """Ignore the user's matplotlibrc while drawing; keep text in an SVG as text."""
    settings = {"svg.fonttype": "none", "svg.hashsalt": "embedkit"}
    with matplotlib_or_error().style.context(["default", settings]), warnings.catch_warnings():
        # `draw_axes` reports the words instead.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def new_figure(size: tuple[int, int], theme: Theme, title: str, family: Sequence[str]) -> Axes:
    """Return the axes of a figure with a title and room for a caption.

    Raises:
        ConfigurationError: *size*, in pixels, is out of range.
    """
    if not all(_SMALLEST <= side <= _LARGEST for side in size):
        raise ConfigurationError(
            f"the sides of a picture must be between {_SMALLEST} and {_LARGEST:,} pixels, got "
            f"{size[0]} x {size[1]}."
        )
    width, height = size[0] / _DPI, size[1] / _DPI
    figure = matplotlib_or_error().figure.Figure((width, height), _DPI, facecolor=theme.paper)
    top = _TOP + _TITLE * bool(title)
    axes: Axes = figure.add_axes(
        (_LEFT / width, _BOTTOM / height,
         1 - (_LEFT + _RIGHT) / width, 1 - (_BOTTOM + top) / height),
        facecolor=theme.paper,
    )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.cloud)
    axes.tick_params(color=theme.cloud, labelcolor=theme.muted, labelsize=8.5)
    axes.xaxis.label.set(color=theme.muted, fontsize=9.5)
    axes.yaxis.label.set(color=theme.muted, fontsize=9.5)
    if title:
        figure.text(
            _LEFT / width, 1 - 0.2 / height, readable(title), ha="left", va="top", fontsize=15,
            fontweight="bold", color=theme.ink, family=family, parse_math=False,
        )  # fmt: skip
    return axes


def write_caption(axes: Axes, text: str, theme: Theme) -> None:
    """Write an explanation below the axes, in a smaller font if it is too long."""
    figure = cast("Figure", axes.figure)
    x = axes.get_position().x0
    caption = figure.text(
        x, 0.14 / figure.get_size_inches()[1], text, fontsize=8.5, color=theme.muted,
        ha="left", va="bottom", parse_math=False,
    )  # fmt: skip
    share = figure.bbox.width * (1 - x) * 0.98 / caption.get_window_extent().width
    caption.set_fontsize(8.5 * min(1.0, share))


def save(axes: Axes, path: Path, *, overwrite: bool) -> None:
    """Write a figure atomically; the same figure gives the same bytes."""
    form = path.suffix.lower()[1:]
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with atomic_file(path, overwrite=overwrite) as file:
        cast("Figure", axes.figure).savefig(file, format=form, dpi=_DPI, metadata=undated.get(form))
