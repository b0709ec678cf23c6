"""Messages, hints and pickles of errors."""

from __future__ import annotations

import inspect
import pickle

import pytest

from embedkit import errors
from embedkit.errors import (
    EmbedkitError,
    ExpressionError,
    MissingModelError,
    SettingError,
    UnknownWordError,
    WordTooLongError,
    quoted,
)

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


def test_long_words_are_cut_in_messages() -> None:
    assert quoted("a'b\n") == repr("a'b\n")
    assert quoted("x" * 60) == repr("x" * 60)
    assert quoted("x" * 2_000_000) == f"'{'x' * 59}…"
    assert quoted([1] * 99) == f"{[1] * 99}"[:60] + "…"
    assert len(str(UnknownWordError("x" * 2_000_000))) < 120
