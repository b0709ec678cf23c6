"""Quantized fastText models (.ftz), compared with fastText, with the layout, and damaged."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedkit
from embedkit.errors import FormatError
from embedkit.formats import convert, detect, read

SYLLABLES = ["ka", "naï", "日本", "stra", "ße", "tor", "li", "üb"]
UNKNOWN = ["kakat", "日本日", "nothing", "torliüc", "z", "naïvely"]
SHAPES = {
    "whole": ({}, {}),
    "norms": ({}, {"qnorm": True}),
    "parts of three": ({}, {"dsub": 3}),
    "output": ({}, {"qout": True, "qnorm": True}),
    "pruned": ({}, {"cutoff": 300}),
    "pruned and trained again": ({}, {"cutoff": 300, "retrain": True, "qnorm": True, "epoch": 1}),
    "without n-grams": ({"maxn": 0}, {}),
    "pruned word n-grams": ({"maxn": 0, "wordNgrams": 2}, {"cutoff": 300}),
    "both kinds of n-grams": ({"wordNgrams": 2}, {"cutoff": 900}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", SHAPES)
def test_fasttext_gives_the_same_vectors(shape: str, tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext", reason="fastText is not installed")
    random = np.random.default_rng(0)
    words = ["".join(random.choice(SYLLABLES, random.integers(2, 5))) for _ in range(600)]
    lines = [f"__label__{n % 300} {' '.join(random.choice(words, 9))}" for n in range(900)]
    text = tmp_path / "text"
    text.write_text("\n".join(lines))
    training, quantization = SHAPES[shape]
    options: dict[str, Any] = {"minn": 2, "maxn": 4, "bucket": 2_000, **training}
    theirs = fasttext.train_supervised(
        str(text), dim=10, minCount=1, epoch=2, verbose=0, thread=1, **options
    )
    theirs.quantize(str(text), verbose=0, thread=1, **quantization)
    theirs.save_model(str(tmp_path / "x.ftz"))
    assert detect(tmp_path / "x.ftz") == "fasttext"
    ours = embedkit.load(tmp_path / "x.ftz")
    assert sorted(ours.vocabulary) == sorted(theirs.get_words())
    for word in theirs.get_words():
        np.testing.assert_allclose(ours[word], theirs.get_word_vector(word), atol=1e-5)
    if "maxn" in training:
        assert ours.subwords is None
        return
    assert ours.subwords.pruned == ("cutoff" in quantization)
    convert(tmp_path / "x.ftz", tmp_path / "x.embedkit")
    for found in (ours, embedkit.load(tmp_path / "x.embedkit")):
        for word, vector in zip(UNKNOWN, found.subwords.encode(UNKNOWN), strict=True):
            np.testing.assert_allclose(vector, theirs.get_word_vector(word), atol=1e-5)


WORDS, DIMENSION, PARTS = 3, 5, 3
HUGE = 1 << 62


def quantizer(dimension: int, parts: int, width: int, last: int, codebook: np.ndarray) -> bytes:
    return struct.pack("<4i", dimension, parts, width, last) + codebook.astype("<f4").tobytes()


def model_file(
    *,
    kept: list[tuple[int, int]] | None = None,
    pruned: int = 2,
    shape: tuple[int, int, int] = (WORDS + 2, DIMENSION, (WORDS + 2) * PARTS),
    product: tuple[int, int, int, int] = (DIMENSION, PARTS, 2, 1),
) -> bytes:
    """Return a pruned model with norms, by fastText's layout; code c stands for c, c, c ..."""
    data = struct.pack("<ii", 793712314, 12)
    data += struct.pack("<12id", DIMENSION, 5, 5, 1, 5, 1, 3, 3, 50, 2, 2, 100, 1e-4)
    data += struct.pack("<3i2q", WORDS, WORDS, 0, 9, pruned)
    for number, word in enumerate(["b", "ab", "xyz"]):
        data += word.encode() + b"\0" + struct.pack("<qb", 9 - number, 0)
    for bucket, row in [(41, 0), (7, 1)] if kept is None else kept:
        data += struct.pack("<2i", bucket, row)
    data += struct.pack("<??2qi", True, True, *shape)
    rows = WORDS + max(pruned, 0) if pruned < HUGE else WORDS
    data += bytes(range(rows * PARTS))
    codebook = np.concatenate(
        [np.repeat(np.arange(256), width) for width in (2, 2, 1)]
    )  # each part's centroids
    data += quantizer(*product, codebook)
    data += bytes([1, 2, 1, 1, 0][:rows]) + quantizer(1, 1, 1, 1, np.arange(256) / 2)
    return data


def test_rows_are_those_of_the_layout(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(model_file())
    found = read(tmp_path / "x")
    assert found.subwords.ids.tolist() == [7, 41]
    # The codes of row r are 3r, 3r + 1, 3r + 2, for parts of 2, 2 and 1 numbers.
    codes = np.repeat(np.arange(15).reshape(5, 3), [2, 2, 1], axis=1)
    own = codes * np.array([0.5, 1, 0.5, 0.5, 0])[:, None]
    assert found.subwords.rows.tolist() == own[[4, 3]].tolist()
    # None of these words has one of the n-grams that were kept, so they are their own rows.
    assert found.matrix.tolist() == own[:3].tolist()


def test_a_model_may_have_lost_all_n_grams(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(model_file(kept=[], pruned=0, shape=(3, 5, 9)))
    found = read(tmp_path / "x")
    assert found.subwords is None
    assert found["b"].tolist() == [0, 0, 0.5, 0.5, 1]


def test_a_file_cut_short_anywhere_is_an_error(tmp_path: Path) -> None:
    data = model_file()
    for size in range(90, len(data), 11):
        (tmp_path / "x").write_bytes(data[:size])
        with pytest.raises(FormatError, match=r"x, byte [0-9,]+: ") as raised:
            read(tmp_path / "x", format="fasttext")
        assert raised.value.hint == "Download the file again."


DAMAGED = {
    "more rows than the dictionary": ({"shape": (6, 5, 18)}, "6 x 5 with 18 codes, but the"),
    "another dimension": ({"shape": (5, 6, 15)}, "5 x 6 with 15 codes, but the settings say 5 x 5"),
    "a negative code size": ({"shape": (5, 5, -15)}, "-15 codes"),
    "a huge code size": ({"shape": (5, 5, 2**31 - 5)}, "2,147,483,643 codes"),
    "a huge matrix": ({"shape": (HUGE, 5, 15)}, r"x 5 with 15 codes"),
    "an uneven code size": ({"shape": (5, 5, 16)}, "16 codes"),
    "no codes": ({"shape": (5, 5, 0)}, "0 codes"),
    "parts without width": ({"product": (5, 3, 0, 5)}, "3 parts of 0 and 5 numbers"),
    "other parts than codes": ({"product": (5, 2, 3, 2)}, "2 parts .* each row has 3 codes"),
    "a wide last part": ({"product": (5, 3, 1, 3)}, "3 parts of 1 and 3 numbers"),
    "a quantizer of another dimension": ({"product": (6, 3, 2, 2)}, "for 6 dimensions, but"),
    "a bucket twice": ({"kept": [(7, 0), (7, 1)]}, "2 n-grams that pruning kept contradicts"),
    "a row twice": ({"kept": [(7, 0), (8, 0)]}, "contradicts itself"),
    "a bucket beyond the last": ({"kept": [(7, 0), (50, 1)]}, "contradicts itself"),
    "a negative row": ({"kept": [(7, -1), (8, 1)]}, "contradicts itself"),
    "more kept than there are": ({"pruned": HUGE}, "settings are not valid"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_sizes_that_contradict_each_other_are_an_error(case: str, tmp_path: Path) -> None:
    changes, problem = DAMAGED[case]
    (tmp_path / "x").write_bytes(model_file(**changes))
    with pytest.raises(FormatError, match=rf"x, byte [0-9,]+: .*{problem}") as raised:
        read(tmp_path / "x")
    assert raised.value.hint


def test_a_pruned_matrix_that_is_not_quantized_is_an_error(tmp_path: Path) -> None:
    data = model_file()
    place = data.index(struct.pack("<??2qi", True, True, 5, 5, 15))
    (tmp_path / "x").write_bytes(data[:place] + b"\0" + data[place + 1 :])
    with pytest.raises(FormatError, match="pruned but not quantized"):
        read(tmp_path / "x")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_codebook_of_numbers_that_are_not_finite_is_an_error(
    number: float, tmp_path: Path
) -> None:
    data = model_file()
    place = data.index(struct.pack("<4i", 1, 1, 1, 1)) + 16 + 4 * 200
    (tmp_path / "x").write_bytes(data[:place] + struct.pack("<f", number) + data[place + 4 :])
    with pytest.raises(FormatError, match=f"byte {place + 1:,}: a number is not finite"):
        read(tmp_path / "x")
