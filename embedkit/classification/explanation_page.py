"""Explanations as one HTML file, which needs no network and no script."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from embedkit.classification.contributions import (
    LEVELS,
    Contribution,
    Explanation,
    WordParts,
    intensity,
)
from embedkit.plotting.page import source_hash, theme_colors

__all__ = ["render_explanations"]

_STYLE = Path(__file__).with_name("explanation_page.css")
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Explanations</title>
<style>{style}</style>
<main>
<p class="legend"><mark class="for5">Green</mark> speaks for the label,
<mark class="against5">red, underlined</mark> against it; the stronger the color, the more.
Words in <mark class="unknown">gray italics</mark> are unknown.</p>
{sections}
</main>
</html>
"""


def render_explanations(explanations: Sequence[Explanation], *, most: int = 10) -> str:
    """Return the text of a page with explanations.

    Its Content-Security-Policy allows exactly its style and no script and no requests, and all
    texts are escaped, so that a text is never interpreted as markup.

    Args:
        explanations: what is shown.
        most: how many n-grams of each text are shown.
    """
    widths = "".join(f".w{width}{{--width:{width}%}}" for width in range(101))
    rules = "".join(
        f".{side}{step}{{background:color-mix(in srgb,var(--{side}) {step * 60 // LEVELS}%,"
        "transparent)}"
        for side in ("for", "against")
        for step in range(1, LEVELS + 1)
    )
    style = f"{theme_colors()}\n{_STYLE.read_text(encoding='utf-8')}{rules}{widths}"
    sections = "\n".join(_section(explanation, most) for explanation in explanations)
    return _PAGE.format(policy=html.escape(source_hash(style)), style=style, sections=sections)


def _section(explanation: Explanation, most: int) -> str:
    strongest = max((abs(word.value) for word in explanation.words), default=0.0)
    pieces = "".join(
        html.escape(text) if word is None else _mark(text, word, strongest)
        for text, word in explanation.pieces()
    )
    shown = explanation.ngrams[:most]
    words = _summed(explanation.words)
    largest = max((abs(row.value) for row in (*words, *shown)), default=0.0)
    tables = _table("Words", words, largest)
    if shown:
        tables += _table("N-grams", shown, largest)
    return (
        f"<section>\n<h2>{_heading(explanation)}</h2>\n"
        f'<p class="text">{pieces or "(empty text)"}</p>\n<p class="sum">{_sum(explanation)}</p>\n'
        f'<div class="tables">{tables}</div>\n</section>'
    )


def _heading(explanation: Explanation) -> str:
    if explanation.label is None:
        return f"{explanation.total:g}"
    heading = f"{html.escape(str(explanation.label))} <small>{explanation.probability:.1%}</small>"
    if explanation.against is None:
        return heading
    other = html.escape(str(explanation.against))
    return f"{heading} rather than {other} <small>{explanation.against_probability:.1%}</small>"


def _sum(explanation: Explanation) -> str:
    total = "the number" if explanation.label is None else "difference of the scores"
    if explanation.label is not None and explanation.against is None:
        total = "score"
    ngrams = f" {_signed(explanation.of_ngrams)} n-grams" if explanation.ngrams else ""
    return (
        f"{_signed(explanation.of_words)} words{ngrams} {_signed(explanation.bias)} bias = "
        f"<strong>{_signed(explanation.total)}</strong> {total} ({explanation.method})"
    )


def _summed(words: Sequence[Contribution]) -> list[Contribution]:
    """Return the distinct words with what they added at all places, the strongest first."""
    counts = Counter(word.term for word in words)
    found = []
    for word in {word.term: word for word in words}.values():
        times = counts[word.term]
        name = word.term if times == 1 else f"{word.term} ({times} times)"
        parts = word.parts
        if parts is not None:
            parts = WordParts(*(times * part for part in astuple(parts)))
        found.append(Contribution(name, (), word.value * times, word.known, parts))
    return sorted(found, key=lambda word: -abs(word.value))


def _mark(text: str, word: Contribution, largest: float) -> str:
    title = _signed(word.value) if word.known else f"{_signed(word.value)}, unknown word"
    name = _color(word.value, largest) if word.known or word.value else "unknown"
    return f'<mark class="{name}" title="{html.escape(title)}">{html.escape(text)}</mark>'


def _color(value: float, largest: float) -> str:
    return f"{'for' if value >= 0 else 'against'}{intensity(value, largest)}"


def _table(title: str, rows: Sequence[Contribution], largest: float) -> str:
    with_parts = any(row.parts is not None for row in rows)
    heads = ("own", "letters", "vector") if with_parts else ()
    cells = "".join(f'<th scope="col" class="part">{name}</th>' for name in heads)
    head = f'<tr><td></td><th scope="col">added</th><td></td>{cells}</tr>'
    lines = "".join(_row(row, largest) for row in rows)
    return f"<table><caption>{title}</caption>{head}{lines}</table>"


def _row(row: Contribution, largest: float) -> str:
    side = "for" if row.value >= 0 else "against"
    width = round(100 * abs(row.value) / largest) if largest else 0
    parts = () if row.parts is None else astuple(row.parts)
    cells = "".join(f'<td class="part">{_signed(part)}</td>' for part in parts)
    return (
        f'<tr><th scope="row">{html.escape(row.term)}</th><td>{_signed(row.value)}</td>'
        f'<td class="bar {side} w{width}"><i></i></td>{cells}</tr>'
    )


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "\N{MINUS SIGN}")
