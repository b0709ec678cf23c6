"""Other spellings of a word: those to look up as well, and the most similar known ones.

Both sides are folded before they are compared, so NATOO is close to nato, and a word is found in
any Unicode normal form.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from embedkit.corpus.tokenizers import normalize

__all__ = ["nearest_spellings", "normal_forms", "respellings", "similar_spellings"]

_LOWEST_RATIO = 65  # percent; less similar spellings are not suggested
_MOST_COMPARED = 50  # similar spellings that are then compared as written, too


def normal_forms(word: str) -> list[str]:
    """Return *word* as it is, in NFC and in NFD; they look the same."""
    if word.isascii():
        return [word]
    forms = (word, unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word))
    return list(dict.fromkeys(forms))


def respellings(word: str) -> list[str]:
    """Return the spellings to try, in this order, for a word that is not known as written.

    They are its other normal forms, its case-folded form, its lower-case form, which keeps letters
    that case folding replaces, such as the German sharp s, and all of them with underscores for
    spaces.
    """
    forms = (word, normalize(word), word.lower())
    bases = (*forms, *map(_with_underscores, forms))
    return list(dict.fromkeys(form for base in bases for form in normal_forms(base)))[1:]


def _with_underscores(text: str) -> str:
    return "_".join(text.split())


def _folded(word: str) -> str:
    return _with_underscores(normalize(word))


def similar_spellings(word: str, pool: Sequence[str], limit: int) -> list[str]:
    """Return up to *limit* words of *pool* with a similar spelling, most similar first.

    The measure is the share of letters that are the same after folding. Among equally similar
    words, those that are more similar as written come first, then those that come first in *pool*.
    """
    from rapidfuzz import fuzz, process

    found = process.extract(
        _folded(word),
        [_folded(known) for known in pool],
        scorer=fuzz.ratio,
        limit=max(limit, _MOST_COMPARED),
        score_cutoff=_LOWEST_RATIO,
    )
    ranked = sorted((-score, -fuzz.ratio(word, pool[place]), place) for _, score, place in found)
    return [pool[place] for _, _, place in ranked[:limit]]


def nearest_spellings(words: Sequence[str], pool: Sequence[str]) -> list[int]:
    """Return for each word the place in *pool* of the word with the nearest spelling, or -1.

    The measure is the optimal string alignment distance after folding (insertions, deletions,
    substitutions and swaps of adjacent characters count 1). It must be at most 1 for words of up to
    4 characters, 2 for words of up to 8, and 3 for longer ones. Ties go to the word that is nearest
    as written, then to the one that comes first in *pool*.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    folded_pool = [_folded(known) for known in pool]
    found = []
    for word in words:
        folded = _folded(word)
        limit = 1 if len(folded) <= 4 else 2 if len(folded) <= 8 else 3
        [distances] = (
            process.cdist(
                [folded], folded_pool, scorer=OSA.distance, score_cutoff=limit, dtype=np.uint8
            )
            if folded_pool
            else [np.array([limit + 1])]
        )
        nearest = np.flatnonzero(distances == min(distances.min(), limit)).tolist()
        as_written = [OSA.distance(word, pool[place]) for place in nearest]
        found.append(nearest[as_written.index(min(as_written))] if nearest else -1)
    return found
