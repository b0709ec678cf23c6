"""Batching, its limits, and errors, without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from embedkit.service.http.client import CURRENT_CLIENT
from embedkit.service.http.errors import RefusedError
from embedkit.service.worker.batching import SEARCH_COST as SEARCH
from embedkit.service.worker.batching import Batcher, BatchLimits


@dataclass(frozen=True)
class Number:
    """A question."""

    value: int
    cost: int = 1
    kind: int = 0


async def _ask(batcher: Batcher[Number, int], numbers: Sequence[int]) -> Sequence[int]:
    return await batcher.ask([Number(number) for number in numbers])


def run(
    work: Callable[[Batcher[Number, int]], Awaitable[None]], batcher: Batcher[Number, int]
) -> None:
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

    def __call__(self, questions: Sequence[Number]) -> list[int]:
        numbers = [question.value for question in questions]
        self.batches.append(numbers)
        assert self.go.wait(30)
        if 666 in numbers:
            raise ValueError("666")
        return [2 * number for number in numbers]


def test_questions_that_arrive_during_a_batch_form_the_next() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[Number, int]) -> None:
        first = asyncio.create_task(_ask(batcher, [0]))
        while not doubling.batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(_ask(batcher, [n, n + 100])) for n in range(1, 20)]
        await asyncio.sleep(0.01)
        assert batcher.waiting == 38
        doubling.go.set()
        assert await first == [0]
        assert await asyncio.gather(*others) == [[2 * n, 2 * n + 200] for n in range(1, 20)]

    run(work, Batcher(doubling, BatchLimits(100)))
    assert [len(batch) for batch in doubling.batches] == [1, 38]


def test_a_full_queue_refuses_questions() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[Number, int]) -> None:
        tasks = [asyncio.create_task(_ask(batcher, [0]))]
        while not doubling.batches:
            await asyncio.sleep(0.001)
        tasks += [asyncio.create_task(_ask(batcher, [n])) for n in range(4)]
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError) as caught:
            await _ask(batcher, [4])
        assert caught.value.status == 429
        assert caught.value.headers == {"Retry-After": "1"}
        assert batcher.is_full
        tasks[2].cancel()  # a cancelled request does not affect the others
        doubling.go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [a for a in answers if isinstance(a, list)] == [[0], [0], [4], [6]]
        assert await _ask(batcher, list(range(9))) == list(
            range(0, 18, 2)
        )  # larger than the capacity

    run(work, Batcher(doubling, BatchLimits(4)))
    assert doubling.batches[1] == [0, 2, 3]


def test_batches_are_bounded_and_an_error_affects_only_its_batch() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[Number, int]) -> None:
        tasks = [asyncio.create_task(_ask(batcher, [n])) for n in (0, 11, 12, 666, 14, 15)]
        doubling.go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, ValueError) for one in found].count(True) in (1, 2)
        assert isinstance(found[3], ValueError)
        assert await _ask(batcher, [5]) == [10]

    run(work, Batcher(doubling, BatchLimits(100, small_cost=SEARCH + 2)))
    assert max(map(len, doubling.batches)) == 2


async def first_batch(doubling: Doubling, batcher: Batcher[Number, int]) -> asyncio.Task[object]:
    """Keep the thread busy, so that the next questions have to wait."""
    task: asyncio.Task[object] = asyncio.create_task(_ask(batcher, [0]))
    while not doubling.batches:
        await asyncio.sleep(0.001)
    return task


def test_large_requests_take_turns_and_small_ones_do_not_wait_for_their_end() -> None:
    doubling = Doubling()
    large = [list(range(100, 130)), list(range(200, 220))]

    async def work(batcher: Batcher[Number, int]) -> None:
        await_first = await first_batch(doubling, batcher)
        tasks = [asyncio.create_task(_ask(batcher, numbers)) for numbers in [*large, [1], [2]]]
        await asyncio.sleep(0.01)
        doubling.go.set()
        await await_first
        answers = await asyncio.gather(*tasks)
        assert answers == [[2 * n for n in numbers] for numbers in [*large, [1], [2]]]
        assert batcher.waiting == 0

    run(work, Batcher(doubling, BatchLimits(100, large_cost=SEARCH + 8)))
    # Half of the room for the first; the other half and what is left for the second.
    first, *others = doubling.batches
    assert first == [0]
    assert [1, 2] in others[:2]  # small requests come after at most one batch of large ones
    shares = [batch for batch in others if batch != [1, 2]]
    assert all(len(share) <= SEARCH + 8 for share in shares)
    assert all({n // 100 for n in share} == {1, 2} for share in shares[:2])
    assert sorted(n for share in shares for n in share) == [*large[0], *large[1]]


def test_each_kind_of_question_costs_a_search_of_its_own() -> None:
    doubling = Doubling()
    doubling.go.set()

    async def work(batcher: Batcher[Number, int]) -> None:
        same = [Number(1, kind=0) for _ in range(30)]
        assert await batcher.ask(same) == [2] * 30
        different = [Number(1, kind=kind) for kind in range(30)]
        assert await batcher.ask(different) == [2] * 30
        expensive = [Number(1, cost=20) for _ in range(30)]
        assert await batcher.ask(expensive) == [2] * 30

    run(work, Batcher(doubling, BatchLimits(100, large_cost=2 * SEARCH + 2)))
    sizes = [len(batch) for batch in doubling.batches]
    assert sizes == [SEARCH + 2, SEARCH + 2, 30 - 2 * (SEARCH + 2)] + [2] * 15 + [1] * 30


def test_clients_share_a_batch_however_many_connections_they_have() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[Number, int]) -> None:
        await_first = await first_batch(doubling, batcher)
        CURRENT_CLIENT.set("many")
        tasks = [asyncio.create_task(_ask(batcher, [n])) for n in range(100, 140)]
        await asyncio.sleep(0.01)
        CURRENT_CLIENT.set("one")
        tasks.append(asyncio.create_task(_ask(batcher, [7])))
        await asyncio.sleep(0.01)
        doubling.go.set()
        await await_first
        await asyncio.gather(*tasks)

    run(work, Batcher(doubling, BatchLimits(100, small_cost=SEARCH + 4)))
    assert 7 in doubling.batches[1]
    assert max(map(len, doubling.batches)) == 4


def test_large_requests_leave_room_for_single_questions() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[Number, int]) -> None:
        tasks = [await first_batch(doubling, batcher)]
        tasks += [asyncio.create_task(_ask(batcher, [1] * 20))]  # more than the capacity
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError):
            await _ask(batcher, [1, 1])
        tasks += [asyncio.create_task(_ask(batcher, [2])) for _ in range(5)]
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError):
            await _ask(batcher, [2])
        doubling.go.set()
        answers = await asyncio.gather(*tasks)
        assert answers == [[0], [2] * 20, *[[4]] * 5]
        assert await _ask(batcher, [1, 1]) == [2, 2]

    run(work, Batcher(doubling, BatchLimits(10)))


def test_cancelled_requests_are_not_answered() -> None:
    doubling = Doubling()

    async def work(batcher: Batcher[Number, int]) -> None:
        first = await first_batch(doubling, batcher)
        gone = asyncio.create_task(_ask(batcher, [5] * 40))
        stays = asyncio.create_task(_ask(batcher, [6] * 40))
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
    assert doubling.batches == [[0], [6] * 28, [6] * 12]  # 28 and a search cost 40


def test_an_error_outside_of_answering_affects_only_its_batch() -> None:
    doubling = Doubling()
    doubling.go.set()

    def observe(size: int) -> None:
        if size == 2:
            raise OSError("no room for counters")

    async def work(batcher: Batcher[Number, int]) -> None:
        with pytest.raises(OSError, match="no room"):
            await _ask(batcher, [1, 2])
        assert await _ask(batcher, [3]) == [6]

    run(work, Batcher(doubling, BatchLimits(100), observe=observe))
