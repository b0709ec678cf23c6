"""The model directory: settings, vocabulary and matrices, written in one step, memory-mapped.

    model.embedkit/
      config.json           format version, encoder, settings, training report
      vocabulary.arrow      words and counts, most frequent first
      vectors.safetensors   "vectors" (V, d), "norms" (V,), "context" (V, d), all float32;
                            a served model also has "units" (V, d), the normalized rows;
                            "vectors" may be float16, or int8 with "scales" (V,), see
                            `quantization`; "ngrams", "buckets", "offset": `vectors.subwords`
      index.faiss           an approximate index, if one was built; see `index_file`

Nothing is pickled: opening a model cannot run code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import MissingModelError, ModelError, StorageError, counted
from embedkit.storage.config_file import (
    CONFIG,
    MODEL_FILES,
    RESTORE_HINT,
    TENSORS,
    VOCABULARY,
    own_files,
    read_config,
    reading_errors,
    was_saved_here,
    write_config,
)
from embedkit.storage.tensors import read_tensors, write_tensors
from embedkit.system.files import atomic_directory, check_place, check_replaceable, resolve_output
from embedkit.system.full_disk import storage_errors

__all__ = [
    "FORMAT",
    "NOT_OF_WORDS",
    "StoredModel",
    "check_output",
    "checksum",
    "is_saved_model",
    "read_model",
    "remove_model",
    "replaced_directory",
    "write_model",
]

NOT_OF_WORDS = ("ngrams", "ngram_scales", "buckets", "offset", "positions")
"""Tensors that do not have a row for each word."""

FORMAT = 2
"""Version of the directory's layout; readers reject a later one."""

_FLOAT32_FORMAT = 1  # older versions of embedkit can read models that are all float32

_CHECKSUM, _NAMES = "vocabulary_crc32", "tensors"
_CHECKED_BYTES = 1 << 20
_PACKABLE = {"vectors": "scales", "ngrams": "ngram_scales"}  # with the names of their scales
_DTYPES = {**dict.fromkeys(_PACKABLE, ("F32", "F16", "I8")), "buckets": ("I32",)}
_COMPACT = (np.dtype(np.float16), np.dtype(np.int8))


@dataclass(frozen=True)
class StoredModel:
    """The contents of a model directory; the tensors are read-only memory maps.

    A pickle holds only the path and the fingerprint: unpickling maps the same files, and raises
    `ModelError` if another model has taken their place.

    Attributes:
        path: the directory.
        config: settings and training report.
        vocabulary: V words.
        tensors: matrices and vectors by name.
        fingerprint: changes with the settings, the words and the first rows.
        index: the entry of an approximate index in config.json; see `index_file`.
    """

    path: Path
    config: dict[str, Any]
    vocabulary: Vocabulary
    tensors: dict[str, NDArray[Any]]
    fingerprint: str
    index: dict[str, Any]

    @property
    def storage(self) -> str | None:
        """The type of the stored vectors: "float32", "float16", "int8", or None without vectors."""
        return str(self.tensors["vectors"].dtype) if "vectors" in self.tensors else None

    def __reduce__(self) -> tuple[Callable[[Path, str], StoredModel], tuple[Path, str]]:
        return _reopen, (Path(os.path.abspath(self.path)), self.fingerprint)

    def __deepcopy__(self, memo: dict[int, object]) -> StoredModel:
        return self  # immutable


def check_output(path: Path, *, overwrite: bool = False) -> None:
    """Check that a model can be written to *path*, before any time is spent on making it.

    Raises:
        OutputExistsError: a model exists and *overwrite* is false, or something else exists; see
            `files.resolve_output`.
        StorageError: the disk is full, or the path is not writable.
    """
    check_replaceable(path, was_saved_here, "an embedkit model")
    with storage_errors(path):
        place = resolve_output(path, overwrite=True, directory=True)
        empty = place.is_dir() and not any(place.iterdir())
        resolve_output(path, overwrite=overwrite or empty, directory=True)
        if not place.parent.is_dir():
            raise StorageError(
                f"cannot write {path}: there is no directory {path.parent}.",
                hint="Create it first.",
            )
        check_place(place)


@contextlib.contextmanager
def replaced_directory(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty temporary directory that becomes *path* if the block succeeds.

    Only files that embedkit writes are replaced; other files in an existing directory are kept.

    Raises:
        OutputExistsError, StorageError: as for `check_output`.
    """
    check_output(path, overwrite=overwrite)
    with (
        storage_errors(path),
        atomic_directory(path, overwrite=True, replaces=own_files(path)) as folder,
    ):
        yield folder


def write_model(
    path: Path,
    *,
    config: Mapping[str, Any],
    vocabulary: Vocabulary,
    tensors: Mapping[str, NDArray[Any]] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a model directory in one step: readers see the old one or the new one.

    Args:
        path: the directory; its parent must exist.
        config: settings as in JSON, with the key "encoder"; the format version is added.
        vocabulary: V words.
        tensors: arrays with V rows each (those of n-grams and positions have any number), all
            float32 except "buckets", int32, and the "vectors" and "ngrams" that `quantization.pack`
            returned.
        overwrite: replace an existing model.

    Raises:
        OutputExistsError: as for `check_output`.
        StorageError: the disk is full, or the path is not writable.
    """
    with replaced_directory(path, overwrite=overwrite) as folder:
        vocabulary.save(folder / VOCABULARY)
        if tensors:
            write_tensors(folder / TENSORS, tensors)
        compact = any(tensor.dtype in _COMPACT for tensor in (tensors or {}).values())
        head = {
            "format": FORMAT if compact else _FLOAT32_FORMAT,
            _CHECKSUM: checksum(folder / VOCABULARY),
            _NAMES: list(tensors or {}),
        }
        write_config(folder / CONFIG, {**head, **config, **head})


def is_saved_model(path: Path) -> bool:
    """Tell whether a directory holds a model, even a damaged or incomplete one."""
    return was_saved_here(path) or (path / TENSORS).is_file()


def remove_model(path: Path) -> None:
    """Remove the files that embedkit wrote in a directory, and the directory if that empties it.

    Files that cannot be removed are left.
    """
    with contextlib.suppress(OSError):
        for name in MODEL_FILES:
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def read_model(path: Path) -> StoredModel:
    """Open a model directory.

    Raises:
        ModelError: the path does not exist, is not a model or cannot be read, or the model is
            damaged or too new.
    """
    with reading_errors(path):
        return _read_model(path)


def _read_model(path: Path) -> StoredModel:
    if not path.exists():
        raise MissingModelError(str(path))
    if not (path / CONFIG).is_file():
        problem = f"has no {CONFIG}" if path.is_dir() else "is a file"
        raise ModelError(
            f"{path} is not an embedkit model: it {problem}.",
            hint="Pass a directory that embedkit train wrote.",
        )
    config = read_config(path / CONFIG, FORMAT)
    index = config.pop("index", {})  # the vectors are the same with and without one
    if not isinstance(index, dict):
        raise ModelError(
            f"{path / CONFIG} is damaged: its index entry is {index!r:.60}.", hint=RESTORE_HINT
        )
    digest = hashlib.blake2b(json.dumps(config, sort_keys=True).encode(), digest_size=16)
    if "kind" in config:
        command = "search" if config["kind"] == "search index" else "classify"
        raise ModelError(
            f"{path} holds a {config['kind']}, not vectors.",
            hint=f"Use it with embedkit {command}, or pass a directory that embedkit train wrote.",
        )
    if not (path / VOCABULARY).is_file():
        raise ModelError(f"{path} is incomplete: {VOCABULARY} is missing.", hint=RESTORE_HINT)
    # Arrow does not check the offsets in a file, so the checksum is compared first.
    found = checksum(path / VOCABULARY)
    if config.pop(_CHECKSUM, found) != found:
        raise ModelError(
            f"{path / VOCABULARY} is damaged: its checksum is wrong.", hint=RESTORE_HINT
        )
    vocabulary = Vocabulary.open(path / VOCABULARY)
    tensors = read_tensors(path / TENSORS, _DTYPES) if (path / TENSORS).exists() else {}
    expected = set(config.pop(_NAMES, []))
    int8 = {name for name, tensor in tensors.items() if tensor.dtype == np.int8}
    expected |= {_PACKABLE[name] for name in int8}
    if missing := sorted(expected - tensors.keys()):
        raise ModelError(
            f"{path} is incomplete: {', '.join(missing)} is missing.", hint=RESTORE_HINT
        )
    _check_shapes(path, len(vocabulary), {name: tensor.shape for name, tensor in tensors.items()})
    # The settings include the vocabulary's checksum and the training time; the first rows
    # distinguish other vectors without reading the whole matrix.
    for tensor in tensors.values():
        digest.update(tensor[:1].tobytes())
    return StoredModel(path, config, vocabulary, tensors, digest.hexdigest(), index)


def _reopen(path: Path, fingerprint: str) -> StoredModel:
    model = read_model(path)
    if model.fingerprint != fingerprint:
        raise ModelError(
            f"{path} is not the model that was open when this object was pickled.",
            hint="Restore that model, or fit and pickle again.",
        )
    return model


def _check_shapes(path: Path, words: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        if shape[0] != words and name not in NOT_OF_WORDS:
            raise ModelError(
                f"{path} is inconsistent: {counted(shape[0], 'row')} in {name!r} for "
                f"{counted(words, 'word')}.",
                hint=RESTORE_HINT,
            )
    matrix = shapes.get("vectors", (words, 0))
    expected = {
        **dict.fromkeys(("vectors", "own", "context", "units"), matrix[:2]),
        **dict.fromkeys(("norms", "scales"), matrix[:1]),
        "ngrams": (*shapes.get("ngrams", (0,))[:1], *matrix[1:]),
        **dict.fromkeys(("buckets", "ngram_scales"), shapes.get("ngrams", (0,))[:1]),
        "offset": matrix[1:],
        "positions": (*shapes.get("positions", (0,))[:1], *matrix[1:]),
    }
    if len(matrix) != 2 or any(
        shapes.get(name, shape) != shape for name, shape in expected.items()
    ):
        raise ModelError(
            f"{path} is inconsistent: its tensors have the shapes {shapes}.", hint=RESTORE_HINT
        )


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file."""
    value = 0
    with path.open("rb") as file:
        while block := file.read(_CHECKED_BYTES):
            value = zlib.crc32(block, value)
    return value
