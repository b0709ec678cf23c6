"""Micro-batching: questions that arrive together are answered by one search."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

from embedkit.service.http.errors import RefusedError

__all__ = ["Batcher", "Lane", "too_slow"]

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


def _overloaded() -> RefusedError:
    return RefusedError(
        429,
        "Too many questions are waiting already.",
        "Ask again in a second, fewer at a time.",
        {"Retry-After": "1"},
    )


def too_slow(seconds: float) -> RefusedError:
    """Return the error of an answer that takes more than so many seconds."""
    return RefusedError(
        503,
        f"The answer would have taken more than {seconds:g} seconds.",
        "Ask for less at a time, or later.",
        {"Retry-After": "1"},
    )


def _give_up(answered: asyncio.Future[Any], seconds: float) -> None:
    if not answered.done():
        answered.set_exception(too_slow(seconds))


@dataclass
class _Asked(Generic[Question, Answer]):
    """A request: its questions, what they cost, and what becomes of them."""

    questions: Sequence[Question]
    costs: Sequence[int]
    answered: asyncio.Future[Sequence[Answer]]
    answers: list[Answer] = field(default_factory=list)
    taken: int = 0

    @property
    def left(self) -> int:
        return len(self.questions) - self.taken

    def take(self, most: int) -> Sequence[Question]:
        """Return the next questions, at least one; they stop where they cost so much."""
        start = self.taken
        while self.left and (self.taken == start or most > 0):
            most -= self.costs[self.taken]
            self.taken += 1
        return self.questions[start : self.taken]

    def add(self, answers: Sequence[Answer]) -> None:
        self.answers += answers
        if not self.left and not self.answered.done():
            self.answered.set_result(self.answers)


class Batcher(Generic[Question, Answer]):
    """Gathers questions while the last batch is being answered, and a moment longer.

    A lone client never waits: only when the batch before had company is there a pause to gather
    in. The answering runs in one thread; FAISS gives up the interpreter's lock there.

    Requests take turns. One with many questions has a share of each batch, and goes to the back of
    the queue with the rest: a single question beside it waits for about a batch, not for them all.
    Nor can the many take all the room to wait in: they fill half of it.

    Args:
        answer: answers a batch, in order.
        capacity: questions that may wait; past it `ask` refuses.
        seconds: an answer that takes longer is given up.
        cost: of a question, in plain ones.
        largest: cost of a batch, more or less.
        share: cost of what one request has in a batch, more or less.
        pause: seconds to gather in.
        observe: is told the size of each batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        capacity: int,
        seconds: float = 10.0,
        cost: Callable[[Question], int] = lambda question: 1,
        largest: int = 256,
        share: int = 32,
        pause: float = 0.001,
        observe: Callable[[int], object] = lambda size: None,
    ) -> None:
        self._answer = answer
        self._capacity = capacity
        self._seconds = seconds
        self._cost = cost
        self._largest = largest
        self._share = share
        self._pause = pause
        self._observe = observe
        self._asked: deque[_Asked[Question, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "answering")
        self._single = 0  # requests of one question that wait
        self._many = 0  # questions of all other requests that wait

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return self._single + self._many

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """Return the answers to *questions*.

        Raises:
            RefusedError: too many are waiting, or time is up.
        """
        if self._is_full(len(questions)):
            raise _overloaded()
        loop = asyncio.get_running_loop()
        costs = [self._cost(question) for question in questions]
        asked = _Asked[Question, Answer](questions, costs, loop.create_future())
        self._asked.append(asked)
        self._count(asked, len(questions))
        self._arrived.set()
        timer = loop.call_later(self._seconds, _give_up, asked.answered, self._seconds)
        try:
            return await asked.answered
        finally:
            timer.cancel()
            self._count(asked, -asked.left)  # whoever asked may have gone

    def refuse_if_full(self) -> None:
        """Raise `RefusedError` if the next question would be refused."""
        if self._is_full(1):
            raise _overloaded()

    def _is_full(self, number: int) -> bool:
        """Return whether there is no room for a request of so many questions.

        A request that is larger than all the room there is finds it where nothing waits.
        """
        half = self._capacity // 2
        if number == 1:
            return self._single + min(self._many, half) >= self._capacity
        if self._many and self._many + number > half:
            return True
        return self.waiting > 0 and self.waiting + number > self._capacity

    def _count(self, asked: _Asked[Question, Answer], number: int) -> None:
        if len(asked.questions) == 1:
            self._single += number
        else:
            self._many += number

    async def run(self) -> None:
        """Answer until cancelled."""
        company = False
        while True:
            if not self._asked:
                self._arrived.clear()
                await self._arrived.wait()
            if company:
                await asyncio.sleep(self._pause)
            batch: list[tuple[_Asked[Question, Answer], int]] = []
            try:
                await self._answer_next(batch)
            except Exception as error:  # noqa: BLE001 - whoever asked is told, and the next is answered
                for asked, _ in batch:
                    if not asked.answered.done():
                        asked.answered.set_exception(error)
            company = len(batch) > 1

    async def _answer_next(self, batch: list[tuple[_Asked[Question, Answer], int]]) -> None:
        """Fill *batch* with requests and how many questions of each are taken; answer these."""
        questions: list[Question] = []
        room = self._largest
        while self._asked and room > 0:
            asked = self._asked.popleft()
            if asked.answered.done():  # whoever asked has gone
                continue
            start = asked.taken
            questions += asked.take(min(self._share, room))
            room -= sum(asked.costs[start : asked.taken])
            batch.append((asked, asked.taken - start))
            self._count(asked, start - asked.taken)
        if not questions:
            return
        self._observe(len(questions))
        loop = asyncio.get_running_loop()
        answers = iter(await loop.run_in_executor(self._thread, self._answer, questions))
        for asked, number in batch:
            asked.add(list(islice(answers, number)))
            if asked.left:
                self._asked.append(asked)  # behind all that came meanwhile


class Lane:
    """One thread for work that is not batched, and a queue that ends.

    Args:
        capacity: pieces of work that may wait; past it `run` refuses.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._thread = ThreadPoolExecutor(1, "working")
        self.waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether the next piece of work would be refused."""
        return self.waiting >= self._capacity

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what *work* returns.

        Raises:
            RefusedError: too much is waiting.
        """
        if self.is_full:
            raise _overloaded()
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self.waiting -= 1
