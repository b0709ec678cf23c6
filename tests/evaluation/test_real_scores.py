"""Public question sets on vectors that look like a language's: the same numbers as gensim's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.evaluation import analogy_accuracy, word_similarity
from embedkit.evaluation.datasets import read_analogies, read_pairs
from embedkit.vectors.word_vectors import WordVectors

ROOT = Path(__file__).parent.parent.parent
SHARED = Path(os.environ.get("EMBEDKIT_SHARED", ROOT.parent / "shared")) / "evaluation"


def shared(name: str) -> Path:
    if not (SHARED / name).is_file():
        pytest.skip(f"{name} is missing from EMBEDKIT_SHARED")
    return SHARED / name


def made_vectors(path: Path, questions: int) -> tuple[list[str], np.ndarray]:
    """Vectors for most words of the first questions, d near b - a + c."""
    random = np.random.default_rng(3)
    found: dict[str, np.ndarray] = {}
    for section in read_analogies(path):
        offset = random.normal(size=20)
        for question in section.questions[:questions]:
            for first, second in [(question.a, question.b[0]), (question.c, question.answers[0])]:
                base = found.setdefault(first, random.normal(size=20))
                found.setdefault(second, base + offset + 0.9 * random.normal(size=20))
    words = [word for word in found if random.random() < 0.95]
    return words, np.array([found[word] for word in words], dtype=np.float32)


def test_googles_questions(tmp_path: Path) -> None:
    path = shared("questions-words.txt")
    words, matrix = made_vectors(path, 40)
    short = tmp_path / "questions.txt"
    lines, count = [], 0
    for line in path.read_text().splitlines():
        count = 0 if line.startswith(":") else count + 1
        if count <= 60:
            lines.append(line)
    short.write_text("\n".join(lines))
    keyed = KeyedVectors(20)
    keyed.add_vectors(words, matrix)
    report = analogy_accuracy(WordVectors(Vocabulary(words), matrix), short)
    accuracy, sections = keyed.evaluate_word_analogies(str(short), case_insensitive=True)
    assert report.accuracy == pytest.approx(accuracy, rel=1e-12)
    assert 0.2 < accuracy < 0.9
    by_group = {group.name: (group.correct, group.asked) for group in report.groups}
    for group, is_of in [
        ("syntactic", lambda name: name.startswith("gram")),
        ("semantic", lambda name: not name.startswith("gram")),
    ]:
        chosen = [section for section in sections[:-1] if is_of(section["section"])]
        right = sum(len(section["correct"]) for section in chosen)
        assert by_group[group] == (right, right + sum(len(s["incorrect"]) for s in chosen))


@pytest.mark.parametrize("name", ["EN-WS-353-ALL.txt", "EN-SIMLEX-999.txt"])
def test_public_word_pairs(name: str) -> None:
    path = shared(name)
    random = np.random.default_rng(4)
    known = sorted({word for first, second, _ in read_pairs(path) for word in (first, second)})
    words = [word for word in known if random.random() < 0.9]
    matrix = random.normal(size=(len(words), 16)).astype(np.float32)
    keyed = KeyedVectors(16)
    keyed.add_vectors(words, matrix)
    report = word_similarity(WordVectors(Vocabulary(words), matrix), path)
    pearson, spearman, unknown = keyed.evaluate_word_pairs(str(path), case_insensitive=True)
    assert report.spearman == pytest.approx(spearman[0], abs=1e-6)
    assert report.pearson == pytest.approx(pearson[0], abs=1e-6)
    assert 100 * (1 - report.coverage) == pytest.approx(unknown)
