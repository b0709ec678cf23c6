"""Memory that is released, measured in a separate process by what Linux reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from embedkit.system.memory import _unmodified_mappings

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc/self/status"
)

RESIDENT = """
import re
from pathlib import Path

def resident(kind):
    status = Path("/proc/self/status").read_text()
    return int(re.search(kind + r":\\s+(\\d+) kB", status)[1]) / 1024
"""


def run(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-c", RESIDENT + script, *map(str, arguments)], check=True)


def test_pages_of_a_memory_map_are_released_and_read_again(tmp_path: Path) -> None:
    run(
        """
import sys
import numpy as np
from embedkit.system.memory import release_pages

np.arange(10_000_000, dtype=np.int32).tofile(sys.argv[1])
array = np.memmap(sys.argv[1], dtype=np.int32, mode="r")
total = array.sum(dtype=np.int64)
full = resident("RssFile")
release_pages(array)
assert full - resident("RssFile") > 35, (full, resident("RssFile"))
assert array.sum(dtype=np.int64) == total == 9_999_999 * 10_000_000 // 2
release_pages(np.zeros(10))
""",
        tmp_path / "numbers",
    )


def test_libraries_are_released_and_still_work() -> None:
    run(
        """
import pyarrow as pa
import pyarrow.compute as pc
from embedkit.system.memory import release_libraries

words = pa.array(["b", "a", "c"] * 1000)
before = pc.value_counts(words).to_pylist()
full = resident("RssFile")
release_libraries("libarrow")
assert full - resident("RssFile") > 10, (full, resident("RssFile"))
assert pc.value_counts(words).to_pylist() == before
""",
    )


def test_freed_heap_is_released() -> None:
    run(
        """
from embedkit.system.memory import release_heap

kept = [bytes(1000) for _ in range(100_000)]
del kept[:-1]  # the last one is at the top of the heap
full = resident("RssAnon")
release_heap()
assert full - resident("RssAnon") > 50, (full, resident("RssAnon"))
""",
    )


def test_only_unmodified_mappings_of_the_libraries_are_found() -> None:
    report = """\
1000-3000 r-xp 00000000 08:01 11 /usr/lib/libarrow.so.1
Size:                  8 kB
Anonymous:             0 kB
3000-4000 r--p 00002000 08:01 11 /usr/lib/libarrow.so.1
Anonymous:             4 kB
4000-5000 rw-p 00003000 08:01 11 /usr/lib/libarrow.so.1
Anonymous:             0 kB
5000-6000 r-xp 00000000 08:01 12 /usr/lib/libm.so.6
Anonymous:             0 kB
a000-b000 r--p 00000000 08:01 13 /usr/lib/libllvmlite.so
Anonymous:             0 kB
"""
    assert [*_unmodified_mappings(report, ("libarrow", "libllvmlite"))] == [
        (0x1000, 0x3000), (0xA000, 0xB000),
    ]  # fmt: skip
