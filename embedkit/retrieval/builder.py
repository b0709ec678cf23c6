"""Build segments: documents become passages, words, vectors, and entries of the BM25 index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.encoded_blocks import unify
from embedkit.corpus.tokenizers import tokenizer
from embedkit.errors import InputError
from embedkit.features.tokens import TokenizedTexts, tokenize_texts
from embedkit.index.approximate import ApproximateIndex, IndexSettings, build_index
from embedkit.index.exact import DenseIndex
from embedkit.retrieval.documents import Chunk
from embedkit.retrieval.lexical import LexicalWriter
from embedkit.retrieval.passages import Passages, cut
from embedkit.retrieval.pooling import PassageWords, Pooling
from embedkit.retrieval.segment import SegmentParts, write_segment
from embedkit.retrieval.settings import SearchIndexSettings

__all__ = [
    "FEWEST_TO_APPROXIMATE",
    "MOST_PASSAGES",
    "BuildProgress",
    "SegmentBuilder",
    "approximate_index",
]

FEWEST_TO_APPROXIMATE = 1_000
"""Passages of a segment; fewer are searched exactly."""

_MOST_SCANNED = 64 << 20  # bytes of vectors that "auto" searches exactly, in a few milliseconds

MOST_PASSAGES = 1 << 20
"""Passages of a segment."""

BuildProgress: TypeAlias = Callable[[str, int], object]
"""Called with a stage ("reading", "pooling" or "indexing") and a number of documents."""

_MOST_CHARACTERS = 1 << 29  # Arrow's strings hold 2 GiB, and a character takes up to 4 bytes
_LAST_SERIAL = 2**31 - 1
_LONGEST_TOKEN = 65_530  # bytes; Tantivy leaves out longer ones


@dataclass
class _Collected:
    """The documents of a segment that is not written yet."""

    chunks: list[Chunk] = field(default_factory=list)
    passages: list[Passages] = field(default_factory=list)
    tokens: list[TokenizedTexts] = field(default_factory=list)
    count: int = 0
    characters: int = 0


class SegmentBuilder:
    """Builds the segments of one addition to an index.

    Args:
        folder: the directory of the segments.
        settings: with a tokenizer.
        pooling: fitted, or not: then the first segment fits it.
        lexical: the BM25 index to add to.
        next_serial: serial number of the first passage.
        next_name: number that names the first segment.
    """

    def __init__(
        self,
        folder: Path,
        settings: SearchIndexSettings,
        pooling: Pooling,
        lexical: LexicalWriter,
        *,
        next_serial: int,
        next_name: int,
    ) -> None:
        self.pooling = pooling
        self.next_serial = next_serial
        self.next_name = next_name
        self.entries: list[dict[str, Any]] = []
        self._folder = folder
        self._settings = settings
        self._lexical = lexical
        self._tokenizer = tokenizer(str(settings.tokenizer))
        self._collected = _Collected()

    def add(self, chunks: Iterator[Chunk], progress: BuildProgress) -> None:
        """Add documents, and write the segments; the caller finishes the BM25 index.

        One thread tokenizes a chunk while Tantivy's thread indexes the chunk before it.
        """
        pending: tuple[Chunk, Future[tuple[Passages, TokenizedTexts, list[str]]]] | None = None
        with ThreadPoolExecutor(1) as pool:
            for chunk in chunks:
                following = chunk, pool.submit(self._tokenize, chunk)
                if pending is not None:
                    self._collect(*pending, progress)
                pending = following
            if pending is not None:
                self._collect(*pending, progress)
        self._write(progress)

    def _tokenize(self, chunk: Chunk) -> tuple[Passages, TokenizedTexts, list[str]]:
        passages = cut(chunk.texts, self._settings.passage, int(self._settings.overlap or 0))
        tokens = tokenize_texts(passages.texts, self._tokenizer)
        passages.texts = []
        return passages, tokens, joined(tokens)

    def _collect(
        self,
        chunk: Chunk,
        tokenized: Future[tuple[Passages, TokenizedTexts, list[str]]],
        progress: BuildProgress,
    ) -> None:
        passages, tokens, texts = tokenized.result()
        if self.next_serial + len(texts) > _LAST_SERIAL:
            raise InputError(
                f"a search index has at most {_LAST_SERIAL:,} passages.",
                hint="Build several indexes.",
            )
        characters = sum(map(len, chunk.texts))
        held = self._collected
        if held.count and (
            held.count + len(texts) > MOST_PASSAGES
            or held.characters + characters > _MOST_CHARACTERS
        ):
            self._write(progress)
            held = self._collected
        self._lexical.add(texts, self.next_serial)
        self.next_serial += len(texts)
        held.chunks.append(chunk)
        held.passages.append(passages)
        held.tokens.append(tokens)
        held.count += len(texts)
        held.characters += characters
        progress("reading", len(chunk))

    def _write(self, progress: BuildProgress) -> None:
        held, self._collected = self._collected, _Collected()
        if not held.count:
            return
        folded = self._settings.tokenizer != "whitespace"
        words = self.pooling.words(_concatenated(held.tokens), folded=folded)
        if not self.pooling.is_fitted:
            self.pooling = self.pooling.fit(words)
        vectors = self.pooling.pool(words)
        first = self.next_serial - held.count
        tensors: dict[str, NDArray[Any]] = {
            "vectors": vectors,
            "serials": np.arange(first, self.next_serial),
            **_places(held),
            **_known_words(words, len(self.pooling.vectors)),
        }
        approximate = approximate_index(vectors, self._settings.kind, progress)
        parts = SegmentParts(_table(held.chunks), tensors, approximate)
        self.entries.append(write_segment(self._folder / f"{self.next_name:06}", parts))
        self.next_name += 1


def joined(tokens: TokenizedTexts) -> list[str]:
    """Return the words of each text, with spaces between them."""
    words = tokens.words
    lengths = pc.binary_length(words)
    if len(words) and pc.max(lengths).as_py() > _LONGEST_TOKEN:
        words = pc.if_else(pc.greater(lengths, _LONGEST_TOKEN), "", words)
    lists = pa.ListArray.from_arrays(
        pa.array(tokens.bounds.astype(np.int32)), words.take(pa.array(tokens.indices))
    )
    texts: list[str] = pc.binary_join(lists, " ").to_pylist()
    return texts


def approximate_index(
    vectors: NDArray[np.float32],
    kind: str,
    progress: BuildProgress = lambda stage, count: None,
) -> ApproximateIndex | None:
    """Build the index of a segment's vectors, (n, d); None if they are searched exactly."""
    if kind == "auto":
        kind = "pq" if vectors.nbytes > _MOST_SCANNED else "flat"
    if kind == "flat" or len(vectors) < FEWEST_TO_APPROXIMATE:
        return None
    settings = IndexSettings(kind=kind, metric="dot").fitted(*vectors.shape)

    def report(stage: str, rows: int) -> None:
        if stage == "adding":
            progress("indexing", rows)

    return build_index(DenseIndex(vectors, "dot"), settings, report)


def _concatenated(parts: list[TokenizedTexts]) -> TokenizedTexts:
    words, new_ids = unify([part.words for part in parts])
    bounds = [np.zeros(1, dtype=np.int64)]
    for part in parts:
        bounds.append(part.bounds[1:] + bounds[-1][-1])
    indices = [ids[part.indices] for ids, part in zip(new_ids, parts, strict=True)]
    return TokenizedTexts(words, np.concatenate(indices), np.concatenate(bounds))


def _places(held: _Collected) -> dict[str, NDArray[Any]]:
    documents, before = [], 0
    for chunk, passages in zip(held.chunks, held.passages, strict=True):
        documents.append(np.array(passages.documents, dtype=np.int32) + before)
        before += len(chunk)
    spans = [np.array(passages.spans, dtype=np.int32) for passages in held.passages]
    return {"documents": np.concatenate(documents), "spans": np.concatenate(spans)}


def _known_words(words: PassageWords, size: int) -> dict[str, NDArray[Any]]:
    known = words.bags.where(words.bags.rows < size)
    return {"words": known.rows, "bounds": known.bounds}


def _table(chunks: list[Chunk]) -> pa.Table:
    columns = {
        "id": [key for chunk in chunks for key in chunk.ids],
        "text": [text for chunk in chunks for text in chunk.texts],
        "fields": [fields for chunk in chunks for fields in chunk.fields],
    }
    return pa.table({name: pa.array(cells, type=pa.string()) for name, cells in columns.items()})
