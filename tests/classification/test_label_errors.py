"""Mistakes and suspect labels, worked out by hand and found among labels changed on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedkit.classification.datasets import read_labeled, read_numbered
from embedkit.classification.label_errors import find_errors, suspect_labels
from embedkit.classification.text_classifier import TextClassifier
from embedkit.errors import ConfigurationError, UnknownLabelsWarning

HELPDESK = Path(__file__).parent.parent.parent / "corpora" / "helpdesk.tsv"


def test_suspect_labels_worked_out_by_hand() -> None:
    chances = np.array([
        [0.9, 0.1], [0.6, 0.4], [0.2, 0.8],  # label 0: threshold 1.7 / 3 = 0.567
        [0.1, 0.9], [0.4, 0.6], [0.7, 0.3],  # label 1: threshold 1.8 / 3 = 0.6
        [0.1, 0.9],  # unknown
    ])  # fmt: skip
    given = np.array([0, 0, 0, 1, 1, 1, -1])
    # Row 2: 0.2 < 0.567 and 0.8 >= 0.6. Row 5: 0.3 < 0.6 and 0.7 >= 0.567. Row 4 is at its own.
    assert suspect_labels(chances, given) == [(2, 1), (5, 0)]


def test_a_label_that_no_row_has_is_never_better() -> None:
    chances = np.array([[0.5, 0.1, 0.4], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1]])
    # Threshold of 0: 0.3. Row 1 is below, but nothing has label 2; row 2 has label 1 itself.
    assert suspect_labels(chances, np.array([0, 0, 1])) == []
    assert suspect_labels(np.zeros((0, 2)), np.zeros(0, np.int64)) == []


@pytest.fixture(scope="module")
def helpdesk() -> tuple[list[str], list[str]]:
    return read_labeled(HELPDESK)


def test_labels_changed_on_purpose_are_found(helpdesk: tuple[list[str], list[str]]) -> None:
    texts, labels = helpdesk
    classifier = TextClassifier.train(texts[::2], labels[::2], None, C=3.0)
    held_out, right = texts[1::2], labels[1::2]
    another = {"where": "why", "why": "other", "other": "where"}
    chances = classifier.predict_proba(held_out)
    clearest = [int(chances[:, column].argmax()) for column in range(3)]  # one row of each label
    changed = {row: another[right[row]] for row in clearest}
    given = [changed.get(row, label) for row, label in enumerate(right)]
    found = find_errors(classifier, held_out, given)
    suspects = {suspect.row: suspect.predicted for suspect in found.suspects}
    assert {row: suspects[row] for row in changed} == {row: right[row] for row in changed}
    assert len(suspects) <= 8
    assert {mistake.row for mistake in found.mistakes} >= set(changed)
    confidences = [mistake.probability for mistake in found.mistakes]
    assert confidences == sorted(confidences, reverse=True)
    predicted = classifier.predict(held_out).tolist()
    assert len(found.mistakes) == sum(a != b for a, b in zip(predicted, given, strict=True))
    one = found.mistakes[0]
    by_label = dict(zip(classifier.labels, chances[one.row], strict=True))
    assert (one.label, one.predicted) == (given[one.row], predicted[one.row])
    assert one.probability == pytest.approx(by_label[one.predicted])
    assert one.label_probability == pytest.approx(by_label[one.label])


def test_labels_that_the_classifier_does_not_know(helpdesk: Any) -> None:
    texts, labels = helpdesk
    classifier = TextClassifier.train(texts, labels, None, C=3.0)
    with pytest.warns(UnknownLabelsWarning, match="'new'"):
        found = find_errors(classifier, texts[:3], [*labels[:2], "new"])
    assert [(m.row, m.label, m.label_probability) for m in found.mistakes] == [(2, "new", None)]
    assert found.suspects == ()
    with pytest.raises(ConfigurationError, match="got 1 and 2"):
        find_errors(classifier, ["a"], ["b", "c"])


def test_any_number_of_labels(helpdesk: Any) -> None:
    texts, labels = helpdesk
    several = [
        (label, "milk") if "milk" in text else (label,)
        for text, label in zip(texts, labels, strict=True)
    ]
    classifier = TextClassifier.train(texts, several, None, task="labels", C=30.0)
    assert find_errors(classifier, texts, several).mistakes == ()
    row = next(row for row, given in enumerate(several) if "milk" in given)
    given = list(several)
    given[row] = (labels[row],)
    found = find_errors(classifier, texts, given)
    assert [mistake.row for mistake in found.mistakes] == [row]
    assert found.mistakes[0].label == (labels[row],)
    assert set(found.mistakes[0].predicted) == {labels[row], "milk"}
    column = classifier.labels.tolist().index("milk")
    chance = classifier.predict_proba([texts[row]])[0, column]
    assert found.mistakes[0].probability == pytest.approx(chance, rel=1e-5)
    assert [suspect.row for suspect in found.suspects] == [row]
    assert set(found.suspects[0].predicted) == {labels[row], "milk"}

    unknown = list(several)
    unknown[row] = (*several[row], "juice")
    with pytest.warns(UnknownLabelsWarning, match="'juice'"):
        [mistake] = find_errors(classifier, texts, unknown).mistakes
    assert (mistake.row, mistake.probability, mistake.label_probability) == (row, 1, None)
    assert set(mistake.predicted) == set(several[row])


def test_numbers_that_differ_most() -> None:
    texts = ["one", "two", "three"] * 8
    classifier = TextClassifier.train(texts, [1.0, 2.0, 3.0] * 8, None, task="number")
    found = find_errors(classifier, ["one", "two", "three"], [1.0, 9.0, 4.0])
    assert [mistake.row for mistake in found.mistakes][:2] == [1, 2]
    assert found.mistakes[0].label == 9
    assert found.suspects == ()


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.tsv", "text\tlabel\na\tx\n\nb\ty\n", [2, 4]),
        ("a.csv", 'a,x\n"b\nb",y\nc,x\n', [1, 2, 4]),
        ("a.jsonl", '\n{"text": "a", "label": "x"}\n', [2]),
    ],
)
def test_lines_are_numbered(name: str, content: str, lines: list[int], tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    assert read_numbered(tmp_path / name).lines == lines
