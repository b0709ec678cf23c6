"""The page of the network, as the tests read and use it."""

from __future__ import annotations

import re
from typing import Any

from tests.service.page.browser import visited

STAGES = ["1. Forward", "2. Loss", "3. Gradient", "4. Step"]


def opened(browser: Any, address: str, settings: str = "", **options: Any) -> Any:
    return visited(browser, f"{address}/network#{settings}", **options)


def ready(page: Any) -> None:
    page.locator("#stages li").first.wait_for()


def as_number(text: str) -> float:
    """Read a number as the page writes it."""
    return float(text.replace("−", "-").replace("×", "").replace(",", "").replace("∞", "inf"))


def numbers(text: str) -> list[float]:
    return [as_number(found) for found in re.findall(r"−?\d[\d,]*(?:\.\d+)?(?:e−?\d+)?", text)]


def progress(page: Any) -> tuple[int, float]:
    """Return the number of steps and the mean loss."""
    steps, loss = numbers(page.locator("#summary").inner_text())[:2]
    return int(steps), loss


def run_for(page: Any, steps: int) -> None:
    """Run at full speed for at least this number of steps, then pause."""
    page.locator("#speed").select_option("4000")
    page.get_by_role("button", name="Run").click()
    for _ in range(1_200):  # a minute
        if progress(page)[0] >= steps:
            break
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Pause").click()


def stage(page: Any) -> str:
    return str(page.locator("#stages [aria-current] h3").inner_text())


def neurons(page: Any) -> list[Any]:
    return list(page.locator("#picture button").all())


def worked_out(page: Any) -> list[list[str]]:
    """Return the rows of the table of the selected neuron, without their names."""
    rows = page.locator("#neuron tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]
