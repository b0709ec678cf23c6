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
TESTS = [*Path(__file__).parent.glob("test_*.py"), ROOT / "tests" / "test_readme.py"]
TESTS += [ROOT / "tests" / "test_interrupts.py"]


def matching(patterns: list[str]) -> set[Path]:
    return {path for pattern in patterns for path in ROOT.glob(pattern)}


@pytest.mark.parametrize("script", PYTHON, ids=lambda path: path.name)
def test_python_scripts_are_linted_and_type_checked(script: Path) -> None:
    assert script in matching(SETTINGS["mypy"]["files"])
    assert script.suffix == ".py" or script in matching(SETTINGS["ruff"]["extend-include"])


@pytest.mark.parametrize("script", FILES, ids=lambda path: path.name)
def test_a_test_names_the_script(script: Path) -> None:
    texts = [path.read_text() for path in TESTS if path.exists() and path != Path(__file__)]
    assert any(f'"{script.name}"' in text for text in texts)


@pytest.mark.parametrize("script", PYTHON, ids=lambda path: path.name)
def test_the_docstring_says_how_to_run_the_script(script: Path) -> None:
    head = script.read_text()[:1_500]
    assert '"""' in head
    assert f"scripts/{script.name}" in head or script.name == "benchmarking.py"
