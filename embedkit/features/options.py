"""The choices of the transformers' settings; imports no numeric library."""

from __future__ import annotations

from embedkit.vectors.options import OOV

__all__ = ["OOV_POLICIES", "POOLINGS"]

POOLINGS = ("mean", "max", "sum", "tfidf", "sif")
"""How the vectors of a text's words become one vector; see `TextFeatures`."""

OOV_POLICIES = (*OOV, "zero")
"""What to do with a word that has no vector (out of vocabulary).

"error", "skip", "spell" and "subwords" mean the same as for questions; see
`embedkit.vectors.options.SearchOptions`. "zero" composes vectors like "error", and uses a vector of
zeros, which counts in a mean, where that is not possible.
"""
