"""evaluate: scores of one model, or of several side by side."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.options import (
    Command,
    json_option,
    models_argument,
    quiet_option,
    refuse_repeats,
    refuse_unused,
    seed_option,
)
from embedkit.cli.output import print_json
from embedkit.cli.parameters import INPUT, WholeNumber
from embedkit.evaluation.options import BENCHMARK_KINDS, EVALUATION_METHODS, EVALUATION_OOV

if TYPE_CHECKING:
    from embedkit.evaluation.analogies import AnalogyReport, SectionScore
    from embedkit.evaluation.bootstrap import Difference, Interval
    from embedkit.evaluation.comparison import Score

__all__ = ["benchmark_files", "benchmark_options", "difference_facts", "evaluate", "print_change"]

Scores = dict[tuple[str, str], "Score"]
"""By the kind and the path of the benchmark file."""

_LEGEND = (
    "better, worse: the 95 % interval of the difference, by paired bootstrap, excludes 0; "
    "unclear: it includes 0."
)


_FILES = {
    "analogies": "Analogy questions in Google's format or BATS's, or a folder of BATS's files.",
    "similarity": "Word pairs with similarity scores.",
    "categories": "Words with their categories.",
}


def benchmark_options(command: Command) -> Command:
    """Add the options that name benchmark files."""
    for kind in reversed(BENCHMARK_KINDS):
        command = click.option(
            f"--{kind}", type=INPUT, multiple=True, metavar="FILE",
            help=f"{_FILES[kind]} Repeatable.",
        )(command)  # fmt: skip
    return command


def benchmark_files(options: dict[str, Any]) -> list[tuple[str, str]]:
    """Remove the values of `benchmark_options` from *options*; return the kind and path of each."""
    files = [(kind, path) for kind in BENCHMARK_KINDS for path in options.pop(kind)]
    refuse_repeats([path for _, path in files])
    return files


@click.command()
@models_argument
@benchmark_options
@click.option(
    "--restrict",
    type=WholeNumber(1),
    default=30_000,
    show_default=True,
    help="Search only this many of the most frequent words for answers.",
)
@click.option(
    "--top", type=WholeNumber(1), default=1, show_default=True,
    help="Count an analogy as right if the answer is in the top N.",
)  # fmt: skip
@click.option(
    "--method",
    type=click.Choice(EVALUATION_METHODS),
    default="3cosadd",
    show_default=True,
    help="How analogies are answered; 3cosavg and lrcos learn from the other pairs of a section.",
)
@click.option("--count-unknown", is_flag=True, help="Count questions with unknown words as wrong.")
@click.option(
    "--oov",
    type=click.Choice(EVALUATION_OOV),
    show_default="skip for analogies, subwords for the others",
    help="Leave out questions with unknown words (skip), or compose their vectors of character "
    "n-grams if the model has them (subwords).",
)
@click.option("--case-sensitive", is_flag=True, help="Distinguish Polish from polish.")
@click.option(
    "--draws", type=WholeNumber(100), default=1_000, show_default=True,
    help="Bootstrap draws for the 95 % intervals.",
)  # fmt: skip
@seed_option
@quiet_option
@json_option
def evaluate(
    models: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Score models on analogies, word similarities and categories.

    Several MODELS are shown side by side, each compared with the first.
    """
    from embedkit.encoders import load
    from embedkit.evaluation.comparison import ScoreSettings, compare, facts, score

    files = benchmark_files(options)
    if not files:
        raise click.UsageError("name a file with --analogies, --similarity or --categories.")
    _refuse_unused({kind for kind, _ in files})
    chosen = ScoreSettings(**options)
    found: list[Scores] = []
    for name in models:  # one at a time, because together they may not fit in memory
        vectors = load(name)
        found.append({file: score(vectors, *file, chosen) for file in files})
    differences = [
        {file: compare(found[0][file], other[file], chosen) for file in files}
        for other in found[1:]
    ]
    if as_json:
        scores = [{path: facts(one[kind, path]) for kind, path in files} for one in found]
        print_json(
            scores[0] if len(models) == 1
            else {
                "models": dict(zip(models, scores, strict=True)),
                "differences": {
                    name: {path: difference_facts(one[kind, path]) for kind, path in files}
                    for name, one in zip(models[1:], differences, strict=True)
                },
            }
        )  # fmt: skip
    elif len(models) == 1:
        for file in files:
            _print_one(file, found[0][file])
    else:
        _print_side_by_side(files, models, found, differences)


def _refuse_unused(kinds: Collection[str]) -> None:
    if "analogies" not in kinds:
        refuse_unused("without --analogies", "restrict", "top", "method")
        if "similarity" not in kinds:
            refuse_unused("without --analogies or --similarity", "count_unknown")


def difference_facts(found: Difference) -> dict[str, object]:
    """Return a difference for JSON."""
    interval = list(asdict(found.interval).values())
    return asdict(found) | {"interval": interval, "verdict": found.verdict}


def _print_one(file: tuple[str, str], found: Score) -> None:
    kind, path = file
    report: Any = found.report
    if kind == "analogies":
        _print_analogies(path, report, found.interval)
    elif kind == "similarity":
        score = report.undefined or (
            f"Spearman {report.spearman:.4f} ({_between(kind, found.interval)}), Pearson "
            f"{report.pearson:.4f}"
        )
        counted = "" if report.counted == report.found else f", {report.counted:,} counted"
        click.echo(f"{path}: {score}, {_known(report, 'pairs')}{counted}")
    else:
        click.echo(
            f"{path}: purity {report.purity:.1%} ({_between(kind, found.interval)}) of "
            f"{report.categories} clusters, {_known(report, 'words')}"
        )


def _known(report: Any, what: str) -> str:
    composed = f", {report.composed:,} of them composed" if report.composed else ""
    return f"{report.found:,} of {report.total:,} ({report.coverage:.1%}) {what} known{composed}"


def _print_analogies(path: str, report: AnalogyReport, interval: Interval) -> None:
    among = f", answer in the top {report.top}" if report.top > 1 else ""
    click.echo(f"{path}{among}")
    scores = (*report.sections, *report.groups, report.total)
    width = max(len(score.name) for score in scores)
    for score in scores:
        click.echo(
            f"  {score.name:<{width}}  {_rate(score.accuracy)}  {score.correct:6,} of "
            f"{score.asked:6,}  ({_left_out(score, report)})"
        )
    rest = "known, the others counted as wrong" if report.count_unknown else "asked"
    click.echo(
        f"  95 % interval {_between('analogies', interval)}; {report.coverage:.1%} of the "
        f"questions {rest}"
    )


def _left_out(score: SectionScore, report: AnalogyReport) -> str:
    left = f"{score.unknown:,} unknown" if report.count_unknown else f"{score.skipped:,} skipped"
    return f"{left}, {score.composed:,} composed" if report.total.composed else left


def _rate(share: float) -> str:
    return "      -" if math.isnan(share) else f"{share:7.1%}"


def _correlation(value: float, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{sign}.4f}"


def _between(kind: str, interval: Interval) -> str:
    if math.isnan(interval.low):
        return "-"
    form = ".3f" if kind == "similarity" else ".1%"
    return f"{interval.low:{form}} to {interval.high:{form}}"


def _difference_between(kind: str, interval: Interval) -> str:
    if math.isnan(interval.low):
        return "-"
    if kind == "similarity":
        return f"{interval.low:+.3f} to {interval.high:+.3f}"
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"


def _print_side_by_side(
    files: Sequence[tuple[str, str]],
    names: Sequence[str],
    found: Sequence[Scores],
    differences: Sequence[dict[tuple[str, str], Difference]],
) -> None:
    heads = [Path(name).name for name in names]
    if len(set(heads)) < len(heads):
        heads = list(names)
    rows: list[tuple[str, list[str]]] = []
    for kind, path in files:
        reports = [one[kind, path] for one in found]
        rows.append((path, []))
        rows += _score_rows(kind, reports)
        rows += _difference_rows(kind, heads[0], [one[kind, path] for one in differences])
    first = max(len(name) for name, _ in rows)
    widths = [max(len(head), 16) for head in heads]
    for name, cells in [("", heads), *rows]:
        line = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=False)]
        click.echo("  ".join([f"{name:<{first}}", *line]).rstrip())
    click.echo(_LEGEND)


def _score_rows(kind: str, found: Sequence[Score]) -> list[tuple[str, list[str]]]:
    reports: list[Any] = [one.report for one in found]
    intervals = ("    95 % interval", [_between(kind, one.interval) for one in found])
    known = [("  known", [f"{report.coverage:.1%}" for report in reports])]
    composed = [(r.total if kind == "analogies" else r).composed for r in reports]
    if any(composed):
        known.append(("  composed", [f"{count:,}" for count in composed]))
    if kind == "similarity":
        return [
            ("  Spearman", [_correlation(report.spearman) for report in reports]),
            intervals,
            ("  Pearson", [_correlation(report.pearson) for report in reports]),
            *known,
        ]
    if kind == "categories":
        return [("  purity", [f"{report.purity:.1%}" for report in reports]), intervals, *known]

    def row(scores: Sequence[SectionScore]) -> tuple[str, list[str]]:
        return f"  {scores[0].name}", [_rate(score.accuracy) for score in scores]

    by_section = [(*report.sections, *report.groups, report.total) for report in reports]
    return [*map(row, zip(*by_section, strict=True)), intervals, *known]


def _difference_rows(
    kind: str, first: str, found: Sequence[Difference]
) -> list[tuple[str, list[str]]]:
    values = [
        _correlation(one.value, "+") if kind == "similarity" else f"{100 * one.value:+.1f} points"
        for one in found
    ]
    return [
        (f"  difference from {first}", ["", *values]),
        ("    95 % interval", ["", *(_difference_between(kind, one.interval) for one in found)]),
        ("    verdict", ["", *(one.verdict for one in found)]),
    ]


def print_change(file: tuple[str, str], before: Score, after: Score, found: Difference) -> None:
    """Print a score before and after, and whether it changed; accuracies in percentage points."""
    kind, path = file
    form = ".4f" if kind == "similarity" else ".1%"
    click.echo(
        f"{path}: {before.value:{form}} before, {after.value:{form}} after, change "
        f"{_difference_between(kind, found.interval)}: {found.verdict}"
    )
