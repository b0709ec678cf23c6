"""Functions compiled by Numba that several threads can run at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called; it runs without the interpreter lock.

    The machine code is cached on disk, if Numba finds a folder that it may write to. The cache does
    not detect changes in functions of other files that the function calls.
    """
    try:
        return njit(function, nogil=True, cache=True)
    except RuntimeError:  # no such folder
        return njit(function, nogil=True)
