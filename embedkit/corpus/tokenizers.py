"""Tokenizers: text in, tokens separated by ASCII white space out.

A tokenizer is a function over a block of UTF-8 bytes. It keeps line ends, so that a block of many
lines can be tokenized at once and still be split into sentences afterwards.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from typing import NamedTuple

from embedkit.corpus.emoji import split_emoji, unicode_pattern
from embedkit.corpus.encodings import BYTE_ORDER_MARK
from embedkit.validation import check_choice

__all__ = [
    "SEPARATORS",
    "TOKENIZERS",
    "normalize",
    "separators_in",
    "split_words",
    "tokenize",
    "tokenizer",
]

SEPARATORS = "".join(map(chr, range(33)))
"""ASCII white space and control characters: what separates words, see `split_words`."""

_SEPARATOR = re.compile(r"[\0-\x20]+")

_WORD_BYTES = (
    string.ascii_lowercase.encode() + string.digits.encode() + b"_'-\n" + bytes(range(128, 256))
)
_CONTROLS_TO_SPACES = bytes(max(byte, 32) for byte in range(256))
_FOLD_ASCII = bytes(byte if byte in _WORD_BYTES else 32 for byte in bytes(range(256)).lower())
_FOLD_ASCII_KEEP_NUL = b"\0" + _FOLD_ASCII[1:]
_PUNCTUATION = bytes(set(string.punctuation.encode()) - {*b"_'-"})
_FOLD_ASCII_KEEP_PUNCTUATION = bytes(
    byte if byte in _PUNCTUATION else folded for byte, folded in enumerate(_FOLD_ASCII)
)
_PUNCTUATION_MARK = re.compile(b"([%s])" % re.escape(_PUNCTUATION))
# A single apostrophe or hyphen between two word characters belongs to the word; others do not.
# The pattern begins with a character set because `re` then skips to the next candidate.
_OUTER_PUNCTUATION = re.compile(
    rb"['-](?:['-]+|(?![0-9a-z_\x80-\xff])|(?<![0-9a-z_\x80-\xff].))", re.DOTALL
)
_SPELLINGS = {**dict.fromkeys("\u2019\u02bc\uff07", "'"), **dict.fromkeys("\u2010\u2011", "-")}
_ZERO_WIDTH_SPACE = b"\xe2\x80\x8b"
_BYTE_ORDER_MARKS = re.compile(rb"^(?:[\0-\t\v-\x20]*%s)+" % BYTE_ORDER_MARK, re.MULTILINE)
_NON_WORD = r"[^\x00-\x7f\pL\pM\pN]+"  # RE2: \w of Python's re lacks the marks of Indic scripts


def normalize(text: str) -> str:
    """Return *text* as Unicode's NFKC_Casefold (section 3.13 of the standard), with ASCII
    apostrophes and hyphens instead of typographic ones.

    NFKC_Casefold is NFKC, case-folded, without the invisible characters that Unicode calls
    default-ignorable: soft hyphens, joiners, variation selectors, byte-order marks and so on.
    Normalizing the result again changes nothing.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = unicode_pattern(r"\p{Default_Ignorable_Code_Point}+").sub("", folded)
    for character, spelling in _SPELLINGS.items():
        folded = folded.replace(character, spelling)
    return unicodedata.normalize("NFKC", folded)


def _words(block: bytes, fold: bytes = _FOLD_ASCII) -> bytes:
    if not block.isascii():
        block = _fold_unicode_lines(block)
    folded = block.translate(fold)
    if b"'" in folded or b"-" in folded:
        folded = _OUTER_PUNCTUATION.sub(b" ", folded)
    return folded


def _words_and_emoji(block: bytes) -> bytes:
    if block.isascii():
        return _words(block)
    text = block.replace(b"\0", b" ").decode()
    texts, emoji = split_emoji(text)
    # NUL stands for an emoji while the text around them becomes words.
    words = _words("\0".join(texts).encode(), _FOLD_ASCII_KEEP_NUL).split(b"\0")
    spaced = [b"%s %s " % (word, found.encode()) for word, found in zip(words, emoji, strict=False)]
    return b"".join([*spaced, words[-1]])


def _words_and_punctuation(block: bytes) -> bytes:
    return _PUNCTUATION_MARK.sub(rb" \1 ", _words(block, _FOLD_ASCII_KEEP_PUNCTUATION))


def _fold_unicode_lines(block: bytes) -> bytes:
    """Normalize the lines that are not ASCII; ASCII lines stay as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = block.split(b"\n")
    unicode_lines = [number for number, line in enumerate(lines) if not line.isascii()]
    joined = b"\n".join([lines[number] for number in unicode_lines])
    # A zero-width space stands between words in scripts without spaces.
    text = normalize(joined.replace(_ZERO_WIDTH_SPACE, b" ").decode())
    spaced = pc.replace_substring_regex(pa.array([text]), _NON_WORD, " ")[0].as_buffer()
    for number, line in zip(unicode_lines, spaced.to_pybytes().split(b"\n"), strict=True):
        lines[number] = line
    return b"\n".join(lines)


def _whitespace(block: bytes) -> bytes:
    # At the beginning of lines, byte-order marks remain where files were joined.
    return _BYTE_ORDER_MARKS.sub(b"", block) if BYTE_ORDER_MARK in block else block


class Tokenizer(NamedTuple):
    """A tokenizer.

    Attributes:
        tokenize: the function.
        ascii_separators: a translation table that maps the ASCII characters between which no word
            continues to spaces.
        splits_unicode: whether other characters than letters, marks and digits separate words, too.
    """

    tokenize: Callable[[bytes], bytes]
    ascii_separators: bytes
    splits_unicode: bool


TOKENIZERS: Mapping[str, Tokenizer] = {
    "words": Tokenizer(_words, _FOLD_ASCII, splits_unicode=True),
    "words+emoji": Tokenizer(_words_and_emoji, _FOLD_ASCII, splits_unicode=True),
    "words+punctuation": Tokenizer(_words_and_punctuation, _FOLD_ASCII, splits_unicode=True),
    "whitespace": Tokenizer(_whitespace, _CONTROLS_TO_SPACES, splits_unicode=False),
}
"""*words*: NFKC_Casefold; letters, marks, digits and underscores of any script, with inner
apostrophes and hyphens. *words+emoji*: the same, and each emoji sequence of UTS #51 is a word,
without variation selectors. Signs such as U+00A9 are emoji only with U+FE0F, and keep it.
*words+punctuation*: the same as *words*, and each ASCII punctuation mark is a word, except
apostrophes, hyphens and underscores. *whitespace*: tokens as they are, between ASCII white space
and control characters."""

_UNICODE_SEPARATOR = r"[^\x00-\x7f\p{L}\p{M}\p{N}\p{Cs}]"  # surrogates stand for invalid bytes


def separators_in(text: bytes, name: str) -> tuple[int, int] | None:
    """Return where the first separator of words in a text begins and the last one ends, or None.

    Args:
        text: UTF-8; it may begin and end within a character.
        name: of the tokenizer.
    """
    chosen = TOKENIZERS[name]
    spaced = text.translate(chosen.ascii_separators).replace(b"\n", b" ")
    if (first := spaced.find(b" ")) >= 0:
        return first, spaced.rfind(b" ") + 1
    if not chosen.splits_unicode or text.isascii():
        return None
    decoded = text.decode(errors="surrogateescape")
    found = [match.span() for match in unicode_pattern(_UNICODE_SEPARATOR).finditer(decoded)]
    if not found:
        return None
    start, end = (
        decoded[:place].encode(errors="surrogateescape") for place in (found[0][0], found[-1][1])
    )
    return len(start), len(end)


def split_words(line: str, most: int = 0) -> list[str]:
    """Return the words of a line of a file.

    In every file of words, ASCII white space and control characters separate them, as for the
    whitespace tokenizer. Other spaces, such as no-break spaces, belong to words.

    Args:
        most: the last of that many words is the rest of the line; 0 means no limit.
    """
    text = line.strip(SEPARATORS)
    return _SEPARATOR.split(text, max(most - 1, 0)) if text else []


def tokenizer(name: str) -> Callable[[bytes], bytes]:
    """Return the tokenizer called *name*.

    Raises:
        ConfigurationError: the name is unknown.
    """
    check_choice("tokenizer", name, TOKENIZERS)
    return TOKENIZERS[name].tokenize


def tokenize(text: str, name: str = "words") -> list[str]:
    """Return the tokens of one text. `Corpus.read` yields the same tokens, much faster.

    Raises:
        ConfigurationError: the tokenizer is unknown.
        TypeError: *text* is not a string.
    """
    if not isinstance(text, str):
        raise TypeError(f"expected a text, got {text!r:.60}; pass each text of a list by itself")
    spaced = tokenizer(name)(text.encode()).translate(_CONTROLS_TO_SPACES)
    return [token.decode() for token in spaced.split(b" ") if token]
