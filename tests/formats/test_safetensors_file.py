from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from embedkit.formats import write
from embedkit.vectors.word_vectors import WordVectors


def test_safetensors_package_reads_what_is_written(odd: WordVectors, tmp_path: Path) -> None:
    write(odd, tmp_path / "z.safetensors")
    assert np.array_equal(load_file(tmp_path / "z.safetensors")["vectors"], odd.matrix)
