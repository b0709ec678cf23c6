"""The route that searches documents, if the service was started with a search index."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field

from embedkit.errors import EmbedkitError, plural
from embedkit.retrieval.directory import identity
from embedkit.retrieval.options import SEARCH_METHODS
from embedkit.retrieval.text_index import TextIndex
from embedkit.service.api.requests import OneOrMany
from embedkit.service.api.responses import ErrorResponse
from embedkit.service.http.errors import RefusedError
from embedkit.service.http.json_response import JsonObject, json_response
from embedkit.service.settings import ServiceSettings

__all__ = ["add_document_search"]

_MAX_K = 100  # documents; each may have a passage of a thousand characters and more
_MAX_ANSWERS = 2_000  # to all questions of a batch together
_MAX_QUESTION = 1_000  # characters
_log = logging.getLogger("embedkit.service")

if TYPE_CHECKING:
    Method: TypeAlias = str
else:
    Method = Literal[SEARCH_METHODS]


class DocumentSearchRequest(BaseModel):
    """A question to the documents."""

    model_config = ConfigDict(extra="forbid")
    question: Annotated[str, Field(min_length=1, max_length=_MAX_QUESTION)]
    k: Annotated[int, Field(ge=1, le=_MAX_K, strict=True, description="Number of documents.")] = 10
    method: Method = Field("fused", description="By meaning (dense), words (bm25), or both.")
    rerank: bool | None = Field(
        None, description="Compare the first passages word by word; by default, with fused."
    )


class FoundDocument(BaseModel):
    """A document, with the passage that answers best."""

    id: str
    score: float
    text: str
    fields: dict[str, Any]
    span: Annotated[list[int], Field(description="Where the passage begins and ends.")]


class DocumentSearchResponse(BaseModel):
    """A question and the documents that answer it, best first."""

    question: str
    answers: list[FoundDocument]


class _Documents:
    """The search index, opened again when it has changed; it is asked in one thread."""

    def __init__(self, path: Path, settings: ServiceSettings) -> None:
        self._path = path
        self._settings = settings
        self._thread = ThreadPoolExecutor(1)
        self._waiting = 0
        self._seen = identity(path)
        self._index = TextIndex.open(path)

    async def ask(self, requests: list[DocumentSearchRequest]) -> list[JsonObject]:
        if self._waiting >= self._settings.queue:
            raise RefusedError(429, "The queue is full.", "Try again later.", {"Retry-After": "1"})
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, requests)
        work.add_done_callback(lambda _: self._leave())
        seconds = self._settings.timeout
        try:
            return await asyncio.wait_for(work, seconds)
        except (asyncio.TimeoutError, TimeoutError):
            raise RefusedError(
                503,
                f"The answer took more than {seconds:g} {plural(seconds, 'second')}.",
                "Send smaller requests, or try again later.",
                {"Retry-After": "1"},
            ) from None

    def _leave(self) -> None:
        self._waiting -= 1

    def _answer(self, requests: list[DocumentSearchRequest]) -> list[JsonObject]:
        self._refresh()
        bodies: list[JsonObject] = []
        for request in requests:
            found = self._index.ask(
                request.question, request.k, method=request.method, rerank=request.rerank
            )
            answers = [{**answer._asdict(), "span": list(answer.span)} for answer in found]
            bodies.append({"question": request.question, "answers": answers})
        return bodies

    def _refresh(self) -> None:
        """Open the index again if it was replaced; keep the old one if that fails."""
        now = identity(self._path)
        if now == self._seen:
            return
        self._seen = now
        try:
            self._index = TextIndex.open(self._path)
        except EmbedkitError as error:
            _log.error("Still serving the old search index: %s", error)


def add_document_search(app: FastAPI, settings: ServiceSettings, path: Path) -> None:
    """Add POST /v1/search, which answers from the search index at *path*.

    Raises:
        ModelError: the index cannot be opened.
    """
    documents = _Documents(path, settings)

    @app.post(
        "/v1/search",
        tags=["search"],
        response_model=DocumentSearchResponse | list[DocumentSearchResponse],
        responses={
            status: {"model": ErrorResponse, "description": description}
            for status, description in {
                400: "The body is not valid JSON.",
                401: "The API key is missing or wrong.",
                413: "The request is too large.",
                422: "The request is invalid.",
                429: "The queue is full.",
                503: "The answer took too long.",
            }.items()
        },
    )
    async def search(body: OneOrMany[DocumentSearchRequest]) -> Response:
        """Return the documents that answer a question best."""
        items = body if isinstance(body, list) else [body]
        if (total := sum(item.k for item in items)) > _MAX_ANSWERS:
            raise RefusedError(
                413,
                f"The batch asks for {total:,} answers; at most {_MAX_ANSWERS:,} are allowed.",
                "Send smaller batches.",
            )
        bodies = await documents.ask(items)
        return json_response(bodies if isinstance(body, list) else bodies[0])
