"""evaluate: how good are the vectors?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from embedkit.cli.common import json_option, model_option, print_json

__all__ = ["evaluate"]


@click.command()
@click.option(
    "--analogies", type=click.Path(), multiple=True, help="File of questions, Google's format."
)
@click.option(
    "--similarity", type=click.Path(), multiple=True, help="File of word pairs and scores."
)
@click.option(
    "--restrict",
    type=click.IntRange(min=1),
    default=30_000,
    show_default=True,
    help="Answer analogies among the most frequent words only.",
)
@model_option
@json_option
def evaluate(
    analogies: tuple[str, ...],
    similarity: tuple[str, ...],
    restrict: int,
    model: str,
    as_json: bool,
) -> None:
    """Score a model on analogies and word similarities."""
    from embedkit.encoders import load
    from embedkit.evaluation import analogy_accuracy, word_similarity

    if not analogies and not similarity:
        raise click.UsageError("name a file with --analogies or --similarity.")
    vectors = load(model)
    results: dict[str, Any] = {}
    for path in analogies:
        scores = analogy_accuracy(vectors, path, restrict=restrict)
        results[path] = asdict(scores) | {"accuracy": scores.accuracy}
        if not as_json:
            _print_analogies(path, scores)
    for path in similarity:
        correlation = word_similarity(vectors, path)
        results[path] = asdict(correlation)
        if not as_json:
            click.echo(
                f"{path}: Spearman {correlation.spearman:.4f}, Pearson {correlation.pearson:.4f}, "
                f"{correlation.found} of {correlation.total} pairs known"
            )
    if as_json:
        print_json(results)


def _print_analogies(path: str, scores: Any) -> None:
    click.echo(path)
    width = max(len(section.name) for section in scores.sections)
    for section in (*scores.sections, scores.total):
        rate = f"{section.correct / section.asked:7.1%}" if section.asked else "      -"
        click.echo(
            f"  {section.name:<{width}}  {rate}  {section.correct:6,} of {section.asked:6,}"
            f"  ({section.skipped:,} skipped)"
        )
