"""The embeddings API, with OpenAI's client."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

import embedkit
from embedkit.corpus.tokenizers import tokenize
from embedkit.features import TextFeatures
from embedkit.service.worker import embedding
from embedkit.service.worker.embedding import EmbeddingFormat, embeddings
from embedkit.service.worker.publishing import write_serving_copy
from embedkit.service.worker.served_model import ServedModel
from embedkit.system.steps import Steps
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors
from tests.service.servers import Server

if TYPE_CHECKING:
    import openai


@pytest.fixture(scope="module")
def vectors(model: Path) -> embedkit.WordVectors:
    return embedkit.load(model)


@pytest.fixture(scope="module")
def openai_client(server: Server) -> Iterator[openai.OpenAI]:
    import openai  # slow to import

    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def unit(vector: np.typing.ArrayLike) -> np.typing.NDArray[np.float64]:
    wide = np.asarray(vector, dtype=float)
    return wide / np.linalg.norm(wide)


def test_a_known_word_gets_its_vector_at_length_1(
    openai_client: openai.OpenAI, vectors: embedkit.WordVectors
) -> None:
    answer = openai_client.embeddings.create(input="Paris", model="any")  # asks for base64
    assert answer.object == "list"
    assert answer.model == "model"
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 1
    [embedding] = answer.data
    assert embedding.index == 0
    np.testing.assert_allclose(embedding.embedding, unit(vectors["paris"]), atol=1e-6)
    raw = openai_client.embeddings.create(
        input="Paris", model="any", extra_body={"normalize": False}
    )
    np.testing.assert_array_equal(np.float32(raw.data[0].embedding), vectors["paris"])


def test_a_text_gets_the_mean_vector_of_its_known_words(
    openai_client: openai.OpenAI, vectors: embedkit.WordVectors
) -> None:
    texts = ["Paris and Rome!", "berlin"]
    answer = openai_client.embeddings.create(input=texts, model="any", encoding_format="float")
    assert [one.index for one in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == 3  # "and" has no vector
    expected = unit(vectors["paris"].astype(float) + vectors["rome"])
    np.testing.assert_allclose(answer.data[0].embedding, expected, atol=1e-6)
    np.testing.assert_allclose(answer.data[1].embedding, unit(vectors["berlin"]), atol=1e-6)


def test_base64_encodes_little_endian_float32(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    asked = {"input": ["rome"], "encoding_format": "base64", "normalize": False}
    [embedding] = client.post("/v1/embeddings", json=asked).json()["data"]
    found = np.frombuffer(base64.b64decode(embedding["embedding"]), dtype="<f4")
    np.testing.assert_array_equal(found, vectors["rome"])


def test_long_texts_and_many_texts_agree_with_the_library(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    words = vectors.vocabulary.words()[:50]
    texts = [" ".join([*words] * 200), *(f"{a} unknownword {b}" for a in words for b in words[:40])]
    asked = {"input": texts, "normalize": False}
    answer = client.post("/v1/embeddings", json=asked).json()
    expected = TextFeatures(vectors).fit_transform(texts)
    found = [one["embedding"] for one in answer["data"]]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    known = [word for text in texts for word in tokenize(text) if word in vectors]
    assert answer["usage"]["prompt_tokens"] == len(known)


def test_a_text_without_known_words_stops_only_itself(
    openai_client: openai.OpenAI, vectors: embedkit.WordVectors
) -> None:
    texts = ["rome", "pariss nowhere", "", "?!"]
    answer = openai_client.embeddings.create(input=texts, model="any")
    found = np.array([one.embedding for one in answer.data])
    np.testing.assert_allclose(found[0], unit(vectors["rome"]), atol=1e-6)
    np.testing.assert_array_equal(found[1:], 0)
    errors = [(one.model_extra or {}).get("error") for one in answer.data]
    assert errors[0] is None
    assert [error["message"] for error in errors[1:]] == [
        "'pariss' is not in the vocabulary.", "The text has no words.", "The text has no words.",
    ]  # fmt: skip
    assert answer.usage.prompt_tokens == 1


def test_a_single_text_without_known_words_is_not_found(openai_client: openai.OpenAI) -> None:
    import openai

    with pytest.raises(openai.NotFoundError, match="'pariss' is not in the vocabulary") as caught:
        openai_client.embeddings.create(input="pariss nowhere", model="any")
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["suggestions"][0] == "paris"
    with pytest.raises(openai.UnprocessableEntityError, match="The text has no words"):
        openai_client.embeddings.create(input="", model="any")


def test_another_dimension_is_rejected(openai_client: openai.OpenAI) -> None:
    import openai

    with pytest.raises(
        openai.UnprocessableEntityError, match="dimensions must be 24 for this model, got 12"
    ):
        openai_client.embeddings.create(input="paris", model="any", dimensions=12)
    answer = openai_client.embeddings.create(input="paris", model="any", dimensions=24)
    assert len(answer.data[0].embedding) == 24


def test_token_ids_are_rejected_with_the_remedy(openai_client: openai.OpenAI) -> None:
    import openai

    for ids in ([1, 2], [[1, 2], [3]]):
        with pytest.raises(
            openai.UnprocessableEntityError, match="check_embedding_ctx_length=False"
        ):
            openai_client.embeddings.create(input=ids, model="any")  # type: ignore[arg-type]


def test_a_client_lists_the_models_and_then_embeds(
    openai_client: openai.OpenAI, client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    """As user interfaces do when a connection is set up."""
    import openai

    [listed] = openai_client.models.list().data
    assert (listed.id, listed.object, listed.owned_by) == ("model", "model", "embedkit")
    assert openai_client.models.retrieve(listed.id) == listed
    answer = openai_client.embeddings.create(input=["paris"], model=listed.id)
    assert answer.model == listed.id
    assert len(answer.data[0].embedding) == vectors.dimension
    with pytest.raises(openai.NotFoundError, match="There is no model 'other'"):
        openai_client.models.retrieve("other")
    # The same with plain HTTP.
    name = client.get("/v1/models").json()["data"][0]["id"]
    body = {"model": name, "input": "paris"}
    assert client.post("/v1/embeddings", json=body).json()["model"] == name


def test_whitespace_tokens_with_punctuation_are_found(tmp_path: Path) -> None:
    """Whole tokens come first: the vocabulary may have some with punctuation."""
    names = ["Queen", "england", "york,"]
    rows = np.eye(3, dtype=np.float32)
    config = {"training": {"tokenizer": "whitespace"}}
    WordVectors(names, rows, config=config).save(tmp_path / "model")
    served = ServedModel(tmp_path / "model", "model", 1)
    texts = ["Queen,", "England!", "York, york,", "(queen) of England", "x"]
    answer = result(embeddings(served, texts, EmbeddingFormat(normalize=False)))
    found = [one["embedding"] for one in answer["data"]]
    # "(queen)" is not the word "Queen": the vocabulary distinguishes them.
    expected = [rows[0], rows[1], rows[2], rows[1], 0 * rows[0]]
    np.testing.assert_array_equal(found, expected)
    assert answer["usage"]["prompt_tokens"] == 5


def result(work: Steps[bytes]) -> Any:
    """Return the result of work, read from JSON."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return json.loads(end.value)


def served_whitespace(folder: Path) -> ServedModel:
    names = ["queen", "rome"]
    config = {"training": {"tokenizer": "whitespace"}}
    WordVectors(names, np.eye(2, dtype=np.float32), config=config).save(folder)
    return ServedModel(folder, "model", 1)


def test_a_long_unknown_word_takes_linear_time(tmp_path: Path) -> None:
    """A regular expression for outer punctuation would take hours."""
    served = served_whitespace(tmp_path / "model")
    texts = ["a" + "!" * 500_000 + "a", "queen " + "!" * 500_000 + "rome rome"]
    answer = result(embeddings(served, texts, EmbeddingFormat(normalize=False)))
    assert [one["embedding"] for one in answer["data"]] == [[0, 0], [0.5, 0.5]]


@pytest.fixture
def served_composing(subword_model: Path, tmp_path: Path) -> ServedModel:
    write_serving_copy(subword_model, tmp_path / "served")
    return ServedModel(tmp_path / "served", "model", 1)


@pytest.mark.parametrize("separator", ["\n", ",", "\u3000", "\u3002", "\u00a0"])
def test_a_long_text_is_read_in_parts_at_any_separator(
    served_composing: ServedModel, separator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []

    def watched(text: str, name: str) -> list[str]:
        lengths.append(len(text))
        return tokenize(text, name)

    monkeypatch.setattr(embedding, "tokenize", watched)
    text = separator.join(["walking", "talks"] * 2_000)
    answer = result(embeddings(served_composing, [text], EmbeddingFormat()))
    assert answer["usage"]["prompt_tokens"] == 4_000
    assert sum(lengths) == len(text)
    assert max(lengths) < 2_100


def test_only_the_head_of_a_word_without_end_is_read(
    served_composing: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last letters are not a word, though they may look like one."""
    longest = 0
    encode = Subwords.encode

    def watched(self: Subwords, words: Sequence[str]) -> Any:
        nonlocal longest
        longest = max(longest, sum(map(len, words)))
        return encode(self, words)

    monkeypatch.setattr(Subwords, "encode", watched)
    text = "walking " + "x" * 990_000 + "talk, walked"
    answer = result(embeddings(served_composing, [text, "talks " * 3_000], EmbeddingFormat()))
    assert answer["usage"]["prompt_tokens"] == 2 + 3_000
    assert 0 < longest <= 1_024
