"""Every error a user can meet, in one tree.

Each message says what was wrong, where (file, line, word) and what to do about it. The faces
(command line, service) map this tree to exit codes and statuses, each in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

__all__ = [
    "ConfigurationError",
    "CorpusError",
    "EmbedkitError",
    "EncodingError",
    "ExpressionError",
    "InputError",
    "ModelError",
    "OutputExistsError",
    "QuestionError",
    "StaleIndexWarning",
    "StorageError",
    "TrainingError",
    "UnknownWordError",
    "UnknownWordsWarning",
    "WordTooLongError",
]


class EmbedkitError(Exception):
    """Base of all errors that embedkit raises on purpose."""


class ConfigurationError(EmbedkitError, ValueError):
    """A setting lies outside its documented range, or two settings contradict each other."""


class CorpusError(EmbedkitError):
    """The text cannot be trained on: missing, empty, or without a word that is frequent enough."""


class EncodingError(CorpusError):
    """The text is not UTF-8. The message names the file, the line and the byte."""


class InputError(EmbedkitError, ValueError):
    """A transformer was given something else than it takes. The message names the row."""


class QuestionError(EmbedkitError):
    """A file of questions (analogies, similarities) has a line that cannot be read."""


class StorageError(EmbedkitError):
    """The disk is full, read-only or not ours to write to. Nothing that existed was changed."""


class OutputExistsError(EmbedkitError):
    """The output is already there and overwriting was not asked for."""


class ModelError(EmbedkitError):
    """The model directory is missing, incomplete, damaged, newer than this program, or no model."""


class TrainingError(EmbedkitError):
    """Training cannot go on, for example because the loss is no longer a finite number."""


class UnknownWordError(EmbedkitError, KeyError):
    """A word has no vector.

    Attributes:
        word: the word that was asked for.
        suggestions: known words spelled nearly the same, best first.
        place: where it stands, such as "row 3"; may be empty.
    """

    def __init__(
        self,
        word: str,
        suggestions: Sequence[str] | Callable[[str], Sequence[str]] = (),
        place: str = "",
    ) -> None:
        self.word = word
        self.place = place
        self._suggestions = suggestions if callable(suggestions) else tuple(suggestions)
        super().__init__(word)

    @cached_property
    def suggestions(self) -> tuple[str, ...]:
        """Looked for when they are first read: that costs more than most questions."""
        found = self._suggestions
        return tuple(found(self.word) if callable(found) else found)

    def __str__(self) -> str:  # KeyError would print the repr of the word
        hint = f" Did you mean {', '.join(self.suggestions)}?" if self.suggestions else ""
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.word!r} is not in the vocabulary.{hint}"

    def __reduce__(self) -> tuple[type[UnknownWordError], tuple[Any, ...]]:
        # An error of a worker process comes back pickled; by default only its message would.
        return type(self), (self.word, self.suggestions, self.place)


class UnknownWordsWarning(UserWarning):
    """Some rows of features are zeros, because none of their words has a vector."""


class StaleIndexWarning(UserWarning):
    """An approximate index lies in the model directory that was built of other vectors."""


class WordTooLongError(EmbedkitError, ValueError):
    """A word has more characters than the character-code vectors have dimensions.

    Attributes:
        word: the word.
        width: characters of the longest word of the vocabulary.
    """

    def __init__(self, word: str, width: int) -> None:
        self.word = word
        self.width = width
        super().__init__(
            f"{word!r} has {len(word)} characters, the longest word of the vocabulary {width}. "
            "Remedy: truncate=True cuts longer words."
        )

    def __reduce__(self) -> tuple[type[WordTooLongError], tuple[str, int]]:
        return type(self), (self.word, self.width)


class ExpressionError(EmbedkitError, ValueError):
    """An expression does not parse.

    Attributes:
        expression: the text as given.
        column: where it went wrong, counted from 0.
    """

    def __init__(self, problem: str, expression: str, column: int) -> None:
        self.problem = problem
        self.expression = expression
        self.column = column
        caret = " " * column + "^"
        super().__init__(f"{problem}\n  {expression}\n  {caret}")

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, str, int]]:
        return type(self), (self.problem, self.expression, self.column)
