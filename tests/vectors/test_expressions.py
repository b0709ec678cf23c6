"""Expressions over words.

Longer than other files because of its tables of valid and invalid expressions.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedkit.errors import EmbedkitError, ExpressionError
from embedkit.vectors.expressions import (
    MAXIMUM_DEPTH,
    MAXIMUM_LENGTH,
    Term,
    in_expression,
    parse,
)


def weights(expression: str) -> list[tuple[float, str]]:
    return [(term.weight, term.word) for term in parse(expression)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("king", [(1, "king")]),
        ("  king  ", [(1, "king")]),
        ("-king", [(-1, "king")]),
        ("+king", [(1, "king")]),
        ("king - man + woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("king -man +woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("king- man", [(1, "king"), (-1, "man")]),
        ("king+man", [(1, "king"), (1, "man")]),
        ("king\n\t- man", [(1, "king"), (-1, "man")]),
        ("\x01king\x1f-\x1fman\x01", [(1, "king"), (-1, "man")]),
        ("king\u00a0lee + 2\x1fman", [(1, "king\u00a0lee"), (2, "man")]),
        ("King - ÉCOLE", [(1, "King"), (-1, "ÉCOLE")]),
        ("王 - 男", [(1, "王"), (-1, "男")]),
        ("c# + .net", [(1, "c#"), (1, ".net")]),
    ],
)
def test_sums_of_words(expression: str, expected: list[tuple[float, str]]) -> None:
    assert weights(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2 king", [(2, "king")]),
        ("2 * king", [(2, "king")]),
        ("2*king", [(2, "king")]),
        ("king * 2", [(2, "king")]),
        ("king / 2", [(0.5, "king")]),
        ("king/2", [(0.5, "king")]),
        ("0.5 king", [(0.5, "king")]),
        ("1e2 king", [(100, "king")]),
        ("1e-2 king", [(0.01, "king")]),
        ("-2 king", [(-2, "king")]),
        ("2 * 3 * king", [(6, "king")]),
        ("2 * 3 king", [(6, "king")]),
        ("6 / 3 * king", [(2, "king")]),
        ("king * 6 / 3 / 2", [(1, "king")]),
        ("2(king - man)", [(2, "king"), (-2, "man")]),
        ('2"new york"', [(2, "new york")]),
        (
            '2 * (king - "old man") + 0.5 queen',
            [(2, "king"), (-2, "old man"), (0.5, "queen")],
        ),
        ("-(king - 2 (man + woman)) / 2", [(-0.5, "king"), (1, "man"), (1, "woman")]),
        ("0 king + man", [(0, "king"), (1, "man")]),
        ("king + king", [(1, "king"), (1, "king")]),
    ],
)
def test_weights(expression: str, expected: list[tuple[float, str]]) -> None:
    assert weights(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1984", [(1, "1984")]),
        ("1984 - 1948", [(1, "1984"), (-1, "1948")]),
        ("(1984)", [(1, "1984")]),
        ("2 1984", [(2, "1984")]),
        ('2 * "1984"', [(2, "1984")]),
        ("2 -king", [(1, "2"), (-1, "king")]),
        ("3.14", [(1, "3.14")]),
        ("2.5.3", [(1, "2.5.3")]),
        ("3d - 2d", [(1, "3d"), (-1, "2d")]),
        ("1e", [(1, "1e")]),
    ],
)
def test_a_number_without_a_word_after_it_is_a_word(
    expression: str, expected: list[tuple[float, str]]
) -> None:
    assert weights(expression) == expected


@pytest.mark.parametrize(
    "word",
    [
        "king-man",
        "well-known",
        "o'neil",
        "rock'n'roll",
        "jack-o'-lantern",
        "a--b",
        "20-year-old",
        "7-eleven",
        "1984-1948",
        "1990's",
        "catch-22",
        "1e5-fold",
        "covid-19",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "2 {}", "({})", "{}*2", "{} + {}"])
def test_hyphens_and_apostrophes_inside_a_word_belong_to_it(word: str, frame: str) -> None:
    assert {term.word for term in parse(frame.format(word, word))} == {word}


@pytest.mark.parametrize("dash", ["\N{MINUS SIGN}", "\N{EN DASH}", "\N{EM DASH}"])
def test_dashes_are_minus_signs_except_in_known_words(dash: str) -> None:
    assert weights(f"king {dash} man + woman") == weights("king - man + woman")
    assert weights(f"{dash}king{dash}man") == weights("-king - man")
    assert weights(f"1984{dash}1948") == weights("1984 - 1948")
    known = f"jean{dash}luc"
    for expression in (known, f"king - {known}", f"king {dash} {known}"):
        assert parse(expression, known.__eq__)[-1].word == known
    assert weights(in_expression(known)) == [(1, known)]
    assert weights(f'"{known}" {dash} man') == [(1, known), (-1, "man")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"new york"', "new york"),
        ("'new york'", "new york"),
        ('"  new \t york "', "new york"),
        ('"o\'neil"', "o'neil"),
        ("'say \"x\"'", 'say "x"'),
        ('"2 * (king - man)"', "2 * (king - man)"),
        ('"-"', "-"),
        ("'1984'", "1984"),
    ],
)
def test_quoted_phrase_is_one_word(expression: str, expected: str) -> None:
    assert weights(expression) == [(1, expected)]


KNOWN = {
    "'tis",
    "dogs'",
    "c++",
    "24/7",
    "c",
    "-1",
    "and/or",
    "new york",
    "a  b",
    "-man",
    '5"',
    "ann\u00a0lee",
    "*",
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("c++", [(1, "c++")]),
        ("c++ - 2 24/7", [(1, "c++"), (-2, "24/7")]),
        ("2 (c++ - and/or)", [(2, "c++"), (-2, "and/or")]),
        ("-1", [(1, "-1")]),
        ("king -man", [(1, "king"), (-1, "man")]),
        ("king -1 queen", [(1, "king"), (-1, "queen")]),
        ("new york", [(1, "new york")]),
        ('"a  b" - "a   c"', [(1, "a  b"), (-1, "a c")]),
        ('5"', [(1, '5"')]),
        ("'tis - a", [(1, "'tis"), (-1, "a")]),
        ("a - 'tis", [(1, "a"), (-1, "'tis")]),
        ("dogs' - c", [(1, "dogs'"), (-1, "c")]),
        ('"*" + c', [(1, "*"), (1, "c")]),
        ("*", [(1, "*")]),
        ("ann\u00a0lee - c", [(1, "ann\u00a0lee"), (-1, "c")]),
        ('"ann\u00a0lee"', [(1, "ann\u00a0lee")]),
        ("c + +", None),
        ("d++", None),
    ],
)
def test_known_words_may_contain_operators(
    expression: str, expected: list[tuple[float, str]] | None
) -> None:
    if expected is None:
        with pytest.raises(ExpressionError):
            parse(expression, KNOWN.__contains__)
    else:
        found = parse(expression, KNOWN.__contains__)
        assert [(term.weight, term.word) for term in found] == expected
        assert all(expression[term.column :].lstrip('"').startswith(term.word[0]) for term in found)


@given(st.text("ab1.+-*/()'\"\u00a0\t ", min_size=1, max_size=12))
def test_every_word_can_be_written_in_an_expression(word: str) -> None:
    found = parse(f"x - {in_expression(word)} + y", {word}.__contains__)
    assert [(term.weight, term.word) for term in found] == [(1, "x"), (-1, word), (1, "y")]


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("king - man", [0, 7]),
        ("   king", [3]),
        ('2 * ("new york" - b)', [5, 18]),
        ("1984 - 2 x", [0, 9]),
    ],
)
def test_terms_know_their_columns(expression: str, columns: list[int]) -> None:
    assert [term.column for term in parse(expression)] == columns


@pytest.mark.parametrize(
    ("expression", "problem", "column"),
    [
        ("", "the expression is empty", 0),
        ("   ", "the expression is empty", 0),
        ("king man", r"expected \+ or -", 5),
        ("king (man)", r"expected \+ or -", 5),
        ("king )", r"expected \+ or -", 5),
        ("king -", "expected a word", 6),
        ("king - ", "expected a word", 6),
        ("king - - man", "expected a word", 7),
        ("king + * 2", "expected a word", 7),
        ("()", "expected a word", 1),
        ("* king", "expected a word", 0),
        ("king * -2", "expected a word", 7),
        ("2 *", "expected a word", 3),
        ("2 * 3", "expected a word after the number", 5),
        ("king - 2 / 3 + man", "expected a word after the number", 13),
        ("king * man", "a word can only be multiplied by a number", 7),
        ("(king) * (man)", "a word can only be multiplied by a number", 9),
        ("king / man", "a word can only be multiplied by a number", 7),
        ("2 / king", "divisor must be a number other than 0", 4),
        ("king / 0", "divisor must be a number other than 0", 7),
        ("king / 0.0e5", "divisor must be a number other than 0", 7),
        ("king / 1e-999", "divisor must be a number other than 0", 7),
        ("(king - man", "to close the parenthesis at column 1", 11),
        ("a + (b", "to close the parenthesis at column 5", 6),
        ('king - "old man', "missing closing quote", 7),
        ("king - 'old man", "missing closing quote", 7),
        ("dogs' - cats", "begins or ends with an apostrophe in double quotes", 4),
        ("king\0 - man", r"unexpected character '\\x00'", 4),
        ('king - ""', "quotes are empty", 7),
        ("king - '  '", "quotes are empty", 7),
        ("man + 1e999 king", "weight of 'king' must be at most", 12),
        ("1e300 * 1e300 * king", "weight of 'king' must be at most", 16),
        ("king / 1e-320", "weight of 'king' must be at most", 0),
        ("0 * 1e999 * king", "weight of 'king' must be at most", 12),
        ("man - 1.1e9 king", r"at most 1e\+09", 12),
        ("0 king", "weights of all words add up to 0", 0),
        ("0 * (king - man)", "weights of all words add up to 0", 0),
        ("king - king", "weights of all words add up to 0", 0),
        ("2 king - (king + king)", "weights of all words add up to 0", 0),
        ("king / 1e999", "weights of all words add up to 0", 0),
    ],
)
def test_errors_give_the_problem_and_the_column(expression: str, problem: str, column: int) -> None:
    with pytest.raises(ExpressionError, match=problem) as caught:
        parse(expression)
    assert caught.value.column == column
    assert caught.value.expression == expression


def test_errors_mark_the_column_with_a_caret() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("king man")
    assert str(caught.value).splitlines()[1:] == ["  king man", "       ^"]
    assert isinstance(caught.value, EmbedkitError)
    assert isinstance(caught.value, ValueError)


def nested(depth: int) -> str:
    return "(" * depth + "king" + ")" * depth


def test_deepest_parentheses_parse() -> None:
    assert weights(nested(MAXIMUM_DEPTH)) == [(1, "king")]


def test_too_many_levels_of_parentheses_are_rejected() -> None:
    with pytest.raises(ExpressionError, match="more than 100 levels of parentheses") as caught:
        parse(nested(MAXIMUM_DEPTH + 1))
    assert caught.value.column == MAXIMUM_DEPTH


def test_only_open_parentheses_count_as_levels() -> None:
    assert len(parse(" + ".join(["(king)"] * (2 * MAXIMUM_DEPTH)))) == 2 * MAXIMUM_DEPTH


def test_longest_expression_parses() -> None:
    assert weights("x" * MAXIMUM_LENGTH) == [(1, "x" * MAXIMUM_LENGTH)]


def test_too_long_expressions_are_rejected_with_a_short_message() -> None:
    with pytest.raises(ExpressionError, match="10,001 characters") as caught:
        parse("x" * (MAXIMUM_LENGTH + 1))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text", ["(", "2 (", "1 ", "a-", '"', "'", "1e", "-", "2*", " ", "1.", "a+"]
)
def test_long_hostile_input_is_parsed_quickly(text: str) -> None:
    expression = (text * MAXIMUM_LENGTH)[:MAXIMUM_LENGTH]
    try:
        terms = parse(expression)
    except ExpressionError as error:
        assert 0 <= error.column <= MAXIMUM_LENGTH  # noqa: PT017 - either outcome is right
    else:
        assert terms


# Random trees: what is written and what it means are worked out side by side.


@dataclass(frozen=True)
class Written:
    """Text of an expression, what it stands for, and whether it is an atom, product or sum."""

    text: str
    meaning: tuple[tuple[str, Fraction], ...]
    kind: str

    def times(self, number: Fraction, text: str) -> Written:
        meaning = tuple((word, weight * number) for word, weight in self.meaning)
        return Written(text, meaning, "product")

    def in_parentheses(self) -> Written:
        return Written(f"({self.text})", self.meaning, "atom")


LETTERS = st.characters(categories=["Ll", "Lu", "Lo", "Nd"])
PLAIN = st.text(LETTERS, min_size=1, max_size=5).filter(lambda word: not word[0].isdigit())
COMPOUND = st.builds("{}{}{}".format, PLAIN, st.sampled_from("-'"), PLAIN)
PHRASES = st.lists(PLAIN, min_size=1, max_size=3).map(" ".join)
NUMBERS = st.integers(1, 64).map(lambda n: Fraction(n, 8))  # exact in binary


@st.composite
def words(draw: st.DrawFn) -> Written:
    if draw(st.booleans()):
        word = draw(PLAIN | COMPOUND)
        return Written(word, ((word, Fraction(1)),), "atom")
    phrase, quote = draw(PHRASES), draw(st.sampled_from("\"'"))
    return Written(quote + phrase + quote, ((phrase, Fraction(1)),), "atom")


@st.composite
def products(draw: st.DrawFn, children: st.SearchStrategy[Written]) -> Written:
    inner, number = draw(children), draw(NUMBERS)
    if inner.kind != "atom":
        inner = inner.in_parentheses()
    figure = str(float(number))
    form = draw(st.sampled_from(["before", "after", "beside", "below"]))
    if form == "before":
        return inner.times(number, f"{figure} * {inner.text}")
    if form == "after":
        return inner.times(number, f"{inner.text}*{figure}")
    if form == "beside":
        return inner.times(number, f"{figure} {inner.text}")
    power = draw(st.sampled_from([2, 4, 8]))
    return inner.times(Fraction(1, power), f"{inner.text} / {power}")


@st.composite
def sums(draw: st.DrawFn, children: st.SearchStrategy[Written]) -> Written:
    parts = draw(st.lists(children, min_size=1, max_size=4))
    text, meaning = "", []
    for number, part in enumerate(parts):
        part = part.in_parentheses() if part.kind == "sum" else part
        sign = draw(st.sampled_from(["+", "-"] if number else ["", "+", "-"]))
        text += f" {sign} {part.text}"
        meaning += [(word, -weight if sign == "-" else weight) for word, weight in part.meaning]
    return Written(text, tuple(meaning), "sum")


TREES = st.recursive(words(), lambda children: products(children) | sums(children), max_leaves=25)


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_random_expressions_parse_to_their_linear_combinations(tree: Written) -> None:
    totals: defaultdict[str, Fraction] = defaultdict(Fraction)
    for word, weight in tree.meaning:
        totals[word] += weight
    if any(totals.values()):
        terms = parse(tree.text)
        assert [(t.word, t.weight) for t in terms] == [(w, float(x)) for w, x in tree.meaning]
        assert all(tree.text[t.column :].lstrip("\"'").startswith(t.word) for t in terms)
    else:
        with pytest.raises(ExpressionError, match="weights of all words add up to 0"):
            parse(tree.text)


SIGNS = ["(", ")", "+", "-", "*", "/", '"', "'", " ", "\n", ".", "e", "\x00", "\u200b"]
FIGURES = ["2", "0", "1e309", "1e-400", "٣", "²"]
LETTERLIKE = ["king", "man", "−", "\u00a0", "\x1c", "\ud800"]
FRAGMENTS = st.sampled_from([*SIGNS, *FIGURES, *LETTERLIKE])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(FRAGMENTS, max_size=30).map("".join))
@example("1e309 * 0 * king")
@example("\x1c")
@example("2.-'")
def test_hostile_input_gives_finite_terms_or_an_expression_error(text: str) -> None:
    try:
        terms = parse(text)
    except ExpressionError as error:
        assert 0 <= error.column <= len(text)  # noqa: PT017 - either outcome is right
    else:
        assert terms
        assert all(math.isfinite(term.weight) and term.word for term in terms)
        assert all(type(term) is Term and term.column < len(text) for term in terms)
