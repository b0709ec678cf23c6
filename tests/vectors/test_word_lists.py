"""Words as people write them: lines, sets and pairs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkit.errors import QuestionError
from embedkit.vectors.word_lists import WordReader, written_set

KNOWN = {
    "1,000",
    "2,000",
    "12:30",
    "noon",
    ",",
    ".",
    ":",
    "new york",
    "ann\u00a0lee",
    "life,",
    "a,b",
}
READER = WordReader(KNOWN.__contains__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat,dog", ["cat", "dog"]),
        (" cat , dog ", ["cat", "dog"]),
        ("life,", ["life,"]),
        ("1,000", ["1,000"]),
        ("3,000", ["3", "000"]),
        ('"3,000"', ["3,000"]),
        ('"3,000",cat', ["3,000", "cat"]),
        ("1,000,cat,2,000", ["1,000", "cat", "2,000"]),
        (",", [","]),
        ("cat,,", ["cat", ","]),
        ("new york,cat", ["new york", "cat"]),
        ('"say ""x"", now",cat', ['say "x", now', "cat"]),
        ('5",6"', ['5"', '6"']),
        ("ann\u00a0lee,\u00a0", ["ann\u00a0lee", "\u00a0"]),
        ("", []),
    ],
)
def test_sets(text: str, expected: list[str]) -> None:
    assert READER.set(text) == expected


@pytest.mark.parametrize("text", ["death,", ",death", "cat,,dog", "cat, ,dog", "a,b,,c"])
def test_a_missing_word_is_an_error(text: str) -> None:
    with pytest.raises(QuestionError, match=re.escape(f"next to a comma in {text!r}")):
        READER.set(text)
    with pytest.raises(QuestionError, match="next to a comma in ',king:queen'"):
        READER.pairs(",king:queen")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("king  queen man", ["king", "queen", "man"]),
        ("\0king\x1fqueen\x85man\x7f\v", ["king", "queen\x85man\x7f"]),
        ("new york\tcat", ["new york", "cat"]),
        ("old york\tcat", ["old", "york", "cat"]),
        ('"old york"\tcat', ["old york", "cat"]),
        ('"old york" cat', ["old york", "cat"]),
        ("ann\u00a0lee bob", ["ann\u00a0lee", "bob"]),
        ("a\u2028b \u3000", ["a\u2028b", "\u3000"]),
        ('" cat', ['"', "cat"]),
        ('"""" cat', ['"', "cat"]),
        ('""', [""]),
        (" \t ", []),
    ],
)
def test_lines(text: str, expected: list[str]) -> None:
    assert READER.line(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12:30:noon", ("12:30", "noon")),
        ("noon:12:30", ("noon", "12:30")),
        ("noon 12:30", ("noon", "12:30")),
        ('"8:15":noon', ("8:15", "noon")),
        ('"8:15" "9:00"', ("8:15", "9:00")),
        (",:.", (",", ".")),
        (": .", (":", ".")),
        ("ann\u00a0lee:noon", ("ann\u00a0lee", "noon")),
    ],
)
def test_pairs(text: str, expected: tuple[str, str]) -> None:
    assert READER.pair(text) == expected


def test_pairs_with_commas_between_them() -> None:
    assert READER.pairs("1,000:2,000,king:queen") == [("1,000", "2,000"), ("king", "queen")]
    assert READER.pairs(",:.,noon:12:30") == [(",", "."), ("noon", "12:30")]
    assert READER.pairs('"3,000":cat, a:b') == [("3,000", "cat"), ("a", "b")]


def test_the_error_of_an_ambiguous_pair_offers_quotes() -> None:
    with pytest.raises(QuestionError, match="got '8:15:16'") as caught:
        READER.pair("8:15:16")
    assert "in quotes" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-", "-"), ('"-"', "-"), (' "new york" ', "new york"), ('"', '"'), ('""""', '"')],
)
def test_single_words(text: str, expected: str) -> None:
    assert READER.word(text) == expected


def test_quotes_belong_to_a_word_that_is_known_with_them() -> None:
    assert WordReader({'"cat"'}.__contains__).word('"cat"') == '"cat"'


@given(st.lists(st.text('ab,: \t"\u00a0', min_size=1), min_size=1, max_size=6))
def test_a_written_set_reads_back(words: list[str]) -> None:
    assert WordReader().set(written_set(words)) == words


@given(st.text('ab,:\t "-', max_size=40))
def test_any_text_reads_as_words_or_is_refused(text: str) -> None:
    reader = WordReader(lambda word: len(word) % 2 == 0)
    for words in (reader.line(text), reader.sets(text)):
        assert all(word in text or word in text.replace('""', '"') for word in words)
    try:
        words = reader.set(text)
    except QuestionError as error:
        assert "next to a comma" in error.message  # noqa: PT017 - either outcome is right
    else:
        assert all(word in text or word in text.replace('""', '"') for word in words)
    try:
        pairs = reader.pairs(text)
    except QuestionError as error:
        assert re.search("expected two words|next to a comma", error.message)  # noqa: PT017
    else:
        assert all(first and second for first, second in pairs)
