#!/usr/bin/env python3
"""Compare the GPU kernel with the reference, on a GPU or in Triton's interpreter.

    scripts/gpu_contract.py cuda
    TRITON_INTERPRET=1 scripts/gpu_contract.py cpu

Prints a JSON object that tells, for each check, whether it passed and the figures behind the
result. Needs only torch, triton, numpy and pyarrow.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl
from gpu_problem import FEW, KEY, KINDS, MANY, RATE, Problem

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from embedkit.corpus.corpus import Corpus
from embedkit.system.random import draw, epoch_key
from embedkit.system.ranks import SingleProcess
from embedkit.training.checkpoint import Checkpoints
from embedkit.training.config import TrainingConfig
from embedkit.training.cuda_engine import CudaEngine
from embedkit.training.kernels import reference, reference_steps
from embedkit.training.kernels.cuda_rows import rounded
from embedkit.training.kernels.staging import StagingBuffers
from embedkit.training.loop import TrainingHooks, TrainingLoop
from embedkit.training.options import Precision
from embedkit.training.report import EpochReport
from embedkit.training.sampling import sampling_tables

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


def many_batches(device: str, kind: str) -> dict[str, Any]:
    """Words are composed again for every 1,024 tokens, few of which are kept here."""
    problem = Problem(24, 5, 5, FEW, tokens=3000, kind=kind, sample=2e-5)
    ranges = [(0, 1500), (1500, 3000)]
    found = problem.run(ranges, device, torch.float32, precision="float32")
    close = found["row_error"] < 2e-5 and found["loss_error"] < 1e-5
    return {"passed": bool(found["pairs_equal"] and found["padding_zero"] and close), **found}


def many_programs(device: str, kind: str) -> dict[str, Any]:
    """Several programs share the center words; the order of updates is not fixed."""
    found = Problem(24, 5, 5, FEW, kind=kind).run([(0, 60)], device, torch.float32, programs=7)
    return {"passed": bool(found["pairs_equal"] and found["loss_error"] < 0.05), **found}


def bfloat16_rows(device: str, kind: str) -> dict[str, Any]:
    """bfloat16 has 8 bits of precision; stochastic rounding leaves errors of a few units."""
    problem = Problem(24, 5, 5, FEW, kind=kind)
    found = problem.run([(0, 60)], device, torch.bfloat16, precision="float32")
    close = found["row_error"] < 0.05 and found["loss_error"] < 0.02
    return {"passed": bool(found["pairs_equal"] and close), **found}


@triton.jit  # type: ignore[untyped-decorator]
def _round(values, stored, SIZE: tl.constexpr):  # type: ignore[no-untyped-def]
    column = tl.arange(0, SIZE)
    value = tl.load(values + column)
    word = tl.full((SIZE,), 3, tl.int32)
    tl.store(stored + column, rounded(value, word, column, 17, tl.bfloat16))


def random_rounding(device: str) -> dict[str, Any]:
    """Stochastic rounding to bfloat16 is unbiased, and gives one of the two neighboring values."""
    size = 4096
    values = torch.full((size,), 1 + 2.0**-10, device=device)  # an eighth of the way to the next
    stored = torch.zeros(size, dtype=torch.bfloat16, device=device)
    _round[(1,)](values, stored, SIZE=size, enable_fp_fusion=True)
    up = float((stored == 1 + 2.0**-7).float().mean())
    down = float((stored == 1.0).float().mean())
    return {"passed": up + down == 1 and abs(up - 0.125) < 0.03, "up": up, "down": down}


def corpus_and_settings(kind: str) -> tuple[Corpus, TrainingConfig]:
    """Return a text of 40 tokens: the interpreter takes a second for 20."""
    random = np.random.default_rng(5)
    words = [f"w{n}" for n in range(20)]
    lengths = [1, 12, 2, 21, 4]
    corpus = Corpus.read([[words[n] for n in random.integers(0, 20, size)] for size in lengths])
    cbow, composed = KINDS[kind]
    config = TrainingConfig(
        dimension=20, window=3, negative=4, epochs=2, min_count=1, sample=0.2, learning_rate=RATE,
        architecture="cbow" if cbow else "skipgram",
    )  # fmt: skip
    if composed:
        config = replace(config, min_ngram=2, max_ngram=3, buckets=500)
    return corpus, config


def engine(device: str, kind: str) -> dict[str, Any]:
    """The engine, which streams chunks prepared in advance, trains like the reference."""
    corpus, config = corpus_and_settings(kind)
    vocabulary = corpus.vocabulary
    trained = CudaEngine(corpus, vocabulary, config, device, programs=1, precision="float32")
    inputs = trained.rows.initial(20, 1).astype(np.float64)
    outputs = np.zeros((len(vocabulary), 20))
    trained.load(inputs.astype(np.float32))
    keep, noise, aliases = sampling_tables(vocabulary.counts, config.sample)
    equal, loss_error = True, 0.0
    for epoch in (0, 1):
        for start, stop in ((0, 24), (24, 40)):
            key = epoch_key(1, epoch)
            pairs, loss = trained.train(start, stop, RATE, key)
            expected_pairs, expected_loss = reference_steps.train_batches(
                inputs, outputs, 20, corpus.tokens, corpus.boundaries, [start, stop], keep,
                noise, aliases, RATE, 3, 4, key, trained.rows.layout, 1,
            )  # fmt: skip
            equal = equal and pairs == expected_pairs
            loss_error = max(loss_error, abs(loss / expected_loss - 1))
    error = max(
        float(np.abs(trained.inputs - inputs).max()),
        float(np.abs(trained.context - outputs).max()),
    )
    passed = equal and loss_error < 1e-5 and error < 2e-5 and not trained.inputs.flags.writeable
    return {"passed": passed, "row_error": error, "loss_error": loss_error}


def resumed(device: str, kind: str) -> dict[str, Any]:
    """Training that was interrupted after the first of two epochs ends like one that was not."""
    corpus, config = corpus_and_settings(kind)

    def run(hooks: TrainingHooks) -> CudaEngine:
        trained = CudaEngine(corpus, corpus.vocabulary, config, device, programs=1)
        trained.load(trained.rows.initial(20, 1))
        TrainingLoop(corpus, corpus.vocabulary, config, trained, SingleProcess()).run(hooks)
        return trained

    def interrupt(report: EpochReport) -> None:
        if report.epoch == 1:
            raise KeyboardInterrupt

    expected = run(TrainingHooks())
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder) / "checkpoints")
        with contextlib.suppress(KeyboardInterrupt):
            run(TrainingHooks(on_epoch_end=interrupt, checkpoints=checkpoints))
        found = run(TrainingHooks(checkpoints=checkpoints, resume=True))
    error = max(
        float(np.abs(found.inputs - expected.inputs).max()),
        float(np.abs(found.context - expected.context).max()),
    )
    # On a GPU, a word's change is added to its rows in any order.
    return {"passed": error <= (0.0 if device == "cpu" else 1e-5), "row_error": error}


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
    found["CBOW, large logits"] = partial(one_program, case=(40, 3, 5), scale=2.5, kind="CBOW")
    for kind, (_, composed) in KINDS.items():
        if kind != "skip-gram":
            few = partial(one_program, words=FEW, kind=kind)
            found[f"{kind}, one program"] = partial(one_program, case=(37, 4, 7), kind=kind)
            found[f"{kind}, small vocabulary"] = partial(few, case=(7, 1, 1))
            found[f"{kind}, wide window"] = partial(few, case=(300, 20, 11))
            found[f"{kind}, TF32"] = partial(few, case=(100, 5, 5), precision="tf32")
            found[f"{kind}, many batches"] = partial(many_batches, kind=kind)
        found[f"{kind}, many programs"] = partial(many_programs, kind=kind)
        found[f"{kind}, engine"] = partial(engine, kind=kind)
        found[f"{kind}, resumed"] = partial(resumed, kind=kind)
        if not composed:
            found[f"{kind}, bfloat16 rows"] = partial(bfloat16_rows, kind=kind)
    found["rounding at random"] = random_rounding
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
