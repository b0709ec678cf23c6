"""Runs work that is not a search: one thread, in slices that take turns between clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from embedkit.service.http.client import CURRENT_CLIENT
from embedkit.service.worker.fair_queue import FairQueue, Turn
from embedkit.service.worker.refusals import overloaded, too_slow
from embedkit.system.steps import Steps

__all__ = ["FairExecutor", "in_one_slice"]

Result = TypeVar("Result")

_SLICE_SECONDS = 0.002  # of processor time
_LONGEST_SECONDS = 0.01  # of a slice that also waits, for example for a disk
_SECONDS_PER_COST = 1e-5  # before any work is done
_SMALL_COST = 5_000  # work that costs less gets half of the time
_FIRST_COST = 1e4  # cost of imagined work from which the speed is estimated at first
_REMEMBERED = 5.0  # seconds of recent work that determine the estimate of the speed
_MOST_SLOWER = 10.0  # than expected: work that was still slower tells nothing about other work


def in_one_slice(work: Callable[[], Result]) -> Steps[Result]:
    """Return *work* as a single step."""
    yield
    return work()


@dataclass
class _Job(Generic[Result]):
    """Work, its expected cost, whether that is small, and its result."""

    work: Steps[Result]
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

        with contextlib.suppress(RuntimeError):  # the loop is closed: the service has ended
            self.loop.call_soon_threadsafe(finish)


class FairExecutor:
    """One thread that works on all requests in turns of about two milliseconds.

    Small work and large work each get half of the time. Small work that arrives waits for one turn
    of large work at most, however many requests that is, and after a step that took longer than a
    turn it gets as much. The length of a turn is measured in processor time: a request does not
    lose its turn to a busy machine.

    Work that would not be done in time is refused at once. Its duration is estimated from its cost
    and the speed of recent work. Small work is refused only if much other small work waits.

    Args:
        name: the name of the thread.
        timeout: seconds after which a request is refused.
    """

    def __init__(self, name: str, timeout: float) -> None:
        self._name = name
        self._timeout = timeout
        self._small: FairQueue[_Job[Any]] = FairQueue()
        self._large: FairQueue[_Job[Any]] = FairQueue()
        self._ahead = 0.0  # seconds that large work has received more than small work
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._waiting = {True: 0.0, False: 0.0}  # cost of small and of large work
        self._recent_cost = _FIRST_COST
        self._recent_seconds = _SECONDS_PER_COST * _FIRST_COST

    @property
    def is_full(self) -> bool:
        """Whether even small work would be refused now."""
        return self._waiting[True] * self._seconds_per_cost > self._timeout / 2

    @property
    def _seconds_per_cost(self) -> float:
        return self._recent_seconds / self._recent_cost

    async def run(self, work: Steps[Result], cost: float = 1.0) -> Result:
        """Return the result of *work*.

        Args:
            work: what to do.
            cost: how much work it is, in units of about ten microseconds.

        Raises:
            RefusedError: too much work is waiting, or it took too long.
        """
        is_small = cost <= _SMALL_COST
        waiting = self._waiting[is_small]
        if waiting and (waiting + cost) * self._seconds_per_cost > self._timeout / 2:
            raise overloaded(waiting * self._seconds_per_cost)
        loop = asyncio.get_running_loop()
        job: _Job[Result] = _Job(work, cost, is_small, loop, loop.create_future())
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
            self._queue_of(job).push(CURRENT_CLIENT.get(), job)
            self._waiting[is_small] += cost
            self._changed.notify()
        try:
            return await asyncio.wait_for(job.done, self._timeout)
        except (asyncio.TimeoutError, TimeoutError):
            raise too_slow(self._timeout) from None
        finally:
            job.is_cancelled = not job.done.done() or job.done.cancelled()

    def _queue_of(self, job: _Job[Any]) -> FairQueue[_Job[Any]]:
        return self._small if job.is_small else self._large

    def _next(self) -> Turn[_Job[Any]]:
        """Wait for work; return whose turn it is."""
        with self._changed:
            while not self._small and not self._large:
                self._changed.wait()
            if not self._small or not self._large:
                self._ahead = 0.0
            is_large = bool(self._large) and (self._ahead < 0 or not self._small)
            return (self._large if is_large else self._small).pop()

    def _serve(self) -> None:
        while True:
            turn = self._next()
            start, used = time.perf_counter(), time.thread_time()
            is_done = self._work(turn.item)
            turn.item.seconds += time.perf_counter() - start
            self._charge(turn, time.thread_time() - used, is_done=is_done)
            del turn  # keeps no result alive until the next turn

    def _work(self, job: _Job[Any]) -> bool:
        """Work for one slice; return whether nothing is left to do."""
        end, latest = time.thread_time() + _SLICE_SECONDS, time.perf_counter() + _LONGEST_SECONDS
        try:
            if job.is_cancelled:
                job.work.close()
                return True
            while True:
                next(job.work)
                if time.thread_time() >= end or time.perf_counter() >= latest:
                    return False
        except StopIteration as stop:
            job.finish(stop.value, None)
        except BaseException as error:  # noqa: BLE001 - passed on to the client
            job.finish(None, error)
        return True

    def _charge(self, turn: Turn[_Job[Any]], used: float, *, is_done: bool) -> None:
        job = turn.item
        queue = self._queue_of(job)
        with self._changed:
            self._ahead += -used if job.is_small else used
            queue.charge(turn, used)
            if not is_done:
                queue.again(turn)
                return
            queue.end(turn)
            self._waiting[job.is_small] -= job.cost
            self._learn(job)

    def _learn(self, job: _Job[Any]) -> None:
        """Estimate the speed anew."""
        expected = job.cost * self._seconds_per_cost
        if job.is_cancelled and job.seconds < expected:  # it would have taken longer
            return
        # Loading a module may take longer than the work itself.
        seconds = min(job.seconds, _MOST_SLOWER * expected)
        kept = max(0.0, 1.0 - seconds / _REMEMBERED)
        self._recent_cost = kept * self._recent_cost + job.cost
        self._recent_seconds = kept * self._recent_seconds + seconds
