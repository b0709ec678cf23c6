"""The choices that the transformers' settings offer, without an import of numeric libraries."""

from __future__ import annotations

__all__ = ["OOV_POLICIES", "POOLINGS"]

POOLINGS = ("mean", "max", "sum", "tfidf", "sif")
"""How the vectors of a text's words become one vector; see `TextFeatures`."""

OOV_POLICIES = ("error", "skip", "zero", "spell", "subwords")
"""What to do with a word that has no vector (out of vocabulary).

All but "zero" mean the same as for questions; see `embedkit.vectors.options`. "error" raises
`UnknownWordError`. "skip" leaves the word out. "zero" uses a vector of zeros, which counts in a
mean. "spell" uses the known word with the closest spelling, and "subwords" composes a vector from
character n-grams, where the vectors have them; a word for which neither exists is skipped.
"""
