"""What is wrong in a file of vectors, and what is done about it: an error, or a counted repair."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, FormatError, ModelError
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["POLICIES", "Repairs", "writable"]

_ROWS = 1 << 12
POLICIES = ("strict", "skip", "replace")
"""*strict*: the first fault is an error. *skip*: a word that has one is left out. *replace*: bytes
that are not UTF-8, NUL, and separators within a word are replaced, and so are numbers that are not
finite; a word that cannot be mended is left out."""


class Repairs:
    """The faults of one file.

    Args:
        name: of the file.
        policy: one of `POLICIES`.

    Attributes:
        counts: repairs made, by what was wrong.

    Raises:
        ConfigurationError: there is no such policy.
    """

    def __init__(self, name: str, policy: str = "strict") -> None:
        if policy not in POLICIES:
            raise ConfigurationError(f"no policy {policy!r}; there are {', '.join(POLICIES)}")
        self.name = name
        self.policy = policy
        self.counts: Counter[str] = Counter()

    @property
    def replaces(self) -> bool:
        """Whether what can be mended is mended; otherwise its word is left out."""
        return self.policy == "replace"

    def meet(self, fault: str, place: str, problem: str, count: int = 1) -> None:
        """Count repairs, or raise.

        Args:
            fault: what is wrong, as it is counted.
            place: where, such as "line 17".
            problem: what is wrong there, a sentence without its end.
            count: how many there are; *place* and *problem* are of the first one.

        Raises:
            FormatError: the policy is "strict".
        """
        if self.policy == "strict":
            raise self.error(
                place, problem, "convert the file with --errors skip or replace, and see its counts"
            )
        self.counts[fault] += count

    def error(self, place: str, problem: str, remedy: str) -> FormatError:
        """Return the error of a fault that nothing can mend."""
        where = f"{self.name}, {place}" if place else self.name
        return FormatError(f"{where}: {problem}.", hint=f"{remedy}.")


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
                f"the vector of {word!r} holds numbers that are not finite.", hint="Train again."
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
