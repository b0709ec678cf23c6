"""Files and directories that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from embedkit.errors import OutputExistsError, StorageError
from embedkit.system.compression import Forward
from embedkit.system.full_disk import storage_errors
from embedkit.system.interrupts import held
from embedkit.system.replacement import keep_others, remove, swap, sync, temporary_sibling

__all__ = [
    "atomic_directory",
    "atomic_file",
    "check_output_stream",
    "check_place",
    "check_replaceable",
    "is_standard_output",
    "output_stream",
    "resolve_output",
]


@contextlib.contextmanager
def atomic_directory(
    target: Path, *, overwrite: bool = False, replaces: Collection[str] = ()
) -> Iterator[Path]:
    """Yield an empty temporary sibling of *target* that becomes *target* if the block succeeds.

    Its files are synced to disk first, and it is renamed in one step, so a reader sees either the
    old directory or the new one, and a crash leaves the old one untouched.

    Args:
        target: the output.
        overwrite: whether an existing directory may be replaced. Other files in it, such as the
            user's notes, are kept.
        replaces: paths, relative to an existing directory, of files that are not kept even if the
            block does not write them.

    Raises:
        OutputExistsError: as for `resolve_output`.
        StorageError: the disk is full, or the path is not writable.
    """
    with storage_errors(target):
        place = resolve_output(target, overwrite=overwrite, directory=True)
        temporary = temporary_sibling(place)
        try:
            temporary.mkdir()
            yield temporary
            with held():
                written = {str(path.relative_to(temporary)) for path in temporary.rglob("*")}
                for name in written:
                    sync(temporary / name)
                keep_others(place, temporary, written.union(replaces))
                sync(temporary)
                swap(temporary, place)
                sync(place.parent)
                remove(temporary)
        finally:
            with held():
                remove(temporary)


@contextlib.contextmanager
def atomic_file(target: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Yield an empty temporary file, open for writing, that becomes *target* if the block succeeds.

    Raises:
        OutputExistsError: as for `resolve_output`.
        StorageError: the disk is full, or the path is not writable.
    """
    with storage_errors(target):
        place = resolve_output(target, overwrite=overwrite)
        temporary = temporary_sibling(place)
        try:
            with temporary.open("xb") as file:
                yield file
            with held():
                sync(temporary)
                temporary.replace(place)
                sync(place.parent)
        finally:
            with held():
                remove(temporary)


def is_standard_output(target: str | os.PathLike[str]) -> bool:
    """Tell whether an output is "-", which means standard output; "./-" is a file of that name."""
    return os.fspath(target) == "-"


@contextlib.contextmanager
def output_stream(target: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Yield standard output if *target* is "-"; otherwise, yield the file of `atomic_file`.

    Raises:
        OutputExistsError, StorageError: as for `atomic_file`, or standard output is closed.
    """
    if not is_standard_output(target):
        with atomic_file(Path(target), overwrite=overwrite) as file:
            yield file
        return
    if sys.stdout is None:
        raise StorageError("standard output is closed.", hint="Write to a file.")
    yield cast("BinaryIO", Forward(sys.stdout.buffer))
    sys.stdout.buffer.flush()


def check_output_stream(target: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Check that `output_stream` can write to *target*, before any time is spent on the output.

    Raises:
        OutputExistsError, StorageError: as for `resolve_output`.
    """
    if not is_standard_output(target):
        resolve_output(Path(target), overwrite=overwrite)


_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def resolve_output(target: Path, *, overwrite: bool, directory: bool = False) -> Path:
    """Return the path that an output is written to: *target*, or what it links to.

    Args:
        target: the output.
        overwrite: whether an existing file or directory may be replaced.
        directory: whether the output is a directory rather than a file.

    Raises:
        OutputExistsError: the output exists and *overwrite* is false. Even if it is true: the
            output is of another kind, such as a pipe or a device; it is a broken link; or it is or
            contains the working directory.
        StorageError: the path cannot be examined.
    """
    with storage_errors(target):
        place = Path(os.path.realpath(target))
        if not os.path.lexists(target):
            return place
        kind = stat.S_IFMT(target.stat().st_mode) if target.exists() else None
        wanted = stat.S_IFDIR if directory else stat.S_IFREG
        if kind not in (None, wanted):
            raise OutputExistsError(
                f"{target} is {_KINDS.get(kind, 'a special file')} and was not overwritten.",
                hint="Choose a directory."
                if directory
                else "Choose a file, or use - for standard output where that is possible.",
            )
        if not place.exists():  # also a link in /proc to a deleted file
            raise OutputExistsError(
                f"{target} is a broken link and was not overwritten.",
                hint="Remove it, or choose another output.",
            )
        if directory and _working_directory().is_relative_to(place):
            raise OutputExistsError(
                f"{target} is or contains the working directory and was not overwritten.",
                hint="Choose another output.",
            )
        if not overwrite:
            raise OutputExistsError(
                f"{target} already exists and was not overwritten.",
                hint="Pass --overwrite (overwrite=True) or choose another output.",
            )
        return place


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted
        return Path()


def check_replaceable(target: Path, is_ours: Callable[[Path], bool], kind: str) -> None:
    """Check that overwriting *target* would only replace a directory of the expected kind.

    Args:
        target: the output; it may be missing or empty.
        is_ours: tells whether a directory is of that kind.
        kind: the name of that kind in the error, such as "an embedkit model".

    Raises:
        OutputExistsError: the directory is of another kind, or as for `resolve_output`.
        StorageError: the directory cannot be read.
    """
    place = resolve_output(target, overwrite=True, directory=True)
    with storage_errors(target):
        if place.exists() and any(place.iterdir()) and not is_ours(place):
            raise OutputExistsError(
                f"{target} is not {kind} and was not overwritten.", hint="Choose another output."
            )


def check_place(place: Path) -> None:
    """Check that a directory can be created at *place*, by creating one beside it.

    Raises:
        OSError: it cannot.
    """
    temporary = temporary_sibling(place)
    with held():
        try:
            temporary.mkdir()
        finally:
            remove(temporary)
