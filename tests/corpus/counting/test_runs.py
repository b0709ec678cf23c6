"""Runs of words on disk: full and damaged disks, and many runs."""

from __future__ import annotations

import errno
import tempfile
import tracemalloc
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np
import pytest

from embedkit.corpus import token_ids
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting import runs
from embedkit.corpus.counting.blocks import encode_sentences
from embedkit.corpus.counting.limits import CountingLimits
from embedkit.corpus.counting.table import WordTable
from embedkit.errors import StorageError
from embedkit.system.ranks import SingleProcess


class SmallDisk:
    """In place of the module `tempfile`: files on a disk with room for *size* bytes each."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.files: list[IO[bytes]] = []

    def TemporaryFile(self, **options: Any) -> IO[bytes]:  # noqa: N802 - the name in `tempfile`
        file = tempfile.TemporaryFile(**options)  # noqa: SIM115
        room, write = self.size, file.write

        def limited(data: Any) -> int:
            nonlocal room
            room -= memoryview(data).nbytes
            if room < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(data)

        wrapper = tempfile._TemporaryFileWrapper(file, "", delete=False)
        wrapper.write = limited
        self.files.append(wrapper)
        return wrapper


@pytest.mark.parametrize(
    ("module", "size", "spills"),
    [(runs, 600_000, "some"), (token_ids, 120_000 * 4 - 1, "some"), (token_ids, 500_000, "all")],
    ids=["a run", "the ids", "the numbering of the ids"],
)
def test_full_disk_while_counting_leaves_nothing_behind(
    text: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    little_memory: CountingLimits,
    module: ModuleType,
    size: int,
    spills: str,
) -> None:
    steps: list[str] = []
    spill, number = token_ids.TokenIdWriter._spill, runs.CountRuns.most_frequent

    def spilling(writer: token_ids.TokenIdWriter) -> None:
        spill(writer)
        steps.append("spilled")

    def numbering(*given: Any) -> runs.Kept:
        steps.append("counted")
        return number(*given)

    monkeypatch.setattr(token_ids.TokenIdWriter, "_spill", spilling)
    monkeypatch.setattr(runs.CountRuns, "most_frequent", numbering)
    disk = SmallDisk(size)
    monkeypatch.setattr(module, "tempfile", disk)
    with pytest.raises(StorageError, match="No space left on device; nothing was written") as error:
        Corpus.read(text, limits=little_memory, directory=tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "--temporary-directory" in error.value.hint
    assert "spilled" in steps
    assert ("counted" in steps) is (spills == "all")
    assert disk.files
    assert all(file.closed for file in disk.files)
    assert not [*tmp_path.iterdir()]


def table_of(words: list[str]) -> WordTable:
    table = WordTable()
    table.add(encode_sentences([words], 500).words)
    return table


def test_many_runs_take_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    original = runs.CountRuns._words

    def words(self: runs.CountRuns, run: int, partition: int) -> Any:
        read.append(run)
        return original(self, run, partition)

    monkeypatch.setattr(runs.CountRuns, "_words", words)
    table = table_of([f"word{number}" for number in range(1_000)])
    with closing(runs.CountRuns(tmp_path)) as written:
        written.add(table)
        tracemalloc.start()
        try:
            for _ in range(19):
                written.add(table)
            package = tracemalloc.Filter(True, f"{Path(runs.__file__).parents[2]}/*")
            held = tracemalloc.take_snapshot().filter_traces([package])  # not of other threads
            assert sum(trace.size for trace in held.traces) < 20_000
        finally:
            tracemalloc.stop()
        found = written._of_all_ranks(3, SingleProcess())
        assert [len(read) for _ in found] == [*range(1, 21)]  # one run at a time is in memory
        kept = written.most_frequent(10, SingleProcess())
    assert kept.distinct == 1_000
    assert kept.words.counts.tolist() == [20] * 10


def test_places_of_a_million_runs_differ() -> None:
    """A word's place orders words by rank, then run, then number."""
    assert runs._RANK_BITS - runs._RUN_BITS == 20
    last = ((1 << 12) - 1 << runs._RANK_BITS) + ((1 << 20) - 1 << runs._RUN_BITS) + (1 << 31) - 1
    assert last == np.iinfo(np.int64).max


def test_truncated_temporary_file_is_an_error(tmp_path: Path) -> None:
    with closing(runs.CountRuns(tmp_path)) as written:
        written.add(table_of(["one", "two"]))
        written._file.truncate(40)
        with pytest.raises(OSError, match="shorter than what was written") as error:
            written.most_frequent(10, SingleProcess())
        assert error.value.errno == errno.EIO
