"""BM25, against Lucene's formula."""

from __future__ import annotations

from math import log
from pathlib import Path

import pytest

from embedkit.errors import ModelError
from embedkit.retrieval.lexical import LexicalIndex, LexicalWriter

TEXTS = ["red wine", "red red rose", "", "a dog a cat and a dog", "wine wine wine wine"]


def write(folder: Path, texts: list[str], first: int = 0, delete: tuple[int, ...] = ()) -> None:
    folder.mkdir(exist_ok=True)
    writer = LexicalWriter(folder)
    writer.delete(delete)
    writer.add(texts, first)
    writer.finish()


def bm25(words: list[str], texts: list[str]) -> dict[int, float]:
    """Return the scores of Robertson and Zaragoza 2009, with Lucene's inverse frequency."""
    split = [text.split() for text in texts]
    average = sum(map(len, split)) / len(split)
    scores: dict[int, float] = {}
    for word in words:
        containing = sum(word in text for text in split)
        idf = log(1 + (len(split) - containing + 0.5) / (containing + 0.5))
        for number, text in enumerate(split):
            if count := text.count(word):
                norm = 1.2 * (0.25 + 0.75 * len(text) / average)
                scores[number] = scores.get(number, 0.0) + idf * count * 2.2 / (count + norm)
    return scores


@pytest.mark.parametrize("words", [["wine"], ["red", "wine"], ["a", "a", "rose"], ["none"], []])
def test_scores_are_those_of_the_formula(tmp_path: Path, words: list[str]) -> None:
    write(tmp_path, TEXTS)
    found = LexicalIndex(tmp_path).search(words, 10)
    expected = bm25(words, TEXTS)
    assert dict(found) == pytest.approx(expected, rel=1e-5)
    assert [n for n, _ in found] == sorted(expected, key=lambda n: (-expected[n], n))


def test_passages_are_added_and_deleted(tmp_path: Path) -> None:
    write(tmp_path, TEXTS)
    before = LexicalIndex(tmp_path)
    write(tmp_path, ["more red wine"], first=5, delete=(0, 1))
    assert [n for n, _ in LexicalIndex(tmp_path).search(["red"], 10)] == [5]
    assert [n for n, _ in before.search(["red"], 10)] == [1, 0]  # an open index stays as it was


def test_words_are_compared_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, ["Red", "red-hot", "r\u00e9d", "x" * 70_000 + " red"])
    index = LexicalIndex(tmp_path)
    assert [n for n, _ in index.search(["red"], 10)] == [3]
    assert [n for n, _ in index.search(["red-hot"], 10)] == [1]
    assert index.search(["x" * 70_000], 10) == []


def test_a_folder_with_other_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(ModelError, match="Tantivy cannot open"):
        LexicalIndex(tmp_path)
