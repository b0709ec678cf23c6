"""Arrays that NumPy reads and writes, with their words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.errors import FormatError
from embedkit.formats import read, write
from embedkit.vectors.word_vectors import WordVectors

# By scripts/fuzz_formats; the format that it was read as, and its bytes.
FOUND_BY_FUZZING = {
    "a zip file's first bytes": (
        "npy",
        b"PK\x03\x04[\x1f\x8bM\x00\xff\x01\x00\x00\x00\x00\x00\x00\x00",
    ),
}


def test_numpy_reads_what_is_written(odd: WordVectors, tmp_path: Path) -> None:
    for name in ("x.npy", "y.npz"):
        write(odd, tmp_path / name)
    assert np.array_equal(np.load(tmp_path / "x.npy"), odd.matrix)
    assert np.load(tmp_path / "y.npz")["words"].tolist() == [*odd.vocabulary]
    assert (tmp_path / "x.words.txt").read_text().splitlines()[1] == "naïve"


def test_arrays_that_python_2_wrote(odd: WordVectors, tmp_path: Path) -> None:
    """They write the numbers of a shape as 12L; NumPy warns that they are slower to read."""
    write(odd, tmp_path / "x.npy")
    data = (tmp_path / "x.npy").read_bytes().replace(b"(12, 5), }  ", b"(12L, 5L), }")
    (tmp_path / "x.npy").write_bytes(data)
    assert np.array_equal(read(tmp_path / "x.npy").matrix, odd.matrix)


def test_wrong_shape_in_a_header_is_an_error(tmp_path: Path, odd: WordVectors) -> None:
    write(odd, tmp_path / "x.npz")
    data = (tmp_path / "x.npz").read_bytes().replace(b"(12, 5)", b"(9999999, 50)"[:7])
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(FormatError):
        read(tmp_path / "x.npz")


def test_python_objects_are_rejected(tmp_path: Path) -> None:
    np.savez(tmp_path / "y.npz", words=np.array(["a", {}], dtype=object), vectors=np.eye(2))
    with pytest.raises(FormatError, match="Python objects") as raised:
        read(tmp_path / "y.npz")
    assert "np.array(words, dtype=str)" in raised.value.hint
    np.save(tmp_path / "x.npy", np.array([[1], [2]], dtype=object))
    (tmp_path / "x.txt").write_text("a\nb\n")
    with pytest.raises(FormatError, match="Python objects") as raised:
        read(tmp_path / "x.npy")
    assert "np.array(vectors, dtype=np.float32)" in raised.value.hint


def test_arrays_of_unknown_meaning_are_named(tmp_path: Path) -> None:
    words, counts = np.array(["a", "b"]), np.array([2, 1])
    np.savez(tmp_path / "x.npz", words=words, vectors=np.eye(2), counts=counts)
    assert read(tmp_path / "x.npz").vocabulary.counts.tolist() == [2, 1]
    np.savez(tmp_path / "y.npz", words=words, vectors=np.eye(2), scales=np.ones(2))
    with pytest.raises(
        FormatError, match="it also contains scales, which embedkit does not support"
    ):
        read(tmp_path / "y.npz")
    assert read(tmp_path / "y.npz", errors="skip").matrix.tolist() == [[1, 0], [0, 1]]


def test_other_number_of_words_than_rows_is_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.eye(3))
    (tmp_path / "z.txt").write_text("a\nb\n")
    with pytest.raises(FormatError, match="3 rows for 2 words"):
        read(tmp_path / "z.npy")


@pytest.mark.parametrize("case", FOUND_BY_FUZZING)
def test_what_the_fuzzer_found(case: str, tmp_path: Path) -> None:
    name, data = FOUND_BY_FUZZING[case]
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FormatError) as raised:
        read(tmp_path / "x", format=name)
    assert raised.value.hint
