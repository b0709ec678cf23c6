"""The choice of the device, and the CPU engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from embedkit.corpus.corpus import Corpus
from embedkit.errors import ConfigurationError
from embedkit.training import cuda_engine, engine
from embedkit.training.config import TrainingConfig
from embedkit.training.engine import CpuEngine, make_engine
from embedkit.training.initial import random_vectors
from embedkit.training.options import Device

CONFIG = TrainingConfig(dimension=8, sample=0, min_count=1)
NO_GPU = not torch.cuda.is_available()


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.read([["one", "two", "three"]] * 10)


@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="there is a GPU")
def test_auto_is_the_cpu_without_a_gpu(corpus: Corpus) -> None:
    assert isinstance(make_engine(corpus, corpus.vocabulary, CONFIG, "auto"), CpuEngine)


@pytest.mark.skipif(not NO_GPU, reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:7"])
def test_unavailable_gpu_is_rejected(corpus: Corpus, device: str) -> None:
    with pytest.raises(ConfigurationError, match=r"found no CUDA device.*--device cpu"):
        make_engine(corpus, corpus.vocabulary, CONFIG, device)


def test_rows_and_precision_reach_the_engine_of_a_gpu(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[object, ...]] = []

    def fake(*arguments: object, rows: str, precision: str) -> CpuEngine:
        made.append((arguments[3], rows, precision))
        return CpuEngine(corpus, corpus.vocabulary, CONFIG)

    monkeypatch.setattr(cuda_engine, "CudaEngine", fake)
    monkeypatch.setattr(cuda_engine, "find_device", torch.device)
    make_engine(corpus, corpus.vocabulary, CONFIG, "cuda:1")
    make_engine(corpus, corpus.vocabulary, CONFIG, Device("cuda", "bfloat16", "float32"))
    assert made == [("cuda:1", "float32", "tf32"), ("cuda", "bfloat16", "float32")]


@pytest.mark.parametrize(
    ("settings", "device"),
    [
        ({}, "cuda"),
        ({"architecture": "cbow", "min_ngram": 3, "max_ngram": 6, "buckets": 10}, "cuda"),
        ({"architecture": "cbow", "position_weights": True}, "cpu"),
    ],
)
def test_auto_is_the_gpu_if_it_has_a_kernel(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], device: str
) -> None:
    made = {"cpu": object(), "cuda": object()}
    monkeypatch.setattr(engine, "_has_gpu", lambda: True)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setattr(cuda_engine, "find_device", torch.device)
    monkeypatch.setattr(cuda_engine, "CudaEngine", lambda *_, **__: made["cuda"])
    monkeypatch.setattr(engine, "CpuEngine", lambda *_, **__: made["cpu"])
    config = TrainingConfig.of(CONFIG, **settings)
    assert make_engine(corpus, corpus.vocabulary, config, "auto") is made[device]


def test_auto_needs_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda_engine, "find_device", torch.device)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setattr(engine, "find_spec", lambda name: object())
    assert engine.device_name("auto") == "cuda"
    weighted = TrainingConfig(architecture="cbow", position_weights=True)
    assert engine.device_name("auto", weighted) == "cpu"
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert engine.device_name("auto") == "cpu"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"rows": "float16"}, "unknown row type 'float16'; choose from float32, bfloat16"),
        ({"precision": "fp8"}, "unknown precision 'fp8'; choose from tf32, float32"),
    ],
)
def test_unknown_settings_of_a_gpu_are_rejected(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        Device(**settings)


@pytest.mark.parametrize("device", ["tpu", "", "cudas"])
def test_unknown_device_is_rejected(corpus: Corpus, device: str) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown device .* auto, cpu, cuda, cuda:N"):
        make_engine(corpus, corpus.vocabulary, CONFIG, device)


def test_loaded_matrices_are_returned_read_only(corpus: Corpus) -> None:
    engine = make_engine(corpus, corpus.vocabulary, CONFIG)
    vectors = random_vectors(3, 8, seed=1)
    assert np.abs(vectors).max() <= 0.5 / 8
    engine.load(vectors)
    np.testing.assert_array_equal(engine.inputs, vectors)
    assert not engine.context.any()
    engine.load(vectors, vectors + 1)
    np.testing.assert_array_equal(engine.context, vectors + 1)
    for matrix in (engine.inputs, engine.context):
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 1
