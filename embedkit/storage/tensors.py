"""Matrices in the safetensors format: written block by block, read by memory map.

The safetensors package is not used here for two reasons: it needs a second copy of all matrices in
memory to write them, and it cannot return NumPy memory maps. Tests compare the two in both
directions. Every value of a header is checked before it is used.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ModelError, counted
from embedkit.storage.config_file import RESTORE_HINT, reading_errors

__all__ = ["read_tensors", "tensors_header", "write_tensors"]

_LARGEST_HEADER = 1 << 20
_LARGEST_SIDE = 1 << 31
_ROWS = 1 << 12
_DTYPES: Mapping[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I8": np.dtype("i1"),
    "I32": np.dtype("<i4"),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


@dataclass(frozen=True)
class _Entry:
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int  # bytes from the end of the header
    end: int


def tensors_header(
    shapes: Mapping[str, tuple[int, ...]], dtypes: Mapping[str, np.dtype[Any]] | None = None
) -> bytes:
    """Return the bytes before the data; the type is float32 unless *dtypes* has another."""
    header: dict[str, Any] = {}
    offset = 0
    for name, shape in shapes.items():
        dtype = (dtypes or {}).get(name, _DTYPES["F32"])
        end = offset + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _NAMES[dtype], "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays with at least one axis; types that are not in `_DTYPES` become float32."""
    dtypes = {name: tensor.dtype for name, tensor in tensors.items() if tensor.dtype in _NAMES}
    with path.open("wb") as file:
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        file.write(tensors_header(shapes, dtypes))
        for name, tensor in tensors.items():
            dtype = dtypes.get(name, _DTYPES["F32"])
            for start in range(0, len(tensor), _ROWS):
                block = np.ascontiguousarray(tensor[start : start + _ROWS], dtype=dtype)
                file.write(block.data)


def read_tensors(
    path: Path, dtypes: Mapping[str, Sequence[str]] | None = None
) -> dict[str, NDArray[Any]]:
    """Memory-map the arrays of a file, read-only.

    Args:
        path: the file.
        dtypes: the types that each tensor may have, of "F32", "F16", "I8" and "I32"; only "F32" for
            tensors that are not named.

    Raises:
        ModelError: the file is damaged, cut short or cannot be read, or a tensor has another type.
    """
    try:
        with reading_errors(path), path.open("rb") as file:
            size = path.stat().st_size
            head = file.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
            if length > min(size - 8, _LARGEST_HEADER):
                raise ValueError("the length of its header is wrong")
            entries = _parse(file.read(length))
            _check(entries, size - 8 - length, dtypes or {})
            return {entry.name: _map(path, entry, 8 + length) for entry in entries}
    except ValueError as error:
        raise ModelError(
            f"{path} is damaged or cut short: {error}.",
            hint=RESTORE_HINT,
        ) from error


def _parse(header: bytes) -> list[_Entry]:
    entries = []
    try:
        for name, entry in json.loads(header).items():
            if name != "__metadata__":
                start, end = entry["data_offsets"]
                entries.append(_Entry(name, entry["dtype"], tuple(entry["shape"]), start, end))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("its header cannot be read") from error
    return entries


def _check(entries: list[_Entry], size: int, dtypes: Mapping[str, Sequence[str]]) -> None:
    for entry in entries:
        numbers = (*entry.shape, entry.start, entry.end)
        if (
            not all(isinstance(number, int) and number >= 0 for number in numbers)
            or not entry.shape
            or entry.dtype not in dtypes.get(entry.name, ("F32",))
            or max(entry.shape) > _LARGEST_SIDE
            or math.prod(entry.shape) * _DTYPES[entry.dtype].itemsize != entry.end - entry.start
        ):
            raise ValueError(f"the header of {entry.name!r} is wrong")
        if entry.end > size:
            raise ValueError(f"{entry.name!r} lacks {counted(entry.end - size, 'byte')}")
    spans = sorted((entry.start, entry.end) for entry in entries)
    if any(end > start for (_, end), (start, _) in pairwise(spans)):
        raise ValueError("its tensors overlap")


def _map(path: Path, entry: _Entry, offset: int) -> NDArray[Any]:
    dtype = _DTYPES[entry.dtype]
    if entry.start == entry.end:  # an empty range cannot be mapped
        return np.zeros(entry.shape, dtype=dtype)
    return np.memmap(path, dtype, "r", offset=offset + entry.start, shape=entry.shape)
