"""The approximate index of a model directory: index.faiss, and its entry in config.json.

FAISS does not check what it reads, so the checksum is compared before FAISS opens a file. The index
and its entry are replaced in one step, like a model.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embedkit.errors import ConfigurationError, ModelError, StaleIndexWarning
from embedkit.index.approximate import ApproximateIndex, IndexSettings
from embedkit.index.exact import DenseIndex
from embedkit.index.metrics import find_metric
from embedkit.storage.config_file import CONFIG, INDEX, RESTORE_HINT, read_config, write_config
from embedkit.storage.model_directory import FORMAT, StoredModel, checksum, read_model
from embedkit.storage.quantization import unpack
from embedkit.system.files import atomic_directory
from embedkit.system.full_disk import storage_errors

__all__ = [
    "INDEX",
    "describe_index",
    "drop_index",
    "open_index",
    "read_index_file",
    "save_index",
    "vectors_to_index",
    "write_index_file",
]

_HINT = "Build a new index with embedkit index build, or remove it with embedkit index drop."
_EXACT_HINT = f"{_HINT} Pass --exact (exact=True) to search without an index."


def save_index(model: StoredModel, index: ApproximateIndex) -> int:
    """Save an index in the directory of its model; return its size in bytes.

    Raises:
        ModelError: the directory was replaced by another model in the meantime.
        StorageError: the disk is full, or the path is not writable.
    """

    def write(folder: Path) -> dict[str, Any]:
        return {**write_index_file(folder / INDEX, index), "fingerprint": model.fingerprint}

    _replace(model, write)
    return (Path(os.path.realpath(model.path)) / INDEX).stat().st_size


def write_index_file(path: Path, index: ApproximateIndex) -> dict[str, Any]:
    """Write an index; return its settings, size and checksum, which `read_index_file` needs.

    Raises:
        OSError: the file cannot be written.
    """
    import faiss

    try:
        faiss.write_index(index.index, _name(path))
    except RuntimeError as error:  # FAISS raises nothing else
        raise OSError(str(error).splitlines()[-1]) from error
    return {
        "settings": asdict(index.settings),
        "bytes": path.stat().st_size,
        "crc32": checksum(path),
    }


def drop_index(path: Path) -> bool:
    """Remove the index of a model; return whether there was one.

    Raises:
        ModelError: the path is not a model.
        StorageError: the disk is full, or the path is not writable.
    """
    model = read_model(path)
    if not model.index and not (path / INDEX).exists():
        return False
    _replace(model, lambda folder: None)
    return True


def open_index(model: StoredModel, exact: DenseIndex) -> ApproximateIndex | None:
    """Return the index of a model, memory-mapped if FAISS can; None if it has no suitable one.

    An index for another metric is not suitable. Neither is an index of other vectors, which also
    causes a `StaleIndexWarning`.

    Args:
        model: the model.
        exact: the exact index of the model's vectors.

    Raises:
        ModelError: the index is damaged.
    """
    path = model.path / INDEX
    if not model.index and not path.exists():
        return None
    if not path.exists() or model.index.get("fingerprint") != model.fingerprint:
        problem = "was built from other vectors" if path.exists() else "is missing"
        warnings.warn(
            f"{path} {problem}, so searches are exact. {_HINT}",
            StaleIndexWarning,
            stacklevel=2,
        )
        return None
    return read_index_file(path, model.index, exact, _EXACT_HINT)


def read_index_file(
    path: Path, entry: Mapping[str, Any], exact: DenseIndex, hint: str = RESTORE_HINT
) -> ApproximateIndex | None:
    """Open a file that `write_index_file` wrote, memory-mapped if FAISS can.

    Args:
        path: the file.
        entry: what `write_index_file` returned.
        exact: the exact index of the same rows.
        hint: what to do if it is damaged.

    Returns:
        The index, or None if it is for another metric.

    Raises:
        ModelError: it is damaged.
    """
    damaged = ModelError(
        f"{path} is damaged: its checksum or its entry in config.json is wrong.",
        hint=hint,
    )
    try:
        settings = IndexSettings(**entry["settings"])
        if settings.metric != exact.metric.name:
            return None
        if path.stat().st_size != entry["bytes"] or checksum(path) != entry["crc32"]:
            raise damaged
    except (KeyError, TypeError, ConfigurationError) as error:
        raise damaged from error
    import faiss

    # Older releases of FAISS lack this flag; without it, the index is read into memory.
    flag = getattr(faiss, "IO_FLAG_MMAP_IFC", 0)
    try:
        index = faiss.read_index(_name(path), flag)
    except RuntimeError as error:
        raise ModelError(
            f"{path} cannot be read by FAISS {faiss.__version__}.",
            hint=hint,
        ) from error
    if (index.ntotal, index.d) != exact.matrix.shape:
        raise damaged
    return ApproximateIndex(index, exact, settings)


def _name(path: Path) -> str:
    """Return a path as a string for FAISS.

    Raises:
        ModelError: the path is not UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ModelError(
            f"FAISS cannot open {str(path)!r}: the name is not UTF-8.",
            hint="Rename the directory, or pass --exact (exact=True).",
        ) from None
    return str(path)


def describe_index(model: StoredModel) -> dict[str, Any]:
    """Return kind, metric, settings and size of a model's index; empty if there is no index."""
    if not model.index:
        return {}
    try:
        used = IndexSettings(**model.index["settings"]).used
    except (KeyError, TypeError, ConfigurationError):
        return {"kind": "damaged"}
    return {**used, "bytes": model.index.get("bytes")}


def vectors_to_index(model: StoredModel, metric: str) -> DenseIndex:
    """Return the exact index of a model's vectors, from which to build an approximate one.

    Raises:
        ConfigurationError: the model has no dense vectors to index.
    """
    find_metric(metric)
    if "vectors" not in model.tensors:
        raise ConfigurationError(
            f"{model.path} has no dense vectors to index: the encoder "
            f"{model.config.get('encoder')} computes them from the words.",
            hint="Pass a model with trained vectors.",
        )
    return DenseIndex(unpack(model.tensors), metric, model.tensors.get("norms"))


def _replace(model: StoredModel, write: Callable[[Path], dict[str, Any] | None]) -> None:
    """Replace the model's directory by one with the same files and a different index, or none."""
    path = Path(os.path.realpath(model.path))
    replaced = {INDEX, CONFIG}
    with storage_errors(path), atomic_directory(path, overwrite=True, replaces=replaced) as folder:
        entry = write(folder)
        config = read_config(path / CONFIG, FORMAT)
        config.pop("index", None)
        if entry is not None:
            config["index"] = entry
        write_config(folder / CONFIG, config)
        if read_model(path).fingerprint != model.fingerprint:
            raise ModelError(
                f"{path} was replaced by another model in the meantime; nothing was changed.",
                hint="Run embedkit index build again.",
            )
