#!/usr/bin/env python3
"""Write corpora/helpdesk.tsv and corpora/helpdesk-test.tsv: questions to a shop's help desk.

    scripts/make_questions.py            write both files
    scripts/make_questions.py --check    fail if the files differ from what would be written

The label of a question is *where*, *why* or *other*. Some questions start with that word; others do
not ("what aisle is the milk in", "how come the lift is broken"), and some start with the wrong one
("why don't you tell me where the milk is"). The test questions use patterns and products that no
training question uses.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

CORPORA = Path(__file__).resolve().parent.parent / "corpora"

Patterns = dict[str, Sequence[str]]

TRAIN_PATTERNS: Patterns = {
    "where": (
        "where is the {thing}?",
        "where can I find the {thing}?",
        "where do you keep the {thing}?",
        "can you tell me where the {thing} is?",
        "do you know where I can get {thing}?",
        "which aisle is the {thing} in?",
        "what floor is the {thing} on?",
        "which shelf has the {thing}?",
        "what section should I go to for {thing}?",
    ),
    "why": (
        "why is the {thing} so expensive?",
        "why don't you sell {thing}?",
        "why has the price of {thing} gone up?",
        "can you explain why the {thing} is sold out?",
        "how come the {thing} is sold out?",
        "how come you have no {thing}?",
        "what is the reason that the {thing} is so expensive?",
        "for what reason was the {thing} moved?",
        "what made you stop selling {thing}?",
    ),
    "other": (
        "how much does the {thing} cost?",
        "do you sell {thing}?",
        "how many {thing} may I buy?",
        "can I return the {thing}?",
        "is the {thing} on sale today?",
        "what kinds of {thing} do you have?",
        "when will you get more {thing}?",
        "who can help me with the {thing}?",
        "can I pay for the {thing} by card?",
    ),
}
TEST_PATTERNS: Patterns = {
    "where": (
        "where are you hiding the {thing}?",
        "in what aisle would I look for {thing}?",
        "which part of the shop has {thing}?",
        "why don't you show me where the {thing} is?",
    ),
    "why": (
        "why did you run out of {thing}?",
        "how come the price of {thing} went up?",
        "what is the reason for the price of the {thing}?",
        "do you know why nobody buys the {thing}?",
    ),
    "other": (
        "how long does the {thing} keep?",
        "which {thing} would you buy?",
        "may I return the {thing} without a receipt?",
        "how much is the {thing} today?",
    ),
}
TRAIN_PRODUCTS = (
    "milk", "bread", "cheese", "butter", "rice", "soap", "coffee", "tea", "salt", "sugar", "fish",
    "meat",
)  # fmt: skip
TEST_PRODUCTS = ("bananas", "wine", "paper", "chocolate", "oil", "corn")


def rows(patterns: Patterns, products: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a file."""
    yield "text\tlabel\n"
    count = max(map(len, patterns.values()))
    for number, thing in product(range(count), products):
        for label, questions in patterns.items():
            yield f"{questions[number].format(thing=thing)}\t{label}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare without writing")
    parser.add_argument("--output", type=Path, default=CORPORA, help="folder to write to")
    options = parser.parse_args()
    files = {
        "helpdesk.tsv": rows(TRAIN_PATTERNS, TRAIN_PRODUCTS),
        "helpdesk-test.tsv": rows(TEST_PATTERNS, TEST_PRODUCTS),
    }
    for name, lines in files.items():
        path, text = options.output / name, "".join(lines)
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path} is out of date. Run scripts/make_questions.py.")


if __name__ == "__main__":
    main()
