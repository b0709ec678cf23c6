"""The words beside a file of numbers, with or without counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.errors import FormatError
from embedkit.formats import read, write


def test_counts_are_kept_and_decide_the_order(tmp_path: Path) -> None:
    matrix = np.eye(3, dtype=np.float32)
    (tmp_path / "x.txt").write_text("rare\t1\noften\t9\nseldom\t2\n")
    np.save(tmp_path / "x.npy", matrix.astype(np.float64))
    found = read(tmp_path / "x.npy")
    assert [*found.vocabulary] == ["often", "seldom", "rare"]
    assert found.vocabulary.counts.tolist() == [9, 2, 1]
    assert found["rare"].tolist() == [1, 0, 0]
    for name in ("y.npz", "y.safetensors", "y.embedkit"):
        write(found, tmp_path / name)
        assert read(tmp_path / name).vocabulary.counts.tolist() == [9, 2, 1]


def test_missing_list_is_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.eye(3))
    with pytest.raises(
        FormatError, match=r"its word list, .*z\.words\.txt or .*z\.txt, is missing"
    ):
        read(tmp_path / "z.npy")
