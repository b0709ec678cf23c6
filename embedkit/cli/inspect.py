"""distance, compare, encode, info: the vectors themselves, and facts about a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from embedkit.cli.input import ask_all, reader_for
from embedkit.cli.options import (
    encoder_option,
    json_option,
    metric_option,
    model_argument,
    model_option,
    oov_option,
)
from embedkit.cli.output import UnknownWords, print_json, print_table, tab_separated
from embedkit.encoders.names import UNTRAINED_ENCODERS
from embedkit.vectors.word_lists import WordReader

if TYPE_CHECKING:
    from embedkit.encoders import Encoder
    from embedkit.storage.model_directory import StoredModel
    from embedkit.vectors.subwords import Subwords

__all__ = ["compare", "distance", "encode", "info"]

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


_LONGEST_LIST = 10
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


@click.command()
@model_argument
@json_option
def info(model: str, as_json: bool) -> None:
    """Show facts about a model and how it was trained."""
    from embedkit.encoders import is_foreign
    from embedkit.storage.model_directory import read_model
    from embedkit.vectors.subwords import stored_subwords

    if is_foreign(Path(model)):
        facts = _foreign_facts(model)
        print_json(facts) if as_json else _print_facts(facts)
        return
    stored = read_model(Path(model))
    facts = {
        "model": str(stored.path),
        "encoder": stored.config.get("encoder"),
        **_architecture(stored.config),
        "format": stored.config["format"],
        "words": len(stored.vocabulary),
        "dimension": stored.config.get("dimension"),
        "storage": stored.storage,
        "bytes": sum(path.stat().st_size for path in stored.path.iterdir()),
        "most_frequent": stored.vocabulary.words(range(min(10, len(stored.vocabulary)))),
        "subwords": _subwords_of(stored_subwords(stored.path, stored.config, stored.tensors)),
        "index": _index_of(stored),
        "settings": stored.config.get("settings", {}),
        "training": stored.config.get("training", {}),
    }
    if as_json:
        print_json(facts)
        return
    _print_facts(facts)


def _architecture(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the architecture that trained a model, by that name, if it is known."""
    from embedkit.storage.config_file import architecture_of

    found = architecture_of(config)
    return {} if found is None else {"architecture": found}


def _subwords_of(subwords: Subwords | None) -> dict[str, object]:
    """Return facts about character n-grams, or an empty dictionary without them."""
    if subwords is None:
        return {}
    return {**subwords.config, "rows": len(subwords.rows), "storage": subwords.storage}


def _index_of(stored: StoredModel) -> Mapping[str, object]:
    """Return facts about the approximate index, or an empty mapping without one."""
    from embedkit.storage.index_file import describe_index

    return describe_index(stored)


def _foreign_facts(path: str) -> dict[str, object]:
    from embedkit.formats import detect, read

    vectors = read(path)
    return {
        "model": path,
        "format": detect(path),
        **_architecture(vectors.config),
        "words": len(vectors),
        "dimension": vectors.dimension,
        "subwords": _subwords_of(vectors.subwords) or None,
        "most_frequent": vectors.vocabulary.words(range(min(10, len(vectors)))),
        "settings": dict(vectors.config.get("settings", {})),
    }


def _print_facts(facts: Mapping[str, object], indent: str = "") -> None:
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if isinstance(value, dict):
            if value:
                click.echo(f"{indent}{name}")
                _print_facts(value, indent + "  ")
            continue
        click.echo(f"{indent}{name:<{width}}  {_readable(value)}")


def _readable(value: object) -> str:
    if isinstance(value, list):
        shown = value if len(value) <= _LONGEST_LIST else [*value[:3], "...", value[-1]]
        return " ".join(map(_readable, shown))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)
