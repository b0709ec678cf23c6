"""Files that gensim's `save` writes: Word2Vec, FastText and KeyedVectors of versions 1 to 4.

The file is a pickle, which is read without running what it names (see `inert_pickle`). Large
arrays are in files beside it: vectors.kv.vectors.npy, model.wv.vectors.npy and so on. gensim 4
calls the words index_to_key; versions 1 to 3 call them index2word and keep an object with the
count of each in "vocab".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import byte_strings
from embedkit.corpus.ngrams import Ngrams
from embedkit.errors import quoted
from embedkit.formats import inert_pickle
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.inert_pickle import ForbiddenNameError, Record
from embedkit.formats.numpy_files import check_matrix, read_array, read_matrix
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import RowBuilder
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["is_gensim", "read_gensim"]

_PROTOCOLS = range(2, 6)
_COMPOSED_WORDS = 1 << 12  # words composed at a time
_WORDS = ("index_to_key", "index2word", "index2entity")
_VECTORS = ("vectors", "syn0")
_SAVE_AS_TEXT = 'Write the words in gensim: model.wv.save_word2vec_format("vectors.txt").'


def is_gensim(source: ByteSource) -> bool:
    """Recognize a pickle by its first bytes; an older fastText model has a zero in the third."""
    head = source.peek(3)
    return len(head) == 3 and head[0] == 0x80 and head[1] in _PROTOCOLS and head[2] != 0


def read_gensim(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read words, vectors, counts and, of FastText, the vectors of character n-grams.

    Raises:
        FormatError: the file is damaged, contains no word vectors, or refers to something that is
            neither a plain value nor an object of gensim; or a file beside it is missing.
    """
    try:
        with source.plain_file() as path, path.open("rb") as file:
            found = inert_pickle.load(file)
    except ForbiddenNameError as error:
        raise repairs.error(
            "",
            f"this pickle refers to {error}, which is neither a plain value nor an object of "
            "gensim, so it is not read: loading it could run code",
            f"If you trust the file: {_SAVE_AS_TEXT[:1].lower()}{_SAVE_AS_TEXT[1:]}",
        ) from None
    except inert_pickle.DAMAGE as error:
        raise repairs.error(
            "", f"this pickle is damaged: {error}", "Copy it again, or save it again in gensim."
        ) from error
    model = _Saved(found, str(source.path), repairs)
    wv = model.get("wv")
    saved = _Saved(wv, f"{source.path}.wv", repairs) if isinstance(wv, Record) else model
    words = saved.words()
    if "vectors_ngrams" in saved:
        return _read_fasttext(saved, model, words, limit)
    counts = saved.counts(words)
    return read_matrix(
        byte_strings(_encoded(words)), saved.matrix(_VECTORS), counts, repairs, limit
    )


class _Saved:
    """An object of gensim, and the files beside it.

    Args:
        value: the content of the pickle.
        prefix: the beginning of the names of the files beside it.
        repairs: of the file.
    """

    def __init__(self, value: object, prefix: str, repairs: Repairs) -> None:
        self.name = value.name if isinstance(value, Record) else type(value).__name__
        self.repairs = repairs
        self._attributes = value.attributes if isinstance(value, Record) else {}
        self._prefix = prefix
        side_files = self._attributes.get("__numpys")
        self._side_files = side_files if isinstance(side_files, list) else []

    def __contains__(self, name: str) -> bool:
        return name in self._side_files or self._attributes.get(name) is not None

    def get(self, name: str) -> object:
        """Return an attribute, from the file beside the pickle if it is there, or None.

        Raises:
            FormatError: that file is missing or damaged.
        """
        if name not in self._side_files:
            return inert_pickle.plain(self._attributes.get(name))
        path = Path(f"{self._prefix}.{name}.npy")
        return read_array(path if path.is_file() else path.with_suffix(".npz"), path, self.repairs)

    def words(self) -> list[str]:
        """Return the words in the order of the rows.

        Raises:
            FormatError: there are none.
        """
        words = next((self.get(name) for name in _WORDS if name in self), None)
        if not isinstance(words, list):
            raise self.repairs.error(
                "",
                f"{self.name} contains no word vectors",
                "Pass a saved Word2Vec, FastText or KeyedVectors.",
            )
        wrong = next((word for word in words if not isinstance(word, str)), None)
        if wrong is not None or not all(isinstance(word, str) for word in words):
            raise self.repairs.error(
                "", f"the key {quoted(wrong)} is not a word", "Save vectors whose keys are strings."
            )
        return words

    def matrix(self, names: Sequence[str]) -> NDArray[np.generic]:
        """Return the first array of *names* that exists.

        Raises:
            FormatError: none exists.
        """
        found = next((self.get(name) for name in names if name in self), None)
        if not isinstance(found, np.ndarray):
            raise self.repairs.error(
                "", f"{self.name} was saved without its {names[0]}", _SAVE_AS_TEXT
            )
        return found

    def counts(self, words: list[str]) -> NDArray[np.int64] | None:
        """Return how often each word occurs, or None if this is unknown."""
        expandos, vocab = self.get("expandos"), self.get("vocab")
        if isinstance(expandos, Mapping) and "count" in expandos:
            found = np.asarray(inert_pickle.plain(expandos["count"]))
        elif isinstance(vocab, Mapping):
            entries = [vocab.get(word) for word in words]
            found = np.array(
                [e.attributes.get("count") if isinstance(e, Record) else None for e in entries]
            )
        else:
            return None
        return (
            found.astype(np.int64)
            if found.shape == (len(words),) and found.dtype.kind in "iu"
            else None
        )


def _encoded(words: list[str]) -> list[bytes]:
    return [word.encode(errors="surrogatepass") for word in words]


def _read_fasttext(
    saved: _Saved, model: _Saved, words: list[str], limit: int | None
) -> WordVectors:
    """Return vectors with those of n-grams; gensim 4 saves only what these are composed of."""
    repairs, encoded, counts = saved.repairs, _encoded(words), saved.counts(words)
    subwords = _subwords(saved, model)
    composed = _VECTORS[0] not in saved
    own = saved.matrix(["vectors_vocab"] if composed else _VECTORS)
    check_matrix(own, len(words), repairs)
    rows = RowBuilder(own.shape[1], repairs, limit, len(own))
    for start in range(0, len(own), _COMPOSED_WORDS):
        block = slice(start, start + _COMPOSED_WORDS)
        numbers = own[block].astype(np.float32)
        if composed and subwords is not None:
            numbers = subwords.compose(encoded[block], numbers)
        block_counts = None if counts is None else counts[block]
        rows.append(byte_strings(encoded[block]), numbers, partial(_place, start), block_counts)
        if rows.full:
            break
    return rows.build(subwords)


def _place(start: int, row: int) -> str:
    return f"row {start + row + 1:,}"


def _subwords(saved: _Saved, model: _Saved) -> Subwords | None:
    """Return the vectors of n-grams, or None if there are none.

    Raises:
        FormatError: they are hashed as gensim did before 3.7.2, and the policy is "strict".
    """
    settings = [
        saved.get(name) if name in saved else model.get(name)
        for name in ("bucket", "min_n", "max_n")
    ]
    buckets, shortest, longest = (
        int(n) if isinstance(n, int | np.integer) else 0 for n in settings
    )
    if not buckets or longest < 1 or longest < shortest:
        return None
    if not saved.get("compatible_hash"):
        saved.repairs.handle(
            "old_hash",
            "wv",
            "the n-grams are numbered as in gensim before 3.7.2, not as in fastText, so unknown "
            "words would get wrong vectors. The words themselves can be read",
        )
        return None
    ids = np.zeros(0, dtype=np.int32)
    ngrams, packed = saved.matrix(["vectors_ngrams"]), saved.get("hash2index")
    check_matrix(ngrams, len(packed) if isinstance(packed, Mapping) else buckets, saved.repairs)
    if isinstance(packed, Mapping):  # gensim 3 kept only the rows that training used
        places = np.array([*packed.items()]).reshape(-1, 2)
        if places.dtype.kind not in "iu" or (places < 0).any() or (places >= buckets).any():
            raise saved.repairs.error(
                "", "the numbers of its n-grams exceed the number of buckets", _SAVE_AS_TEXT
            )
        places = places[np.argsort(places[:, 0])]
        ids = places[:, 0].astype(np.int32)
        ngrams = ngrams[np.minimum(places[:, 1], len(ngrams) - 1)]
    sizes = Ngrams(max(shortest, 1), longest, buckets)
    return Subwords(ngrams.astype(np.float32), sizes, ids)
