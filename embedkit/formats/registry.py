"""What formats there are, and what each can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from embedkit.formats import (
    embedkit_directory,
    fasttext,
    model2vec,
    numpy_files,
    safetensors_file,
    text,
    text_layout,
    word2vec_binary,
)
from embedkit.formats.byte_source import Source
from embedkit.formats.repairs import Repairs
from embedkit.vectors.word_vectors import WordVectors

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
    return text_layout.HEADER.match(source.peek(64)) is not None


def _is_text(source: Source) -> bool:
    return text_layout.is_text(source.peek(text_layout.SAMPLE))


FORMATS: Mapping[str, Format] = {
    "embedkit": Format(
        embedkit_directory.is_model, embedkit_directory.read_model_folder, None, (".embedkit", ""),
        embedkit_directory.write_model_folder,
    ),
    "fasttext": Format(fasttext.is_fasttext, fasttext.read_fasttext),
    "npy": Format(numpy_files.is_npy, numpy_files.read_npy, numpy_files.write_npy, (".npy",),
        beside=True, unwritable=_LINES,
    ),
    "npz": Format(numpy_files.is_npz, numpy_files.read_npz, numpy_files.write_npz, (".npz",)),
    "safetensors": Format(
        safetensors_file.is_safetensors, safetensors_file.read_safetensors,
        safetensors_file.write_safetensors, (".safetensors",), beside=True, unwritable=_LINES,
    ),
    "static": Format(
        model2vec.is_static, model2vec.read_static, write_folder=model2vec.write_static,
    ),
    "word2vec-binary": Format(
        lambda source: _has_header(source) and not _is_text(source),
        word2vec_binary.read_word2vec, word2vec_binary.write_word2vec, (".bin",),
        unwritable=_SPACES,
    ),
    "word2vec": Format(
        lambda source: _is_text(source) and text_layout.has_header(source.peek(text_layout.SAMPLE)),
        text.read_text, text.write_text, (".txt", ".vec", ".w2v"), unwritable=_SPACES,
    ),
    "glove": Format(
        _is_text, text.read_glove, text.write_glove, (".glove",), unwritable=_SPACES
    ),
}  # fmt: skip
"""Formats by name, in the order in which they are tried."""
