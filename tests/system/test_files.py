"""Files and directories that are written completely or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from embedkit.errors import OutputExistsError, StorageError
from embedkit.system import replacement
from embedkit.system.files import atomic_directory, atomic_file, check_replaceable
from tests.system.outputs import assert_holds_only, read, write, write_and_fail


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model.embedkit"


@pytest.fixture(params=["exchange", "two renames"])
def swap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace a directory in both ways: with an atomic exchange, and without."""
    if request.param == "two renames":
        monkeypatch.setattr(replacement, "_exchange", lambda first, second: False)


def test_directory_appears_when_the_block_ends(target: Path) -> None:
    with atomic_directory(target):
        assert not target.exists()
        assert len(list(target.parent.iterdir())) == 1
    assert list(target.parent.iterdir()) == [target]


def test_directory_has_the_permissions_of_any_new_one(target: Path, tmp_path: Path) -> None:
    (tmp_path / "usual").mkdir()
    write(target, "new")
    assert target.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_path_may_be_relative(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(target.parent)
    write(Path(target.name), "new")
    assert_holds_only(target, "new")


@pytest.mark.usefixtures("swap")
def test_overwriting_leaves_only_the_new_directory(target: Path) -> None:
    write(target, "old")
    (target / "third").write_text("only in the old one")
    with atomic_directory(target, overwrite=True, replaces=["third", "fourth"]) as folder:
        (folder / "first").write_text("new")
        (folder / "second").write_text("new")
    assert_holds_only(target, "new")


@pytest.mark.usefixtures("swap")
@pytest.mark.parametrize("links", [True, False])
def test_overwriting_keeps_what_others_wrote(
    target: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no hard links")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    write(target, "old")
    (target / "NOTES.md").write_text("mine")
    (target / "link").symlink_to("nowhere")
    (target / "figures" / "empty").mkdir(parents=True)
    (target / "figures" / "first").write_text("mine too")
    with atomic_directory(target, overwrite=True, replaces=["second"]) as folder:
        (folder / "first").write_text("new")
    found = {str(path.relative_to(target)) for path in target.rglob("*")}
    assert found == {"first", "NOTES.md", "link", "figures", "figures/empty", "figures/first"}
    assert (target / "NOTES.md").read_text() == "mine"
    assert (target / "link").readlink() == Path("nowhere")
    assert (target / "figures" / "first").read_text() == "mine too"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.usefixtures("swap")
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_exception_in_the_block_leaves_the_old_directory(
    target: Path, error: type[BaseException]
) -> None:
    write(target, "old")
    with pytest.raises(error):
        write_and_fail(target, error())
    assert_holds_only(target, "old")


@pytest.mark.parametrize(
    ("make", "context"), [(Path.mkdir, atomic_directory), (Path.touch, atomic_file)]
)
def test_existing_output_is_kept(target: Path, make: Callable[[Path], None], context: Any) -> None:
    make(target)
    with (
        pytest.raises(OutputExistsError, match=r"model\.embedkit already exists.*--overwrite"),
        context(target),
    ):
        pytest.fail("the block must not run")
    assert list(target.parent.iterdir()) == [target]


def refused(target: Path, context: Any) -> str:
    """Return the error for *target*, which is not replaced even with overwrite=True."""
    with (
        pytest.raises(OutputExistsError, match="was not overwritten") as caught,
        context(target, overwrite=True),
    ):
        pytest.fail("the block must not run")
    return str(caught.value)


def make_socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(
    ("make", "kind"),
    [(os.mkfifo, "a pipe"), (make_socket, "a socket"), (Path.mkdir, "a directory"),
     (Path.touch, "a file")],
)  # fmt: skip
def test_output_of_another_kind_is_never_replaced(
    target: Path, make: Callable[[Path], None], kind: str, link: bool
) -> None:
    there = target.with_name("there") if link else target
    make(there)
    before = there.stat()
    if link:
        target.symlink_to(there)
    if kind != "a directory":
        assert f"{target} is {kind} and" in refused(target, atomic_directory)
    if kind != "a file":
        assert f"{target} is {kind} and" in refused(target, atomic_file)
        assert "Choose a file, or use -" in refused(target, atomic_file)
    assert there.stat() == before
    assert target.is_symlink() == link
    assert {*target.parent.iterdir()} == {target, there}


def test_device_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(os.devnull)
    assert "link is a device and was not overwritten. Choose a file, or" in refused(
        tmp_path / "link", atomic_file
    )
    assert Path(os.devnull).is_char_device()


@pytest.mark.usefixtures("swap")
def test_target_of_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "words").write_text("old")
    write(tmp_path / "far" / "model", "old")
    for name in ("words", "model"):
        (tmp_path / name).symlink_to(Path("far", name))
        (tmp_path / f"{name}2").symlink_to(name)  # a link to a link
    with atomic_file(tmp_path / "words2", overwrite=True) as file:
        file.write(b"new")
    write(tmp_path / "model2", "new", overwrite=True)
    assert (tmp_path / "far" / "words").read_text() == "new"
    assert read(tmp_path / "far" / "model") == {"first": "new", "second": "new"}
    assert all(path.is_symlink() for path in tmp_path.iterdir() if path.name != "far")
    assert {path.name for path in (tmp_path / "far").iterdir()} == {"words", "model"}


@pytest.mark.parametrize("context", [atomic_file, atomic_directory])
def test_broken_link_is_kept(target: Path, context: Any) -> None:
    for end in ("nowhere", target.name):
        target.symlink_to(end)
        assert "is a broken link" in refused(target, context)
        assert list(target.parent.iterdir()) == [target]
        target.unlink()


def test_deleted_file_is_not_created_again(tmp_path: Path) -> None:
    """As /dev/stdout, if the file that it was redirected to was deleted."""
    with (tmp_path / "gone").open("w") as file:
        (tmp_path / "gone").unlink()
        (tmp_path / "link").symlink_to(f"/proc/self/fd/{file.fileno()}")
        assert "is a broken link" in refused(tmp_path / "link", atomic_file)
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize("name", [".", "..", "", "../here", "above"])
def test_the_working_directory_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "letter").write_text("mine")
    monkeypatch.chdir(tmp_path / "here")
    if name == "above":
        name = str(tmp_path)
    assert "is or contains the working directory" in refused(Path(name), atomic_directory)
    assert read(tmp_path / "here") == {"letter": "mine"}


def test_failed_second_rename_leaves_the_old_directory(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(target, "old")
    rename = Path.rename

    def fail_for_the_new_one(self: Path, name: Path) -> Path:
        if self.suffix == ".tmp":
            raise OSError(errno.ENOSPC, "full")
        return rename(self, name)

    monkeypatch.setattr(replacement, "_exchange", lambda first, second: False)
    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(StorageError, match="nothing was changed"):
        write(target, "new", overwrite=True)
    assert_holds_only(target, "old")


def child(program: str, target: Path) -> subprocess.Popen[str]:
    """Start a program and wait for its first line of output."""
    program = (
        "import pathlib, sys, time\nfrom embedkit.system.files import atomic_directory\n" + program
    )
    command = [sys.executable, "-c", program, str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


STOP_HALFWAY = """
with atomic_directory(pathlib.Path(sys.argv[1]), overwrite=True) as folder:
    (folder / "first").write_text("new")
    print("begun", flush=True)
    time.sleep(60)
"""
SWAP_MANY_TIMES = """
for number in range({times}):
    with atomic_directory(pathlib.Path(sys.argv[1]), overwrite=True) as folder:
        for name in ("first", "second"):
            (folder / name).write_text(str(number))
    if number == 0:
        print("begun", flush=True)
"""


def test_killed_writer_leaves_the_old_directory(target: Path) -> None:
    write(target, "old")
    with child(STOP_HALFWAY, target) as process:
        process.kill()
    assert read(target) == {"first": "old", "second": "old"}


@pytest.mark.parametrize("seconds", [0.0, 0.013, 0.037])
def test_writer_killed_at_any_moment_leaves_a_complete_directory(
    target: Path, seconds: float
) -> None:
    with child(SWAP_MANY_TIMES.format(times=1_000_000), target) as process:
        time.sleep(seconds)
        process.kill()
    content = read(target)
    assert content == dict.fromkeys(["first", "second"], content["first"])
    assert content["first"].isdigit()


def read_in(folder: int, name: str) -> str:
    with open(os.open(name, os.O_RDONLY, dir_fd=folder)) as file:  # noqa: PTH123
        return file.read()


def whole_readings(target: Path, process: subprocess.Popen[str]) -> Iterator[tuple[str, str]]:
    """Read the directory while it is replaced; skip one that was removed meanwhile."""
    while process.poll() is None:
        folder = os.open(target, os.O_RDONLY)
        try:
            yield read_in(folder, "first"), read_in(folder, "second")
        except FileNotFoundError:
            assert target.stat().st_ino != os.fstat(folder).st_ino
        finally:
            os.close(folder)


def test_reader_sees_the_old_or_the_new_directory(target: Path) -> None:
    write(target, "old")
    with child(SWAP_MANY_TIMES.format(times=50), target) as process:
        readings = list(whole_readings(target, process))
    assert process.returncode == 0
    assert all(first == second for first, second in readings)
    assert len({first for first, _ in readings}) > 2
    assert read(target) == {"first": "49", "second": "49"}


def test_outputs_have_the_permissions_of_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_file(tmp_path / "file") as file:
            file.write(b"x")
        with atomic_directory(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750


def test_only_directories_of_the_expected_kind_are_replaceable(tmp_path: Path) -> None:
    def is_ours(folder: Path) -> bool:
        return (folder / "ours").exists()

    (tmp_path / "empty").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "ours").touch()
    for name in ("missing", "empty", "mine"):
        check_replaceable(tmp_path / name, is_ours, "a model")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter").touch()
    with pytest.raises(OutputExistsError, match="is not a model and was not overwritten") as caught:
        check_replaceable(tmp_path / "other", is_ours, "a model")
    assert caught.value.hint == "Choose another output."
    (tmp_path / "file").touch()
    with pytest.raises(OutputExistsError, match="file is a file and was not overwritten"):
        check_replaceable(tmp_path / "file", is_ours, "a model")
