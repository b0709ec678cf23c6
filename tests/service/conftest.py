"""Servers for the tests of the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.servers import Server, Start, starting


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers that end with the test."""
    with starting() as start:
        yield start


@pytest.fixture(scope="package")
def server(model: Path) -> Iterator[Server]:
    """A server shared by many tests, which must not stop it."""
    with starting() as start:
        yield start(model)


@pytest.fixture(scope="package")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client
