"""postprocess: better vectors, or smaller ones, and what that does to their scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from embedkit.cli.evaluate import difference_facts, file_options, print_change, scored_files
from embedkit.cli.options import OutputName, json_option
from embedkit.cli.output import print_json

__all__ = ["postprocess"]


@click.command()
@click.argument("model")
@click.option(
    "-o",
    "--output",
    type=OutputName(),
    required=True,
    metavar="PATH",
    help="Model directory to write.",
)
@click.option("--average", is_flag=True, help="Average the input and the output matrix.")
@click.option("--center", is_flag=True, help="Take the mean off.")
@click.option(
    "--remove-top",
    type=click.IntRange(1, 1_000_000),
    metavar="D",
    help="Take the mean and the first D principal components off (all-but-the-top).",
)
@click.option(
    "--pca",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Keep the first N principal components: fewer dimensions.",
)
@click.option("--float16", is_flag=True, help="Store 2 bytes a number.")
@click.option("--int8", is_flag=True, help="Store 1 byte a number.")
@file_options
@click.option("--overwrite", is_flag=True, help="Replace the model that is there.")
@json_option
def postprocess(
    model: str,
    output: str,
    remove_top: int | None,
    float16: bool,
    int8: bool,
    analogies: tuple[str, ...],
    similarity: tuple[str, ...],
    categories: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
    **steps: Any,
) -> None:
    """Make a model's vectors better or smaller.

    Steps are done in this order, whatever the order of the options: average, center, remove-top,
    pca, float16 or int8. MODEL stays as it is. Files of questions are scored before and after.
    """
    from embedkit.encoders import load, load_encoder
    from embedkit.evaluation.comparison import compare, score
    from embedkit.evaluation.neighbors import neighbor_overlap
    from embedkit.storage.model_directory import check_output
    from embedkit.vectors.postprocess import Steps
    from embedkit.vectors.postprocess import postprocess as change

    if float16 and int8:
        raise click.UsageError("--float16 has no use for --int8: numbers are stored in one way.")
    storage = "float16" if float16 else "int8" if int8 else "float32"
    chosen = Steps(remove_top=remove_top or 0, storage=storage, **steps)
    if chosen == Steps():
        raise click.UsageError(
            "say what to do: --average, --center, --remove-top D, --pca N, --float16 or --int8."
        )
    target = Path(output)
    check_output(target, overwrite=overwrite)
    files = scored_files(analogies, similarity, categories)
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
    click.echo(
        f"{output}: {len(after):,} words, {after.dimension:,} dimensions, {chosen.storage}, "
        f"{size:,} bytes"
    )
    click.echo(f"{overlap:.1%} of the 10 nearest words are the same")
    for file, (first, second) in scores.items():
        print_change(file, first, second, compare(first, second))
