"""Questions from standard input."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Command, shell


@pytest.mark.parametrize("command", ["neighbors -", "analogy -", "encode -", "train -"])
def test_closed_standard_input_is_reported(command: str, model: Path, tmp_path: Path) -> None:
    output = f"-o {tmp_path}/new" if command == "train -" else ""
    done = shell(f"{command} {output} <&-", model)
    assert done.returncode == 1
    assert "standard input is closed" in done.stderr


def test_usage_errors_do_not_depend_on_the_source_of_questions(model: Path) -> None:
    for source in ("paris france italy", "- <<< 'paris france italy'"):
        done = shell(f"analogy {source} --method 3cosmul --metric l2", model)
        assert done.returncode == 2
        assert "standard input" not in done.stderr


def test_errors_name_the_line_of_a_question(model: Path) -> None:
    done = shell("neighbors - <<< $'paris\\n\\nnowhere\\nrome'", model)
    assert done.returncode == 1
    assert "standard input, line 3: 'nowhere' is not in the vocabulary" in done.stderr


def test_a_byte_order_mark_is_ignored(embedkit: Command, model: Path) -> None:
    done = embedkit("neighbors", "-", "--model", model, stdin="\ufeffparis\nrome\n")
    assert done.stdout.startswith("paris\n")


def test_errors_name_the_line_and_byte(embedkit: Command, model: Path) -> None:
    done = embedkit("analogy", "-", "--model", model, stdin="paris france italy\nparis france\n")
    assert done.returncode == 1
    assert "standard input, line 2: expected three words" in done.stderr
    done = embedkit("neighbors", "-", "--model", model, stdin="paris\n\nrom\n")
    assert "standard input, line 3: 'rom' is not in the vocabulary" in done.stderr
    done = embedkit("neighbors", "-", "--model", model, stdin=b"paris\nr\xf6me\n")
    assert "standard input, line 2, byte 2: not UTF-8" in done.stderr
    assert "iconv -f latin1 -t utf-8" in done.stderr


def test_the_line_is_that_of_the_whole_word(embedkit: Command, model: Path) -> None:
    done = embedkit("neighbors", "-", "--model", model, stdin="rome\nrom\n")
    assert "standard input, line 2: 'rom' is not" in done.stderr
    done = embedkit("query", "-", "--model", model, stdin="paris - rome\nparis - rom\n")
    assert "standard input, line 2: 'rom' is not" in done.stderr


def test_an_expression_is_shown_with_a_caret(embedkit: Command, model: Path) -> None:
    done = embedkit("query", "-", "--model", model, stdin="paris\nparis + + rome\n")
    assert done.returncode == 1
    expected = "standard input, line 2: expected a word\n  paris + + rome\n          ^\n"
    assert done.stderr == f"Error: {expected}"


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        *((name, "questions") for name in ("neighbors", "analogy", "query", "similarity", "rank")),
        *((name, "questions") for name in ("odd-one-out", "distance", "compare", "encode")),
        ("plot -o a.png", "words"),
    ],
)
def test_empty_standard_input_is_an_error(
    embedkit: Command, model: Path, command: str, kind: str
) -> None:
    for text in ("", "\n \n"):
        done = embedkit(*command.split(), "-", "--model", model, stdin=text)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"Error: standard input has no {kind}.\n" in done.stderr


def test_commas_between_words_are_explained(embedkit: Command, model: Path) -> None:
    for command in ("odd-one-out", "analogy", "rank"):
        done = embedkit(command, "-", "--model", model, stdin="paris,rome,berlin\n")
        assert done.returncode == 1
        assert "got 'paris,rome,berlin'." in done.stderr
        assert "Separate words with spaces or tabs" in done.stderr
