"""The checks of the GPU kernels, and gpu_problem.py, which they solve, in Triton's interpreter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("triton", reason="triton is not installed (it comes with 'dev' on Linux)")
CHECK = "one program, dimension 7, window 1, 1 negatives"


@pytest.mark.slow  # tests/training/kernels/test_cuda.py runs it, too
def test_gpu_contract(run_script: Any) -> None:
    done = run_script("gpu_contract.py", "cpu", "--only", CHECK, TRITON_INTERPRET="1")
    assert json.loads(done.stdout)[CHECK]["passed"]


@pytest.mark.slow
def test_gpu_check(
    run_json: Callable[..., dict[str, Any]], analogies: Path, similarity: Path, tmp_path: Path
) -> None:
    words = [
        "paris",
        "france",
        "rome",
        "italy",
        "berlin",
        "germany",
        "madrid",
        "spain",
        "mayor1",
        "italy1",
    ]
    (tmp_path / "text.txt").write_text("".join(f"{' '.join(words)}\n" for _ in range(2)))
    results = run_json(
        "gpu_check", tmp_path / "text.txt", "--analogies", analogies, "--similarity", similarity,
        "--only", CHECK, "--dimensions", 4, "--epochs", 1, "--min-count", 1, "--sample", 1,
        "--rows", "float32", "--negatives", 5, "--cpu", "--stream", 30, "--kinds", "skipgram",
        "subword cbow", TRITON_INTERPRET="1",
    )  # fmt: skip
    assert results["contract_passed"]
    gpu, cpu, gpu_subword, cpu_subword, stream = results["training"]
    assert stream["tokens"] == 40
    for one, other in ((gpu, cpu), (gpu_subword, cpu_subword)):
        assert one["pairs"] == other["pairs"] > 0
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-3)
        assert {"similarity_spearman", "analogies_30k"} <= one.keys()


@pytest.mark.slow
def test_gpu_check_without_triton_interpreter_trains_nothing(run_script: Any, corpus: Path) -> None:
    done = run_script("gpu_check", corpus, "--only", CHECK, TRITON_INTERPRET="0")
    assert f"| {CHECK} | yes |" in done.stdout
    assert "words/s" not in done.stdout
