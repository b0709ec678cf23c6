"""Comparing spellings with the whole vocabulary, in slices.

The functions of `embedkit.corpus.spelling` compare a word with a list. Here they get a part of the
vocabulary at a time, the most frequent words first, and then the best of all parts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embedkit.corpus.spelling import nearest_spellings, similar_spellings
from embedkit.errors import EmbedkitError
from embedkit.service.limits import MAX_WORD
from embedkit.service.worker.answers import SearchQuery, SearchRequest
from embedkit.system.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Hashable

    from embedkit.corpus.vocabulary import Vocabulary
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Respelled", "known_spellings", "respelled", "suggestions"]

_PART = 1_024  # words; comparing a word with them takes about a millisecond
_WORDS = 8  # unknown words that are compared with a part in one step
_MOST_COMPARED = 200_000  # the most frequent words of a large vocabulary
_SUGGESTIONS = 3


def suggestions(vocabulary: Vocabulary, word: str, seconds: float) -> Steps[list[str]]:
    """Return known words with a similar spelling, most similar first; none for a very long word.

    Args:
        vocabulary: the known words.
        word: an unknown word.
        seconds: time to spend; after it, the less frequent words are not considered.
    """
    best: list[str] = []
    if len(word) > MAX_WORD:
        return best
    spent = 0.0
    for part in _parts(vocabulary):
        start = time.perf_counter()
        best = similar_spellings(word, [*best, *part], _SUGGESTIONS)
        spent += time.perf_counter() - start
        if spent >= seconds:
            break
        yield
    return best


@dataclass(frozen=True)
class Respelled:
    """A request in which known words stand for unknown ones; see `SearchRequest`.

    Attributes:
        k: number of answers.
        cost: the cost of answering.
        kind: queries of the same kind share a search.
        parsed: the query with known words.
    """

    k: int
    cost: int
    kind: Hashable
    parsed: SearchQuery

    def query(self, is_known: Callable[[str], bool]) -> SearchQuery:
        """Return the query."""
        return self.parsed


def respelled(
    vectors: WordVectors, requests: Sequence[SearchRequest], check_count: Callable[[int], None]
) -> Steps[list[SearchRequest]]:
    """Replace the unknown words of requests by the known words with the nearest spellings.

    Args:
        vectors: the known words.
        requests: requests with oov "spell".
        check_count: called with the number of unknown words; raises an error if there are too many.
    """
    queries: list[SearchQuery | None] = []
    words: list[str] = []
    for request in requests:
        try:
            query = request.query(lambda word: vectors.find(word) >= 0)
        except EmbedkitError:
            queries.append(None)  # the search reports the error
        else:
            queries.append(query)
            words += [*(word for word, _ in query.weighted), *query.exclude]
        yield
    known = yield from known_spellings(vectors, words, check_count)
    return [
        request if query is None else _with_spellings(request, query, known)
        for request, query in zip(requests, queries, strict=True)
    ]


def _with_spellings(
    request: SearchRequest, query: SearchQuery, known: Mapping[str, str]
) -> SearchRequest:
    weighted = tuple((known.get(word, word), weight) for word, weight in query.weighted)
    exclude = tuple(known.get(word, word) for word in query.exclude)
    parsed = replace(query, weighted=weighted, exclude=exclude, oov="skip")
    return Respelled(request.k, request.cost, request.kind, parsed)


def known_spellings(
    vectors: WordVectors, words: Sequence[str], check_count: Callable[[int], None]
) -> Steps[dict[str, str]]:
    """Return the known word with the nearest spelling for each unknown word that has one.

    Args:
        vectors: the known words.
        words: known and unknown words.
        check_count: called with the number of unknown words; raises an error if there are too many.
    """
    unknown = [
        word for word in dict.fromkeys(words) if len(word) <= MAX_WORD and vectors.find(word) < 0
    ]
    check_count(len(unknown))
    known: dict[str, str] = {}
    for start in range(0, len(unknown), _WORDS):
        known |= yield from _nearest(vectors.vocabulary, unknown[start : start + _WORDS])
    return known


def _nearest(vocabulary: Vocabulary, words: Sequence[str]) -> Steps[dict[str, str]]:
    """Return the known word with the nearest spelling for each word that has one."""
    best: dict[str, list[str]] = {word: [] for word in words}
    for part in _parts(vocabulary):
        for word, place in zip(words, nearest_spellings(words, part), strict=True):
            if place >= 0:
                best[word].append(part[place])
        yield
    found = {}
    for word, candidates in best.items():
        [place] = nearest_spellings([word], candidates)
        if place >= 0:
            found[word] = candidates[place]
    return found


def _parts(vocabulary: Vocabulary) -> Iterator[list[str]]:
    for start in range(0, min(len(vocabulary), _MOST_COMPARED), _PART):
        yield [str(word) for word in vocabulary.arrow.slice(start, _PART).to_pylist()]
