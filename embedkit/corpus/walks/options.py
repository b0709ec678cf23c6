"""Options for reading edges, in a module that does not import NumPy."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SEPARATORS"]

SEPARATORS: Mapping[str, str | None] = {"tab": "\t", "comma": ",", "space": None}
"""Column separators by name, in the order in which detection tries them; None is white space."""
