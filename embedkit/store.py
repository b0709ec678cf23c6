"""The model directory: settings, vocabulary and matrices, written all at once, read by memory map.

    model.embedkit/
      config.json           format version, encoder, settings, training report
      vocabulary.arrow      words and counts, most frequent first
      vectors.safetensors   "vectors" (V, d), "norms" (V,), "context" (V, d), all float32

Nothing is pickled: opening a model cannot run code.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ModelError, OutputExistsError, StorageError
from embedkit.files import atomic_directory, refuse_existing, storage_errors
from embedkit.vocabulary import Vocabulary

__all__ = ["FORMAT", "StoredModel", "check_output", "read_model", "write_model"]

FORMAT = 1
"""Version of the directory's layout; a reader refuses a later one."""

_CONFIG, _VOCABULARY, _TENSORS = "config.json", "vocabulary.arrow", "vectors.safetensors"
_LARGEST_HEADER = 1 << 20
_ROWS = 1 << 12
_AGAIN = "Remedy: train the model again, or copy it again from where it came."


@dataclass(frozen=True)
class StoredModel:
    """What a model directory holds; the tensors are read-only memory maps."""

    path: Path
    config: dict[str, Any]
    vocabulary: Vocabulary
    tensors: dict[str, NDArray[np.float32]]


def check_output(path: Path, *, overwrite: bool = False) -> None:
    """Find out whether a model may be written to *path*, before hours of work are lost.

    Raises:
        OutputExistsError: a model is there and *overwrite* is false, or something else is there.
        StorageError: the parent is missing or cannot be written to.
    """
    if os.path.lexists(path):
        empty = path.is_dir() and not any(path.iterdir())
        if overwrite and not empty and not (path / _CONFIG).is_file():
            raise OutputExistsError(
                f"{path} is not an embedkit model and is kept: --overwrite replaces models only. "
                "Remedy: name another output."
            )
        refuse_existing(path, overwrite=overwrite or empty)
    if not path.parent.is_dir():
        raise StorageError(
            f"cannot write {path}: there is no directory {path.parent}. Remedy: make it first."
        )
    if not os.access(path.parent, os.W_OK):
        raise StorageError(
            f"cannot write {path}: {path.parent} is not writable. Remedy: name another place."
        )


def write_model(
    path: Path,
    *,
    config: Mapping[str, Any],
    vocabulary: Vocabulary,
    tensors: Mapping[str, NDArray[np.float32]] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a model directory in one step: readers see the old one or the new one.

    Args:
        path: the directory; its parent must exist.
        config: what JSON can hold, with the key "encoder"; the format version is added.
        vocabulary: V words.
        tensors: float32 arrays with V rows each.
        overwrite: replace what is there.

    Raises:
        OutputExistsError: something is there and *overwrite* is false.
        StorageError: the disk is full or the place cannot be written to.
    """
    path = Path(os.path.abspath(path))
    check_output(path, overwrite=overwrite)
    with atomic_directory(path, overwrite=True) as folder, storage_errors(path):
        vocabulary.save(folder / _VOCABULARY)
        if tensors:
            _write_tensors(folder / _TENSORS, tensors)
        text = json.dumps({"format": FORMAT, **config}, indent=2, ensure_ascii=False)
        (folder / _CONFIG).write_text(text + "\n", encoding="utf-8")


def read_model(path: Path) -> StoredModel:
    """Open a model directory.

    Raises:
        ModelError: nothing is there, it is no model, it is damaged, or it is too new.
    """
    if not path.exists():
        raise ModelError(
            f"there is no model at {path}. Remedy: embedkit train CORPUS -o {path}, "
            "or name another with --model (or EMBEDKIT_MODEL)."
        )
    if not (path / _CONFIG).is_file():
        what = "holds no config.json" if path.is_dir() else "is a file"
        raise ModelError(
            f"{path} is not an embedkit model: it {what}. Remedy: name the directory that "
            "embedkit train wrote."
        )
    config = _read_config(path / _CONFIG)
    if not (path / _VOCABULARY).is_file():
        raise ModelError(f"{path} is incomplete: {_VOCABULARY} is missing. {_AGAIN}")
    vocabulary = Vocabulary.open(path / _VOCABULARY)
    tensors = dict(_read_tensors(path / _TENSORS)) if (path / _TENSORS).exists() else {}
    for name, tensor in tensors.items():
        if len(tensor) != len(vocabulary):
            raise ModelError(
                f"{path} is inconsistent: {len(tensor):,} rows in {name!r} for "
                f"{len(vocabulary):,} words. {_AGAIN}"
            )
    return StoredModel(path, config, vocabulary, tensors)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} is damaged: {error}. {_AGAIN}") from error
    if not isinstance(config, dict) or not isinstance(config.get("format"), int):
        raise ModelError(f"{path} names no format version: {path.parent} is not an embedkit model.")
    if config["format"] > FORMAT:
        raise ModelError(
            f"{path.parent} has format {config['format']}; this embedkit reads up to {FORMAT}. "
            "Remedy: pip install --upgrade embedkit."
        )
    return config


def _write_tensors(path: Path, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Write the safetensors format block by block; its own writer wants a second copy in memory."""
    header: dict[str, Any] = {}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.size * 4
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            for start in range(0, len(tensor), _ROWS):
                block = np.ascontiguousarray(tensor[start : start + _ROWS], dtype="<f4")
                file.write(block.data)


def _read_tensors(path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Map the tensors of a safetensors file; every size is checked before it is believed."""
    size = path.stat().st_size
    damaged = f"{path} is damaged or cut short"
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
        if length > min(size - 8, _LARGEST_HEADER):
            raise ModelError(f"{damaged}: its header does not fit. {_AGAIN}")
        try:
            header = json.loads(file.read(length))
            entries = {
                str(name): (entry["dtype"], tuple(entry["shape"]), *entry["data_offsets"])
                for name, entry in header.items()
                if name != "__metadata__"
            }
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"{damaged}: its header cannot be read. {_AGAIN}") from error
    for name, (dtype, shape, start, end) in entries.items():
        whole = all(isinstance(n, int) and n >= 0 for n in (*shape, start, end))
        if (
            not whole
            or not shape
            or dtype != "F32"
            or np.prod(shape, dtype=object) * 4 != end - start
        ):
            raise ModelError(f"{damaged}: {name!r} is described wrongly. {_AGAIN}")
        if 8 + length + end > size:
            missing = 8 + length + end - size
            raise ModelError(f"{damaged}: {missing:,} bytes of {name!r} are missing. {_AGAIN}")
        if end == start:
            yield name, np.zeros(shape, dtype=np.float32)
            continue
        yield name, np.memmap(path, "<f4", "r", offset=8 + length + start, shape=shape)
