"""Print the answers, the size and the settings of a search index."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.output import print_json
from embedkit.errors import counted

if TYPE_CHECKING:
    from embedkit.retrieval.answers import Answer
    from embedkit.retrieval.documents import DocumentReader
    from embedkit.retrieval.text_index import TextIndex

__all__ = ["print_answers", "print_info", "print_report"]

_WIDTH = 88  # characters of a line of an answer


def print_info(facts: dict[str, Any]) -> None:
    """Print what `TextIndex.info` returns."""
    shown = {**facts, "indexes": "; ".join(map(_index_line, facts["indexes"])), "settings": ""}
    settings = {f"  {name}": value for name, value in facts["settings"].items()}
    for name, value in {**shown, **settings}.items():
        click.echo(f"{name:12} {f'{value:,}' if isinstance(value, int) else value}".rstrip())


def print_report(index: TextIndex, reader: DocumentReader, *, quiet: bool, as_json: bool) -> None:
    """Print what an index holds after it was built or changed."""
    facts = index.info()
    if as_json:
        print_json({"index": str(index.path), **facts, "skipped": reader.skipped})
        return
    if not quiet:
        if reader.skipped:
            click.echo(f"Warning: {reader.summary()}", err=True)
        kinds = dict.fromkeys(index["kind"] for index in facts["indexes"])
        shown = f", {' and '.join(kinds)}, recall@10 {facts['recall']:.3f}"
        shown = "" if list(kinds) == ["flat"] else shown
        click.echo(
            f"{index.path}: {counted(facts['documents'], 'document')}, "
            f"{counted(facts['passages'], 'passage')}, {counted(facts['bytes'], 'byte')}{shown}"
        )


def _index_line(index: dict[str, Any]) -> str:
    """Return one line about how a segment is searched, such as "flat, 4 passages"."""
    told = ("kind", "metric", "seed", "passages", "recall")
    settings = [f"{name} {value:,}" for name, value in index.items() if name not in told]
    recall = "" if index["kind"] == "flat" else f", recall@10 {index['recall']:.3f}"
    return ", ".join([index["kind"], *settings, counted(index["passages"], "passage")]) + recall


def print_answers(answers: Sequence[Answer]) -> None:
    """Print the answers to one question, best first."""
    for rank, answer in enumerate(answers, start=1):
        click.echo(f"{rank:4}  {answer.id}  {answer.score:.4f}")
        text = " ".join(answer.text.split())
        for line in textwrap.wrap(text, _WIDTH, max_lines=3, placeholder=" …"):
            click.echo(f"      {line}")
        for name, value in answer.fields.items():
            shown = textwrap.shorten(str(value), _WIDTH - len(name), placeholder=" …")
            click.echo(f"      {name}: {shown}")
