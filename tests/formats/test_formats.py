"""What every format has in common: the same vectors come back, and gensim agrees."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import (
    ConfigurationError,
    FormatError,
    ModelError,
    OutputExistsError,
    StorageError,
)
from embedkit.formats import FORMATS, convert, detect, read, write
from embedkit.vectors.word_vectors import WordVectors

NAMES = {
    "embedkit": "x.embedkit", "word2vec": "x.vec", "word2vec-binary": "x.bin", "glove": "x.glove",
    "npy": "x.npy", "npz": "x.npz", "safetensors": "x.safetensors", "static": "x",
}  # fmt: skip


def same(found: WordVectors, expected: WordVectors) -> bool:
    bits = [np.asarray(v.matrix).view(np.uint32) for v in (found, expected)]
    return [*found.vocabulary] == [*expected.vocabulary] and np.array_equal(*bits)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_comes_back_bit_for_bit(
    name: str, odd: WordVectors, tmp_path: Path
) -> None:
    path = tmp_path / NAMES[name]
    write(odd, path, format=name)
    assert detect(path) == name
    assert same(read(path), odd)
    assert same(embedkit.load(path), odd)
    assert [*read(path, limit=3).vocabulary] == [*odd.vocabulary][:3]


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("name", ["word2vec", "word2vec-binary", "npy", "npz", "safetensors"])
def test_compressed_files_are_told_by_content(
    name: str, ending: str, odd: WordVectors, tmp_path: Path
) -> None:
    path = tmp_path / (NAMES[name] + ending)
    write(odd, path)
    plain = tmp_path / "plain"
    plain.write_bytes(path.read_bytes())
    for words in tmp_path.glob("*.words.txt"):
        (tmp_path / "plain.words.txt").write_bytes(words.read_bytes())
    assert detect(plain) == name
    assert same(read(plain), odd)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gensim's
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_gensim_reads_what_is_written(odd: WordVectors, tmp_path: Path) -> None:
    for name, options in {
        "x.txt": {}, "x.bin": {"binary": True}, "x.glove": {"no_header": True},
    }.items():  # fmt: skip
        write(odd, tmp_path / name)
        found = KeyedVectors.load_word2vec_format(str(tmp_path / name), **options)
        assert found.index_to_key == [*odd.vocabulary]
        assert np.array_equal(found.vectors.view(np.uint32), odd.matrix.view(np.uint32))


def test_what_gensim_writes_is_read(odd: WordVectors, tmp_path: Path) -> None:
    theirs = KeyedVectors(odd.dimension)
    theirs.add_vectors([*odd.vocabulary], np.array(odd.matrix))
    for name, options in {
        "word2vec": {}, "word2vec-binary": {"binary": True}, "glove": {"write_header": False},
    }.items():  # fmt: skip
        theirs.save_word2vec_format(str(tmp_path / "x"), **options)
        assert detect(tmp_path / "x") == name
        assert same(read(tmp_path / "x"), odd)


def test_word2vec_c_ends_rows_with_a_line(tmp_path: Path) -> None:
    row = np.array([1, 2], "<f4").tobytes()
    (tmp_path / "x").write_bytes(b"2 2\nun " + row + b"\ndeux " + row + b"\n")
    assert [*read(tmp_path / "x").vocabulary] == ["un", "deux"]


def test_counts_stay_and_decide_the_order(tmp_path: Path) -> None:
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


def test_numpy_and_safetensors_read_what_is_written(odd: WordVectors, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    for name in ("x.npy", "y.npz", "z.safetensors"):
        write(odd, tmp_path / name)
    assert np.array_equal(np.load(tmp_path / "x.npy"), odd.matrix)
    assert np.load(tmp_path / "y.npz")["words"].tolist() == [*odd.vocabulary]
    assert np.array_equal(load_file(tmp_path / "z.safetensors")["vectors"], odd.matrix)
    assert (tmp_path / "x.words.txt").read_text().splitlines()[1] == "naïve"


def test_model2vec_loads_the_static_folder(model: Path, tmp_path: Path) -> None:
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not here")
    vectors = embedkit.load(model)
    write(vectors, tmp_path / "static", format="static")
    theirs = model2vec.StaticModel.from_pretrained(tmp_path / "static")
    found = theirs.encode(["Paris, rome!", "unheard paris"])
    mean = (vectors["paris"] + vectors["rome"]) / 2
    assert np.allclose(found, [mean, vectors["paris"]], atol=1e-6)


def test_the_static_folder_is_what_tokenizers_expects(model: Path, tmp_path: Path) -> None:
    vectors = embedkit.load(model)
    write(vectors, tmp_path / "static", format="static")
    tokenizer = json.loads((tmp_path / "static" / "tokenizer.json").read_text())
    assert tokenizer["model"]["vocab"]["paris"] == vectors.row("paris")
    assert tokenizer["model"]["vocab"][tokenizer["model"]["unk_token"]] == len(vectors)
    assert same(read(tmp_path / "static"), vectors)


def test_words_that_a_format_cannot_write(tmp_path: Path) -> None:
    words = [". .", "new york", "new_york", "plain"]
    vectors = WordVectors(Vocabulary(words), np.eye(4, dtype=np.float32))
    write(vectors, tmp_path / "x.npy")
    for name in ("x.vec", "x.bin", "x.glove"):
        with pytest.raises(FormatError, match=r"word 1: '\. \.' holds what separates words"):
            write(vectors, tmp_path / name)
        assert not (tmp_path / name).exists()
    report = convert(tmp_path / "x.npy", tmp_path / "skip.vec", errors="skip")
    assert (report.words, report.repairs) == (2, {"unwritable": 2})
    convert(tmp_path / "x.npy", tmp_path / "replace.vec", errors="replace")
    mended = read(tmp_path / "replace.vec")
    assert [*mended.vocabulary] == ["._.", "new_york", "plain"]
    assert mended["new_york"].tolist() == [0, 0, 1, 0]


def test_nothing_is_lost(odd: WordVectors, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("kept")
    for name in ("static", "embedkit"):
        with pytest.raises(OutputExistsError):
            write(odd, tmp_path / "mine", format=name, overwrite=True)
    write(odd, tmp_path / "x.vec")
    before = (tmp_path / "x.vec").read_bytes()
    with pytest.raises(OutputExistsError):
        write(odd, tmp_path / "x.vec")
    infinite = WordVectors(Vocabulary(["a"]), np.array([[np.inf]], dtype=np.float32))
    with pytest.raises(ModelError, match="the vector of 'a' holds numbers that are not finite"):
        write(infinite, tmp_path / "x.vec", overwrite=True)
    assert (tmp_path / "x.vec").read_bytes() == before
    with pytest.raises(StorageError):
        write(odd, tmp_path / "no" / "x.vec")


def test_wrong_settings(odd: WordVectors, tmp_path: Path) -> None:
    write(odd, tmp_path / "x.vec")
    with pytest.raises(ConfigurationError, match=r"the name .* tells no format"):
        write(odd, tmp_path / "x.pdf")
    with pytest.raises(ConfigurationError, match="fasttext is only read"):
        convert(tmp_path / "x.vec", tmp_path / "y", target_format="fasttext")
    with pytest.raises(ConfigurationError, match="no format 'word'"):
        read(tmp_path / "x.vec", format="word")
    with pytest.raises(ConfigurationError, match="no policy 'never'"):
        read(tmp_path / "x.vec", errors="never")
    with pytest.raises(ConfigurationError, match="limit"):
        read(tmp_path / "x.vec", limit=0)
    with pytest.raises(FormatError, match="cannot read"):
        read(tmp_path / "nowhere")
    assert set(NAMES) | {"fasttext"} == set(FORMATS)
