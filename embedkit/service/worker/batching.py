"""Micro-batching: questions that arrive together are answered together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

from embedkit.errors import plural
from embedkit.service.http.errors import RefusedError

__all__ = ["BatchLimits", "Batcher", "BoundedExecutor", "too_slow"]

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


def _overloaded() -> RefusedError:
    return RefusedError(
        429,
        "Too many questions are waiting.",
        "Try again in a second, with smaller requests.",
        {"Retry-After": "1"},
    )


def too_slow(seconds: float) -> RefusedError:
    """Return the error for an answer that took more than *seconds*."""
    return RefusedError(
        503,
        f"The answer took more than {seconds:g} {plural(seconds, 'second')}.",
        "Send smaller requests, or try again later.",
        {"Retry-After": "1"},
    )


def _refuse_late_answer(answered: asyncio.Future[Result], seconds: float) -> None:
    if not answered.done():
        answered.set_exception(too_slow(seconds))


@dataclass
class _Pending(Generic[Question, Answer]):
    """A request: its questions, their costs and their answers."""

    questions: Sequence[Question]
    costs: Sequence[int]
    answered: asyncio.Future[Sequence[Answer]]
    answers: list[Answer] = field(default_factory=list)
    taken: int = 0

    @property
    def remaining(self) -> int:
        return len(self.questions) - self.taken

    def take(self, limit: int) -> Sequence[Question]:
        """Return the next questions, at least one, up to the cost *limit*."""
        start = self.taken
        while self.remaining and (self.taken == start or limit > 0):
            limit -= self.costs[self.taken]
            self.taken += 1
        return self.questions[start : self.taken]

    def add(self, answers: Sequence[Answer]) -> None:
        self.answers += answers
        if not self.remaining and not self.answered.done():
            self.answered.set_result(self.answers)


@dataclass(frozen=True)
class BatchLimits:
    """Limits of a queue and of its batches.

    Attributes:
        capacity: number of questions that may wait; more are refused.
        timeout: seconds after which a request is refused.
        batch_cost: approximate cost of a batch.
        share: approximate cost of one request's questions in a batch.
        pause: seconds to wait for questions of other clients.
    """

    capacity: int
    timeout: float = 10.0
    batch_cost: int = 256
    share: int = 32
    pause: float = 0.001


class Batcher(Generic[Question, Answer]):
    """Collects questions while the previous batch is being answered, and a moment longer.

    A single client never waits: there is a pause for collecting only if the previous batch had
    questions of several requests. Batches are answered in one thread, where FAISS releases the
    interpreter's lock.

    Requests take turns. A request with many questions gets a share of each batch, and the rest
    moves to the end of the queue, so another client's question waits for only about one batch.
    Requests with many questions can fill only half of the queue.

    Args:
        answer: answers a batch, in order.
        limits: limits of the queue and of its batches.
        cost: returns the cost of answering a question; that of a simple one is 1.
        observe: called with the size of each batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        limits: BatchLimits,
        *,
        cost: Callable[[Question], int] = lambda question: 1,
        observe: Callable[[int], object] = lambda size: None,
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._cost = cost
        self._observe = observe
        self._queue: deque[_Pending[Question, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "answering")
        self._waiting_single = 0  # waiting questions of requests with one question
        self._waiting_many = 0  # waiting questions of all other requests

    @property
    def waiting(self) -> int:
        """Number of waiting questions."""
        return self._waiting_single + self._waiting_many

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """Return the answers to *questions*.

        Raises:
            RefusedError: the queue is full, or the answer took too long.
        """
        if self._is_full(len(questions)):
            raise _overloaded()
        loop = asyncio.get_running_loop()
        costs = [self._cost(question) for question in questions]
        request = _Pending[Question, Answer](questions, costs, loop.create_future())
        self._queue.append(request)
        self._count(request, len(questions))
        self._arrived.set()
        timer = loop.call_later(
            self._limits.timeout, _refuse_late_answer, request.answered, self._limits.timeout
        )
        try:
            return await request.answered
        finally:
            timer.cancel()
            self._count(request, -request.remaining)  # the client may have disconnected

    def refuse_if_full(self) -> None:
        """Raise `RefusedError` if the next question would be refused."""
        if self._is_full(1):
            raise _overloaded()

    def _is_full(self, number: int) -> bool:
        """Return whether the queue has no room for a request of *number* questions.

        A request larger than the capacity is accepted if nothing is waiting.
        """
        half = self._limits.capacity // 2
        if number == 1:
            return self._waiting_single + min(self._waiting_many, half) >= self._limits.capacity
        if self._waiting_many and self._waiting_many + number > half:
            return True
        return self.waiting > 0 and self.waiting + number > self._limits.capacity

    def _count(self, request: _Pending[Question, Answer], number: int) -> None:
        if len(request.questions) == 1:
            self._waiting_single += number
        else:
            self._waiting_many += number

    async def run(self) -> None:
        """Answer questions until cancelled."""
        is_shared = False
        while True:
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
            if is_shared:
                await asyncio.sleep(self._limits.pause)
            batch: list[tuple[_Pending[Question, Answer], int]] = []
            try:
                await self._answer_next(batch)
            except Exception as error:  # noqa: BLE001 - passed on to the clients of this batch
                for request, _ in batch:
                    if not request.answered.done():
                        request.answered.set_exception(error)
            is_shared = len(batch) > 1

    async def _answer_next(self, batch: list[tuple[_Pending[Question, Answer], int]]) -> None:
        """Fill *batch* with requests and the number of questions taken from each; answer them."""
        questions: list[Question] = []
        room = self._limits.batch_cost
        while self._queue and room > 0:
            request = self._queue.popleft()
            if request.answered.done():  # the client has disconnected, or time is up
                continue
            start = request.taken
            questions += request.take(min(self._limits.share, room))
            room -= sum(request.costs[start : request.taken])
            batch.append((request, request.taken - start))
            self._count(request, start - request.taken)
        if not questions:
            return
        self._observe(len(questions))
        loop = asyncio.get_running_loop()
        answers = iter(await loop.run_in_executor(self._thread, self._answer, questions))
        for request, number in batch:
            request.add(list(islice(answers, number)))
            if request.remaining:
                self._queue.append(request)  # after the requests that have arrived since


class BoundedExecutor:
    """One thread for work that is not batched, with a bounded queue.

    Args:
        capacity: number of calls that may wait; `run` refuses more.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._thread = ThreadPoolExecutor(1, "working")
        self.waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether the next call would be refused."""
        return self.waiting >= self._capacity

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return the result of *work*.

        Raises:
            RefusedError: the queue is full.
        """
        if self.is_full:
            raise _overloaded()
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self.waiting -= 1
