"""Options of questions, their names, and modules of names that import no numeric library."""

from __future__ import annotations

import subprocess
import sys

import pytest

from embedkit.vectors.options import ANALOGY_METHODS, OOV, PAIR_METHODS, SearchOptions
from tests.vectors.samples import DENSE, MATRIX

NAMES = ["vectors.options", "index.options", "encoders.names", "evaluation.options"]


@pytest.mark.parametrize("module", NAMES)
def test_names_of_options_import_no_numeric_library(module: str) -> None:
    code = f"import sys, embedkit.{module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "scipy", "pyarrow", "faiss", "torch"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("topn", "k"),
        ("restirct", "restrict"),
        ("metrics", "metric"),
        ("top_k", "k"),
    ],
)
def test_unknown_options_are_rejected_with_a_suggestion(option: str, meant: str) -> None:
    for ask in (
        lambda **given: DENSE.neighbors("w1", **given),
        lambda **given: DENSE.query("w1 + w2", **given),
        lambda **given: DENSE.analogy("w1", "w2", "w3", **given),
        lambda **given: DENSE.transfer([("w1", "w2")], ["w3"], **given),
        lambda **given: DENSE.nearest([[("w1", 1.0)]], **given),
    ):
        with pytest.raises(TypeError, match=f"unknown option '{option}'; did you mean {meant}"):
            ask(**{option: 5})


def test_an_unlike_option_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(TypeError, match="choose from k, metric, restrict, exclude"):
        DENSE.neighbors("w1", zzz=5)  # type: ignore[call-arg]


def test_every_named_choice_is_accepted() -> None:
    for oov in OOV:
        assert SearchOptions(oov=oov).oov == oov
    for method in ANALOGY_METHODS:
        assert DENSE.analogy("w1", "w2", "w3", 1, method=method)
    for method in PAIR_METHODS:
        assert DENSE.analogy_from_pairs([("w1", "w2"), ("w3", "w4")], "w5", 1, method=method)
    assert len(MATRIX) == len(DENSE)
