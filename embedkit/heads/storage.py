"""A network on disk: a directory, written atomically, without pickle.

classifier.head/
  config.json           format version, kind, settings, and other results of `fit`
  network.safetensors   "weights.0" (inputs, outputs), "biases.0" (outputs,), ...; float32
  vocabulary.arrow      with `finetune`: the terms; their vectors are "embeddings" (V, d); the
                        n-grams of other words are in "ngrams" and "buckets", as in a model
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ModelError
from embedkit.heads.network import ACTIVATIONS, Network
from embedkit.storage import config_file
from embedkit.storage.config_file import CONFIG, RESTORE_HINT
from embedkit.storage.model_directory import replaced_directory
from embedkit.storage.tensors import read_tensors, write_tensors
from embedkit.vectors.subwords import Subwords, stored_subwords

if TYPE_CHECKING:
    from embedkit.heads.terms import TermBags

__all__ = [
    "FORMAT",
    "StoredTerms",
    "read_config",
    "read_network",
    "write_config",
    "write_network",
]

FORMAT = 1
"""Version of the directory layout; newer ones cannot be read."""

_DTYPES = {"ngrams": ("F32", "F16", "I8"), "buckets": ("I32",)}
_TENSORS, _VOCABULARY = "network.safetensors", "vocabulary.arrow"


def write_network(
    path: Path,
    config: Mapping[str, object],
    network: Network,
    terms: TermBags | None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a network to a directory, atomically.

    Args:
        path: the directory; its parent must exist.
        config: JSON values, with the key "kind".
        network: the network.
        terms: the V terms of the network's embeddings, if it has any.
        overwrite: replace an existing directory of this kind.

    Raises:
        OutputExistsError: the directory exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.
    """
    path = Path(os.path.realpath(path))
    tensors: dict[str, NDArray[Any]] = {}
    for number, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        tensors |= {f"weights.{number}": weights, f"biases.{number}": biases}
    if network.embeddings is not None:
        tensors["embeddings"] = network.embeddings
    head: dict[str, object] = {"layers": len(network.weights), "activation": network.activation}
    if terms is not None and isinstance(terms.subwords, Subwords):
        tensors |= terms.subwords.tensors
        head["subwords"] = terms.subwords.config
    with replaced_directory(path, overwrite=overwrite) as folder:
        write_tensors(folder / _TENSORS, tensors)
        if terms is not None:
            terms.vocabulary.save(folder / _VOCABULARY)
        write_config(folder / CONFIG, {**config, **head})


class StoredTerms(NamedTuple):
    """The terms of a network, and the n-grams that vectors of other words are composed of."""

    vocabulary: Vocabulary
    subwords: Subwords | None


def read_network(path: Path, kind: str) -> tuple[dict[str, Any], Network, StoredTerms | None]:
    """Return the config, network and terms that `write_network` wrote.

    Raises:
        ModelError: the directory is missing, damaged, too new, or of another kind.
    """
    config = read_config(path / CONFIG, kind)
    tensors = read_tensors(path / _TENSORS, _DTYPES)
    try:
        layers = range(int(config["layers"]))
        network = Network(
            tuple(tensors[f"weights.{layer}"] for layer in layers),
            tuple(tensors[f"biases.{layer}"] for layer in layers),
            str(config["activation"]),
            tensors.get("embeddings"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is incomplete: {error} is missing.", hint=RESTORE_HINT) from error
    vocabulary = None
    if network.embeddings is not None:
        if not (path / _VOCABULARY).is_file():
            raise ModelError(f"{path} is incomplete: {_VOCABULARY} is missing.", hint=RESTORE_HINT)
        vocabulary = Vocabulary.open(path / _VOCABULARY)
    if not _is_consistent(network, vocabulary):
        raise ModelError(
            f"{path} is inconsistent: the shapes of its layers do not match.", hint=RESTORE_HINT
        )
    if vocabulary is None:
        return config, network, None
    subwords = stored_subwords(path, config, tensors)
    if subwords is not None and subwords.rows.shape[1] != len(network.weights[0]):
        raise ModelError(
            f"{path} is damaged: the rows of n-grams have the wrong length.", hint=RESTORE_HINT
        )
    return config, network, StoredTerms(vocabulary, subwords)


def _is_consistent(network: Network, vocabulary: Vocabulary | None) -> bool:
    weights, biases, embeddings = network.weights, network.biases, network.embeddings
    if not weights or network.activation not in ACTIVATIONS:
        return False
    words = None if embeddings is None or vocabulary is None else len(vocabulary)
    return (
        all(matrix.ndim == 2 for matrix in weights)
        and all(one.shape[1] == len(other) for one, other in pairwise(weights))
        and all(biases[layer].shape == weights[layer].shape[1:] for layer in range(len(weights)))
        and (embeddings is None or embeddings.shape == (words, len(weights[0])))
    )


def write_config(path: Path, config: Mapping[str, object]) -> None:
    """Write settings as JSON, with the format version."""
    config_file.write_config(path, {"format": FORMAT, **config})


def read_config(path: Path, kind: str) -> dict[str, Any]:
    """Return the settings that `write_config` wrote with this *kind*.

    Raises:
        ModelError: the file is missing, damaged, too new, or of another kind.
    """
    return config_file.read_config(path, FORMAT, kind)
