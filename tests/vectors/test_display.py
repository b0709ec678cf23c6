"""Vectors in notebooks."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
from scipy import sparse

from embedkit.vectors.word_vectors import WordVectors


def shown(vectors: WordVectors) -> list[str]:
    """Return the texts of the HTML of vectors."""
    texts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            texts.append(data)

    Reader().feed(vectors._repr_html_())
    return texts


def test_html_shows_size_words_and_numbers_escaped() -> None:
    words = ["<b>", "a&b", *"cdefg"]
    matrix = np.arange(56, dtype=np.float32).reshape(7, 8)
    for layout in (np.asarray, sparse.csr_array):
        vectors = WordVectors(words, layout(matrix), config={"encoder": "<x>"})
        texts = shown(vectors)
        assert texts[0] == "WordVectors (<x>): 7 words × 8"
        assert texts[1:9] == ["<b>", "0", "1", "2", "3", "4", "5", "…"]
        assert texts[9:11] == ["a&b", "8"]
        assert texts[-1] == "…"
        assert "f" not in texts
        assert "<b>" not in vectors._repr_html_()


def test_html_of_few_words_is_complete() -> None:
    assert shown(WordVectors(["a"], [[1.5, -2]])) == ["WordVectors: 1 word × 2", "a", "1.5", "-2"]
