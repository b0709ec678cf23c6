"""The scripts that measure, on tiny input.

bench_peers.py is a part of bench, bench_peer_tasks.py one of bench_tasks.py, bench_node_vectors.py
one of bench_walks, bench_classify_tasks.py one of bench_classify, and bench_service_fairness.py one
of bench_service.
"""

from __future__ import annotations

import json
import lzma
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.scripts.conftest import SCRIPTS, load_script
from tests.service.page.browser import find_chromium

pytest.importorskip("gensim", reason="gensim is not installed (it comes with the extra 'dev')")
RunJson = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_bench(run_json: RunJson, corpus: Path, analogies: Path, similarity: Path) -> None:
    results = run_json(
        "bench", corpus, "--analogies", analogies, "--similarity", similarity, "--dimension", 8,
        "--epochs", 1, "--workers", 1, "--starts", 1,
    )  # fmt: skip
    assert {row["tool"] for row in results["training"]} == {"embedkit", "gensim"}
    assert 0 <= results["quality"]["embedkit"]["analogies"] <= 1
    figures = [row["figure"] for row in results["table"]]
    assert "analogies, 30,000 words" in figures
    assert "one question in a new process, s" in figures


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "kind",
    [
        ["--encoder", "subword", "--rare"],
        ["--architecture", "cbow"],
        ["--encoder", "subword", "--architecture", "cbow", "--negative", 5],
    ],
)
@pytest.mark.slow
def test_bench_beside_peers(kind: list[str], run_json: RunJson, similarity: Path) -> None:
    pytest.importorskip("fasttext", reason="fastText is not installed")
    results = run_json(
        "bench", SCRIPTS.parent / "corpora" / "world.txt", *kind, "--similarity", similarity,
        "--dimension", 4, "--epochs", 1, "--workers", 1,
    )  # fmt: skip
    assert [row["tool"] for row in results["table"]] == ["embedkit", "gensim", "fasttext"]
    assert all(row["speed"] > 0 and row["memory"] > 1 for row in results["table"])
    if "--rare" in kind:
        assert all(0 <= row["rare_recall"] <= 1 for row in results["table"])
        assert all(row["rare_words"] > 0 for row in results["table"])


@pytest.mark.slow
def test_bench_ngrams(run_json: RunJson, similarity: Path) -> None:
    results = run_json(
        "bench_ngrams", SCRIPTS.parent / "corpora" / "world.txt", "--similarity", similarity,
        "--buckets", 1_000, "--prune", 500, "--held", 50, "--dimension", 4, "--epochs", 1,
        "--workers", 1,
    )  # fmt: skip
    models = [(row["storage"], row["rows"]) for row in results["models"]]
    assert models == [("float32", 1_000), ("float32", 500), ("int8", 1_000), ("int8", 500)]
    # A row of 4 numbers takes 4 or 1 bytes each; the scale of an int8 row and the number of its
    # bucket take 4 bytes each.
    assert [row["ngram_mb"] for row in results["models"]] == [0.02, 0.01, 0.012, 0.006]
    assert all(0 <= row["rare_recall"] <= 1 for row in results["models"])
    assert all(row["rare_words"] == 50 for row in results["models"])


@pytest.mark.parametrize("task", ["ceiling", "embedkit-read", "gensim-ask"])
def test_bench_tasks(task: str, run_script: Any, model: Path, corpus: Path, tmp_path: Path) -> None:
    """The tasks that `scripts/bench` does not run, and one that it does."""
    if task == "gensim-ask":
        import embedkit
        from embedkit.formats import write

        write(embedkit.load(model), tmp_path / "vectors.bin")
        arguments = [tmp_path / "vectors.bin", "paris", "france", "italy"]
    else:
        arguments = [model, 1e-4] if task == "ceiling" else [corpus]
    done = run_script("bench_tasks.py", task, *arguments)
    assert json.loads(done.stdout.splitlines()[-1])["peak_mb"] > 1


def test_bench_analogies(run_json: RunJson, model: Path, analogies: Path) -> None:
    results = run_json("bench_analogies", analogies, "--model", model)
    capitals, mean = results["relations"]
    assert (capitals["relation"], capitals["pairs"]) == ("capitals", 4)
    assert {"3cosadd", "3cosmul", "pairdirection", "3cosavg", "lrcos"} <= capitals.keys()
    assert mean["3cosadd"] == capitals["3cosadd"]


def test_bench_features(run_json: RunJson, model: Path, corpus: Path) -> None:
    results = run_json(
        "bench_features", corpus, "--model", model, "--sentences", 50, "--words", 4, "--repeat", 1
    )
    assert len(results["candidates"]) == 7
    assert all(row["per_second"] > 0 for row in results["candidates"])


@pytest.mark.slow
def test_bench_formats(run_json: RunJson) -> None:
    results = run_json("bench_formats", "--words", 50, "--dimension", 4)
    names = [row["task"] for row in results["tasks"]]
    assert names == ["reading text", "reading binary", "writing text", "writing binary"]


@pytest.mark.slow
def test_bench_index(run_json: RunJson) -> None:
    results = run_json(
        "bench_index", "--words", 3_000, "--dimension", 8, "--questions", 4, "--sample", 2,
        "--repeat", 1,
    )  # fmt: skip
    assert len(results["cold"]) == 4
    assert len(results["batch"]) == 2
    assert {"flat", "hnsw"} & {row["kind"] for row in results["indexes"]}


@pytest.mark.slow
def test_bench_phrases(run_json: RunJson, corpus: Path) -> None:
    results = run_json("bench_phrases", corpus)
    assert results["same_output"]
    assert [row["name"] for row in results["libraries"]] == ["embedkit", "gensim"]


@pytest.mark.slow
def test_bench_counting(run_json: RunJson) -> None:
    results = run_json("bench_counting", "--tokens", 400_000, "--keep", 50, "--memory", "32M")
    rows = results["counting"]
    assert [row["name"] for row in rows] == ["embedkit"] * 3 + ["gensim"] * 2
    assert [row["exact"] for row in rows[:4]] == [1, 1, 1, 1]
    assert rows[0]["kept"] == rows[3]["kept"] > 200_000
    assert rows[1]["kept"] == (32 << 20) // 384
    assert rows[2]["kept"] == 50


def test_bench_counting_beside_another_text(run_json: RunJson, corpus: Path) -> None:
    sizes = ("--tokens", 4_000, "--memory", "32M")
    [row] = run_json("bench_counting", *sizes, "--also", corpus, "--times", 3)["counting"]
    assert row["name"] == "embedkit"
    assert row["kept"] > 2_000
    assert row["exact"] == 1


@pytest.mark.slow
def test_bench_walks(run_json: RunJson) -> None:
    results = run_json(
        "bench_walks", "--nodes", 20, "--edges", 40, "--walks", 2, "--length", 6, "--biases", "1,2",
        "--block-nodes", 200, "--block-edges", 2_000, "--blocks", 2, "--dimension", 8,
        "--within", 0.9, "--epochs", 20,
    )  # fmt: skip
    assert [row["kind"] for row in results["walks"]] == ["unweighted", "weighted"]
    assert [row["q"] for row in results["walks"]] == [2, 2]
    assert next(row["name"] for row in results["vectors"]) == "embedkit"
    assert all(row["accuracy"] > 0.9 for row in results["vectors"])


@pytest.mark.slow
def test_simulate_ranks(run_json: RunJson, similarity: Path) -> None:
    corpora = SCRIPTS.parent / "corpora"  # every rank needs half a megabyte of text
    results = run_json(
        "simulate_ranks", corpora / "world.txt", "--ranks", 1, 2, "--sync-every", 100_000,
        "--epochs", 1, "--dimension", 8, "--speed", 1e6, "--similarity", similarity,
        "--analogies", corpora / "analogies.txt",
    )  # fmt: skip
    one, two = results["ranks"]
    assert one["bytes_per_word"] == 0 < two["bytes_per_word"]
    assert 0 <= two["analogies"] <= 1


@pytest.fixture
def trec(tmp_path: Path) -> Path:
    """The folder EMBEDKIT_SHARED with a few questions in TREC's format."""
    (tmp_path / "evaluation").mkdir()
    questions = [
        "LOC:city Where is paris ?", "HUM:ind Who is mayor1 of rome ?",
        "LOC:other Where is border1 ?", "HUM:ind Who saw mayor2 ?",
    ] * 8  # fmt: skip
    for part in ("train", "test"):
        (tmp_path / "evaluation" / f"trec-{part}.txt").write_text("\n".join(questions) + "\n")
    return tmp_path


@pytest.mark.slow
def test_bench_trec(run_json: RunJson, trec: Path, model: Path) -> None:
    results = run_json("bench_trec", "--model", model, "--repeat", 1, EMBEDKIT_SHARED=str(trec))
    accuracies = {row["method"]: row["accuracy"] for row in results["methods"]}
    assert accuracies["rules"] == 1
    assert accuracies["skip-gram, mean"] > 0.5


@pytest.mark.slow
def test_bench_classify(run_json: RunJson, trec: Path, model: Path) -> None:
    questions = trec / "evaluation" / "trec-test.txt"
    lines = questions.read_text().splitlines()
    questions.write_text("\n".join(["HUM:ind Where is paris ?", *lines[1:4]]) + "\n")
    results = run_json(
        "bench_classify", "--model", model, "--sets", "TREC", EMBEDKIT_SHARED=str(trec)
    )
    accuracies = {row["method"]: row["accuracy"] for row in results["accuracy"]}
    assert accuracies["embedkit"] == accuracies["scikit-learn"] == 3 / 4  # one label is wrong
    assert {row.get("difference") for row in results["accuracy"]} == {None, 0.0}


def test_bench_classify_scores_the_half_that_chose_no_settings(
    monkeypatch: pytest.MonkeyPatch, trec: Path
) -> None:
    monkeypatch.setenv("EMBEDKIT_SHARED", str(trec))
    texts = [f"{number % 2} text {number}" for number in range(11)]
    (trec / "evaluation" / "subj.txt").write_text("\n".join(texts) + "\n")
    script = load_script("bench_classify")
    folds = script.splits("subjectivity", 2, 1)
    found = sorted(text for _, test in folds for text in test.texts)
    first_half = np.random.default_rng(0).permutation(11)[:5]
    assert found == sorted(f"text {n}" for n in range(11) if n not in first_half)


@pytest.mark.slow
def test_bench_classify_times_each_method(run_json: RunJson, model: Path, tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    random = Random(1)
    words = [random.choice(["the", "of", "and", "in", "a", "b", "c"]) for _ in range(6_000)]
    text = lzma.compress(" ".join(words).encode())
    (tmp_path / "corpora" / "wiki-dev.txt.xz").write_bytes(text)
    results = run_json(
        "bench_classify", "--speed", "--model", model, "--texts", 50, "--repeat", 1,
        EMBEDKIT_SHARED=str(tmp_path),
    )  # fmt: skip
    assert {row["texts"] for row in results["speed"]} == {50}
    assert all(0 < row["accuracy"] < 1 and row["training"] > 0 for row in results["speed"])


@pytest.mark.slow
def test_bench_trec_draws_a_plot(run_json: RunJson, trec: Path, model: Path) -> None:
    results = run_json(
        "bench_trec", "--model", model, "--plot", trec / "labels.png", "--labels", 20,
        "--splits", 1, EMBEDKIT_SHARED=str(trec),
    )  # fmt: skip
    assert len(results["fewer_labels"]) >= 4
    assert (trec / "labels.png").read_bytes().startswith(b"\x89PNG")


def test_bench_trec_without_data_says_where_to_put_it(run_script: Any, tmp_path: Path) -> None:
    done = run_script("bench_trec", status=1, EMBEDKIT_SHARED=str(tmp_path))
    assert "trec-train.txt does not exist. Set EMBEDKIT_SHARED" in done.stderr


@pytest.fixture
def articles(trec: Path) -> Path:
    """The folder of `trec` with a few articles, too."""
    bodies = [
        f"Title\nThe capital is {city} with mayor{n}. Here {city} and border{n} are."
        for n, city in enumerate(["Paris", "Rome", "Madrid", "Berlin"])
    ]
    (trec / "corpora").mkdir()
    text = "\n\n".join(bodies).encode()
    (trec / "corpora" / "wiki-raw.txt.xz").write_bytes(lzma.compress(text))
    return trec


def test_bench_search(run_json: RunJson, articles: Path, model: Path) -> None:
    results = run_json(
        "bench_search", "--model", model, "--documents", 1200, "--questions", 5,
        "--kinds", "ivfpq", EMBEDKIT_SHARED=str(articles),
    )  # fmt: skip
    flat, compressed = results["speed"]
    assert (flat["kind"], flat["recall"], compressed["kind"]) == ("flat", 1, "ivfpq")
    assert 0.5 < compressed["recall"] <= 1
    ndcg = {(row["task"], row["way"]): row["ndcg"] for row in results["quality"]}
    assert ndcg["Wikipedia", "BM25"] == 1
    assert len(ndcg) == 8


def test_bench_search_compares_weights(run_json: RunJson, articles: Path, model: Path) -> None:
    results = run_json("bench_search", "--model", model, "--choose", EMBEDKIT_SHARED=str(articles))
    assert len(results["weights"]) == 24


def test_bench_search_scores_like_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    ndcg = load_script("bench_search").ndcg
    found, relevant = [3, 1, 4, 15, 9, 2, 6], frozenset({1, 9, 6, 2})
    gains = [[float(number in relevant) for number in found]]
    ours = ndcg(found, relevant, 5)
    assert ours == pytest.approx(ndcg_score(gains, [list(range(7, 0, -1))], k=5))
    assert ndcg([], relevant) == 0


WRK = """#!{python}
import json, os, sys
from urllib.request import Request, urlopen

bodies = open(os.environ["BODIES"]).read().splitlines()
for body in bodies[:3]:
    headers = {{"Content-Type": "application/json"}}
    with urlopen(Request(sys.argv[-1], body.encode(), headers)) as answer:
        assert json.load(answer)
figures = {{"requests": 3, "microseconds": 1000, "p50": 1, "p99": 2, "errors": 0}}
print("RESULT", json.dumps(figures))
"""


@pytest.fixture
def wrk(tmp_path: Path) -> Path:
    """A folder with a wrk that sends three requests: the real one is rarely installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "wrk").write_text(WRK.format(python=sys.executable))
    (folder / "wrk").chmod(0o755)
    return folder


@pytest.mark.slow
def test_bench_service(run_json: RunJson, model: Path, wrk: Path) -> None:
    """Runs `bench_service_peer.py`, too."""
    assert (SCRIPTS / "bench_service_peer.py").is_file()
    results = run_json(
        "bench_service", "--model", model, "--seconds", 1, "--connections", 2,
        "--memory-words", 100, "--rounds", 2, "--loads", "tables",
        PATH=f"{wrk}:{os.environ['PATH']}",
    )  # fmt: skip
    assert [row["errors"] for row in results["services"]] == [0] * 4
    assert results["batch"] >= 1
    assert len(results["memory"]["private_mb"]) == 3
    fairness = results["fairness"]
    assert {row["load"] for row in fairness} == {"tables"}
    assert all(row["alone"] > 0 and row["refused"] >= 0 for row in fairness)
    assert len(fairness) == 21


def test_bench_service_without_wrk_says_how_to_install_it(
    run_script: Any, model: Path, tmp_path: Path
) -> None:
    done = run_script("bench_service", "--model", model, status=1, PATH=str(tmp_path))
    assert "apt-get install wrk" in done.stderr


@pytest.fixture
def service(model: Path) -> Any:
    """The address of a service with the model of the tests."""
    with load_script("bench_service").serve_embedkit(model, 1) as (url, _):
        yield url


@pytest.mark.slow
def test_bench_page(run_json: RunJson, service: str, tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="playwright is not installed")
    find_chromium()
    picture = tmp_path / "page.png"
    results = run_json("bench_page", f"{service}/", "--seconds", 0.2, "--picture", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(results["views"]) == 6
    assert all(row["points"] > 0 for row in results["views"])
