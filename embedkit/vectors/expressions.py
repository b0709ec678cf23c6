"""Expressions over words: ``king - man + woman``, ``2 * (king - "old man") + 0.5 queen``.

    expression := ["+" | "-"] product (("+" | "-") product)*
    product    := factor (("*" | "/") factor)*        all factors but one must be numbers
    factor     := [number] word | [number] "quoted words" | [number] "(" expression ")" | number

A number without a word after it is a word itself (``1984 - 1948``). A hyphen or apostrophe inside a
word belongs to the word; a minus sign needs a space on one side. Within double quotes, ``""``
stands for one quote. As in texts, `SEPARATORS` separate words. If the vocabulary has the whole
expression as a word, it is that word. So is a part between spaces, such as ``c++`` or ``24/7``.

A dash that people type or paste for a minus sign (U+2212, en dash, em dash) is one, with or without
spaces, except in quotes and in a known word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from embedkit.corpus.tokenizers import SEPARATORS
from embedkit.errors import ExpressionError

__all__ = ["Term", "in_expression", "parse"]

MAXIMUM_LENGTH = 10_000
MAXIMUM_DEPTH = 100
MAXIMUM_WEIGHT = 1e9  # keeps squares of sums within the range of float32

_DASHES = "\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}"
_TOKEN = re.compile(
    rf"""[\x00-\x20]*(?:
    (?P<quoted>"(?:[^"]|"")*"|'[^']*'(?=$|[\x00-\x20()+*/{_DASHES}-]))
  | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?
      (?=$|[\x00-\x20()+*/"{_DASHES}]|-(?!['-]*[^\x00-\x20()+*/"'{_DASHES}-])))
  | (?P<word>[^\x00-\x20()+*/"'{_DASHES}-]+(?:['-]+[^\x00-\x20()+*/"'{_DASHES}-]+)*)
  | (?P<sign>[()+*/{_DASHES}-])
    )""",
    re.VERBOSE | re.ASCII,
)
_CHUNK = re.compile(rf"""[^\x00-\x20()+*/"{_DASHES}-][^\x00-\x20]*""", re.ASCII)
_BLANKS = re.compile(f"[{SEPARATORS}]+")
_OPERATOR = re.compile(rf"""[()+*/"'{_DASHES}-]""")

IsKnown = Callable[[str], bool]


@dataclass(frozen=True)
class Term:
    """A word with its weight, and its column in the expression, counted from 0."""

    weight: float
    word: str
    column: int


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(expression: str, is_known: IsKnown = lambda word: False) -> list[Term]:
    """Return the words of an expression with their weights, parentheses multiplied out.

    Args:
        expression: the text.
        is_known: tells whether the vocabulary has a word, so that words may contain operators.

    Raises:
        ExpressionError: the expression has a syntax error; a caret marks the column.
    """
    return _Parser(expression, is_known).whole()


def in_expression(word: str) -> str:
    """Return *word* as written in an expression: in quotes if it would be misread without them."""
    token = _TOKEN.fullmatch(word)
    if token and token["word"] == word:
        return word
    return '"' + word.replace('"', '""') + '"'


class _Parser:
    """A recursive descent parser; each method returns the terms of the part it has read."""

    def __init__(self, expression: str, is_known: IsKnown) -> None:
        if len(expression) > MAXIMUM_LENGTH:
            raise ExpressionError(
                f"the expression has {len(expression):,} characters, more than {MAXIMUM_LENGTH:,}",
                expression[:60] + "...",
                60,
            )
        if (column := expression.find("\0")) >= 0:  # "king\0" is not the word king
            raise ExpressionError(r"unexpected character '\x00'", expression, column)
        self._expression = expression
        self._is_known = is_known
        self._tokens = self._split()
        self._next = 0
        self._depth = 0

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        text = self._expression.rstrip(SEPARATORS)
        position = _after_blanks(text, 0)
        if self._is_one_word(text[position:]):
            return [_Token("word", text[position:], position), _Token("end", "", len(text))]
        while position < len(text):
            if word := self._known_chunk(text, position):
                tokens.append(word)
                position = word.column + len(word.text)
                continue
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                column = _after_blanks(text, position)
                raise self._error(_unreadable(text[column]), column)
            kind = match.lastgroup
            written = "-" if match[kind] in _DASHES else match[kind]
            tokens.append(_Token(kind, written, match.start(kind)))
            position = match.end()
        return [*tokens, _Token("end", "", len(text))]

    def _is_one_word(self, text: str) -> bool:
        """Tell whether the whole expression is a known word that is not in quotes."""
        token = _TOKEN.fullmatch(text)
        return not (token and token.lastgroup == "quoted") and bool(text) and self._is_known(text)

    def _known_chunk(self, text: str, position: int) -> _Token | None:
        """Return the next word if it is known and contains an operator, such as ``c++``.

        An apostrophe begins such a word, as in ``'tis``, unless another one closes it.
        """
        start = _after_blanks(text, position)
        token = _TOKEN.match(text, start)
        if token and token["quoted"]:
            return None
        begins = start == 0 or text[start - 1] in f"{SEPARATORS}("
        chunk = _CHUNK.match(text, start) if begins else None
        for word in dict.fromkeys((chunk[0], chunk[0].rstrip(")")) if chunk else ()):
            if _OPERATOR.search(word) and self._is_known(word):
                return _Token("word", word, start)
        return None

    def _error(self, problem: str, column: int) -> ExpressionError:
        return ExpressionError(problem, self._expression, column)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *signs: str) -> _Token | None:
        token = self._token
        if token.kind == "sign" and token.text in signs:
            self._next += 1
            return token
        return None

    def whole(self) -> list[Term]:
        if self._token.kind == "end":
            raise self._error("the expression is empty; write, for example, king - man + woman", 0)
        terms = self._sum()
        if self._token.kind != "end":
            raise self._error("expected + or -", self._token.column)
        for term in terms:
            if not abs(term.weight) <= MAXIMUM_WEIGHT:
                problem = f"the weight of {term.word!r} must be at most {MAXIMUM_WEIGHT:g}"
                raise self._error(problem, term.column)
        totals: dict[str, float] = {}
        for term in terms:
            totals[term.word] = totals.get(term.word, 0.0) + term.weight
        if not any(totals.values()):
            raise self._error("the weights of all words add up to 0", 0)
        return terms

    def _sum(self) -> list[Term]:
        leading = self._take("+", "-")
        terms = _scaled(self._product(), -1.0 if leading and leading.text == "-" else 1.0)
        while sign := self._take("+", "-"):
            terms += _scaled(self._product(), -1.0 if sign.text == "-" else 1.0)
        return terms

    def _product(self) -> list[Term]:
        value = self._factor(is_first=True)
        while sign := self._take("*", "/"):
            column = self._token.column
            other = self._factor(is_first=False)
            if isinstance(value, list) and isinstance(other, list):
                raise self._error("a word can only be multiplied by a number", column)
            if sign.text == "/" and (isinstance(other, list) or other == 0):
                raise self._error("the divisor must be a number other than 0", column)
            value = _times(value, other, divide=sign.text == "/")
        if not isinstance(value, list):
            raise self._error("expected a word after the number", self._token.column)
        return value

    def _factor(self, *, is_first: bool) -> list[Term] | float:
        token = self._token
        if token.kind != "number":
            return self._atom()
        self._next += 1
        after = self._token
        if after.kind in ("word", "quoted", "number") or after.text == "(":
            return _scaled(self._atom(), float(token.text))
        if is_first and after.text not in ("*", "/"):
            return [Term(1.0, token.text, token.column)]
        return float(token.text)

    def _atom(self) -> list[Term]:
        token = self._token
        self._next += 1
        if token.kind in ("word", "number"):
            return [Term(1.0, token.text, token.column)]
        if token.kind == "quoted":
            return [Term(1.0, self._unquoted(token), token.column)]
        if token.text == "(":
            return self._parenthesis(token)
        raise self._error("expected a word", token.column)

    def _unquoted(self, token: _Token) -> str:
        """Return the text in quotes; unless it is a known word, white space becomes one space."""
        quoted = token.text[1:-1]
        if token.text[0] == '"':
            quoted = quoted.replace('""', '"')
        word = quoted if self._is_known(quoted) else " ".join(_BLANKS.split(quoted)).strip(" ")
        if not word:
            raise self._error("the quotes are empty", token.column)
        return word

    def _parenthesis(self, opening: _Token) -> list[Term]:
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise self._error(f"more than {MAXIMUM_DEPTH} levels of parentheses", opening.column)
        terms = self._sum()
        if not self._take(")"):
            raise self._error(
                f"expected ) to close the parenthesis at column {opening.column + 1}",
                self._token.column,
            )
        self._depth -= 1
        return terms


def _unreadable(character: str) -> str:
    """Return what is wrong with a character that begins no token."""
    if character == "'":
        return (
            "missing closing quote; put a word that begins or ends with an apostrophe in double "
            "quotes"
        )
    return "missing closing quote" if character == '"' else f"unexpected character {character!r}"


def _after_blanks(text: str, position: int) -> int:
    """Return the index of the first character, from *position* on, that is not white space."""
    blank = _BLANKS.match(text, position)
    return blank.end() if blank else position


def _scaled(terms: list[Term], factor: float) -> list[Term]:
    return [replace(term, weight=term.weight * factor) for term in terms]


def _times(
    value: list[Term] | float, other: list[Term] | float, *, divide: bool
) -> list[Term] | float:
    if isinstance(value, list):
        assert not isinstance(other, list)  # noqa: S101 - the caller has checked it
        return _scaled(value, 1.0 / other if divide else other)
    if isinstance(other, list):
        return _scaled(other, value)
    return value / other if divide else value * other
