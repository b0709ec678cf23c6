"""The directory of a search index, replaced in one step whenever the index changes.

    docs.index/
      config.json           format version, settings, the model, the list of segments
      segments/NUMBER/      see `segment`
      bm25/                 Tantivy's files
      pooling.safetensors   what the pooling learned from the documents
      deleted.safetensors   numbers of the deleted documents, by segment

A change is written to a temporary sibling, to which unchanged files are linked, synced, and then
renamed: a reader sees the old index or the new one. A reader that has the old one open keeps it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ModelError
from embedkit.retrieval.segment import check_sizes
from embedkit.storage.config_file import (
    CONFIG,
    FILES,
    RESTORE_HINT,
    own_files,
    read_config,
    write_config,
)
from embedkit.storage.model_directory import check_output, checksum
from embedkit.storage.tensors import read_tensors, write_tensors
from embedkit.system.files import atomic_directory
from embedkit.system.full_disk import storage_errors
from embedkit.system.locks import locked_output
from embedkit.system.replacement import keep_others, remove

__all__ = [
    "BM25",
    "KIND",
    "POOLING",
    "SEGMENTS",
    "IndexChange",
    "changed_index",
    "identity",
    "new_index",
    "read_deleted",
    "read_index_config",
    "read_unchanged",
]

Result = TypeVar("Result")

KIND = "search index"
SEGMENTS, BM25, POOLING, DELETED = "segments", "bm25", "pooling.safetensors", "deleted.safetensors"
_FORMAT = 1
_MOST_ATTEMPTS = 20  # to read an index that is replaced again and again
_LOCKS = (".tantivy-meta.lock", ".tantivy-writer.lock")


@dataclass
class IndexChange:
    """A change of an index that is being written.

    Attributes:
        folder: the temporary directory.
        config: the configuration, to be changed.
        deleted: the numbers of all deleted documents, by the name of their segment.
        dropped: files of the old index that are not kept, relative to it.
    """

    folder: Path
    config: dict[str, Any]
    deleted: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    def drop_unused(self) -> None:
        """Remove new segments that are no longer listed."""
        names = {entry["name"] for entry in self.config["segments"]}
        for folder in (self.folder / SEGMENTS).glob("*"):
            if folder.name not in names:
                remove(folder)

    def write(self) -> None:
        """Write the configuration and the deletions."""
        names = {entry["name"] for entry in self.config["segments"]}
        kept = {name: rows for name, rows in self.deleted.items() if name in names and len(rows)}
        if kept:
            write_tensors(self.folder / DELETED, {n: r.astype(np.int32) for n, r in kept.items()})
        for name in _LOCKS:
            (self.folder / BM25 / name).unlink(missing_ok=True)
        files = sorted(path for path in (self.folder / BM25).iterdir())
        self.config["bm25"] = {p.name: [p.stat().st_size, checksum(p)] for p in files}
        self.config["deleted"] = sum(map(len, kept.values()))
        self.config[FILES] = _files(self.config)
        write_config(self.folder / CONFIG, {"format": _FORMAT, "kind": KIND, **self.config})


@contextlib.contextmanager
def new_index(path: Path, *, overwrite: bool) -> Iterator[IndexChange]:
    """Write a new index to *path*.

    Raises:
        OutputExistsError: the path exists and *overwrite* is false, or something else is there.
        StorageError: the disk is full, the path is not writable, or another process writes there.
    """
    place = Path(os.path.realpath(path))
    with locked_output(path), storage_errors(path):
        check_output(path, overwrite=overwrite)
        with atomic_directory(place, overwrite=True, replaces=own_files(place)) as folder:
            (folder / BM25).mkdir()
            (folder / SEGMENTS).mkdir()
            first = {"next_document": 1, "next_serial": 0, "next_segment": 1}
            change = IndexChange(folder, {"segments": [], **first})
            yield change
            change.write()


@contextlib.contextmanager
def changed_index(path: Path) -> Iterator[IndexChange]:
    """Change an index; segments that are left in the configuration are kept.

    Raises:
        ModelError: there is no index, or it is damaged.
        StorageError: the disk is full, the path is not writable, or another process writes there.
    """
    place = Path(os.path.realpath(path))
    with locked_output(path), storage_errors(path):
        config = read_index_config(place)
        replaced = {CONFIG, DELETED, *_below(place, BM25)}
        with atomic_directory(place, overwrite=True, replaces=replaced) as folder:
            keep_others(place / BM25, folder / BM25, ())
            change = IndexChange(folder, config, read_deleted(place, config), replaced)
            before = {entry["name"] for entry in config["segments"]}
            yield change
            change.write()
            for name in before - {entry["name"] for entry in config["segments"]}:
                change.dropped.update(_below(place, f"{SEGMENTS}/{name}"))


def read_index_config(path: Path) -> dict[str, Any]:
    """Return the configuration of an index, after a check of the BM25 files.

    Raises:
        ModelError: there is no index, or it is damaged or too new.
    """
    if not path.exists():
        raise ModelError(
            f"there is no search index at {path}.",
            hint=f"Build one with embedkit search build DOCUMENTS -o {path}, or pass another path.",
        )
    config = read_config(path / CONFIG, _FORMAT, KIND)
    try:
        files = {str(n): (int(size), int(crc)) for n, (size, crc) in config["bm25"].items()}
        entries = [
            (str(e["name"]), int(e["documents"]), int(e["passages"])) for e in config["segments"]
        ]
        numbers = [int(config[name]) for name in ("next_document", "next_serial", "next_segment")]
        model = config["model"]
        whole = isinstance(model, dict) and isinstance(config["settings"], dict)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"an entry is wrong ({error})") from error
    if not whole or not files or min(numbers) < 0 or any("/" in name for name, _, _ in entries):
        raise _damaged(path, "an entry is wrong")
    check_sizes(path / BM25, {name: size for name, (size, _) in files.items()})
    for name, (_, crc) in files.items():
        if checksum(path / BM25 / name) != crc:
            raise ModelError(
                f"{path / BM25 / name} is damaged: its checksum is wrong.", hint=RESTORE_HINT
            )
    return config


def read_unchanged(path: Path, read: Callable[[], Result]) -> Result:
    """Return what *read* returns; read again if the index was replaced in the meantime.

    Otherwise, the files of two versions could be mixed.

    Raises:
        ModelError: as *read* does.
    """
    for _ in range(_MOST_ATTEMPTS):
        before = identity(path)
        try:
            found = read()
        except ModelError:
            if identity(path) == before:
                raise
            continue
        if identity(path) == before:
            return found
    return read()


def identity(path: Path) -> tuple[int, ...] | None:
    """Return numbers that change when an index is replaced; None if there is none."""
    try:
        found = (path / CONFIG).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _damaged(path: Path, problem: str) -> ModelError:
    return ModelError(f"{path / CONFIG} is damaged: {problem}.", hint=RESTORE_HINT)


def read_deleted(path: Path, config: Mapping[str, Any]) -> dict[str, NDArray[np.int32]]:
    """Return the numbers of the deleted documents, by segment.

    Raises:
        ModelError: the file is damaged or missing.
    """
    if not config.get("deleted"):
        return {}
    counts = {entry["name"]: entry["documents"] for entry in config["segments"]}
    if not (path / DELETED).exists():
        raise ModelError(f"{path} is incomplete: {DELETED} is missing.", hint=RESTORE_HINT)
    found = read_tensors(path / DELETED, dict.fromkeys(counts, ("I32",)))
    for name, rows in found.items():
        if rows.ndim != 1 or rows.min(initial=0) < 0 or rows.max(initial=0) >= counts[name]:
            raise ModelError(f"{path / DELETED} is damaged.", hint=RESTORE_HINT)
    if sum(map(len, found.values())) != config["deleted"]:
        raise ModelError(f"{path / DELETED} is damaged.", hint=RESTORE_HINT)
    return {name: np.array(rows) for name, rows in found.items()}


def _files(config: Mapping[str, Any]) -> list[str]:
    """Return the files of an index except config.json, relative to its directory."""
    segments = [f"{SEGMENTS}/{e['name']}/{file}" for e in config["segments"] for file in e["bytes"]]
    words = [f"{BM25}/{name}" for name in (*config["bm25"], *_LOCKS)]
    return [POOLING, DELETED, *words, *segments]


def _below(path: Path, part: str) -> list[str]:
    return [str(file.relative_to(path)) for file in (path / part).rglob("*") if file.is_file()]
