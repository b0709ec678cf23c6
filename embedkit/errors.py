"""Every error a user can meet, in one tree.

The message of an error says what was wrong and where (file, line, word); its hint says what to do
about it. The command line and the service map this tree to exit codes and HTTP statuses, each in
one place, and render message and hint in their own way.
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
    "FormatError",
    "InputError",
    "ModelError",
    "OutputExistsError",
    "QuestionError",
    "SlowFormatWarning",
    "StaleIndexWarning",
    "StorageError",
    "TrainingError",
    "UnknownWordError",
    "UnknownWordsWarning",
    "WordTooLongError",
]


class EmbedkitError(Exception):
    """Base of all errors that embedkit raises on purpose.

    Args:
        message: what was wrong, and where.
        hint: what to do about it, as sentences; may be empty.
    """

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint

    @property
    def message(self) -> str:
        """What was wrong, and where."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


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


class FormatError(ModelError):
    """A file of vectors cannot be read. The message names the line or the byte."""


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

    @property
    def message(self) -> str:
        """The word, and where it stands."""
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.word!r} is not in the vocabulary."

    @property
    def hint(self) -> str:  # type: ignore[override]  # worked out when it is read
        """The words that may have been meant."""
        return f"Did you mean {', '.join(self.suggestions)}?" if self.suggestions else ""

    def __reduce__(self) -> tuple[type[UnknownWordError], tuple[Any, ...]]:
        # An error of a worker process comes back pickled; by default only its message would.
        return type(self), (self.word, self.suggestions, self.place)


class SlowFormatWarning(UserWarning):
    """A file of vectors is read whole each time, where a model directory would open at once."""


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
            f"{word!r} has {len(word)} characters, the longest word of the vocabulary {width}.",
            hint="Pass truncate=True to cut longer words.",
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
        self.expression = expression
        self.column = column
        super().__init__(problem)

    def __str__(self) -> str:
        caret = " " * self.column + "^"
        return f"{self.message}\n  {self.expression}\n  {caret}"

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, str, int]]:
        return type(self), (self.message, self.expression, self.column)
