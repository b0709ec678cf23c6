"""Answers, maps and programs taken from the page."""

from __future__ import annotations

import csv
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import embedkit
from tests.service.page.browser import QUESTION, type_anew

SVG = "{http://www.w3.org/2000/svg}"


def saved(page: Any, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.locator(button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def copied(page: Any, button: str) -> str:
    page.locator(button).click()
    page.locator(button).get_by_text("Copied").wait_for()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_answers_maps_and_programs_are_exported(page: Any, model: Path, tmp_path: Path) -> None:
    expected = embedkit.load(model).query(QUESTION, 10)
    page.locator(".more summary").first.click()
    with saved(page, "#export-csv", tmp_path).open(newline="") as lines:
        rows = [*csv.reader(lines)]
    assert rows[0] == ["rank", "word", "score"]
    assert [(word, round(float(score), 6)) for _, word, score in rows[1:]] == [
        (word, round(score, 6)) for word, score in expected
    ]

    picture = ET.parse(saved(page, "#export-svg", tmp_path)).getroot()
    words = {one.text for one in picture.iter(f"{SVG}text")}
    assert {"paris", "france", "italy", "rome"} <= words
    assert len([*picture.iter(f"{SVG}circle")]) > 10
    assert saved(page, "#export-png", tmp_path).read_bytes().startswith(b"\x89PNG")

    program = tmp_path / "ask.py"
    program.write_text(copied(page, "#copy-python"))
    shell = copied(page, "#copy-curl")
    for command in ([sys.executable, str(program)], ["bash", "-c", shell]):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.index("rome") < done.stdout.index(expected[1].word)


def test_only_answers_to_the_present_question_are_exported(page: Any) -> None:
    buttons = [page.locator(f"#{name}") for name in ("export-csv", "copy-curl", "copy-python")]
    page.locator(".more summary").first.click()
    assert all(button.is_enabled() for button in buttons)
    type_anew(page, "parris")
    page.keyboard.press("Enter")
    page.locator("#problem button").first.wait_for()
    assert all(button.is_disabled() for button in buttons)
    type_anew(page, "rome")
    page.locator("#copy-curl:enabled").wait_for()
    assert '"expression":"rome"' in copied(page, "#copy-curl")
    type_anew(page, " ")
    page.locator("#copy-curl:disabled").wait_for()


def test_no_cell_of_the_answers_is_a_formula(page: Any) -> None:
    page.locator(".more summary").first.click()
    text = page.evaluate(
        """async () => (await import("./page/export.js")).asCsv(
            ["=1+1", "+a", "-b", "@c", "a-b"].map((word) => ({ word, score: 1 })))"""
    )
    assert [row[1] for row in csv.reader(text.splitlines())] == [
        "word", "'=1+1", "'+a", "'-b", "'@c", "a-b",
    ]  # fmt: skip
