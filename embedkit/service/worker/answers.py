"""Answers a batch of searches with as few searches of the index as possible."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from embedkit.errors import EmbedkitError
from embedkit.service.http.json_response import JsonObject
from embedkit.vectors.search import rows_of

if TYPE_CHECKING:
    from embedkit.vectors.formulas import Neighbor
    from embedkit.vectors.options import SearchKeywords
    from embedkit.vectors.search import WeightedSum
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Answer", "IsKnown", "SearchQuery", "SearchRequest", "answer_batch"]

# Queries share a search only if their k is in the same range, so that a query for ten words does
# not wait for one that asks for a thousand.
_K_LIMITS = (16, 128)

Answer: TypeAlias = "JsonObject | EmbedkitError"
"""The body of an answer, or the error that replaces it."""

IsKnown: TypeAlias = "Callable[[str], bool]"
"""Tells whether the model has a word."""

_Kind: TypeAlias = "tuple[str, str, int, int | None, tuple[str, ...]]"
"""Method, metric, range of k, restrict and exclude: the same for queries that share a search."""


class SearchRequest(Protocol):
    """A request whose answer is the nearest words."""

    @property
    def k(self) -> int:
        """Number of answers."""

    @property
    def cost(self) -> int:
        """The cost of answering; that of a simple query is 1."""

    def query(self, is_known: IsKnown) -> SearchQuery:
        """Parse the request; *is_known* tells whether the model has a word.

        Raises:
            EmbedkitError: it cannot be parsed.
        """


@dataclass(frozen=True)
class SearchQuery:
    """A search for the words nearest to a weighted sum of words.

    Attributes:
        text: the question as shown with its answer.
        weighted: words and weights.
        k: number of answers.
        method: a name of `embedkit.vectors.options.ANALOGY_METHODS`.
        metric: a name of `embedkit.index.options.METRIC_NAMES`.
        restrict: search only the *restrict* most frequent words; None searches all.
        exclude: words that must not be answers.
    """

    text: str
    weighted: Sequence[tuple[str, float]]
    k: int
    method: str
    metric: str
    restrict: int | None = None
    exclude: tuple[str, ...] = ()

    @property
    def kind(self) -> _Kind:
        """What queries that share a search have in common."""
        k_range = bisect_left(_K_LIMITS, self.k)
        return self.method, self.metric, k_range, self.restrict, self.exclude


def answer_batch(vectors: WordVectors, requests: Sequence[SearchRequest]) -> list[Answer]:
    """Answer a batch with one search for all queries of the same kind.

    Requests are also parsed here, in the answering thread, because parsing a long expression takes
    milliseconds.
    """
    is_known = _membership(vectors)
    answers: list[Answer] = []
    groups: dict[_Kind, list[tuple[int, SearchQuery, WeightedSum]]] = {}
    for place, request in enumerate(requests):
        try:
            query = request.query(is_known)
            terms = vectors.terms(query.weighted)
            if query.method == "pairdirection":
                vectors.terms(query.weighted[:2])  # raises an error if the two words are the same
        except EmbedkitError as error:
            answers.append(error)
        else:
            answers.append(_describe_query(vectors, query, terms))
            groups.setdefault(query.kind, []).append((place, query, terms))
    for group in groups.values():
        try:
            found = _search(vectors, group)
        except EmbedkitError as error:  # the method does not support the metric or the vectors
            for place, _, _ in group:
                answers[place] = error
        else:
            for (place, query, _), neighbors in zip(group, found, strict=True):
                answers[place] = _add_neighbors(answers[place], neighbors[: query.k])
    return answers


def _membership(vectors: WordVectors) -> IsKnown:
    return lambda word: vectors.find(word) >= 0


def _search(
    vectors: WordVectors, group: Sequence[tuple[int, SearchQuery, WeightedSum]]
) -> list[list[Neighbor]]:
    first = group[0][1]
    options: SearchKeywords = {"restrict": first.restrict, "exclude": first.exclude}
    k = max(query.k for _, query, _ in group)
    if first.method == "3cosadd":
        sums = [terms for _, _, terms in group]
        return vectors.nearest(sums, k, metric=first.metric, **options)
    words = [[word for word, _ in query.weighted] for _, query, _ in group]
    return vectors.analogies(words, k, method=first.method, metric=first.metric, **options)


def _describe_query(vectors: WordVectors, query: SearchQuery, terms: WeightedSum) -> JsonObject:
    words = [vectors.vocabulary[row] for row in rows_of(terms)]
    weighted = [
        {"word": word, "weight": weight} for word, (_, weight) in zip(words, terms, strict=True)
    ]
    return {"question": query.text, "terms": weighted}


def _add_neighbors(answer: Answer, neighbors: Sequence[Neighbor]) -> Answer:
    assert isinstance(answer, dict)  # noqa: S101 - failed requests are not in a group
    answer["answers"] = [{"word": word, "score": score} for word, score in neighbors]
    return answer
