"""export: files and standard output."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from embedkit.encoders import load
from tests.conftest import Command


@pytest.mark.parametrize("target", ["pgvector", "qdrant", "jsonl", "parquet"])
def test_export_to_standard_output(embedkit: Command, folder: Path, target: str) -> None:
    embedkit("export", target, "--model", "words", "-o", "file")
    shell = f"'{sys.executable}' -m embedkit export {target} --model words -o - | cat"
    done = subprocess.run(["bash", "-c", shell], cwd=folder, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == ((folder / "file").read_bytes(), b"")
    if target == "parquet":
        table = parquet.read_table(io.BytesIO(done.stdout))
        assert table["word"].to_pylist() == list(load(folder / "words").vocabulary)
    assert not (folder / "-").exists()


def test_the_command_that_loads_an_export_is_printed(inside: Command, folder: Path) -> None:
    done = inside("export", "pgvector", "--model", "words", "--name", "mine")
    assert done.stdout.startswith("mine.sql: ")
    assert "Load: psql --set ON_ERROR_STOP=1 --file mine.sql" in done.stdout
    quiet = inside("export", "jsonl", "--model", "words", "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("", "")
    assert (folder / "words.jsonl").stat().st_size > 0
