#!/usr/bin/env python3
"""Write corpora/world.txt and corpora/analogies.txt from tables of facts and sentence templates.

    scripts/make_corpus.py            write both files
    scripts/make_corpus.py --check    fail if the files differ from what would be written

The files are identical, byte for byte, in every version of Python: the script uses only the
standard library, and from `random` only `random()`, whose sequence never changes.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from pathlib import Path
from string import Formatter

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
SEED = 20_261_123
SCENES = 20  # renderings of a scene for each row and role
NAMES = 6  # renderings of the sentences that name a relation outright
# Words with little context need more scenes.
SCENES_OF = {"companies": 30, "foods": 26, "hockey": 26}
QUESTIONS_PER_ANSWER = 12
OPENINGS = (
    "", "", "", "it is known that", "in those days", "one quiet morning", "people say",
    "according to the paper", "not far away", "at the time", "in fact", "of course",
)  # fmt: skip
CLOSINGS = ("", "", "", "", "as ever", "in the end", "after all", "it was said", "again and again")

_ARTICLE = re.compile(r"\ba (?=[aeio]|u(?!g|kr|ru|s_|ni))(?!eu|ewe\b|one\b)")  # by sound: a euro

Row = dict[str, str]


@dataclass(frozen=True)
class Relation:
    """A section of analogies.txt: the columns of a table whose words form the pairs."""

    section: str
    table: str
    source: str
    target: str


RELATIONS = (
    Relation("capital-country", "countries", "country", "capital"),
    Relation("country-nationality", "countries", "country", "nationality"),
    Relation("country-currency", "countries", "country", "currency"),
    Relation("country-food", "foods", "country", "food"),
    Relation("male-female", "people", "male", "female"),
    Relation("present-past", "verbs", "base", "past"),
    Relation("present-participle", "verbs", "base", "participle"),
    Relation("comparative", "adjectives", "base", "comparative"),
    Relation("superlative", "adjectives", "base", "superlative"),
    Relation("plural", "nouns", "singular", "plural"),
    Relation("element-symbol", "elements", "element", "symbol"),
    Relation("company-product", "companies", "company", "product"),
    Relation("city-team", "hockey", "city", "team"),
)
# Rows of the questions in scripts/demo: sentences may name the relation of the first row of each
# pair; the second row contains the answer and is held out.
SHOWN = {
    "france": "italy", "man": "king", "big": "cold", "japan": "germany", "copper": "gold",
    "microsoft": "google", "montreal_canadiens": "toronto_maple_leafs",
}  # fmt: skip


class Draws:
    """Random choices that use only `random.random()`."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, stop: int) -> int:
        return int(self._random() * stop)

    def choose(self, items: Sequence[str]) -> str:
        return items[self.below(len(items))]

    def shuffle(self, items: list[str]) -> None:
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


def read_table(name: str) -> list[Row]:
    """Return the rows of a table of facts; its first line names the columns."""
    lines = (CORPORA / "facts" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    columns = lines[0].split()
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        words = line.split()
        if len(words) != len(columns):
            raise SystemExit(
                f"facts/{name}.txt, line {number}: expected {len(columns)} words, got {len(words)}"
            )
        rows.append(dict(zip(columns, words, strict=True)))
    return rows


def read_templates(name: str) -> dict[str, list[str]]:
    """Return the sentences of a table by kind: "name", or the role that the scene describes."""
    templates: dict[str, list[str]] = {}
    for line in (CORPORA / "templates" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, sentence = line.split(" | ")
            templates.setdefault(kind, []).append(sentence)
    return templates


def tables() -> dict[str, list[Row]]:
    """Return all tables; the row of a food includes the other words of its country."""
    names = ("countries", "foods", "people", "verbs", "adjectives", "nouns")
    found = {name: read_table(name) for name in (*names, "elements", "companies", "hockey")}
    countries = {row["country"]: row for row in found["countries"]}
    found["foods"] = [{**countries[row["country"]], **row} for row in found["foods"]]
    return found


def is_held_out(number: int, row: Row) -> bool:
    """Tell whether the relation of a row is never stated: one row in four, and those of `SHOWN`."""
    first = next(iter(row.values()))
    if first in SHOWN:
        return False
    return first in SHOWN.values() or number % 4 == 2


def sentences(table: str, rows: list[Row], draws: Draws) -> Iterator[str]:
    """Yield the sentences about every row of a table."""
    templates = read_templates(table)
    naming = templates.pop("name")
    scenes = SCENES_OF.get(table, SCENES)
    for number, row in enumerate(rows):
        if not is_held_out(number, row):
            yield from (render(draws.choose(naming), row, draws) for _ in range(NAMES))
        for kind in templates:
            yield from (render(draws.choose(templates[kind]), row, draws) for _ in range(scenes))


def render(template: str, row: Row, draws: Draws) -> str:
    """Fill in a template, with an opening and a closing that carry no information."""
    themes = [row[column] for column in row if column.startswith("theme")]
    body = template.format(**row, theme=draws.choose(themes) if themes else "")
    body = _ARTICLE.sub("an ", body)
    return " ".join(filter(None, (draws.choose(OPENINGS), body, draws.choose(CLOSINGS))))


def corpus(facts: dict[str, list[Row]]) -> str:
    """Return the text, one sentence per line, shuffled."""
    draws = Draws(SEED)
    lines = [line for table, rows in facts.items() for line in sentences(table, rows, draws)]
    draws.shuffle(lines)
    return "\n".join(lines) + "\n"


def analogies(facts: dict[str, list[Row]]) -> str:
    """Return the questions: the answers are from held-out rows, the examples from the others."""
    draws = Draws(SEED + 1)
    lines = []
    for relation in RELATIONS:
        rows = list(enumerate(facts[relation.table]))
        usable = [(n, row) for n, row in rows if is_unambiguous(relation, row)]
        examples = [row for n, row in usable if not is_held_out(n, row)]
        answers = [row for n, row in usable if is_held_out(n, row)]
        lines.append(f": {relation.section}")
        for answer in answers:
            chosen = sorted({draws.below(len(examples)) for _ in range(QUESTIONS_PER_ANSWER)})
            for number in chosen:
                words = (examples[number], answer)
                lines.append(
                    " ".join(f"{row[relation.source]} {row[relation.target]}" for row in words)
                )
    return "\n".join(lines) + "\n"


def is_unambiguous(relation: Relation, row: Row) -> bool:
    """Tell whether both words of a row have only this sense in the text (not `euro`, not `as`)."""
    return all(senses()[row[role]] == 1 for role in (relation.source, relation.target))


@lru_cache(maxsize=1)
def senses() -> Counter[str]:
    """Count, for every word, the roles and rows in which it occurs, and its uses in templates."""
    facts = tables()
    found: Counter[str] = Counter()
    for phrase in (*OPENINGS, *CLOSINGS):
        found.update(phrase.split())
    for table, rows in facts.items():
        roles = {r.source for r in RELATIONS if r.table == table}
        roles |= {r.target for r in RELATIONS if r.table == table}
        roles -= {"country"} if table == "foods" else set()
        found.update(row[role] for row in rows for role in sorted(roles))
        for sentence in chain.from_iterable(read_templates(table).values()):
            for literal, *_ in Formatter().parse(sentence):
                found.update(literal.split())
    return found


def reject_stated_analogies(text: str, facts: dict[str, list[Row]]) -> None:
    """Fail if a sentence contains two complete pairs of a relation: it would state an analogy."""
    for relation in RELATIONS:
        partner: dict[str, set[str]] = {}
        for row in facts[relation.table]:
            partner.setdefault(row[relation.source], set()).add(row[relation.target])
        for line in text.splitlines():
            words = set(line.split())
            pairs = [(word, other) for word in words for other in partner.get(word, set()) & words]
            for first, second in combinations(pairs, 2):
                if len({*first, *second}) == 4:
                    raise SystemExit(f"this sentence states an analogy: {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="compare without writing")
    parser.add_argument("--output", type=Path, default=CORPORA, help="folder to write to")
    options = parser.parse_args()
    facts = tables()
    text = corpus(facts)
    reject_stated_analogies(text, facts)
    for name, content in (("world.txt", text), ("analogies.txt", analogies(facts))):
        path = options.output / name
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                sys.exit(f"{path} is out of date. Run scripts/make_corpus.py.")
        else:
            path.write_text(content, encoding="utf-8")
            print(f"{path}: {len(content.splitlines()):,} lines, {len(content) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
