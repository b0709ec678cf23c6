"""Error messages for a full disk or a path that is not writable."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from embedkit.errors import StorageError

__all__ = ["storage_errors", "temporary_storage_errors"]


@contextlib.contextmanager
def storage_errors(
    target: str | os.PathLike[str],
    kept: str = "nothing was changed",
    *,
    elsewhere: str = "write to another disk",
) -> Iterator[None]:
    """Turn an OSError raised while *target* is written into a `StorageError`.

    An error about another file, such as an input that cannot be read, is raised unchanged.

    Args:
        target: the output.
        kept: the end of the message, about the state of the output.
        elsewhere: what to do if the disk is full, other than to free some space.
    """
    try:
        yield
    except OSError as error:
        if _concerns_another(error.filename, target):
            raise
        reason = error.strerror or str(error)
        hint = {
            errno.ENOSPC: f"Free some space, or {elsewhere}.",
            errno.EDQUOT: f"Free some space, or {elsewhere}.",
            errno.EROFS: "Choose a directory that you may write to.",
            errno.EACCES: "Choose a directory that you may write to.",
            errno.ENOENT: "Create the parent directory first.",
        }.get(error.errno or 0, "Choose another path.")
        if error.errno == errno.ENOENT and Path(target).parent.exists():  # as in /proc
            hint = "Choose a directory that you may write to."
        raise StorageError(f"cannot write {target}: {reason}; {kept}.", hint=hint) from error


def temporary_storage_errors(
    folder: str | os.PathLike[str],
) -> contextlib.AbstractContextManager[None]:
    """Return `storage_errors` for the temporary files of a text in a folder that users choose."""
    elsewhere = "choose a directory on another disk with --temporary-directory (directory=...)"
    return storage_errors(folder, "nothing was written", elsewhere=elsewhere)


def _concerns_another(name: object, target: str | os.PathLike[str]) -> bool:
    """Tell whether an error names a file other than *target*, its contents and temporary files.

    Temporary files are hidden files beside the target.
    """
    if not isinstance(name, str | bytes):
        return False
    given, place = Path(os.fsdecode(name)), Path(os.path.realpath(target))
    file = Path(os.path.realpath(given.parent)) / given.name
    if given == Path(target) or not file.is_relative_to(place.parent):
        return given != Path(target)
    inside = file.relative_to(place.parent).parts
    return bool(inside) and inside[0] != place.name and not inside[0].startswith(".")
