"""distance, compare, encode, info: look at vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.common import (
    ask_all,
    encoder_option,
    json_option,
    model_option,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from embedkit.vectors import WordVectors

__all__ = ["compare", "distance", "encode", "info"]


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--metric",
    type=click.Choice(["l2", "cosine", "dot"]),
    default="l2",
    show_default=True,
    help="Euclidean distance, or a similarity.",
)
@encoder_option
@model_option
@json_option
def distance(
    words: tuple[str, ...], metric: str, encoder: str | None, model: str, as_json: bool
) -> None:
    """Show the distance of every word from every other.

    With --encoder charcode or onehot no model is needed. With - in place of the words, sets of
    words are read from standard input, one a line.
    """
    sets, tables = ask_all(
        None if words == ("-",) else list(words),
        str.split,
        lambda asked: [_vectors(w, encoder, model).distance(w, metric=metric) for w in asked],
    )
    for number, (chosen, values) in enumerate(zip(sets, tables, strict=True)):
        if as_json:
            print_json({"words": chosen, "metric": metric, "table": values.tolist()})
            continue
        if number:
            click.echo()
        print_table(chosen, values.tolist())


def _vectors(words: list[str], encoder: str | None, model: str) -> WordVectors:
    """Return the model's vectors, or those that need nothing but the words themselves."""
    from embedkit.encoders import load, untrained
    from embedkit.vocabulary import Vocabulary

    if encoder in ("charcode", "onehot"):
        return untrained(encoder, Vocabulary(list(dict.fromkeys(words)))).vectors()
    return load(model, encoder=encoder)


_LONGEST_LIST = 10
_LESSONS = {
    "charcode": "Character codes: two words are near if they are spelled alike, place by place.",
    "onehot": "One-hot: every two words are sqrt(2) = 1.4142 apart; it tells them apart, no more.",
    "skipgram": "Skip-gram: two words are near if they keep the same company, so distance begins "
    "to mean meaning.",
}


@click.command()
@click.argument("words", nargs=-1, required=True)
@model_option
@json_option
def compare(words: tuple[str, ...], model: str, as_json: bool) -> None:
    """Show the L2 distances between words as each of the three encoders sees them.

    Character codes and one-hot need no model. With - in place of the words, sets of words are read
    from standard input, one a line.
    """

    def tables(chosen: list[str]) -> dict[str, Any]:
        return {
            name: _vectors(chosen, name, model).distance(chosen).tolist()
            for name in _LESSONS
            if name != "skipgram" or Path(model).exists()
        }

    sets, answers = ask_all(
        None if words == ("-",) else list(words),
        str.split,
        lambda asked: [tables(chosen) for chosen in asked],
    )
    for number, (chosen, found) in enumerate(zip(sets, answers, strict=True)):
        if as_json:
            print_json({"words": chosen, "metric": "l2", "tables": found})
            continue
        if number:
            click.echo()
        for name, lesson in _LESSONS.items():
            click.echo(("" if name == "charcode" else "\n") + lesson)
            if name in found:
                print_table(chosen, found[name], indent="  ")
            else:
                click.echo(f"  (no model at {model}: embedkit train CORPUS makes one)")


@click.command()
@click.argument("words", nargs=-1, required=True)
@encoder_option
@model_option
@json_option
def encode(words: tuple[str, ...], encoder: str | None, model: str, as_json: bool) -> None:
    """Print the vectors of words: tab-separated, a word a line.

    One-hot vectors are printed as the number of the one place that is 1. With - in place of the
    words, words are read from standard input.
    """
    from embedkit.encoders import load

    vectors = load(model, encoder=encoder)
    sets, tables = ask_all(
        None if words == ("-",) else list(words),
        str.split,
        lambda asked: [vectors.encode([*map(vectors.resolve, chosen)]) for chosen in asked],
    )
    pairs = [
        (word, row)
        for chosen, table in zip(sets, tables, strict=True)
        for word, row in zip(chosen, table, strict=True)
    ]
    for word, row in pairs:
        values = row.indices.tolist() if vectors.is_sparse else row.tolist()
        if as_json:
            name = "index" if vectors.is_sparse else "vector"
            print_json({"word": word, name: values[0] if vectors.is_sparse else values})
        else:
            click.echo("\t".join([word, *(f"{value:.6g}" for value in values)]))


@click.command()
@model_option
@json_option
def info(model: str, as_json: bool) -> None:
    """Show what a model is and how it was trained."""
    from embedkit.store import read_model

    stored = read_model(Path(model))
    facts: dict[str, Any] = {
        "model": str(stored.path),
        "encoder": stored.config.get("encoder"),
        "format": stored.config["format"],
        "words": len(stored.vocabulary),
        "dimension": stored.config.get("dimension"),
        "bytes": sum(path.stat().st_size for path in stored.path.iterdir()),
        "most_frequent": stored.vocabulary.words(range(min(10, len(stored.vocabulary)))),
        "settings": stored.config.get("settings", {}),
        "training": stored.config.get("training", {}),
    }
    if as_json:
        print_json(facts)
        return
    _print_facts(facts)


def _print_facts(facts: dict[str, Any], indent: str = "") -> None:
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if isinstance(value, dict):
            if value:
                click.echo(f"{indent}{name}")
                _print_facts(value, indent + "  ")
            continue
        click.echo(f"{indent}{name:<{width}}  {_readable(value)}")


def _readable(value: Any) -> str:
    if isinstance(value, list):
        shown = value if len(value) <= _LONGEST_LIST else [*value[:3], "...", value[-1]]
        return " ".join(map(_readable, shown))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)
