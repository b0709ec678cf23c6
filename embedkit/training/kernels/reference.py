"""The training kernel in plain NumPy and float64: slow, obvious, the oracle of the fast ones.

A kernel is a pure function over arrays. It trains on the centres ``tokens[start:stop]``, looking
beyond them for context, updates the two matrices in place, and returns the number of pairs seen
and their summed loss. It knows nothing of files, epochs or progress.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from embedkit.system.random import draw
from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT

__all__ = ["noise_word", "train_range"]


def noise_word(bits: int, noise: NDArray[np.uint32], aliases: NDArray[np.int32]) -> int:
    """Return the word that 64 random bits draw from an alias table."""
    place = ((bits >> 32) * len(noise)) >> 32
    return place if (bits & 0xFFFFFFFF) <= noise[place] else int(aliases[place])


def _kept(
    tokens: NDArray[np.int32], positions: range, key: int, keep: NDArray[np.uint32]
) -> Iterator[int]:
    """Yield the positions whose word is in the vocabulary and survives subsampling."""
    for position in positions:
        word = int(tokens[position])
        if word < len(keep) and draw(key, position) >> 32 <= keep[word]:
            yield position


def _step(
    inputs: NDArray[np.float64],
    outputs: NDArray[np.float64],
    contexts: list[int],
    words: list[int],
    labels: NDArray[np.float64],
    live: NDArray[np.float64],
    rate: float,
) -> float:
    """One step of gradient descent, all gradients taken before anything changes.

    A row that stands twice among *contexts* is read again, with its first change, the second time.
    """
    rows = outputs[words].copy()
    logits = inputs[contexts] @ rows.T
    gradient = rate * (labels - 1.0 / (1.0 + np.exp(-logits))) * live
    wrong = np.where(labels > 0, -logits, logits)
    weight = np.abs(gradient).sum()
    if weight > LARGEST_WEIGHT:
        error = (np.maximum(wrong, 0.0) * live).sum()
        gradient *= LARGEST_WEIGHT / weight * LARGEST_ERROR / max(error, LARGEST_ERROR)
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
) -> tuple[int, float]:
    """Train skip-gram with negative sampling on the centres tokens[start:stop].

    For every kept centre the words up to its drawn reach on either side, in its sentence, are the
    contexts. Each is paired with the centre (label 1) and with `negative` noise words (label 0)
    that the whole window shares; a noise word equal to the centre is left out. The contexts are
    rows of *inputs*, centre and noise are rows of *outputs*, as in word2vec.

    Args:
        inputs, outputs: (words, at least dimension), changed in place.
        dimension: columns in use.
        tokens: word ids of the corpus, (tokens,); ids >= len(keep) are skipped.
        boundaries: sentence s is tokens[boundaries[s]:boundaries[s + 1]].
        keep: see `sampling.keep_thresholds`, (words,).
        noise, aliases: see `sampling.noise_alias`, (words,) each.
        rate: learning rate.
        key: see `random.epoch_key`.

    Returns:
        The number of pairs and the sum of their losses, -log sigmoid(+-logit).
    """
    inputs, outputs = inputs[:, :dimension], outputs[:, :dimension]
    pairs, loss = 0, 0.0
    for centre in _kept(tokens, range(start, stop), key, keep):
        sentence = int(np.searchsorted(boundaries, centre, side="right")) - 1
        low, high = int(boundaries[sentence]), int(boundaries[sentence + 1])
        bits = draw(key, centre)
        reach = 1 + (((bits & 0xFFFFFFFF) * window) >> 32)
        before = _kept(tokens, range(centre - 1, low - 1, -1), key, keep)
        after = _kept(tokens, range(centre + 1, high), key, keep)
        near = [p for _, p in zip(range(reach), before, strict=False)][::-1]
        near += [p for _, p in zip(range(reach), after, strict=False)]
        if not near:
            continue
        contexts = [int(tokens[position]) for position in near]
        word = int(tokens[centre])
        words = [word] + [
            noise_word(draw(key, centre, n), noise, aliases) for n in range(1, negative + 1)
        ]
        live = np.array([1.0] + [float(other != word) for other in words[1:]])
        labels = np.zeros(len(words))
        labels[0] = 1.0
        for first in range(0, len(words), GROUP):
            group = slice(first, first + GROUP)
            loss += _step(inputs, outputs, contexts, words[group], labels[group], live[group], rate)
        pairs += len(contexts) * int(live.sum())
    return pairs, loss
