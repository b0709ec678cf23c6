"""The frontier as pictures: seconds of training against quality.

scripts/bench_frontier_picture.py is not run itself: scripts/bench_frontier uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench_frontier_runs import Summary
from benchmarking import note

from embedkit.plotting.figures import SIZE, new_figure, plain_settings, save, write_caption
from embedkit.plotting.labels import LabelCanvas
from embedkit.plotting.theme import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_frontier", "frontier"]

_FAMILY = ["DejaVu Sans"]


def frontier(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the numbers of the points that none beats in both time and quality, fastest first.

    Args:
        points: seconds and quality of each.
    """
    best, kept = float("-inf"), []
    for number in sorted(range(len(points)), key=lambda n: (points[n][0], -points[n][1])):
        if points[number][1] > best:
            best = points[number][1]
            kept.append(number)
    return kept


def draw_frontier(found: Sequence[Summary], picture: Path, text: str) -> list[Path]:
    """Draw a picture for each benchmark; return the paths.

    Args:
        found: the points; those without a time are left out.
        picture: a path, such as frontier.png; the name of the benchmark is added before the suffix.
        text: what was trained on, for the title.
    """
    timed = [summary for summary in found if summary.passes is not None]
    if not timed:
        note("no picture is drawn: time was not measured (--measure time)")
        return []
    paths = []
    for name in timed[0].scores:
        path = picture.with_name(f"{picture.stem}-{name}{picture.suffix}")
        with plain_settings():
            save(_draw(timed, name, text), path, overwrite=True)
        paths.append(path)
    return paths


def _draw(found: Sequence[Summary], name: str, text: str) -> Axes:
    from matplotlib.ticker import FuncFormatter, LogLocator

    theme = LIGHT
    places = [(summary.passes or 0.0, summary.scores[name][0]) for summary in found]
    best = frontier(places)
    axes = new_figure(SIZE, theme, f"Quality by time, {text}", _FAMILY)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    axes.plot(
        [places[n][0] for n in best], [places[n][1] for n in best], color=theme.line, zorder=1,
        drawstyle="steps-post", linewidth=1.3,
    )  # fmt: skip
    for number, (summary, (x, y)) in enumerate(zip(found, places, strict=True)):
        peer = ":" in summary.point
        color = theme.start if peer else theme.end if number in best else theme.cloud
        axes.errorbar(
            x, y, yerr=summary.scores[name][1] or 0.0, color=color, marker="D" if peer else "o",
            markersize=7, linewidth=1, capsize=2, zorder=3 if number in best else 2,
        )  # fmt: skip
    axes.margins(0.08)
    axes.grid(axis="y", color=theme.cloud, alpha=0.35, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("seconds of the training passes (logarithmic)")
    axes.set_ylabel("accuracy of analogies" if name == "analogies" else f"Spearman, {name}")
    write_caption(
        axes, "Means over seeds; bars are one standard deviation. The line joins the settings that "
        "no other beats in both; diamonds are gensim's.", theme,
    )  # fmt: skip
    _write_labels(axes, [summary.point for summary in found], places, best)
    return axes


def _write_labels(
    axes: Axes, names: Sequence[str], places: Sequence[tuple[float, float]], best: Sequence[int]
) -> None:
    """Label the frontier, the default and the peers, and other points where there is room."""
    axes.autoscale_view()  # matplotlib would choose the limits only when it draws
    box = axes.get_window_extent()
    canvas = LabelCanvas(box.x0, box.y0, box.width, box.height)
    pixels = [axes.transData.transform(place) for place in places]
    for x, y in pixels:
        canvas.dot(x, y, 8)
    important = {*best, *(n for n, name in enumerate(names) if name == "default" or ":" in name)}
    for number in sorted(range(len(names)), key=lambda n: n not in important):
        must = number in important
        label = axes.text(
            0, 0, names[number].replace("_", " "), transform=None, fontsize=9 if must else 7.5,
            color=LIGHT.ink if must else LIGHT.muted, family=_FAMILY, ha="left", va="bottom",
        )  # fmt: skip
        extent = label.get_window_extent()
        x, y = pixels[number]
        place = canvas.place(x, y, extent.width + 6, extent.height + 4, gap=8, must=must)
        if place is None:
            label.remove()
            continue
        label.set_position((place.left + 3 - extent.x0, place.bottom + 2 - extent.y0))
        if (tip := place.nearest(x, y, beyond=16)) is not None:
            axes.plot([x, tip[0]], [y, tip[1]], transform=None, color=LIGHT.line, linewidth=0.7)
