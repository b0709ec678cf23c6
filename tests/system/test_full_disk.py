"""Errors while an output is written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from embedkit.errors import StorageError
from embedkit.system.files import atomic_directory, atomic_file
from tests.system.outputs import assert_holds_only, write, write_and_fail


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model.embedkit"


def test_an_error_of_an_input_is_not_blamed_on_the_output(target: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(target):
        (tmp_path / "input").read_bytes()
    with (
        pytest.raises(StorageError, match=r"cannot write .*model\.embedkit"),
        atomic_directory(target) as folder,
    ):
        (folder / "x" / "y").write_bytes(b"")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "Free some space, or write to another disk."),
        (errno.EACCES, "Choose a directory that you may write to."),
        (errno.EROFS, "Choose a directory that you may write to."),
        (errno.EIO, "Choose another path."),
    ],
)
def test_failed_writing_is_a_storage_error_with_a_hint(target: Path, code: int, hint: str) -> None:
    write(target, "old")
    with pytest.raises(StorageError) as caught:
        write_and_fail(target, OSError(code, os.strerror(code)))
    assert str(caught.value) == (
        f"cannot write {target}: {os.strerror(code)}; nothing was changed. {hint}"
    )
    assert_holds_only(target, "old")


def test_missing_parent_is_a_storage_error(target: Path) -> None:
    with pytest.raises(StorageError, match="Create the parent directory first"):
        write(target / "within", "new")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_read_only_directory_is_a_storage_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match=r"Choose a directory that you may write to\."):
        write(tmp_path / "model.embedkit", "new")
