"""Sockets of the service."""

from __future__ import annotations

import contextlib
import socket

import pytest

from embedkit.service.listening import ListenAddress, bind


@pytest.mark.parametrize("workers", [1, 2])
def test_sockets_name_their_protocol_so_that_small_responses_are_sent_at_once(workers: int) -> None:
    """Without it, asyncio does not set TCP_NODELAY, and a response takes 40 milliseconds."""
    with contextlib.closing(bind(ListenAddress(port=0, workers=workers))) as bound:
        assert bound.proto == socket.IPPROTO_TCP
