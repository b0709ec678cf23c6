"""fastText models, compared with the definition, with gensim, and with fastText if installed."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from gensim.models.fasttext import load_facebook_vectors

import embedkit
from embedkit.corpus.ngrams import Ngrams
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import FormatError
from embedkit.formats import convert, detect, read, read_model, write
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.fasttext import read_trained
from embedkit.formats.repairs import Repairs
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

WORDS = ["king", "naïve", "日本", "a", "</s>"]
UNKNOWN = ["kings", "ö", "日語", "zz", "x"]


def fnv(text: bytes) -> int:
    """fastText's hash: FNV-1a over signed characters."""
    value = 2166136261
    for byte in text:
        value = ((value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619) % 2**32
    return value


def ngrams(word: str, shortest: int, longest: int) -> list[str]:
    """The n-grams of a word, by the definition."""
    marked = f"<{word}>"
    return [
        marked[i : i + n]
        for i in range(len(marked))
        for n in range(shortest, longest + 1)
        if i + n <= len(marked) and not (n == 1 and i in (0, len(marked) - 1))
    ]


def model_file(
    path: Path, *, shortest: int = 2, longest: int = 4, buckets: int = 50, kind: int = 2,
    labels: tuple[str, ...] = (),
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Write a file by fastText's layout; return the rows of words and of buckets."""
    random = np.random.default_rng(0)
    own = random.standard_normal((len(WORDS), 6)).astype(np.float32)
    rows = random.standard_normal((buckets, 6)).astype(np.float32)
    data = struct.pack("<ii", 793712314, 12)
    data += struct.pack("<12id", 6, 5, 5, 1, 5, 1, 1, kind, buckets, shortest, longest, 100, 1e-4)
    entries = len(WORDS) + len(labels)
    data += struct.pack("<3i2q", entries, len(WORDS), len(labels), 100, -1)
    for number, word in enumerate([*WORDS, *labels]):
        data += word.encode() + b"\0" + struct.pack("<qb", 90 - number, number >= len(WORDS))
    data += struct.pack("<?qq", False, len(own) + len(rows), 6)
    path.write_bytes(data + own.tobytes() + rows.tobytes())
    return own, rows


def expected(word: str, own: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
    found = [] if word == "</s>" else ngrams(word, 2, 4)
    parts = [rows[fnv(gram.encode()) % len(rows)] for gram in found]
    return np.mean([*([] if own is None else [own]), *parts], axis=0)


@pytest.mark.parametrize("labels", [(), ("__label__x", "__label__y")])
def test_word_vectors_are_means_of_rows(tmp_path: Path, labels: tuple[str, ...]) -> None:
    own, rows = model_file(tmp_path / "x.bin", labels=labels, kind=3 if labels else 2)
    found = read(tmp_path / "x.bin")
    assert [*found.vocabulary] == WORDS
    assert found.vocabulary.counts.tolist() == [90, 89, 88, 87, 86]
    for number, word in enumerate(WORDS):
        assert np.allclose(found[word], expected(word, own[number], rows), atol=1e-6)
    assert found.subwords is not None
    vectors = found.subwords.encode([*UNKNOWN, ""])
    for number, word in enumerate(UNKNOWN):
        assert np.allclose(vectors[number], expected(word, None, rows), atol=1e-6)
    assert [*read(tmp_path / "x.bin", limit=2).vocabulary] == WORDS[:2]


def test_model_directory_keeps_subwords(tmp_path: Path) -> None:
    model_file(tmp_path / "x.bin")
    convert(tmp_path / "x.bin", tmp_path / "x.embedkit")
    first, second = (embedkit.load(tmp_path / name) for name in ("x.bin", "x.embedkit"))
    assert first.subwords is not None
    assert second.subwords is not None
    assert np.array_equal(first.subwords.encode(UNKNOWN), second.subwords.encode(UNKNOWN))
    assert np.array_equal(first.matrix, second.matrix)


def test_file_cut_short_anywhere_is_an_error(tmp_path: Path) -> None:
    model_file(tmp_path / "x.bin", buckets=3)
    data = (tmp_path / "x.bin").read_bytes()
    for size in range(8, len(data), 7):
        (tmp_path / "x.bin").write_bytes(data[:size])
        assert detect(tmp_path / "x.bin") == "fasttext"
        with pytest.raises(FormatError) as raised:
            read(tmp_path / "x.bin")
        assert raised.value.hint


def test_impossible_settings_are_rejected(tmp_path: Path) -> None:
    model_file(tmp_path / "x.bin")
    data = bytearray((tmp_path / "x.bin").read_bytes())
    struct.pack_into("<i", data, 8, 1 << 30)
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises(FormatError, match="the settings are not valid for fastText"):
        read(tmp_path / "x.bin")
    quantized = bytearray(bytes(data))
    struct.pack_into("<i", quantized, 8, 6)
    place = bytes(quantized).index(struct.pack("<?qq", False, 55, 6))
    quantized[place] = 1
    (tmp_path / "x.bin").write_bytes(quantized)
    with pytest.raises(FormatError, match="quantized"):
        read(tmp_path / "x.bin")


def test_word_without_ngrams_has_a_zero_vector() -> None:
    subwords = Subwords(np.ones((5, 2), dtype=np.float32), Ngrams(5, 6, 5))
    assert subwords.encode(["a", "abcdef"]).tolist() == [[0, 0], [1, 1]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["sub-words", "short", "no sub-words", "supervised"])
def test_fasttext_gives_the_same_vectors(kind: str, tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext", reason="fastText is not installed")
    random = np.random.default_rng(0)
    words = ["king", "paris", "naïve", "über", "straße", "日本語", "cat", "a", "b", "kingdom"]
    lines = [" ".join(random.choice(words, 12)) for _ in range(200)]
    if kind == "supervised":
        lines = [f"__label__{number % 3} {line}" for number, line in enumerate(lines)]
    text = tmp_path / "text"
    text.write_text("\n".join(lines))
    options = {
        "sub-words": {"bucket": 2_000}, "short": {"minn": 1, "maxn": 3, "bucket": 50},
        "no sub-words": {"maxn": 0}, "supervised": {"minn": 2, "maxn": 4, "bucket": 900},
    }[kind]  # fmt: skip
    train = fasttext.train_supervised if kind == "supervised" else fasttext.train_unsupervised
    theirs = train(str(text), dim=8, minCount=1, epoch=3, verbose=0, thread=1, **options)
    theirs.save_model(str(tmp_path / "x.bin"))
    ours = read(tmp_path / "x.bin")
    assert [*ours.vocabulary] == theirs.get_words()
    for word in theirs.get_words():
        assert np.allclose(ours[word], theirs.get_word_vector(word), atol=1e-7)
    if kind == "no sub-words":
        assert ours.subwords is None
        return
    assert ours.subwords is not None
    for word, vector in zip(UNKNOWN, ours.subwords.encode(UNKNOWN), strict=True):
        assert np.allclose(vector, theirs.get_word_vector(word), atol=1e-7)


def test_gensim_gives_the_same_vectors(tmp_path: Path) -> None:
    from gensim.models import FastText
    from gensim.models.fasttext import save_facebook_model

    text = [["king", "paris", "naïve", "日本語", "cat"]] * 20
    theirs = FastText(text, vector_size=8, min_count=1, bucket=200, epochs=2, seed=1, workers=1)
    save_facebook_model(theirs, str(tmp_path / "x.bin"))
    ours = read(tmp_path / "x.bin")
    for word in ours.vocabulary:
        assert np.allclose(ours[word], theirs.wv[word], atol=1e-6)
    assert ours.subwords is not None
    for word, vector in zip(UNKNOWN, ours.subwords.encode(UNKNOWN), strict=True):
        assert np.allclose(vector, theirs.wv[word], atol=1e-6)


def without_magic(data: bytes) -> bytes:
    """Return a model as fastText wrote it in 2016: the layout that gensim calls the old one."""
    head = 8 + 12 * 4 + 8 + 3 * 4 + 8  # up to the number of pruned n-grams
    matrix = len(data) - (len(WORDS) + 50) * 6 * 4 - 16 - 1  # the flag of quantization
    return data[8:head] + data[head + 8 : matrix] + data[matrix + 1 :]


def test_files_of_2016_have_no_magic_number(tmp_path: Path) -> None:
    own, rows = model_file(tmp_path / "x")
    new = read(tmp_path / "x")
    (tmp_path / "old").write_bytes(without_magic((tmp_path / "x").read_bytes()))
    assert detect(tmp_path / "old") == "fasttext"
    old = read(tmp_path / "old")
    assert [*old.vocabulary] == [*new.vocabulary] == WORDS
    assert np.array_equal(old.matrix, new.matrix)
    theirs = load_facebook_vectors(str(tmp_path / "old"))
    assert np.allclose(old.matrix[:4], [theirs[word] for word in WORDS[:4]], atol=1e-6)
    assert old.subwords is not None
    assert np.array_equal(old.subwords.rows, rows)
    assert len(own) == len(old)


def test_empty_word_is_left_out(tmp_path: Path) -> None:
    """fastText writes one with -pretrainedVectors."""
    model_file(tmp_path / "x")
    whole = read(tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(data.replace("日本".encode() + b"\0", b"\0"))
    found = read(tmp_path / "x")
    kept = [0, 1, 3, 4]
    assert [*found.vocabulary] == [WORDS[row] for row in kept]
    assert np.array_equal(found.matrix, whole.matrix[kept])
    assert found.vocabulary.counts.tolist() == [90, 89, 87, 86]


def test_a_row_of_an_n_gram_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    model_file(tmp_path / "x")
    data = bytearray((tmp_path / "x").read_bytes())
    struct.pack_into("<f", data, len(data) - 4 * 9, np.nan)
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FormatError, match=f"byte {len(data) - 35:,}: a number is not finite"):
        read(tmp_path / "x", errors="skip")


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_matrices_stay_together_when_words_are_repaired_and_sorted(
    tmp_path: Path, policy: str
) -> None:
    own, rows = model_file(tmp_path / "x")
    context = np.arange(30, dtype=np.float32).reshape(5, 6) + 1
    context[2, 4] = np.nan
    data = (tmp_path / "x").read_bytes()
    data = data.replace("naïve".encode(), b"na\xff\xffve")
    data = data.replace(struct.pack("<qb", 86, 0), struct.pack("<qb", 1_000, 0))  # of </s>
    data += struct.pack("<?qq", False, 5, 6) + context.tobytes()
    negative_sampling = struct.pack("<i", 2)
    (tmp_path / "x").write_bytes(data[:32] + negative_sampling + data[36:])
    repairs = Repairs(str(tmp_path / "x"), policy)
    with ByteSource(tmp_path / "x") as source:
        model = read_trained(source, repairs)
    assert repairs.counts == {"not_utf8": 1, "not_finite": 1}
    kept = [4, 0, 3] if policy == "skip" else [4, 0, 1, 2, 3]
    words = [*WORDS[:1], "na\ufffd\ufffdve", *WORDS[2:]]
    assert [*model.vectors.vocabulary] == [words[row] for row in kept]
    assert model.own is not None
    assert model.vectors.context is not None
    np.testing.assert_array_equal(model.own, own[kept])
    np.testing.assert_array_equal(model.vectors.context, np.nan_to_num(context)[kept])
    for row in set(kept) - {1}:  # the n-grams of a repaired word are those of its bytes
        np.testing.assert_allclose(
            model.vectors[WORDS[row]], expected(WORDS[row], own[row], rows), atol=1e-6
        )


def test_reading_allocates_each_matrix_once(tmp_path: Path) -> None:
    words, dimension = 20_000, 50
    random = np.random.default_rng(0)
    matrices = [random.standard_normal((words, dimension), np.float32) for _ in range(3)]
    vectors = WordVectors(
        Vocabulary([f"w{number}" for number in range(words)]),
        matrices[0],
        subwords=Subwords(matrices[1], Ngrams(3, 4, words)),
        context=matrices[2],
    )
    write(vectors, tmp_path / "x", format="fasttext")
    one = matrices[0].nbytes
    for reader, held in ((read, 2), (read_model, 4)):  # n-grams, words, and own rows and outputs
        tracemalloc.start()
        kept = reader(tmp_path / "x")
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert kept is not None
        assert held * one <= highest < (held + 2) * one
