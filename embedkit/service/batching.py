"""Micro-batching: questions that arrive together are answered by one search."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from embedkit.service.errors import RefusedError

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


def _give_up(answers: asyncio.Future[Any], seconds: float) -> None:
    if not answers.done():
        answers.set_exception(too_slow(seconds))


@dataclass
class _Asked(Generic[Question, Answer]):
    questions: Sequence[Question]
    answers: asyncio.Future[Sequence[Answer]]


class Batcher(Generic[Question, Answer]):
    """Gathers questions while the last batch is being answered, and a moment longer.

    A lone client never waits: only when the batch before had company is there a pause to gather
    in. The answering runs in one thread; FAISS gives up the interpreter's lock there.

    Args:
        answer: answers a batch, in order.
        capacity: questions that may wait; past it `ask` refuses.
        seconds: an answer that takes longer is given up.
        largest: questions in a batch, more or less.
        pause: seconds to gather in.
        observe: is told the size of each batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        capacity: int,
        seconds: float = 10.0,
        largest: int = 256,
        pause: float = 0.001,
        observe: Callable[[int], object] = lambda size: None,
    ) -> None:
        self._answer = answer
        self._capacity = capacity
        self._seconds = seconds
        self._largest = largest
        self._pause = pause
        self._observe = observe
        self._asked: deque[_Asked[Question, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "answering")
        self.waiting = 0

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """Return the answers to *questions*.

        Raises:
            RefusedError: too many are waiting, or time is up.
        """
        if self.waiting + len(questions) > max(self._capacity, len(questions)):
            raise _overloaded()
        loop = asyncio.get_running_loop()
        asked = _Asked[Question, Answer](questions, loop.create_future())
        self._asked.append(asked)
        self.waiting += len(questions)
        self._arrived.set()
        timer = loop.call_later(self._seconds, _give_up, asked.answers, self._seconds)
        try:
            return await asked.answers
        finally:
            timer.cancel()

    def refuse_if_full(self) -> None:
        """Raise `RefusedError` if the next question would be refused."""
        if self.waiting >= self._capacity:
            raise _overloaded()

    async def run(self) -> None:
        """Answer until cancelled."""
        loop = asyncio.get_running_loop()
        company = False
        while True:
            if not self._asked:
                self._arrived.clear()
                await self._arrived.wait()
            if company:
                await asyncio.sleep(self._pause)
            batch = self._take()
            company = len(batch) > 1
            questions = [question for asked in batch for question in asked.questions]
            if not questions:
                continue
            self._observe(len(questions))
            try:
                answers = await loop.run_in_executor(self._thread, self._answer, questions)
            except Exception as error:  # noqa: BLE001 - whoever asked is told, and the next is answered
                for asked in batch:
                    if not asked.answers.done():
                        asked.answers.set_exception(error)
                continue
            start = 0
            for asked in batch:
                end = start + len(asked.questions)
                if not asked.answers.done():
                    asked.answers.set_result(answers[start:end])
                start = end

    def _take(self) -> list[_Asked[Question, Answer]]:
        batch: list[_Asked[Question, Answer]] = []
        size = 0
        while self._asked and (not batch or size + len(self._asked[0].questions) <= self._largest):
            asked = self._asked.popleft()
            self.waiting -= len(asked.questions)
            if not asked.answers.done():  # who asked may have gone
                batch.append(asked)
                size += len(asked.questions)
        return batch


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
