"""Batching, its limits, and errors, without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from embedkit.service.http.errors import RefusedError
from embedkit.service.worker.batching import Batcher, BatchLimits, BoundedExecutor


def run(work: Callable[[Batcher[int, int]], Awaitable[None]], batcher: Batcher[int, int]) -> None:
    async def main() -> None:
        running = asyncio.create_task(batcher.run())
        try:
            await asyncio.wait_for(work(batcher), 30)
        finally:
            running.cancel()

    asyncio.run(main())


class Doubling:
    """Doubles numbers after the event `go`, and records the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        assert self.go.wait(30)
        if 666 in numbers:
            raise ValueError("666")
        return [2 * number for number in numbers]


def test_questions_that_arrive_during_a_batch_form_the_next() -> None:
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

    run(work, Batcher(doubling, BatchLimits(100)))
    assert [len(batch) for batch in doubling.batches] == [1, 38]


def test_a_full_queue_refuses_questions() -> None:
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
        tasks[2].cancel()  # a cancelled request does not affect the others
        doubling.go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [a for a in answers if isinstance(a, list)] == [[0], [0], [4], [6]]
        assert await batcher.ask(list(range(9))) == list(
            range(0, 18, 2)
        )  # larger than the capacity

    run(work, Batcher(doubling, BatchLimits(4)))
    assert doubling.batches[1] == [0, 2, 3]


def test_batches_are_bounded_and_an_error_affects_only_its_batch() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[int, int]) -> None:
        tasks = [asyncio.create_task(batcher.ask([n])) for n in (0, 11, 12, 666, 14, 15)]
        doubling.go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, ValueError) for one in found].count(True) in (1, 2)
        assert isinstance(found[3], ValueError)
        assert await batcher.ask([5]) == [10]

    run(work, Batcher(doubling, BatchLimits(100, batch_cost=2)))
    assert max(map(len, doubling.batches)) == 2


async def first_batch(doubling: Doubling, batcher: Batcher[int, int]) -> asyncio.Task[object]:
    """Keep the thread busy, so that the next questions have to wait."""
    task: asyncio.Task[object] = asyncio.create_task(_ask(batcher, [0]))
    while not doubling.batches:
        await asyncio.sleep(0.001)
    return task


async def _ask(batcher: Batcher[int, int], numbers: list[int]) -> Sequence[int]:
    return await batcher.ask(numbers)


def test_requests_of_many_questions_take_turns_with_others() -> None:
    doubling = Doubling()
    large = [list(range(100, 110)), list(range(200, 205))]

    async def work(batcher: Batcher[int, int]) -> None:
        await_first = await first_batch(doubling, batcher)
        tasks = [asyncio.create_task(batcher.ask(numbers)) for numbers in [*large, [1]]]
        await asyncio.sleep(0.01)
        doubling.go.set()
        await await_first
        answers = await asyncio.gather(*tasks)
        assert answers == [[2 * n for n in numbers] for numbers in [*large, [1]]]
        assert batcher.waiting == 0

    run(work, Batcher(doubling, BatchLimits(100, share=3, batch_cost=8)))
    assert doubling.batches == [
        [0],
        [100, 101, 102, 200, 201, 202, 1],
        [103, 104, 105, 203, 204],
        [106, 107, 108],
        [109],
    ]


def test_the_cost_of_a_batch_is_bounded() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[int, int]) -> None:
        await_first = await first_batch(doubling, batcher)
        asked = ([9, 9, 1, 1, 1, 1], [1, 1], [7], [2])
        tasks = [asyncio.create_task(batcher.ask(numbers)) for numbers in asked]
        await asyncio.sleep(0.01)
        doubling.go.set()
        await await_first
        assert await asyncio.gather(*tasks) == [[2 * n for n in numbers] for numbers in asked]

    run(
        work,
        Batcher(doubling, BatchLimits(100, share=3, batch_cost=15), cost=lambda number: number),
    )
    # A share of 3: a 9 alone, or three times 1; room for 15: 9, 1, 1 and the 7, no more.
    assert doubling.batches == [[0], [9, 1, 1, 7], [2, 9], [1, 1, 1], [1]]


def test_large_requests_leave_room_for_single_questions() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[int, int]) -> None:
        tasks = [await first_batch(doubling, batcher)]
        tasks += [asyncio.create_task(_ask(batcher, [1] * 20))]  # more than the capacity
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError):
            await batcher.ask([1, 1])
        tasks += [asyncio.create_task(_ask(batcher, [2])) for _ in range(5)]
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError):
            await batcher.ask([2])
        doubling.go.set()
        answers = await asyncio.gather(*tasks)
        assert answers == [[0], [2] * 20, *[[4]] * 5]
        assert await batcher.ask([1, 1]) == [2, 2]

    run(work, Batcher(doubling, BatchLimits(10)))


def test_cancelled_requests_are_not_answered() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[int, int]) -> None:
        first = await first_batch(doubling, batcher)
        gone = asyncio.create_task(batcher.ask([5] * 40))
        stays = asyncio.create_task(batcher.ask([6] * 40))
        await asyncio.sleep(0.01)
        assert batcher.waiting == 80
        gone.cancel()
        await asyncio.sleep(0.01)
        assert batcher.waiting == 40
        doubling.go.set()
        assert await first == [0]
        assert await stays == [12] * 40
        assert batcher.waiting == 0

    run(work, Batcher(doubling, BatchLimits(1000)))
    assert doubling.batches == [[0], [6] * 32, [6] * 8]


def test_an_error_outside_of_answering_affects_only_its_batch() -> None:
    doubling = Doubling()
    doubling.go.set()

    def observe(size: int) -> None:
        if size == 2:
            raise OSError("no room for counters")

    async def work(batcher: Batcher[int, int]) -> None:
        with pytest.raises(OSError, match="no room"):
            await batcher.ask([1, 2])
        assert await batcher.ask([3]) == [6]

    run(work, Batcher(doubling, BatchLimits(100), observe=observe))


def test_the_queue_of_an_executor_is_bounded() -> None:
    async def main() -> None:
        executor, go = BoundedExecutor(capacity=2), threading.Event()
        tasks = [asyncio.create_task(executor.run(lambda: go.wait(30))) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError):
            await executor.run(lambda: True)
        go.set()
        assert await asyncio.gather(*tasks) == [True, True]
        assert await executor.run(lambda: 7) == 7

    asyncio.run(main())
