"""`benchmarking.py`: the tables that people read, and the JSON that programs read."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.scripts.conftest import SCRIPTS

SCRIPT = """
import sys
from benchmarking import Report, option_parser
options = option_parser("Measure something.", model=True).parse_args(sys.argv[1:])
report = Report(options, "two rows")
report.table("rows", {"name": ("what", ""), "seconds": ("s", ".1f")})
report.row(name="a", seconds=1.25, hidden=7)
report.row(name="b")
report.finish()
"""


def run(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True, text=True, check=True, cwd=SCRIPTS,
    ).stdout  # fmt: skip


def test_a_table_for_people() -> None:
    assert (SCRIPTS / "benchmarking.py").is_file()
    head, *table = run().splitlines()
    assert head.endswith("; two rows")
    assert table == ["", "| what | s |", "|---|---:|", "| a | 1.2 |", "| b |  |"]


def test_json_for_programs() -> None:
    results = json.loads(run("--json", "--seed", "3", "--model", "m"))
    assert results["settings"] == {"model": "m", "seed": 3}
    assert results["rows"] == [{"name": "a", "seconds": 1.25, "hidden": 7}, {"name": "b"}]
