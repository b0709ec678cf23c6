"""postprocess: improve or shrink vectors, and score the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from embedkit.cli.evaluate import (
    benchmark_files,
    benchmark_options,
    difference_facts,
    print_change,
)
from embedkit.cli.options import (
    json_option,
    model_argument,
    output_option,
    overwrite_option,
    quiet_option,
)
from embedkit.cli.output import print_json, summary_of_vectors
from embedkit.cli.parameters import OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs
from embedkit.errors import counted

if TYPE_CHECKING:
    from embedkit.evaluation.comparison import Score
    from embedkit.vectors.postprocess import Steps

__all__ = ["postprocess"]

_Scores: TypeAlias = "Mapping[tuple[str, str], tuple[Score, Score]]"


@click.command()
@model_argument
@output_option("Model directory to write.", OutputPath(directory=True), required=True)
@click.option(
    "--prune-ngrams",
    type=WholeNumber(1, 2**31 - 1),
    metavar="N",
    help="Keep the N rows of character n-grams that matter most; known words stay the same.",
)
@click.option(
    "--average",
    is_flag=True,
    help="Average the input and the output matrix; drops character n-grams.",
)
@click.option("--center", is_flag=True, help="Subtract the mean.")
@click.option(
    "--remove-top",
    type=WholeNumber(1, 1_000_000),
    metavar="D",
    help="Subtract the mean and remove the first D principal components (all-but-the-top).",
)
@click.option(
    "--pca",
    type=WholeNumber(1, 1_000_000),
    metavar="N",
    help="Reduce to the first N principal components.",
)
@click.option("--float16", is_flag=True, help="Store 2 bytes per number.")
@click.option("--int8", is_flag=True, help="Store 1 byte per number.")
@benchmark_options
@overwrite_option
@quiet_option
@json_option
def postprocess(
    model: str,
    output: str,
    float16: bool,
    int8: bool,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Improve or shrink a model's vectors.

    Steps always run in this order: prune-ngrams, average, center, remove-top, pca, float16 or int8.
    All but average also apply to words that are composed of character n-grams. MODEL is not
    changed. Benchmark files are scored before and after.
    """
    from embedkit.encoders import load, load_encoder
    from embedkit.evaluation.comparison import score
    from embedkit.evaluation.neighbors import neighbor_overlap
    from embedkit.storage.model_directory import check_output
    from embedkit.vectors.postprocess import postprocess as change

    if float16 and int8:
        raise click.UsageError("--int8 cannot be used with --float16.")
    files = benchmark_files(options)
    steps = _steps("float16" if float16 else "int8" if int8 else "float32", options)
    target = Path(output)
    lock_outputs(target)
    check_output(target, overwrite=overwrite)
    before = load(model)
    context = getattr(load_encoder(model), "context", None) if steps.average else None
    after = change(before, steps, context=context)
    scores = {file: (score(before, *file), score(after, *file)) for file in files}
    overlap = neighbor_overlap(before, after)
    after.save(target, storage=steps.storage, overwrite=overwrite)
    written = _Written(
        output,
        len(after),
        after.dimension,
        steps.storage,
        _size(target),
        overlap,
        None if after.subwords is None else len(after.subwords.rows),
    )
    if as_json:
        print_json(_facts(written, scores))
    elif not quiet:
        _print(written, scores)


@dataclass(frozen=True)
class _Written:
    """The model that was written, and the share of nearest words that are the same.

    `ngrams` is the number of rows of character n-grams, or None.
    """

    model: str
    words: int
    dimension: int
    storage: str
    bytes: int
    neighbor_overlap: float
    ngrams: int | None


def _steps(storage: str, options: Mapping[str, Any]) -> Steps:
    from embedkit.vectors.postprocess import Steps

    given = {name: value for name, value in options.items() if value is not None}
    steps = Steps(storage=storage, **given)
    if steps == Steps():
        raise click.UsageError(
            "choose at least one step: --average, --center, --remove-top D, --pca N, --float16, "
            "--int8 or --prune-ngrams N."
        )
    return steps


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _facts(written: _Written, scores: _Scores) -> dict[str, object]:
    from embedkit.evaluation.comparison import compare

    changes = {
        path: {"before": before.value, "after": after.value}
        | difference_facts(compare(before, after))
        for (_, path), (before, after) in scores.items()
    }
    return {**asdict(written), "scores": changes}


def _print(written: _Written, scores: _Scores) -> None:
    from embedkit.evaluation.comparison import compare

    summary = summary_of_vectors(written.model, written.words, written.dimension, None)
    ngrams = "" if written.ngrams is None else f", {counted(written.ngrams, 'n-gram')}"
    click.echo(f"{summary}{ngrams}, {written.storage}, {written.bytes:,} bytes")
    click.echo(f"{written.neighbor_overlap:.1%} of the 10 nearest words are the same")
    for file, (before, after) in scores.items():
        print_change(file, before, after, compare(before, after))
