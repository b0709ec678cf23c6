"""Training that continues a model with new text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import SkipGramEncoder, load_encoder
from embedkit.errors import ConfigurationError
from embedkit.training.config import TrainingConfig
from embedkit.training.warm_start import WarmStart, warm_start

OLD = [["sun", "moon", "star"], ["sun", "star"]] * 30
NEW = [["sun", "comet", "star"], ["comet", "tail"], ["rare", "moon"]] * 10 + [["once", "sun"]]
SETTINGS = {"dimension": 8, "epochs": 3, "sample": 0, "workers": 1, "min_count": 5}


def test_counts_words_and_rows_of_a_warm_start() -> None:
    config = TrainingConfig(**{**SETTINGS, "dimension": 2})
    old = WarmStart(
        Vocabulary(["sun", "star", "moon"], [60, 60, 30]),
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.arange(10, 16, dtype=np.float32).reshape(3, 2),
    )
    new = warm_start(old, Corpus.read(NEW), config)
    found = dict(zip(new.vocabulary, new.vocabulary.counts.tolist(), strict=True))
    # "once" is too rare to be added; the three old words occur 11, 10 and 10 times more.
    assert found == {"sun": 71, "star": 70, "moon": 40, "comet": 20, "tail": 10, "rare": 10}
    assert list(new.vocabulary)[:4] == ["sun", "star", "moon", "comet"]
    assert new.vectors[:3].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert new.context[:3].tolist() == [[10, 11], [12, 13], [14, 15]]
    assert not new.context[3:].any()
    assert 0 < np.abs(new.vectors[3:]).max() <= 0.5 / 2


def test_training_continues_with_new_text() -> None:
    first = SkipGramEncoder(**SETTINGS).fit(OLD)
    second = SkipGramEncoder(**SETTINGS).fit(NEW, start=first)
    assert set(second.vocabulary) == {"sun", "star", "moon", "comet", "tail", "rare"}
    assert not np.array_equal(second.encode(["sun"]), first.encode(["sun"]))
    # Words that the new text lacks are drawn as noise only, so their input vectors stay.
    third = SkipGramEncoder(**SETTINGS).fit([["comet", "tail"]] * 20, start=second)
    np.testing.assert_array_equal(third.encode(["moon", "rare"]), second.encode(["moon", "rare"]))
    assert third.report["tokens"] == 40


def test_unusable_start_is_an_error(tmp_path: Path) -> None:
    first = SkipGramEncoder(**SETTINGS).fit(OLD)
    with pytest.raises(ConfigurationError, match=r"dimension is 9, but .* have 8"):
        SkipGramEncoder(**{**SETTINGS, "dimension": 9}).fit(NEW, start=first)
    first.vectors().save(tmp_path / "vectors")
    bare = load_encoder(tmp_path / "vectors")
    assert isinstance(bare, SkipGramEncoder)
    with pytest.raises(ConfigurationError, match="have no output matrix"):
        SkipGramEncoder(**SETTINGS).fit(NEW, start=bare)


def test_new_words_with_n_grams_begin_in_the_same_range_as_in_training_from_scratch() -> None:
    config = TrainingConfig(dimension=4, min_count=1, min_ngram=2, max_ngram=3, buckets=50)
    old = WarmStart(Vocabulary(["a"], [1]), *np.zeros((2, 1, 4), dtype=np.float32))
    start = warm_start(old, Corpus.read([[f"new{n}" for n in range(200)]]), config)
    assert 0.9 / 4 < np.abs(start.vectors).max() <= 1 / 4
