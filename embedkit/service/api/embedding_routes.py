"""The route of OpenAI's embeddings API."""

from __future__ import annotations

from fastapi import FastAPI, Response

from embedkit.errors import ConfigurationError
from embedkit.service.api import requests, responses
from embedkit.service.api.documentation import FAILURES
from embedkit.service.worker.dispatch import Dispatcher, as_list
from embedkit.service.worker.embedding import EmbeddingFormat, embeddings

__all__ = ["add_embeddings"]

_CHARACTERS_PER_WORD = 5
_NUMBERS_PER_COST = 100  # numbers that are written in the time of looking up a word


def add_embeddings(app: FastAPI, service: Dispatcher) -> None:
    """Add /v1/embeddings."""

    @app.post(
        "/v1/embeddings",
        tags=["embeddings"],
        response_model=responses.EmbeddingsResponse,
        response_model_exclude_unset=True,
        responses=FAILURES,
    )
    async def embed(body: requests.EmbeddingsRequest) -> Response:
        """Return the vectors of texts in the format of OpenAI's API.

        The vector of a text that is not a word of the vocabulary is the mean of its words: those
        that are known, or can be composed of character n-grams. In a list, a text without such
        words gets zeros and an `error`; a single text like that is an error.
        """
        is_only = len(service.models) == 1  # clients of OpenAI's models send any name
        served = service.models.named(None if is_only else body.model or None)
        dimension = served.vectors.dimension
        if body.dimensions not in (None, dimension):
            raise ConfigurationError(
                f"dimensions must be {dimension} for this model, got {body.dimensions}.",
                hint="Omit dimensions.",
            )
        texts = as_list(body.input)
        form = EmbeddingFormat(normalize=body.normalize, base64=body.encoding_format == "base64")
        work = embeddings(served, texts, form, is_single=isinstance(body.input, str))
        characters = sum(map(len, texts))
        cost = characters / _CHARACTERS_PER_WORD + len(texts) * dimension / _NUMBERS_PER_COST
        return await service.answer(served, work, cost)
