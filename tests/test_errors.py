"""Messages, hints and pickles of errors."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from embedkit import OneHotEncoder, SkipGramEncoder, TextFeatures, WordVectors, errors
from embedkit.errors import (
    EmbedkitError,
    ExpressionError,
    MissingModelError,
    SettingError,
    UnknownWordError,
    UnknownWordsWarning,
    WordTooLongError,
    counted,
    plural,
    quoted,
    share_verb,
)
from embedkit.vectors.postprocess import remove_top

PLAIN_ERRORS = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, EmbedkitError)
    and error
    not in (ExpressionError, MissingModelError, SettingError, UnknownWordError, WordTooLongError)
]
"""Errors that take a message and a hint."""


@pytest.mark.parametrize("kind", PLAIN_ERRORS)
def test_text_is_the_message_followed_by_the_hint(kind: type[EmbedkitError]) -> None:
    error = kind("PATH is a directory.", hint="Pass a file.")
    assert (error.message, error.hint) == ("PATH is a directory.", "Pass a file.")
    assert str(error) == "PATH is a directory. Pass a file."
    without = kind("PATH is a directory.")
    assert (without.hint, str(without)) == ("", "PATH is a directory.")


def test_hint_of_an_unknown_word_is_its_suggestions() -> None:
    error = UnknownWordError("xyz", ["xylem", "xyst"], "row 3")
    assert error.message == "row 3: 'xyz' is not in the vocabulary."
    assert error.hint == "Did you mean xylem, xyst?"
    assert str(error) == f"{error.message} {error.hint}"
    assert str(UnknownWordError("xyz")) == "'xyz' is not in the vocabulary."


def test_suggestions_are_searched_for_once_when_read() -> None:
    searches: list[str] = []

    def search(word: str) -> list[str]:
        searches.append(word)
        return ["xylem"]

    error = UnknownWordError("xyz", search)
    assert searches == []
    assert error.suggestions == error.suggestions == ("xylem",)
    assert searches == ["xyz"]


def test_expression_error_points_at_the_column() -> None:
    error = ExpressionError("unexpected end", "king -", 6)
    assert str(error) == "unexpected end\n  king -\n        ^"


@pytest.mark.parametrize(
    "error",
    [
        *(kind("something is wrong.", hint="Do something.") for kind in PLAIN_ERRORS),
        MissingModelError("m.embedkit"),
        SettingError("window", "an integer of at least 1", 0),
        UnknownWordError("xyz", ["xylem"], "row 3"),
        WordTooLongError("xyz", 2),
        ExpressionError("nothing here", "king -", 6),
    ],
    ids=lambda error: type(error).__name__,
)
def test_pickling_keeps_message_and_hint(error: EmbedkitError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert (again.message, again.hint) == (error.message, error.hint)
    assert vars(again) == vars(error)


def test_suggestions_of_a_function_are_pickled() -> None:
    error = UnknownWordError("xyz", lambda word: [word + "lem"])
    assert pickle.loads(pickle.dumps(error)).hint == "Did you mean xyzlem?"


def test_nouns_agree_with_their_numbers() -> None:
    numbers = [0, 1, 2, 3811]
    assert [counted(n, "word") for n in numbers] == ["0 words", "1 word", "2 words", "3,811 words"]
    assert [counted(n, "pass", "passes") for n in (1, 2)] == ["1 pass", "2 passes"]
    assert [plural(n, "is", "are") for n in numbers] == ["are", "is", "are", "are"]
    assert share_verb(1, 3, "has", "have") == share_verb(0, 1, "has", "have") == "has"
    assert share_verb(0, 3, "has", "have") == share_verb(2, 3, "has", "have") == "have"
    assert [plural(n, "second") for n in (0.5, 1.0)] == ["seconds", "second"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: WordVectors(["a"], np.eye(2)), "1 word but 2 rows"),
        (lambda: WordVectors(["a", "b"], np.eye(1)), "2 words but 1 row"),
        (lambda: SkipGramEncoder(min_count=1).fit([["a"]]), "1 of 1 distinct word occurs at least"),
        (lambda: SkipGramEncoder(min_count=1).fit([["a"]]), "min_count=1 time; .* occurs 1 time."),
        (lambda: OneHotEncoder(min_count=2).fit([["a"]]), "2 times, of 1 distinct word; .* 1 time"),
        (lambda: remove_top(WordVectors(["a"], [[1]]), 1), "cannot remove 1 of 1 dimension"),
    ],
)
def test_messages_about_one_thing_are_in_the_singular(
    ask: Callable[[], object], message: str
) -> None:
    with pytest.raises((EmbedkitError, ValueError), match=message):
        ask()


def test_one_text_without_a_known_word_has_no_features() -> None:
    features = TextFeatures(WordVectors(["a"], [[1]]))
    with pytest.warns(UnknownWordsWarning, match=r"^1 of 1 text has no .*: its .* \(row 0, count"):
        features.fit(["a"]).transform(["x"])


def test_long_words_are_cut_in_messages() -> None:
    assert quoted("a'b\n") == repr("a'b\n")
    assert quoted("x" * 60) == repr("x" * 60)
    assert quoted("x" * 2_000_000) == f"'{'x' * 59}…"
    assert quoted([1] * 99) == f"{[1] * 99}"[:60] + "…"
    assert len(str(UnknownWordError("x" * 2_000_000))) < 120
