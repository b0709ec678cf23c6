"""Batches of searches, without a server."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.errors import ConfigurationError, EmbedkitError
from embedkit.service.api.requests import AnalogyRequest, NeighborsRequest
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
