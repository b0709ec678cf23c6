"""postprocess: improve or shrink vectors, and score the change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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

__all__ = ["postprocess"]


@click.command()
@model_argument
@output_option("Model directory to write.", OutputPath(directory=True), required=True)
@click.option("--average", is_flag=True, help="Average the input and the output matrix.")
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
    remove_top: int | None,
    float16: bool,
    int8: bool,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Improve or shrink a model's vectors.

    Steps run in this order, whatever the order of the options: average, center, remove-top, pca,
    float16 or int8. MODEL is not changed. Benchmark files are scored before and after.
    """
    from embedkit.encoders import load, load_encoder
    from embedkit.evaluation.comparison import compare, score
    from embedkit.evaluation.neighbors import neighbor_overlap
    from embedkit.storage.model_directory import check_output
    from embedkit.vectors.postprocess import Steps
    from embedkit.vectors.postprocess import postprocess as change

    if float16 and int8:
        raise click.UsageError("--int8 cannot be used with --float16.")
    files = benchmark_files(options)
    storage = "float16" if float16 else "int8" if int8 else "float32"
    chosen = Steps(remove_top=remove_top or 0, storage=storage, **options)
    if chosen == Steps():
        raise click.UsageError(
            "choose at least one step: --average, --center, --remove-top D, --pca N, --float16 or "
            "--int8."
        )
    target = Path(output)
    lock_outputs(target)
    check_output(target, overwrite=overwrite)
    before = load(model)
    context = getattr(load_encoder(model), "context", None) if chosen.average else None
    after = change(before, chosen, context=context)
    scores = {file: (score(before, *file), score(after, *file)) for file in files}
    overlap = neighbor_overlap(before, after)
    after.save(target, storage=chosen.storage, overwrite=overwrite)
    size = sum(path.stat().st_size for path in target.iterdir())
    if as_json:
        print_json(
            {
                "model": output,
                "words": len(after),
                "dimension": after.dimension,
                "storage": chosen.storage,
                "bytes": size,
                "neighbor_overlap": overlap,
                "scores": {
                    path: {"before": first.value, "after": second.value}
                    | difference_facts(compare(first, second))
                    for (_, path), (first, second) in scores.items()
                },
            }
        )
        return
    if quiet:
        return
    click.echo(
        f"{summary_of_vectors(output, len(after), after.dimension, None)}, {chosen.storage}, "
        f"{size:,} bytes"
    )
    click.echo(f"{overlap:.1%} of the 10 nearest words are the same")
    for file, (first, second) in scores.items():
        print_change(file, first, second, compare(first, second))
