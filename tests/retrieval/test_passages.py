"""Windows of words."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from embedkit.retrieval.passages import cut


def test_a_short_text_is_one_passage() -> None:
    found = cut(["one two", "", "  three  "], 2, 0)
    assert found.texts == ["one two", "", "  three  "]
    assert (found.documents, found.spans) == ([0, 1, 2], [(0, 7), (0, 0), (0, 9)])


def test_windows_overlap_and_the_last_is_moved_back() -> None:
    found = cut(["a b c d e f"], 3, 1)
    assert found.texts == ["a b c", "c d e", "d e f"]
    assert cut(["a b c d e"], 3, 1).texts == ["a b c", "c d e"]


@given(
    st.text(alphabet="ab \n\u00e4", max_size=60),
    st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, (n - 1) // 2))),
)
def test_passages_cover_every_word_and_share_the_overlap(text: str, sizes: tuple[int, int]) -> None:
    size, overlap = sizes
    found = cut([text], size, overlap)
    words = text.split()
    windows = [passage.split() for passage in found.texts]
    assert all(
        text[a:b] == passage for (a, b), passage in zip(found.spans, found.texts, strict=True)
    )
    if len(words) <= size:
        assert windows == [words]
        return
    assert {len(window) for window in windows} == {size}
    starts = [len(text[:start].split()) for start, _ in found.spans]
    assert all(words[start : start + size] == w for start, w in zip(starts, windows, strict=True))
    assert starts[0] == 0
    assert starts[-1] == len(words) - size
    assert all(0 < b - a <= size - overlap for a, b in pairwise(starts))
