"""Training that ends when analogies stop improving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import QuestionError
from embedkit.evaluation import EarlyStopping
from embedkit.training.report import EpochReport


def epoch(accuracy: float) -> EpochReport:
    """Return vectors that answer this share of four questions."""
    matrix = np.zeros((16, 12), dtype=np.float32)
    for question in range(4):
        rows = matrix[question * 4 : question * 4 + 4]
        rows[:3, question * 3 : question * 3 + 3] = np.eye(3)
        rows[3] = rows[1] - rows[0] + rows[2] if question < 4 * accuracy else -rows[1]
    words = [f"{letter}{number}" for number in range(4) for letter in "abcd"]
    return EpochReport(1, 9, 0.1, 1.0, Vocabulary(words), matrix)


@pytest.mark.parametrize(
    ("patience", "accuracies", "stops"),
    [
        (1, [0.25, 0.5, 0.5], [False, False, True]),
        (2, [0.5, 0.25, 0.75, 0.75, 0.5], [False, False, False, False, True]),
        (None, [0.5, 0.25, 0.25, 0.0], [False] * 4),
    ],
)
def test_patience_counts_epochs_without_a_better_score(
    patience: int | None, accuracies: list[float], stops: list[bool], tmp_path: Path
) -> None:
    questions = tmp_path / "questions"
    questions.write_text("".join(f"a{n} b{n} c{n} d{n}\n" for n in range(4)))
    stopping = EarlyStopping(questions, patience)
    assert [stopping(epoch(accuracy)) for accuracy in accuracies] == stops
    assert stopping.accuracies == accuracies


def test_unusable_questions_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="cannot read"):
        EarlyStopping(tmp_path / "nowhere")
    (tmp_path / "others").write_text("one two three four\n")
    with pytest.raises(QuestionError, match="too few known questions: the model knows 0 of 1"):
        EarlyStopping(tmp_path / "others")(epoch(1.0))
