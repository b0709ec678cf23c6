"""A small training problem for checks of the GPU kernels, solved by them and by the reference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from embedkit.system.random import epoch_key
from embedkit.training.kernels import cuda, reference_steps
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
from embedkit.training.sampling import sampling_tables

__all__ = ["FEW", "KEY", "KINDS", "MANY", "RATE", "Problem"]

KEY, RATE = epoch_key(3, 1), 0.05
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
    rows = [
        [w, *(words + random.integers(0, NGRAMS, random.integers(0, 20)))] for w in range(words)
    ]
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
        totals = cuda.no_totals(device)
        for start, stop in ranges:
            buffers = StagingBuffers(device, self.negative)
            kept = self.kept(start, stop, device, buffers)
            low, high = self.span(start, stop)
            for batch in batches(kept, buffers, high - low, BLOCK_TOKENS):
                if words is not None:
                    words.compose(batch, self.window)
                cuda.train_kept(
                    inputs if words is None else words.vectors, outputs, batch, RATE, self.window,
                    totals, cbow=self.layout.cbow, **options,
                )  # fmt: skip
                if words is not None:
                    words.scatter()
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
        errors = [
            np.abs(new[:, : self.dimension] - old) for new, old in zip(got, expected, strict=True)
        ]
        return {
            "pairs": pairs,
            "pairs_equal": pairs == expected_pairs,
            "loss_error": abs(loss / expected_loss - 1),
            "row_error": float(max(error.max() for error in errors)),
            "padding_zero": not any(matrix[:, self.dimension :].any() for matrix in got),
        }
