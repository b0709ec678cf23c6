#!/usr/bin/env python3
"""Write corpora/helpdesk.tsv and corpora/helpdesk-test.tsv: questions at a shop's help desk.

    scripts/make_questions.py            write both files
    scripts/make_questions.py --check    fail if the files differ from what would be written

A question asks where something is, why something is so, or something else. Some say so with their
first word; others do not ("what aisle is the milk in", "how come the lift is broken"), and some say
another ("why don't you tell me where the milk is"). The test questions ask with ways of asking that
no training question has, and of other things.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

CORPORA = Path(__file__).resolve().parent.parent / "corpora"

Ways = dict[str, Sequence[str]]

TRAIN_WAYS: Ways = {
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
TEST_WAYS: Ways = {
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
TRAIN_THINGS = (
    "milk", "bread", "cheese", "butter", "rice", "soap", "coffee", "tea", "salt", "sugar", "fish",
    "meat",
)  # fmt: skip
TEST_THINGS = ("bananas", "wine", "paper", "chocolate", "oil", "corn")


def rows(ways: Ways, things: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a file."""
    yield "text\tlabel\n"
    longest = max(map(len, ways.values()))
    for number, thing in product(range(longest), things):
        for label, patterns in ways.items():
            yield f"{patterns[number].format(thing=thing)}\t{label}\n"


def main() -> None:
    files = {
        "helpdesk.tsv": rows(TRAIN_WAYS, TRAIN_THINGS),
        "helpdesk-test.tsv": rows(TEST_WAYS, TEST_THINGS),
    }
    for name, lines in files.items():
        path, text = CORPORA / name, "".join(lines)
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.name} is not up to date. Remedy: scripts/make_questions.py")


if __name__ == "__main__":
    main()
