"""The summary of vectors that notebooks show."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import counted
from embedkit.index.metrics import Matrix
from embedkit.storage.config_file import architecture_of

__all__ = ["html_summary"]

_ROWS, _COLUMNS = 5, 6


def html_summary(config: Mapping[str, Any], vocabulary: Vocabulary, matrix: Matrix) -> str:
    """Return an HTML table of the first numbers of the first words.

    Args:
        config: what is known about the origin of the vectors.
        vocabulary: V words.
        matrix: (V, d), dense or CSR.
    """
    words, dimension = matrix.shape
    corner = matrix[:_ROWS, :_COLUMNS]
    numbers = corner if isinstance(corner, np.ndarray) else corner.toarray()
    more = "<td>&hellip;</td>" if dimension > _COLUMNS else ""
    rows = [
        f"<tr><th>{escape(word)}</th>{''.join(f'<td>{x:.4g}</td>' for x in row)}{more}</tr>"
        for word, row in zip(vocabulary.words(range(len(numbers))), numbers.tolist(), strict=True)
    ]
    if words > _ROWS:
        rows.append("<tr><th>&hellip;</th></tr>")
    origin = [config.get("encoder"), architecture_of(config)]
    known = ", ".join(dict.fromkeys(str(name) for name in origin if name))
    made_by = f" ({escape(known)})" if known else ""
    title = f"WordVectors{made_by}: {counted(words, 'word')} &times; {dimension}"
    return f"<table><caption>{title}</caption>{''.join(rows)}</table>"
