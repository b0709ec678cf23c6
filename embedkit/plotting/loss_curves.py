"""How training went: the loss of every epoch, of one run or of several in one picture."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedkit.errors import ConfigurationError, ModelError, QuestionError
from embedkit.plotting.figures import (
    DRAWN,
    SIZE,
    check_suffix,
    new_figure,
    plain_settings,
    save,
    write_caption,
)
from embedkit.plotting.theme import DARK, LIGHT, Theme, families, readable
from embedkit.storage.model_directory import read_model

__all__ = ["Run", "draw_training", "read_runs"]

_STYLES = ("-", "--", "-.", ":")
_MARKED = 40  # epochs up to which each has a dot


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        name: of the model or of the log.
        epochs: their numbers, from 1.
        losses: mean over the pairs of each epoch, in nats; None for an epoch without a pair.
    """

    name: str
    epochs: tuple[int, ...]
    losses: tuple[float | None, ...]


def read_runs(paths: Iterable[str | os.PathLike[str]]) -> list[Run]:
    """Read what is known of trainings.

    Args:
        paths: model directories, whose settings hold a report, and files that `embedkit train
            --log-json` wrote. A log has a run for every time that its epochs begin again.

    Raises:
        ModelError: a directory is no model, or one that was not trained by epochs.
        QuestionError: a file is no log of training. The message names the line.
    """
    return [
        run
        for path in map(Path, paths)
        for run in (_logged(path) if path.is_file() else [_reported(path)])
    ]


def _reported(path: Path) -> Run:
    report = read_model(path).config.get("training", {})
    losses = report.get("epoch_losses") if isinstance(report, dict) else None
    if losses is None or not _are_losses(losses):
        raise ModelError(
            f"{path} holds no losses by epoch.", hint="Name a model that embedkit train made."
        )
    return Run(path.name or str(path), tuple(range(1, len(losses) + 1)), tuple(losses))


def _are_losses(values: Any) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and all(value is None or isinstance(value, int | float) for value in values)
    )


def _logged(path: Path) -> list[Run]:
    found: list[list[tuple[int, float | None]]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{path} is no log of embedkit train: {error}.") from error
    for number, line in enumerate(lines, start=1):
        try:
            facts = json.loads(line)
            if facts["event"] != "epoch":
                continue
            epoch, loss = int(facts["epoch"]), facts["loss"]
            if not _are_losses([loss]):
                raise ValueError("its loss is no number")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise QuestionError(
                f"{path}, line {number}: not what embedkit train --log-json writes ({error})."
            ) from error
        if not found or epoch <= found[-1][-1][0]:
            found.append([])
        found[-1].append((epoch, loss))
    if not found:
        raise QuestionError(f"{path} tells of no epoch that ended.")
    names = [path.name] if len(found) == 1 else [f"{path.name} {n + 1}" for n in range(len(found))]
    return [
        Run(name, *zip(*epochs, strict=True)) for name, epochs in zip(names, found, strict=True)
    ]


def draw_training(
    runs: Sequence[Run],
    path: str | os.PathLike[str],
    *,
    title: str = "",
    size: tuple[int, int] = SIZE,
    dark: bool = False,
    overwrite: bool = False,
) -> None:
    """Draw the loss of each epoch, a curve a run.

    Args:
        runs: from `read_runs`.
        path: ends in .png, .svg or .pdf.
        title: as for `embedkit.plotting.draw`.
        size: as for `embedkit.plotting.draw`.
        dark: as for `embedkit.plotting.draw`.
        overwrite: as for `embedkit.plotting.draw`.

    Raises:
        ConfigurationError: no run, the name ends otherwise, the size is out of bounds, or
            matplotlib is missing.
        OutputExistsError: something is there and *overwrite* is false.
        StorageError: the disk is full or the place cannot be written to.
    """
    path = Path(path)
    check_suffix(path, DRAWN)
    if not runs:
        raise ConfigurationError("there is no run to draw.")
    with plain_settings():
        save(_draw_axes(runs, title, size, DARK if dark else LIGHT), path, overwrite=overwrite)


def _draw_axes(runs: Sequence[Run], title: str, size: tuple[int, int], theme: Theme) -> Any:
    from matplotlib.ticker import MaxNLocator

    names = [readable(run.name) for run in runs]
    family, _ = families([readable(title), *names])
    axes = new_figure(size, theme, title, family)
    for number, run in enumerate(runs):
        losses = [float("nan") if loss is None else loss for loss in run.losses]
        round_, color = divmod(number, len(theme.runs))
        axes.plot(
            run.epochs, losses, color=theme.runs[color], label=names[number], linewidth=2,
            linestyle=_STYLES[round_ % len(_STYLES)],
            marker="o" if len(losses) <= _MARKED else None, markersize=5,
        )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=theme.cloud, alpha=0.35, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss (nats a pair)")
    write_caption(
        axes, "Mean over the pairs of each epoch of the negative log-likelihood. "
        "The axis need not begin at 0.", theme,
    )  # fmt: skip
    legend = axes.legend(frameon=False, fontsize=10, labelcolor=theme.ink)
    for text in legend.get_texts():
        text.set(family=family, parse_math=False)
    return axes
