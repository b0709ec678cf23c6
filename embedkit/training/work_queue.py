"""Chunks of work for several threads, which can be made to stand still between two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["ChunkQueue"]


class ChunkQueue:
    """Numbers from *first* on, given out in order.

    Nothing is given out from the limit on (see `open_to`). When all that was given out is done, the
    threads stand still, and what they share can be looked at.
    """

    def __init__(self, first: int) -> None:
        self._next = first
        self._limit = first
        self._under_way = 0
        self._closed = False
        self._failure: BaseException | None = None
        self._changed = threading.Condition()

    @property
    def next(self) -> int:
        """The number that is given out next."""
        return self._next

    @property
    def limit(self) -> int:
        """The first number that is not given out yet."""
        return self._limit

    def open_to(self, limit: int) -> None:
        """Give out the numbers below *limit*."""
        with self._changed:
            self._limit = limit
            self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the threads stand still, at most so long; tell whether they do.

        Raises:
            BaseException: what `run` could not go on for.
        """
        with self._changed:
            still = self._changed.wait_for(self._stands_still, seconds)
            if self._failure:
                raise self._failure
            return still

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Make the threads stand still for the time of the block."""
        limit = self._limit
        self.open_to(self._next)
        try:
            self.wait()
            yield
        finally:
            self.open_to(limit)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no thread take or finish anything for the time of the block."""
        with self._changed:
            yield

    @contextmanager
    def threads(self, count: int, work: Callable[[int], Callable[[], None]]) -> Iterator[None]:
        """Work on what is given out, on *count* threads, for the time of the block.

        Args:
            count: number of threads.
            work: does a number's work and returns what is to be done of it under the lock.
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
                    self._under_way -= 1
                    if self._stands_still():
                        self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _take(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._next < self._limit or self._over())
            if self._over():
                return None
            self._next += 1
            self._under_way += 1
            return self._next - 1

    def _over(self) -> bool:
        return self._closed or self._failure is not None

    def _stands_still(self) -> bool:
        return self._failure is not None or (self._next >= self._limit and not self._under_way)
