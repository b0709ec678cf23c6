"""The route that searches documents, if the service was started with a search index."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field

from embedkit.errors import EmbedkitError
from embedkit.retrieval.directory import identity
from embedkit.retrieval.options import SEARCH_METHODS, is_reranked
from embedkit.retrieval.text_index import TextIndex
from embedkit.service.api.documentation import batch
from embedkit.service.api.requests import OneOrMany
from embedkit.service.http.json_response import JsonObject
from embedkit.service.worker.dispatch import Dispatcher, as_list, check_limit
from embedkit.service.worker.served_model import ServedModel
from embedkit.system.steps import Steps

__all__ = ["add_document_search"]

_MAX_K = 100  # documents; each may have a passage of a thousand characters and more
_MAX_ANSWERS = 2_000  # to all questions of a batch together
_MAX_QUESTION = 1_000  # characters
_COST = 500
_RERANKED_COST = 2_000
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

    @property
    def model(self) -> None:
        """No model is chosen: the index belongs to one."""


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

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = identity(path)
        self._index = TextIndex.open(path)

    def answer(self, _: ServedModel, request: DocumentSearchRequest) -> Steps[JsonObject]:
        """Answer a question."""
        yield
        self._refresh()
        [found] = yield from self._index.ask_all_in_steps(
            [request.question], request.k, method=request.method, rerank=request.rerank
        )
        answers = [answer.as_dict() for answer in found]
        return {"question": request.question, "answers": answers}

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


def _cost(request: DocumentSearchRequest) -> float:
    """Return the cost of a question, in units of about ten microseconds."""
    reranked = is_reranked(request.method, request.rerank)
    return (_RERANKED_COST if reranked else _COST) + request.k


def add_document_search(app: FastAPI, service: Dispatcher, path: Path) -> None:
    """Add POST /v1/search, which answers from the search index at *path*.

    Raises:
        ModelError: the index cannot be opened.
    """
    documents = _Documents(path)

    @app.post("/v1/search", tags=["search"], **batch(DocumentSearchResponse))
    async def search(body: OneOrMany[DocumentSearchRequest]) -> Response:
        """Return the documents that answer a question best."""
        check_limit(sum(item.k for item in as_list(body)), _MAX_ANSWERS, "answers")
        return await service.compute(body, documents.answer, _cost, service.scans)
