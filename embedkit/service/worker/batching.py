"""Micro-batching: questions that arrive together are answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, Protocol, TypeAlias, TypeVar

from embedkit.service.http.client import CURRENT_CLIENT
from embedkit.service.worker.fair_queue import FairQueue, Turn
from embedkit.service.worker.refusals import overloaded, too_slow

__all__ = ["SEARCH_COST", "BatchLimits", "Batcher", "Priced"]

SEARCH_COST = 12
"""The cost of scanning the vectors, in units of one more question in the same scan."""


class Priced(Protocol):
    """A question whose cost is known before it is answered."""

    @property
    def cost(self) -> int:
        """The cost of answering it in a search with others of its kind; at least 1."""

    @property
    def kind(self) -> Hashable:
        """Questions of the same kind share a search."""


Question = TypeVar("Question", bound=Priced)
Answer = TypeVar("Answer")
Result = TypeVar("Result")


def _refuse_late_answer(answered: asyncio.Future[Result], seconds: float) -> None:
    if not answered.done():
        answered.set_exception(too_slow(seconds))


@dataclass
class _Pending(Generic[Question, Answer]):
    """A request: its questions and their answers."""

    questions: Sequence[Question]
    answered: asyncio.Future[Sequence[Answer]]
    answers: list[Answer] = field(default_factory=list)
    taken: int = 0

    @property
    def remaining(self) -> int:
        return len(self.questions) - self.taken

    def add(self, answers: Sequence[Answer]) -> None:
        self.answers += answers
        if not self.remaining and not self.answered.done():
            self.answered.set_result(self.answers)


@dataclass(frozen=True)
class BatchLimits:
    """Limits of a queue and of its batches.

    Costs are in units of one more question in a search; see `Priced`.

    Attributes:
        capacity: number of questions that may wait; more are refused.
        timeout: seconds after which a request is refused.
        small_cost: cost of a batch of small requests.
        large_cost: cost of a batch of large requests. While it is answered, small ones wait.
        pause: seconds to wait for questions of other clients.
    """

    capacity: int
    timeout: float = 10.0
    small_cost: int = 128
    large_cost: int = 40
    pause: float = 0.001

    def is_small(self, questions: Sequence[Priced]) -> bool:
        """Tell whether questions cost no more than about a single one."""
        kinds = {question.kind for question in questions[:SEARCH_COST]}
        return len(kinds) == 1 and sum(question.cost for question in questions) <= SEARCH_COST


_Share: TypeAlias = "tuple[Turn[_Pending[Question, Answer]], int]"
"""A request in a batch: its turn, and the number of its questions in the batch."""


class Batcher(Generic[Question, Answer]):
    """Collects questions while the previous batch is being answered, and a moment longer.

    A single client never waits: there is a pause for collecting only if the previous batch had
    questions of several requests. Batches are answered in one thread, where FAISS releases the
    interpreter's lock.

    Small requests and large ones are answered in different batches, in turns, and a batch of large
    requests is limited. So a small request waits for at most one such batch. A large request gets a
    share of each batch until all of its questions are answered, and can fill only half of the
    queue.

    Args:
        answer: answers a batch, in order.
        limits: limits of the queue and of its batches.
        observe: called with the size of each batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        limits: BatchLimits,
        *,
        observe: Callable[[int], object] = lambda size: None,
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._observe = observe
        self._small: FairQueue[_Pending[Question, Answer]] = FairQueue()
        self._large: FairQueue[_Pending[Question, Answer]] = FairQueue()
        self._is_large_next = False
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
        if self._has_no_room(len(questions)):
            raise overloaded()
        loop = asyncio.get_running_loop()
        request = _Pending[Question, Answer](questions, loop.create_future())
        queue = self._small if self._limits.is_small(questions) else self._large
        queue.push(CURRENT_CLIENT.get(), request)
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

    @property
    def is_full(self) -> bool:
        """Whether the next question would be refused."""
        return self._has_no_room(1)

    def _has_no_room(self, number: int) -> bool:
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
            if not self._small and not self._large:
                self._arrived.clear()
                await self._arrived.wait()
            if is_shared:
                await asyncio.sleep(self._limits.pause)
            is_large = bool(self._large) and (self._is_large_next or not self._small)
            self._is_large_next = not is_large
            queue = self._large if is_large else self._small
            batch: list[_Share[Question, Answer]] = []
            try:
                await self._answer_next(queue, batch)
            except Exception as error:  # noqa: BLE001 - passed on to the clients of this batch
                for turn, _ in batch:
                    if not turn.item.answered.done():
                        turn.item.answered.set_exception(error)
            for turn, _ in batch:
                if turn.item.remaining and not turn.item.answered.done():
                    queue.again(turn)
                else:
                    queue.end(turn)
            is_shared = len(batch) > 1

    async def _answer_next(
        self,
        queue: FairQueue[_Pending[Question, Answer]],
        batch: list[_Share[Question, Answer]],
    ) -> None:
        """Fill *batch* with shares of requests, and answer them."""
        questions = self._take(queue, batch)
        if not questions:
            return
        self._observe(len(questions))
        loop = asyncio.get_running_loop()
        answers = iter(await loop.run_in_executor(self._thread, self._answer, questions))
        for turn, number in batch:
            turn.item.add(list(islice(answers, number)))

    def _take(
        self,
        queue: FairQueue[_Pending[Question, Answer]],
        batch: list[_Share[Question, Answer]],
    ) -> list[Question]:
        """Take questions of several requests, at least one, up to the cost of a batch."""
        is_large = queue is self._large
        room = self._limits.large_cost if is_large else self._limits.small_cost
        taken: list[Question] = []
        kinds: set[Hashable] = set()
        while queue and room > 0:
            turn = queue.pop()
            request = turn.item
            if request.answered.done():  # the client has disconnected, or time is up
                queue.end(turn)
                continue
            limit = room / (1 + len(queue)) if is_large else room
            start, cost = request.taken, 0
            while request.remaining and cost < limit:
                question = request.questions[request.taken]
                cost += question.cost + (0 if question.kind in kinds else SEARCH_COST)
                kinds.add(question.kind)
                taken.append(question)
                request.taken += 1
            room -= cost
            queue.charge(turn, cost)
            batch.append((turn, request.taken - start))
            self._count(request, start - request.taken)
        return taken
