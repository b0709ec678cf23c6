"""The vectors of texts, in slices, rendered as JSON.

A text that is itself a word or phrase of the vocabulary has that vector. Any other text has the
mean of the vectors of its words: those that are known, or can be composed of character n-grams.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import orjson
from numpy.typing import NDArray

from embedkit.corpus.tokenizers import tokenize
from embedkit.errors import ConfigurationError, EmbedkitError, UnknownWordError
from embedkit.features.pooling import Bags, divide_rows, weighted_sums
from embedkit.index.metrics import unit_rows
from embedkit.service.http.errors import describe
from embedkit.service.limits import MAX_WORD
from embedkit.system.steps import Steps, portions

if TYPE_CHECKING:
    from embedkit.service.worker.served_model import ServedModel
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["EmbeddingFormat", "embeddings"]

_GROUP_WORDS = 2_048  # words of texts that are averaged together
_STEP_WORDS = 64  # words that are looked up in one step
_STEP_CHARACTERS = 1_024  # of words that are composed in one step
_BLOCK = 2_048  # characters that are tokenized in one step, up to the next separator
_LONGEST_BLOCK = 4 * _BLOCK
# What surely separates words, in the text of a tokenizer: ASCII without _ ' -, white space, and the
# punctuation of scripts without spaces.
_SEPARATORS = {
    "whitespace": re.compile(r"[\0-\x20]"),
    "": re.compile(
        r"[\0-&(-,./:-@\[-^`{-\x7f\s\u3001\u3002\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]"
    ),
}


@dataclass(frozen=True)
class EmbeddingFormat:
    """How vectors are written.

    Attributes:
        normalize: scale them to length 1.
        base64: as little-endian float32 in base64, not as lists of numbers.
    """

    normalize: bool = True
    base64: bool = False

    def render(self, index: int, row: NDArray[np.float32], error: EmbedkitError | None) -> bytes:
        """Return the entry for a vector, (d,), as JSON; *error* says why it is zeros."""
        vector: object = row
        if self.base64:
            vector = base64.b64encode(row.astype("<f4").tobytes()).decode()
        entry = {"object": "embedding", "index": index, "embedding": vector}
        if error is not None:
            entry |= describe(error)
        return orjson.dumps(entry, option=orjson.OPT_SERIALIZE_NUMPY)


def embeddings(
    served: ServedModel, texts: Sequence[str], form: EmbeddingFormat, *, is_single: bool = False
) -> Steps[bytes]:
    """Return the response of OpenAI's embeddings API for *texts*, as JSON.

    The vector of a text without known words is zeros, and its entry contains the error; if
    *is_single*, the error is raised instead.

    Raises:
        UnknownWordError: no word of the single text has a vector.
        ConfigurationError: the vectors are sparse.
    """
    vectors = served.vectors
    if vectors.is_sparse:
        raise ConfigurationError(
            "one-hot vectors of texts are not supported: they would have one dimension per word of "
            "the vocabulary.",
            hint="Use a trained model.",
        )
    reader = _Reader(vectors)
    entries: list[bytes] = []
    words_used = 0
    group: list[list[str]] = []
    group_words = 0
    for number, text in enumerate(texts):
        group.append((yield from reader.words(text)))
        group_words += len(group[-1])
        if number + 1 < len(texts) and group_words < _GROUP_WORDS:
            continue
        means, sizes = yield from reader.means(group)
        if form.normalize:
            means = unit_rows(means)
        words_used += int(sizes.sum())
        for row, size, words in zip(means, sizes, group, strict=True):
            error = None if size else reader.error(words)
            if error is not None and is_single:
                raise error
            comma = b"," if entries else b""
            entries.append(comma + form.render(len(entries), row, error))
            yield
        group, group_words = [], 0
    usage = orjson.dumps({"prompt_tokens": words_used, "total_tokens": words_used})
    name = orjson.dumps(served.name)
    # The entries are joined once: together they may have ten megabytes.
    parts = [b'{"object":"list","data":[', *entries, b'],"model":', name, b',"usage":', usage, b"}"]
    yield
    return b"".join(parts)


@dataclass
class _Reader:
    """Splits texts into words, and finds the vectors of the words.

    Attributes:
        vectors: the vectors.
        rows: the rows of words that have been looked up; several where a word consists of others.
    """

    vectors: WordVectors
    rows: dict[str, list[int]] = field(default_factory=dict)

    @property
    def tokenizer(self) -> str:
        """The name of the tokenizer of the training text."""
        training = self.vectors.config.get("training")
        name = training.get("tokenizer") if isinstance(training, dict) else None
        return name or "words"

    def words(self, text: str) -> Steps[list[str]]:
        """Return the words of a text."""
        row = self.vectors.find(text) if len(text) <= MAX_WORD else -1
        if row >= 0:
            self.rows[text] = [row]
            return [text]
        words: list[str] = []
        separator = _SEPARATORS.get(self.tokenizer, _SEPARATORS[""])
        for block in _blocks(text, separator):
            words += tokenize(block, self.tokenizer)
            yield
        return words

    def means(
        self, texts: Sequence[Sequence[str]]
    ) -> Steps[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Return the mean vector of each text, (n, d), and the number of its words that have one.

        The mean of no words is zeros.
        """
        # Long texts are read in parts.
        parts = [
            (number, words[start : start + _GROUP_WORDS])
            for number, words in enumerate(texts)
            for start in range(0, len(words), _GROUP_WORDS)
        ]
        sums = np.zeros((len(texts), self.vectors.dimension), dtype=np.float32)
        sizes = np.zeros(len(texts), dtype=np.int64)
        start = 0
        while start < len(parts):
            stop, words = start, 0
            while stop < len(parts) and (stop == start or words < _GROUP_WORDS):
                words += len(parts[stop][1])
                stop += 1
            found, counts = yield from self._sums([words for _, words in parts[start:stop]])
            owners = [number for number, _ in parts[start:stop]]
            np.add.at(sums, owners, found)
            np.add.at(sizes, owners, counts)
            start = stop
        divide_rows(sums, sizes)
        return sums, sizes

    def _sums(
        self, texts: Sequence[Sequence[str]]
    ) -> Steps[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Return the sum of the vectors of each text, (n, d), and the number of the vectors."""
        distinct = dict.fromkeys(word for words in texts for word in words)
        unseen = [word for word in distinct if word not in self.rows]
        for start in range(0, len(unseen), _STEP_WORDS):
            for word in unseen[start : start + _STEP_WORDS]:
                self.rows[word] = self._rows(word)
            yield
        extra, composed = yield from self._composed([w for w in distinct if not self.rows[w]])
        bags = Bags.of(
            [[row for word in words for row in composed.get(word) or self.rows[word]]
             for words in texts]
        )  # fmt: skip
        yield
        return weighted_sums(self.vectors.matrix, bags, extra), bags.sizes()

    def _rows(self, word: str) -> list[int]:
        """Return the row of a word, or the rows of the words that it consists of.

        Words longer than any that a question may ask for are unknown.
        """
        if len(word) > MAX_WORD:
            return []
        is_raw = self.tokenizer == "whitespace"  # words have neither been split nor folded
        if not is_raw and word.isascii():
            row = self.vectors.vocabulary.find(word)
            return [row] if row >= 0 else []
        candidates = [word, _without_outer_punctuation(word)] if is_raw else [word]
        for candidate in candidates:
            if (row := self.vectors.find(candidate)) >= 0:
                return [row]
        if not is_raw or self.vectors.subwords is not None:
            return []
        return [row for part in tokenize(word) if (row := self.vectors.find(part)) >= 0]

    def _composed(
        self, words: Sequence[str]
    ) -> Steps[tuple[NDArray[np.float32], dict[str, list[int]]]]:
        """Return the vectors of words that can be composed, and the row of each, from V on."""
        parts = [np.zeros((0, self.vectors.dimension), dtype=np.float32)]
        known: list[str] = []
        if self.vectors.subwords is None:
            return parts[0], {}
        composable = [word for word in words if len(word) <= MAX_WORD]
        for portion in portions(composable, _STEP_CHARACTERS):
            rows, composed = self.vectors.compose(portion)
            parts.append(rows[composed])
            known += [portion[place] for place in np.flatnonzero(composed).tolist()]
            yield
        first = len(self.vectors)
        return np.concatenate(parts), {word: [first + n] for n, word in enumerate(known)}

    def error(self, words: Sequence[str]) -> EmbedkitError:
        """Return the error for a text none of whose words has a vector."""
        if not words:
            return ConfigurationError("The text has no words.", hint="Leave it out.")
        return UnknownWordError(words[0], has_ngrams=self.vectors.subwords is not None)


def _blocks(text: str, separator: re.Pattern[str]) -> Iterator[str]:
    """Split a text before separators into blocks, so that no word is split.

    Of a word that is longer than a block, which is unknown, only the first part is kept.
    """
    start = 0
    while len(text) - start > _BLOCK:
        found = separator.search(text, start + _BLOCK, start + _LONGEST_BLOCK)
        if found is not None:
            yield text[start : found.start()]
            start = found.start()
            continue
        yield text[start : start + _LONGEST_BLOCK]
        start += _LONGEST_BLOCK
        while start < len(text) and found is None:
            found = separator.search(text, start, start + _LONGEST_BLOCK)
            start = found.start() if found is not None else start + _LONGEST_BLOCK
    yield text[start:]


def _without_outer_punctuation(word: str) -> str:
    """Return a word from its first to its last letter, digit or underscore."""
    places = [place for place, one in enumerate(word) if one.isalnum() or one == "_"]
    return word[places[0] : places[-1] + 1] if places else ""
