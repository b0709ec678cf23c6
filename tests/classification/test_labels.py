"""Labels of each task as numbers, and the errors of labels that are none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.utils import compute_sample_weight

from embedkit.classification.labels import Labels
from embedkit.errors import ConfigurationError, InputError

TEXTS = ["a", "b", "c", "d"]


@pytest.mark.parametrize("given", [["x", "y", "x", "z"], [3, 1, 3, 2], [True, False, True, False]])
def test_one_label_each(given: list[Any]) -> None:
    labels, targets = Labels.of("label", TEXTS, given)
    assert labels.classes[targets.rows.argmax(axis=1)].tolist() == given
    assert targets.rows.sum(axis=1).tolist() == [1] * 4
    np.testing.assert_allclose(
        targets.balanced_weights(), compute_sample_weight("balanced", given), rtol=1e-6
    )
    in_a_file = [json.dumps(label).strip('"') for label in given]
    assert labels.as_given([*in_a_file, "new"]) == [*given, "new"]
    again = Labels.from_dict(json.loads(json.dumps(labels.as_dict())))
    assert again.classes.tolist() == labels.classes.tolist()


def test_several_labels() -> None:
    labels, targets = Labels.of("labels", TEXTS, [("b", "a"), (), ["b"], {"c"}])
    assert labels.classes.tolist() == ["a", "b", "c"]
    assert targets.rows.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert labels.as_given([("c", "unheard of"), []]) == [("c", "unheard of"), ()]


def test_a_text_without_labels_has_the_weight_1() -> None:
    _, targets = Labels.of("labels", TEXTS, [("b", "a"), (), ["b"], ["b"]])
    # n / (K x texts with the label): a 4 / (2 x 1), b 4 / (2 x 3).
    np.testing.assert_allclose(targets.balanced_weights(), [4 / 3, 1, 2 / 3, 2 / 3], rtol=1e-6)


def test_numbers_are_standardized() -> None:
    labels, targets = Labels.of("number", TEXTS, [1, 2.5, "4", np.float32(0)])
    back = labels.mean + labels.standard_deviation * targets.rows[:, 0]
    np.testing.assert_allclose(back, [1, 2.5, 4, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("task", "given", "error", "message"),
    [
        ("label", ["x"] * 4, ConfigurationError, "there is only one class, 'x', in 4 rows"),
        ("label", ["x", 1, "x", 2], ConfigurationError, "all integers.* got int, str"),
        ("label", [0.5, 1.5, 2.5, 3.5], ConfigurationError, 'use task="number"'),
        ("label", ["x", None, "y", "z"], InputError, "row 1 .* has the target None"),
        ("label", ["x", "y"], InputError, "got 4 texts, but 2 targets"),
        ("labels", ["x", "y", "x", "z"], InputError, "row 0 .* 'x', which is not a list"),
        ("labels", [(), (), (), ()], InputError, "no text has a label"),
        (
            "labels",
            [("b", "a"), ("a", "b")] * 2,
            ConfigurationError,
            r"has the labels \['a', 'b'\]",
        ),
        ("number", [1, 2, "many", 4], InputError, "row 2 .* 'many', which is not a finite number"),
        ("number", [1, 2, float("inf"), 4], InputError, "row 2 .* inf, which is not a finite"),
        ("number", [2, 2, 2, 2], ConfigurationError, "every text has the number 2"),
        ("number", [0.1] * 4, ConfigurationError, "every text has the number 0.1"),
        ("number", [1e308, -1e308] * 2, ConfigurationError, "standard deviation inf .* range"),
        ("labels+", ["x"] * 4, ConfigurationError, "unknown task 'labels\\+'"),
    ],
)
def test_labels_that_are_none(
    task: str, given: list[Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Labels.of(task, TEXTS, given)
