"""Routes for questions about given words: similarity, rank, the odd one out, transfer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from fastapi import FastAPI, Response

from embedkit.service import limits
from embedkit.service.api import responses
from embedkit.service.api import word_set_requests as asked
from embedkit.service.api.documentation import batch
from embedkit.service.api.requests import OneOrMany
from embedkit.service.http.json_response import JsonObject
from embedkit.service.worker.answers import composed_words
from embedkit.service.worker.dispatch import Dispatcher, as_list, check_limit, limit_spelled
from embedkit.service.worker.served_model import ServedModel
from embedkit.service.worker.spelling import known_spellings
from embedkit.system.steps import Steps
from embedkit.vectors.options import SearchOptions
from embedkit.vectors.similarity import neighbor_rank_in_steps
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["add_word_sets", "spelled"]

_SEARCH_COST = 1_000  # of a scan of all vectors, in units of about ten microseconds

_Item: TypeAlias = (
    "asked.SimilarityRequest | asked.RankRequest | asked.OddOneOutRequest | asked.TransferRequest"
)
WordSets = TypeVar(
    "WordSets",
    asked.SimilarityRequest,
    asked.RankRequest,
    asked.OddOneOutRequest,
    asked.TransferRequest,
)


def add_word_sets(app: FastAPI, service: Dispatcher) -> None:
    """Add the routes."""

    @app.post("/v1/similarity", tags=["distances and maps"], **batch(responses.SimilarityResponse))
    async def similarity(body: OneOrMany[asked.SimilarityRequest]) -> Response:
        """Return the similarity of two words, or of the mean vectors of two sets of words."""
        _check_words(body)
        return await service.compute(body, _similarity, _cost)

    @app.post("/v1/odd-one-out", tags=["distances and maps"], **batch(responses.OddOneOutResponse))
    async def odd_one_out(body: OneOrMany[asked.OddOneOutRequest]) -> Response:
        """Return the word that does not belong with the others, then the others."""
        _check_words(body)
        return await service.compute(body, _odd_one_out, _cost)

    @app.post("/v1/rank", tags=["search"], **batch(responses.RankResponse))
    async def rank(body: OneOrMany[asked.RankRequest]) -> Response:
        """Return the place of a word among the neighbors of another word."""
        check_limit(len(as_list(body)), limits.MAX_SCANS, "ranks")
        return await service.compute(body, _rank, lambda item: _SEARCH_COST, service.scans)

    @app.post("/v1/transfer", tags=["search"], **batch(responses.TransferResponse))
    async def transfer(body: OneOrMany[asked.TransferRequest]) -> Response:
        """Move words along the mean difference of pairs, and return the nearest words there."""
        items = as_list(body)
        check_limit(sum(len(item.words) for item in items), limits.MAX_SCANS, "words to move")
        answers = sum(item.k * len(item.words) for item in items)
        check_limit(answers, limits.MAX_ANSWERS, "answers")
        _check_words(body)
        return await service.compute(
            body,
            _transfer,
            lambda item: _cost(item) + _SEARCH_COST * len(item.words),
            service.scans,
        )


def _check_words(body: WordSets | list[WordSets]) -> None:
    count = sum(len(_words(item)) for item in as_list(body))
    check_limit(count, limits.MAX_WORDS, "words")


def _cost(item: _Item) -> float:
    return 20 + 2 * len(_words(item))


def _words(item: _Item) -> list[str]:
    """Return all words of a question."""
    return item.words if isinstance(item, asked.OddOneOutRequest) else item.all_words


def spelled(vectors: WordVectors, words: Sequence[str], oov: str) -> Steps[tuple[list[str], str]]:
    """Return words in known spellings if *oov* is "spell", and the *oov* that remains."""
    if oov != "spell":
        return list(words), oov
    known = yield from known_spellings(vectors, words, limit_spelled)
    return [known.get(word, word) for word in words], "skip"


def _notes(vectors: WordVectors, words: Sequence[str], oov: str) -> JsonObject:
    """Return the fields of an answer that list composed and skipped words, if any."""
    notes = composed_words(vectors, words, oov)
    if oov != "error":
        found = vectors.look_up(words, oov)
        skipped = [word for word, place in found.items() if place is None]
        notes |= {"skipped": skipped} if skipped else {}
    return notes


def _similarity(served: ServedModel, body: asked.SimilarityRequest) -> Steps[JsonObject]:
    words, oov = yield from spelled(served.vectors, _words(body), body.oov)
    first = words[: len(body.sets[0])]
    second = words[len(first) :]
    score = served.vectors.similarity(first, second, metric=body.metric, oov=oov)
    answer = {
        "sets": body.sets,
        "metric": body.metric,
        "score": None if math.isnan(score) else score,
    }
    return answer | _notes(served.vectors, words, oov)


def _odd_one_out(served: ServedModel, body: asked.OddOneOutRequest) -> Steps[JsonObject]:
    words, oov = yield from spelled(served.vectors, _words(body), body.oov)
    found = served.vectors.odd_one_out(words, metric=body.metric, oov=oov)
    answers = [neighbor._asdict() for neighbor in found]
    answer: JsonObject = {"metric": body.metric, "answers": answers}
    return answer | _notes(served.vectors, words, oov)


def _rank(served: ServedModel, body: asked.RankRequest) -> Steps[JsonObject]:
    words, oov = yield from spelled(served.vectors, _words(body), body.oov)
    word, other = words
    options = SearchOptions(metric=body.metric, restrict=body.restrict, oov=oov)
    place = yield from neighbor_rank_in_steps(served.vectors.search, other, word, options)
    answer: JsonObject = {"word": body.word, "neighbor_of": body.neighbor_of, "rank": place}
    return answer | _notes(served.vectors, words, oov)


def _transfer(served: ServedModel, body: asked.TransferRequest) -> Steps[JsonObject]:
    words, oov = yield from spelled(served.vectors, _words(body), body.oov)
    ends = iter(words)
    pairs = [(next(ends), next(ends)) for _ in body.pairs]
    moved = [next(ends) for _ in body.words]
    exclude = [*ends]
    answers: list[JsonObject] = []
    for given, word in zip(body.words, moved, strict=True):
        [found] = served.vectors.transfer(
            pairs,
            [word],
            body.k,
            strength=body.strength,
            metric=body.metric,
            restrict=body.restrict,
            exclude=exclude,
            oov=oov,
        )
        answers.append({"word": given, "answers": [neighbor._asdict() for neighbor in found]})
        yield
    answer: JsonObject = {"words": answers}
    return answer | _notes(served.vectors, [*words[: 2 * len(pairs)], *moved], oov)
