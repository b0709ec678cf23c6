"""A real browser for the real service, and the rules for all pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

# Without a GPU, and without the browser's own network requests.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = (1280, 800), (390, 844)
QUESTION = "paris - france + italy"

# Recorded in the page: violations of the policy are not errors on the console.
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
"""


def find_chromium() -> str:
    """Return the path of the browser, or skip the test."""
    paths = (shutil.which(name) for name in ("chromium-headless-shell", "chromium"))
    path = os.environ.get("EMBEDKIT_CHROMIUM") or next(filter(None, paths), None)
    if path is None or not Path(path).exists():
        pytest.skip("no browser: apt-get install chromium-headless-shell, or set EMBEDKIT_CHROMIUM")
    return path


@contextmanager
def started() -> Iterator[Any]:
    """Start the browser."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def visited(
    browser: Any, address: str, *, theme: str = "light", size: tuple[int, int] = DESKTOP
) -> Iterator[Any]:
    """Open a page and check at the end that it broke no rule.

    No request went to another host, no script failed, and nothing violated the policy. The browser
    logs error responses of the service too; they are allowed.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,
        reduced_motion="reduce",  # no animations to wait for
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: (
            faults.append(said.text)
            if said.type == "error" and not said.text.startswith("Failed to load resource")
            else None
        ),
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(WATCH)
    page.goto(address)
    yield page
    origin = "/".join(address.split("/")[:3]) + "/"
    assert [url for url in asked if not url.startswith((origin, "data:"))] == []
    assert page.evaluate("window.violations") == []
    assert not faults, faults
    context.close()


def link(address: str, expression: str, **more: object) -> str:
    parts = {"q": expression, **more}
    return f"{address}/#" + "&".join(f"{name}={quote(str(part))}" for name, part in parts.items())


def answered(page: Any, first: str) -> None:
    """Wait until the list of answers starts with a word and the tables are shown."""
    nearest = page.locator("#answers:not(.stale) li:first-child .word")
    nearest.get_by_text(first, exact=True).wait_for()
    page.locator("table[data-encoder=onehot]").wait_for()


def answers_of(page: Any) -> list[tuple[str, str]]:
    rows = page.locator("#answers button").all()
    return [(r.locator(".word").inner_text(), r.locator(".score").inner_text()) for r in rows]


def type_anew(page: Any, text: str) -> None:
    page.locator("#expression").press("Control+A")
    page.keyboard.type(text)
