"""Faults in a file of vectors: each one is an error, or is repaired and counted."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedkit.corpus.encodings import text_encoding
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import (
    ConfigurationError,
    DroppedNgramsWarning,
    FormatError,
    ModelError,
    quoted,
)
from embedkit.formats.names import POLICIES
from embedkit.index.metrics import all_finite
from embedkit.validation import check_choice
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Repairs", "list_names", "repair_words", "require_finite", "warn_of_ngrams"]

_KEEP_NGRAMS = ("embedkit", "fasttext")

_ROWS = 1 << 12
_LISTED = 5  # names in a message


class Repairs:
    """The faults of one file.

    Args:
        name: of the file, for messages.
        policy: one of `POLICIES`.
        encoding: of its words.

    Attributes:
        counts: number of repairs, by kind of fault.

    Raises:
        ConfigurationError: the policy or the encoding is unknown, or the encoding does not write
            digits as ASCII does.
    """

    def __init__(self, name: str, policy: str = "strict", encoding: str = "utf-8") -> None:
        check_choice("error policy", policy, POLICIES)
        self.encoding = text_encoding(encoding)
        if " 0\n".encode(self.encoding) != b" 0\n":
            raise ConfigurationError(
                f"files of vectors cannot be read in the encoding {encoding}.",
                hint=f"Convert the file first: iconv -f {encoding} -t utf-8.",
            )
        self.name = name
        self.policy = policy
        self.counts: Counter[str] = Counter()

    @property
    def replaces(self) -> bool:
        """Whether faulty words are repaired where possible, rather than left out."""
        return self.policy == "replace"

    def handle(self, fault: str, place: str, problem: str, count: int = 1) -> None:
        """Count repairs, or raise an error if the policy is "strict".

        Args:
            fault: the kind of fault.
            place: where the first one is, such as "line 17"; "" if it concerns the whole file.
            problem: what is wrong there, without the final period.
            count: how many faults there are.

        Raises:
            FormatError: the policy is "strict".
        """
        if self.policy == "strict":
            encoding = fault == "not_utf8" and "Name its encoding with --encoding (encoding=), or "
            convert = "convert the file with --errors skip or --errors replace"
            hint = f"{encoding}{convert}" if encoding else convert.capitalize()
            raise self.error(place, problem, f"{hint}, and check the counts that it prints.")
        self.counts[fault] += count

    def error(self, place: str, problem: str, hint: str) -> FormatError:
        """Return the error of a fault that cannot be repaired.

        Args:
            place: where it is; "" if it concerns the whole file.
            problem: what is wrong, without the final period.
            hint: what to do about it.
        """
        where = f"{self.name}, {place}" if place else self.name
        return FormatError(f"{where}: {problem}.", hint=hint)

    def nothing_left(self) -> FormatError:
        """Return the error of a file of which no word is left, with the counts of its faults."""
        if not self.counts:
            return self.error("", "it contains no vectors", "Pass a file of words and vectors.")
        counts = ", ".join(f"{fault} {count:,}" for fault, count in self.counts.items())
        return self.error(
            "",
            f"no word is left; skipped: {counts}",
            "Read it without --errors skip (errors=) to see the first fault.",
        )

    def refuse_parts(self, names: Sequence[str]) -> None:
        """Handle unknown arrays of a file, because they might change what its numbers mean.

        Raises:
            FormatError: there is one, and the policy is "strict".
        """
        if names:
            self.handle(
                "unknown_part",
                "",
                f"it also contains {list_names(names)}, which embedkit does not support and which "
                "may change the meaning of the vectors",
                len(names),
            )


def list_names(names: Sequence[str]) -> str:
    """Return names for a message, the first few of many."""
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(f"{name:.40}" for name in names[:_LISTED]) + more


def require_finite(vectors: WordVectors, rows: range | None = None) -> None:
    """Check that no number is infinite or NaN.

    Args:
        vectors: dense vectors.
        rows: the rows to check; all of them if None.

    Raises:
        ModelError: a number is not finite. The message names the word.
    """
    rows = range(len(vectors)) if rows is None else rows
    for start in rows[::_ROWS]:
        block = vectors.matrix[start : min(start + _ROWS, rows.stop)]
        if not all_finite(block):
            word = vectors.vocabulary[start + int(np.argmin(np.isfinite(block).all(axis=1)))]
            raise ModelError(
                f"the vector of {quoted(word)} contains numbers that are not finite.",
                hint="Train the model again.",
            )


def repair_words(vectors: WordVectors, forbidden: str, repairs: Repairs) -> WordVectors:
    """Return the vectors whose words a format can hold; others are repaired or left out.

    Args:
        forbidden: a regular expression of what a word must not contain.

    Raises:
        FormatError: a word is empty or contains it, and the policy is "strict".
    """
    words = vectors.vocabulary.arrow
    wrong = pc.or_(pc.match_substring_regex(words, forbidden), pc.equal(words, ""))
    rows = np.flatnonzero(wrong.to_numpy(zero_copy_only=False))
    if not len(rows):
        return vectors
    repairs.handle(
        "unwritable",
        f"word {int(rows[0]) + 1:,}",
        f"{quoted(words[int(rows[0])].as_py())} contains a character that separates words in this "
        "format",
        len(rows),
    )
    if repairs.replaces:
        repaired = pc.replace_substring_regex(words, forbidden, "_")
        taken = pc.or_(pc.is_in(repaired, words), pc.equal(repaired, ""))
        keep = pc.or_(pc.invert(wrong), pc.invert(taken)).to_numpy(zero_copy_only=False)
        words = repaired
        first = np.unique(np.asarray(words.dictionary_encode().indices)[keep], return_index=True)[1]
        kept = np.flatnonzero(keep)[np.sort(first)]
    else:
        kept = np.setdiff1d(np.arange(len(words)), rows)
    counts = vectors.vocabulary.counts[kept]
    vocabulary = Vocabulary(words.take(pa.array(kept)), counts)
    return WordVectors.from_checked(
        vocabulary,
        vectors.matrix[kept],
        config=vectors.config,
        subwords=vectors.subwords,
        context=None if vectors.context is None else vectors.context[kept],
    )


def warn_of_ngrams(vectors: WordVectors, name: str) -> None:
    """Warn if vectors have character n-grams, and the format called *name* does not keep them."""
    if vectors.subwords is not None and name not in _KEEP_NGRAMS:
        warnings.warn(
            f"files in the format {name} have no character n-grams, so unknown words will have no "
            "vectors; a model directory keeps them, and so does --to fasttext "
            '(format="fasttext").',
            DroppedNgramsWarning,
            stacklevel=4,
        )
