"""Skip-gram: settings, report, both matrices, and models that open by memory map."""

from __future__ import annotations

import inspect
import json
import math
import subprocess
import sys
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import embedkit
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import SkipGramEncoder
from embedkit.errors import ConfigurationError, CorpusError, HighLossWarning, ModelError
from embedkit.storage.model_directory import write_model
from embedkit.training.config import TrainingConfig
from embedkit.training.report import Progress

SENTENCES = [["one", "two", "three"], ["two", "three", "four", "five"]] * 20
SETTINGS: dict[str, Any] = {
    "dimension": 10,
    "epochs": 3,
    "min_count": 20,
    "sample": 0,
    "workers": 1,
}

OPEN = """
import resource, sys
import embedkit, scipy.sparse

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before = megabytes()
encoder = embedkit.load_encoder(sys.argv[1])
vectors = encoder.vectors()
encoder.encode(["w77", "w99999"]), vectors["w5"], vectors.distance(["w1", "w50000"])
vectors.norms[:9], encoder.context[0], "nothing" in vectors
print(megabytes() - before)
"""


@pytest.fixture(scope="module")
def encoder() -> SkipGramEncoder:
    return SkipGramEncoder(**SETTINGS).fit(SENTENCES)


def test_report_describes_training(encoder: SkipGramEncoder) -> None:
    report = encoder.report
    assert report["tokens"] == 140
    assert (report["epochs"], report["workers"]) == (3, 1)
    assert len(report["epoch_losses"]) == 3
    assert report["loss"] == report["epoch_losses"][-1]
    assert 0 < report["loss"] < 1
    assert report["pairs"] > 0
    assert report["tokens_per_second"] == pytest.approx(3 * 140 / report["seconds"])


def test_report_names_the_text(encoder: SkipGramEncoder) -> None:
    assert encoder.report["corpus_fingerprint"] == Corpus.read(SENTENCES).fingerprint
    other = Corpus.read([*SENTENCES, ["one"]])
    assert encoder.report["corpus_fingerprint"] != other.fingerprint


@pytest.mark.parametrize("tokenizer", ["words", "whitespace"])
def test_report_names_the_tokenizer_of_a_file(tmp_path: Path, tokenizer: str) -> None:
    (tmp_path / "text").write_text("one two\n" * 9)
    corpus = Corpus.read(tmp_path / "text", tokenizer=tokenizer)
    encoder = SkipGramEncoder(dimension=2, epochs=1, sample=0).fit(corpus)
    assert encoder.report["tokenizer"] == tokenizer


def test_report_names_no_tokenizer_where_tokens_were_given(encoder: SkipGramEncoder) -> None:
    assert encoder.report["tokenizer"] is None


def test_both_matrices_are_read_only_and_of_one_shape(encoder: SkipGramEncoder) -> None:
    assert encoder.context is not None
    for matrix in (encoder.vectors().matrix, encoder.context):
        assert matrix.shape == (5, 10)
        assert matrix.dtype == np.float32
        assert np.abs(matrix).sum() > 0
        with pytest.raises(ValueError, match="read-only"):
            matrix[0] = 0


def test_model_holds_both_matrices_and_the_lengths(
    encoder: SkipGramEncoder, tmp_path: Path
) -> None:
    encoder.save(tmp_path / "model")
    stored = safetensors.numpy.load_file(tmp_path / "model" / "vectors.safetensors")
    matrix = encoder.vectors().matrix
    assert stored.keys() == {"vectors", "norms", "context"}
    np.testing.assert_array_equal(stored["vectors"], matrix, strict=True)
    np.testing.assert_array_equal(stored["context"], encoder.context, strict=True)
    np.testing.assert_allclose(stored["norms"], np.linalg.norm(matrix, axis=1), rtol=1e-6)
    opened = SkipGramEncoder.load(tmp_path / "model")
    assert isinstance(opened.context, np.memmap)
    np.testing.assert_array_equal(opened.context, stored["context"])


def test_model_records_its_settings_and_training(encoder: SkipGramEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["encoder"] == "skipgram"
    assert config["settings"] == encoder.get_params()
    assert {name: config["settings"][name] for name in SETTINGS} == SETTINGS
    as_json = json.loads(json.dumps(encoder.report))
    assert config["training"] == as_json
    opened = SkipGramEncoder.load(tmp_path / "model")
    assert opened.report == as_json


def test_a_text_without_a_pair_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(CorpusError, match=r"no pairs of words.* sample=1e-12, .* --sample 0 "):
        SkipGramEncoder(**{**SETTINGS, "sample": 1e-12}).fit(SENTENCES)
    for sample in (0, 1e-3):
        with pytest.raises(CorpusError, match="no sentence has two words that occur") as caught:
            SkipGramEncoder(sample=sample, min_count=1).fit([["alone"], ["apart"]] * 10)
        assert "one line of a file" in caught.value.hint
        assert "sample" not in str(caught.value)


def test_a_small_corpus_is_not_subsampled_by_default() -> None:
    small = SkipGramEncoder(epochs=1, workers=1).fit([["bread", "jam"]] * 100)
    assert small.report["sample"] == 0
    assert small.config.sample is None
    large = SkipGramEncoder(epochs=1, dimension=1).fit([["bread", "jam"] * 50] * 300)
    assert large.report["sample"] == 1e-4
    given = SkipGramEncoder(epochs=1, sample=0.5).fit([["bread", "jam"]] * 100)
    assert given.report["sample"] == 0.5


def test_a_loss_like_guessing_is_a_warning() -> None:
    baskets = [["bread", "butter", "jam"], ["beer", "crisps"], ["bread", "jam"]] * 200
    encoder = SkipGramEncoder(dimension=16, window=3, epochs=2, workers=1, sample=1e-4)
    with pytest.warns(HighLossWarning, match=r"0\.693.* or sample=0 \(--sample 0\)") as caught:
        encoder.fit(baskets)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SkipGramEncoder(dimension=16, window=3, epochs=2, workers=1).fit(baskets)


def test_training_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "embedkit")
    SkipGramEncoder(**SETTINGS).fit(SENTENCES)
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "Training on 140 tokens, 5 words, with sample=0"
    assert said[-1].startswith("Trained 3 epochs: loss 0.")
    assert {record.name.split(".")[0] for record in caplog.records} == {"embedkit"}


def test_the_library_prints_nothing_by_itself() -> None:
    code = """
import embedkit
embedkit.SkipGramEncoder(epochs=2, workers=1).fit([["bread", "jam", "butter"]] * 100)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_config_is_json_even_if_an_epoch_had_no_pair(tmp_path: Path) -> None:
    settings = {**SETTINGS, "sample": 1e-5, "epochs": 300}
    encoder = SkipGramEncoder(**settings).fit(SENTENCES[:20] * 2)
    assert None in encoder.report["epoch_losses"]
    encoder.save(tmp_path / "model")
    text = (tmp_path / "model" / "config.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize(
    "settings",
    [{}, {"epochs": None, "workers": None}, {"sample": 0.5, "window": 3}, {"seed": 2**63 - 1}],
    ids=str,
)
def test_settings_can_be_loaded(tmp_path: Path, settings: dict[str, Any]) -> None:
    encoder = SkipGramEncoder(**{**SETTINGS, **settings}).fit(SENTENCES[:20] * 2)
    encoder.save(tmp_path / "model")
    assert SkipGramEncoder.load(tmp_path / "model").config == encoder.config


def test_model_without_vectors_is_rejected(encoder: SkipGramEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "model")
    (tmp_path / "model" / "vectors.safetensors").unlink()
    with pytest.raises(
        ModelError, match=r"is incomplete: context, norms, vectors is missing.*[Tt]rain"
    ):
        SkipGramEncoder.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("dimension", 0),
        ("dimension", 1025),
        ("dimension", 10.0),
        ("dimension", "10"),
        ("dimension", True),
        ("dimension", None),
        ("window", 0),
        ("window", 61),
        ("negative", 0),
        ("negative", 26),
        ("epochs", 0),
        ("epochs", 10_001),
        ("min_count", 0),
        ("min_count", -1),
        ("sample", -1e-9),
        ("sample", 1.1),
        ("sample", math.nan),
        ("learning_rate", 0),
        ("learning_rate", 0.11),
        ("learning_rate", math.inf),
        ("minimum_learning_rate", -1e-9),
        ("workers", 0),
        ("seed", -1),
        ("seed", 2**63),
    ],
)
def test_settings_out_of_range_are_rejected(setting: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{setting} must be .* between .* and .*, got"):
        SkipGramEncoder(**{setting: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        {"dimension": 1, "window": 1, "negative": 1, "epochs": 1, "sample": 1, "seed": 0},
        {"dimension": 1024, "window": 60, "negative": 25, "epochs": 10_000, "sample": 0.0},
        {"learning_rate": 1e-6, "minimum_learning_rate": 0, "workers": 1024},
        {"learning_rate": 0.1, "min_count": 2**31},
    ],
    ids=str,
)
def test_limits_of_the_ranges_are_allowed(settings: dict[str, Any]) -> None:
    config = SkipGramEncoder(**settings).config
    assert {name: getattr(config, name) for name in settings} == settings


def test_an_unknown_setting_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match=r"'windw'.*dimension, window, negative"):
        SkipGramEncoder.from_config(windw=5)
    with pytest.raises(TypeError, match="windw"):
        SkipGramEncoder(windw=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional argument"):
        SkipGramEncoder(100)  # type: ignore[misc]


def test_parameters_are_the_fields_of_the_config() -> None:
    parameters = inspect.signature(SkipGramEncoder).parameters.values()
    found = {parameter.name: parameter.default for parameter in parameters}
    expected = {field.name: field.default for field in fields(TrainingConfig)}
    for name in ("min_ngram", "max_ngram", "buckets"):
        assert expected.pop(name) is None
    assert found == {**expected, "time_budget": None}
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    values = {"dimension": 3, "window": 2, "negative": 4, "epochs": 6, "min_count": 7}
    values |= {"sample": 0.25, "learning_rate": 0.01, "minimum_learning_rate": 0.001}
    values |= {"workers": 8, "seed": 9, "sync_every": 10}
    assert SkipGramEncoder(**values).config == TrainingConfig(**values)
    assert SkipGramEncoder(**values).get_params() == {
        **values,
        "architecture": "skipgram",
        "position_weights": False,
        "time_budget": None,
    }


def test_settings_change_a_given_config() -> None:
    given = TrainingConfig(dimension=7, window=3)
    encoder = SkipGramEncoder.from_config(given, window=4)
    assert (encoder.config.dimension, encoder.config.window, given.window) == (7, 4, 3)
    assert encoder.dimension == 7


def test_seed_changes_the_vectors(encoder: SkipGramEncoder) -> None:
    other = SkipGramEncoder(**SETTINGS, seed=2).fit(SENTENCES)
    assert np.abs(other.vectors().matrix - encoder.vectors().matrix).max() > 0


def test_a_single_frequent_word_is_an_error() -> None:
    with pytest.raises(CorpusError, match=r"min_count=5 .*needs at least 2.*Lower --min-count"):
        SkipGramEncoder().fit([["one"] * 9, ["two"]])


def test_progress_reaches_the_end() -> None:
    seen: list[Progress] = []
    SkipGramEncoder(**SETTINGS).fit(SENTENCES, progress=seen.append)
    assert seen[-1].tokens == seen[-1].total_tokens == 3 * 140
    assert seen[-1].epoch == seen[-1].epochs == 3


def test_opening_a_model_does_not_read_its_matrices(tmp_path: Path) -> None:
    matrix = np.random.default_rng(1).random((100_000, 100), dtype=np.float32)
    write_model(
        tmp_path / "model",
        config={"encoder": "skipgram", "dimension": 100, "settings": {"dimension": 100}},
        vocabulary=Vocabulary([f"w{number}" for number in range(100_000)]),
        tensors={"vectors": matrix, "norms": np.linalg.norm(matrix, axis=1), "context": matrix},
    )
    done = subprocess.run(
        [sys.executable, "-c", OPEN, tmp_path / "model"], capture_output=True, text=True, check=True
    )
    matrix_megabytes = matrix.nbytes / 2**20
    assert float(done.stdout) < matrix_megabytes / 2


def test_loaded_vectors_are_those_of_the_encoder(encoder: SkipGramEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "model")
    vectors = embedkit.load(tmp_path / "model")
    assert vectors.config["settings"]["dimension"] == 10
    assert vectors.neighbors("one") == encoder.vectors().neighbors("one")
