"""Runs work that is not a search: one thread, in slices that take turns between clients."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from embedkit.service.http.client import CURRENT_CLIENT
from embedkit.service.worker.fair_queue import FairQueue, Turn
from embedkit.service.worker.refusals import overloaded, too_slow

__all__ = ["FairExecutor", "Work", "in_one_slice"]

Result = TypeVar("Result")

Work: TypeAlias = "Generator[None, None, Result]"
"""Work in small steps: it yields after each, at best every millisecond, and returns its result."""

_SLICE_SECONDS = 0.002
_SMALL_SECONDS = 0.05  # work that is expected to take less never waits for other work to end
_LEARNING_RATE = 0.2  # weight of the latest work in the estimate of the speed


def in_one_slice(work: Callable[[], Result]) -> Work[Result]:
    """Return *work* as a single step."""
    yield
    return work()


@dataclass
class _Job(Generic[Result]):
    """Work, its expected cost, whether that is small, and its result."""

    work: Work[Result]
    cost: float
    is_small: bool
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Result]
    is_cancelled: bool = False
    seconds: float = field(default=0.0)

    def finish(self, result: Result | None, error: BaseException | None) -> None:
        """Pass the result or the error to the event loop."""

        def finish() -> None:
            if self.done.done():
                return
            if error is None:
                self.done.set_result(result)  # type: ignore[arg-type]
            else:
                self.done.set_exception(error)

        # The loop is closed if the service has ended.
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(finish)


class FairExecutor:
    """One thread that works on all requests in turns of about two milliseconds.

    Work that would not be done in time is refused at once. Its duration is estimated from its cost
    and the speed of recent work. Small work is refused only if much other small work waits.

    Args:
        name: the name of the thread.
        timeout: seconds after which a request is refused.
    """

    def __init__(self, name: str, timeout: float) -> None:
        self._name = name
        self._timeout = timeout
        self._queue: FairQueue[_Job[Any]] = FairQueue()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._waiting = {True: 0.0, False: 0.0}  # cost of small and of large work
        self._seconds_per_cost = 1e-5

    @property
    def is_full(self) -> bool:
        """Whether even small work would be refused now."""
        return self._waiting[True] * self._seconds_per_cost > self._timeout / 2

    async def run(self, work: Work[Result], cost: float = 1.0) -> Result:
        """Return the result of *work*.

        Args:
            work: what to do.
            cost: how much work it is, in units of about ten microseconds.

        Raises:
            RefusedError: too much work is waiting, or it took too long.
        """
        is_small = cost * self._seconds_per_cost <= _SMALL_SECONDS
        waiting = self._waiting[is_small]
        if waiting and (waiting + cost) * self._seconds_per_cost > self._timeout / 2:
            raise overloaded(waiting * self._seconds_per_cost)
        loop = asyncio.get_running_loop()
        job: _Job[Result] = _Job(work, cost, is_small, loop, loop.create_future())
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
            self._queue.push(CURRENT_CLIENT.get(), job)
            self._waiting[is_small] += cost
            self._changed.notify()
        try:
            return await asyncio.wait_for(job.done, self._timeout)
        except (asyncio.TimeoutError, TimeoutError):
            raise too_slow(self._timeout) from None
        finally:
            job.is_cancelled = not job.done.done() or job.done.cancelled()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not len(self._queue):
                    self._changed.wait()
                turn = self._queue.pop()
            start = time.perf_counter()
            is_done = self._work(turn.item, start + _SLICE_SECONDS)
            self._charge(turn, time.perf_counter() - start, is_done=is_done)
            del turn  # keeps no result alive until the next turn

    def _work(self, job: _Job[Any], end: float) -> bool:
        """Work until *end*; return whether nothing is left to do."""
        if job.is_cancelled:
            job.work.close()
            return True
        try:
            while True:
                next(job.work)
                if time.perf_counter() >= end:
                    return False
        except StopIteration as stop:
            job.finish(stop.value, None)
        except BaseException as error:  # noqa: BLE001 - passed on to the client
            job.finish(None, error)
        return True

    def _charge(self, turn: Turn[_Job[Any]], seconds: float, *, is_done: bool) -> None:
        job = turn.item
        job.seconds += seconds
        with self._changed:
            self._queue.charge(turn, seconds)
            if not is_done:
                self._queue.again(turn)
                return
            self._queue.end(turn)
            self._waiting[job.is_small] -= job.cost
            speed = job.seconds / max(job.cost, 1.0)
            # Cancelled work would have taken longer.
            if not job.is_cancelled or speed > self._seconds_per_cost:
                # Expensive work says more about the speed than cheap work.
                weight = _LEARNING_RATE * min(job.seconds / _SMALL_SECONDS, 1.0)
                self._seconds_per_cost += weight * (speed - self._seconds_per_cost)
