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

torch = pytest.importorskip("torch")

CONTRACT = Path(__file__).parents[3] / "scripts" / "gpu_contract.py"
QUICK = [
    "draws",
    "one program, dimension 7, window 1, 1 negatives",
    "one program, dimension 100, window 5, 5 negatives, TF32",
    "one program, large logits",
    "skip-gram, bfloat16 rows",
    "rounding at random",
    "skip-gram, engine",
    "CBOW, small vocabulary",
    "CBOW, large logits",
    "n-grams, many batches",
    "CBOW, n-grams, engine",
]
"""Every way through the kernels; the others are more shapes, which the interpreter runs slowly."""
KINDS = ["CBOW", "n-grams", "CBOW, n-grams"]
MORE = ["one program", "small vocabulary", "wide window", "TF32", "many batches", "many programs"]
CHECKS = [
    *QUICK,
    "one program, dimension 1, window 5, 5 negatives",
    "one program, dimension 16, window 3, 6 negatives",
    "one program, dimension 37, window 15, 7 negatives",
    "one program, dimension 100, window 5, 5 negatives",
    "one program, dimension 128, window 2, 13 negatives",
    "one program, dimension 300, window 5, 5 negatives",
    "one program, dimension 20, window 60, 5 negatives",
    "one program, dimension 70, window 9, 25 negatives",
    "one program, dimension 300, window 5, 15 negatives, TF32",
    "one program, small vocabulary",
    "CBOW, bfloat16 rows",
    "skip-gram, many programs",
    "skip-gram, resumed",
    *(
        f"{kind}, {check}"
        for kind in KINDS
        for check in [*MORE, "engine", "resumed"]
        if f"{kind}, {check}" not in QUICK
    ),
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
import json, re, subprocess, sys, tempfile
from pathlib import Path
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from embedkit.training.kernels import cuda, cuda_words, staging
from embedkit.training.kernels.tiles import launch_shape

def registers(compiled):
    # The rows of `cuobjdump -res-usage` look like "REG:168 STACK:8 SHARED:1024".
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(compiled.asm["cubin"])
        file.flush()
        tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
        command = [tool, "-res-usage", file.name]
        usage = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    used, stack = re.search(r"REG:(\\d+) STACK:(\\d+)", usage).groups()
    return int(used), int(stack)

def compiled(function, kinds, constants, warps):
    names = function.arg_names
    signature = dict(zip(names, kinds + ["constexpr"] * len(constants), strict=True))
    values = {(names.index(name),): value for name, value in constants.items()}
    # Addresses and strides are multiples of 16, as on a device.
    aligned = {(n,): [["tt.divisibility", 16]] for n, kind in enumerate(kinds) if kind[0] == "*"}
    source = ASTSource(fn=function, signature=signature, constexprs=values, attrs=aligned)
    options = dict(num_warps=warps, num_stages=1, enable_fp_fusion=True)
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)

def train(rows, stride, window, negative, cbow):
    shape = launch_shape(50_000, stride, window, negative)
    constants = dict(STRIDE=stride, WIDTH=shape.width, CENTERS=shape.centers, ROWS=shape.rows,
                     CONTEXTS=shape.contexts, TILES=shape.tiles, WINDOW=window, NEGATIVE=negative,
                     MOST_WEIGHT=0.5 * shape.centers, MOST_ERROR=20.0 * shape.centers,
                     PRECISION="tf32", CBOW=cbow)
    kinds = [f"*{rows}"] * 2 + ["*i32"] * 5 + ["*i64", "*fp64", "fp32"]
    kernel = compiled(cuda._train, kinds, constants, shape.warps)
    used, stack = registers(kernel)
    ptx = kernel.asm["ptx"]
    products = ptx.count("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32")
    vector_adds = ptx.count("atom.global.gpu.relaxed.add.v4.f32")
    return dict(registers=used, stack=stack, products=products, vector_adds=vector_adds,
                **shape._asdict())

def draw(negative):
    kinds = ["*i32"] * 3 + ["i64", "i32", "i32", "i64"]
    count = compiled(staging._count, kinds, dict(BLOCK=1024), 4)
    kinds = ["*i32", "*i64", "*i32", "*i64"] + ["*i32"] * 6 + ["i64", "i32", "i32", "i64"]
    write = compiled(staging._write, kinds + ["i32"] * 5, dict(NEGATIVE=negative, BLOCK=1024), 4)
    return {kernel.name: registers(kernel) for kernel in (count, write)}

def words(stride):
    shape = dict(STRIDE=stride, WIDTH=64, ROWS=16)
    find = compiled(cuda_words._find, ["*i32"] * 5 + ["i32"] * 2, dict(BLOCK=1024), 4)
    tables = ["*i64", "*i32", "*fp32"]
    kinds = ["*fp32"] * 3 + tables + ["*i32"] * 2
    compose = compiled(cuda_words._compose, kinds, shape, 1)
    kinds = ["*fp32"] * 4 + tables + ["*fp32"] + ["*i32"] * 2
    collect = compiled(cuda_words._collect, kinds, shape, 1)
    apply = compiled(cuda_words._apply, ["*fp32"] * 3 + ["i32"], shape, 1)
    found = {kernel.name: registers(kernel) for kernel in (find, compose, collect, apply)}
    found["vector_adds"] = collect.asm["ptx"].count("red.global.gpu.relaxed.add.v4.f32")
    found["vector_adds"] += collect.asm["ptx"].count("atom.global.gpu.relaxed.add.v4.f32")
    return found

print(json.dumps([eval(call) for call in sys.argv[1:]]))
"""


def compile_for_hopper(calls: list[str], folder: Path) -> dict[str, Any]:
    """Compile kernels as each call says; return what it tells about them. Needs no device."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed (it comes with the extra 'dev' on Linux)")
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, *calls],
        env=environment,
        cwd=CONTRACT.parents[1],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(calls, json.loads(done.stdout), strict=True))


SLOW = pytest.mark.slow
QUICK_CALLS = ["train('fp32', 128, 5, 5, False)", "draw(5) | words(128)"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The calls of the tests that are not slow, in one process, because triton imports torch."""
    return compile_for_hopper(QUICK_CALLS, tmp_path_factory.mktemp("hopper"))


@pytest.mark.parametrize(
    ("rows", "stride", "window", "negative", "cbow", "most_stack"),
    [
        ("fp32", 128, 5, 5, False, 64),
        pytest.param("fp32", 320, 5, 5, False, 64, marks=SLOW),
        pytest.param("fp32", 128, 5, 10, False, 64, marks=SLOW),
        pytest.param("fp32", 128, 5, 5, True, 64, marks=SLOW),
        pytest.param("fp32", 128, 5, 11, True, 64, marks=SLOW),
        pytest.param("bf16", 128, 5, 5, True, 1024, marks=SLOW),
        pytest.param("fp32", 128, 60, 25, True, 4096, marks=SLOW),
        pytest.param("bf16", 128, 5, 5, False, 1024, marks=SLOW),
        pytest.param("fp32", 128, 10, 5, False, 256, marks=SLOW),
        pytest.param("fp32", 128, 60, 25, False, 4096, marks=SLOW),
        pytest.param("fp32", 1024, 5, 5, False, 4096, marks=SLOW),
    ],
)
def test_training_kernel_compiles_for_hopper(
    tmp_path: Path, compiled: dict[str, Any], rows: str, stride: int, window: int, negative: int,
    cbow: bool, most_stack: int,
) -> None:  # fmt: skip
    """The interpreter accepts code that the compiler rejects; compiling needs no device.

    Speed rests on tensor cores, on additions of four numbers at a time, and on values that stay in
    registers: bytes on the stack are those that do not fit.
    """
    call = f"train({rows!r}, {stride}, {window}, {negative}, {cbow})"
    found = compiled.get(call) or compile_for_hopper([call], tmp_path)[call]
    assert found["products"] > 0
    assert found["stack"] <= most_stack, found
    if rows == "fp32":
        numbers = (found["rows"] + found["contexts"] * found["tiles"]) * stride
        assert found["vector_adds"] == numbers // (4 * 32 * found["warps"])


TOO_MANY = pytest.mark.xfail(strict=True, reason="_apply has 137 registers, so 14 programs fit")


@pytest.mark.parametrize("stride", [128, pytest.param(320, marks=[SLOW, TOO_MANY])])
def test_kernels_of_draws_and_of_words_compile_for_hopper(
    tmp_path: Path, compiled: dict[str, Any], stride: int
) -> None:
    """They wait for memory, so that many programs have to fit on a multiprocessor."""
    call = f"draw(5) | words({stride})"
    found = dict(compiled.get(call) or compile_for_hopper([call], tmp_path)[call])
    assert found.pop("vector_adds") == stride // 64 * 16 * 64 // (4 * 32)
    assert all(stack == 0 for _, stack in found.values()), found
    assert all(used <= 128 for used, _ in found.values()), found
