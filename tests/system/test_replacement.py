"""Names beside an output."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedkit.errors import StorageError
from embedkit.system.files import atomic_file
from embedkit.system.replacement import hidden_sibling


def test_a_name_may_have_as_many_bytes_as_the_system_allows(tmp_path: Path) -> None:
    for name in ("n" * 255, "é" * 127):
        with atomic_file(tmp_path / name) as file:
            file.write(b"1")
    with (
        pytest.raises(StorageError, match="File name too long"),
        atomic_file(tmp_path / ("n" * 256)),
    ):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n" * 255, "é" * 127]


def test_a_hidden_name_is_the_same_every_time_and_differs_between_outputs(tmp_path: Path) -> None:
    assert hidden_sibling(tmp_path / "model", "lock") == tmp_path / ".model.lock"
    long = [tmp_path / ("n" * 250 + last) for last in "ab"]
    first, second = (hidden_sibling(path, "lock") for path in long)
    assert first == hidden_sibling(long[0], "lock") != second
    assert first.name.startswith(".")
    assert first.parent == tmp_path
