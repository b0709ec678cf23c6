"""Scores compared with values worked out by hand and with scikit-learn; the picture."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import classification_report

from embedkit.classification.report import confusion_picture, score_labels
from embedkit.errors import ConfigurationError, OutputExistsError, StorageError

TRUE = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "b", "b", "d", "a"]


def test_scores_worked_out_by_hand() -> None:
    report = score_labels(TRUE, PREDICTED)
    assert report.accuracy == pytest.approx(3 / 6)
    assert report.labels == ["a", "b", "c", "d"]
    # three are predicted to be a, two of them correctly; two of the three true a are found
    a, b, c, d = report.classes
    assert (a.precision, a.recall, a.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (b.precision, b.recall, b.f1) == pytest.approx((1 / 2, 1 / 2, 1 / 2))
    assert (c.precision, c.recall, c.f1, c.texts) == (0, 0, 0, 1)
    assert d.texts == 0
    assert report.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 4)
    expected = [[2, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert report.confusion.tolist() == expected
    assert report.as_dict()["confusion"] == expected


def test_scores_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    true, predicted = random.integers(0, 5, (2, 300)).astype(str).tolist()
    expected = classification_report(true, predicted, output_dict=True)
    report = score_labels(true, predicted)
    assert report.accuracy == pytest.approx(expected["accuracy"])
    assert report.macro_f1 == pytest.approx(expected["macro avg"]["f1-score"])
    for score in report.classes:
        assert score.recall == pytest.approx(expected[score.label]["recall"])


@pytest.mark.parametrize(("true", "predicted"), [([], []), (["a"], ["a", "b"])])
def test_missing_labels_are_rejected(true: list[str], predicted: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=f"got {len(true)} and {len(predicted)}"):
        score_labels(true, predicted)


def test_a_single_label_gives_no_warning() -> None:
    report = score_labels(["a", "a"], ["a", "a"])  # warnings are errors in tests
    assert report.accuracy == 1
    assert report.confusion.tolist() == [[2]]


def test_an_existing_picture_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "mine.png"
    path.write_text("old")
    with pytest.raises(OutputExistsError, match="was not overwritten"):
        confusion_picture(score_labels(TRUE, PREDICTED), path)
    assert path.read_text() == "old"
    confusion_picture(score_labels(TRUE, PREDICTED), path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_cells_are_shaded_by_their_share_of_the_row(tmp_path: Path) -> None:
    from matplotlib.image import imread

    for name, predicted in (("right.png", TRUE), ("wrong.png", ["c", "c", "c", "a", "a", "b"])):
        confusion_picture(score_labels(TRUE, predicted), tmp_path / name)
    right, wrong = (imread(tmp_path / name)[..., :3] for name in ("right.png", "wrong.png"))
    assert right.shape[:2] == wrong.shape[:2]
    # the first cell, a predicted as a, is dark in one picture and white in the other
    height, width = right.shape[:2]
    cell = np.s_[int(height * 0.2) : int(height * 0.25), int(width * 0.2) : int(width * 0.25)]
    assert right[cell].mean() < 0.4
    assert wrong[cell].mean() > 0.9
    confusion_picture(score_labels(TRUE, PREDICTED), tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_pictures_that_cannot_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = score_labels(TRUE, PREDICTED)
    with pytest.raises(ConfigurationError, match=r"unknown picture format .*from .png, .svg, .pdf"):
        confusion_picture(report, tmp_path / "a.bmp")
    with pytest.raises(StorageError, match="cannot write"):
        confusion_picture(report, tmp_path / "nowhere" / "a.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'embedkit\[viz\]'"):
        confusion_picture(report, tmp_path / "a.png")
