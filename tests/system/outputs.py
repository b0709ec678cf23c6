"""Directories of two files, as outputs of tests."""

from __future__ import annotations

from pathlib import Path

from embedkit.system.files import atomic_directory


def write(target: Path, content: str, *, overwrite: bool = False) -> None:
    with atomic_directory(target, overwrite=overwrite) as folder:
        (folder / "first").write_text(content)
        (folder / "second").write_text(content)


def write_and_fail(target: Path, error: BaseException) -> None:
    with atomic_directory(target, overwrite=True) as folder:
        (folder / "first").write_text("new")
        raise error


def read(target: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in target.iterdir()}


def assert_holds_only(target: Path, content: str) -> None:
    assert read(target) == {"first": content, "second": content}
    assert list(target.parent.iterdir()) == [target]
