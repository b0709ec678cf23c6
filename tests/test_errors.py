from __future__ import annotations

import pickle

import pytest

from embedkit.errors import EmbedkitError, ExpressionError, UnknownWordError, WordTooLongError


@pytest.mark.parametrize(
    "error",
    [
        UnknownWordError("xyz", ["xylem"], "row 3"),
        WordTooLongError("xyz", 2),
        ExpressionError("nothing here", "king -", 6),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_arrives_as_it_was(error: EmbedkitError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
