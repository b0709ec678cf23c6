"""Batches of searches, without a server."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.errors import ConfigurationError, EmbedkitError, ExpressionError, UnknownWordError
from embedkit.service.api.requests import AnalogyRequest, NeighborsRequest, QueryRequest
from embedkit.service.worker.answers import answer_batch
from embedkit.vectors.word_vectors import WordVectors

VECTORS = WordVectors(["a", "b", "c", "zero"], np.array([[1, 0], [1, 1], [0, 1], [0, 0]]))


def test_a_zero_vector_does_not_stop_the_other_questions_of_its_group() -> None:
    words = ["a", "zero", "b", "c", "zero"]
    found = answer_batch(VECTORS, [NeighborsRequest(word=word) for word in words])
    for word, answer in zip(words, found, strict=True):
        if word == "zero":
            assert isinstance(answer, ConfigurationError)
            assert "the vector of 'zero' is all zeros" in answer.message
        else:
            assert not isinstance(answer, EmbedkitError)
            expected = [{"word": n.word, "score": n.score} for n in VECTORS.neighbors(word)]
            assert answer["answers"] == expected


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul", "pairdirection"])
def test_other_methods_answer_in_groups_too(method: str) -> None:
    asked = AnalogyRequest(a="a", b="b", c="c", method=method)
    [found, again] = answer_batch(VECTORS, [asked, asked])
    assert not isinstance(found, EmbedkitError)
    assert found == again
    expected = VECTORS.analogy("a", "b", "c", method=method)
    assert [answer["word"] for answer in found["answers"]] == [n.word for n in expected]


def test_unknown_words_are_treated_as_asked() -> None:
    names = ["king", "queen", "man"]
    vectors = WordVectors(names, np.eye(3) + 0.1)

    def ask(oov: str, word: str, method: str = "3cosadd") -> object:
        requests = [
            NeighborsRequest(word=word, oov=oov),
            AnalogyRequest(a=word, b="queen", c="man", method=method, oov=oov),
        ]
        return answer_batch(vectors, requests)

    for method in ("3cosadd", "3cosmul", "pairdirection"):
        spelled = ask("spell", "kinng", method)
        assert isinstance(spelled, list)
        for found, known in zip(spelled, ask("error", "king", method), strict=True):  # type: ignore[call-overload]
            assert found["terms"][0]["word"] == "king"
            assert found["answers"] == known["answers"]
        skipped = ask("skip", "xyz", method)
        assert isinstance(skipped, list)
        assert all(found["answers"] == [] and found["skipped"] == ["xyz"] for found in skipped)
    [error, _] = answer_batch(vectors, [NeighborsRequest(word="king\0")] * 2)
    assert isinstance(error, UnknownWordError)
    [error] = answer_batch(vectors, [QueryRequest(expression="king\0")])
    assert isinstance(error, ExpressionError)
