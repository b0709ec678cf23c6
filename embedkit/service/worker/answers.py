"""Answers a batch of searches with as few searches of the index as possible."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from embedkit.errors import EmbedkitError
from embedkit.service.http.json_response import JsonObject

if TYPE_CHECKING:
    from embedkit.vectors.formulas import Neighbor
    from embedkit.vectors.search import WeightedSum
    from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "Answer",
    "IsKnown",
    "SearchQuery",
    "SearchRequest",
    "answer_batch",
    "composed_words",
    "search_kind",
]

# Queries share a search only if they need about the same number of candidates, so that a query for
# ten words does not wait for one that asks for a thousand.
_CANDIDATE_LIMITS = (16, 128)

Answer: TypeAlias = "JsonObject | EmbedkitError"
"""The body of an answer, or the error that replaces it."""

IsKnown: TypeAlias = "Callable[[str], bool]"
"""Tells whether the model has a word."""


class SearchRequest(Protocol):
    """A request whose answer is the nearest words."""

    @property
    def k(self) -> int:
        """Number of answers."""

    @property
    def cost(self) -> int:
        """The cost of answering in a search with others; that of a simple query is 1."""

    @property
    def kind(self) -> Hashable:
        """Queries of the same kind share a search."""

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
        oov: what to do with unknown words; a name of `embedkit.vectors.options.OOV`.
    """

    text: str
    weighted: Sequence[tuple[str, float]]
    k: int
    method: str
    metric: str
    restrict: int | None = None
    exclude: tuple[str, ...] = ()
    oov: str = "error"

    @property
    def kind(self) -> Hashable:
        """What queries that share a search have in common."""
        return search_kind(self.method, self.metric, self.k, self.restrict, self.exclude, self.oov)


def search_kind(
    method: str, metric: str, k: int, restrict: int | None, exclude: Sequence[str], oov: str
) -> Hashable:
    """Return what queries that share a search have in common."""
    candidates = bisect_left(_CANDIDATE_LIMITS, k + len(exclude))
    # Only the search by 3CosAdd takes words to exclude for each query.
    return method, metric, candidates, restrict, () if method == "3cosadd" else tuple(exclude), oov


@dataclass(frozen=True)
class _Resolved:
    """A query whose words have been looked up.

    Attributes:
        place: its place in the batch.
        query: the query.
        terms: its weighted sum.
        excluded: rows that must not be answers.
    """

    place: int
    query: SearchQuery
    terms: WeightedSum
    excluded: list[int]


def answer_batch(vectors: WordVectors, requests: Sequence[SearchRequest]) -> list[Answer]:
    """Answer a batch with one search for all queries of the same kind.

    Requests are also parsed here, in the answering thread, because parsing a long expression takes
    milliseconds.
    """
    is_known = _membership(vectors)
    answers: list[Answer] = []
    groups: dict[Hashable, list[_Resolved]] = {}
    for place, request in enumerate(requests):
        try:
            query = request.query(is_known)
            terms = vectors.terms(query.weighted, oov=query.oov)
            if query.method == "pairdirection" and terms:
                # A pair of equal words has no direction.
                vectors.terms(query.weighted[:2], oov=query.oov)
            resolved = _Resolved(place, query, terms, _excluded_rows(vectors, query))
        except EmbedkitError as error:
            answers.append(error)
        else:
            answers.append(_describe_query(vectors, query, terms))
            groups.setdefault(query.kind, []).append(resolved)
    for group in groups.values():
        for asked, found in zip(group, _search_each(vectors, group), strict=True):
            answers[asked.place] = (
                found
                if isinstance(found, EmbedkitError)
                else _add_neighbors(answers[asked.place], found[: asked.query.k])
            )
    return answers


def _membership(vectors: WordVectors) -> IsKnown:
    return lambda word: vectors.find(word) >= 0


def _excluded_rows(vectors: WordVectors, query: SearchQuery) -> list[int]:
    from embedkit.vectors.options import SearchOptions

    # Rows of zeros, which have no cosine, are left out of all queries later.
    options = SearchOptions(metric="l2", exclude=query.exclude, oov=query.oov)
    return vectors.search.excluded_rows(options)


def _search_each(
    vectors: WordVectors, group: Sequence[_Resolved]
) -> Sequence[list[Neighbor] | EmbedkitError]:
    """Return the answers of a group, or why a query has none: it does not stop the others.

    Errors are found before the search, so halving the group until one query is left costs little.
    """
    try:
        return _search(vectors, group)
    except EmbedkitError as error:  # such as a sum that is the zero vector
        if len(group) == 1:
            return [error]
    half = len(group) // 2
    return [*_search_each(vectors, group[:half]), *_search_each(vectors, group[half:])]


def _search(vectors: WordVectors, group: Sequence[_Resolved]) -> list[list[Neighbor]]:
    from embedkit.vectors.options import SearchOptions
    from embedkit.vectors.search import rows_of

    first = group[0].query
    k = max(asked.query.k for asked in group)
    if first.method == "3cosadd":
        sums = [asked.terms for asked in group]
        own = [[*asked.excluded, *rows_of(asked.terms)] for asked in group]
        options = SearchOptions(k, first.metric, first.restrict)
        return vectors.search.nearest_excluding(sums, own, options)
    words = [[word for word, _ in asked.query.weighted] for asked in group]
    return vectors.analogies(
        words,
        k,
        method=first.method,
        metric=first.metric,
        restrict=first.restrict,
        exclude=first.exclude,
        oov=first.oov,
    )


def _describe_query(vectors: WordVectors, query: SearchQuery, terms: WeightedSum) -> JsonObject:
    if not terms:  # a word is skipped
        found = vectors.look_up([word for word, _ in query.weighted], query.oov)
        skipped = [word for word, place in found.items() if place is None]
        return {"question": query.text, "terms": [], "skipped": skipped}
    weighted = [
        {"word": vectors.vocabulary[place] if isinstance(place, int) else word, "weight": weight}
        for (word, _), (place, weight) in zip(query.weighted, terms, strict=True)
    ]
    composed = {
        word: None
        for (word, _), (place, _) in zip(query.weighted, terms, strict=True)
        if not isinstance(place, int)
    }
    notes = {"composed": [*composed]} if composed else {}
    return {"question": query.text, "terms": weighted, **notes}


def composed_words(vectors: WordVectors, words: Sequence[str], oov: str = "error") -> JsonObject:
    """Return the field of an answer that lists the words composed of character n-grams, if any."""
    if vectors.subwords is None:
        return {}
    found = vectors.look_up(words, oov)
    composed = [word for word, place in found.items() if not isinstance(place, int | None)]
    return {"composed": composed} if composed else {}


def _add_neighbors(answer: Answer, neighbors: Sequence[Neighbor]) -> Answer:
    assert isinstance(answer, dict)  # noqa: S101 - failed requests are not in a group
    answer["answers"] = [{"word": word, "score": score} for word, score in neighbors]
    return answer
