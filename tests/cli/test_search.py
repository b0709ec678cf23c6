"""search: build, ask, add, delete and info."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Command

DOCUMENTS = """{"id": "p", "text": "Paris mayor0", "year": 2001}
{"id": "r", "text": "Rome mayor1"}
{"id": "f", "text": "France border1"}
"""


@pytest.fixture
def built(embedkit: Command, tmp_path: Path, model: Path) -> Command:
    (tmp_path / "docs.jsonl").write_text(DOCUMENTS)
    done = embedkit("search", "build", "docs.jsonl", "--model", model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("docs.index: 3 documents, 3 passages, ")
    assert 'Try: embedkit search ask docs.index "your question"' in done.stdout
    return embedkit


def test_ask(built: Command) -> None:
    done = built("search", "ask", "docs.index", "mayor0", "-k", "1")
    assert done.returncode == 0
    rank, *rest = done.stdout.splitlines()
    assert rank.split()[:2] == ["1", "p"]
    assert rest == ["      Paris mayor0", "      year: 2001"]


def test_ask_prints_json(built: Command) -> None:
    done = built("search", "ask", "docs.index", "rome", "mayor1", "--json", "--method", "bm25")
    answer = json.loads(done.stdout)
    assert answer["question"] == "rome mayor1"
    (found,) = answer["answers"]
    score = found.pop("score")
    assert score > 0
    assert found == {"id": "r", "text": "Rome mayor1", "fields": {}, "span": [0, 11]}


def test_ask_a_batch(built: Command) -> None:
    done = built("search", "ask", "docs.index", "-", "-k", "1", stdin="rome\n\nunknown\nfrance\n")
    blocks = [block.splitlines() for block in done.stdout.split("\n\n")]
    assert [block[0] for block in blocks] == ["rome", "unknown", "france"]
    assert [len(block) for block in blocks] == [3, 1, 3]
    lines = built("search", "ask", "docs.index", "-", "--json", stdin="rome\nfrance\n").stdout
    assert [json.loads(line)["question"] for line in lines.splitlines()] == ["rome", "france"]


def test_a_question_without_an_answer(built: Command) -> None:
    done = built("search", "ask", "docs.index", "unknown")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No document has a word of the question" in done.stderr


def test_add_and_delete(built: Command, tmp_path: Path) -> None:
    (tmp_path / "more.tsv").write_text("id\ttext\nb\tBerlin\n")
    done = built("search", "add", "docs.index", "more.tsv")
    assert done.stdout.startswith("docs.index: 4 documents, 4 passages, ")
    assert built("search", "ask", "docs.index", "berlin", "-k", "1").stdout.split()[1] == "b"
    again = built("search", "add", "docs.index", "more.tsv")
    assert again.returncode == 1
    assert "more.tsv, line 2: the id 'b' is already in the index." in again.stderr
    assert built("search", "delete", "docs.index", "b").stdout == "docs.index: 3 documents\n"
    done = built("search", "delete", "docs.index", "-", "--json", stdin="p\nr\n")
    assert json.loads(done.stdout) == {"index": "docs.index", "documents": 1}
    failed = built("search", "delete", "docs.index", "x")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "docs.index has no document 'x'." in failed.stderr


def test_info(built: Command) -> None:
    text = built("search", "info", "docs.index").stdout
    assert "documents    3\n" in text
    assert "  pooling    sif\n" in text
    facts = json.loads(built("search", "info", "docs.index", "--json").stdout)
    assert facts["documents"] == facts["passages"] == 3
    assert facts["settings"]["passage"] == 200


def test_bad_documents_stop_or_are_left_out(embedkit: Command, tmp_path: Path, model: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "paris"}\n{"text": ""}\n{"text": 3}\nno\n')
    build = ("search", "build", "bad.jsonl", "--model", model)
    done = embedkit(*build)
    assert done.returncode == 1
    assert "bad.jsonl, line 2: the text is empty." in done.stderr
    assert not (tmp_path / "docs.index").exists()
    done = embedkit(*build, "--errors", "skip")
    assert done.stdout.startswith("docs.index: 1 document, ")
    assert "Left out 3 of the documents: bad.jsonl, line 2: the text is empty; " in done.stderr


def test_columns_and_a_folder(embedkit: Command, tmp_path: Path, model: Path) -> None:
    (tmp_path / "t.csv").write_text('key,body\n7,"Paris, France"\n')
    options = ("--model", model, "--text", "body", "--id", "key", "-o", "t.index", "--quiet")
    assert embedkit("search", "build", "t.csv", *options).stdout == ""
    assert embedkit("search", "ask", "t.index", "paris").stdout.split()[1] == "7"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("Rome")
    embedkit("search", "build", "folder", "--model", model, "-o", "f.index")
    assert embedkit("search", "ask", "f.index", "rome").stdout.split()[1] == "a.txt"


def test_standard_input(embedkit: Command, model: Path) -> None:
    done = embedkit("search", "build", "-", "--model", model, stdin=DOCUMENTS)
    assert done.stdout.startswith("docs.index: 3 documents")


def test_wrong_settings_name_their_option(embedkit: Command, model: Path) -> None:
    arguments = ("search", "build", "-", "--model", model, "--passage", "10", "--overlap", "5")
    done = embedkit(*arguments, stdin=DOCUMENTS)
    assert done.returncode == 2
    assert "the overlap, 5, must be less than half of a passage of 10 words." in done.stderr
    arguments = ("search", "build", "-", "--model", model, "--pooling", "tfidf", "--sif-a", "1")
    done = embedkit(*arguments, stdin=DOCUMENTS)
    assert done.returncode == 2
    assert "--sif-a cannot be used with --pooling tfidf" in done.stderr
    missing = embedkit("search", "ask", "nothing.index", "paris")
    assert missing.returncode == 1
    assert "there is no search index at nothing.index." in missing.stderr


def test_the_overlap_is_a_quarter_of_a_passage(embedkit: Command, model: Path) -> None:
    embedkit("search", "build", "-", "--model", model, "--passage", "10", stdin=DOCUMENTS)
    settings = json.loads(embedkit("search", "info", "docs.index", "--json").stdout)["settings"]
    assert (settings["passage"], settings["overlap"]) == (10, 2)


def test_an_index_is_not_built_over_its_documents(
    embedkit: Command, tmp_path: Path, model: Path
) -> None:
    (tmp_path / "docs.jsonl").write_text(DOCUMENTS)
    done = embedkit("search", "build", "docs.jsonl", "--model", model, "-o", "docs.jsonl")
    assert done.returncode == 2
    assert "docs.jsonl is an input" in done.stderr
