#!/usr/bin/env python3
"""Train skip-gram with negative sampling with the rows of both matrices divided among processes.

    torchrun --nproc-per-node 2 scripts/shard_rows.py CORPUS FOLDER [--steps N] [--batch N]

Row r of either matrix is in the memory of rank r modulo the number of ranks only. In each step,
every rank draws pairs from its share of the text and sends the numbers of the distinct rows that
they need to the ranks that hold them. It receives the rows, computes the changes of all pairs from
them, and sends the changes back, where they are added. TorchRec's row-wise sharding works in this
way (input distribution, lookup, output distribution), and like it, this script uses the
all-to-all operation of torch.distributed. It shows how a vocabulary beyond the memory of one
machine could be trained, and how many bytes that sends; see docs/guides/scaling.md.

Every rank writes its rows of both matrices to FOLDER/RANK.npz, with the pairs that it has trained
on, so that the result can be checked. Rank 0 prints the loss and the bytes sent.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from benchmarking import option_parser
from numpy.typing import NDArray
from torch import distributed

from embedkit.corpus.corpus import Corpus
from embedkit.system.ranks import Ranks, TorchProcessGroup
from embedkit.training.initial import random_vectors
from embedkit.training.sampling import noise_distribution

WINDOW = 5


class Batch(NamedTuple):
    """Pairs of words, int64: contexts (pairs,), and centers and their negative samples.

    The latter are *outputs*, (pairs, 1 + negative), with the center in the first column.
    """

    contexts: NDArray[np.int64]
    outputs: NDArray[np.int64]


def batches(corpus: Corpus, pairs: int, negative: int, seed: tuple[int, int]) -> Iterator[Batch]:
    """Yield batches of random pairs that are within a window and a sentence, without end.

    Args:
        seed: a number that is the same for all ranks, and the rank.
    """
    generator = np.random.default_rng(seed)
    noise = noise_distribution(corpus.vocabulary.counts)
    tokens = np.asarray(corpus.tokens)
    sentences = np.repeat(np.arange(len(corpus.boundaries) - 1), np.diff(corpus.boundaries))
    while True:
        centers = generator.integers(len(tokens), size=pairs)
        offsets = generator.integers(1, WINDOW + 1, pairs) * generator.choice([-1, 1], pairs)
        others = np.clip(centers + offsets, 0, len(tokens) - 1)
        same = (sentences[centers] == sentences[others]) & (centers != others)
        centers, others = centers[same], others[same]
        drawn = generator.choice(len(noise), p=noise, size=(len(centers), negative))
        outputs = np.column_stack([tokens[centers], drawn]).astype(np.int64)
        yield Batch(tokens[others].astype(np.int64), outputs)


class Route:
    """The way between a rank that trains on some rows and the ranks that hold them.

    Args:
        rows: distinct row numbers, int64 (count,); other ranks have others.
    """

    sent = 0
    """Bytes that this process has sent to others."""

    def __init__(self, rows: torch.Tensor) -> None:
        ranks = distributed.get_world_size()
        owners = rows % ranks
        self._order = torch.argsort(owners, stable=True)
        asked = torch.bincount(owners, minlength=ranks)
        wanted = torch.empty_like(asked)
        distributed.all_to_all_single(wanted, asked)
        self._asked, self._wanted = asked.tolist(), wanted.tolist()
        self._places = self._exchange(rows[self._order] // ranks, self._asked, self._wanted)

    def fetch(self, shard: torch.Tensor) -> torch.Tensor:
        """Return the rows, (count, dimension), from the shards of all ranks."""
        received = self._exchange(shard[self._places], self._wanted, self._asked)
        rows = torch.empty_like(received)
        rows[self._order] = received
        return rows

    def add(self, shard: torch.Tensor, changes: torch.Tensor) -> None:
        """Add changes, (count, dimension), to the rows where they are held."""
        received = self._exchange(changes[self._order], self._asked, self._wanted)
        shard.index_add_(0, self._places, received)

    def _exchange(
        self, data: torch.Tensor, sizes: list[int], received_sizes: list[int]
    ) -> torch.Tensor:
        """Send *sizes* rows to each rank; return those that each has sent."""
        received = data.new_empty(sum(received_sizes), *data.shape[1:])
        distributed.all_to_all_single(received, data, received_sizes, sizes)
        others = len(data) - sizes[distributed.get_rank()]
        Route.sent += others * data[:1].nbytes
        return received


def step(inputs: torch.Tensor, outputs: torch.Tensor, batch: Batch, rate: float) -> float:
    """Train on a batch of each rank, all from the rows before the step; return the loss."""
    input_rows, contexts = torch.unique(torch.from_numpy(batch.contexts), return_inverse=True)
    output_rows, words = torch.unique(torch.from_numpy(batch.outputs), return_inverse=True)
    input_route, output_route = Route(input_rows), Route(output_rows)
    input_values, output_values = input_route.fetch(inputs), output_route.fetch(outputs)
    vectors, targets = input_values[contexts], output_values[words]
    logits = torch.einsum("pd,pnd->pn", vectors, targets)
    labels = torch.zeros_like(logits)
    labels[:, 0] = 1
    errors = rate * (labels - torch.sigmoid(logits))
    changes = torch.zeros_like(input_values)
    changes.index_add_(0, contexts, torch.einsum("pn,pnd->pd", errors, targets))
    input_route.add(inputs, changes)
    changes = torch.zeros_like(output_values)
    parts = errors[:, :, None] * vectors[:, None, :]
    changes.index_add_(0, words.flatten(), parts.flatten(0, 1))
    output_route.add(outputs, changes)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum")
    return float(loss / len(logits))


def run(options: argparse.Namespace, ranks: Ranks) -> None:
    """Train this rank's share, write its rows, and print a summary over all ranks."""
    corpus = Corpus.read(str(options.corpus), ranks=ranks)
    if len(corpus.tokens) < 2:
        raise SystemExit(f"rank {ranks.rank} has no text: {options.corpus} is too short")
    initial = random_vectors(len(corpus.vocabulary), options.dimension, options.seed)
    inputs = torch.from_numpy(initial[ranks.rank :: ranks.size].copy())
    outputs = torch.zeros_like(inputs)
    drawn = batches(corpus, options.batch, options.negative, (options.seed, ranks.rank))
    trained = list(islice(drawn, options.steps))
    losses = [step(inputs, outputs, batch, options.rate) for batch in trained]
    options.folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        options.folder / f"{ranks.rank}.npz", inputs=inputs.numpy(), outputs=outputs.numpy(),
        steps=[len(batch.contexts) for batch in trained],
        contexts=np.concatenate([batch.contexts for batch in trained]),
        words=np.concatenate([batch.outputs for batch in trained]),
    )  # fmt: skip
    pairs, sent = ranks.total(np.array([sum(len(b.contexts) for b in trained), Route.sent]))
    if ranks.rank == 0:
        summary = {"words": len(corpus.vocabulary), "pairs": int(pairs), "loss": losses[-1]}
        print(json.dumps(summary | {"bytes_per_pair": round(sent / pairs, 1)}))


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path, help="where each rank writes its rows")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=10_000, help="pairs per step and rank")
    parser.add_argument("--negative", type=int, default=5)
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0.05)
    options = parser.parse_args()
    ranks = TorchProcessGroup()
    run(options, ranks)
    ranks.leave()


if __name__ == "__main__":
    main()
