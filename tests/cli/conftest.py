"""Files that several tests of the command line read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.helpers import TEXT


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A short text, corpus.txt."""
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def folder(tmp_path: Path, model: Path) -> Path:
    """A folder with a text, edges, and a link to a model, called words."""
    (tmp_path / "corpus.txt").write_text("we left new york by train\nold york is a city\n" * 20)
    (tmp_path / "edges.tsv").write_text("a\tb\nb\tc\n")
    (tmp_path / "words").symlink_to(model)
    return tmp_path
