"""Work in slices, without a server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator

import pytest

from embedkit.service.http.client import CURRENT_CLIENT
from embedkit.service.http.errors import RefusedError
from embedkit.service.worker.execution import FairExecutor, in_one_slice
from embedkit.system.steps import Steps


def steps(name: str, number: int, done: list[str]) -> Steps[str]:
    """Work of steps that take longer than a slice."""
    for _ in range(number):
        end = time.thread_time() + 0.003
        while time.thread_time() < end:
            pass
        done.append(name)
        yield
    return name


async def busy(executor: FairExecutor) -> tuple[threading.Event, asyncio.Task[bool]]:
    """Keep the thread of an executor busy until the event is set; return it and the work."""
    go = threading.Event()
    first = asyncio.create_task(executor.run(in_one_slice(lambda: go.wait(30))))
    await asyncio.sleep(0.01)
    return go, first


def test_work_takes_turns() -> None:
    done: list[str] = []

    async def main() -> None:
        executor = FairExecutor("test", 30)
        go, first = await busy(executor)
        CURRENT_CLIENT.set("many")
        many = [asyncio.create_task(executor.run(steps("m", 20, done))) for _ in range(4)]
        await asyncio.sleep(0.01)
        CURRENT_CLIENT.set("one")
        one = asyncio.create_task(executor.run(steps("o", 4, done)))
        await asyncio.sleep(0.01)
        go.set()
        assert await one == "o"
        assert len(done) < 20  # about every second turn was for this client
        assert await asyncio.gather(*many) == ["m"] * 4
        assert await first

    asyncio.run(main())
    assert done.count("m") == 80


def test_small_work_waits_for_one_turn_of_large_work_at_most() -> None:
    done: list[str] = []

    async def main() -> None:
        executor = FairExecutor("test", 30)
        go, first = await busy(executor)
        large = [asyncio.create_task(executor.run(steps("l", 10, done), 50_000)) for _ in range(4)]
        await asyncio.sleep(0.01)
        small = asyncio.create_task(executor.run(steps("s", 4, done)))
        await asyncio.sleep(0.01)
        go.set()
        assert await small == "s"
        assert done[:7].count("s") >= 3
        await asyncio.gather(first, *large)

    asyncio.run(main())


def test_one_slow_request_does_not_make_others_seem_slow() -> None:
    """The first request of a kind may load modules or a part of the model."""

    async def main() -> None:
        executor = FairExecutor("test", 10)
        await executor.run(in_one_slice(lambda: time.sleep(0.5)))
        for _ in range(50):  # such as /metrics, which is slow for its cost
            await executor.run(in_one_slice(lambda: time.sleep(0.002)))
        go = threading.Event()
        first = asyncio.create_task(executor.run(in_one_slice(lambda: go.wait(30)), 500))
        waiting = [
            asyncio.create_task(executor.run(in_one_slice(lambda: 1), 500)) for _ in "abcdef"
        ]
        await asyncio.sleep(0.01)
        go.set()
        assert await asyncio.gather(*waiting) == [1] * 6
        await first

    asyncio.run(main())


def test_errors_reach_the_caller_and_stop_nothing() -> None:
    def fails() -> Steps[None]:
        yield
        raise ValueError("no")

    async def main() -> None:
        executor = FairExecutor("test", 30)
        with pytest.raises(ValueError, match="no"):
            await executor.run(fails())
        assert await executor.run(in_one_slice(lambda: 7)) == 7

    asyncio.run(main())


def test_work_of_disconnected_clients_is_stopped() -> None:
    ended = threading.Event()

    def endless() -> Generator[None, None, None]:
        try:
            while True:
                time.sleep(0.001)
                yield
        finally:
            ended.set()

    async def main() -> None:
        executor = FairExecutor("test", 30)
        task = asyncio.create_task(executor.run(endless()))
        await asyncio.sleep(0.02)
        task.cancel()
        assert await asyncio.to_thread(ended.wait, 30)
        assert await executor.run(in_one_slice(lambda: 7)) == 7

    asyncio.run(main())


def test_work_that_would_be_late_is_refused_unless_it_is_small() -> None:
    async def main() -> None:
        executor, go = FairExecutor("test", timeout=10), threading.Event()
        blocked = asyncio.create_task(executor.run(in_one_slice(lambda: go.wait(30))))
        await asyncio.sleep(0.01)
        hour = 3_600 / 1e-5
        large = asyncio.create_task(executor.run(in_one_slice(lambda: 1), hour))
        await asyncio.sleep(0.01)
        with pytest.raises(RefusedError) as caught:
            await executor.run(in_one_slice(lambda: 2), hour)
        assert caught.value.status == 429
        assert int(caught.value.headers["Retry-After"]) >= 3_600
        assert not executor.is_full
        small = asyncio.create_task(executor.run(in_one_slice(lambda: 3)))
        await asyncio.sleep(0.01)
        go.set()
        assert await small == 3
        assert await large == 1
        assert await blocked

    asyncio.run(main())


def test_slow_work_is_refused() -> None:
    async def main() -> None:
        executor = FairExecutor("test", timeout=0.05)
        with pytest.raises(RefusedError) as caught:
            await executor.run(steps("s", 1_000, []))
        assert caught.value.status == 503

    asyncio.run(main())
