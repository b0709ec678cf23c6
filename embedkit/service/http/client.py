"""Whose request is being answered."""

from __future__ import annotations

import ipaddress
from contextvars import ContextVar

__all__ = ["CURRENT_CLIENT", "network_of"]

CURRENT_CLIENT: ContextVar[str] = ContextVar("client", default="")
"""The name of the client: its API key by number, or else its address. Clients take turns."""


def network_of(address: str) -> str:
    """Return what stands for a client without a key: its IPv4 address, or the /64 of its IPv6 one.

    A single user of IPv6 has all 2**64 addresses of such a network.
    """
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
