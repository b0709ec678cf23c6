"""A queue of chunk numbers for several threads, which can be paused between chunks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["ChunkQueue"]


class ChunkQueue:
    """Hands out chunk numbers from *first* on, in order, up to a limit (see `open_to`).

    When all chunks below the limit are done, the threads are idle, and the state that they share
    can be read.
    """

    def __init__(self, first: int) -> None:
        self._next = first
        self._limit = first
        self._active = 0
        self._closed = False
        self._failure: BaseException | None = None
        self._changed = threading.Condition()

    @property
    def next(self) -> int:
        """The next number to hand out."""
        return self._next

    @property
    def limit(self) -> int:
        """The first number that may not be handed out yet."""
        return self._limit

    def open_to(self, limit: int) -> None:
        """Hand out the numbers below *limit*."""
        with self._changed:
            self._limit = limit
            self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait at most *seconds* until the threads are idle; tell whether they are.

        Raises:
            BaseException: the exception that ended a thread.
        """
        with self._changed:
            idle = self._changed.wait_for(self._is_idle, seconds)
            if self._failure:
                raise self._failure
            return idle

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause the threads during the block."""
        limit = self._limit
        self.open_to(self._next)
        try:
            self.wait()
            yield
        finally:
            self.open_to(limit)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep threads from starting or finishing a chunk during the block."""
        with self._changed:
            yield

    @contextmanager
    def threads(self, count: int, work: Callable[[int], Callable[[], None]]) -> Iterator[None]:
        """Run *count* threads that process the numbers during the block.

        Args:
            count: number of threads.
            work: processes a chunk; returns a function that records it, called under the lock.
        """
        threads = [
            threading.Thread(target=self._run, args=(work,), name=f"embedkit-{n}", daemon=True)
            for n in range(count)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            for thread in threads:
                thread.join()

    def _run(self, work: Callable[[int], Callable[[], None]]) -> None:
        try:
            while (number := self._take()) is not None:
                record = work(number)
                with self._changed:
                    record()
                    self._active -= 1
                    if self._is_idle():
                        self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - raised again in `wait`
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _take(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._next < self._limit or self._has_ended())
            if self._has_ended():
                return None
            self._next += 1
            self._active += 1
            return self._next - 1

    def _has_ended(self) -> bool:
        return self._closed or self._failure is not None

    def _is_idle(self) -> bool:
        return self._failure is not None or (self._next >= self._limit and not self._active)
