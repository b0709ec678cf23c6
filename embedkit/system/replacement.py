"""The steps of replacing a file or a directory: hidden names, syncing, exchanging names."""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

__all__ = ["hidden_sibling", "keep_others", "remove", "swap", "sync", "temporary_sibling"]

_LONGEST_NAME = 255  # bytes


def temporary_sibling(place: Path) -> Path:
    """Return an unused path. It is known before it is created, so it can always be removed."""
    return hidden_sibling(place, f"{secrets.token_hex(8)}.tmp")


def hidden_sibling(place: Path, suffix: str) -> Path:
    """Return the path ``.NAME.suffix`` beside *place*; a long NAME is replaced by its hash."""
    name = os.fsencode(place.name)
    if len(name) + len(suffix) + 2 > _LONGEST_NAME >= len(name):
        return place.with_name(f".{hashlib.blake2b(name, digest_size=16).hexdigest()}.{suffix}")
    return place.with_name(f".{place.name}.{suffix}")


def sync(path: Path) -> None:
    """Wait until a file or directory is written to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def swap(new: Path, target: Path) -> None:
    """Rename *new* to *target*; an existing *target* gets the name of *new* or is removed."""
    if not os.path.lexists(target):
        new.rename(target)
    elif not _exchange(new, target):
        # Without an atomic exchange, the old one is moved aside first. A crash between the two
        # renames leaves it complete beside the target.
        aside = new.with_suffix(".old")
        target.rename(aside)
        try:
            new.rename(target)
        except OSError:
            aside.rename(target)
            raise
        remove(aside)


def remove(path: Path) -> None:
    """Remove a directory, a file or a link, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names atomically (Linux renameat2); return False if the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    at_working_directory, exchange = -100, 2
    names = os.fsencode(first), os.fsencode(second)
    result = renameat2(at_working_directory, names[0], at_working_directory, names[1], exchange)
    return bool(result == 0)


def keep_others(old: Path, new: Path, replaced: Collection[str]) -> None:
    """Add all files in *old*, except those *replaced*, to *new*; they also stay in *old*.

    They are hard links if the file system has them, and copies otherwise.
    """
    for path in sorted(old.rglob("*")) if old.is_dir() else ():
        target = new / path.relative_to(old)
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                target.mkdir(parents=True, exist_ok=True)
        elif str(path.relative_to(old)) not in replaced:
            target.parent.mkdir(parents=True, exist_ok=True)
            _share(path, target)


def _share(file: Path, target: Path) -> None:
    """Make a hard link to a file, or a copy if that is impossible."""
    try:
        os.link(file, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(file, target, follow_symlinks=False)
