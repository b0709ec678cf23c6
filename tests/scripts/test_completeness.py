"""Every script is executed by a test, linted and type-checked, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.conftest import SCRIPTS

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = SCRIPTS.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
FILES = sorted(path for path in SCRIPTS.iterdir() if path.is_file())
PYTHON = [p for p in FILES if p.suffix == ".py" or "python" in p.read_text().split("\n")[0]]
TESTED_BY = {
    "bench": "scripts/test_benchmarks.py",
    "bench_peer_tasks.py": "scripts/test_benchmarks.py",
    "bench_peers.py": "scripts/test_benchmarks.py",
    "bench_analogies": "scripts/test_benchmarks.py",
    "bench_counting": "scripts/test_benchmarks.py",
    "bench_frontier": "scripts/test_bench_frontier.py",
    "bench_frontier_picture.py": "scripts/test_bench_frontier.py",
    "bench_frontier_runs.py": "scripts/test_bench_frontier.py",
    "bench_features": "scripts/test_benchmarks.py",
    "bench_formats": "scripts/test_benchmarks.py",
    "bench_index": "scripts/test_benchmarks.py",
    "bench_node_vectors.py": "scripts/test_benchmarks.py",
    "bench_languages": "scripts/test_bench_languages.py",
    "bench_ngrams": "scripts/test_benchmarks.py",
    "bench_page": "scripts/test_benchmarks.py",
    "bench_phrases": "scripts/test_benchmarks.py",
    "bench_search": "scripts/test_benchmarks.py",
    "bench_service": "scripts/test_benchmarks.py",
    "bench_service_fairness.py": "scripts/test_benchmarks.py",
    "bench_service_peer.py": "scripts/test_benchmarks.py",
    "bench_tasks.py": "scripts/test_benchmarks.py",
    "bench_classify": "scripts/test_benchmarks.py",
    "bench_classify_tasks.py": "scripts/test_benchmarks.py",
    "bench_trec": "scripts/test_benchmarks.py",
    "bench_walks": "scripts/test_benchmarks.py",
    "benchmarking.py": "scripts/test_benchmarking.py",
    "check": "scripts/test_shell.py",
    "cli_reference.py": "scripts/test_generators.py",
    "demo": "scripts/test_shell.py",
    "docs": "scripts/test_shell.py",
    "environment": "scripts/test_shell.py",
    "fuzz_formats": "scripts/test_fuzz_formats.py",
    "gpu_check": "scripts/test_gpu.py",
    "gpu_contract.py": "scripts/test_gpu.py",
    "gpu_problem.py": "scripts/test_gpu.py",
    "interrupt_commands": "system/test_interrupts.py",
    "make_baskets.py": "scripts/test_generators.py",
    "make_corpus.py": "scripts/test_generators.py",
    "make_questions.py": "scripts/test_generators.py",
    "readme.py": "test_readme.py",
    "shard_rows.py": "scripts/test_shard_rows.py",
    "simulate_ranks": "scripts/test_benchmarks.py",
    "test": "scripts/test_shell.py",
}
"""The test that executes each script, below tests/."""
IMPORTED = ("bench_service_fairness.py", "benchmarking.py", "gpu_problem.py")
"""Modules that scripts share."""


def matching(patterns: list[str]) -> set[Path]:
    return {path for pattern in patterns for path in ROOT.glob(pattern)}


def test_every_script_has_a_test() -> None:
    assert [path.name for path in FILES] == sorted(TESTED_BY)
    for script, test in TESTED_BY.items():
        assert script in (ROOT / "tests" / test).read_text()


@pytest.mark.parametrize("script", PYTHON, ids=lambda path: path.name)
def test_python_scripts_are_linted_and_type_checked(script: Path) -> None:
    assert script in matching(SETTINGS["mypy"]["files"])
    assert script.suffix == ".py" or script in matching(SETTINGS["ruff"]["extend-include"])


@pytest.mark.parametrize("script", PYTHON, ids=lambda path: path.name)
def test_the_docstring_says_how_to_run_the_script(script: Path) -> None:
    head = script.read_text()[:1_500]
    assert f"scripts/{script.name}" in head or script.name in IMPORTED
