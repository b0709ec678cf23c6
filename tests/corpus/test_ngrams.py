"""N-grams and their buckets, against fastText's own library and a hash written by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkit.corpus.ngrams import Ngrams, word_bytes
from tests.subwords import by_hand


@given(
    words=st.lists(st.text(st.characters(exclude_characters="\0"), max_size=12), max_size=6),
    shortest=st.integers(1, 7),
    extra=st.integers(0, 4),
    buckets=st.sampled_from([1, 7, 50_000, 2**31 - 1]),
)
def test_buckets_are_those_computed_by_hand(
    words: list[str], shortest: int, extra: int, buckets: int
) -> None:
    which, found = Ngrams(shortest, shortest + extra, buckets).of(word_bytes(words))
    expected = [by_hand(word, shortest, shortest + extra, buckets) for word in words]
    assert which.tolist() == [n for n, one in enumerate(expected) for _ in one]
    assert found.tolist() == [bucket for one in expected for bucket in one]


def test_known_hashes() -> None:
    """FNV-1a of "a" is 0xE40C292C (the function's own test vectors)."""
    _, found = Ngrams(1, 1, 2**31 - 1).of([b"a"])
    assert found.tolist() == [0xE40C292C % (2**31 - 1)]


def test_the_end_of_a_line_has_no_n_grams() -> None:
    which, _ = Ngrams(3, 6, 100).of([b"</s>", b"a"])
    assert set(which.tolist()) == {1}


def test_words_shorter_than_the_smallest_n_gram_have_none() -> None:
    which, _ = Ngrams(5, 6, 100).of(word_bytes(["ab", "abc", "abcd"]))
    assert which.tolist() == [1, 2, 2, 2]  # <abc> is one of 5


def test_a_very_long_word() -> None:
    which, buckets = Ngrams(4, 6, 2_000_000).of(word_bytes(["ab" * 5_000]))
    assert len(which) == sum(10_002 - size + 1 for size in (4, 5, 6))
    assert buckets.max() < 2_000_000


def test_batches_cover_all_words() -> None:
    words = word_bytes([f"word{n}" for n in range(10_000)])
    ngrams = Ngrams(3, 4, 1_000)
    parts = [(block.start + which, buckets) for block, which, buckets in ngrams.batches(words)]
    which, buckets = ngrams.of(words)
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), which)
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), buckets)


def test_fasttext_agrees(tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext")
    text = tmp_path / "text.txt"
    words = ["straße", "été", "日本語", "naïve", "a", "e\u0301te", "🙂🙂"]
    text.write_text(" ".join(words * 3))
    model = fasttext.train_unsupervised(
        str(text), minCount=1, dim=2, epoch=1, minn=2, maxn=5, bucket=1_000, thread=1, verbose=0
    )
    for word in words:
        ids = model.get_subwords(word)[1]
        own = model.get_word_id(word)
        _, buckets = Ngrams(2, 5, 1_000).of(word_bytes([word]))
        expected = [int(i) - len(model.words) for i in ids if i != own]
        assert buckets.tolist() == expected
