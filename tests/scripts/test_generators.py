"""The scripts that generate files write exactly the files of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scripts.conftest import SCRIPTS

CORPORA = SCRIPTS.parent / "corpora"
FILES = {
    "make_corpus.py": ["world.txt", "analogies.txt"],
    "make_questions.py": ["helpdesk.tsv", "helpdesk-test.tsv"],
    "make_baskets.py": ["baskets.txt"],
}


@pytest.mark.parametrize("script", FILES)
def test_the_files_are_reproduced_and_checked(script: str, run_script: Any, tmp_path: Path) -> None:
    run_script(script, "--output", tmp_path)
    for name in FILES[script]:
        assert (tmp_path / name).read_bytes() == (CORPORA / name).read_bytes()
    run_script(script, "--check", "--output", tmp_path)
    (tmp_path / FILES[script][-1]).write_text("changed")
    done = run_script(script, "--check", "--output", tmp_path, status=1)
    assert f"{FILES[script][-1]} is out of date. Run scripts/{script}." in done.stderr


def test_the_command_reference_is_up_to_date(run_script: Any) -> None:
    run_script("cli_reference.py", "--check")
