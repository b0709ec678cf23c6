"""index.faiss in a model directory: used, damaged, stale, and interrupted while it is built."""

from __future__ import annotations

import json
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder, load
from embedkit.errors import ConfigurationError, ModelError, StaleIndexWarning
from embedkit.index.approximate import ApproximateIndex
from embedkit.storage.index_file import drop_index, vectors_to_index
from embedkit.storage.model_directory import read_model
from embedkit.vectors.word_vectors import WordVectors
from tests.conftest import Command
from tests.index.test_approximate import clustered


def save(path: Path, rows: np.ndarray) -> Path:
    WordVectors(Vocabulary([f"w{n}" for n in range(len(rows))]), rows).save(path, overwrite=True)
    return path


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = save(tmp_path_factory.mktemp("index") / "m.embedkit", clustered())
    subprocess.run(
        [sys.executable, "-m", "embedkit", "index", "build", "--model", path], check=True
    )
    return path


@pytest.fixture
def copied(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(indexed, tmp_path / "m.embedkit"))


def test_searches_use_the_index_unless_exact(indexed: Path) -> None:
    vectors, exact = load(indexed), load(indexed, exact=True)
    assert isinstance(vectors.search.index("cosine"), ApproximateIndex)
    assert not isinstance(vectors.search.index("l2"), ApproximateIndex)
    assert not isinstance(exact.search.index("cosine"), ApproximateIndex)
    assert not isinstance(vectors.search.index("cosine", 2_000), ApproximateIndex)
    questions = [("w1", "w2", f"w{n}") for n in range(3, 60)]
    shared = 0
    for question, found, true in zip(
        questions, vectors.analogies(questions), exact.analogies(questions), strict=True
    ):
        assert not {word for word, _ in found} & set(question)
        assert len(found) == 10
        shared += len(set(found) & set(true))  # words and scores alike
    assert shared / 570 > 0.9
    assert vectors.analogies(questions[:5], restrict=500) == exact.analogies(
        questions[:5], restrict=500
    )


def test_pickle_opens_the_same_index(indexed: Path) -> None:
    again = pickle.loads(pickle.dumps(load(indexed)))
    assert isinstance(again.search.index("cosine"), ApproximateIndex)


def test_dropping_an_index_changes_nothing_else(copied: Path) -> None:
    before = read_model(copied)
    assert drop_index(copied)
    after = read_model(copied)
    assert (after.fingerprint, after.config) == (before.fingerprint, before.config)
    assert sorted(path.name for path in copied.iterdir()) == [
        "config.json", "vectors.safetensors", "vocabulary.arrow",
    ]  # fmt: skip
    assert not drop_index(copied)
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


@pytest.mark.parametrize("place", [0, 40, 1_000, -1])
def test_damaged_index_is_an_error(copied: Path, place: int) -> None:
    data = bytearray((copied / "index.faiss").read_bytes())
    data[place] ^= 0x40
    (copied / "index.faiss").write_bytes(data)
    with pytest.raises(ModelError, match=r"index\.faiss is damaged.*index build.*--exact"):
        load(copied).neighbors("w1")
    assert len(load(copied, exact=True).neighbors("w1")) == 10


def test_index_cut_short_is_an_error(copied: Path) -> None:
    data = (copied / "index.faiss").read_bytes()
    (copied / "index.faiss").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load(copied).neighbors("w1")


@pytest.mark.parametrize(
    "change", [{"settings": 3}, {"settings": {"kind": "lsh"}}, {"bytes": "many"}, {"crc32": None}]
)
def test_damaged_settings_are_an_error(copied: Path, change: dict[str, object]) -> None:
    config = json.loads((copied / "config.json").read_text())
    config["index"] |= change
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="damaged"):
        load(copied).neighbors("w1")


def test_index_of_other_vectors_is_ignored(copied: Path) -> None:
    index = (copied / "index.faiss").read_bytes()
    entry = json.loads((copied / "config.json").read_text())["index"]
    save(copied, clustered()[::-1])  # trained again
    assert not (copied / "index.faiss").exists()
    (copied / "index.faiss").write_bytes(index)
    with pytest.warns(StaleIndexWarning, match=r"other vectors.*index build"):
        found = load(copied).neighbors("w1")
    assert found == load(copied, exact=True).neighbors("w1")
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "index": entry}))
    with pytest.warns(StaleIndexWarning, match="other vectors"):
        load(copied).neighbors("w1")


def test_missing_index_is_a_warning(copied: Path) -> None:
    (copied / "index.faiss").unlink()
    with pytest.warns(StaleIndexWarning, match="missing"):
        assert len(load(copied).neighbors("w1")) == 10


def test_sparse_vectors_have_no_index(tmp_path: Path) -> None:
    OneHotEncoder().fit([["a", "b", "c"]] * 9).save(tmp_path / "o.embedkit")
    with pytest.raises(ConfigurationError, match=r"no dense vectors.*onehot"):
        vectors_to_index(read_model(tmp_path / "o.embedkit"), "cosine")


@pytest.mark.parametrize("seconds", [0.8, 1.4, 2.0])
def test_killed_while_building_leaves_a_complete_model(tmp_path: Path, seconds: float) -> None:
    path = save(tmp_path / "m.embedkit", clustered(40_000))
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    building = subprocess.Popen(
        [sys.executable, "-m", "embedkit", "index", "build", "--model", path, "--quiet"],
        stdout=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    building.send_signal(signal.SIGKILL)
    building.wait()
    after = {file.name: file.read_bytes() for file in path.iterdir()}
    if after.keys() == before.keys():
        assert after == before
    assert len(load(path).neighbors("w1")) == 10


def test_command_line(copied: Path, embedkit: Command) -> None:
    done = embedkit("index", "compare", "--model", copied, "--json", "--questions", 50)
    tables = json.loads(done.stdout)["indexes"]
    assert [table["kind"] for table in tables] == ["flat", "hnsw", "ivf", "ivfpq", "pq"]
    assert tables[0]["recall_at_10"] == 1
    assert all(table["recall_at_10"] > 0.8 and table["together_per_second"] > 0 for table in tables)
    assert (
        json.loads(embedkit("info", "--model", copied, "--json").stdout)["index"]["kind"] == "hnsw"
    )
    done = embedkit("index", "build", "--kind", "ivf", "--metric", "l2", "--model", copied)
    assert "searches by l2 use the index" in done.stdout
    index = copied / "index.faiss"
    assert f"{index.stat().st_size / 1e6:.1f}" in done.stdout
    index.write_bytes(b"")
    done = embedkit("neighbors", "w1", "--metric", "l2", "--model", copied)
    assert (done.returncode, done.stdout) == (1, "")
    assert "damaged" in done.stderr
    assert (
        embedkit("neighbors", "w1", "--model", copied, "--metric", "l2", "--exact").returncode == 0
    )
    assert "removed the index" in embedkit("index", "drop", "--model", copied).stdout
    index.write_bytes(b"left")
    done = embedkit("neighbors", "w1", "--model", copied)
    assert done.stderr.startswith("Warning: ")
    assert done.returncode == 0
    done = embedkit("index", "build", "--kind", "flat", "--model", copied, "--json")
    built = json.loads(done.stdout)
    assert built["model"] == str(copied)
    assert [one["recall_at_10"] for one in built["indexes"]] == [1]
    assert not index.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--kind", "ivf", "--m", 4), "--m cannot be used with --kind ivf."),
        (("--nprobe", 4, "--pq-m", 2), "--nprobe, --pq-m cannot be used with --kind hnsw."),
        (("--kind", "flat", "--ef-search", 16), "--ef-search cannot be used with --kind flat."),
        (("--kind", "ivf", "--nlist", 0), "'--nlist': must be between 1 and 2,147,483,647, got 0."),
        (("--kind", "ivfpq", "--pq-m", 0), "'--pq-m': must be between 1 and 2,147,483,647, got 0."),
        (("--m", 99_999_999), "m must be an integer between 2 and 512, got 99999999"),
        (("--seed", 10**26), "seed must be an integer between 0 and 2,147,483,647"),
        (("--questions", 10**26), "'--questions': must be between 1 and 1,000,000, got 100,"),
    ],
)
def test_invalid_index_options_are_rejected(
    options: tuple[object, ...], message: str, copied: Path, embedkit: Command
) -> None:
    before = (copied / "index.faiss").read_bytes()
    done = embedkit("index", "build", "--model", copied, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert (copied / "index.faiss").read_bytes() == before
