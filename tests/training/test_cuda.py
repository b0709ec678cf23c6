"""The kernel for GPUs against the reference, in Triton's interpreter and, where there is one, on
a GPU; the engine around it.

Triton reads TRITON_INTERPRET when it is imported, so the checks of `scripts/gpu_contract.py` run in
a process of their own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.errors import ConfigurationError
from embedkit.system.random import epoch_key
from embedkit.training.config import TrainingConfig
from embedkit.training.cuda_engine import CudaEngine, find_device
from embedkit.training.engine import random_vectors
from tests.conftest import PAIRS, sentences

torch = pytest.importorskip("torch")

CONTRACT = Path(__file__).parents[2] / "scripts" / "gpu_contract.py"
CHECKS = [
    "one program, dimension 1, window 5, 5 negatives",
    "one program, dimension 7, window 1, 1 negatives",
    "one program, dimension 16, window 3, 6 negatives",
    "one program, dimension 37, window 15, 7 negatives",
    "one program, dimension 100, window 5, 5 negatives",
    "one program, dimension 128, window 2, 13 negatives",
    "one program, dimension 300, window 5, 5 negatives",
    "one program, atomic",
    "one program, large logits",
    "many programs",
    "bfloat16 rows",
    "rounding at random",
    "engine",
]


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def run_contract(device: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(CONTRACT), device],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        check=False,
        timeout=600,
    )
    results: dict[str, Any] = json.loads(done.stdout)
    return results


@pytest.fixture(scope="module")
def interpreted() -> dict[str, Any]:
    if importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed (it comes with the extra 'dev' on Linux)")
    return run_contract("cpu", TRITON_INTERPRET="1", CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1")


@pytest.fixture(scope="module")
def on_gpu() -> dict[str, Any]:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return run_contract("cuda", TRITON_INTERPRET="0")


@pytest.mark.parametrize("check", CHECKS)
def test_interpreted_kernel_keeps_the_contract(interpreted: dict[str, Any], check: str) -> None:
    assert set(interpreted) == set(CHECKS)
    assert interpreted[check]["passed"], interpreted[check]


@pytest.mark.gpu
@pytest.mark.parametrize("check", CHECKS)
def test_kernel_on_a_gpu_keeps_the_contract(on_gpu: dict[str, Any], check: str) -> None:
    assert on_gpu[check]["passed"], on_gpu[check]


COMPILE = """
import sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from embedkit.training.kernels import cuda

rows, atomic = sys.argv[1], sys.argv[2] == "True"
columns, contexts, warps = cuda.launch_shape(128, 5)
constants = dict(STRIDE=128, COLUMNS=columns, CONTEXTS=contexts, NEGATIVE=7, GROUP=6,
                 MOST_WEIGHT=0.5, MOST_ERROR=20.0, ATOMIC=atomic)
kinds = [f"*{rows}"] * 2 + ["*i32"] * 4 + ["*i64", "*fp64"] + ["i32"] * 3 + ["fp32"]
names = cuda._train.arg_names
source = ASTSource(
    fn=cuda._train,
    signature=dict(zip(names, kinds + ["constexpr"] * len(constants), strict=True)),
    constexprs={(names.index(name),): value for name, value in constants.items()},
)
options = dict(num_warps=warps, num_stages=1, enable_fp_fusion=True)
triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
"""


@pytest.mark.parametrize(("rows", "atomic"), [("fp32", False), ("fp32", True), ("bf16", False)])
def test_the_kernel_compiles_for_a_gpu_that_is_not_here(
    tmp_path: Path, rows: str, atomic: bool
) -> None:
    """The interpreter takes what the compiler refuses; compiling needs no device."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed (it comes with the extra 'dev' on Linux)")
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, rows, str(atomic)],
        env=environment,
        cwd=CONTRACT.parents[1],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def train(engine: CudaEngine, corpus: Corpus, epochs: int) -> list[float]:
    """Train with a learning rate that falls; return the loss a pair of each epoch."""
    losses = []
    for epoch in range(epochs):
        pairs, loss = 0, 0.0
        for start in range(0, len(corpus.tokens), engine.chunk_tokens):
            stop = min(start + engine.chunk_tokens, len(corpus.tokens))
            seen, lost = engine.train(start, stop, 0.05 * (1 - epoch / epochs), epoch_key(1, epoch))
            pairs, loss = pairs + seen, loss + lost
        losses.append(loss / pairs)
    return losses


def learns(device: str) -> None:
    """Loss falls, and each capital ends up nearer to its country than to any other."""
    corpus = Corpus.read(sentences(600))
    config = TrainingConfig(dimension=24, min_count=1, sample=0)
    engine = CudaEngine(corpus, corpus.vocabulary, config, device)
    engine.chunk_tokens = 1_000
    engine.load(random_vectors(len(corpus.vocabulary), 24, 1))
    losses = train(engine, corpus, 15)
    assert losses[-1] < 0.8 * losses[0]
    units = engine.vectors / np.linalg.norm(engine.vectors, axis=1, keepdims=True)
    capitals = units[corpus.vocabulary.ids([capital for capital, _ in PAIRS])]
    countries = units[corpus.vocabulary.ids([country for _, country in PAIRS])]
    assert ((capitals @ countries.T).argmax(axis=1) == np.arange(len(PAIRS))).all()


def test_plain_torch_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    learns("cpu")


@pytest.mark.gpu
def test_the_kernel_learns_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    learns("cuda")


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.read([["a", "b", "c", "b"], ["a", "c"]] * 20)


def small(corpus: Corpus, **options: Any) -> CudaEngine:
    config = TrainingConfig(dimension=5, min_count=1, sample=0)
    return CudaEngine(corpus, corpus.vocabulary, config, "cpu", **options)


def test_without_triton_there_is_one_warning(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setitem(sys.modules, "embedkit.training.kernels.cuda", None)
    with pytest.warns(RuntimeWarning, match="Triton is not installed") as caught:
        engine = small(corpus)
    assert len(caught) == 1
    engine.load(random_vectors(3, 5, 1))  # a second warning would be an error
    assert engine.train(0, 50, 0.05, 7)[0] > 0
    assert engine.train(50, 120, 0.05, 7)[0] > 0


def test_windows_wider_than_a_tile_are_trained_by_plain_torch(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainingConfig(dimension=5, min_count=1, sample=0, window=60)
    found = []
    for interpreted in ("1", "0"):
        monkeypatch.setenv("TRITON_INTERPRET", interpreted)
        engine = CudaEngine(corpus, corpus.vocabulary, config, "cpu")
        engine.load(random_vectors(3, 5, 1))
        found.append((*engine.train(0, 120, 0.05, 7), engine.vectors))
    assert found[0][0] > 0
    assert found[0][:2] == found[1][:2]
    np.testing.assert_array_equal(found[0][2], found[1][2])


def test_what_was_prepared_ahead_but_is_not_asked_for_is_dropped(corpus: Corpus) -> None:
    first, second = small(corpus), small(corpus)
    for engine in (first, second):
        engine.chunk_tokens = 30
        engine.load(random_vectors(3, 5, 1))
    first.train(0, 30, 0.05, 7)  # prepares 30..60 with key 7
    second.train(0, 30, 0.05, 7)
    second._next = None
    assert first.train(60, 90, 0.05, 8) == second.train(60, 90, 0.05, 8)
    np.testing.assert_array_equal(first.vectors, second.vectors)


def test_matrices_are_read_only_copies_and_can_be_loaded(corpus: Corpus) -> None:
    engine = small(corpus)
    vectors, context = random_vectors(3, 5, 1), random_vectors(3, 5, 2)
    engine.load(vectors)
    np.testing.assert_array_equal(engine.context, np.zeros((3, 5)))
    engine.load(vectors, context)
    before = engine.vectors
    assert not before.flags.writeable
    engine.train(0, 120, 0.05, 7)
    engine.release()
    np.testing.assert_array_equal(before, vectors)
    assert (engine.vectors != vectors).any()
    assert (engine.context != context).any()


def test_rows_of_bfloat16_need_triton(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    engine = small(corpus, rows="bfloat16")
    engine.load(random_vectors(3, 5, 1))
    assert engine.vectors.dtype == np.float32
    with pytest.raises(ConfigurationError, match="bfloat16 rows need Triton"):
        engine.train(0, 120, 0.05, 7)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "", "cpu:0"])
def test_names_that_are_no_device(name: str) -> None:
    with pytest.raises(ConfigurationError, match="there are cpu, cuda and cuda:N"):
        find_device(name)


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigurationError, match="--device cpu"):
        find_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigurationError, match="the last of 2 is cuda:1"):
        find_device("cuda:2")
    assert find_device("cuda:1").index == 1
