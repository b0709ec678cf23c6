"""Words and ids against a dict, on disk and off it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ModelError, UnknownWordError

WORDS = ["the", "cat", "sat", "mat", "Straße", "中文", "don't", "😀", "z"]
COUNTS = [90, 40, 40, 12, 5, 5, 5, 2, 1]
# U+FF5A comes before U+10000 by code point and after it by UTF-16 unit.
AWKWARD = ["\uff5a", "\U00010000", "\U0010ffff", "a", "aa", "a\x00", "é", "e\u0301", "ÿ", "\u0800"]

words = st.lists(
    st.one_of(st.text(min_size=1, max_size=4), st.text("ab", min_size=1), st.sampled_from(AWKWARD)),
    unique=True,
    max_size=30,
)


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(WORDS, COUNTS)


@pytest.fixture
def saved(vocabulary: Vocabulary, tmp_path: Path) -> Path:
    vocabulary.save(tmp_path / "vocabulary.arrow")
    return tmp_path / "vocabulary.arrow"


def test_id_of_a_word_is_its_index(vocabulary: Vocabulary) -> None:
    assert [vocabulary.id(word) for word in WORDS] == list(range(len(WORDS)))
    assert [vocabulary[number] for number in range(len(WORDS))] == WORDS
    assert vocabulary[np.int64(3)] == "mat"


@given(words, st.text(max_size=2) | st.sampled_from(AWKWARD), st.integers(0, 3))
def test_completions_begin_with_the_prefix(words: list[str], prefix: str, start: int) -> None:
    expected = [number for number, word in enumerate(words) if word.startswith(prefix)]
    found = Vocabulary(words).complete(prefix, limit=5, start=start)
    assert found.tolist() == expected[start : start + 5]


@given(words, st.text(max_size=3) | st.sampled_from(AWKWARD))
def test_a_word_is_found_or_not(words: list[str], word: str) -> None:
    expected = words.index(word) if word in words else -1
    assert Vocabulary(words).find(word) == expected
    part = Vocabulary(words).most_frequent(3)
    assert part.find(word) == (expected if expected < 3 else -1)
    assert part.find("\ud800") == -1


def test_words_of_ids_come_in_the_order_asked(vocabulary: Vocabulary) -> None:
    assert vocabulary.words() == WORDS
    assert vocabulary.words([8, 0, 0]) == ["z", "the", "the"]
    assert vocabulary.words(np.array([5, 7], dtype=np.int32)) == ["中文", "😀"]
    assert vocabulary.words([]) == []


def test_it_is_a_collection_of_its_words(vocabulary: Vocabulary) -> None:
    assert list(vocabulary) == WORDS
    assert len(vocabulary) == len(WORDS)
    assert all(word in vocabulary for word in WORDS)
    assert not any(other in vocabulary for other in ["The", "", "ca", "zz", 0, None, b"cat"])


def test_iteration_goes_on_past_ten_thousand_words() -> None:
    many = [f"w{number}" for number in range(25_001)]
    assert list(Vocabulary(many)) == many


def test_counts_cannot_be_changed_and_do_not_follow_the_given_array() -> None:
    counts = np.array([2, 1])
    vocabulary = Vocabulary(["a", "b"], counts)
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 7
    assert counts.flags.writeable


def test_counts_that_are_not_known_are_zero() -> None:
    assert Vocabulary(["a", "b"]).counts.tolist() == [0, 0]


def test_number_of_counts_must_match() -> None:
    with pytest.raises(ValueError, match="2 words but 3 counts"):
        Vocabulary(["a", "b"], [1, 2, 3])


def test_equal_means_same_words_and_counts(vocabulary: Vocabulary) -> None:
    assert vocabulary == Vocabulary(WORDS, COUNTS)
    assert vocabulary != Vocabulary(WORDS)
    assert vocabulary != Vocabulary(WORDS[:-1], COUNTS[:-1])
    assert vocabulary != Vocabulary([*WORDS[:-1], "y"], COUNTS)
    assert vocabulary != WORDS


def test_unknown_word_is_an_error_with_near_spellings(vocabulary: Vocabulary) -> None:
    with pytest.raises(UnknownWordError) as caught:
        vocabulary.id("catt")
    assert caught.value.word == "catt"
    assert caught.value.suggestions[0] == "cat"
    assert str(caught.value) == (
        f"'catt' is not in the vocabulary. Did you mean {', '.join(caught.value.suggestions)}?"
    )


def test_word_far_from_all_others_has_no_suggestion(vocabulary: Vocabulary) -> None:
    assert vocabulary.suggest("xylophone") == []
    with pytest.raises(UnknownWordError) as caught:
        vocabulary.id("xylophone")
    assert str(caught.value) == "'xylophone' is not in the vocabulary."


def test_suggestions_are_best_first_and_no_more_than_the_limit() -> None:
    vocabulary = Vocabulary(["banded", "bandana", "banana", "cabbage"])
    assert vocabulary.suggest("bananna", 2) == ["banana", "bandana"]
    assert vocabulary.suggest("BANANA", 1) == ["banana"]
    assert Vocabulary([]).suggest("word") == []


@pytest.mark.parametrize(("size", "kept"), [(0, 0), (1, 1), (4, 4), (9, 9), (100, 9)])
def test_most_frequent_keeps_the_head_and_its_ids(
    vocabulary: Vocabulary, size: int, kept: int
) -> None:
    head = vocabulary.most_frequent(size)
    assert head == Vocabulary(WORDS[:kept], COUNTS[:kept])
    assert head.ids(WORDS).tolist() == [*range(kept), *[-1] * (len(WORDS) - kept)]


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), max_size=30), st.integers(0, 10))
def test_at_least_keeps_words_of_that_count_and_above(counts: list[int], least: int) -> None:
    counts.sort(reverse=True)
    names = [f"w{number}" for number in range(len(counts))]
    kept = Vocabulary(names, counts).at_least(least)
    assert kept.counts.tolist() == [count for count in counts if count >= least]
    assert kept.words() == names[: len(kept)]


@settings(deadline=None, max_examples=200)
@given(words, words)
def test_bisection_finds_what_a_dict_finds(known: list[str], others: list[str]) -> None:
    vocabulary, table = Vocabulary(known), {word: number for number, word in enumerate(known)}
    asked = [*known, *others, *AWKWARD, ""]
    assert vocabulary.ids(asked).tolist() == [table.get(word, -1) for word in asked]
    assert [word in vocabulary for word in asked] == [word in table for word in asked]
    assert [vocabulary.id(word) for word in known] == list(range(len(known)))


@settings(deadline=None)
@given(words, st.lists(st.sampled_from([*AWKWARD, "b", ""]), max_size=5))
def test_batch_finds_what_single_words_find(known: list[str], others: list[str]) -> None:
    vocabulary = Vocabulary(known)
    asked = [*known, *others, *["not known"] * 300]
    ids = vocabulary.ids(asked)
    assert ids.dtype == np.int64
    assert ids.tolist() == [int(vocabulary.ids([word])[0]) for word in asked]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 5_000])
def test_ids_of_batches_of_any_size(size: int) -> None:
    known = [f"w{number}" for number in range(1_000)]
    asked = [f"w{number * 7 % 1_500}" for number in range(size)]
    expected = [n if n < 1_000 else -1 for n in (number * 7 % 1_500 for number in range(size))]
    ids = Vocabulary(known).ids(asked)
    assert ids.tolist() == expected
    assert ids.shape == (size,)


@settings(deadline=None)
@given(words)
def test_saved_order_is_that_of_the_utf8_bytes(
    tmp_path_factory: pytest.TempPathFactory, known: list[str]
) -> None:
    path = tmp_path_factory.mktemp("order") / "vocabulary.arrow"
    Vocabulary(known).save(path)
    with pa.ipc.open_file(path) as file:
        order = file.read_all()["order"].to_pylist()
    assert order == sorted(range(len(known)), key=lambda number: known[number].encode())
    assert [known[number] for number in order] == sorted(known)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Vocabulary(WORDS, COUNTS),
        lambda: Vocabulary(WORDS),
        lambda: Vocabulary([*WORDS, "tail"], [*COUNTS, 1]).most_frequent(len(WORDS)),
        lambda: Vocabulary(pa.array(["head", *WORDS]).slice(1), COUNTS),
        lambda: Vocabulary([]),
    ],
    ids=["counted", "not counted", "head of a larger one", "slice", "empty"],
)
def test_opened_vocabulary_is_the_saved_one(make: Callable[[], Vocabulary], tmp_path: Path) -> None:
    vocabulary = make()
    vocabulary.save(tmp_path / "vocabulary.arrow")
    opened = Vocabulary.open(tmp_path / "vocabulary.arrow")
    assert opened == vocabulary
    assert opened.ids([*WORDS, "head", "tail"]).tolist() == [
        *(range(len(WORDS)) if len(vocabulary) else [-1] * len(WORDS)),
        *(-1, -1),
    ]


def test_opened_vocabulary_has_the_same_abilities(saved: Path) -> None:
    opened = Vocabulary.open(saved)
    assert opened.suggest("matt", 1) == ["mat"]
    assert opened.at_least(40).words() == ["the", "cat", "sat"]
    with pytest.raises(ValueError, match="read-only"):
        opened.counts[0] = 7


def test_opening_is_by_memory_map(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.arrow"
    Vocabulary([f"word number {number}" for number in range(200_000)]).save(path)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    opened = Vocabulary.open(path)
    assert opened.id("word number 123456") == 123_456
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pa.total_allocated_bytes() - before + peak < path.stat().st_size / 50


def test_every_truncation_is_an_error_that_names_the_file(saved: Path, tmp_path: Path) -> None:
    whole, cut = saved.read_bytes(), tmp_path / "cut.arrow"
    for size in range(0, len(whole), 13):
        cut.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"cut\.arrow is damaged.*Train the model again"):
            Vocabulary.open(cut)


@pytest.mark.parametrize("content", [b"", b"the 90\ncat 40\n", b"\0" * 4096, b"ARROW1\0\0"])
def test_other_content_is_an_error_that_names_the_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.arrow"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"other\.arrow is damaged"):
        Vocabulary.open(path)


def test_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing\.arrow"):
        Vocabulary.open(tmp_path / "missing.arrow")


@pytest.mark.parametrize(
    "columns",
    [
        {"word": ["a"], "count": [1]},
        {"token": ["a"], "count": [1], "order": [0]},
        {"word": [1], "count": [1], "order": [0]},
        {"word": ["a"], "count": ["one"], "order": [0]},
        {"word": ["a"], "count": [1], "order": ["first"]},
        {},
    ],
    ids=["no order", "no word", "word is a number", "count is text", "order is text", "none"],
)
def test_wrong_columns_are_an_error_that_names_the_file(
    columns: dict[str, list[object]], tmp_path: Path
) -> None:
    table = pa.table(columns)
    path = tmp_path / "wrong.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(ModelError, match=r"wrong\.arrow"):
        Vocabulary.open(path)


def test_words_with_64_bit_offsets(tmp_path: Path) -> None:
    words = ["b", "a", "", "c\u00e9"] + [f"word{number}" for number in range(600)]
    small = Vocabulary(words, range(len(words), 0, -1))
    large = Vocabulary(pa.array(words, type=pa.large_string()), small.counts)
    large.save(tmp_path / "large.arrow")
    opened = Vocabulary.open(tmp_path / "large.arrow")
    asked = ["word5", "nothing", "c\u00e9", "word599", "a", "a"] * 60
    for vocabulary in (large, opened, large.most_frequent(604)):
        assert [*vocabulary] == words
        assert [vocabulary.find(word) for word in words] == [*range(len(words))]
        assert vocabulary.ids(asked).tolist() == small.ids(asked).tolist()
        assert vocabulary.ids(small.arrow).tolist() == [*range(len(words))]
        assert vocabulary.complete("word59").tolist() == small.complete("word59").tolist()
    assert small.ids(large.arrow).tolist() == [*range(len(words))]


def test_counts_may_be_a_strided_array(tmp_path: Path) -> None:
    every_second = np.arange(6)[::-2]
    Vocabulary(["a", "b", "c"], every_second).save(tmp_path / "words")
    assert Vocabulary.open(tmp_path / "words").counts.tolist() == [5, 3, 1]
