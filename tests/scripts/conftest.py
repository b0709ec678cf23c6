"""Run a script on tiny input, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import PAIRS, sentences

SCRIPTS = Path(__file__).parents[2] / "scripts"


def load_script(name: str) -> ModuleType:
    """Return a Python script as a module, without running its `main`."""
    loader = SourceFileLoader(name.removesuffix(".py"), str(SCRIPTS / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.path.insert(0, str(SCRIPTS))  # for the modules that scripts share
    sys.modules[loader.name] = module  # dataclasses look their module up
    try:
        loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
        del sys.modules[loader.name]
    return module


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a Python script of the repository; fail unless it exits with *status*."""

    def run(
        name: str, *arguments: object, status: int = 0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / name), *map(str, arguments)],
            capture_output=True, text=True, check=False, timeout=240, cwd=tmp_path,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", **environment},
        )  # fmt: skip
        assert done.returncode == status, done.stderr[-3_000:]
        return done

    return run


@pytest.fixture
def run_json(run_script: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Run a script with --json and return the object that it prints."""

    def run(name: str, *arguments: object, **environment: str) -> dict[str, Any]:
        done = run_script(name, *arguments, "--json", **environment)
        results: dict[str, Any] = json.loads(done.stdout)
        return results

    return run


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small text with a sentence per line."""
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in sentences(2_000)))
    return path


@pytest.fixture(scope="session")
def analogies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions about the words of `corpus`, in Google's format."""
    path = tmp_path_factory.mktemp("questions") / "analogies.txt"
    lines = [f"{a} {b} {c} {d}\n" for a, b in PAIRS for c, d in PAIRS if a != c]
    path.write_text(": capitals\n" + "".join(lines))
    return path


@pytest.fixture(scope="session")
def similarity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of words of `corpus` with scores."""
    path = tmp_path_factory.mktemp("pairs") / "similarity.txt"
    path.write_text("paris rome 9\nparis france 7\nitaly spain 8\nrome mayor1 3\nberlin italy1 1\n")
    return path
