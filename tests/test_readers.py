"""Every reader of text sees the same with a byte-order mark and CRLF, and in a compressed file."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from embedkit.classification.datasets import read_labeled
from embedkit.cli.input import read_lines
from embedkit.cli.phrases import _connectors
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.phrases import Phrases
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.corpus.walks import read_edges
from embedkit.errors import ConfigurationError, EncodingError, FormatError
from embedkit.evaluation.datasets import read_analogies, read_categories, read_pairs
from embedkit.formats import read, write
from embedkit.plotting.loss_curves import read_loss_curves
from embedkit.service.settings import read_keys
from embedkit.vectors import pairs
from embedkit.vectors.word_vectors import WordVectors


class Reader(NamedTuple):
    """A reader of text files.

    Attributes:
        text: a file for it.
        read: returns what it finds in a file.
        found: what that is.
        compressed: whether it reads compressed files.
    """

    text: str
    read: Callable[[Path], object]
    found: object
    compressed: bool = True


def vectors(path: Path) -> object:
    found = read(path)
    return [*found.vocabulary], found.matrix.tolist()


def npy_words(path: Path) -> object:
    np.save(path.parent / "x.npy", np.eye(2))
    (path.parent / "x.txt").write_bytes(path.read_bytes())
    found = read(path.parent / "x.npy")
    return [*found.vocabulary], found.vocabulary.counts.tolist()


def standard_input(path: Path) -> object:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(path.read_bytes()))
    try:
        return read_lines("words")
    finally:
        sys.stdin = before


def edges(path: Path) -> object:
    graph = read_edges(path)
    return graph.names.to_pylist(), graph.neighbors.tolist()


KEY = "0123456789abcdef"
PHRASES = '# embedkit phrases {"passes": 1}\nnew_york\t86.5\t50\t1\tnew york\n'
LOG = '{"event": "start"}\n{"event": "epoch", "epoch": 1, "loss": 0.5}\n'
READERS = {
    "corpus, words": Reader(
        "ann bob\nann\n", lambda p: [*Corpus.read(p)], [["ann", "bob"], ["ann"]]
    ),
    "corpus, white space": Reader(
        "ann bob\nann\n",
        lambda p: [*Corpus.read(p, tokenizer="whitespace")], [["ann", "bob"], ["ann"]],
    ),
    "connectors": Reader("of the\nand\n", lambda p: _connectors(str(p)), ("of", "the", "and")),
    "phrases": Reader(
        PHRASES, lambda p: Phrases.load(p).apply(["in", "new", "york"]), ["in", "new_york"]
    ),
    "edges": Reader("ann bob\nbob cy\n", edges, (["ann", "bob", "cy"], [1, 0, 2, 1])),
    "edges, commas": Reader("ann,bob\nbob,cy\n", edges, (["ann", "bob", "cy"], [1, 0, 2, 1])),
    "word list": Reader("cat\ndog\n", npy_words, (["cat", "dog"], [0, 0]), compressed=False),
    "word list with counts": Reader(
        "cat\t9\ndog\t7\n", npy_words, (["cat", "dog"], [9, 7]), compressed=False
    ),
    "GloVe": Reader("cat 1 2\ndog 3 4\n", vectors, (["cat", "dog"], [[1, 2], [3, 4]])),
    "GloVe, words with spaces": Reader(
        "cat 1 2\n. . . 3 4\n", vectors, (["cat", ". . ."], [[1, 2], [3, 4]])
    ),
    "word2vec": Reader("2 2\ncat 1 2\ndog 3 4\n", vectors, (["cat", "dog"], [[1, 2], [3, 4]])),
    "wikipedia2vec": Reader(
        "2 2\ncat\t1 2\na b\t3 4\n", vectors, (["cat", "a b"], [[1, 2], [3, 4]])
    ),
    "labeled TSV": Reader("a b\tx\nc\ty\n", read_labeled, (["a b", "c"], ["x", "y"])),
    "labeled CSV": Reader("text,label\na b,x\nc,y\n", read_labeled, (["a b", "c"], ["x", "y"])),
    "labeled JSON lines": Reader(
        '{"text": "a b", "label": "x"}\n', read_labeled, (["a b"], ["x"])
    ),
    "labeled, fastText": Reader("__label__x a b\n", read_labeled, (["a b"], ["x"])),
    "analogies": Reader(
        "a b c d\n", lambda p: read_analogies(p)[0].pairs, (("a", ("b",)), ("c", ("d",)))
    ),
    "similarities": Reader("a\tb\t1.5\n", read_pairs, [("a", "b", 1.5)]),
    "categories": Reader("a\tx\nb\ty\n", read_categories, [("a", "x"), ("b", "y")]),
    "pairs": Reader(
        "king:queen\nman:woman\n", pairs.read_pairs, [("king", "queen"), ("man", "woman")]
    ),
    "standard input": Reader(
        "king\nqueen\n", standard_input, [(1, "king"), (2, "queen")], compressed=False
    ),
    "keys": Reader(f"{KEY}1\n{KEY}2\n", read_keys, (f"{KEY}1", f"{KEY}2"), compressed=False),
    "training log": Reader(
        LOG, lambda p: [curve.losses for curve in read_loss_curves([p])], None, compressed=False
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("name", READERS)
def test_marks_and_line_ends_change_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMBEDKIT_API_KEY", raising=False)
    reader, path = READERS[name], tmp_path / "file"
    windows = b"\xef\xbb\xbf" + reader.text.replace("\n", "\r\n").encode()
    path.write_text(reader.text, encoding="utf-8")
    expected = reader.read(path)
    assert reader.found in (None, expected)
    assert expected
    variants = [windows, windows.removesuffix(b"\r\n")]
    for data in [*variants, gzip.compress(windows)] if reader.compressed else variants:
        path.write_bytes(data)
        assert reader.read(path) == expected


def test_marks_within_joined_files_are_no_part_of_words(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(2 * b"\xef\xbb\xbfann bob\r\n")
    for tokenizer in ("words", "whitespace"):
        assert [*Corpus.read(tmp_path / "x", tokenizer=tokenizer).vocabulary] == ["ann", "bob"]


TEXT = "Straße café\nąę naïve\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1250", "utf-16", "utf-32-be", "UTF8"]
)
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_corpora_in_any_encoding(
    encoding: str, packed: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    text = TEXT.replace("ï", "i") * 40_000  # several blocks, so characters are cut
    (tmp_path / "x").write_bytes(packed(text.encode(encoding)))
    found = Corpus.read(tmp_path / "x", encoding=encoding, tokenizer="whitespace")
    assert [*found.vocabulary] == ["Straße", "café", "ąę", "naive"]
    assert found.vocabulary.counts.tolist() == [40_000] * 4
    assert len(found) == 80_000


def test_invalid_bytes_of_an_encoding(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a b\nc d\x81e\n")
    with pytest.raises(EncodingError, match=r"x, line 2: byte 0x81 is not valid cp1252") as raised:
        Corpus.read(tmp_path / "x", encoding="cp1252")
    assert "--encoding" in raised.value.hint
    skipped = Corpus.read(tmp_path / "x", encoding="cp1252", errors="skip")
    assert [*skipped] == [["a", "b"], ["c", "de"]]
    for name in ("klingon", "rot13"):
        with pytest.raises(ConfigurationError, match=f"unknown encoding '{name}'"):
            Corpus.read(tmp_path / "x", encoding=name)


def test_edges_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("Köln,Łódź\n".encode("cp1250"))
    assert read_edges(tmp_path / "x", encoding="cp1250").names.to_pylist() == ["Köln", "Łódź"]


@pytest.mark.parametrize("name", ["x.vec", "x.glove", "x.bin", "x.npy"])
@pytest.mark.parametrize("encoding", ["cp852", "latin-1", "shift_jis"])
def test_vectors_in_another_encoding(name: str, encoding: str, tmp_path: Path) -> None:
    words = [{"cp852": "naďve", "latin-1": "naïve", "shift_jis": "ソ表"}[encoding], "cat"]
    path = tmp_path / name
    write(WordVectors(Vocabulary(words), np.array([[1, 2], [3, 4]], dtype=np.float32)), path)
    file = path.with_suffix(".words.txt") if name == "x.npy" else path
    file.write_bytes(file.read_bytes().replace(words[0].encode(), words[0].encode(encoding)))
    with pytest.raises(FormatError, match="which is not UTF-8"):
        read(path)
    assert [*read(path, encoding=encoding).vocabulary] == words
    with pytest.raises(
        ConfigurationError, match="files of vectors cannot be read in the encoding utf-16"
    ):
        read(path, encoding="utf-16")
