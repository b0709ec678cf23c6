"""Questions from the command line or from standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from embedkit.corpus.tokenizers import SEPARATORS
from embedkit.errors import (
    ExpressionError,
    QuestionError,
    UnknownWordError,
    WordTooLongError,
    quoted,
)
from embedkit.vectors.word_lists import WordReader

if TYPE_CHECKING:
    from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "ask_all",
    "ask_many",
    "parse_lines",
    "read_lines",
    "reader_for",
    "wrong_words",
]

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def reader_for(vectors: WordVectors) -> WordReader:
    """Return the reader of words in questions about *vectors*."""
    return WordReader(lambda word: vectors.find(word) >= 0)


def wrong_words(expected: str, words: Sequence[str]) -> QuestionError:
    """Return the error of a question that has too few or too many words."""
    commas = any("," in word for word in words)
    return QuestionError(
        f"expected {expected}; got {', '.join(map(quoted, words)) or 'none'}.",
        hint="Separate words with spaces or tabs, not with commas." if commas else "",
    )


def ask_all(
    given: Question | None,
    read: Callable[[str], Question],
    answer: Callable[[list[Question]], Sequence[Answer]],
    *,
    kind: str = "questions",
    blank: bool = False,
) -> tuple[list[Question], Sequence[Answer]]:
    """Answer *given* or, if it is None, the lines of standard input in one batch.

    Args:
        given: the question, or None.
        read: parses a line into a question.
        answer: answers a batch of questions.
        kind: what the lines are, for messages.
        blank: whether a blank line is a question too; otherwise it is skipped.

    Raises:
        QuestionError: a line cannot be parsed or answered, and the message names it; or there is no
            line.
    """
    return ask_many(None if given is None else [given], read, answer, kind=kind, blank=blank)


def ask_many(
    given: list[Question] | None,
    read: Callable[[str], Question],
    answer: Callable[[list[Question]], Sequence[Answer]],
    *,
    kind: str = "questions",
    blank: bool = False,
) -> tuple[list[Question], Sequence[Answer]]:
    """Like `ask_all`, for a list of questions."""
    if given is not None:
        return given, answer(given)
    lines = read_lines(kind, blank=blank)
    questions = parse_lines(lines, read)
    try:
        return questions, answer(questions)
    except ExpressionError as error:
        number = _line_of(error.expression, lines, questions)
        # With the caret under the place.
        raise QuestionError(f"standard input, line {number}: {error}") from error
    except (UnknownWordError, WordTooLongError) as error:
        number = _line_of(error.word, lines, questions)
        raise QuestionError(
            f"standard input, line {number}: {error.message}", hint=error.hint
        ) from error


def _line_of(culprit: str, lines: Sequence[tuple[int, str]], questions: Sequence[object]) -> int:
    """Return the number of the first line that asks for *culprit*, a word or a whole question."""
    for (number, _), question in zip(lines, questions, strict=True):
        if culprit == question or (isinstance(question, list | tuple) and culprit in question):
            return number
    as_word = re.compile(rf"(?<!\w){re.escape(culprit)}(?!\w)")
    found = [number for number, line in lines if as_word.search(line)]
    return (found or [number for number, line in lines if culprit in line] or [lines[0][0]])[0]


def parse_lines(
    lines: Sequence[tuple[int, str]], read: Callable[[str], Question]
) -> list[Question]:
    """Return *read*(line) for each line of `read_lines`; an error names the line."""
    questions = []
    for number, line in lines:
        try:
            questions.append(read(line))
        except QuestionError as error:
            raise QuestionError(
                f"standard input, line {number}: {error.message}", hint=error.hint
            ) from error
    return questions


def read_lines(kind: str, *, blank: bool = False) -> list[tuple[int, str]]:
    """Return the lines of standard input, with their numbers; blank ones only if *blank*.

    Args:
        kind: what the lines are, for messages.

    Raises:
        QuestionError: standard input is closed, has no such line, or is not UTF-8.
    """
    lines: list[tuple[int, str]] = []
    if sys.stdin is None:
        raise QuestionError("standard input is closed.")
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip(SEPARATORS)
        except UnicodeDecodeError as error:
            raise QuestionError(
                f"standard input, line {number}, byte {error.start + 1}: not UTF-8.",
                hint="Convert it, as in: iconv -f latin1 -t utf-8.",
            ) from None
        if line or blank:
            lines.append((number, line))
    if not lines:
        raise QuestionError(f"standard input has no {kind}.", hint="Pass one on each line.")
    return lines
