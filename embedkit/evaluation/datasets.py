"""Files of questions: analogies as Google's and BATS's, word pairs with scores, categories.

They may be compressed, as texts may. What cannot be read is an error that names file and line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from embedkit.corpus.encodings import conversion, read_whole
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
    """``a`` is to ``b`` as ``c`` is to what?

    Attributes:
        a, c: words.
        b: spellings of the word beside a; the first one that a model knows is asked with.
        answers: words beside c, any of which is right.
    """

    a: str
    b: tuple[str, ...]
    c: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Questions about one relation.

    Attributes:
        name: of the relation.
        group: of the sections that are summed up together, or "".
        questions: what is asked.
    """

    name: str
    group: str
    questions: tuple[Question, ...]

    @property
    def pairs(self) -> tuple[WordAnswers, ...]:
        """Words and their answers that the questions are made of, each once."""
        found = [
            pair
            for question in self.questions
            for pair in ((question.a, question.b), (question.c, question.answers))
        ]
        return tuple(dict.fromkeys(found))


def read_analogies(path: Path) -> list[Section]:
    """Read questions, in one of two formats that the first line tells apart.

    Google's has ``: section`` lines, then four words a line, a b c d. Where a section's name begins
    with gram, such sections are the group "syntactic", and the others "semantic", as in word2vec's
    own program.

    BATS's has two columns, a word and its answers with / between them; a file is a section, and
    each ordered pair of its lines a question. A folder holds such files; those of a folder in it
    are a group.

    Raises:
        QuestionError: nothing is there, or a line cannot be read.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.txt") if file.is_file())
        sections = [_bats_section(file, path) for file in files]
    else:
        lines = list(_lines(path))
        is_google = not lines or lines[0][1].startswith(":") or len(lines[0][1].split()) != 2
        sections = _google_sections(path, lines) if is_google else [_bats_section(path, None)]
    if not sections:
        raise QuestionError(
            f"{path} holds no question.",
            hint=("Name a file in Google's or BATS's format, or a folder of BATS's .txt files."),
        )
    return sections


def read_pairs(path: Path) -> list[tuple[str, str, float]]:
    """Read word pairs and their scores: three columns between tabs, commas or spaces.

    Lines that begin with # are comments, and a first line without a number names the columns.

    Raises:
        QuestionError: the file is missing or a line cannot be read.
    """
    lines = [(number, line) for number, line in _lines(path) if line[0] != "#"]
    if lines and lines[0][0] == 1 and _is_header(lines[0][1]):
        del lines[0]
    return [_pair(path, number, line) for number, line in lines]


def read_categories(path: Path) -> list[tuple[str, str]]:
    """Read words and their categories: two columns between tabs, commas or spaces; # comments.

    Raises:
        QuestionError: the file is missing or a line cannot be read.
    """
    found = []
    for number, line in _lines(path):
        if line[0] == "#":
            continue
        columns = _columns(line)
        if len(columns) != 2 or not all(columns):
            raise QuestionError(
                f"{path}, line {number}: expected a word and its category, got {line!r:.80}."
            )
        found.append((columns[0], columns[1]))
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    try:
        with path.open("rb") as file:
            data = read_whole(file, str(path), QuestionError)
    except OSError as error:
        raise QuestionError(f"cannot read {path}: {error.strerror}.") from error
    for number, raw in enumerate(data.split(b"\n"), start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise QuestionError(
                f"{path}, line {number}, byte {error.start + 1}: not UTF-8.",
                hint=conversion(data),
            ) from None
        if line:
            yield number, line


def _google_sections(path: Path, lines: list[tuple[int, str]]) -> list[Section]:
    read: list[tuple[str, list[Question]]] = []
    for number, line in lines:
        if line.startswith(":"):
            read.append((line[1:].strip(), []))
            continue
        words = line.split()
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
        columns = line.split()
        answers = tuple(filter(None, columns[1].split("/"))) if len(columns) == 2 else ()
        if not answers:
            raise QuestionError(
                f"{file}, line {number}: expected a word and its answers, such as "
                f"'cat<TAB>animal/mammal', got {line!r:.80}."
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


def _columns(line: str) -> list[str]:
    separator = "\t" if "\t" in line else "," if "," in line else None
    return [part.strip() for part in line.split(separator)]


def _is_header(line: str) -> bool:
    columns = re.split(r"[\t,]", line)
    return len(columns) >= 3 and not any(character.isdigit() for character in columns[2])


def _pair(path: Path, number: int, line: str) -> tuple[str, str, float]:
    parts = _columns(line)
    try:
        first, second, score = parts[0], parts[1], float(parts[2])
        if not math.isfinite(score):
            raise ValueError
    except (IndexError, ValueError):
        raise QuestionError(
            f"{path}, line {number}: expected two words and a number, got {line!r:.80}."
        ) from None
    return first, second, score
