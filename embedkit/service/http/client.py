"""Whose request is being answered."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["CURRENT_CLIENT"]

CURRENT_CLIENT: ContextVar[str] = ContextVar("client", default="")
"""The name of the client: its API key by number, or else its address. Clients take turns."""
