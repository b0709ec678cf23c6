"""Rank the documents of an open index for questions: by vectors, by words, and by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedkit.features.tokens import TokenizedTexts
from embedkit.retrieval.fusion import fuse
from embedkit.retrieval.lexical import LexicalIndex
from embedkit.retrieval.movers import relaxed_distances_in_steps
from embedkit.retrieval.pooling import Pooling
from embedkit.retrieval.segment import DEPTH, Segment
from embedkit.system.steps import Steps

__all__ = ["WEIGHTS", "Ranked", "Ranker"]

WEIGHTS = {"dense": 0.5, "bm25": 1.0, "movers": 2.0}
"""Of the rankings in the fusion, chosen with `scripts/bench_search --choose`."""


class Ranked(NamedTuple):
    """A document that answers a question: its score, and its best passage."""

    segment: int
    document: int
    passage: int
    score: float


_Passage = tuple[int, int]  # numbers of a segment and of a passage in it
_Scored = tuple[_Passage, float]


@dataclass
class Ranker:
    """Ranks documents.

    Attributes:
        segments: all segments, in ascending order of their serial numbers.
        deleted: whether each document of a segment is deleted, by number of the segment; only
            segments with deleted documents.
        lexical: the BM25 index.
        pooling: makes the vectors of questions.
        folded: whether the tokenizer folds words.
        weights: of the rankings "dense", "bm25" and "movers" in the fusion.
    """

    segments: Sequence[Segment]
    deleted: Mapping[int, NDArray[np.bool_]]
    lexical: LexicalIndex
    pooling: Pooling
    folded: bool
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)

    def rank_in_steps(
        self, questions: TokenizedTexts, k: int, method: str, *, rerank: bool
    ) -> Steps[list[list[Ranked]]]:
        """Return the *k* best documents for each question, best first.

        For a single question, a step takes milliseconds.
        """
        words = self.pooling.words(questions, folded=self.folded)
        yield
        vectors = self.pooling.pool(words)
        yield
        answers: dict[int, list[Ranked]] = {}
        depth = max(DEPTH, k)
        while waiting := [number for number in range(len(vectors)) if number not in answers]:
            asked = [_tokens(questions, number) for number in waiting]
            found_by_both = self._rankings(vectors[waiting], asked, depth, method)
            for number, rankings in zip(waiting, found_by_both, strict=True):
                yield
                exhausted = all(len(found) < depth for found in rankings.values())
                if rerank:
                    start, stop = words.bags.bounds[number : number + 2]
                    own = words.bags.rows[start:stop]
                    rankings["movers"] = yield from self._reranked(own, rankings)
                    yield
                found = self._documents(rankings)
                if len(found) >= k or exhausted:
                    answers[number] = found[:k]
            depth *= 4
        return [answers[number] for number in range(len(vectors))]

    def _rankings(
        self,
        vectors: NDArray[np.float32],
        words: Sequence[Sequence[str]],
        depth: int,
        method: str,
    ) -> list[dict[str, list[_Scored]]]:
        """Return the rankings of passages for each question, by name; both at the same time."""
        found: list[dict[str, list[_Scored]]] = [{} for _ in words]
        with ThreadPoolExecutor(1) as pool:
            dense = pool.submit(self._dense, vectors, depth) if method != "bm25" else None
            if method != "dense":
                for rankings, asked in zip(found, words, strict=True):
                    rankings["bm25"] = self._bm25(asked, depth)
            if dense is not None:
                for rankings, hits in zip(found, dense.result(), strict=True):
                    rankings["dense"] = hits
        return found

    def _dense(self, vectors: NDArray[np.float32], depth: int) -> list[list[_Scored]]:
        found: list[list[_Scored]] = [[] for _ in vectors]
        for number in range(len(self.segments)):
            for into, hits in zip(found, self._in_segment(number, vectors, depth), strict=True):
                into += hits
        return [sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:depth] for hits in found]

    def _in_segment(
        self, number: int, vectors: NDArray[np.float32], depth: int
    ) -> list[list[_Scored]]:
        segment, gone = self.segments[number], self.deleted.get(number)
        size = len(segment.vectors)
        fetched = min(size, depth if gone is None else 2 * depth)
        while True:
            answers = []
            for rows, scores in segment.index.search(vectors, fetched) if fetched else ():
                # The product with a vector of zeros, without any known word, is exactly 0.
                kept = (scores != 0.0) & np.isfinite(scores)
                if gone is not None:
                    kept &= ~gone[segment.document_of[rows]]
                pairs = zip(rows[kept].tolist(), scores[kept].tolist(), strict=True)
                answers.append([((number, row), score) for row, score in pairs][:depth])
            if fetched == size or gone is None or all(len(a) == depth for a in answers):
                return answers or [[] for _ in vectors]
            fetched = min(size, 4 * fetched)

    def _bm25(self, words: Sequence[str], depth: int) -> list[_Scored]:
        hits = self.lexical.search(words, depth)
        # Of the same type as the serial numbers, which NumPy would convert otherwise.
        serials = np.array([serial for serial, _ in hits], dtype=np.int32)
        firsts = np.array([segment.serials[0] for segment in self.segments], dtype=np.int32)
        owners = np.searchsorted(firsts, serials, side="right") - 1
        rows = np.zeros(len(serials), dtype=np.int64)
        for owner in np.unique(owners):
            here = owners == owner
            rows[here] = np.searchsorted(self.segments[owner].serials, serials[here])
        places = zip(owners.tolist(), rows.tolist(), strict=True)
        return [(place, score) for place, (_, score) in zip(places, hits, strict=True)]

    def _reranked(
        self, asked: NDArray[np.int64], rankings: Mapping[str, Sequence[_Scored]]
    ) -> Steps[list[_Scored]]:
        """Return the first passages of the fused rankings, by word mover's distance."""
        only = {name: [passage for passage, _ in found] for name, found in rankings.items()}
        first = [passage for passage, _ in fuse(only, self.weights)[:DEPTH]]
        matrix = self.pooling.vectors.matrix
        bags = [self.segments[segment].words_of(row) for segment, row in first]
        distances = yield from relaxed_distances_in_steps(
            asked[asked < len(matrix)], bags, matrix, self.pooling.weights
        )
        near = [n for n in np.argsort(distances, kind="stable").tolist() if distances[n] < np.inf]
        return [(first[n], -float(distances[n])) for n in near]

    def _documents(self, rankings: Mapping[str, Sequence[_Scored]]) -> list[Ranked]:
        """Return the documents of ranked passages, each with its best passage."""
        best: dict[tuple[int, int], tuple[int, int, float]] = {}  # rank, passage, score
        orders: dict[str, list[tuple[int, int]]] = {}
        for name, found in rankings.items():
            order: dict[tuple[int, int], None] = {}
            for (segment, passage), score in found:
                key = segment, int(self.segments[segment].document_of[passage])
                if key not in order:
                    order[key] = None
                    rank = len(order)
                    if key not in best or rank < best[key][0]:
                        best[key] = rank, passage, score
            orders[name] = list(order)
        if len(orders) > 1:
            scored = fuse(orders, self.weights)
        else:
            scored = [(key, best[key][2]) for order in orders.values() for key in order]
        return [Ranked(*key, best[key][1], score) for key, score in scored]


def _tokens(questions: TokenizedTexts, number: int) -> list[str]:
    start, stop = questions.bounds[number : number + 2]
    return [str(questions.words[index]) for index in questions.indices[start:stop].tolist()]
