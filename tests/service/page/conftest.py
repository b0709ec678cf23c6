"""A browser, a service with the small model, and a page with an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.page.browser import QUESTION, answered, link, started, visited
from tests.service.servers import KEY, starting


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser; Playwright's event loop must not run beside others."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="session")
def address(model: Path) -> Iterator[str]:
    with starting() as start:
        yield start(model).url


@pytest.fixture(scope="session")
def subword_address(subword_model: Path) -> Iterator[str]:
    with starting() as start:
        yield start(subword_model).url


@pytest.fixture(scope="session")
def locked_address(model: Path) -> Iterator[str]:
    with starting() as start:
        yield start(model, EMBEDKIT_API_KEY=KEY).url


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with visited(browser, link(address, QUESTION)) as page:
        answered(page, "rome")
        yield page
