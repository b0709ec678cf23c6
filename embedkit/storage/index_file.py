"""An approximate index in its model directory: index.faiss, and what config.json says of it.

FAISS trusts what it reads, so a file must be proved whole before FAISS sees it. The index and what
is said of it change places with the old ones in one step, like a model.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embedkit.errors import ConfigurationError, ModelError, StaleIndexWarning
from embedkit.index.approximate import ApproximateIndex, IndexSettings
from embedkit.index.exact import DenseIndex
from embedkit.index.metrics import find_metric
from embedkit.storage.config_file import CONFIG, read_config, write_config
from embedkit.storage.model_directory import FORMAT, StoredModel, checksum, read_model
from embedkit.storage.quantization import unpack
from embedkit.system.files import atomic_directory, storage_errors

__all__ = ["INDEX", "described", "drop_index", "open_index", "save_index", "vectors_to_index"]

INDEX = "index.faiss"
_HINT = "embedkit index build makes a new index; embedkit index drop removes this one"


def save_index(model: StoredModel, index: ApproximateIndex) -> int:
    """Put an index into the directory of the model that it was built of; return its bytes.

    Raises:
        ModelError: another model has taken the directory meanwhile.
        StorageError: the disk is full or the place cannot be written to.
    """
    import faiss

    def write(folder: Path) -> dict[str, Any]:
        path = folder / INDEX
        try:
            faiss.write_index(index.index, str(path))
        except RuntimeError as error:  # FAISS has no other
            raise OSError(str(error).splitlines()[-1]) from error
        return {
            "settings": asdict(index.settings),
            "bytes": path.stat().st_size,
            "crc32": checksum(path),
            "fingerprint": model.fingerprint,
        }

    _replace(model, write)
    return (Path(os.path.realpath(model.path)) / INDEX).stat().st_size


def drop_index(path: Path) -> bool:
    """Remove the index of a model, if there is one; return whether there was.

    Raises:
        ModelError: there is no model.
        StorageError: the place cannot be written to.
    """
    model = read_model(path)
    if not model.index and not (path / INDEX).exists():
        return False
    _replace(model, lambda folder: None)
    return True


def open_index(model: StoredModel, exact: DenseIndex) -> ApproximateIndex | None:
    """Return the index of a model, mapped where FAISS can; None if it has none that fits.

    One of another metric is not for these questions, and one that was built of other vectors is
    left alone, with a `StaleIndexWarning`.

    Args:
        exact: of the model's vectors.

    Raises:
        ModelError: it is damaged.
    """
    path = model.path / INDEX
    if not model.index and not path.exists():
        return None
    if not path.exists() or model.index.get("fingerprint") != model.fingerprint:
        what = "was built of other vectors" if path.exists() else "is missing"
        warnings.warn(
            f"{path} {what}: questions are answered exactly. {_HINT}.",
            StaleIndexWarning,
            stacklevel=2,
        )
        return None
    damaged = ModelError(
        f"{path} is damaged: its checksum or what config.json says of it is wrong.",
        hint=f"{_HINT}; --exact answers without it.",
    )
    try:
        settings = IndexSettings(**model.index["settings"])
        if settings.metric != exact.metric.name:
            return None
        if path.stat().st_size != model.index["bytes"] or checksum(path) != model.index["crc32"]:
            raise damaged
    except (KeyError, TypeError, ConfigurationError) as error:
        raise damaged from error
    import faiss

    # Older releases of FAISS cannot map all kinds; without the flag it is read into memory.
    flag = getattr(faiss, "IO_FLAG_MMAP_IFC", 0)
    try:
        index = faiss.read_index(str(path), flag)
    except RuntimeError as error:
        raise ModelError(
            f"{path} cannot be read by this FAISS, {faiss.__version__}.",
            hint=f"{_HINT}; --exact answers without it.",
        ) from error
    if (index.ntotal, index.d) != exact.matrix.shape:
        raise damaged
    return ApproximateIndex(index, exact, settings)


def described(model: StoredModel) -> dict[str, Any]:
    """Return kind, metric, settings and bytes of a model's index; nothing where there is none."""
    if not model.index:
        return {}
    try:
        used = IndexSettings(**model.index["settings"]).used
    except (KeyError, TypeError, ConfigurationError):
        return {"kind": "damaged"}
    return {**used, "bytes": model.index.get("bytes")}


def vectors_to_index(model: StoredModel, metric: str) -> DenseIndex:
    """Return the exact index of a model's vectors.

    Raises:
        ConfigurationError: they are sparse, or made of the words, so that no index is kept of them.
    """
    find_metric(metric)
    if "vectors" not in model.tensors:
        raise ConfigurationError(
            f"{model.path} holds no dense vectors: those of {model.config.get('encoder')} are made "
            "of the words, and questions about them are answered exactly.",
            hint="Name a model of trained vectors.",
        )
    return DenseIndex(unpack(model.tensors), metric, model.tensors.get("norms"))


def _replace(model: StoredModel, write: Callable[[Path], dict[str, Any] | None]) -> None:
    """Put a directory in the place of the model's with the same files but for the index."""
    path = Path(os.path.realpath(model.path))
    with atomic_directory(path, overwrite=True) as folder, storage_errors(path):
        for file in path.iterdir():
            if file.name not in (INDEX, CONFIG):
                _share(file, folder / file.name)
        entry = write(folder)
        config = read_config(path / CONFIG, FORMAT)
        config.pop("index", None)
        if entry is not None:
            config["index"] = entry
        write_config(folder / CONFIG, config)
        if read_model(path).fingerprint != model.fingerprint:
            raise ModelError(
                f"{path} has become another model meanwhile, and is kept.",
                hint="embedkit index build again.",
            )


def _share(file: Path, target: Path) -> None:
    """Give a file a second name; where there can be none, a copy."""
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copy2(file, target)
