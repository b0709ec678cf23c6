"""The scripts that generate files write exactly the files of the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.conftest import SCRIPTS, load_script

CORPORA = SCRIPTS.parent / "corpora"
FILES = {
    "make_corpus.py": ["world.txt", "analogies.txt"],
    "make_questions.py": ["helpdesk.tsv", "helpdesk-test.tsv"],
    "make_baskets.py": ["baskets.txt"],
}


@pytest.mark.parametrize("script", FILES)
def test_the_files_are_reproduced_and_checked(
    script: str, run_script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script(script, "--output", tmp_path)
    for name in FILES[script]:
        assert (tmp_path / name).read_bytes() == (CORPORA / name).read_bytes()
    maker = load_script(script)
    if script == "make_corpus.py":  # it takes seconds to generate the same text again
        text = (tmp_path / "world.txt").read_text()
        monkeypatch.setattr(maker, "corpus", lambda _: text)
        monkeypatch.setattr(maker, "reject_stated_analogies", lambda *_: None)
    monkeypatch.setattr("sys.argv", [script, "--check", "--output", str(tmp_path)])
    maker.main()
    (tmp_path / FILES[script][-1]).write_text("changed")
    message = f"{FILES[script][-1]} is out of date. Run scripts/{script}."
    with pytest.raises(SystemExit, match=re.escape(message)):
        maker.main()


def test_the_command_reference_is_up_to_date(run_script: Any) -> None:
    run_script("cli_reference.py", "--check")
