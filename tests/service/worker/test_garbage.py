"""Garbage collections that stop no requests."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Iterator

import pytest

from embedkit.service.worker import garbage
from embedkit.service.worker.garbage import GarbageCollection


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """The generations that were collected; the settings of the collector are restored."""
    found: list[int] = []

    def observe(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            found.append(info["generation"])

    thresholds = gc.get_threshold()
    gc.callbacks.append(observe)
    try:
        yield found
    finally:
        gc.callbacks.remove(observe)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def test_no_collection_examines_everything_however_many_objects_requests_make(
    collections: list[int],
) -> None:
    GarbageCollection()
    collections.clear()
    kept = [[number] for number in range(500_000)]
    assert set(collections) == {0, 1}
    assert len(kept) == 500_000


class Cycle:
    """An object that only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


def test_new_modules_are_excluded_and_old_garbage_is_freed(
    collections: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = GarbageCollection()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    kept = [[number] for number in range(1_000)]
    collector.exclude_new_modules()
    assert gc.get_freeze_count() < frozen + len(kept)
    monkeypatch.setitem(garbage.sys.modules, "tests.a_new_module", pytest)
    garbage_of_request = weakref.ref(Cycle())
    collector.exclude_new_modules()
    assert garbage_of_request() is None
    assert gc.get_freeze_count() >= frozen + len(kept)
    assert 2 not in collections[1:]  # the first is that of the start


@pytest.mark.usefixtures("collections")
def test_the_settings_are_restored_at_the_end() -> None:
    before = gc.get_threshold()

    async def main() -> None:
        running = asyncio.create_task(GarbageCollection().run())
        await asyncio.sleep(0)
        assert gc.get_threshold() != before
        assert gc.get_freeze_count() > 0
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
