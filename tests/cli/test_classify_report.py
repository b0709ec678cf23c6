"""What evaluate prints of many labels."""

from __future__ import annotations

import pytest

from embedkit.classification.report import score_labels
from embedkit.cli.classify_report import print_report


def test_of_many_labels_the_worst_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    true = [f"label{number:02}" for number in range(60) for _ in range(2)]
    predicted = list(true)
    predicted[0] = predicted[1] = "label07"  # label00
    predicted[2] = "label09"  # one of label01
    print_report(score_labels(true, predicted))
    lines = capsys.readouterr().out.splitlines()
    scores = [line.split() for line in lines if line.startswith("label") and line.count("0") > 9]
    assert [row[0] for row in scores[:4]] == ["label00", "label01", "label07", "label09"]
    assert len(scores) == 20
    assert "40 labels with a higher F1; --json prints all" in lines
    assert [line.split() for line in lines[-3:]] == [
        ["true", "predicted", "texts"], ["label00", "label07", "2"], ["label01", "label09", "1"],
    ]  # fmt: skip
