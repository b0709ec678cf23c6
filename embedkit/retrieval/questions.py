"""Tokenize questions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from embedkit.corpus.tokenizers import tokenize
from embedkit.errors import InputError
from embedkit.features.tokens import TokenizedTexts

__all__ = ["tokenize_questions"]


def tokenize_questions(questions: Sequence[str], name: str) -> TokenizedTexts:
    """Tokenize short texts without `pa.array`, which imports pandas if it is installed.

    Args:
        questions: the texts.
        name: of the tokenizer.

    Raises:
        InputError: one is not a string, or cannot be encoded as UTF-8.
    """
    split = [_tokens(question, name) for question in questions]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(chain(*split)))}
    indices = np.array([numbers[word] for words in split for word in words], dtype=np.int32)
    bounds = np.cumsum([0, *map(len, split)], dtype=np.int64)
    encoded = [word.encode() for word in numbers]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    words = pa.StringArray.from_buffers(
        len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))
    )
    return TokenizedTexts(words, indices, bounds)


def _tokens(question: str, name: str) -> list[str]:
    try:
        return tokenize(question, name)
    except TypeError:
        raise InputError(f"expected a question, got {question!r:.60}.") from None
    except UnicodeEncodeError as error:
        raise InputError(
            f"the question {question!r:.60} cannot be encoded as UTF-8: {error.reason}.",
            hint="Read the text with the encoding it was written in.",
        ) from None
