"""distance, compare, encode: the vectors themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from embedkit.cli.input import ask_all, reader_for
from embedkit.cli.options import (
    encoder_option,
    json_option,
    metric_option,
    model_option,
    oov_option,
)
from embedkit.cli.output import UnknownWords, print_json, print_table, tab_separated
from embedkit.encoders.names import UNTRAINED_ENCODERS
from embedkit.vectors.word_lists import WordReader

if TYPE_CHECKING:
    from embedkit.encoders import Encoder

__all__ = ["compare", "distance", "encode"]

Answer = TypeVar("Answer")


@click.command()
@click.argument("words", nargs=-1, required=True)
@metric_option("l2")
@oov_option
@encoder_option
@model_option
@json_option
def distance(
    words: tuple[str, ...], metric: str, oov: str, encoder: str | None, model: str, as_json: bool
) -> None:
    """Show the distances between all pairs of WORDS.

    --encoder charcode and onehot need no model. With - instead of the words, sets of words are
    read from standard input, one per line.
    """
    from embedkit.encoders import load

    vectors = None if encoder in UNTRAINED_ENCODERS else load(model, encoder=encoder)

    def answer(asked: list[list[str]]) -> list[Any]:
        return [
            (vectors or _encoder_of(str(encoder), chosen).vectors()).distance(
                chosen, metric=metric, oov=oov
            )
            for chosen in asked
        ]

    sets, tables = _ask_sets(
        words, WordReader() if vectors is None else reader_for(vectors), answer
    )
    unknown = None if vectors is None else UnknownWords(vectors, oov, [w for s in sets for w in s])
    printed = 0
    for chosen, values in zip(sets, tables, strict=True):
        notes = unknown.notes(chosen) if unknown else {}
        shown = [word for word in chosen if word not in notes.get("skipped", ())]
        if as_json:
            table = {"words": shown, "metric": metric, "table": values.tolist()}
            print_json({**table, **notes})
        elif shown:
            if printed:
                click.echo()
            printed += 1
            print_table(shown, values.tolist())
    if unknown:
        unknown.report(sum(not len(table) for table in tables), len(sets))


def _ask_sets(
    words: tuple[str, ...],
    reader: WordReader,
    answer: Callable[[list[list[str]]], Sequence[Answer]],
) -> tuple[list[list[str]], Sequence[Answer]]:
    """Answer for *words* or, if they are "-", for each line of standard input."""
    given = None if words == ("-",) else [*map(reader.word, words)]
    return ask_all(given, reader.line, answer)


def _encoder_of(encoder: str, words: list[str]) -> Encoder:
    """Return an encoder whose vocabulary is these words."""
    from embedkit.corpus.vocabulary import Vocabulary
    from embedkit.encoders import untrained

    return untrained(encoder, Vocabulary(list(dict.fromkeys(words))))


_CONTEXTS = "words are close if they occur in similar contexts, and so often have related meanings."
_PARTS = "Words with the same parts are close, too."
_LESSONS = {
    "charcode": "Character codes: words are close if they have the same letters in the same "
    "positions.",
    "onehot": "One-hot: all words are sqrt(2) = 1.4142 apart, so no two words are closer than "
    "others.",
    "skipgram": f"Skip-gram: {_CONTEXTS}",
    "subword": f"Subwords: {_CONTEXTS} {_PARTS}",
}
_CBOW_LESSONS = {
    "skipgram": f"CBOW: {_CONTEXTS}",
    "subword": f"CBOW with subwords: {_CONTEXTS} {_PARTS}",
}


@click.command()
@click.argument("words", nargs=-1, required=True)
@model_option
@json_option
def compare(words: tuple[str, ...], model: str, as_json: bool) -> None:
    """Show the distances between WORDS for each encoder.

    Distances are Euclidean. Character codes and one-hot need no model. With - instead of the words,
    sets of words are read from standard input, one per line.
    """
    from embedkit import encoders
    from embedkit.storage.config_file import architecture_of

    stored = encoders.load_encoder(model, context=False) if Path(model).exists() else None
    trained = stored if stored and stored.name not in UNTRAINED_ENCODERS else None
    shown = trained.name if trained else "skipgram"
    is_cbow = trained is not None and architecture_of(trained.vectors().config) == "cbow"
    lessons = _LESSONS | (_CBOW_LESSONS if is_cbow else {})

    def tables(chosen: list[str]) -> dict[str, list[list[float]]]:
        return {name: table.tolist() for name, table in encoders.compare(chosen, stored).items()}

    reader = WordReader() if stored is None else WordReader(stored.vocabulary.__contains__)
    sets, answers = _ask_sets(words, reader, lambda asked: [tables(chosen) for chosen in asked])
    for number, (chosen, found) in enumerate(zip(sets, answers, strict=True)):
        if as_json:
            print_json({"words": chosen, "metric": "l2", "tables": found})
            continue
        if number:
            click.echo()
        for name, lesson in lessons.items():
            if name not in (*UNTRAINED_ENCODERS, shown):
                continue
            click.echo(("" if name == "charcode" else "\n") + lesson)
            if name in found:
                print_table(chosen, found[name], indent="  ")
            else:
                click.echo(f"  (no model at {model}: train one with embedkit train CORPUS)")
    if trained is not None:
        asked = [word for chosen in sets for word in chosen]
        UnknownWords(trained.vectors(), "error", asked).report(0, len(sets))


@click.command()
@click.argument("words", nargs=-1, required=True)
@oov_option
@encoder_option
@model_option
@json_option
def encode(
    words: tuple[str, ...], oov: str, encoder: str | None, model: str, as_json: bool
) -> None:
    """Print the vectors of WORDS: tab-separated, one word per line.

    A one-hot vector is printed as the position of its 1. Every word has character codes, which are
    padded to the length of the longest word of the model or, without a model, of WORDS. A tab in a
    word is printed as a backslash and t. With - instead of the words, they are read from standard
    input.
    """
    from embedkit.encoders import load

    vectors = None if encoder == "charcode" else load(model, encoder=encoder)

    def answer(asked: list[list[str]]) -> list[Any]:
        if vectors is None:
            codes = _character_codes(model, [word for chosen in asked for word in chosen])
            return [list(zip(chosen, codes.encode(chosen), strict=True)) for chosen in asked]
        places = vectors.look_up([word for chosen in asked for word in chosen], oov)
        found = []
        for chosen in asked:
            known = {word: place for word in chosen if (place := places[word]) is not None}
            rows = dict(zip(known, vectors.vectors_at([*known.values()]), strict=True))
            found.append([(word, rows[word]) for word in chosen if word in rows])
        return found

    reader = WordReader() if vectors is None else reader_for(vectors)
    sets, answers = _ask_sets(words, reader, answer)
    for word, row in [pair for found in answers for pair in found]:
        if hasattr(row, "indices"):  # sparse: one element is 1
            (place,) = row.indices.tolist()
            print_json({"word": word, "index": place}) if as_json else click.echo(
                tab_separated(word, place)
            )
        elif as_json:
            print_json({"word": word, "vector": row.tolist()})
        else:
            # 9 digits reproduce every float32.
            click.echo(tab_separated(word, *(f"{value:.9g}" for value in row.tolist())))
    if vectors is not None:
        asked = [word for chosen in sets for word in chosen]
        UnknownWords(vectors, oov, asked).report(sum(not found for found in answers), len(sets))


def _character_codes(model: str, words: list[str]) -> Encoder:
    from embedkit.encoders import load_encoder, untrained

    if Path(model).exists():
        return untrained("charcode", load_encoder(model, context=False).vocabulary)
    return _encoder_of("charcode", words)
