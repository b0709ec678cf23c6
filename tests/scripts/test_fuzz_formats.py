"""The fuzzer, with the real atheris if it is installed, or else with a few files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

ATHERIS = """
from contextlib import contextmanager

@contextmanager
def instrument_imports(include):
    yield

def Setup(arguments, one_input):
    global run
    run = one_input

def Fuzz():
    for data in (b"", b"\\0\\0", b"\\0\\0two 1 2\\n", b"\\0\\x01" + b"1 2\\nword " + bytes(8)):
        run(data)
"""


def test_fuzz_formats(run_script: Any, tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        (tmp_path / "atheris.py").write_text(ATHERIS)
        run_script("fuzz_formats", PYTHONPATH=f"{tmp_path}:{_package_path()}")
    else:
        run_script("fuzz_formats", "-runs=200")


def _package_path() -> Path:
    import embedkit

    return Path(embedkit.__file__).parents[1]
