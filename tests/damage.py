"""Models with numbers that embedkit does not write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from embedkit.storage.model_directory import TENSORS
from embedkit.vectors.word_vectors import WordVectors


def save_unchecked(path: Path, words: list[str], matrix: object) -> Path:
    """Write a model directory, and the bytes of any numbers, (V, d), into its file of vectors."""
    numbers = np.asarray(matrix, dtype="<f4")
    WordVectors(words, np.ones(numbers.shape)).save(path, overwrite=True)
    content = bytearray((path / TENSORS).read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    first, last = json.loads(content[8:start])["vectors"]["data_offsets"]
    content[start + first : start + last] = numbers.tobytes()
    (path / TENSORS).write_bytes(content)
    return path
