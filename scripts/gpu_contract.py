#!/usr/bin/env python3
"""Compare the GPU kernel with the reference, on a GPU or in Triton's interpreter.

    scripts/gpu_contract.py cuda
    TRITON_INTERPRET=1 scripts/gpu_contract.py cpu

Prints a JSON object that tells, for each check, whether it passed and the figures behind the
result. Needs only torch, triton, numpy and pyarrow.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from embedkit.corpus.corpus import Corpus
from embedkit.system.random import draw, epoch_key
from embedkit.training.config import TrainingConfig
from embedkit.training.cuda_engine import CudaEngine
from embedkit.training.initial import random_vectors
from embedkit.training.kernels import cuda, reference, reference_steps
from embedkit.training.kernels.cuda_rows import rounded
from embedkit.training.kernels.cuda_words import ComposedWords
from embedkit.training.kernels.draws import (
    KeptWords,
    SamplingTables,
    context_span,
    device_matrix,
)
from embedkit.training.kernels.layout import InputLayout
from embedkit.training.kernels.staging import BLOCK_TOKENS, StagingBuffers, batches, kept_words
from embedkit.training.kernels.tiles import launch_shape
from embedkit.training.options import Precision
from embedkit.training.sampling import sampling_tables

KEY, RATE = epoch_key(3, 1), 0.05
CASES = [
    (1, 5, 5),
    (7, 1, 1),
    (16, 3, 6),
    (37, 15, 7),
    (100, 5, 5),
    (128, 2, 13),
    (300, 5, 5),
    (20, 60, 5),
    (70, 9, 25),
]
FEW, MANY = 30, 1000  # words; with few, a step of the kernel has one center
NGRAMS = 12
KINDS = {
    "skip-gram": (False, False),
    "CBOW": (True, False),
    "n-grams": (False, True),
    "CBOW, n-grams": (True, True),
}
"""Whether the mean of the contexts predicts a center, and whether words have n-grams."""


def layout_of(kind: str, words: int, random: np.random.Generator) -> InputLayout:
    """Return which rows words are made of: with n-grams, a few of the same 12 and their own."""
    cbow, composed = KINDS[kind]
    if not composed:
        return InputLayout(cbow)
    rows = [[w, *(words + random.integers(0, NGRAMS, random.integers(0, 20)))] for w in range(words)]
    starts = np.cumsum([0, *map(len, rows)])
    shares = random.uniform(0.2, 1, words).astype(np.float32)
    return InputLayout(cbow, starts, np.concatenate(rows).astype(np.int32), shares)


class Problem:
    """A small text with repeated words, words outside the vocabulary and sentences of one word.

    The text has 30 of the *words* words in the vocabulary; the others are only negative samples.
    """

    def __init__(
        self,
        dimension: int,
        window: int,
        negative: int,
        words: int,
        scale: float = 0.3,
        tokens: int = 60,
        *,
        kind: str = "skip-gram",
        sample: float = 0.1,
    ) -> None:
        random = np.random.default_rng(dimension)
        self.dimension, self.window, self.negative = dimension, window, negative
        drawn = (random.zipf(1.3, tokens) - 1).clip(0, 32)
        self.tokens = np.where(drawn < 30, drawn, words + drawn).astype(np.int32)
        self.boundaries = np.array([0, 1, 4, 5, 30, tokens])
        counts = np.bincount(self.tokens, minlength=words)[:words].clip(1)
        self.keep, self.noise, self.aliases = sampling_tables(counts, sample)
        self.outputs = random.normal(0, scale, (words, dimension))
        self.layout = layout_of(kind, words, random)
        rows = words + NGRAMS * self.layout.composed
        self.inputs = random.normal(0, scale, (rows, dimension))
        self.centers = launch_shape(words, 64, window, negative).centers

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Return the range of tokens that is staged for some centers."""
        return context_span(self.tokens, self.boundaries, start, stop, self.keep, self.window, KEY)

    def kept(self, start: int, stop: int, device: str, buffers: StagingBuffers) -> KeptWords:
        tables = SamplingTables.of(self.keep, self.noise, self.aliases, device)
        low, high = self.span(start, stop)
        return kept_words(
            torch.from_numpy(self.tokens[low:high]).to(device), low,
            torch.from_numpy(self.boundaries).to(device), start, stop, tables, self.window, KEY,
            buffers,
        )  # fmt: skip

    def on_device(self, vectors: np.ndarray, device: str, kind: torch.dtype) -> torch.Tensor:
        """Return the matrix that the kernel trains, with zeros as padding."""
        matrix = device_matrix(len(vectors), self.dimension, device, kind)
        matrix[:, : self.dimension] = torch.from_numpy(vectors).to(device)
        return matrix

    def expect(
        self, inputs: np.ndarray, outputs: np.ndarray, ranges: list[tuple[int, int]]
    ) -> tuple[int, float]:
        """Train with the reference."""
        pairs, loss = 0, 0.0
        for start, stop in ranges:
            inner = range(self.span(start, stop)[0] + BLOCK_TOKENS, stop, BLOCK_TOKENS)
            cuts = [start, *(cut for cut in inner if cut > start), stop]
            seen, lost = reference_steps.train_batches(
                inputs, outputs, self.dimension, self.tokens, self.boundaries, cuts, self.keep,
                self.noise, self.aliases, RATE, self.window, self.negative, KEY, self.layout,
                self.centers,
            )  # fmt: skip
            pairs, loss = pairs + seen, loss + lost
        return pairs, loss

    def train(
        self, inputs: torch.Tensor, outputs: torch.Tensor, ranges: list[tuple[int, int]],
        **options: Any,
    ) -> tuple[int, float]:  # fmt: skip
        """Train with the kernels."""
        device = inputs.device.type
        words = ComposedWords(inputs, self.layout, 3) if self.layout.composed else None
        totals = None
        for start, stop in ranges:
            buffers = StagingBuffers(device, self.negative)
            kept = self.kept(start, stop, device, buffers)
            low, high = self.span(start, stop)
            for batch in batches(kept, buffers, high - low, BLOCK_TOKENS):
                if words is not None:
                    words.compose(batch, self.window)
                totals = cuda.train_kept(
                    inputs if words is None else words.vectors, outputs, batch, RATE, self.window,
                    cbow=self.layout.cbow, totals=totals, **options,
                )  # fmt: skip
                if words is not None:
                    words.scatter()
        assert totals is not None
        return int(totals[0]), float(totals[1])

    def run(
        self, ranges: list[tuple[int, int]], device: str, kind: torch.dtype, **options: Any
    ) -> dict[str, Any]:
        """Train with the kernel and with the reference; return how far apart they are."""
        expected = self.inputs.copy(), self.outputs.copy()
        expected_pairs, expected_loss = self.expect(*expected, ranges)
        inputs, outputs = (
            self.on_device(rows, device, kind) for rows in (self.inputs, self.outputs)
        )
        pairs, loss = self.train(inputs, outputs, ranges, **options)
        got = [matrix.float().cpu().numpy() for matrix in (inputs, outputs)]
        errors = [np.abs(new[:, : self.dimension] - old) for new, old in zip(got, expected, strict=True)]
        return {
            "pairs": pairs,
            "pairs_equal": pairs == expected_pairs,
            "loss_error": abs(loss / expected_loss - 1),
            "row_error": float(max(error.max() for error in errors)),
            "padding_zero": not any(matrix[:, self.dimension :].any() for matrix in got),
        }


def draws(device: str) -> dict[str, Any]:
    """Staged words, windows and negative samples are those of `system.random`."""
    window, negative = 7, 9
    problem = Problem(8, window, negative, FEW, tokens=3000)
    kept = problem.kept(500, 2900, device, StagingBuffers(device, negative))
    positions = [
        position
        for position, word in enumerate(problem.tokens.tolist())
        if word < FEW and draw(KEY, position) >> 32 <= problem.keep[word]
    ]
    first, last, slots = kept.edges.tolist()[:3]
    # The context before the first center was also staged, but not the whole text.
    skipped = sum(position < 500 for position in positions) - first
    staged = positions[skipped : skipped + slots]
    samples = [
        [
            reference.noise_word(draw(KEY, position, n), problem.noise, problem.aliases)
            for n in range(1, negative + 1)
        ]
        for position in staged
    ]
    reaches = [1 + (((draw(KEY, position) & 0xFFFFFFFF) * window) >> 32) for position in staged]
    numbers = kept.sentences[:slots].cpu().numpy()
    expected = np.searchsorted(problem.boundaries, staged, side="right")
    equal = {
        "words": kept.words[:slots].tolist() == problem.tokens[staged].tolist(),
        "centers": last - first == sum(500 <= position < 2900 for position in positions),
        "context": first >= window and slots - last >= window,
        "reaches": kept.reaches[:slots].tolist() == reaches,
        "negatives": kept.negatives[:slots].tolist() == samples,
        "sentences": bool((np.diff(numbers) == np.diff(expected)).all()),
    }
    return {"passed": all(equal.values()), **equal}


def one_program(
    device: str,
    case: tuple[int, int, int],
    *,
    words: int = MANY,
    precision: Precision = "float32",
    scale: float = 0.3,
    kind: str = "skip-gram",
) -> dict[str, Any]:
    """One program equals the reference, wherever the text is cut.

    TF32 has a precision of 2^-11, and updates are small compared with rows. The interpreter always
    multiplies in float32.
    """
    ranges = [(0, 2), (2, 29), (29, 31), (31, 60)]
    problem = Problem(*case, words, scale, kind=kind)
    found = problem.run(ranges, device, torch.float32, precision=precision)
    most = 2e-5 if precision == "float32" else 2e-3
    close = found["row_error"] < most and found["loss_error"] < most / 2
    passed = found["pairs_equal"] and found["padding_zero"] and close
    return {"passed": bool(passed), **found}


def many_programs(device: str) -> dict[str, Any]:
    """Several programs share the center words; the order of updates is not fixed."""
    found = Problem(24, 5, 5, FEW).run([(0, 60)], device, torch.float32, programs=7)
    return {"passed": bool(found["pairs_equal"] and found["loss_error"] < 0.05), **found}


def bfloat16_rows(device: str) -> dict[str, Any]:
    """bfloat16 has 8 bits of precision; stochastic rounding leaves errors of a few units."""
    found = Problem(24, 5, 5, FEW).run([(0, 60)], device, torch.bfloat16, precision="float32")
    close = found["row_error"] < 0.05 and found["loss_error"] < 0.02
    return {"passed": bool(found["pairs_equal"] and close), **found}


@triton.jit  # type: ignore[untyped-decorator]
def _round(values, rounded, SIZE: tl.constexpr):  # type: ignore[no-untyped-def]
    column = tl.arange(0, SIZE)
    value = tl.load(values + column)
    word = tl.full((SIZE,), 3, tl.int32)
    tl.store(rounded + column, rounded(value, word, column, 17, tl.bfloat16))


def random_rounding(device: str) -> dict[str, Any]:
    """Stochastic rounding to bfloat16 is unbiased, and gives one of the two neighboring values."""
    size = 4096
    values = torch.full((size,), 1 + 2.0**-10, device=device)  # an eighth of the way to the next
    rounded = torch.zeros(size, dtype=torch.bfloat16, device=device)
    _round[(1,)](values, rounded, SIZE=size, enable_fp_fusion=True)
    up = float((rounded == 1 + 2.0**-7).float().mean())
    down = float((rounded == 1.0).float().mean())
    return {"passed": up + down == 1 and abs(up - 0.125) < 0.03, "up": up, "down": down}


def engine(device: str) -> dict[str, Any]:
    """The engine, which streams chunks prepared in advance, trains like the reference."""
    random = np.random.default_rng(5)
    words = [f"w{n}" for n in range(20)]
    lengths = [1, 30, 2, 60, 7]
    corpus = Corpus.read([[words[n] for n in random.integers(0, 20, size)] for size in lengths])
    config = TrainingConfig(dimension=20, window=3, negative=4, min_count=1, sample=0.2)
    vocabulary = corpus.vocabulary
    trained = CudaEngine(corpus, vocabulary, config, device, programs=1, precision="float32")
    trained.chunk_tokens = 40
    vectors = np.zeros((2, len(vocabulary), 20))
    vectors[0] = random_vectors(len(vocabulary), 20, 1)
    trained.load(vectors[0].astype(np.float32))
    keep, noise, aliases = sampling_tables(vocabulary.counts, config.sample)
    equal, loss_error = True, 0.0
    for epoch in (0, 1):
        for start in range(0, 100, 40):
            stop, key = min(start + 40, 100), epoch_key(1, epoch)
            pairs, loss = trained.train(start, stop, RATE, key)
            expected_pairs, expected_loss = reference.train_range(
                vectors[0], vectors[1], 20, corpus.tokens, corpus.boundaries, start, stop, keep,
                noise, aliases, RATE, 3, 4, key, centers=1,
            )  # fmt: skip
            equal = equal and pairs == expected_pairs
            loss_error = max(loss_error, abs(loss / expected_loss - 1))
    error = max(
        float(np.abs(trained.inputs - vectors[0]).max()),
        float(np.abs(trained.context - vectors[1]).max()),
    )
    passed = equal and loss_error < 1e-5 and error < 2e-5 and not trained.inputs.flags.writeable
    return {"passed": passed, "row_error": error, "loss_error": loss_error}


def checks() -> dict[str, Any]:
    """Return all checks by name."""
    found: dict[str, Any] = {"draws": draws}
    for case in CASES:
        name = "one program, dimension {}, window {}, {} negatives".format(*case)
        found[name] = partial(one_program, case=case)
    for case in ((100, 5, 5), (300, 5, 15)):
        name = "one program, dimension {}, window {}, {} negatives, TF32".format(*case)
        found[name] = partial(one_program, case=case, precision="tf32")
    found["one program, small vocabulary"] = partial(one_program, case=(37, 4, 7), words=FEW)
    # The gradients are so large here that both bounds of a step are reached.
    found["one program, large logits"] = partial(one_program, case=(40, 15, 5), scale=1.0)
    found["many programs"] = many_programs
    found["bfloat16 rows"] = bfloat16_rows
    found["rounding at random"] = random_rounding
    found["engine"] = engine
    return found


def contract(device: str, only: Sequence[str] = ()) -> dict[str, Any]:
    """Run all checks, or *only* these; a check that raises counts as failed."""
    results = {}
    for name, check in checks().items():
        if only and name not in only:
            continue
        started = time.perf_counter()
        try:
            results[name] = check(device)
        except Exception as error:  # noqa: BLE001 - the other checks still run
            results[name] = {"passed": False, "error": f"{type(error).__name__}: {error}"}
        results[name]["seconds"] = round(time.perf_counter() - started, 2)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("device", nargs="?", default="cuda", help="cuda, or cpu to interpret")
    parser.add_argument("--only", nargs="+", default=[], choices=list(checks()), metavar="CHECK")
    options = parser.parse_args()
    results = contract(options.device, options.only)
    print(json.dumps(results, indent=2))
    sys.exit(not all(result["passed"] for result in results.values()))


if __name__ == "__main__":
    main()
