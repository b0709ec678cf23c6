"""Processes that train together: real ones, started by torchrun, connected by gloo."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.ngrams import word_bytes
from embedkit.encoders import load
from embedkit.evaluation import analogy_accuracy
from embedkit.training.averaging import divisors
from tests.conftest import PAIRS, sentences
from tests.ranks import EMBEDKIT, launched, together, torchrun

CORPORA = Path(__file__).parent.parent.parent / "corpora"
WORLD, ANALOGIES = CORPORA / "world.txt", CORPORA / "analogies.txt"
TRAIN = ["-m", "embedkit", "train", str(WORLD), "--workers", "1"]


def test_changes_of_ranks_are_combined(tmp_path: Path) -> None:
    """Rows: changed by none, by rank 0, by rank 1, by both alike, by both at right angles."""
    found = together(
        """
import numpy as np
import torch
from embedkit.training import averaging
from embedkit.training.averaging import Averaging
averaging._BLOCK_ROWS = 3  # so that the matrices are more than one block

class Matrices:
    pass

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.training.composition import InputRows
from embedkit.training.config import TrainingConfig

engine = Matrices()
engine.rows = InputRows(Vocabulary([f"w{n}" for n in range(5)]), TrainingConfig())
start = np.arange(10, dtype=np.float32).reshape(5, 2)
vectors, context = start + 100 * ranks.rank, start * 0  # the others' start does not count
engine.matrices = torch.from_numpy(vectors), torch.from_numpy(context)
averaging = Averaging(engine, ranks)
vectors[[1, 3] if ranks.rank == 0 else [2, 3]] += 1 + ranks.rank
vectors[4, ranks.rank] += 3
context[[0, 4]] -= 1 + ranks.rank
averaging.synchronize(2)
few = vectors.tolist()
averaging.synchronize(5)
averaging.synchronize(5)  # nothing has changed since
tell(few=few, vectors=vectors.tolist(), context=context.tolist())
""",
        2,
        tmp_path,
    )
    np.testing.assert_array_equal(found[0]["few"], [[0, 1], [3, 4], [4, 5], [7, 8], [11, 9]])
    np.testing.assert_array_equal(found[1]["few"], [[0, 1], [3, 4], [6, 7], [8, 9], [8, 12]])
    assert found[0]["vectors"] == found[1]["vectors"]
    assert found[0]["context"] == found[1]["context"]
    # (1, 1) and (2, 2) sum up to (3, 3): 18 is its squared length, 2 and 8 are theirs.
    both = 3 / (18 / (2 + 8)) ** 0.7
    expected = np.array([[0, 1], [3, 4], [6, 7], [6 + both, 7 + both], [11, 12]])
    np.testing.assert_allclose(found[0]["vectors"], expected, rtol=1e-6)
    expected = np.array([[-both, -both], [0, 0], [0, 0], [0, 0], [-both, -both]])
    np.testing.assert_allclose(found[0]["context"], expected, rtol=1e-6)


def test_equal_changes_of_many_ranks_count_at_most_twice() -> None:
    agreement = torch.tensor([0.0, 0.5, 1.0, 2.0, 8.0, 10.0, 16.0, 64.0])
    expected = [1, 1, 1, 2**0.7, 8**0.7, 10**0.7, 16 / 2, 64 / 2]
    np.testing.assert_allclose(divisors(agreement).numpy(), expected, rtol=1e-6)


@pytest.fixture
def capitals(tmp_path: Path) -> tuple[Path, Path]:
    """A text in two files about capitals and countries, and questions about them."""
    lines = [" ".join(words) + "\n" for words in sentences()]
    (tmp_path / "text").mkdir()
    for number in range(2):
        (tmp_path / "text" / f"{number}.txt").write_text("".join(lines[number::2]))
    questions = [
        f"{' '.join(first)} {' '.join(second)}" for first, second in permutations(PAIRS, 2)
    ]
    (tmp_path / "questions").write_text("\n".join([": capitals", *questions]))
    return tmp_path / "text", tmp_path / "questions"


@pytest.mark.parametrize(
    ("name", "interval"),
    [("capitals", 10_000), pytest.param("world", 100_000, marks=pytest.mark.slow)],
)
def test_two_ranks_learn_as_well_as_one(
    name: str, interval: int, capitals: tuple[Path, Path], tmp_path: Path
) -> None:
    text, questions = (WORLD, ANALOGIES) if name == "world" else capitals
    model = tmp_path / "model"
    log = tmp_path / "log"
    options = ["--workers", 1, "-o", model, "--sync-every", interval, "--log-json", log]
    command = torchrun(2, "-m", "embedkit", "train", text, *options)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    assert len(re.findall(r"words, 100 dimensions", done.stdout)) == 1, "one rank speaks and writes"
    vectors = load(model)
    assert analogy_accuracy(vectors, questions).accuracy >= 0.8
    training = vectors.config["training"]
    assert training["workers"] == 2
    assert training["tokens"] == len(Corpus.read(text).tokens)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    losses = [event["loss"] for event in events if event["event"] == "epoch"]
    assert losses == training["epoch_losses"]
    assert len(losses) == training["epochs"]
    assert not (tmp_path / "model.checkpoint").exists()


def test_rows_of_n_grams_are_combined_with_the_words_that_have_them(tmp_path: Path) -> None:
    """Rows: three words, the n-grams <a, a>, <b, b>, <c, c>, and two position weights."""
    found = together(
        """
import numpy as np
import torch
from embedkit.training.averaging import Averaging
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.training.composition import InputRows
from embedkit.training.config import TrainingConfig

class Matrices:
    pass

engine = Matrices()
engine.rows = InputRows(Vocabulary(["a", "b", "c"]), TrainingConfig(
    min_ngram=2, max_ngram=2, buckets=1_000_000, window=1, architecture="cbow",
    position_weights=True,
))
layout = engine.rows.layout
members = [layout.members[layout.starts[n]:layout.starts[n + 1]].tolist() for n in range(3)]
inputs = np.zeros((engine.rows.count, 2), dtype=np.float32)
engine.matrices = torch.from_numpy(inputs), torch.zeros(3, 2)
averaging = Averaging(engine, ranks)
inputs[:, ranks.rank] += 1
averaging.synchronize(1)
few = inputs.tolist()
averaging.synchronize(3)
tell(members=members, few=few, inputs=inputs.tolist())
""",
        2,
        tmp_path,
    )
    both = [1, 1]  # changes at right angles are added
    for rank in (0, 1):
        inputs, members = np.array(found[rank]["few"]), found[rank]["members"]
        assert all(len(rows) == 3 for rows in members)
        assert (inputs[members[0]] == both).all()
        assert (inputs[-2:] == both).all()
        for rows in members[1:]:
            assert (inputs[rows] == [1 - rank, rank]).all()
        assert (np.array(found[rank]["inputs"]) == both).all()


@pytest.mark.slow
def test_two_ranks_train_subwords(tmp_path: Path) -> None:
    model = tmp_path / "model"
    command = torchrun(
        2, *TRAIN, "-o", model, "--sync-every", 50_000, "--encoder", "subword", "--quiet",
        "--epochs", 10,
    )  # fmt: skip
    subprocess.run(command, check=True)
    vectors = load(model)
    assert analogy_accuracy(vectors, ANALOGIES).accuracy >= 0.5
    subwords = vectors.subwords
    _, reached = subwords.ngrams.of(word_bytes(vectors.vocabulary.words()))
    assert subwords.ids.tolist() == np.unique(reached).tolist()
    # Untrained rows are within 0.5 / dimension, doubled.
    assert np.abs(subwords.rows).max() > 1 / vectors.dimension


def test_ranks_with_unequal_shares_end_epochs_together(tmp_path: Path) -> None:
    """Files of very different sizes, and so many exchanges that a chunk lies between two."""
    text = WORLD.read_text().splitlines(keepends=True)
    (tmp_path / "text").mkdir()
    for number, (start, stop) in enumerate([(0, 1800), (1800, 1806), (1806, 3000), (3000, 3008)]):
        (tmp_path / "text" / f"{number}.txt").write_text("".join(text[start:stop]))
    log = tmp_path / "log"
    options = ["--epochs", 3, "--dimension", 8, "--sync-every", 700, "--log-json", log]
    command = launched(2, EMBEDKIT, "train", tmp_path / "text", "-o", tmp_path / "model", *options)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [1, 2, 3]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("device", "problem"),
    [
        pytest.param("nonsense", "unknown device 'nonsense'", marks=pytest.mark.slow),
        ("cuda", "torch .* found no CUDA device"),
    ],
)
def test_wrong_device_is_reported_before_ranks_connect(
    device: str, problem: str, tmp_path: Path
) -> None:
    options = ["--workers", 1, "-o", tmp_path / "model", "--device", device]
    command = launched(2, EMBEDKIT, "train", WORLD, *options)
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0
    assert re.search(f"Error: {problem}", done.stderr)
    assert "another rank has ended" not in done.stderr


def children(process: subprocess.Popen[str]) -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return sorted(map(int, found))


@pytest.mark.slow
def test_killed_rank_ends_the_job_and_the_checkpoint_is_usable(tmp_path: Path) -> None:
    model = tmp_path / "model"
    options = ["--dimension", 32, "--epochs", 80, "--sync-every", 50_000, "-o", model]
    command = torchrun(2, *TRAIN, *options, "--checkpoint-every", 0.3)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    generations = tmp_path / "model.checkpoint"
    while len(list(generations.glob("0*"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(children(process)[1], signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    # The other rank may see the closed connection first, or the signal of torchrun.
    assert re.search("[Aa]nother rank has ended", said)
    assert re.search("Run the same command with --resume to continue|--resume continues", said)
    assert not model.exists()
    resumed = [*torchrun(2, *TRAIN, *options), "--resume", "--log-json", str(tmp_path / "log")]
    subprocess.run(resumed, check=True, stderr=subprocess.DEVNULL)
    first = json.loads((tmp_path / "log").read_text().splitlines()[0])
    assert first["tokens"] > 439_414 * 2, "it did not begin again"
    assert load(model).config["training"]["epochs"] == 80
    assert not generations.exists()
