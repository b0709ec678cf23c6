"""Benchmark files: analogies of Google and BATS, word pairs with human scores, categories.

Files may be compressed. An error names the file and the line.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from embedkit.corpus.encodings import read_lines
from embedkit.corpus.tokenizers import SEPARATORS, split_words
from embedkit.errors import QuestionError

__all__ = [
    "Question",
    "Section",
    "WordAnswers",
    "read_analogies",
    "read_categories",
    "read_pairs",
]

WordAnswers: TypeAlias = "tuple[str, tuple[str, ...]]"
"""A word and its right answers."""


@dataclass(frozen=True)
class Question:
    """An analogy: ``a`` is to ``b`` as ``c`` is to any of the answers.

    Attributes:
        a, c: words.
        b: alternatives for the word that belongs to a; the first known one is used.
        answers: words that belong to c; any of them is right.
    """

    a: str
    b: tuple[str, ...]
    c: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Questions about one relation.

    Attributes:
        name: the relation.
        group: name of the group of sections that this one belongs to, or "".
        questions: the questions.
    """

    name: str
    group: str
    questions: tuple[Question, ...]

    @property
    def pairs(self) -> tuple[WordAnswers, ...]:
        """The distinct pairs of a word and its answers that the questions are made of."""
        found = [
            pair
            for question in self.questions
            for pair in ((question.a, question.b), (question.c, question.answers))
        ]
        return tuple(dict.fromkeys(found))


def read_analogies(path: Path) -> list[Section]:
    """Read analogies in Google's or BATS's format, which is detected from the first line.

    Google's files have ``: section`` lines, and lines of four words, a b c d. If the name of any
    section begins with "gram", such sections form the group "syntactic" and the others the group
    "semantic", as in word2vec's own program.

    BATS's files have two columns, a word and its answers, separated by /. A file is a section, and
    each ordered pair of its lines is a question. *path* may be a folder of such files; each of its
    subfolders is a group.

    Raises:
        QuestionError: there are no questions, or a line cannot be read.
    """
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises if it has no permission
        files = _text_files(path)
        sections = [_bats_section(file, path) for file in files]
    else:
        lines = list(_lines(path))
        is_google = not lines or lines[0][1].startswith(":") or len(split_words(lines[0][1])) != 2
        sections = _google_sections(path, lines) if is_google else [_bats_section(path, None)]
    if not any(section.questions for section in sections):
        raise QuestionError(
            f"{path} contains no questions.",
            hint="Pass a file in Google's or BATS's format, or a folder of BATS's .txt files.",
        )
    return sections


def read_pairs(path: Path) -> list[tuple[str, str, float]]:
    """Read word pairs and their scores: three columns separated by tabs, commas or spaces.

    A part of speech may precede the score, and other columns may follow it, as in SimLex-999.
    Lines that begin with # are comments, and a first line without a number is a header.

    Raises:
        QuestionError: the file is missing or empty, or a line cannot be read.
    """
    lines = [(number, line) for number, line in _lines(path) if line[0] != "#"]
    if lines and lines[0][0] == 1 and _is_header(lines[0][1]):
        del lines[0]
    if not lines:
        raise QuestionError(
            f"{path} contains no word pairs.",
            hint="Write for example 'cat<TAB>dog<TAB>7.5', one pair on each line.",
        )
    return [_pair(path, number, line) for number, line in lines]


def read_categories(path: Path) -> list[tuple[str, str]]:
    """Read words and their categories: two columns separated by tabs, commas or spaces.

    Lines that begin with # are comments.

    Raises:
        QuestionError: the file is missing or empty, or a line cannot be read.
    """
    found = []
    for number, line in _lines(path):
        if line[0] == "#":
            continue
        columns = _columns(line, _separators(line)[0])
        if len(columns) != 2 or not all(columns):
            raise QuestionError(
                f"{path}, line {number}: expected a word and its category, got {line!r:.80}."
            )
        found.append((columns[0], columns[1]))
    if not found:
        raise QuestionError(
            f"{path} contains no words.",
            hint="Write for example 'cat<TAB>animal', one word and its category on each line.",
        )
    return found


def _text_files(folder: Path) -> list[Path]:
    try:
        list(folder.iterdir())  # rglob ignores a folder that cannot be read
        return sorted(file for file in folder.rglob("*.txt") if file.is_file())
    except OSError as error:
        raise QuestionError(f"cannot read {folder}: {error.strerror}.") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbers, from 1, and the text of lines that are not blank."""
    for number, line in enumerate(read_lines(path, str(path), QuestionError), start=1):
        if text := line.strip(SEPARATORS):
            yield number, text


def _google_sections(path: Path, lines: list[tuple[int, str]]) -> list[Section]:
    read: list[tuple[str, list[Question]]] = []
    for number, line in lines:
        if line.startswith(":"):
            read.append((line[1:].strip(), []))
            continue
        words = split_words(line)
        if len(words) != 4:
            raise QuestionError(f"{path}, line {number}: expected four words, got {line!r:.80}.")
        if not read:
            read.append(("questions", []))
        a, b, c, d = words
        read[-1][1].append(Question(a, (b,), c, (d,)))
    grouped = any(name.startswith("gram") for name, _ in read)

    def group(name: str) -> str:
        return "" if not grouped else "syntactic" if name.startswith("gram") else "semantic"

    return [Section(name, group(name), tuple(questions)) for name, questions in read]


def _bats_section(file: Path, folder: Path | None) -> Section:
    pairs: list[tuple[str, tuple[str, ...]]] = []
    for number, line in _lines(file):
        columns = split_words(line)
        answers = tuple(filter(None, columns[1].split("/"))) if len(columns) == 2 else ()
        if not answers:
            raise QuestionError(
                f"{file}, line {number}: expected a word and its answers, got {line!r:.80}.",
                hint="Write, for example, 'cat<TAB>animal/mammal'.",
            )
        pairs.append((columns[0], answers))
    questions = tuple(
        Question(a, answers, c, right)
        for a, answers in pairs
        for c, right in pairs
        if (a, answers) != (c, right)
    )
    group = file.parent.name if folder is not None and file.parent != folder else ""
    return Section(file.stem, group, questions)


def _columns(line: str, separator: str | None) -> list[str]:
    """Return the columns of a line; a separator of None means the separators of words."""
    if separator == ",":
        with suppress(csv.Error):  # a column is too long
            parts = next(csv.reader([line], skipinitialspace=True))
            return [part.strip(SEPARATORS) for part in parts]
    if separator is None:
        return split_words(line)
    return [part.strip(SEPARATORS) for part in line.split(separator)]


def _separators(line: str) -> list[str | None]:
    """Return the separators that may be between columns, the most likely first."""
    return [*(separator for separator in "\t," if separator in line), None]


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_header(line: str) -> bool:
    columns = _columns(line, _separators(line)[0])
    return (
        len(columns) >= 3
        and not any(character.isdigit() for character in columns[2])
        and not any(_is_float(column) for column in columns[2:])
    )


def _pair(path: Path, number: int, line: str) -> tuple[str, str, float]:
    for separator in _separators(line):
        columns = _columns(line, separator)
        if len(columns) < 3:
            continue
        # SimLex-999 and SimVerb-3500 have the part of speech in the third column.
        is_labeled = len(columns) > 3 and columns[2].isalpha() and _number(columns[2]) is None
        score = _number(columns[3 if is_labeled else 2])
        if score is not None and columns[0] and columns[1]:
            return columns[0], columns[1], score
    raise QuestionError(
        f"{path}, line {number}: expected two words and a number, got {line!r:.80}.",
        hint="Write, for example, 'cat<TAB>dog<TAB>7.5'.",
    )
