"""Exports, loaded by what they are for: PostgreSQL with pgvector, Qdrant's client, Parquet."""

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
from embedkit.formats.export import FORMATS, export
from embedkit.vectors.word_vectors import WordVectors
from tests.conftest import Command

ODD = ["tab\tword", "back\\slash", "line\nend", "carriage\r", "o'clock", 'quo"te', "naïve", "\\."]


@pytest.fixture(scope="module")
def odd() -> WordVectors:
    """Words that a careless writer would break on, and numbers that need all their digits."""
    matrix = np.random.default_rng(1).standard_normal((len(ODD), 3)).astype(np.float32)
    matrix[0] = [1e-30, -1.5e10, 0.1]
    return WordVectors(Vocabulary(ODD, range(len(ODD), 0, -1)), matrix)


def vectors_of(texts: list[str]) -> np.ndarray:
    return np.array([json.loads(text) for text in texts], dtype=np.float32)


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    """A PostgreSQL server with pgvector."""
    pgserver = pytest.importorskip("pgserver", reason="PostgreSQL with pgvector is not here")
    with tempfile.TemporaryDirectory() as folder:  # one that the server's own user may enter
        server = pgserver.get_server(folder, cleanup_mode="stop")
        yield server
        server.cleanup()


def rows(database: Any, query: str) -> list[list[str]]:
    copied = database.psql(f"COPY ({query}) TO STDOUT (FORMAT csv, DELIMITER '|', QUOTE '^');")
    return [line.split("|") for line in copied.splitlines()]


class TestPostgres:
    def test_a_model_answers_there_as_it_does_here(
        self, database: Any, model: Path, tmp_path: Path
    ) -> None:
        vectors = load(model)
        export(vectors, tmp_path / "words.sql", "pgvector")
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
        (index,) = rows(database, "SELECT indexdef FROM pg_indexes WHERE indexdef ~ 'hnsw'")
        assert "vector_cosine_ops" in index[0]

    def test_odd_words_arrive_whole(self, database: Any, odd: WordVectors, tmp_path: Path) -> None:
        export(odd, tmp_path / "odd.sql", "pgvector", name="odd")
        database.psql((tmp_path / "odd.sql").read_text())
        found = rows(
            database, "SELECT encode(convert_to(word, 'UTF8'), 'hex'), vector::text FROM odd "
            "ORDER BY id"
        )  # fmt: skip
        assert [bytes.fromhex(row[0]).decode() for row in found] == ODD
        np.testing.assert_array_equal(vectors_of([row[1] for row in found]), odd.matrix)


def test_qdrants_client_takes_every_line(model: Path, odd: WordVectors, tmp_path: Path) -> None:
    qdrant = pytest.importorskip("qdrant_client")
    vectors = load(model)
    for name, found in (("words", vectors), ("odd", odd)):
        path = tmp_path / f"{name}.jsonl"
        export(found, path, "qdrant", name=name)
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


def test_parquet_holds_every_bit(odd: WordVectors, tmp_path: Path) -> None:
    from pyarrow import parquet

    export(odd, tmp_path / "odd.parquet", "parquet")
    table = parquet.read_table(tmp_path / "odd.parquet")
    assert table.column_names == ["id", "word", "count", "vector"]
    assert table["id"].to_pylist() == list(range(len(ODD)))
    assert table["word"].to_pylist() == ODD
    assert table["count"].to_pylist() == list(range(len(ODD), 0, -1))
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), odd.matrix)


def test_lines_hold_every_bit(odd: WordVectors, tmp_path: Path) -> None:
    import pyarrow.json

    export(odd, tmp_path / "odd.jsonl", "jsonl")
    table = pyarrow.json.read_json(tmp_path / "odd.jsonl")
    assert table.column_names == ["id", "word", "count", "vector"]
    assert table["word"].to_pylist() == ODD
    assert table["count"].to_pylist() == list(range(len(ODD), 0, -1))
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), odd.matrix)


class TestProjector:
    def test_tensorboard_serves_it(self, odd: WordVectors, tmp_path: Path) -> None:
        """What TensorBoard's own plugin answers to its page."""
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
        pytest.importorskip("tensorboard", reason="TensorBoard is not here")
        export(odd, tmp_path / "logs", "projector", name="mine")
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

    def test_only_such_a_folder_is_replaced(self, odd: WordVectors, tmp_path: Path) -> None:
        path = tmp_path / "logs"
        export(odd, path, "projector")
        with pytest.raises(OutputExistsError, match="pass --overwrite"):
            export(odd, path, "projector")
        export(odd, path, "projector", overwrite=True)
        (path / "mine.txt").write_text("mine")
        with pytest.raises(OutputExistsError, match="is no folder for the projector and is kept"):
            export(odd, path, "projector", overwrite=True)
        assert (path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("target", [name for name in FORMATS if not FORMATS[name].is_folder])
def test_blocks_join_up(
    target: str, odd: WordVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small blocks and large ones hold the same words, in the same order, once each."""
    numbers = {}
    for size in (3, 1000):
        monkeypatch.setattr("embedkit.formats.export._ROWS", size)
        monkeypatch.setattr("embedkit.formats.export._POINTS", size)
        path = tmp_path / f"{size}"
        export(odd, path, target)
        if target == "parquet":
            from pyarrow import parquet

            numbers[size] = parquet.read_table(path)["id"].to_pylist()
        else:
            pattern = r'"id":(\d+)' if target in ("qdrant", "jsonl") else r"(?m)^(\d+)\t"
            numbers[size] = [int(n) for n in re.findall(pattern, path.read_text())]
    assert numbers[3] == numbers[1000] == list(range(len(ODD)))


class TestRefused:
    def test_what_is_there_is_kept(self, odd: WordVectors, tmp_path: Path) -> None:
        path = tmp_path / "words.sql"
        path.write_text("mine")
        with pytest.raises(OutputExistsError, match=r"words\.sql exists and is kept"):
            export(odd, path, "pgvector")
        assert path.read_text() == "mine"
        export(odd, path, "pgvector", overwrite=True)
        assert path.read_text().startswith("BEGIN;")
        (tmp_path / "folder").mkdir()
        with pytest.raises(OutputExistsError):
            export(odd, tmp_path / "folder", "pgvector", overwrite=True)

    def test_numbers_that_are_none_leave_nothing_behind(self, tmp_path: Path) -> None:
        matrix = np.ones((3, 2), dtype=np.float32)
        matrix[1, 1] = np.nan
        broken = WordVectors(Vocabulary(["a", "b", "c"]), matrix)
        with pytest.raises(ModelError, match="the vector of 'b' holds numbers that are not finite"):
            export(broken, tmp_path / "words.jsonl", "qdrant")
        assert not list(tmp_path.iterdir())

    def test_one_hot(self, tmp_path: Path) -> None:
        sparse = OneHotEncoder().fit([["a", "b"]]).vectors()
        with pytest.raises(ConfigurationError, match="one-hot vectors are not exported"):
            export(sparse, tmp_path / "words.sql", "pgvector")

    @pytest.mark.parametrize("name", ["", "Words", "1words", "a b", 'x"; DROP TABLE y', "a" * 64])
    def test_names_that_are_no_tables(self, name: str, odd: WordVectors, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="is no name for a table"):
            export(odd, tmp_path / "words.sql", "pgvector", name=name)

    def test_a_folder_that_is_not_there(self, odd: WordVectors, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match="make the parent directory first"):
            export(odd, tmp_path / "nowhere" / "words.sql", "pgvector")


def test_the_command(embedkit: Command, model: Path, tmp_path: Path) -> None:
    done = embedkit("export", "pgvector", "--model", model)
    assert done.returncode == 0, done.stderr
    words, dimension = load(model).matrix.shape
    first, second = done.stdout.splitlines()
    assert first.startswith(f"words.sql: {words:,} words, {dimension:,} dimensions, ")
    assert second == "Load: psql --set ON_ERROR_STOP=1 --file words.sql"
    assert (tmp_path / "words.sql").is_file()
    again = embedkit("export", "pgvector", "--model", model)
    assert again.returncode == 1
    assert "pass --overwrite" in again.stderr
    facts = json.loads(embedkit("export", "parquet", "--model", model, "--json").stdout)
    assert facts["bytes"] == (tmp_path / "words.parquet").stat().st_size


def test_the_printed_command_for_qdrant_sends_every_line(
    embedkit: Command, model: Path, tmp_path: Path
) -> None:
    """curl is stood in for by a script that keeps what it is given."""
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
