"""Locks on outputs, so that two commands do not write the same file or directory at once.

The lock on ``model.embedkit`` is the file ``.model.embedkit.lock`` beside it, locked by flock(2)
and removed at the end. The kernel releases the lock when the process ends, however it ends, so a
lock file left by a killed process locks nothing. On NFS, Linux turns flock into a lock that all
machines see. On a file system without locks, outputs are written without one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from embedkit.errors import StorageError
from embedkit.system.full_disk import storage_errors
from embedkit.system.interrupts import held
from embedkit.system.replacement import hidden_sibling

__all__ = ["locked_output"]

_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
_LONGEST = 1_000  # bytes of a lock file


@contextlib.contextmanager
def locked_output(target: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other processes that use this lock from writing *target* during the block.

    Nothing is locked if nothing can be written: *target* is a pipe or a device, or its directory is
    missing.

    Raises:
        StorageError: another process holds the lock, or no file can be created beside *target*.
    """
    place = Path(os.path.realpath(target))
    if not place.parent.is_dir() or (place.exists() and not (place.is_file() or place.is_dir())):
        yield  # nothing can be written there
        return
    lock = _Lock(hidden_sibling(place, "lock"))
    try:
        with held(), storage_errors(target):
            holder = lock.take()
        if holder is not None:
            raise StorageError(
                f"{target} is being written by {holder}.",
                hint="Wait until that process has ended, or choose another output.",
            )
        yield
    finally:
        with held():
            lock.release()


class _Lock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> str | None:
        """Take the lock and return None, or return a description of the process that has it."""
        while True:
            handle = _open(self._path)
            try:
                if not _lock(handle):
                    return _described(os.pread(handle, _LONGEST, 0).decode(errors="replace"))
                if not _is_still(self._path, handle):
                    continue  # its holder has removed it in the meantime
                # A lock file that is not writable was left by another user.
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, 0)
                    os.pwrite(handle, _this_process().encode(), 0)
                self._handle, handle = handle, -1
                return None
            finally:
                if handle >= 0:
                    os.close(handle)

    def release(self) -> None:
        """Remove the lock file, if this process has the lock."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self._handle)
            self._handle = None


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError:
        try:
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:  # the directory is not writable
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None


def _lock(handle: int) -> bool:
    """Lock an open file; return False if another process has locked it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN  # any other error: the file system has no locks
    return True


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def _this_process() -> str:
    return f"{os.getpid()} {time.time():.0f} {socket.gethostname()}"


def _described(text: str) -> str:
    """Describe the holder of a lock by the text of its lock file."""
    try:
        pid, seconds, host = text.split()
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(seconds)))
    except ValueError:  # not written yet
        return "another process"
    elsewhere = "" if host == socket.gethostname() else f" on {host}"
    return f"process {pid}{elsewhere}, since {since}"
