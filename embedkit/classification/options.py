"""The formats of labelled files; imports no numeric library."""

from __future__ import annotations

__all__ = ["LABELLED_FORMATS"]

LABELLED_FORMATS = ("tsv", "csv", "jsonl", "fasttext")
"""The names of the formats that `read_labelled` reads."""
