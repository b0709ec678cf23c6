"""The formats of vectors and what can be done with each; imports no numeric library.

`registry.VECTOR_FORMATS` holds the functions that read and write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from embedkit.validation import ERROR_POLICIES

__all__ = [
    "EXPORT_FORMATS",
    "FORMATS_INFO",
    "FORMAT_NAMES",
    "POLICIES",
    "READABLE_FORMATS",
    "WRITABLE_FORMATS",
    "FormatInfo",
]


@dataclass(frozen=True)
class FormatInfo:
    """What can be done with a format.

    Attributes:
        kind: "file"; "folder" of several files; "script" of SQL for a database; "stream" of
            requests to a service, one per line.
        readable: whether vectors can be read from it.
        writable: whether vectors can be written to it.
        suffixes: suffixes of file names that select this format for writing; the first one is the
            default.
        word_list: whether the words are in a separate text file, such as x.words.txt for x.npy.
        load_command: a shell command with {path} and {name} that loads what was written.
    """

    kind: Literal["file", "folder", "script", "stream"] = "file"
    readable: bool = True
    writable: bool = True
    suffixes: tuple[str, ...] = ()
    word_list: bool = False
    load_command: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of several files."""
        return self.kind == "folder"


FORMATS_INFO: Mapping[str, FormatInfo] = {
    "embedkit": FormatInfo("folder", suffixes=(".embedkit", "")),
    "fasttext": FormatInfo(),
    "gensim": FormatInfo(writable=False),
    "npy": FormatInfo(suffixes=(".npy",), word_list=True),
    "npz": FormatInfo(suffixes=(".npz",)),
    "safetensors": FormatInfo(suffixes=(".safetensors",), word_list=True),
    "static": FormatInfo("folder"),
    "word2vec-binary": FormatInfo(suffixes=(".bin",)),
    "word2vec": FormatInfo(suffixes=(".txt", ".vec", ".w2v")),
    "glove": FormatInfo(suffixes=(".glove",)),
    "pgvector": FormatInfo(
        "script",
        readable=False,
        suffixes=(".sql",),
        load_command="psql --set ON_ERROR_STOP=1 --file {path}",
    ),
    "parquet": FormatInfo(readable=False, suffixes=(".parquet",)),
    "jsonl": FormatInfo(readable=False, suffixes=(".jsonl",)),
    "qdrant": FormatInfo(
        "stream",
        readable=False,
        suffixes=(".jsonl",),
        load_command="while read -r points; do curl --fail --silent --show-error --request PUT "
        "--header 'Content-Type: application/json' --data-binary @- "
        'http://localhost:6333/collections/{name}/points <<<"$points"; done < {path}',
    ),
    "projector": FormatInfo(
        "folder",
        readable=False,
        suffixes=("-projector",),
        load_command="tensorboard --logdir {path}",
    ),
}
"""Formats by name. Readable ones are in the order in which detection tries them; where two have
the same suffix, the first one is chosen."""

FORMAT_NAMES = tuple(FORMATS_INFO)
"""Every format."""

READABLE_FORMATS = tuple(name for name, info in FORMATS_INFO.items() if info.readable)
"""The formats that can be read."""

WRITABLE_FORMATS = tuple(name for name, info in FORMATS_INFO.items() if info.writable)
"""The formats that can be written."""

EXPORT_FORMATS = tuple(name for name, info in FORMATS_INFO.items() if not info.readable)
"""The formats that can only be written, for databases and other programs."""

POLICIES = ERROR_POLICIES
"""What to do with a fault in a file. *strict*: raise an error. *replace*: replace bytes that are
not UTF-8 and NUL by U+FFFD, separators within a word by "_" and numbers that are not finite by 0,
and leave out words that cannot be repaired. *skip*: leave out each word that has a fault."""
