"""Settings of training."""

from __future__ import annotations

import pytest

from embedkit.errors import ConfigurationError
from embedkit.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dimension", 0),
        ("dimension", 1025),
        ("window", 61),
        ("negative", 26),
        ("epochs", 0),
        ("min_count", 0),
        ("sample", -1e-3),
        ("learning_rate", 0.2),
        ("learning_rate", float("nan")),
        ("workers", 0),
        ("seed", -1),
        ("window", 2.5),
        ("window", True),
    ],
)
def test_invalid_setting_is_rejected(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be .* between .*, got {value!r}"):
        TrainingConfig.of(**{name: value})


def test_unknown_setting_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="unknown setting 'windows'; choose from dim"):
        TrainingConfig.of(windows=5)


def test_subsampling_depends_on_the_size_of_the_corpus() -> None:
    config = TrainingConfig()
    chosen = [config.sample_for(tokens) for tokens in (0, 4_999, 5_000, 29_999, 30_000, 10**9)]
    assert chosen == [0, 0, 1e-3, 1e-3, 1e-4, 1e-4]
    assert TrainingConfig(sample=0).sample_for(10**9) == 0


def test_small_corpus_gets_more_epochs() -> None:
    config = TrainingConfig()
    assert config.epochs_for(16_000_000) == 5
    assert config.epochs_for(1_000_000) == 20
    assert config.epochs_for(10) == 50
    assert TrainingConfig(epochs=3).epochs_for(10) == 3


def test_gpus_train_all_but_position_weights() -> None:
    cbow = TrainingConfig(architecture="cbow")
    assert cbow.has_gpu_kernel
    assert TrainingConfig(min_ngram=3, max_ngram=6, buckets=10).has_gpu_kernel
    assert not TrainingConfig.of(cbow, position_weights=True).has_gpu_kernel


def test_more_ranks_synchronize_more_often_by_default() -> None:
    config = TrainingConfig()
    assert [config.sync_interval(ranks) for ranks in (2, 8, 1_000_000)] == [125_000, 31_250, 1]
    assert TrainingConfig(sync_every=700).sync_interval(8) == 700


def test_lengths_of_n_grams_need_buckets() -> None:
    with pytest.raises(ConfigurationError, match="min_ngram and max_ngram need buckets"):
        TrainingConfig(max_ngram=6)
