"""The functions that detect, read and write each format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from embedkit.formats import (
    embedkit_directory,
    export,
    fasttext,
    fasttext_layout,
    fasttext_writer,
    gensim_files,
    model2vec,
    numpy_files,
    safetensors_file,
    text,
    text_layout,
    word2vec_binary,
)
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.names import FORMATS_INFO, FormatInfo
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["VECTOR_FORMATS", "VectorFormat"]


@dataclass(frozen=True)
class VectorFormat:
    """The functions of a format of words and vectors.

    Attributes:
        info: what can be done with it.
        detect: recognizes it by the first bytes of a file, or by the files in a folder; None if it
            cannot be read.
        read: reads it, with a limit on the number of words; None if it cannot be read.
        write: writes it to a stream; None if it is a folder or cannot be written.
        write_folder: writes it as a folder; None if it is not a folder.
        forbidden: a regular expression of what a word must not contain, or "".
    """

    info: FormatInfo
    detect: Callable[[ByteSource], bool] | None = None
    read: Callable[[ByteSource, Repairs, int | None], WordVectors] | None = None
    write: Callable[[WordVectors, BinaryIO, WriteOptions], None] | None = None
    write_folder: Callable[[WordVectors, Path, WriteOptions], None] | None = None
    forbidden: str = ""


_LINES = r"[\t\n\r\x00]"
_SPACES = r"[ \t\n\v\f\r\x00]"


def _is_word2vec_binary(source: ByteSource) -> bool:
    return text_layout.HEADER.match(source.peek(64)) is not None and not _is_text(source)


def _is_word2vec(source: ByteSource) -> bool:
    return _is_text(source) and text_layout.has_header(source.peek(text_layout.SAMPLE))


def _is_text(source: ByteSource) -> bool:
    return text_layout.is_text(source.peek(text_layout.SAMPLE))


VECTOR_FORMATS: Mapping[str, VectorFormat] = {
    "embedkit": VectorFormat(
        FORMATS_INFO["embedkit"], embedkit_directory.is_model,
        embedkit_directory.read_model_folder, write_folder=embedkit_directory.write_model_folder,
    ),
    "fasttext": VectorFormat(
        FORMATS_INFO["fasttext"], fasttext_layout.is_fasttext, fasttext.read_fasttext,
        fasttext_writer.write_fasttext, forbidden=r"\x00",
    ),
    "gensim": VectorFormat(
        FORMATS_INFO["gensim"], gensim_files.is_gensim, gensim_files.read_gensim
    ),
    "npy": VectorFormat(
        FORMATS_INFO["npy"], numpy_files.is_npy, numpy_files.read_npy, numpy_files.write_npy,
        forbidden=_LINES,
    ),
    "npz": VectorFormat(
        FORMATS_INFO["npz"], numpy_files.is_npz, numpy_files.read_npz, numpy_files.write_npz
    ),
    "safetensors": VectorFormat(
        FORMATS_INFO["safetensors"], safetensors_file.is_safetensors,
        safetensors_file.read_safetensors, safetensors_file.write_safetensors, forbidden=_LINES,
    ),
    "static": VectorFormat(
        FORMATS_INFO["static"], model2vec.is_static, model2vec.read_static,
        write_folder=model2vec.write_static,
    ),
    "word2vec-binary": VectorFormat(
        FORMATS_INFO["word2vec-binary"], _is_word2vec_binary, word2vec_binary.read_word2vec,
        word2vec_binary.write_word2vec, forbidden=_SPACES,
    ),
    "word2vec": VectorFormat(
        FORMATS_INFO["word2vec"], _is_word2vec, text.read_text, text.write_text, forbidden=_SPACES
    ),
    "glove": VectorFormat(
        FORMATS_INFO["glove"], _is_text, text.read_glove, text.write_glove, forbidden=_SPACES
    ),
    "pgvector": VectorFormat(FORMATS_INFO["pgvector"], write=export.write_pgvector),
    "parquet": VectorFormat(FORMATS_INFO["parquet"], write=export.write_parquet),
    "jsonl": VectorFormat(FORMATS_INFO["jsonl"], write=export.write_jsonl),
    "qdrant": VectorFormat(FORMATS_INFO["qdrant"], write=export.write_qdrant),
    "projector": VectorFormat(FORMATS_INFO["projector"], write_folder=export.write_projector),
}  # fmt: skip
"""Formats by name, in the order of `names.FORMATS_INFO`."""
