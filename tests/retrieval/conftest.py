"""A small index of sentences about capitals and countries."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedkit import TextIndex

DOCUMENTS = [
    {"id": "p", "text": "Paris mayor0", "year": 2001},
    {"id": "f", "text": "France border1 of Italy"},
    {"id": "r", "text": "Rome mayor1"},
    {"id": "u", "text": "zyzzyva qwertz"},
    {"id": "b", "text": "Berlin"},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "docs.index"


@pytest.fixture
def index(path: Path, model: Path) -> TextIndex:
    return TextIndex.build(DOCUMENTS, path, model)
