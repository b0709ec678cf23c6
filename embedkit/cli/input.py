"""Questions from the command line or from standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from embedkit.corpus.tokenizers import SEPARATORS
from embedkit.errors import ExpressionError, QuestionError, UnknownWordError, WordTooLongError
from embedkit.vectors.word_lists import WordReader

if TYPE_CHECKING:
    from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "ask_all",
    "ask_many",
    "parse_lines",
    "read_lines",
    "reader_for",
]

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def reader_for(vectors: WordVectors) -> WordReader:
    """Return the reader of words in questions about *vectors*."""
    return WordReader(lambda word: vectors.find(word) >= 0)


def ask_all(
    given: Question | None,
    read: Callable[[str], Question],
    answer: Callable[[list[Question]], Sequence[Answer]],
    *,
    blank: bool = False,
) -> tuple[list[Question], Sequence[Answer]]:
    """Answer *given* or, if it is None, the lines of standard input in one batch.

    Args:
        given: the question, or None.
        read: parses a line into a question.
        answer: answers a batch of questions.
        blank: whether a blank line is a question too; otherwise it is skipped.

    Raises:
        QuestionError: a line cannot be parsed or answered; the message names it.
    """
    return ask_many(None if given is None else [given], read, answer, blank=blank)


def ask_many(
    given: list[Question] | None,
    read: Callable[[str], Question],
    answer: Callable[[list[Question]], Sequence[Answer]],
    *,
    blank: bool = False,
) -> tuple[list[Question], Sequence[Answer]]:
    """Like `ask_all`, for a list of questions."""
    if given is not None:
        return given, answer(given)
    lines = read_lines(blank=blank)
    questions = parse_lines(lines, read)
    try:
        return questions, answer(questions) if questions else []
    except (UnknownWordError, WordTooLongError, ExpressionError) as error:
        culprit = error.expression if isinstance(error, ExpressionError) else error.word
        number = next((number for number, line in lines if culprit in line), 0)
        raise QuestionError(
            f"standard input, line {number}: {error.message}", hint=error.hint
        ) from error


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


def read_lines(*, blank: bool = False) -> list[tuple[int, str]]:
    """Return the lines of standard input, with their numbers; blank ones only if *blank*."""
    lines: list[tuple[int, str]] = []
    if sys.stdin is None:
        raise QuestionError("standard input is closed.")
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip(SEPARATORS)
        except UnicodeDecodeError as error:
            raise QuestionError(
                f"standard input, line {number}, byte {error.start + 1}: not UTF-8."
            ) from None
        if line or blank:
            lines.append((number, line))
    return lines
