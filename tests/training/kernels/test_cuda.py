"""The GPU kernel against the reference, in Triton's interpreter and on a GPU if there is one.

Triton reads TRITON_INTERPRET when it is imported, so the checks of `scripts/gpu_contract.py` run in
a separate process.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from embedkit.errors import ConfigurationError

torch = pytest.importorskip("torch")

CONTRACT = Path(__file__).parents[3] / "scripts" / "gpu_contract.py"
QUICK = [
    "one program, dimension 7, window 1, 1 negatives",
    "one program, dimension 37, window 15, 7 negatives",
    "one program, atomic",
    "one program, large logits",
    "many programs",
    "bfloat16 rows",
    "rounding at random",
    "engine",
]
"""Every way through the kernel; the others are more shapes, which the interpreter runs slowly."""
CHECKS = [
    *QUICK,
    "one program, dimension 1, window 5, 5 negatives",
    "one program, dimension 16, window 3, 6 negatives",
    "one program, dimension 100, window 5, 5 negatives",
    "one program, dimension 128, window 2, 13 negatives",
    "one program, dimension 300, window 5, 5 negatives",
    "one program, dimension 20, window 60, 5 negatives",
]


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def run_contract(device: str, *arguments: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(CONTRACT), device, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        check=False,
        timeout=600,
    )
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def run_interpreted(*arguments: str) -> dict[str, Any]:
    if importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed (it comes with the extra 'dev' on Linux)")
    environment = {"TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    return run_contract("cpu", *arguments, **environment)


@pytest.fixture(scope="module")
def interpreted() -> dict[str, Any]:
    return run_interpreted("--only", *QUICK)


@pytest.fixture(scope="module")
def on_gpu() -> dict[str, Any]:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return run_contract("cuda", TRITON_INTERPRET="0")


@pytest.mark.parametrize("check", QUICK)
def test_interpreted_kernel_equals_the_reference(interpreted: dict[str, Any], check: str) -> None:
    assert set(interpreted) == set(QUICK)
    assert interpreted[check]["passed"], interpreted[check]


@pytest.mark.slow
def test_interpreted_kernel_equals_the_reference_in_every_check() -> None:
    found = run_interpreted()
    assert set(found) == set(CHECKS)
    assert [check for check in CHECKS if not found[check]["passed"]] == []


@pytest.mark.gpu
@pytest.mark.parametrize("check", CHECKS)
def test_kernel_on_a_gpu_equals_the_reference(on_gpu: dict[str, Any], check: str) -> None:
    assert on_gpu[check]["passed"], on_gpu[check]


COMPILE = """
import sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from embedkit.training.kernels import cuda

rows, atomic, stride, window = sys.argv[1], sys.argv[2] == "True", *map(int, sys.argv[3:])
columns, contexts, warps = cuda.launch_shape(stride, window)
constants = dict(STRIDE=stride, COLUMNS=columns, CONTEXTS=contexts, NEGATIVE=7, GROUP=6,
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


@pytest.mark.parametrize(
    ("rows", "atomic", "stride", "window"),
    [
        ("fp32", False, 128, 5),
        ("fp32", True, 128, 5),
        ("bf16", False, 128, 5),
        pytest.param("fp32", False, 256, 60, marks=pytest.mark.slow),
    ],
)
def test_kernel_compiles_without_a_gpu(
    tmp_path: Path, rows: str, atomic: bool, stride: int, window: int
) -> None:
    """The interpreter accepts code that the compiler rejects; compiling needs no device."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed (it comes with the extra 'dev' on Linux)")
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, rows, str(atomic), str(stride), str(window)],
        env=environment,
        cwd=CONTRACT.parents[1],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_tile_that_exceeds_the_registers_is_rejected() -> None:
    pytest.importorskip("triton")
    from embedkit.training.kernels import cuda

    assert cuda.launch_shape(1024, 16)[:2] == (1024, 32)
    assert cuda.launch_shape(256, 60)[:2] == (256, 128)
    with pytest.raises(ConfigurationError, match=r"window=60 .* at most 32.* --device cpu"):
        cuda.launch_shape(512, 60)
