"""What gensim saves: words, vectors, counts and n-grams as gensim itself loads them."""

from __future__ import annotations

import io
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import Doc2Vec, FastText, KeyedVectors, Word2Vec
from gensim.models.doc2vec import TaggedDocument

from embedkit.errors import FormatError
from embedkit.formats import convert, detect, inert_pickle, read

SENTENCES = [["ann", "likes", "the", "café", "and", "日本"], ["the", "cat", "likes", "ann"]] * 20
OPTIONS: dict[str, Any] = {"vector_size": 6, "min_count": 1, "epochs": 1, "workers": 1, "seed": 1}
SEPARATE = 10  # numbers; larger arrays go to files beside the pickle
WRITERS: dict[str, Callable[[Path], KeyedVectors]] = {}


def writer(function: Callable[[Path], KeyedVectors]) -> Callable[[Path], KeyedVectors]:
    WRITERS[function.__name__] = function
    return function


@writer
def word2vec(path: Path) -> KeyedVectors:
    model = Word2Vec(SENTENCES, **OPTIONS)
    model.save(str(path))
    return model.wv


@writer
def word2vec_in_several_files(path: Path) -> KeyedVectors:
    model = Word2Vec(SENTENCES, **OPTIONS)
    model.save(str(path), sep_limit=SEPARATE)
    assert Path(f"{path}.wv.vectors.npy").is_file()
    return model.wv


@writer
def keyed_vectors(path: Path) -> KeyedVectors:
    vectors = Word2Vec(SENTENCES, **OPTIONS).wv
    vectors.save(str(path), sep_limit=SEPARATE)
    assert Path(f"{path}.vectors.npy").is_file()
    return vectors


@writer
def keyed_vectors_of_protocol_2(path: Path) -> KeyedVectors:
    vectors = Word2Vec(SENTENCES, **OPTIONS).wv
    vectors.save(str(path), pickle_protocol=2)
    return vectors


@writer
def keyed_vectors_of_protocol_5(path: Path) -> KeyedVectors:
    vectors = Word2Vec(SENTENCES, **OPTIONS).wv
    vectors.save(str(path), pickle_protocol=5)
    return vectors


@writer
def fasttext(path: Path) -> KeyedVectors:
    model = FastText(SENTENCES, bucket=97, **OPTIONS)
    model.save(str(path))
    return model.wv


@writer
def fasttext_in_several_files(path: Path) -> KeyedVectors:
    vectors = FastText(SENTENCES, bucket=97, **OPTIONS).wv
    vectors.save(str(path), sep_limit=SEPARATE)
    assert Path(f"{path}.vectors_ngrams.npy").is_file()
    return vectors


@writer
def fasttext_without_ngrams(path: Path) -> KeyedVectors:
    vectors = FastText(SENTENCES, bucket=0, max_n=0, **OPTIONS).wv
    vectors.save(str(path))
    return vectors


@writer
def doc2vec(path: Path) -> KeyedVectors:
    texts = [TaggedDocument(words, [n]) for n, words in enumerate(SENTENCES)]
    model = Doc2Vec(texts, **OPTIONS)
    model.save(str(path))
    return model.wv


@pytest.mark.parametrize("name", WRITERS)
def test_words_vectors_and_counts_are_those_of_gensim(name: str, tmp_path: Path) -> None:
    theirs = WRITERS[name](tmp_path / "x")
    assert detect(tmp_path / "x") == "gensim"
    ours = read(tmp_path / "x")
    assert [*ours.vocabulary] == theirs.index_to_key
    assert np.allclose(ours.matrix, theirs.vectors, atol=1e-6)
    counts = [theirs.get_vecattr(word, "count") for word in theirs.index_to_key]
    assert ours.vocabulary.counts.tolist() == counts
    if "fasttext" in name and theirs.bucket:
        assert ours.subwords is not None
        unknown = ["annie", "cafés", "日"]
        assert np.allclose(ours.subwords.encode(unknown), [theirs[w] for w in unknown], atol=1e-6)
    else:
        assert ours.subwords is None
    limited = read(tmp_path / "x", limit=3)
    assert [*limited.vocabulary] == theirs.index_to_key[:3]


def test_compressed_model(tmp_path: Path) -> None:
    model = Word2Vec(SENTENCES, **OPTIONS)
    model.save(str(tmp_path / "x.gz"), sep_limit=SEPARATE)
    assert (tmp_path / "x.gz.wv.vectors.npz").is_file()
    assert np.array_equal(read(tmp_path / "x.gz").matrix, model.wv.vectors)


def test_missing_file_beside_the_model_is_named(tmp_path: Path) -> None:
    word2vec_in_several_files(tmp_path / "x")
    beside = tmp_path / "x.wv.vectors.npy"
    beside.write_bytes(beside.read_bytes()[:90])
    with pytest.raises(FormatError, match=r"x\.wv\.vectors\.npy cannot be read"):
        read(tmp_path / "x")
    beside.unlink()
    with pytest.raises(FormatError, match=r"x\.wv\.vectors\.npy, which belongs to it, is missing"):
        read(tmp_path / "x")


@pytest.fixture
def gensim3(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """The classes of gensim 3, under its names, as far as a pickle shows them."""
    module = types.ModuleType("gensim.models.keyedvectors")
    for name in ("Word2VecKeyedVectors", "FastTextKeyedVectors", "Vocab", "Word2Vec"):
        kind = type(name, (), {"__module__": module.__name__, "__qualname__": name})
        setattr(module, name, kind)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def filled(kind: type, **attributes: Any) -> Any:
    made = kind()
    made.__dict__.update(attributes)
    return made


def old_vectors(module: Any, matrix: np.ndarray, **more: Any) -> Any:
    words = ["the", "café"]
    vocab = {
        w: filled(module.Vocab, index=n, count=9 - n, sample_int=1) for n, w in enumerate(words)
    }
    kind = module.FastTextKeyedVectors if more else module.Word2VecKeyedVectors
    return filled(kind, vocab=vocab, index2word=words, vectors=matrix, vectors_norm=None, **more)


MATRIX = np.array([[1, 2], [3, 4]], dtype=np.float32)


def test_layout_of_gensim_3(gensim3: Any, tmp_path: Path) -> None:
    wv = old_vectors(gensim3, MATRIX)
    for number, saved in enumerate([wv, filled(gensim3.Word2Vec, wv=wv, min_count=1)]):
        path = tmp_path / f"{number}.model"
        path.write_bytes(pickle.dumps(saved, protocol=2))
        found = read(path)
        assert [*found.vocabulary] == ["the", "café"]
        assert found.vocabulary.counts.tolist() == [9, 8]
        assert found.matrix.tolist() == MATRIX.tolist()


def test_layout_of_gensim_1_with_the_array_beside_it(gensim3: Any, tmp_path: Path) -> None:
    wv = old_vectors(gensim3, MATRIX)
    del wv.vectors
    setattr(wv, "__numpys", ["syn0"])
    model = filled(gensim3.Word2Vec, wv=wv)
    (tmp_path / "x").write_bytes(pickle.dumps(model, protocol=2))
    np.save(tmp_path / "x.wv.syn0.npy", MATRIX)
    assert read(tmp_path / "x").matrix.tolist() == MATRIX.tolist()


def test_fasttext_of_gensim_3_with_the_used_ngrams_only(gensim3: Any, tmp_path: Path) -> None:
    whole = FastText(SENTENCES, bucket=97, **OPTIONS).wv
    used = [5, 96, 7]
    settings = {"bucket": 97, "min_n": 3, "max_n": 6}
    wv = old_vectors(
        gensim3, MATRIX, vectors_ngrams=whole.vectors_ngrams[used], compatible_hash=True,
        hash2index={bucket: row for row, bucket in enumerate(used)}, **settings,
    )  # fmt: skip
    (tmp_path / "x").write_bytes(pickle.dumps(wv, protocol=2))
    found = read(tmp_path / "x")
    assert found.matrix.tolist() == MATRIX.tolist()
    assert found.subwords is not None
    assert found.subwords.ids.tolist() == sorted(used)
    assert np.array_equal(found.subwords.rows, whole.vectors_ngrams[sorted(used)])
    wv.compatible_hash = False
    (tmp_path / "x").write_bytes(pickle.dumps(wv, protocol=2))
    with pytest.raises(FormatError, match=r"n-grams are numbered as in gensim before 3\.7\.2"):
        read(tmp_path / "x")
    assert convert(tmp_path / "x", tmp_path / "y.npz", errors="skip").repairs == {"old_hash": 1}


class Command:
    """A pickle of it runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_runs_no_code(protocol: int, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "x").write_bytes(pickle.dumps({"wv": Command(ran)}, protocol=protocol))
    with pytest.raises(FormatError, match=r"refers to posix\.system, which is neither") as raised:
        read(tmp_path / "x")
    assert "save_word2vec_format" in raised.value.hint
    assert not ran.exists()
    pickle.loads((tmp_path / "x").read_bytes())  # the file would have
    assert ran.exists()


@pytest.mark.parametrize(
    "name", ["builtins eval", "builtins getattr", "numpy load", "os system", "gensimx a"]
)
def test_names_are_refused(name: str, tmp_path: Path) -> None:
    module, function = name.split()
    (tmp_path / "x").write_bytes(b"\x80\x02c%s\n%s\n." % (module.encode(), function.encode()))
    with pytest.raises(FormatError, match=f"refers to {module}.{function}"):
        read(tmp_path / "x")


@pytest.mark.parametrize("name", ["_codecs encode", "numpy dtype", "numpy ndarray", "gensim.x y"])
@pytest.mark.parametrize("state", ["N}X\x01\0\0\0aI1\ns\x86", "}X\x01\0\0\0aI1\ns"])
def test_a_pickle_changes_nothing_of_the_reader(name: str, state: str, tmp_path: Path) -> None:
    """The opcode BUILD would set attributes of the function or class that it is applied to."""
    module, function = name.split()
    found = inert_pickle._Unpickler(io.BytesIO()).find_class(module, function)
    before = dict(getattr(found, "__dict__", {}))
    (tmp_path / "x").write_bytes(f"\x80\x02c{module}\n{function}\n{state}b.".encode("latin1"))
    with pytest.raises(FormatError, match="this pickle is damaged"):
        read(tmp_path / "x")
    assert dict(getattr(found, "__dict__", {})) == before


def test_empty_arrays(tmp_path: Path) -> None:
    wv = word2vec(tmp_path / "x")
    wv.extra = np.zeros((0, 3), dtype=np.float32)
    wv.save(str(tmp_path / "x"))
    assert np.array_equal(read(tmp_path / "x").matrix, wv.vectors)


def test_gensim_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = word2vec(tmp_path / "x")
    for module in [name for name in sys.modules if name.partition(".")[0] == "gensim"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert np.array_equal(read(tmp_path / "x").matrix, theirs.vectors)


@pytest.mark.parametrize("size", [3, 20, 100, 1_000])
def test_damaged_pickle_is_an_error(size: int, tmp_path: Path) -> None:
    word2vec(tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(data[:size])
    with pytest.raises(FormatError, match="this pickle is damaged"):
        read(tmp_path / "x")


def test_changed_bytes_are_an_error_or_harmless(tmp_path: Path) -> None:
    word2vec(tmp_path / "x")
    data = bytearray((tmp_path / "x").read_bytes())
    random = np.random.default_rng(1)
    refused = 0
    for place in random.integers(3, len(data), 300):
        changed = bytearray(data)
        changed[place] = random.integers(256)
        (tmp_path / "x").write_bytes(changed)
        try:
            read(tmp_path / "x")
        except FormatError:
            refused += 1
    assert refused > 30


def test_other_pickles_are_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pickle.dumps({"a": [1]}))
    with pytest.raises(FormatError, match="dict contains no word vectors"):
        read(tmp_path / "x")
    vectors = KeyedVectors(2)
    vectors.add_vectors([7, 8], MATRIX)
    vectors.save(str(tmp_path / "y"))
    with pytest.raises(FormatError, match="the key 7 is not a word"):
        read(tmp_path / "y")
