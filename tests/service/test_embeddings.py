"""The embeddings API, with OpenAI's client."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import openai
import pytest

import embedkit
from tests.service.servers import Server


@pytest.fixture(scope="module")
def vectors(model: Path) -> embedkit.WordVectors:
    return embedkit.load(model)


@pytest.fixture(scope="module")
def openai_client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_a_known_word_gets_its_vector(
    openai_client: openai.OpenAI, vectors: embedkit.WordVectors
) -> None:
    answer = openai_client.embeddings.create(input="Paris", model="any")  # asks for base64
    assert answer.object == "list"
    assert answer.model == "model"
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 1
    [embedding] = answer.data
    assert embedding.index == 0
    np.testing.assert_array_equal(np.float32(embedding.embedding), vectors["paris"])


def test_a_text_gets_the_mean_vector_of_its_known_words(
    openai_client: openai.OpenAI, vectors: embedkit.WordVectors
) -> None:
    texts = ["Paris and Rome!", "berlin"]
    answer = openai_client.embeddings.create(input=texts, model="any", encoding_format="float")
    assert [one.index for one in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == 4
    expected = (vectors["paris"].astype(float) + vectors["rome"]) / 2
    np.testing.assert_allclose(answer.data[0].embedding, expected, rtol=1e-6)
    np.testing.assert_array_equal(np.float32(answer.data[1].embedding), vectors["berlin"])


def test_base64_encodes_little_endian_float32(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    asked = {"input": ["rome"], "model": "any", "encoding_format": "base64"}
    [embedding] = client.post("/v1/embeddings", json=asked).json()["data"]
    found = np.frombuffer(base64.b64decode(embedding["embedding"]), dtype="<f4")
    np.testing.assert_array_equal(found, vectors["rome"])


def test_a_text_without_known_words_is_not_found(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="'pariss' is not in the vocabulary") as caught:
        openai_client.embeddings.create(input=["rome", "pariss nowhere"], model="any")
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["suggestions"][0] == "paris"


def test_another_dimension_is_rejected(openai_client: openai.OpenAI) -> None:
    with pytest.raises(
        openai.UnprocessableEntityError, match="dimensions must be 24 for this model, got 12"
    ):
        openai_client.embeddings.create(input="paris", model="any", dimensions=12)
    answer = openai_client.embeddings.create(input="paris", model="any", dimensions=24)
    assert len(answer.data[0].embedding) == 24


def test_token_ids_are_rejected(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="should be a valid string"):
        openai_client.embeddings.create(input=[1, 2], model="any")
