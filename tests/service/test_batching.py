"""Gathering, its limits, and errors, without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from embedkit.service.batching import Batcher, Lane
from embedkit.service.errors import RefusedError


def run(work: Callable[[Batcher[int, int]], Awaitable[None]], batcher: Batcher[int, int]) -> None:
    async def main() -> None:
        running = asyncio.create_task(batcher.run())
        try:
            await asyncio.wait_for(work(batcher), 30)
        finally:
            running.cancel()

    asyncio.run(main())


class Doubling:
    """Doubles numbers; holds the first batch until told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        assert self.go.wait(30)
        if 666 in numbers:
            raise ValueError("666")
        return [2 * number for number in numbers]


def test_what_comes_while_a_batch_is_answered_makes_the_next() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[int, int]) -> None:
        first = asyncio.create_task(batcher.ask([0]))
        while not doubling.batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(batcher.ask([n, n + 100])) for n in range(1, 20)]
        await asyncio.sleep(0.01)
        assert batcher.waiting == 38
        doubling.go.set()
        assert await first == [0]
        assert await asyncio.gather(*others) == [[2 * n, 2 * n + 200] for n in range(1, 20)]

    run(work, Batcher(doubling, capacity=100))
    assert [len(batch) for batch in doubling.batches] == [1, 38]


def test_a_queue_that_is_full_refuses() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[int, int]) -> None:
        tasks = [asyncio.create_task(batcher.ask([0]))]
        while not doubling.batches:
            await asyncio.sleep(0.001)
        tasks += [asyncio.create_task(batcher.ask([n])) for n in range(4)]
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError) as caught:
            await batcher.ask([4])
        assert caught.value.status == 429
        assert caught.value.headers == {"Retry-After": "1"}
        with pytest.raises(RefusedError):
            batcher.refuse_if_full()
        tasks[2].cancel()  # who has gone is not answered, and nobody else suffers
        doubling.go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [a for a in answers if isinstance(a, list)] == [[0], [0], [4], [6]]
        assert await batcher.ask(list(range(9))) == list(range(0, 18, 2))  # alone, it may be larger

    run(work, Batcher(doubling, capacity=4))
    assert doubling.batches[1] == [0, 2, 3]


def test_batches_are_bounded_and_an_error_ends_only_its_own() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[int, int]) -> None:
        tasks = [asyncio.create_task(batcher.ask([n])) for n in (0, 11, 12, 666, 14, 15)]
        doubling.go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, ValueError) for one in found].count(True) in (1, 2)
        assert isinstance(found[3], ValueError)
        assert await batcher.ask([5]) == [10]

    run(work, Batcher(doubling, capacity=100, largest=2))
    assert max(map(len, doubling.batches)) == 2


def test_a_lane_is_bounded() -> None:
    async def main() -> None:
        lane, go = Lane(capacity=2), threading.Event()
        tasks = [asyncio.create_task(lane.run(lambda: go.wait(30))) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError):
            await lane.run(lambda: True)
        go.set()
        assert await asyncio.gather(*tasks) == [True, True]
        assert await lane.run(lambda: 7) == 7

    asyncio.run(main())
