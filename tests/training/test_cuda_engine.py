"""The engine for GPUs, with a simple kernel on the CPU and the real one on a GPU."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.errors import ConfigurationError
from embedkit.system.random import draw, epoch_key
from embedkit.training import kernels
from embedkit.training.config import TrainingConfig
from embedkit.training.cuda_engine import CudaEngine, find_device
from embedkit.training.initial import random_vectors
from embedkit.training.kernels import reference
from embedkit.training.kernels.draws import KeptWords
from tests.conftest import PAIRS, sentences

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def simple_staging(
    tokens: Any, base: int, boundaries: Any, start: int, stop: int, tables: Any, window: int,
    key: int, buffers: Any,
) -> KeptWords:  # fmt: skip
    """Return the kept words with Python's integers, on CPU tensors."""
    keep, entries = tables.keep.numpy().view(np.uint32), tables.noise.numpy()
    noise, aliases = (entries & 0xFFFFFFFF).astype(np.uint32), (entries >> 32).astype(np.int32)
    positions = [
        base + n
        for n, word in enumerate(tokens.tolist())
        if word < len(keep) and draw(key, base + n) >> 32 <= keep[word]
    ]
    edges = [*np.searchsorted(positions, [start, stop]).tolist(), len(positions)]
    return KeptWords(
        tokens[torch.tensor(positions) - base],
        torch.from_numpy(np.searchsorted(boundaries.numpy(), positions, side="right")),
        torch.tensor([1 + (((draw(key, p) & 0xFFFFFFFF) * window) >> 32) for p in positions]),
        torch.tensor(
            [
                [reference.noise_word(draw(key, p, n), noise, aliases) for n in range(1, 6)]
                for p in positions
            ]
        ),
        torch.tensor(edges),
    )


def simple_kernel(
    inputs: Any, outputs: Any, kept: Any, rate: float, window: int, totals: Any, **_: Any
) -> None:
    """Train on each center with the reference's step, on CPU tensors."""
    pairs, loss = 0, 0.0
    words, sentence = kept.words.tolist(), kept.sentences.tolist()
    for slot in range(*kept.edges.tolist()[:2]):
        reach = int(kept.reaches[slot])
        assert reach <= window
        near = range(max(slot - reach, 0), min(slot + reach + 1, len(words)))
        contexts = [words[n] for n in near if n != slot and sentence[n] == sentence[slot]]
        if contexts:
            rows = [words[slot], *kept.negatives[slot].tolist()]
            live = np.array([n == 0 or row != rows[0] for n, row in enumerate(rows)], dtype=float)
            labels = np.eye(1, len(rows))[0]
            loss += reference.step(
                inputs.numpy(), outputs.numpy(), contexts, rows, labels, live, rate
            )
            pairs += len(contexts) * int(live.sum())
    totals[0].add_(pairs)
    totals[1].add_(loss)


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the Triton kernels, which run on a GPU only."""
    pytest.importorskip("triton")
    from embedkit.training.kernels import cuda, staging

    monkeypatch.setattr(cuda, "train_kept", simple_kernel)
    monkeypatch.setattr(staging, "kept_words", simple_staging)


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


def learns(device: str, **settings: Any) -> None:
    """Check that the loss falls, and that each capital ends up nearest to its country."""
    corpus = Corpus.read(sentences(600))
    config = TrainingConfig(dimension=24, min_count=1, sample=0, **settings)
    engine = CudaEngine(corpus, corpus.vocabulary, config, device)
    engine.chunk_tokens = 1_000
    engine.load(engine.rows.initial(24, 1))
    losses = train(engine, corpus, 15)
    assert losses[-1] < 0.8 * losses[0]
    vectors = engine.rows.compose(engine.inputs)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    capitals = units[corpus.vocabulary.ids([capital for capital, _ in PAIRS])]
    countries = units[corpus.vocabulary.ids([country for _, country in PAIRS])]
    assert ((capitals @ countries.T).argmax(axis=1) == np.arange(len(PAIRS))).all()


NGRAMS = {"min_ngram": 2, "max_ngram": 3, "buckets": 100}


@pytest.mark.gpu
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("ngrams", [{}, NGRAMS])
def test_the_kernel_learns_on_a_gpu(architecture: str, ngrams: dict[str, int]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    learns("cuda", architecture=architecture, **ngrams)


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.read([["a", "b", "c", "b"], ["a", "c"]] * 20)


def small(corpus: Corpus, rows: Any = "float32", **settings: Any) -> CudaEngine:
    config = TrainingConfig(dimension=5, min_count=1, sample=0, **settings)
    return CudaEngine(corpus, corpus.vocabulary, config, "cpu", rows=rows)


def test_missing_triton_is_an_error_with_a_hint(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(kernels, "cuda", raising=False)
    monkeypatch.setitem(sys.modules, "embedkit.training.kernels.cuda", None)
    with pytest.raises(ConfigurationError, match=r"needs Triton.*pip install 'embedkit\[gpu\]'"):
        small(corpus)


@pytest.mark.usefixtures("simple")
def test_consecutive_ranges_are_trained(corpus: Corpus) -> None:
    engine = small(corpus)
    engine.load(random_vectors(3, 5, 1))
    assert engine.train(0, 50, 0.05, 7)[0] > 0
    assert engine.train(50, 120, 0.05, 7)[0] > 0


@pytest.mark.usefixtures("simple")
def test_threads_may_train_at_the_same_time(corpus: Corpus) -> None:
    """Each gets the results of its own chunk."""
    engine = small(corpus)
    engine.load(random_vectors(3, 5, 1))
    ranges = [(start, start + 10) for start in range(0, 120, 10)]
    with ThreadPoolExecutor(engine.threads + 1) as pool:
        found = list(pool.map(lambda cut: engine.train(*cut, 1e-6, 7), ranges))
    alone = small(corpus)
    alone.load(random_vectors(3, 5, 1))
    expected = [alone.train(*cut, 1e-6, 7) for cut in ranges]
    assert [pairs for pairs, _ in found] == [pairs for pairs, _ in expected]
    np.testing.assert_allclose(
        [loss for _, loss in found], [loss for _, loss in expected], rtol=1e-4
    )


@pytest.mark.usefixtures("simple")
def test_chunks_are_short_beside_the_training(corpus: Corpus) -> None:
    """The learning rate is constant within a chunk."""
    assert small(corpus).chunk_tokens == 1 << 16
    corpus.tokens = np.broadcast_to(np.int32(0), (10_000_000,))
    assert small(corpus).chunk_tokens == 2_500_000
    corpus.tokens = np.broadcast_to(np.int32(0), (10_000_000_000,))
    assert small(corpus).chunk_tokens == 1 << 22


@pytest.mark.usefixtures("simple")
def test_words_are_composed_thousands_of_times_in_a_training(corpus: Corpus) -> None:
    def batch(tokens: int) -> int:
        corpus.tokens = np.broadcast_to(np.int32(0), (tokens,))
        return small(corpus, **NGRAMS).batch_tokens

    assert [batch(tokens) for tokens in (10, 4_000_000, 10**9)] == [1024, 3072, 65536]


@pytest.mark.usefixtures("simple")
def test_matrices_are_read_only_copies_and_can_be_loaded(corpus: Corpus) -> None:
    engine = small(corpus)
    vectors, context = random_vectors(3, 5, 1), random_vectors(3, 5, 2)
    engine.load(vectors)
    np.testing.assert_array_equal(engine.context, np.zeros((3, 5)))
    engine.load(vectors, context)
    before = engine.inputs
    assert not before.flags.writeable
    engine.train(0, 120, 0.05, 7)
    engine.release()
    np.testing.assert_array_equal(before, vectors)
    assert (engine.inputs != vectors).any()
    assert (engine.context != context).any()


@pytest.mark.usefixtures("simple")
def test_the_rows_of_n_grams_are_loaded_and_read(corpus: Corpus) -> None:
    engine = small(corpus, architecture="cbow", **NGRAMS)
    rows = engine.rows.initial(5, 1)
    engine.load(rows, random_vectors(3, 5, 2))
    assert len(rows) > 3
    np.testing.assert_array_equal(engine.inputs, rows)
    np.testing.assert_array_equal(engine.context, random_vectors(3, 5, 2))
    assert [tuple(matrix.shape) for matrix in engine.matrices] == [(len(rows), 5), (3, 5)]


@pytest.mark.parametrize(
    ("settings", "rows", "problem"),
    [
        (
            {"architecture": "cbow", "position_weights": True},
            "float32",
            "position weights cannot be trained on a GPU",
        ),
        (NGRAMS, "bfloat16", "words with n-grams cannot be trained in bfloat16 rows"),
    ],
)
def test_settings_without_a_kernel_are_rejected(
    corpus: Corpus, settings: dict[str, Any], rows: Any, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        small(corpus, rows, **settings)


@pytest.mark.usefixtures("simple")
def test_rows_of_bfloat16_are_read_as_float32(corpus: Corpus) -> None:
    engine = small(corpus, rows="bfloat16")
    engine.load(random_vectors(3, 5, 1))
    assert engine.inputs.dtype == np.float32


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "", "cpu:0"])
def test_unknown_device_is_rejected(name: str) -> None:
    with pytest.raises(ConfigurationError, match="choose from cpu, cuda, cuda:N"):
        find_device(name)


def test_unavailable_device_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigurationError, match="--device cpu"):
        find_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigurationError, match="the last one is cuda:1"):
        find_device("cuda:2")
    assert find_device("cuda:1").index == 1
