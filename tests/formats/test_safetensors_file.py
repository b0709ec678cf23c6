from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from embedkit.errors import FormatError
from embedkit.formats import convert, write
from embedkit.vectors.word_vectors import WordVectors


def test_safetensors_package_reads_what_is_written(odd: WordVectors, tmp_path: Path) -> None:
    write(odd, tmp_path / "z.safetensors")
    assert np.array_equal(load_file(tmp_path / "z.safetensors")["vectors"], odd.matrix)


def test_scales_beside_the_matrix_are_named(tmp_path: Path) -> None:
    tensors = {"vectors": np.ones((2, 3), dtype=np.int8), "scales": np.ones(2, dtype=np.float32)}
    save_file(tensors, tmp_path / "x.safetensors")
    (tmp_path / "x.txt").write_text("a\nb\n")
    with pytest.raises(
        FormatError, match="it also contains scales, which embedkit does not support"
    ):
        convert(tmp_path / "x.safetensors", tmp_path / "y.npz")
    report = convert(tmp_path / "x.safetensors", tmp_path / "y.npz", errors="skip")
    assert report.repairs == {"unknown_part": 1}


def test_many_tensors_are_not_all_listed(tmp_path: Path) -> None:
    tensors = {f"layer.{n}": np.ones((2, 3), dtype=np.float32) for n in range(300)}
    save_file(tensors, tmp_path / "x.safetensors")
    with pytest.raises(
        FormatError, match=r"exactly one matrix, found layer\S+(, \S+){4} and 295 more"
    ):
        convert(tmp_path / "x.safetensors", tmp_path / "y.npz")
