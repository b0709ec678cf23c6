"""Training that continues from fastText's files: Facebook's own, and those that embedkit writes."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedkit import formats
from embedkit.corpus.corpus import Corpus
from embedkit.encoders import SkipGramEncoder, SubwordEncoder, TrainedEncoder, load_encoder
from embedkit.errors import ConfigurationError, FormatError
from embedkit.evaluation import analogy_accuracy
from embedkit.formats import convert
from embedkit.training.composition import InputRows
from embedkit.vectors.word_vectors import WordVectors

TOPICS = [
    ["river", "lake", "ocean", "harbor", "island", "anchor"],
    ["violin", "piano", "trumpet", "concert", "melody", "rhythm"],
]
CORPORA = Path(__file__).parents[2] / "corpora"
SETTINGS: dict[str, Any] = {"epochs": 2, "min_count": 1, "sample": 0, "workers": 1}


def sentences(topics: list[list[str]], count: int) -> list[list[str]]:
    random = np.random.default_rng(7)
    return [random.choice(topics[n % len(topics)], 8).tolist() for n in range(count)]


def contrast(vectors: WordVectors) -> float:
    """How much more similar words of one topic are than words of two, on average."""
    units = [np.array([vectors.units[vectors.row(w)] for w in words]) for words in TOPICS]
    within = [(topic @ topic.T)[np.triu_indices(len(topic), 1)].mean() for topic in units]
    return float(np.mean(within) - (units[0] @ units[1].T).mean())


def facebook_model(path: Path, *, supervised: bool = False, **options: Any) -> Any:
    """Train with fastText, and return its model."""
    fasttext = pytest.importorskip("fasttext", reason="fastText is not installed")
    lines = [" ".join(words) for words in sentences(TOPICS, 300)]
    if supervised:
        lines = [f"__label__{number % 2} {line}" for number, line in enumerate(lines)]
    path.with_suffix(".txt").write_text("\n".join(lines))
    train = fasttext.train_supervised if supervised else fasttext.train_unsupervised
    settings = {
        "dim": 16,
        "minCount": 1,
        "thread": 1,
        "verbose": 0,
        "bucket": 900,
        "t": 1,
        **options,
    }
    model = train(str(path.with_suffix(".txt")), **settings)
    model.save_model(str(path))
    return model


def same_kind(start: TrainedEncoder, **changes: Any) -> TrainedEncoder:
    names = ("dimension", "architecture", "min_ngram", "max_ngram", "buckets")
    held = {name: value for name, value in start.get_params().items() if name in names}
    return type(start)(**{**held, **SETTINGS, **changes})


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("maxn", [4, 0])
def test_training_begins_at_the_rows_of_the_file(model: str, maxn: int, tmp_path: Path) -> None:
    theirs = facebook_model(tmp_path / "x.bin", model=model, minn=2, maxn=maxn, ws=4, neg=6)
    ours = load_encoder(tmp_path / "x.bin")
    assert isinstance(ours, SubwordEncoder if maxn else SkipGramEncoder)
    assert (ours.config.architecture, ours.config.window, ours.config.negative) == (model, 4, 6)
    words = theirs.get_words()
    assert ours.vocabulary.words() == words
    np.testing.assert_array_equal(ours.context, theirs.get_output_matrix())
    new = same_kind(ours)
    text = Corpus.read([["river", "violin", "saxophone"]] * 5)
    start = new._start(ours, text)
    rows = InputRows(start.vocabulary, new.config)
    inputs, matrix = rows.continued(start, 16, 1), theirs.get_input_matrix()
    for word in words:
        np.testing.assert_array_equal(inputs[start.vocabulary.id(word)], matrix[words.index(word)])
    assert len(inputs) == len(words) + 1 + len(rows.ids)
    found, expected = inputs[rows.of_ngrams], matrix[len(words) + rows.ids]
    # fastText leaves zeros in most rows that it never trained; training gives them random numbers.
    trained = expected.any(axis=1)
    np.testing.assert_array_equal(found[trained], expected[trained])
    assert trained.sum() > 0.7 * len(trained) or not maxn


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_what_a_model_of_facebook_knew_is_kept(model: str, tmp_path: Path) -> None:
    facebook_model(tmp_path / "x.bin", model=model, epoch=4, lr=0.1)
    start = load_encoder(tmp_path / "x.bin")
    assert isinstance(start, SubwordEncoder)
    before, text = contrast(start.vectors()), sentences(TOPICS, 20)
    assert contrast(same_kind(start, epochs=1).fit(text).vectors()) < 0.1 * before
    same = same_kind(start, epochs=1).fit(text, start=start).vectors()
    assert contrast(same) > 0.7 * before
    other = same_kind(start).fit([["quark", "boson"] * 4] * 20, start=start).vectors()
    assert contrast(other) > 0.9 * before
    assert {"quark", "boson", "violin"} <= set(other.vocabulary)


@pytest.mark.slow
def test_epochs_add_to_what_a_model_of_facebook_knew(tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext", reason="fastText is not installed")
    text = CORPORA / "world.txt"
    theirs = fasttext.train_unsupervised(
        str(text), dim=24, epoch=3, minn=4, bucket=20_000, thread=1, verbose=0
    )
    theirs.save_model(str(tmp_path / "x.bin"))
    start = load_encoder(tmp_path / "x.bin")
    assert isinstance(start, SubwordEncoder)
    first, second = (same_kind(start, sample=None) for _ in range(2))
    models = [start, first.fit(text), second.fit(text, start=start)]
    before, fresh, after = (
        analogy_accuracy(model.vectors(), CORPORA / "analogies.txt").total.accuracy
        for model in models
    )
    assert after > 1.5 * before > 0.05
    assert after > 2 * fresh
    assert models[2].report["loss"] < 0.8 * models[1].report["loss"]


@pytest.mark.parametrize("kind", [SkipGramEncoder, SubwordEncoder])
def test_a_file_of_embedkit_continues_like_the_model(
    kind: type[TrainedEncoder], tmp_path: Path
) -> None:
    first = kind(dimension=12, **SETTINGS).fit(sentences(TOPICS, 200))
    formats.write(first.vectors(), tmp_path / "x.bin", format="fasttext")
    again = load_encoder(tmp_path / "x.bin")
    assert isinstance(again, kind)
    again.save(tmp_path / "x.embedkit")
    np.testing.assert_array_equal(load_encoder(tmp_path / "x.embedkit").context, first.context)
    text = sentences([[*TOPICS[0], *TOPICS[1], "saxophone"]], 50)
    expected = same_kind(first).fit(text, start=first).vectors()
    found = same_kind(again).fit(text, start=again).vectors()
    assert found.vocabulary.words() == expected.vocabulary.words()
    np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-5)
    np.testing.assert_allclose(found.context, expected.context, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"loss": "hs"}, "trained with hierarchical softmax"),
        ({"loss": "softmax"}, "trained with softmax"),
        ({"supervised": True}, "supervised model"),
    ],
)
def test_a_model_without_usable_output_matrix_only_answers_questions(
    options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    facebook_model(tmp_path / "x.bin", **options)
    start = load_encoder(tmp_path / "x.bin")
    assert isinstance(start, TrainedEncoder)
    assert len(start.vectors().neighbors("river", 3)) == 3
    with pytest.raises(ConfigurationError, match=rf"no output matrix.* {problem}"):
        same_kind(start).fit(sentences(TOPICS, 10), start=start)


def test_zeros_are_no_output_matrix(tmp_path: Path) -> None:
    vectors = WordVectors(["a", "b"], np.eye(2))
    with pytest.warns(UserWarning, match="not known"):
        formats.write(vectors, tmp_path / "x.bin", format="fasttext")
    start = load_encoder(tmp_path / "x.bin")
    assert isinstance(start, TrainedEncoder)
    assert start.context is None
    assert start.problem == "Its output matrix contains only zeros."


def test_the_output_matrix_is_read_only_if_wanted(tmp_path: Path) -> None:
    facebook_model(tmp_path / "x.bin")
    start = load_encoder(tmp_path / "x.bin", context=False)
    assert isinstance(start, SubwordEncoder)
    assert start.context is None
    data = (tmp_path / "x.bin").read_bytes()
    (tmp_path / "x.bin").write_bytes(data[:-1])
    assert (
        load_encoder(tmp_path / "x.bin", context=False).vocabulary.words()[0]
        == (start.vocabulary.words()[0])
    )
    with pytest.raises(FormatError, match=r"rows? is missing|cut short"):
        load_encoder(tmp_path / "x.bin")


def test_settings_out_of_range_are_not_taken_from_a_file(tmp_path: Path) -> None:
    theirs = facebook_model(tmp_path / "x.bin", ws=90, neg=50)
    start = load_encoder(tmp_path / "x.bin")
    assert isinstance(start, SubwordEncoder)
    assert (start.config.window, start.config.negative) == (5, 11)
    assert start.dimension == theirs.get_dimension()


def test_a_damaged_output_matrix_is_an_error(tmp_path: Path) -> None:
    path, size = tmp_path / "x.bin", 1 + 16 + 4 * 5 * 3
    vectors = WordVectors(list("abcde"), np.eye(5, 3), context=np.eye(5, 3, dtype=np.float32))
    formats.write(vectors, path, format="fasttext")
    data = path.read_bytes()
    start = len(data) - size
    for end in range(start, len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(FormatError, match=r"byte [0-9]+: the model is cut short"):
            load_encoder(path)
    for rows, dimension in ((6, 3), (5, 4), (1 << 62, 3), (-1, 3)):
        path.write_bytes(data[: start + 1] + struct.pack("<qq", rows, dimension) + data[-60:])
        with pytest.raises(FormatError, match=rf"byte {start + 17}: the matrix is {rows:,} x"):
            load_encoder(path)
    path.write_bytes(data[:-4] + struct.pack("<f", np.nan))
    with pytest.raises(FormatError, match="not finite"):
        load_encoder(path)
    assert len(load_encoder(path, context=False).vocabulary) == 5


def test_a_model_directory_keeps_what_training_needs(tmp_path: Path) -> None:
    theirs = facebook_model(tmp_path / "x.bin", model="cbow", minn=2, maxn=4)
    formats.convert(tmp_path / "x.bin", tmp_path / "model", target_format="embedkit")
    start, direct = load_encoder(tmp_path / "model"), load_encoder(tmp_path / "x.bin")
    assert isinstance(start, SubwordEncoder)
    assert isinstance(direct, SubwordEncoder)
    np.testing.assert_array_equal(start.context, theirs.get_output_matrix())
    assert start.get_params() == direct.get_params()
    np.testing.assert_allclose(start._own_rows(), direct._own_rows(), atol=1e-5)
    text = sentences(TOPICS, 20)
    found, expected = (same_kind(one).fit(text, start=one).vectors() for one in (start, direct))
    np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-4)


@pytest.mark.parametrize("encoder", [SkipGramEncoder, SubwordEncoder])
def test_position_weights_are_kept_with_the_model(
    encoder: type[TrainedEncoder], tmp_path: Path
) -> None:
    settings = {**SETTINGS, "architecture": "cbow", "position_weights": True, "dimension": 8}
    text = sentences(TOPICS, 40)
    first = encoder(**settings, window=3).fit(text)
    assert first._positions is not None
    assert (first._positions != 1).any(axis=1).all()
    first.save(tmp_path / "model")
    saved = load_encoder(tmp_path / "model")
    assert isinstance(saved, encoder)
    np.testing.assert_array_equal(saved._positions, first._positions)
    again, same = (
        encoder(**settings, window=3).fit(text, start=start).vectors() for start in (first, saved)
    )
    np.testing.assert_allclose(again.matrix, same.matrix, atol=1e-5)
    start = encoder(**settings, window=3)._start(saved, Corpus.read(text))
    np.testing.assert_array_equal(start.positions, first._positions)


def test_settings_outside_the_ranges_of_embedkit_are_left_out(tmp_path: Path) -> None:
    """fastText allows them, so a model that has them can be read, saved and opened."""
    facebook_model(tmp_path / "x.bin", minn=2, maxn=4)
    data = bytearray((tmp_path / "x.bin").read_bytes())
    dim, _, _, _, _, *rest = struct.unpack_from("<12id", data, 8)
    rest[-1] = math.nan
    for rest[5] in (4, 256):  # maxn
        struct.pack_into("<12id", data, 8, dim, 90, 0, 0, 50, *rest)
        (tmp_path / "y.bin").write_bytes(data)
        convert(tmp_path / "y.bin", tmp_path / "model", overwrite=True)
        opened = load_encoder(tmp_path / "model")
        assert isinstance(opened, SubwordEncoder)
        held = opened.config
        assert (held.window, held.negative, held.epochs, held.min_count) == (5, 11, None, 5)
        assert held.sample is None
        assert opened.vectors().subwords.ngrams.longest == rest[5]
