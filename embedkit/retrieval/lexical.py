"""BM25 over the words of passages, by Tantivy.

Tantivy, Lucene's counterpart in Rust, keeps immutable segments with lists of deleted documents,
merges them, maps them into memory, and skips passages that cannot be among the best. `bm25s`
computes all scores in advance, which one added document would change, imports Numba, and builds
with a loop in Python. Scores are those of Lucene: k1 = 1.2, b = 0.75.

The words come from embedkit's tokenizers, so that both halves of an index see the same words.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embedkit.errors import ModelError, StorageError

if TYPE_CHECKING:
    import tantivy

__all__ = ["LexicalIndex", "LexicalWriter", "writing"]

_TEXT, _SERIAL, _TOKENIZER = "words", "serial", "embedkit"
_HEAP = 128 << 20  # bytes; Tantivy writes a segment when they are full


class LexicalWriter:
    """Adds passages to the BM25 index in a directory, and deletes some.

    Args:
        folder: an existing directory, empty or with an index.
    """

    def __init__(self, folder: Path) -> None:
        self._index = _open(folder)
        # With one thread, passages keep their order.
        self._writer = self._index.writer(heap_size=_HEAP, num_threads=1)

    def add(self, texts: Iterable[str], first: int) -> None:
        """Add passages, numbered from *first*.

        Args:
            texts: the words of each passage, separated by spaces.
            first: the serial number of the first passage.
        """
        import tantivy

        for serial, text in enumerate(texts, start=first):
            document = tantivy.Document()
            document.add_text(_TEXT, text)
            document.add_integer(_SERIAL, serial)
            self._writer.add_document(document)

    def delete(self, serials: Iterable[int]) -> None:
        """Delete passages by their serial numbers."""
        for serial in serials:
            self._writer.delete_documents_by_term(_SERIAL, serial)

    def finish(self) -> None:
        """Write everything, and wait for merges; nothing can be added afterwards."""
        self._writer.commit()
        self._writer.wait_merging_threads()

    def abandon(self) -> None:
        """Stop Tantivy's threads, so that they write nothing more."""
        with contextlib.suppress(ValueError):  # it was stopped by an error
            self._writer.rollback()
            self._writer.wait_merging_threads()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[LexicalWriter]:
    """Yield a writer that is finished at the end of the block, or abandoned if the block fails.

    Raises:
        StorageError: Tantivy cannot write, for example because the disk is full.
    """
    writer = LexicalWriter(folder)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise
    try:
        writer.finish()
    except ValueError as error:
        raise StorageError(
            f"Tantivy cannot write the BM25 index: {error}; nothing was changed.",
            hint="Free some space, or write to another disk.",
        ) from error


class LexicalIndex:
    """Ranks passages by BM25.

    Args:
        folder: a directory that `LexicalWriter` wrote.

    Raises:
        ModelError: Tantivy cannot open it.
    """

    def __init__(self, folder: Path) -> None:
        try:
            index = _open(folder)
            self._schema = index.schema
            self._searcher = index.searcher()
        except ValueError as error:
            raise ModelError(
                f"Tantivy cannot open {folder}: {error}.",
                hint="Build the search index again with embedkit search build.",
            ) from error

    def search(self, words: Sequence[str], k: int) -> list[tuple[int, float]]:
        """Return the serial numbers and scores of the *k* best passages with any of *words*.

        A word that is given twice counts twice. Equal scores are ordered by serial number.
        """
        import tantivy

        if not words or not self._searcher.num_docs:
            return []
        clauses = []
        for word, count in Counter(words).items():
            query = tantivy.Query.term_query(self._schema, _TEXT, word)
            if count > 1:
                query = tantivy.Query.boost_query(query, float(count))
            clauses.append((tantivy.Occur.Should, query))
        # Without counting all hits, Tantivy skips passages that cannot be among the best.
        hits = self._searcher.search(tantivy.Query.boolean_query(clauses), k, count=False).hits
        serials = self._searcher.fast_field_values(_SERIAL, [address for _, address in hits])
        found = [
            (int(serial or 0), float(score))
            for serial, (score, _) in zip(serials, hits, strict=True)
        ]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))


def _open(folder: Path) -> tantivy.Index:
    import tantivy

    fields = tantivy.SchemaBuilder()
    fields.add_text_field(_TEXT, tokenizer_name=_TOKENIZER, index_option="freq")
    fields.add_integer_field(_SERIAL, indexed=True, fast=True)
    index = tantivy.Index(fields.build(), path=str(folder))
    splitter = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_TOKENIZER, splitter)
    return index
