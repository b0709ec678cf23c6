"""Formats that are only written, loaded by PostgreSQL, Qdrant's client, TensorBoard and others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder, load
from embedkit.errors import ConfigurationError, ModelError, OutputExistsError, StorageError
from embedkit.formats import EXPORT_FORMATS, read, write
from embedkit.formats.names import FORMATS_INFO
from embedkit.vectors.word_vectors import WordVectors
from tests.conftest import Command
from tests.damage import save_unchecked

ODD = ["tab\tword", "back\\slash", "line\nend", "carriage\r", "o'clock", 'quo"te', "naïve", "\\."]


@pytest.fixture(scope="module")
def odd() -> WordVectors:
    """Words with special characters, and numbers that need all their digits."""
    matrix = np.random.default_rng(1).standard_normal((len(ODD), 3)).astype(np.float32)
    matrix[0] = [1e-30, -1.5e10, 0.1]
    return WordVectors(Vocabulary(ODD, range(len(ODD), 0, -1)), matrix)


def vectors_of(texts: list[str]) -> np.ndarray:
    return np.array([json.loads(text) for text in texts], dtype=np.float32)


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    """A PostgreSQL server with pgvector."""
    pgserver = pytest.importorskip("pgserver", reason="PostgreSQL with pgvector is not installed")
    with tempfile.TemporaryDirectory() as folder:  # one that the server's own user may enter
        server = pgserver.get_server(folder, cleanup_mode="stop")
        yield server
        server.cleanup()


def rows(database: Any, query: str) -> list[list[str]]:
    copied = database.psql(f"COPY ({query}) TO STDOUT (FORMAT csv, DELIMITER '|', QUOTE '^');")
    return [line.split("|") for line in copied.splitlines()]


class TestPostgres:
    def test_queries_return_the_same_neighbors(
        self, database: Any, model: Path, tmp_path: Path
    ) -> None:
        vectors = load(model)
        write(vectors, tmp_path / "words.sql", format="pgvector")
        database.psql((tmp_path / "words.sql").read_text())
        found = rows(database, "SELECT word, count, vector::text FROM words ORDER BY id")
        assert [row[0] for row in found] == list(vectors.vocabulary)
        assert [int(row[1]) for row in found] == vectors.vocabulary.counts.tolist()
        np.testing.assert_array_equal(vectors_of([row[2] for row in found]), vectors.matrix)
        nearest = rows(
            database,
            "SELECT b.word, 1 - (a.vector <=> b.vector) FROM words a, words b "
            "WHERE a.word = 'paris' AND b.word <> 'paris' ORDER BY a.vector <=> b.vector LIMIT 5",
        )
        ours = vectors.neighbors("paris", 5)
        assert [row[0] for row in nearest] == [neighbor.word for neighbor in ours]
        scores = [float(row[1]) for row in nearest]
        np.testing.assert_allclose(scores, [neighbor.score for neighbor in ours], atol=1e-6)
        (index,) = rows(
            database,
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'words' AND indexdef ~ 'hnsw'",
        )
        assert "vector_cosine_ops" in index[0]

    def test_special_characters_are_escaped(
        self, database: Any, odd: WordVectors, tmp_path: Path
    ) -> None:
        write(odd, tmp_path / "odd.sql", format="pgvector", name="odd")
        database.psql((tmp_path / "odd.sql").read_text())
        found = rows(
            database, "SELECT encode(convert_to(word, 'UTF8'), 'hex'), vector::text FROM odd "
            "ORDER BY id"
        )  # fmt: skip
        assert [bytes.fromhex(row[0]).decode() for row in found] == ODD
        np.testing.assert_array_equal(vectors_of([row[1] for row in found]), odd.matrix)


def test_qdrant_client_accepts_every_line(model: Path, odd: WordVectors, tmp_path: Path) -> None:
    qdrant = pytest.importorskip("qdrant_client")
    vectors = load(model)
    for name, found in (("words", vectors), ("odd", odd)):
        path = tmp_path / f"{name}.jsonl"
        write(found, path, format="qdrant", name=name)
        size = qdrant.models.VectorParams(
            size=found.dimension, distance=qdrant.models.Distance.COSINE
        )
        client = qdrant.QdrantClient(":memory:")
        client.create_collection(name, vectors_config=size)
        for line in path.read_text().split("\n")[:-1]:
            body = qdrant.models.PointsList.model_validate_json(line, strict=True)
            client.upsert(name, body.points)
        assert client.count(name).count == len(found)
        points = client.retrieve(name, range(len(found)))
        assert [point.payload["word"] for point in points] == list(found.vocabulary)
        counts = [point.payload["count"] for point in points]
        assert counts == found.vocabulary.counts.tolist()
        answers = client.query_points(name, query=found.matrix[1].tolist(), limit=4).points
        ours = found.neighbors(found.vocabulary[1], 3)
        assert [answer.payload["word"] for answer in answers[1:]] == [n.word for n in ours]
        client.close()


def test_parquet_keeps_every_bit(odd: WordVectors, tmp_path: Path) -> None:
    from pyarrow import parquet

    write(odd, tmp_path / "odd.parquet", format="parquet")
    table = parquet.read_table(tmp_path / "odd.parquet")
    assert table.column_names == ["id", "word", "count", "vector"]
    assert table["id"].to_pylist() == list(range(len(ODD)))
    assert table["word"].to_pylist() == ODD
    assert table["count"].to_pylist() == list(range(len(ODD), 0, -1))
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), odd.matrix)


def test_json_lines_keep_every_bit(odd: WordVectors, tmp_path: Path) -> None:
    import pyarrow.json

    write(odd, tmp_path / "odd.jsonl", format="jsonl")
    table = pyarrow.json.read_json(tmp_path / "odd.jsonl")
    assert table.column_names == ["id", "word", "count", "vector"]
    assert table["word"].to_pylist() == ODD
    assert table["count"].to_pylist() == list(range(len(ODD), 0, -1))
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), odd.matrix)


class TestProjector:
    def test_tensorboard_serves_the_vectors(self, odd: WordVectors, tmp_path: Path) -> None:
        """Ask TensorBoard's plugin what it serves to its page."""
        script = """
import sys, json, numpy as np
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client
class Data:
    def list_runs(self, *_, **__): return []
plugin = ProjectorPlugin(base_plugin.TBContext(logdir=sys.argv[1], data_provider=Data()))
apps = plugin.get_plugin_apps()
def get(route, /, **query):
    answer = Client(apps["/" + route]).get("/", query_string=query)
    assert answer.status_code == 200, answer.data
    return answer.data
(run,) = json.loads(get("runs"))
(tensor,) = json.loads(get("info", run=run))["embeddings"]
name = tensor["tensorName"]
numbers = np.frombuffer(get("tensor", run=run, name=name, num_rows=1000), np.float32)
words = get("metadata", run=run, name=name, num_rows=1000).decode()
print(json.dumps([name, tensor["tensorShape"], numbers.tolist(), words]))
"""
        pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
        write(odd, tmp_path / "logs", format="projector", name="mine")
        done = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "logs"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        name, shape, numbers, words = json.loads(done.stdout.splitlines()[-1])
        assert (name, shape) == ("mine", list(odd.matrix.shape))
        np.testing.assert_array_equal(np.float32(numbers).reshape(shape), odd.matrix)
        head, *lines = words.split("\n")[:-1]
        assert head == "word\tcount"
        shown = [re.sub("[\t\n\r]", " ", word) for word in ODD]
        expected = [f"{word}\t{n}" for word, n in zip(shown, range(len(ODD), 0, -1), strict=True)]
        assert lines == expected

    def test_only_a_projector_folder_is_replaced(self, odd: WordVectors, tmp_path: Path) -> None:
        path = tmp_path / "logs"
        write(odd, path, format="projector")
        with pytest.raises(OutputExistsError, match="Pass --overwrite"):
            write(odd, path, format="projector")
        write(odd, path, format="projector", overwrite=True)
        (path / "mine.txt").write_text("mine")
        with pytest.raises(
            OutputExistsError, match="is not a folder for the projector and was not overwritten"
        ):
            write(odd, path, format="projector", overwrite=True)
        assert (path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "target", [name for name in EXPORT_FORMATS if not FORMATS_INFO[name].is_folder]
)
def test_blocks_are_complete_and_in_order(
    target: str, odd: WordVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small and large blocks contain each word once, in the same order."""
    numbers = {}
    for size in (3, 1000):
        monkeypatch.setattr("embedkit.formats.export._ROWS", size)
        monkeypatch.setattr("embedkit.formats.export._POINTS", size)
        path = tmp_path / f"{size}"
        write(odd, path, format=target)
        if target == "parquet":
            from pyarrow import parquet

            numbers[size] = parquet.read_table(path)["id"].to_pylist()
        else:
            pattern = r'"id":(\d+)' if target in ("qdrant", "jsonl") else r"(?m)^(\d+)\t"
            numbers[size] = [int(n) for n in re.findall(pattern, path.read_text())]
    assert numbers[3] == numbers[1000] == list(range(len(ODD)))


class TestErrors:
    def test_existing_output_is_kept(self, odd: WordVectors, tmp_path: Path) -> None:
        path = tmp_path / "words.sql"
        path.write_text("mine")
        with pytest.raises(OutputExistsError, match=r"words\.sql already exists and was not"):
            write(odd, path, format="pgvector")
        assert path.read_text() == "mine"
        write(odd, path, format="pgvector", overwrite=True)
        assert path.read_text().startswith("BEGIN;")
        (tmp_path / "folder").mkdir()
        with pytest.raises(OutputExistsError):
            write(odd, tmp_path / "folder", format="pgvector", overwrite=True)

    def test_numbers_that_are_not_finite_are_rejected(self, tmp_path: Path) -> None:
        model = save_unchecked(tmp_path / "model", ["a", "b", "c"], [[1, 1], [1, np.nan], [1, 1]])
        with pytest.raises(
            ModelError, match="the vector of 'b' contains numbers that are not finite"
        ):
            write(read(model), tmp_path / "words.jsonl", format="qdrant")
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    def test_one_hot_vectors_are_rejected(self, tmp_path: Path) -> None:
        sparse = OneHotEncoder().fit([["a", "b"]]).vectors()
        with pytest.raises(ConfigurationError, match="one-hot vectors cannot be written"):
            write(sparse, tmp_path / "words.sql", format="pgvector")

    @pytest.mark.parametrize("name", ["", "Words", "1words", "a b", 'x"; DROP TABLE y', "a" * 64])
    def test_invalid_table_names_are_rejected(
        self, name: str, odd: WordVectors, tmp_path: Path
    ) -> None:
        with pytest.raises(ConfigurationError, match="is not a valid table name"):
            write(odd, tmp_path / "words.sql", format="pgvector", name=name)

    def test_missing_parent_is_an_error(self, odd: WordVectors, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match="Create the parent directory first"):
            write(odd, tmp_path / "nowhere" / "words.sql", format="pgvector")


def test_export_command(embedkit: Command, model: Path, tmp_path: Path) -> None:
    done = embedkit("export", "pgvector", "--model", model)
    assert done.returncode == 0, done.stderr
    words, dimension = load(model).matrix.shape
    first, second = done.stdout.splitlines()
    assert first.startswith(f"words.sql: {words:,} words, {dimension:,} dimensions, ")
    assert second == "Load: psql --set ON_ERROR_STOP=1 --file words.sql"
    assert (tmp_path / "words.sql").is_file()
    again = embedkit("export", "pgvector", "--model", model)
    assert again.returncode == 1
    assert "Pass --overwrite" in again.stderr
    facts = json.loads(embedkit("export", "parquet", "--model", model, "--json").stdout)
    assert facts["bytes"] == (tmp_path / "words.parquet").stat().st_size


def test_printed_command_for_qdrant_sends_every_line(
    embedkit: Command, model: Path, tmp_path: Path
) -> None:
    """Replace curl by a script that saves its input."""
    done = embedkit("export", "qdrant", "--model", model, "--name", "mine")
    command = done.stdout.splitlines()[1].removeprefix("Load: ")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "curl").write_text('#!/bin/sh\necho "$*" >> calls\ncat >> sent\n')
    (bin_ / "curl").chmod(0o755)
    subprocess.run(["bash", "-c", f'PATH="{bin_}:$PATH"; {command}'], check=True, cwd=tmp_path)
    assert (tmp_path / "sent").read_bytes() == (tmp_path / "mine.jsonl").read_bytes()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == len((tmp_path / "mine.jsonl").read_text().splitlines())
    assert all(call.endswith("http://localhost:6333/collections/mine/points") for call in calls)
