"""Locks on outputs, held by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedkit.errors import StorageError
from embedkit.system import locks
from embedkit.system.locks import locked_output

HOLD = """
import sys
from embedkit.system.locks import locked_output
with locked_output(sys.argv[1]):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(target: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold the lock on *target*."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, str(target)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_the_error_names_the_process_that_holds_the_lock(tmp_path: Path) -> None:
    target = tmp_path / "model.embedkit"
    before = time.strftime("%Y-%m-%d %H:")
    with held_elsewhere(target) as process:
        with pytest.raises(StorageError) as caught, locked_output(target):
            pass
        after = time.strftime("%Y-%m-%d %H:")
        start = f"{target} is being written by process {process.pid}, since "
        assert caught.value.message.startswith((start + before, start + after))
        assert "Wait until that process has ended" in caught.value.hint
        with locked_output(tmp_path / "other"):
            pass


def test_another_machine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_this_process", lambda: "12 0 node7")
    with locked_output(tmp_path / "x"):
        match = "by process 12 on node7, since 19"
        with pytest.raises(StorageError, match=match), locked_output(tmp_path / "x"):
            pass


def test_one_path_has_one_lock_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("model.embedkit")
    monkeypatch.chdir(tmp_path)
    with (
        locked_output(tmp_path / "link"),
        pytest.raises(StorageError, match="is being written"),
        locked_output("model.embedkit"),
    ):
        pass


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path / "x") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked_output(tmp_path / "x"):
        assert [path.name for path in tmp_path.iterdir()] == [".x.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_of_anyone_is_no_lock(ordinary_user: Path) -> None:
    """A file that another user left can neither be written nor, in /tmp, be removed."""
    lock = ordinary_user / ".x.lock"
    lock.touch(mode=0o444)
    with locked_output(ordinary_user / "x"):
        pass
    assert not lock.exists()


def test_a_lock_is_taken_over_when_it_is_released(tmp_path: Path) -> None:
    """One process after the other gets it, with the lock file removed and made again meanwhile."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    code = f"""
import time
from pathlib import Path
from embedkit.errors import StorageError
from embedkit.system.locks import locked_output
done = 0
while done < 100:
    try:
        with locked_output({str(tmp_path / "x")!r}):
            counter = Path({str(counter)!r})
            counter.write_text(str(int(counter.read_text()) + 1))
            done += 1
    except StorageError:
        time.sleep(0)
"""
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert counter.read_text() == "400"


@pytest.mark.parametrize("number", [38, 95, 37])  # ENOSYS, ENOTSUP, ENOLCK
def test_a_file_system_without_locks_is_written_to(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with locked_output(tmp_path / "x"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: None])
def test_nothing_is_locked_where_nothing_can_be_written(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    make(folder)
    before = list(tmp_path.iterdir())
    for target in (folder, folder / "x") if before else (folder / "x",):
        with locked_output(target):
            assert list(tmp_path.iterdir()) == before


def test_a_place_that_may_not_be_written_to_is_an_error(ordinary_user: Path) -> None:
    ordinary_user.chmod(0o555)
    with (
        pytest.raises(StorageError, match=r"cannot write .*/x: Permission denied"),
        locked_output(ordinary_user / "x"),
    ):
        pass
