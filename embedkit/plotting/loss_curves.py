"""Loss curves: the loss of each epoch, for one or more training runs in one picture."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedkit.errors import ConfigurationError, ModelError, QuestionError
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
from embedkit.storage.model_directory import read_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LossCurve", "draw_loss_curves", "read_loss_curves"]

_LOG_HINT = "Choose a log that embedkit train --log-json wrote."
_STYLES = ("-", "--", "-.", ":")
_MAX_MARKED = 40  # longest curve, in epochs, with a dot for each epoch


@dataclass(frozen=True)
class LossCurve:
    """The losses of one training run.

    Attributes:
        name: the file name of the model or of the log; the whole path if several have that name.
        epochs: numbers of the epochs, from 1.
        losses: mean over the training pairs of an epoch, in nats; None for an epoch without pairs.
    """

    name: str
    epochs: tuple[int, ...]
    losses: tuple[float | None, ...]


def read_loss_curves(paths: Iterable[str | os.PathLike[str]]) -> list[LossCurve]:
    """Read the losses of training runs.

    Args:
        paths: model directories, which contain a training report, and logs of `embedkit train
            --log-json`. In a log, each restart of the epoch numbers begins a new curve.

    Raises:
        ModelError: a directory is not a model, or has no losses by epoch.
        QuestionError: a file is not a training log. The message names the line.
    """
    files = [*map(Path, paths)]
    names = Counter(path.name for path in files)
    curves = []
    for path in files:
        name = path.name if path.name and names[path.name] == 1 else str(path)
        curves += _read_log(path, name) if path.is_file() else [_read_report(path, name)]
    return curves


def _read_report(path: Path, name: str) -> LossCurve:
    report = read_model(path).config.get("training", {})
    losses = report.get("epoch_losses") if isinstance(report, dict) else None
    if losses is None or not _are_losses(losses):
        raise ModelError(
            f"{path} has no losses by epoch.", hint="Choose a model made by embedkit train."
        )
    return LossCurve(name, tuple(range(1, len(losses) + 1)), tuple(losses))


def _are_losses(values: object) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and all(value is None or isinstance(value, int | float) for value in values)
    )


def _read_log(path: Path, name: str) -> list[LossCurve]:
    found: list[list[tuple[int, float | None]]] = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{path} is not a training log: {error}.", hint=_LOG_HINT) from error
    for number, line in enumerate(lines, start=1):
        try:
            facts = json.loads(line)
            if facts["event"] != "epoch":
                continue
            epoch, loss = int(facts["epoch"]), facts["loss"]
            if not _are_losses([loss]):
                raise ValueError("the loss is not a number")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise QuestionError(
                f"{path}, line {number}: not a line of a training log ({error}).", hint=_LOG_HINT
            ) from error
        if not found or epoch <= found[-1][-1][0]:
            found.append([])
        found[-1].append((epoch, loss))
    if not found:
        raise QuestionError(f"{path} has no finished epochs.", hint=_LOG_HINT)
    names = [name] if len(found) == 1 else [f"{name} {n + 1}" for n in range(len(found))]
    return [
        LossCurve(name, *zip(*epochs, strict=True))
        for name, epochs in zip(names, found, strict=True)
    ]


def draw_loss_curves(
    curves: Sequence[LossCurve],
    path: str | os.PathLike[str],
    *,
    title: str = "",
    size: tuple[int, int] = SIZE,
    dark: bool = False,
    overwrite: bool = False,
) -> None:
    """Draw the loss of each epoch, one curve for each training run.

    Args:
        curves: the losses, from `read_loss_curves`.
        path: ends in .png, .svg or .pdf.
        title: as for `embedkit.plotting.draw`.
        size: as for `embedkit.plotting.draw`.
        dark: as for `embedkit.plotting.draw`.
        overwrite: as for `embedkit.plotting.draw`.

    Raises:
        ConfigurationError: there are no curves, the suffix is unknown, the size is out of range,
            or matplotlib is not installed.
        OutputExistsError: the file exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.
    """
    path = Path(path)
    check_suffix(path, FIGURE_FORMATS)
    if not curves:
        raise ConfigurationError("there are no loss curves to draw.")
    with plain_settings():
        save(_draw_axes(curves, title, size, DARK if dark else LIGHT), path, overwrite=overwrite)


def _draw_axes(
    curves: Sequence[LossCurve], title: str, size: tuple[int, int], theme: Theme
) -> Axes:
    from matplotlib.ticker import MaxNLocator

    names = [readable(curve.name) for curve in curves]
    family, _ = families([readable(title), *names])
    axes = new_figure(size, theme, title, family)
    for number, curve in enumerate(curves):
        losses = [float("nan") if loss is None else loss for loss in curve.losses]
        cycle, color = divmod(number, len(theme.curves))
        axes.plot(
            curve.epochs, losses, color=theme.curves[color], label=names[number], linewidth=2,
            linestyle=_STYLES[cycle % len(_STYLES)],
            marker="o" if len(losses) <= _MAX_MARKED else None, markersize=5,
        )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=theme.cloud, alpha=0.35, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss (nats per pair)")
    write_caption(
        axes, "Mean negative log-likelihood over the training pairs of each epoch. "
        "The axis may not start at 0.", theme,
    )  # fmt: skip
    legend = axes.legend(frameon=False, fontsize=10, labelcolor=theme.ink)
    for text in legend.get_texts():
        text.set(family=family, parse_math=False)
    return axes
