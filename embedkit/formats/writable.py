"""Words that a format has no way to write, and numbers that it has none for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedkit.errors import ModelError
from embedkit.formats.repairs import Repairs
from embedkit.vectors import WordVectors
from embedkit.vocabulary import Vocabulary

__all__ = ["writable"]

_ROWS = 1 << 12


def writable(vectors: WordVectors, pattern: str, repairs: Repairs) -> WordVectors:
    """Return the vectors whose words hold nothing of a pattern; see `Repairs` for the others.

    Raises:
        FormatError: a word is empty or holds it, and the policy is "strict".
        ModelError: a number is not finite.
    """
    for start in range(0, len(vectors), _ROWS):
        finite = np.isfinite(vectors.matrix[start : start + _ROWS])
        if not finite.all():
            word = vectors.vocabulary[start + int(np.argmin(finite.all(axis=1)))]
            raise ModelError(
                f"the vector of {word!r} holds numbers that are not finite. Remedy: train again."
            )
    words = vectors.vocabulary.arrow
    wrong = pc.or_(pc.match_substring_regex(words, pattern), pc.equal(words, ""))
    rows = np.flatnonzero(wrong.to_numpy(zero_copy_only=False))
    if not len(rows):
        return vectors
    repairs.meet(
        "unwritable",
        f"word {int(rows[0]) + 1:,}",
        f"{words[int(rows[0])].as_py()!r:.60} holds what separates words in this format",
        len(rows),
    )
    if repairs.replaces:
        mended = pc.replace_substring_regex(words, pattern, "_")
        taken = pc.or_(pc.is_in(mended, words), pc.equal(mended, ""))
        keep = pc.or_(pc.invert(wrong), pc.invert(taken)).to_numpy(zero_copy_only=False)
        words = mended
        first = np.unique(np.asarray(words.dictionary_encode().indices)[keep], return_index=True)[1]
        kept = np.flatnonzero(keep)[np.sort(first)]
    else:
        kept = np.setdiff1d(np.arange(len(words)), rows)
    counts = vectors.vocabulary.counts[kept]
    vocabulary = Vocabulary(words.take(pa.array(kept)), counts)
    return WordVectors(
        vocabulary, vectors.matrix[kept], config=vectors.config, subwords=vectors.subwords
    )
