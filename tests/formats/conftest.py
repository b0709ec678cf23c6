"""Words with special characters, numbers that need all their digits, and checks of faulty files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import FormatError
from embedkit.formats import convert, read
from embedkit.vectors.word_vectors import WordVectors

WORDS = ["the", "naïve", "日本", "o'clock", '"', "1", "-0.5", "#", "\u00a0", "nan", "a,b", "\\"]
OUTPUTS = {
    "embedkit": "x.embedkit", "word2vec": "x.vec", "word2vec-binary": "x.bin", "glove": "x.glove",
    "npy": "x.npy", "npz": "x.npz", "safetensors": "x.safetensors", "static": "x",
    "fasttext": "x.fasttext",
}  # fmt: skip
"""A path to write in each format that can be read back."""


@pytest.fixture(scope="session")
def odd() -> WordVectors:
    """(12, 5), of every size that float32 has."""
    bits = np.random.default_rng(1).integers(0, 2**32, 1_000, dtype=np.uint32).view(np.float32)
    matrix = bits[np.isfinite(bits)][: len(WORDS) * 5].reshape(-1, 5).copy()
    matrix[0] = [0, -0.0, 1e-45, 3.4028235e38, 0.1]
    return WordVectors(Vocabulary(WORDS), matrix, context=np.ones_like(matrix))


def same(found: WordVectors, expected: WordVectors) -> bool:
    """Tell whether words and numbers agree, bit for bit."""
    bits = [np.asarray(v.matrix).view(np.uint32) for v in (found, expected)]
    return [*found.vocabulary] == [*expected.vocabulary] and np.array_equal(*bits)


class Fault(NamedTuple):
    """A faulty file.

    Attributes:
        data: the file.
        problem: what the error says, as a regular expression.
        repairs: what is counted with the policy "skip".
        words: what is left then.
    """

    data: bytes
    problem: str
    repairs: dict[str, int]
    words: list[str]


def check_fault(fault: Fault, folder: Path, name: str | None = None) -> None:
    """Check that a fault is an error with the policy "strict", and counted with "skip"."""
    path = folder / "x"
    path.write_bytes(fault.data)
    with pytest.raises(FormatError, match=fault.problem) as raised:
        read(path, format=name)
    assert raised.value.hint
    assert str(path) in str(raised.value)
    report = convert(path, folder / "y.embedkit", source_format=name, errors="skip")
    assert report.repairs == fault.repairs
    assert [*read(folder / "y.embedkit").vocabulary] == fault.words
