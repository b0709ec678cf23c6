"""The names of the kinds of benchmark, and of the methods for scoring analogies."""

from __future__ import annotations

from embedkit.vectors.options import PAIR_METHODS

__all__ = ["BENCHMARK_KINDS", "EVALUATION_METHODS", "EVALUATION_OOV"]

BENCHMARK_KINDS = ("analogies", "similarity", "categories")
"""Kinds of benchmark files: analogy questions, word pairs with human scores, words by category."""

EVALUATION_METHODS = ("3cosadd", "3cosmul", *PAIR_METHODS)
"""Methods of `analogy_accuracy`, over unit vectors.

3cosadd is by Mikolov et al. 2013 (N13-1090), 3cosmul by Levy and Goldberg 2014 (W14-1618). 3cosavg
and lrcos (Drozd et al. 2016, C16-1332) ask for the second word of each pair in a section once, with
all other pairs as examples. Words of the examples may be answers.
"""

EVALUATION_OOV = ("skip", "subwords")
"""What to do with words that are not in the vocabulary.

"skip" leaves out the questions that contain them. "subwords" composes their vectors of character
n-grams, if the vectors have n-grams; a word none of whose n-grams is known is skipped.
"""
