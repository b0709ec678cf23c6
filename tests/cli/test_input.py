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
