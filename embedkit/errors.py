"""All errors and warnings that embedkit raises on purpose, in one tree.

The message of an error says what was wrong and where (file, line, word); its hint says what to do
about it. The command line maps this tree to exit codes and the service to HTTP statuses, each in
one place, and each shows message and hint in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial

__all__ = [
    "ConfigurationError",
    "CorpusError",
    "DroppedNgramsWarning",
    "EmbedkitError",
    "EncodingError",
    "ExpressionError",
    "FormatError",
    "HighLossWarning",
    "InputError",
    "MissingMatrixWarning",
    "MissingModelError",
    "ModelError",
    "OutputExistsError",
    "QuestionError",
    "SettingError",
    "ShortTimeWarning",
    "SlowFormatWarning",
    "StaleIndexWarning",
    "StorageError",
    "TrainingError",
    "UnknownLabelsWarning",
    "UnknownWordError",
    "UnknownWordsWarning",
    "WordTooLongError",
    "counted",
    "plural",
    "quoted",
    "share_verb",
]


def quoted(value: object, longest: int = 60) -> str:
    """Return a value in quotation marks for a message, cut if it is long."""
    shown = repr(value[: longest + 1] if isinstance(value, str | bytes) else value)
    return shown if len(shown) <= longest + 2 else f"{shown[:longest]}…"


def plural(number: float, noun: str, nouns: str = "") -> str:
    """Return *noun* for the number 1, else its plural: *nouns*, or the noun with an s."""
    return noun if number == 1 else nouns or f"{noun}s"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number and what is counted, for a message: "1 word", "2,000 words"."""
    return f"{number:,} {plural(number, noun, nouns)}"


def share_verb(part: int, whole: int, singular: str, plural: str) -> str:
    """Return the verb for *part* of *whole*: "1 of 3 texts has", "0 of 1 text has"."""
    return singular if 1 in (part, whole) else plural


class EmbedkitError(Exception):
    """Base class of all errors that embedkit raises on purpose.

    Args:
        message: what was wrong and where.
        hint: what to do about it, in one or two sentences; may be empty.

    Attributes:
        hint: what to do about it; "" if there is nothing to suggest. ``str(error)`` is the message
            followed by the hint.
    """

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint

    @property
    def message(self) -> str:
        """What was wrong and where."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class ConfigurationError(EmbedkitError, ValueError):
    """A setting is outside its documented range, or two settings contradict each other."""


class SettingError(ConfigurationError):
    """A setting has the wrong type, or is outside its range.

    Attributes:
        setting: its name.
        requirement: what it must be, such as "an integer of at least 1".
        value: what it is.
    """

    def __init__(self, setting: str, requirement: str, value: object) -> None:
        self.setting = setting
        self.requirement = requirement
        self.value = value
        super().__init__(f"{setting} must be {requirement}, got {value!r}")

    def __reduce__(self) -> tuple[type[SettingError], tuple[str, str, object]]:
        return type(self), (self.setting, self.requirement, self.value)


class CorpusError(EmbedkitError):
    """The text cannot be trained on: it is missing or empty, or no word is frequent enough."""


class EncodingError(CorpusError):
    """The text is not UTF-8. The message names the file, the line and the byte."""


class InputError(EmbedkitError, ValueError):
    """The input of a transformer or classifier has the wrong type or shape."""


class QuestionError(EmbedkitError):
    """A line of an evaluation file (analogies, similarities) cannot be read."""


class StorageError(EmbedkitError):
    """The disk is full, or the path is not writable. Nothing that existed was changed."""


class OutputExistsError(EmbedkitError):
    """The output exists and must not be overwritten."""


class ModelError(EmbedkitError):
    """A model directory is missing, damaged, written by a newer version, or not a model."""


class MissingModelError(ModelError):
    """There is no model at a path.

    Attributes:
        path: the path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"there is no model at {path}.",
            hint=f"Train one with embedkit train CORPUS -o {path}, or pass another path.",
        )

    def __reduce__(self) -> tuple[type[MissingModelError], tuple[str]]:
        return type(self), (self.path,)


class FormatError(ModelError):
    """A file of vectors cannot be read or written. The message names the line, byte or word."""


class TrainingError(EmbedkitError):
    """Training cannot continue, for example because the loss is not finite."""


class UnknownWordError(EmbedkitError, KeyError):
    """A word has no vector.

    Attributes:
        word: the unknown word.
        suggestions: known words with a similar spelling, best first.
        place: where the word is in the input, such as "row 3"; may be empty.
        advice: what to do besides the suggestions; may be empty.
        has_ngrams: whether the vectors have character n-grams, none of which the word has.
    """

    def __init__(
        self,
        word: str,
        suggestions: Sequence[str] | Callable[[str], Sequence[str]] = (),
        place: str = "",
        advice: str = "",
        *,
        has_ngrams: bool = False,
    ) -> None:
        self.word = word
        self.place = place
        self.advice = advice
        self.has_ngrams = has_ngrams
        self._suggestions = suggestions if callable(suggestions) else tuple(suggestions)
        super().__init__(word)

    @cached_property
    def suggestions(self) -> tuple[str, ...]:
        """Known words with a similar spelling; the search is slow, so it is done on first use."""
        found = self._suggestions
        return tuple(found(self.word) if callable(found) else found)

    @property
    def message(self) -> str:
        """The unknown word and its place."""
        where = f"{self.place}: " if self.place else ""
        ngrams = ", and none of its character n-grams is known" if self.has_ngrams else ""
        return f"{where}{quoted(self.word)} is not in the vocabulary{ngrams}."

    @property
    def hint(self) -> str:  # type: ignore[override]  # computed when read
        """The suggestions and the advice."""
        suggested = f"Did you mean {', '.join(self.suggestions)}?" if self.suggestions else ""
        return " ".join(filter(None, (suggested, self.advice)))

    def __reduce__(
        self,
    ) -> tuple[Callable[..., UnknownWordError], tuple[str, tuple[str, ...], str, str]]:
        # A function that finds suggestions may not be picklable, so call it now.
        make = partial(type(self), has_ngrams=self.has_ngrams)
        return make, (self.word, self.suggestions, self.place, self.advice)


class SlowFormatWarning(UserWarning):
    """Reading a file of vectors took long; a model directory would open immediately."""


class MissingMatrixWarning(UserWarning):
    """A file was written without the output matrix, so training cannot continue from it."""


class HighLossWarning(UserWarning):
    """The loss of a training is close to that of guessing: almost nothing was learned."""


class ShortTimeWarning(UserWarning):
    """A time budget of training is too short for one epoch, so one epoch is trained anyway."""


class UnknownWordsWarning(UserWarning):
    """Some rows of features are zero because none of their words has a vector."""


class UnknownLabelsWarning(UserWarning):
    """Some texts have labels that a classifier does not know, so it cannot predict them."""


class DroppedNgramsWarning(UserWarning):
    """The character n-grams of vectors were dropped, so unknown words have no vectors."""


class StaleIndexWarning(UserWarning):
    """The approximate index in a model directory was built from other vectors or is missing."""


class WordTooLongError(EmbedkitError, ValueError):
    """A word has more characters than character-code vectors have dimensions.

    Attributes:
        word: the word.
        width: number of characters of the longest word in the vocabulary.
    """

    def __init__(self, word: str, width: int) -> None:
        self.word = word
        self.width = width
        super().__init__(
            f"{quoted(word)} has {len(word)} characters, but the longest word in the vocabulary "
            f"has {width}.",
            hint="Pass truncate=True to cut longer words.",
        )

    def __reduce__(self) -> tuple[type[WordTooLongError], tuple[str, int]]:
        return type(self), (self.word, self.width)


class ExpressionError(EmbedkitError, ValueError):
    """An expression has a syntax error.

    Attributes:
        expression: the text as given.
        column: where the error is, counted from 0.
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
