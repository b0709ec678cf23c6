from __future__ import annotations

import threading
import time

import pytest

from embedkit.system.threads import map_in_order


def test_results_are_in_order() -> None:
    def wait(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    times = [0.03, 0.0, 0.02, 0.01, 0.0]
    assert list(map_in_order(wait, times, 3)) == times


def test_few_items_are_taken_in_advance() -> None:
    items = iter(range(100))
    results = map_in_order(str, items, 2)
    assert next(results) == "0"
    assert next(items) <= 3
    results.close()


def test_error_is_raised_and_the_threads_end() -> None:
    before = threading.active_count()
    results = map_in_order(lambda n: 1 // n, [1, 0, 1], 2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert threading.active_count() == before
