"""Spellings compared with the vocabulary in parts: the same results as at once."""

from __future__ import annotations

import random

import pytest

from embedkit.corpus.spelling import nearest_spellings, similar_spellings
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.service.worker import spelling
from embedkit.service.worker.spelling import known_spellings, suggestions
from embedkit.system.steps import Steps
from embedkit.vectors.word_vectors import WordVectors

choose = random.Random(1)
WORDS = sorted({"".join(choose.choices("abcde", k=choose.randint(3, 7))) for _ in range(900)})
UNKNOWN = [word + "f" for word in WORDS[::90]]


def result(work: Steps[object]) -> tuple[object, int]:
    """Return the result of *work* and the number of its steps."""
    steps = 0
    while True:
        try:
            next(work)
            steps += 1
        except StopIteration as end:
            return end.value, steps


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "_PART", 64)


@pytest.mark.parametrize("word", UNKNOWN)
def test_suggestions_are_those_of_the_whole_vocabulary(word: str) -> None:
    found, steps = result(suggestions(Vocabulary(WORDS), word, 60))
    assert found == similar_spellings(word, WORDS, 3)
    assert steps >= len(WORDS) // 64


def test_suggestions_stop_when_time_is_up() -> None:
    found, steps = result(suggestions(Vocabulary(WORDS), WORDS[5] + "f", 0))
    assert steps == 0
    assert found == similar_spellings(WORDS[5] + "f", WORDS[:64], 3)


def test_nearest_spellings_are_those_of_the_whole_vocabulary() -> None:
    import numpy as np

    vectors = WordVectors(WORDS, np.ones((len(WORDS), 1)))
    counted: list[int] = []
    found, _ = result(known_spellings(vectors, [*UNKNOWN, WORDS[0], "zzzzzzzz"], counted.append))
    places = nearest_spellings(UNKNOWN, WORDS)
    expected = {word: WORDS[p] for word, p in zip(UNKNOWN, places, strict=True) if p >= 0}
    assert found == expected
    assert counted == [len(UNKNOWN) + 1]
