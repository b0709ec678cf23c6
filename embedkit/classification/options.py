"""The choices of the text classifier; imports no numeric library."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HEADS", "LABELED_FORMATS", "TASKS"]

LABELED_FORMATS = ("tsv", "csv", "jsonl", "fasttext")
"""The names of the formats that `read_labeled` reads."""

TASKS: Mapping[str, str] = {
    "label": "one label for each text",
    "labels": "any number of labels for each text",
    "number": "a number for each text",
}
"""What a classifier gives to a text."""

HEADS: Mapping[str, str] = {
    "linear": "weighs words, word n-grams, character n-grams and word vectors",
    "network": "dense layers on the vectors of a text",
}
"""What a classifier is made of."""
