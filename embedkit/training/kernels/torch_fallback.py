"""The training kernel in plain torch, for a GPU without Triton; see `reference.py`.

Centres are taken in groups: all gradients of a group come from the matrices as they were before
it. A group of one centre is the reference's step (but for words that stand twice in a window). In
large groups frequent words would take many stale changes at once and overshoot, so groups are
modest and what a group adds to a row is bounded.
"""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

from embedkit.errors import ConfigurationError
from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT
from embedkit.training.kernels.draws import KeptWords

__all__ = ["train_kept"]


def train_kept(
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    kept: KeptWords,
    rate: float,
    window: int,
    *,
    centres: int = 256,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Train on the centres of *kept*, *centres* at once; update both matrices in place.

    The arguments are those of `cuda.train_kept`, and so is what it returns, with one element each.

    Raises:
        ConfigurationError: the rows are not float32.
    """
    if inputs.dtype != torch.float32:
        raise ConfigurationError("bfloat16 rows need Triton.", hint="Install it, or use float32")
    pairs = torch.zeros(1, dtype=torch.int64, device=inputs.device)
    loss = torch.zeros(1, dtype=torch.float64, device=inputs.device)
    for begin in range(kept.first, kept.last, centres):
        slots = torch.arange(begin, min(begin + centres, kept.last), device=inputs.device)
        contexts, near = _contexts(kept, slots, window)
        centre = kept.words[slots, None]
        words = torch.cat([centre, kept.negatives[slots]], dim=1).long()
        live = words != centre
        live[:, 0] = True
        for first in range(0, words.shape[1], GROUP):
            group = slice(first, first + GROUP)
            loss += _step(
                inputs, outputs, contexts, near, words[:, group], live[:, group], rate, first == 0
            )
        pairs += (near.sum(dim=1) * live.sum(dim=1)).sum()
    return pairs, loss


def _contexts(
    kept: KeptWords, slots: torch.Tensor, window: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the contexts of each centre, (centres, 2 * window), and which of them there are."""
    lane = torch.arange(2 * window, device=slots.device)
    reach = kept.reaches[slots, None]
    other = slots[:, None] + lane - reach + (lane >= reach)
    inside = (lane < 2 * reach) & (other >= 0) & (other < len(kept.words))
    other = torch.where(inside, other, slots[:, None])
    near = inside & (kept.sentences[other] == kept.sentences[slots, None])
    return torch.where(near, kept.words[other], 0).long(), near


def _step(
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    contexts: torch.Tensor,
    near: torch.Tensor,
    words: torch.Tensor,
    live: torch.Tensor,
    rate: float,
    centre_is_first: bool,
) -> torch.Tensor:
    """One step of gradient descent on some output rows of each centre; return the loss."""
    rows, old = outputs[words], inputs[contexts]
    logits = old @ rows.transpose(1, 2)
    labels = torch.zeros_like(logits)
    labels[:, :, 0] = float(centre_is_first)
    counts = near[:, :, None] & live[:, None, :]
    weights = torch.where(counts, rate * (labels - torch.sigmoid(logits)), 0.0)
    wrong = torch.where(labels > 0, -logits, logits)
    size = weights.abs().sum(dim=(1, 2))
    error = torch.where(counts, wrong.clamp(min=0.0), 0.0).sum(dim=(1, 2))
    tame = LARGEST_ERROR / error.clamp(min=LARGEST_ERROR)
    scale = LARGEST_WEIGHT / size.clamp(min=LARGEST_WEIGHT)
    scale *= torch.where(size > LARGEST_WEIGHT, tame, 1.0)
    weights *= scale[:, None, None]
    loss = torch.where(counts, softplus(wrong), 0.0)
    delta, change = weights @ rows, weights.transpose(1, 2) @ old
    _add(inputs, contexts, delta, weights.abs().sum(dim=2))
    _add(outputs, words, change, weights.abs().sum(dim=1))
    return loss.sum(dtype=torch.float64)


def _add(
    matrix: torch.Tensor, ids: torch.Tensor, changes: torch.Tensor, weights: torch.Tensor
) -> None:
    """Add changes to rows; those of one row together weigh no more than one may, or the bound."""
    places = ids.flatten()
    weight = weights.flatten()
    pull = torch.zeros(len(matrix), device=matrix.device).index_add_(0, places, weight)[places]
    most = weight.clamp(min=LARGEST_WEIGHT)
    scale = most / torch.maximum(pull, most)
    matrix.index_add_(0, places, changes.flatten(0, 1) * scale[:, None])
