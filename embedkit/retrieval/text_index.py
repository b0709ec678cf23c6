"""Search over documents.

index = TextIndex.build("docs.jsonl", "docs.index", "model.embedkit")
index.ask("cheap red wine")
index.add(["a new document"])
index.delete(["7"])
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from typing_extensions import Self, Unpack

from embedkit.errors import ConfigurationError, InputError, counted, quoted
from embedkit.features.lookup import open_vectors
from embedkit.retrieval.answers import Answer, read_answer
from embedkit.retrieval.builder import BuildProgress
from embedkit.retrieval.catalog import Catalog
from embedkit.retrieval.changes import add_documents, delete_documents
from embedkit.retrieval.description import describe
from embedkit.retrieval.directory import (
    BM25,
    POOLING,
    SEGMENTS,
    changed_index,
    new_index,
    read_deleted,
    read_index_config,
    read_unchanged,
)
from embedkit.retrieval.documents import DocumentReader, Documents, ReadingKeywords, reader_of
from embedkit.retrieval.lexical import LexicalIndex
from embedkit.retrieval.merging import merge_segments
from embedkit.retrieval.opening import (
    VectorsSource,
    model_entry,
    model_of,
    read_settings,
    require_same_model,
)
from embedkit.retrieval.options import SEARCH_METHODS, is_reranked
from embedkit.retrieval.pooling import Pooling, check_vectors
from embedkit.retrieval.questions import tokenize_questions
from embedkit.retrieval.ranking import Ranker
from embedkit.retrieval.segment import Document, Segment
from embedkit.retrieval.settings import SearchIndexSettings
from embedkit.storage.tensors import read_tensors, write_tensors
from embedkit.system.steps import Steps, finish
from embedkit.validation import check_choice, check_path, whole_number
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["TextIndex"]

_NO_IDS = pa.chunked_array([], type=pa.string())


class TextIndex:
    """A search index over documents; immutable, while its directory may change.

    Args:
        path: the directory.
        config: its configuration.
        vectors: the word vectors that it was built with.

    Attributes:
        settings: how it was built.
        ranker: ranks the documents.
    """

    def __init__(self, path: Path, config: dict[str, Any], vectors: WordVectors) -> None:
        self.path = path
        self.vectors = vectors
        self._config = config
        self.settings = read_settings(path, config)
        pooling = Pooling.from_tensors(
            vectors, str(self.settings.pooling), self.settings.sif_a, read_tensors(path / POOLING)
        )
        self._segments = [
            Segment(path / SEGMENTS / entry["name"], entry, vectors.shape)
            for entry in config["segments"]
        ]
        gone = read_deleted(path, config)
        deleted = {}
        for number, segment in enumerate(self._segments):
            if segment.name in gone:
                deleted[number] = np.zeros(segment.count, dtype=bool)
                deleted[number][gone[segment.name]] = True
        self.ranker = Ranker(
            self._segments, deleted, LexicalIndex(path / BM25), pooling,
            folded=self.settings.tokenizer != "whitespace",
        )  # fmt: skip
        self._catalog = Catalog(path, self._segments, deleted)

    @classmethod
    def build(
        cls,
        documents: Documents | DocumentReader,
        path: str | os.PathLike[str],
        vectors: VectorsSource,
        *,
        settings: SearchIndexSettings | None = None,
        overwrite: bool = False,
        progress: BuildProgress = lambda stage, count: None,
        **reading: Unpack[ReadingKeywords],
    ) -> Self:
        """Build an index in a new directory.

        Args:
            documents: the path of a file or folder (see `document_files.read_rows`); a table of
                pandas, polars or Arrow; an iterable of texts, of (id, text) pairs, or of mappings;
                or a `DocumentReader`. Documents without an id are numbered from 1.
            path: the directory.
            vectors: the path of a model, which is opened again with the index, or vectors.
            settings: how to build it.
            overwrite: replace an existing index.
            progress: see `BuildProgress`.
            reading: *columns*, the names of the columns of texts and ids, see `Columns`; *errors*,
                "skip" to leave out documents that cannot be indexed; *format* and *encoding* of a
                file.

        Raises:
            InputError: a document cannot be indexed, or there is none. The message names the row.
            ConfigurationError: a setting is invalid, or the vectors are one-hot.
            OutputExistsError: the path exists and *overwrite* is false.
            StorageError: the disk is full, or the path is not writable.
        """
        path = Path(path)
        opened = open_vectors(vectors)
        check_vectors(opened)
        given = settings or SearchIndexSettings()
        pooling = Pooling.unfitted(opened, given.pooling, given.sif_a)
        tokenizer = given.tokenizer or _tokenizer_of(opened)
        chosen = replace(given, pooling=pooling.name, tokenizer=tokenizer)
        with new_index(path, overwrite=overwrite) as change:
            change.config["settings"] = dict(chosen.as_dict())
            change.config["model"] = model_entry(vectors, opened)
            reader = reader_of(documents, reading)
            fitted = add_documents(change, reader, chosen, pooling, _NO_IDS, progress)
            if not change.config["segments"]:
                raise InputError("there are no documents to index.", hint=reader.summary())
            write_tensors(change.folder / POOLING, fitted.tensors())
        return cls.open(path, opened)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        vectors: VectorsSource | None = None,
    ) -> Self:
        """Open an index, memory-mapped.

        Args:
            path: the directory.
            vectors: the vectors that it was built with, or the path of their model; by default, the
                path that was given to `build`.

        Raises:
            ModelError: there is no index, it is damaged, or its vectors are missing or have changed
                since it was built.
        """
        check_path(path)
        place = Path(path)
        return read_unchanged(place, partial(cls._opened, place, vectors))

    @classmethod
    def _opened(cls, path: Path, vectors: VectorsSource | None) -> Self:
        config = read_index_config(path)
        return cls(path, config, model_of(path, config, vectors))

    def __len__(self) -> int:
        """Return the number of documents."""
        return sum(segment.count for segment in self._segments) - int(self._config["deleted"])

    def __repr__(self) -> str:
        return f"TextIndex({str(self.path)!r}, {counted(len(self), 'document')})"

    def ask(
        self, question: str, k: int = 10, *, method: str = "fused", rerank: bool | None = None
    ) -> list[Answer]:
        """Return the documents that answer a question best, at most *k*, best first.

        Args:
            question: some words.
            k: number of documents.
            method: one of `embedkit.retrieval.options.SEARCH_METHODS`.
            rerank: also rank the first hundred passages by the relaxed word mover's distance to the
                question (Kusner et al. 2015), and fuse this ranking with the others; by default,
                if the method is "fused".

        Raises:
            ConfigurationError: an argument is invalid.
            ModelError: the index is damaged.
        """
        if not isinstance(question, str):
            raise ConfigurationError(
                f"expected a question, got {question!r:.60}.", hint="Use ask_all for a list."
            )
        return self.ask_all([question], k, method=method, rerank=rerank)[0]

    def ask_all(
        self, questions: Sequence[str], k: int = 10, *, method: str = "fused",
        rerank: bool | None = None,
    ) -> list[list[Answer]]:  # fmt: skip
        """Answer several questions at once; see `ask`."""
        return finish(self.ask_all_in_steps(questions, k, method=method, rerank=rerank))

    def ask_all_in_steps(
        self, questions: Sequence[str], k: int, *, method: str, rerank: bool | None
    ) -> Steps[list[list[Answer]]]:
        """Do what `ask_all` does; with a single question, in steps of milliseconds."""
        k = whole_number("k", k, 1)
        check_choice("method", method, SEARCH_METHODS)
        if isinstance(questions, str):
            raise ConfigurationError("expected a list of questions; use ask for a single one.")
        tokens = tokenize_questions(questions, str(self.settings.tokenizer))
        by_words = is_reranked(method, rerank)
        most = min(k, len(self))
        ranked = yield from self.ranker.rank_in_steps(tokens, most, method, rerank=by_words)
        return [[read_answer(self._segments, found) for found in answers] for answers in ranked]

    def add(
        self,
        documents: Documents | DocumentReader,
        *,
        progress: BuildProgress = lambda stage, count: None,
        **reading: Unpack[ReadingKeywords],
    ) -> Self:
        """Add documents to the directory; return the new index. The arguments are those of `build`.

        The statistics of the pooling stay those of the documents in `build`.

        Raises:
            InputError: a document cannot be indexed, or its id is already in the index. The message
                names the row; the index is unchanged.
            ModelError: the index was damaged or replaced in the meantime.
            StorageError: the disk is full, or the path is not writable.
        """
        with changed_index(self.path) as change:
            now = type(self)(self.path, read_index_config(self.path), self.vectors)
            require_same_model(self.path, now._config, self._config)
            add_documents(
                change, reader_of(documents, reading), now.settings, now.ranker.pooling,
                now._catalog.ids(), progress,
            )  # fmt: skip
            merge_segments(change, self.path, self.vectors.shape, now.settings.kind)
        return self.open(self.path, self.vectors)

    def delete(self, ids: Iterable[str | int]) -> Self:
        """Delete documents from the directory; return the new index.

        They are only marked as deleted, until a quarter of their segment is.

        Raises:
            InputError: an id is not in the index, which is unchanged.
            ModelError: the index was damaged or replaced in the meantime.
            StorageError: the disk is full, or the path is not writable.
        """
        if isinstance(ids, str | bytes):
            raise InputError(f"expected a list of ids, got {quoted(ids)}.")
        wanted = list(dict.fromkeys(str(key) for key in ids))
        with changed_index(self.path) as change:
            now = type(self)(self.path, read_index_config(self.path), self.vectors)
            require_same_model(self.path, now._config, self._config)
            delete_documents(change, now._segments, now._catalog.find(wanted))
            merge_segments(change, self.path, self.vectors.shape, now.settings.kind)
        return self.open(self.path, self.vectors)

    def get(self, key: str | int) -> Document:
        """Return a document by its id.

        Raises:
            InputError: there is no such document.
        """
        ((number, rows),) = self._catalog.find([str(key)]).items()
        return self._segments[number].read(rows.tolist())[0]

    def ids(self) -> list[str]:
        """Return the ids of all documents."""
        found: list[str] = self._catalog.ids().to_pylist()
        return found

    def info(self) -> dict[str, Any]:
        """Return facts about the index: its size, settings, model and segments; see `describe`."""
        return describe(
            self.path, self._config, self.settings, self._segments, self.vectors.dimension
        )


def _tokenizer_of(vectors: WordVectors) -> str:
    training = vectors.config.get("training")
    name = training.get("tokenizer") if isinstance(training, dict) else None
    return str(name or "words")
