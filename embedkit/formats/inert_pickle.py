"""Reads pickles without running code: plain values, arrays, and records of gensim's objects.

`pickle.load` imports and calls what a file names, so a file could run any command. This unpickler
never imports anything: it looks up each name here. A name of gensim gives a record that only keeps
its attributes, and an unknown name is an error.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterable
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAMAGE", "ForbiddenNameError", "Record", "load", "plain"]

DAMAGE = (
    pickle.UnpicklingError,
    *(ArithmeticError, AttributeError, EOFError, ImportError, LookupError, MemoryError),
    *(OSError, RecursionError, TypeError, ValueError),
)
"""What `load` raises for a damaged file."""


class ForbiddenNameError(Exception):
    """A pickle refers to something that is neither a plain value nor an object of gensim."""


class Record:
    """An object of a pickle: the name of its class and its attributes, without behavior."""

    name = ""

    def __init__(self, *_: object) -> None:
        self.attributes: dict[str, object] = {}

    def __new__(cls, *_: object) -> Record:
        record = super().__new__(cls)
        record.attributes = {}
        return record

    def __setstate__(self, state: object) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.attributes.update(part)

    def __setitem__(self, key: object, value: object) -> None:
        """Ignore an item of a class derived from dict."""

    def append(self, value: object) -> None:
        """Ignore an item of a class derived from list."""


class _DType:
    """A NumPy type of numbers, strings or bytes, or of objects."""

    def __init__(self, code: str, *_: object) -> None:
        self._code = str(code)
        self._order = "="

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self._order = str(state[1]).replace("|", "=")

    @property
    def objects(self) -> bool:
        return self._code.startswith("O")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        found = np.dtype(self._code).newbyteorder(self._order)  # type: ignore[arg-type]
        if found.kind not in "biufcSU":
            raise pickle.UnpicklingError(f"arrays of {found} are not supported")
        return found


class _Array:
    """A NumPy array: its state is (version, shape, dtype, whether by columns, bytes)."""

    def __init__(self, *_: object) -> None:
        self.values: NDArray[np.generic] | list[object] = []

    def __setstate__(self, state: tuple[object, ...]) -> None:
        shape, dtype, by_columns, data = state[-4:]
        order = "F" if by_columns else "C"
        self.values = _array(data, dtype, shape, order)


def _array(
    data: object, dtype: object, shape: object, order: str = "C"
) -> NDArray[np.generic] | list[object]:
    if not isinstance(dtype, _DType) or not isinstance(shape, tuple):
        raise pickle.UnpicklingError("an array has no type or shape")
    if dtype.objects:
        return list(data) if isinstance(data, list) else []
    if isinstance(data, str):  # bytes of Python 2
        data = data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise pickle.UnpicklingError("an array has no bytes")
    flat = np.frombuffer(data, dtype.dtype, math.prod(shape))
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _from_buffer(data: object, dtype: object, shape: object, order: str) -> _Array:
    array = _Array()
    array.values = _array(data, dtype, shape, order)
    return array


def _scalar(dtype: object, data: object = b"") -> object:
    return _array(data, dtype, (1,))[0]


def _encode(text: str, _: str = "latin1") -> bytes:
    return text.encode("latin1")  # how protocol 2 stores bytes


def _dict(*arguments: object) -> dict[object, object]:
    items = [a for a in arguments if isinstance(a, list | dict)]  # without the default factory
    return dict(items[0]) if items else {}


def _set(items: Iterable[object] = ()) -> set[object]:
    return set(items)


def _reconstructor(kind: type[Record], *_: object) -> Record:
    return kind()


class _Factory:
    """A function that a pickle may call but not change: a plain function would take attributes."""

    __slots__ = ("_function",)
    _function: Callable[..., object]

    def __init__(self, function: Callable[..., object]) -> None:
        object.__setattr__(self, "_function", function)

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError(f"the attribute {name} of a function cannot be set")


_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_BUILTINS = ("builtins", "__builtin__")
_KNOWN: dict[tuple[str, str], Callable[..., object]] = {
    **dict.fromkeys(((module, "_reconstruct") for module in _MULTIARRAY), _Array),
    **dict.fromkeys(((module, "scalar") for module in _MULTIARRAY), _Factory(_scalar)),
    **dict.fromkeys(((module, "_frombuffer") for module in _NUMERIC), _Factory(_from_buffer)),
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("collections", "defaultdict"): _Factory(_dict),
    ("collections", "OrderedDict"): _Factory(_dict),
    **dict.fromkeys(((module, "set") for module in _BUILTINS), _Factory(_set)),
    **dict.fromkeys(((module, "frozenset") for module in _BUILTINS), _Factory(_set)),
    ("_codecs", "encode"): _Factory(_encode),
    ("copyreg", "_reconstructor"): _Factory(_reconstructor),
    ("copy_reg", "_reconstructor"): _Factory(_reconstructor),
}
_RECORDS = {  # other names that gensim's objects contain; they become records like its classes
    (module, name)
    for module in _BUILTINS
    for name in ("bool", "bytes", "float", "hash", "int", "long", "object", "str", "unicode")
}
_RECORD_MODULES = ("gensim", "numpy.random", "scipy.sparse")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        """Return what a name stands for.

        Raises:
            ForbiddenNameError: the name is not known.
        """
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        owned = any(module == known or module.startswith(f"{known}.") for known in _RECORD_MODULES)
        if owned or (module, name) in _RECORDS:
            return type(name, (Record,), {"name": f"{module}.{name}"})
        raise ForbiddenNameError(f"{module}.{name}")


def plain(value: object) -> object:
    """Return the array of a value, or the value itself."""
    return value.values if isinstance(value, _Array) else value


def load(stream: BinaryIO) -> object:
    """Return the object in a pickle: plain values, and a `Record` for each object of gensim.

    Raises:
        ForbiddenNameError: the pickle refers to any other object; the message is its name.
        DAMAGE: one of these, for a pickle that cannot be read.
    """
    return _Unpickler(stream, encoding="latin1").load()
