"""Models of model2vec and of sentence-transformers' StaticEmbedding.

They turn a text into the mean of its tokens' vectors.

folder/
  model.safetensors   "embeddings" (V, d); "embedding.weight" by sentence-transformers;
                      "mapping" (tokens,), the row of each token, if tokens share rows;
                      "weights" (tokens,), a factor for each token
  tokenizer.json      a Hugging Face tokenizer whose ids are the rows, or indices of "mapping"
  config.json         for model2vec
  modules.json        for sentence-transformers
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from embedkit.corpus.arrow_strings import byte_strings
from embedkit.corpus.tokenizers import normalize, tokenize
from embedkit.errors import counted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.numpy_files import read_matrix
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs
from embedkit.formats.safetensors_file import read_tensors
from embedkit.storage.tensors import write_tensors
from embedkit.system.files import atomic_directory, check_replaceable
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["is_static", "read_static", "write_static"]

_TENSORS, _TOKENIZER = "model.safetensors", "tokenizer.json"
_MODULES = "modules.json"
_DOWNLOAD_AGAIN = "Download the model again."
_NAMES = ("embeddings", "embedding.weight")
_UNKNOWN = "[UNK]"
_LARGEST_JSON = 1 << 30
# A word of embedkit's tokenizer, which may contain apostrophes and hyphens.
_WORD = r"[\p{L}\p{M}\p{N}_]+(?:['-][\p{L}\p{M}\p{N}_]+)*"


def is_static(source: ByteSource) -> bool:
    """Tell whether the path is such a model."""
    return source.is_folder and _model_folder(source.path) is not None


def _model_folder(path: Path) -> Path | None:
    for folder in (path, path / "0_StaticEmbedding"):
        if (folder / _TENSORS).is_file() and (folder / _TOKENIZER).is_file():
            return folder
    return None


def read_static(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read the tokens and their rows.

    Raises:
        FormatError: a file is damaged, or they do not match; see `RowBuilder`.
    """
    folder = _model_folder(source.path)
    if folder is None:
        raise repairs.error(
            "", f"it does not contain {_TENSORS} and {_TOKENIZER}", "Pass a model2vec model."
        )
    _check_modules(source.path, repairs)
    tensors = read_tensors(folder / _TENSORS, repairs, _NAMES, ("mapping", "weights"))
    matrix, mapping, weights = (tensors.get(name) for name in ("matrix", "mapping", "weights"))
    tokens = _tokens(folder / _TOKENIZER, repairs)
    ids = np.array([row for row in sorted(tokens) if tokens[row] != _UNKNOWN], dtype=np.int64)
    if matrix is None or matrix.ndim != 2 or matrix.dtype.kind not in "fiu":
        raise repairs.error(_TENSORS, "its embeddings are not a matrix of numbers", _DOWNLOAD_AGAIN)
    for name, part in (("mapping", mapping), ("weights", weights)):
        if part is not None and (part.size <= ids.max(initial=-1) or part.dtype.kind not in "fiu"):
            raise repairs.error(
                _TENSORS,
                f"its {name} has {counted(part.size, 'number')} for "
                f"{counted(len(tokens), 'token')}",
                _DOWNLOAD_AGAIN,
            )
    rows = ids if mapping is None else mapping.ravel()[ids].astype(np.int64)
    inside = (rows >= 0) & (rows < len(matrix))
    if not inside.all() or (mapping is None and len(ids) < len(matrix) - 1):
        raise repairs.error(
            _TOKENIZER,
            f"{counted(len(tokens), 'token')} for {counted(len(matrix), 'row')}",
            _DOWNLOAD_AGAIN,
        )
    vectors = matrix[rows].astype(np.float32)
    if weights is not None:
        vectors *= weights.ravel()[ids].astype(np.float32)[:, None]
    words = byte_strings([tokens[row].encode(errors="surrogatepass") for row in ids.tolist()])
    return read_matrix(words, vectors, None, repairs, limit)


def _check_modules(path: Path, repairs: Repairs) -> None:
    """Check that sentence-transformers only averages the tokens' vectors and normalizes the mean.

    Raises:
        FormatError: its list of modules is damaged, or contains another module and the policy is
            "strict".
    """
    if not (path / _MODULES).is_file():
        return
    kinds = [str(module["type"]).rpartition(".")[2] for module in _json(path / _MODULES, repairs)]
    repairs.refuse_parts([kind for kind in kinds if kind not in ("StaticEmbedding", "Normalize")])


def _json(path: Path, repairs: Repairs) -> Any:
    """Return the content of a JSON file.

    Raises:
        FormatError: it is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            return json.loads(file.read(_LARGEST_JSON))
    except (OSError, ValueError, RecursionError) as error:
        raise repairs.error(
            path.name, f"it cannot be read ({error!r:.60})", _DOWNLOAD_AGAIN
        ) from error


def _tokens(path: Path, repairs: Repairs) -> dict[int, str]:
    """Return the tokens of a WordLevel, WordPiece, BPE or Unigram vocabulary, by id."""
    tokenizer = _json(path, repairs)
    try:
        vocabulary = tokenizer["model"]["vocab"]
        pairs: Iterable[tuple[str, int]] = (
            vocabulary.items()
            if isinstance(vocabulary, dict)
            else ((piece[0], row) for row, piece in enumerate(vocabulary))
        )
        found = {int(row): str(token) for token, row in pairs}
        added = {int(token["id"]): str(token["content"]) for token in tokenizer["added_tokens"]}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise repairs.error(
            _TOKENIZER, f"it has no readable vocabulary ({error!r:.60})", _DOWNLOAD_AGAIN
        ) from error
    return {**found, **added}


def write_static(vectors: WordVectors, path: Path, options: WriteOptions) -> None:
    """Write a folder that model2vec's StaticModel and sentence-transformers load.

    Unknown words have the last row, which is zero: they change the length of the mean vector, not
    its direction. Texts are split as by `embedkit.tokenize` if that leaves every word whole, and at
    white space otherwise.

    Raises:
        OutputExistsError: the path exists and is not such a folder, or must not be overwritten.
        StorageError: the disk is full, or the path is not writable.
    """
    check_replaceable(path, lambda folder: _model_folder(folder) is not None, "a static model")
    words = vectors.vocabulary.words()
    with atomic_directory(path, overwrite=options.overwrite) as folder:
        zeros = np.zeros((1, vectors.dimension), dtype=np.float32)
        write_tensors(folder / _TENSORS, {"embeddings": np.concatenate([vectors.matrix, zeros])})
        texts: dict[str, object] = {
            _TOKENIZER: _tokenizer(words),
            "config.json": {
                "model_type": "model2vec",
                "architectures": ["StaticModel"],
                "hidden_dim": vectors.dimension,
                "normalize": False,
            },
            _MODULES: [
                {
                    "idx": 0, "name": "0", "path": ".",
                    "type": "sentence_transformers.models.StaticEmbedding",
                }
            ],
        }  # fmt: skip
        for name, content in texts.items():
            text = json.dumps(content, ensure_ascii=False)
            (folder / name).write_text(text, encoding="utf-8")


def _tokenizer(words: list[str]) -> dict[str, object]:
    vocabulary = {word: row for row, word in enumerate(words)}
    vocabulary.setdefault(_UNKNOWN, len(words))
    lowercase = all(normalize(word) == word for word in words)
    own_words = lowercase and all(tokenize(word) == [word] for word in words)
    split = {
        "type": "Split", "pattern": {"Regex": _WORD}, "behavior": "Removed", "invert": True,
    }  # fmt: skip
    unknown = {
        "id": vocabulary[_UNKNOWN], "content": _UNKNOWN, "single_word": False, "lstrip": False,
        "rstrip": False, "normalized": False, "special": True,
    }  # fmt: skip
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [unknown],
        "normalizer": {
            "type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}],
        } if lowercase else None,
        "pre_tokenizer": split if own_words else {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": _UNKNOWN},
    }  # fmt: skip
