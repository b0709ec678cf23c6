"""The lists of formats, which import nothing heavy."""

from __future__ import annotations

import subprocess
import sys

from embedkit.formats.names import (
    EXPORT_FORMATS,
    FORMAT_NAMES,
    FORMATS_INFO,
    POLICIES,
    READABLE_FORMATS,
    WRITABLE_FORMATS,
)


def test_every_format_can_be_read_or_written() -> None:
    assert {*READABLE_FORMATS} | {*WRITABLE_FORMATS} == {*FORMAT_NAMES}
    assert {*READABLE_FORMATS} - {*WRITABLE_FORMATS} == {"gensim"}
    assert {*WRITABLE_FORMATS} - {*READABLE_FORMATS} == {*EXPORT_FORMATS}
    assert {*EXPORT_FORMATS} == {"pgvector", "parquet", "jsonl", "qdrant", "projector"}


def test_kinds_of_formats() -> None:
    kinds = {name: info.kind for name, info in FORMATS_INFO.items() if info.kind != "file"}
    assert kinds == {
        "embedkit": "folder", "static": "folder", "projector": "folder", "pgvector": "script",
        "qdrant": "stream",
    }  # fmt: skip
    assert all(info.is_folder == (info.kind == "folder") for info in FORMATS_INFO.values())


def test_policies() -> None:
    assert POLICIES == ("strict", "replace", "skip")


def test_names_import_no_numeric_library() -> None:
    script = "import sys, embedkit.formats.names; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.decode().split()}
    assert not {"numpy", "pyarrow", "scipy", "faiss", "torch", "safetensors"} & loaded
