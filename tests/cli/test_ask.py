"""analogy, query, neighbors, distance, compare, encode, info as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import embedkit as library

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_analogy_prints_the_question_and_ranked_answers(embedkit: Command, model: Path) -> None:
    done = embedkit("analogy", "paris", "france", "italy", "-k", 3, "--model", model)
    assert done.returncode == 0
    first, *answers = rows(done.stdout)
    assert first == ["paris", "-", "france", "+", "italy"]
    assert [row[0] for row in answers] == ["1", "2", "3"]
    assert answers[0][1] == "rome"
    scores = [float(row[2]) for row in answers]
    assert scores == sorted(scores, reverse=True)


def test_answers_are_those_of_the_library(embedkit: Command, model: Path) -> None:
    vectors = library.load(model)
    for method in ("3cosadd", "3cosmul"):
        done = embedkit(
            "analogy", "paris", "france", "spain", "--method", method, "--json", "--model", model
        )
        found = json.loads(done.stdout)
        assert found["question"] == "paris - france + spain"
        expected = vectors.analogy("paris", "france", "spain", method=method)
        assert [answer["word"] for answer in found["answers"]] == [n.word for n in expected]
        scores = [answer["score"] for answer in found["answers"]]
        assert scores == pytest.approx([n.score for n in expected], abs=1e-6)


def test_model_is_found_by_the_environment(
    embedkit: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert embedkit("neighbors", "paris").returncode == 1
    done = subprocess.run(
        [sys.executable, "-m", "embedkit", "neighbors", "paris", "-k", "1"],
        env={"EMBEDKIT_MODEL": str(model), "PATH": ""},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.startswith("paris\n   1  ")


def test_questions_from_standard_input_are_a_batch(embedkit: Command, model: Path) -> None:
    lines = "paris france italy\n\nparis france germany\n"
    done = embedkit("analogy", "-", "-k", 1, "--model", model, stdin=lines)
    assert [row[1] for row in rows(done.stdout) if row and row[0] == "1"] == ["rome", "berlin"]
    done = embedkit(
        "query", "-", "--json", "-k", 1, "--model", model, stdin="paris - france + spain"
    )
    assert json.loads(done.stdout)["answers"][0]["word"] == "madrid"
    done = embedkit("neighbors", "-", "-k", 2, "--model", model, stdin="paris\nrome\n")
    assert [row for row in rows(done.stdout) if len(row) == 1] == [["paris"], ["rome"]]
    assert embedkit("neighbors", "-", "--model", model).stdout == ""


def test_a_bad_line_is_named(embedkit: Command, model: Path) -> None:
    done = embedkit("analogy", "-", "--model", model, stdin="paris france italy\nparis france\n")
    assert done.returncode == 1
    assert "standard input, line 2: expected three words" in done.stderr
    done = embedkit("neighbors", "-", "--model", model, stdin="paris\n\nrom\n")
    assert "standard input, line 3: 'rom' is not in the vocabulary" in done.stderr
    done = embedkit("neighbors", "-", "--model", model, stdin=b"paris\nr\xf6me\n")
    assert "standard input, line 2, byte 2: not UTF-8" in done.stderr


def test_unknown_word_is_named_with_near_spellings(embedkit: Command, model: Path) -> None:
    done = embedkit("analogy", "pariss", "france", "italy", "--model", model)
    assert done.returncode == 1
    assert "'pariss' is not in the vocabulary. Did you mean paris" in done.stderr
    assert "Traceback" not in done.stderr


def test_case_is_forgiven_in_questions(embedkit: Command, model: Path) -> None:
    done = embedkit("neighbors", "Paris", "-k", 1, "--model", model)
    assert done.returncode == 0


def test_expression_error_has_a_caret_and_is_wrong_usage(embedkit: Command, model: Path) -> None:
    done = embedkit("query", "paris - (france", "--model", model)
    assert done.returncode == 2
    message, expression, caret = done.stderr.splitlines()
    assert "is not closed" in message
    assert expression.strip() == "paris - (france"
    assert caret.index("^") - 2 == len("paris - (france")


@pytest.mark.parametrize(
    "arguments",
    [
        ["analogy", "paris", "france"],
        ["analogy", "paris", "france", "italy", "-k", "0"],
        ["neighbors"],
        ["distance", "a", "--metric", "cosinus"],
        ["unknown"],
        ["evaluate"],
        ["train", "x.txt", "--window", "99"],
        ["train", "x.txt", "--encoder", "onehot", "--window", "3"],
    ],
)
def test_wrong_usage_is_exit_code_2(inside: Command, arguments: list[str]) -> None:
    done = inside(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_distance_needs_no_model_for_character_codes(embedkit: Command) -> None:
    done = embedkit("distance", "cat", "bat", "paw", "--encoder", "charcode", "--json")
    table = np.array(json.loads(done.stdout)["table"])
    expected = [[0, 1, 178**0.5], [1, 0, 205**0.5], [178**0.5, 205**0.5, 0]]
    np.testing.assert_allclose(table, expected)
    text = embedkit("distance", "cat", "paw", "--encoder", "charcode").stdout
    assert "13.3417" in text
    one_hot = embedkit("distance", "cat", "paw", "--encoder", "onehot", "--json").stdout
    assert json.loads(one_hot)["table"][0][1] == pytest.approx(2**0.5)


def test_distance_by_the_model(embedkit: Command, model: Path) -> None:
    vectors = library.load(model)
    for metric in ("l2", "cosine", "dot"):
        done = embedkit("distance", "paris", "rome", "--metric", metric, "--json", "--model", model)
        expected = vectors.distance(["paris", "rome"], metric=metric)
        np.testing.assert_allclose(json.loads(done.stdout)["table"], expected)


def test_another_encoder_over_the_models_words(embedkit: Command, model: Path) -> None:
    done = embedkit(
        "neighbors", "paris", "--encoder", "charcode", "--metric", "l2", "-k", 1, "--model", model
    )
    assert done.returncode == 0
    done = embedkit("neighbors", "paris", "--encoder", "onehot", "--metric", "l2", "--model", model)
    assert {row[2] for row in rows(done.stdout)[1:]} == {"1.4142"}


def test_compare_shows_three_tables(embedkit: Command, model: Path) -> None:
    done = embedkit("compare", "paris", "rome", "--model", model)
    assert [line.split(":")[0] for line in done.stdout.splitlines() if ": " in line] == [
        "Character codes", "One-hot", "Skip-gram",
    ]  # fmt: skip
    tables = json.loads(embedkit("compare", "paris", "rome", "--model", model, "--json").stdout)
    assert set(tables["tables"]) == {"charcode", "onehot", "skipgram"}
    without = embedkit("compare", "cat", "bat")
    assert without.returncode == 0
    assert "no skip-gram model at model.embedkit" in without.stdout


def test_encode_prints_vectors(embedkit: Command, model: Path) -> None:
    vector = library.load(model)["paris"]
    word, *numbers = embedkit("encode", "paris", "--model", model).stdout.split()
    assert word == "paris"
    np.testing.assert_allclose([float(n) for n in numbers], vector, rtol=1e-4)
    done = embedkit("encode", "rome", "paris", "--encoder", "onehot", "--json", "--model", model)
    places = [json.loads(line)["index"] for line in done.stdout.splitlines()]
    assert places == list(library.load(model).vocabulary.ids(["rome", "paris"]))


def test_info_tells_what_a_model_is(embedkit: Command, model: Path) -> None:
    facts = json.loads(embedkit("info", "--model", model, "--json").stdout)
    assert facts["encoder"] == "skipgram"
    assert facts["words"] == len(library.load(model))
    assert facts["dimension"] == 24
    assert facts["settings"]["epochs"] == 10
    assert facts["bytes"] == sum(path.stat().st_size for path in model.iterdir())
    assert "skipgram" in embedkit("info", "--model", model).stdout


def test_evaluate_scores_analogies(embedkit: Command, model: Path, tmp_path: Path) -> None:
    questions = tmp_path / "q.txt"
    questions.write_text(
        ": capitals\nfrance paris italy rome\nfrance paris germany berlin\n"
        "france paris italy madrid\nfrance paris narnia rome\n"
    )
    done = embedkit("evaluate", "--analogies", questions, "--json", "--model", model)
    scores = json.loads(done.stdout)[str(questions)]
    total = {name: scores["total"][name] for name in ("correct", "asked", "skipped", "coverage")}
    assert total == {"correct": 2, "asked": 3, "skipped": 1, "coverage": 0.75}
    assert "66.7%" in embedkit("evaluate", "--analogies", questions, "--model", model).stdout
    questions.write_text("too few words\n")
    done = embedkit("evaluate", "--analogies", questions, "--model", model)
    assert (done.returncode, "line 1: expected four words" in done.stderr) == (1, True)


def test_a_closed_pipe_is_no_traceback(model: Path) -> None:
    command = f"{sys.executable} -m embedkit encode - --model {model} | head -c 1"
    words = "paris\n" * 5_000
    done = subprocess.run(
        ["bash", "-c", command], input=words, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from embedkit.cli.app import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "assert result.exit_code == 0, result\n"
        "heavy = {'numpy', 'torch', 'faiss', 'numba', 'pyarrow', 'scipy', 'sklearn', 'tqdm'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_question_loads_no_trainer(model: Path) -> None:
    code = (
        "import sys, embedkit\n"
        f"embedkit.load({str(model)!r}).analogy('paris', 'france', 'italy')\n"
        "print(sorted({'torch', 'numba', 'sklearn', 'scipy', 'tqdm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
