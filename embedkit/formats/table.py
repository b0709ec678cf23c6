"""What formats there are, and what each can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from embedkit.formats import arrays, fasttext, folders, layout, static, tensors, text, word2vec
from embedkit.formats.repairs import Repairs
from embedkit.formats.source import Source
from embedkit.vectors import WordVectors

__all__ = ["FORMATS", "Format", "Progress"]

Progress: TypeAlias = Callable[[int], None]


@dataclass(frozen=True)
class Format:
    """A way to lay out words and vectors.

    Attributes:
        detect: tells it by the first bytes.
        read: reads a file of it.
        write: writes to a stream, or None where it is only read or a folder.
        suffixes: of names of such files.
        write_folder: writes a folder, or None.
        beside: whether a list of the words lies beside the file: x.words.txt.
        unwritable: a pattern of what a word must not hold.
    """

    detect: Callable[[Source], bool]
    read: Callable[[Source, Repairs, int | None], WordVectors]
    write: Callable[[WordVectors, BinaryIO, Progress], None] | None = None
    suffixes: tuple[str, ...] = ()
    write_folder: Callable[..., None] | None = None
    beside: bool = False
    unwritable: str = ""


_LINES = r"[\t\n\r\x00]"
_SPACES = r"[ \t\n\v\f\r\x00]"


def _has_header(source: Source) -> bool:
    return layout.HEADER.match(source.peek(64)) is not None


def _is_text(source: Source) -> bool:
    return layout.is_text(source.peek(layout.SAMPLE))


FORMATS: Mapping[str, Format] = {
    "embedkit": Format(
        folders.is_model, folders.read_model_folder, None, (".embedkit", ""),
        folders.write_model_folder,
    ),
    "fasttext": Format(fasttext.is_fasttext, fasttext.read_fasttext),
    "npy": Format(arrays.is_npy, arrays.read_npy, arrays.write_npy, (".npy",), beside=True,
        unwritable=_LINES,
    ),
    "npz": Format(arrays.is_npz, arrays.read_npz, arrays.write_npz, (".npz",)),
    "safetensors": Format(
        tensors.is_safetensors, tensors.read_safetensors, tensors.write_safetensors,
        (".safetensors",), beside=True, unwritable=_LINES,
    ),
    "static": Format(
        static.is_static, static.read_static, write_folder=static.write_static,
    ),
    "word2vec-binary": Format(
        lambda source: _has_header(source) and not _is_text(source),
        word2vec.read_word2vec, word2vec.write_word2vec, (".bin",), unwritable=_SPACES,
    ),
    "word2vec": Format(
        lambda source: _is_text(source) and layout.has_header(source.peek(layout.SAMPLE)),
        text.read_text, text.write_text, (".txt", ".vec", ".w2v"), unwritable=_SPACES,
    ),
    "glove": Format(
        _is_text, text.read_glove, text.write_glove, (".glove",), unwritable=_SPACES
    ),
}  # fmt: skip
"""Formats by name, in the order in which they are tried."""
