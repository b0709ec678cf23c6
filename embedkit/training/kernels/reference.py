"""The training kernel in NumPy and float64: slow and simple, the test oracle for the fast ones.

A kernel trains on the centers ``tokens[start:stop]``, whose contexts may lie outside that range. It
updates the input and output matrix in place, and returns the number of pairs and their summed loss.
It does not know about files, epochs or progress.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from embedkit.system.random import draw
from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT

__all__ = ["kept", "noise_word", "step", "train_range", "windows"]


def noise_word(bits: int, noise: NDArray[np.uint32], aliases: NDArray[np.int32]) -> int:
    """Return the word that 64 random bits select in an alias table."""
    place = ((bits >> 32) * len(noise)) >> 32
    return place if (bits & 0xFFFFFFFF) <= noise[place] else int(aliases[place])


def kept(
    tokens: NDArray[np.int32], positions: range, key: int, keep: NDArray[np.uint32]
) -> Iterator[int]:
    """Yield the positions whose word is in the vocabulary and passes subsampling."""
    for position in positions:
        word = int(tokens[position])
        if word < len(keep) and draw(key, position) >> 32 <= keep[word]:
            yield position


def step(
    inputs: NDArray[np.float64],
    outputs: NDArray[np.float64],
    contexts: list[int],
    words: list[int],
    labels: NDArray[np.float64],
    live: NDArray[np.float64],
    rate: float,
    centers: int = 1,
    *,
    at_once: bool = False,
) -> float:
    """Take one step of gradient descent; return the loss before it.

    *live* is 1 for the pairs that count and 0 for the others, (words,) or (contexts, words). Both
    bounds of a step grow with its number of centers. The gradients of all logits are computed
    before any row changes. The second update of a context that occurs twice starts from the result
    of the first, unless all rows change *at_once*.
    """
    rows = outputs[words].copy()
    logits = inputs[contexts] @ rows.T
    gradient = rate * (labels - 1.0 / (1.0 + np.exp(-logits))) * live
    wrong = np.where(labels > 0, -logits, logits)
    weight = np.abs(gradient).sum()
    if weight > LARGEST_WEIGHT * centers:
        error, most = (np.maximum(wrong, 0.0) * live).sum(), LARGEST_ERROR * centers
        gradient *= LARGEST_WEIGHT * centers / weight * most / max(error, most)
    if at_once:
        np.add.at(outputs, words, gradient.T @ inputs[contexts])
        np.add.at(inputs, contexts, gradient @ rows)
    else:
        change = np.zeros_like(rows)
        for context, weights in zip(contexts, gradient, strict=True):
            old = inputs[context].copy()
            inputs[context] += weights @ rows
            change += np.outer(weights, old)
        np.add.at(outputs, words, change)
    return float((np.logaddexp(0.0, wrong) * live).sum())


def train_range(
    inputs: NDArray[np.float64],
    outputs: NDArray[np.float64],
    dimension: int,
    tokens: NDArray[np.int32],
    boundaries: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    aliases: NDArray[np.int32],
    rate: float,
    window: int,
    negative: int,
    key: int,
    *,
    centers: int | None = None,
) -> tuple[int, float]:
    """Train skip-gram with negative sampling on the centers tokens[start:stop].

    The contexts of a center are the kept words of its sentence within its drawn window, up to
    *window* words on either side. Each context is paired with the center (label 1) and with
    *negative* negative samples (label 0), which all contexts share; a sample equal to the center is
    ignored. Contexts are rows of the input matrix, center and negative samples are rows of the
    output matrix, as in word2vec.

    Args:
        inputs, outputs: the input and output matrix, (words, at least dimension), updated in place.
        dimension: the number of columns in use.
        tokens: token ids of the corpus, (tokens,); ids >= len(keep) are skipped.
        boundaries: sentence s is tokens[boundaries[s]:boundaries[s + 1]].
        keep: see `sampling.keep_thresholds`, (words,).
        noise, aliases: see `sampling.noise_alias`, (words,) each.
        rate: the learning rate.
        window, negative: see `TrainingConfig`.
        key: see `random.epoch_key`.
        centers: None for the steps of the CPU kernel: one for every `GROUP` output rows of a
            center. A number for the steps of the GPU kernel: one for that many kept words and all
            their output rows, computed from the rows before the step even if a word occurs twice.

    Returns:
        The number of pairs, and the sum of their losses, -log sigmoid(+-logit).
    """
    inputs, outputs = inputs[:, :dimension], outputs[:, :dimension]
    pairs, loss = 0, 0.0
    found = windows(tokens, boundaries, start, stop, keep, noise, aliases, window, negative, key)
    while taken := list(itertools.islice(found, centers or 1)):
        near = sorted({position for contexts, _ in taken for position in contexts})
        words = [word for _, words in taken for word in words]
        labels = np.tile(np.eye(1, negative + 1)[0], len(taken))
        live = np.array(
            [
                [
                    position in contexts and (number == 0 or word != words[0])
                    for contexts, words in taken
                    for number, word in enumerate(words)
                ]
                for position in near
            ],
            dtype=np.float64,
        )
        if not near:
            continue
        contexts = [int(tokens[position]) for position in near]
        rows = GROUP if centers is None else len(words)
        for first in range(0, len(words), rows):
            group = slice(first, first + rows)
            loss += step(
                inputs, outputs, contexts, words[group], labels[group], live[:, group], rate,
                centers or 1, at_once=centers is not None,
            )  # fmt: skip
        pairs += int(live.sum())
    return pairs, loss


def windows(
    tokens: NDArray[np.int32],
    boundaries: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    aliases: NDArray[np.int32],
    window: int,
    negative: int,
    key: int,
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield for each kept center the positions of its contexts, and the words of its output rows.

    The first word is the center; the others are its negative samples.
    """
    for center in kept(tokens, range(start, stop), key, keep):
        sentence = int(np.searchsorted(boundaries, center, side="right")) - 1
        low, high = int(boundaries[sentence]), int(boundaries[sentence + 1])
        bits = draw(key, center)
        reach = 1 + (((bits & 0xFFFFFFFF) * window) >> 32)
        before = kept(tokens, range(center - 1, low - 1, -1), key, keep)
        after = kept(tokens, range(center + 1, high), key, keep)
        near = [p for _, p in zip(range(reach), before, strict=False)][::-1]
        near += [p for _, p in zip(range(reach), after, strict=False)]
        samples = [noise_word(draw(key, center, n), noise, aliases) for n in range(1, negative + 1)]
        yield near, [int(tokens[center]), *samples]
