"""Tokenizers against the words a person would count, and against a slow oracle."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.tokenizers import TOKENIZERS, normalize, tokenize, tokenizer
from embedkit.errors import ConfigurationError

APOSTROPHES = "'\u2019\u02bc\uff07"
HYPHENS = "-\u2010\u2011\uff0d"
INVISIBLE = "\u00ad\u034f\u115f\u200c\u200d\u200f\u2060\u3164\ufe0f\ufeff\uffa0\U000e0100"
# Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode 17, without U+200B.
IGNORABLE = {
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810)),
    *(*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164),
    *(*range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xFFF0, 0xFFF9)),
    *(*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
}

# Code points that this Python does not know may be letters to a newer Unicode.
known = st.characters(exclude_categories=["Cs", "Cn"])
awkward = st.sampled_from(
    "aZ9_ \n\t\x00ßİﬁẞΣς\u0301\u0345\u0308é中ក" + APOSTROPHES + HYPHENS + INVISIBLE
)
texts = st.text(st.one_of(known, awkward, awkward), max_size=40)


def slow_words(text: str) -> list[str]:
    """Character by character: fold, call a character part of a word by its category, split."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    folded = "".join(
        "'" if c in APOSTROPHES else "-" if c in HYPHENS else c
        for c in folded
        if ord(c) not in IGNORABLE
    )
    folded = f" {unicodedata.normalize('NFKC', folded)} "
    in_word = [c == "_" or unicodedata.category(c)[0] in "LMN" for c in folded]
    kept = [" "]
    for place in range(1, len(folded) - 1):
        joins = folded[place] in "'-" and in_word[place - 1] and in_word[place + 1]
        kept.append(folded[place] if in_word[place] or joins else " ")
    return "".join(kept).split(" ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The CAT sat.", ["the", "cat", "sat"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("GROẞ groß", ["gross", "gross"]),
        ("İ", ["i\u0307"]),
        ("ﬁne oﬃce", ["fine", "office"]),
        ("ΣΊΣΥΦΟΣ σίσυφος", ["σίσυφοσ", "σίσυφοσ"]),
        ("Ｆｕｌｌ ｗｉｄｔｈ １２", ["full", "width", "12"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("x² ½ Ⅳ", ["x2", "1", "2", "iv"]),
        ("ｶﾞ", ["ガ"]),
        ("Å \u212b", ["å", "å"]),
    ],
)
def test_words_are_in_nfkc_and_case_folded(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("in 1984 and 3.14", ["in", "1984", "and", "3", "14"]),
        ("snake_case _private __init__", ["snake_case", "_private", "__init__"]),
        ("٣٤ ४५ 三", ["٣٤", "४५", "三"]),
        ("covid19 b2b", ["covid19", "b2b"]),
    ],
)
def test_digits_and_underscores_belong_to_words(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


@pytest.mark.parametrize("apostrophe", APOSTROPHES)
def test_inner_apostrophe_is_kept_in_its_ascii_form(apostrophe: str) -> None:
    text = "don't 'tis dogs' rock'n'roll 'quoted' a''b ' d'Été".replace("'", apostrophe)
    assert tokenize(text) == [
        *("don't", "tis", "dogs", "rock'n'roll", "quoted", "a", "b", "d'été"),
    ]


@pytest.mark.parametrize("hyphen", HYPHENS)
def test_inner_hyphen_is_kept_in_its_ascii_form(hyphen: str) -> None:
    text = "well-known -5 up- a--b - x-y-z über-alt".replace("-", hyphen)
    assert tokenize(text) == ["well-known", "5", "up", "a", "b", "x-y-z", "über-alt"]


@pytest.mark.parametrize("text", ["a-'b", "a'-b", "a-\nb", "a\n'b", "a–b", "a—b", "a-.b", "a.-b"])
def test_only_a_single_hyphen_between_word_characters_joins(text: str) -> None:
    assert tokenize(text) == ["a", "b"]


@pytest.mark.parametrize("invisible", INVISIBLE)
def test_invisible_characters_are_removed(invisible: str) -> None:
    assert tokenize(f"{invisible}co{invisible}op e{invisible}\u0301") == ["coop", "é"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("السلام عليكم، كيف حالك؟", ["السلام", "عليكم", "كيف", "حالك"]),
        ("مُحَمَّد", [unicodedata.normalize("NFKC", "مُحَمَّد")]),
        ("हिन्दी भाषा है।", ["हिन्दी", "भाषा", "है"]),
        ("ภาษาไทย ที่นี่", [unicodedata.normalize("NFKC", "ภาษาไทย"), "ที่นี่"]),
        ("你好，世界。", ["你好", "世界"]),
        ("Привет, МИР!", ["привет", "мир"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("שלום־עולם", ["שלום", "עולם"]),
        ("한국어、日本語", ["한국어", "日本語"]),
        ("𐐀𐐁 𝐁𝐨𝐥𝐝", ["𐐨𐐩", "bold"]),
    ],
)
def test_words_of_many_scripts(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<a href="x.html">B&amp;C</a>', ["a", "href", "x", "html", "b", "amp", "c", "a"]),
        ("<br/>é&nbsp;è", ["br", "é", "nbsp", "è"]),
        ("a\u00a0b\u3000c\u2028d\u0085e", ["a", "b", "c", "d", "e"]),
        ("a\x00b\x07c\x1fd\x7fe", ["a", "b", "c", "d", "e"]),
        ("é\x00b\x1cc\x7fd", ["é", "b", "c", "d"]),
        ("one\r\ntwo\n\nthree", ["one", "two", "three"]),
        ("I ❤️ emoji 👍🏽", ["i", "emoji"]),
        ("ok\ufe0f 葛\U000e0100城 \u3164", ["ok", "葛城"]),
        ("សួស្តី\u200bពិភពលោក", ["សួស្តី", "ពិភពលោក"]),
    ],
)
def test_other_characters_separate_words(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


@pytest.fixture(scope="module")
def casefold_of_perl() -> dict[int, str]:
    """NFKC_Casefold of each character, from Perl's copy of the Unicode database."""
    program = (
        "use Unicode::UCD qw(prop_invmap);"
        "print Unicode::UCD::UnicodeVersion(), qq(\\n);"
        "my ($from, $to, $format, $default) = prop_invmap('NFKC_Casefold');"
        "for my $i (0 .. $#$from) { my $end = $i < $#$from ? $$from[$i + 1] : 0x110000;"
        "  for my $c ($$from[$i] .. $end - 1) { my $m = $$to[$i];"
        "    next if !ref $m && $m eq '0';"
        "    my @m = ref $m ? @$m : $m eq '' ? () : ($m + $c - $$from[$i]);"
        "    print join(' ', $c, @m), qq(\\n); } }"
    )
    perl = shutil.which("perl")
    if not perl:
        pytest.skip("Perl is not installed")
    done = subprocess.run([perl, "-e", program], capture_output=True, text=True, check=False)
    version, *lines = done.stdout.splitlines() or ["unknown"]
    if version != unicodedata.unidata_version:
        pytest.skip(f"Perl has Unicode {version}, Python {unicodedata.unidata_version}")
    rows = [[int(number) for number in line.split()] for line in lines]
    return {first: "".join(map(chr, rest)) for first, *rest in rows}


def test_normalization_is_that_of_the_unicode_database(casefold_of_perl: dict[int, str]) -> None:
    assert len(casefold_of_perl) > 10_000
    ascii_marks = str.maketrans({**dict.fromkeys(APOSTROPHES, "'"), **dict.fromkeys(HYPHENS, "-")})
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if 0xD800 <= code < 0xE000:
            continue
        expected = unicodedata.normalize("NFC", casefold_of_perl.get(code, character))
        assert normalize(character) == expected.translate(ascii_marks), hex(code)


@pytest.mark.parametrize("text", ["", " \n\t", "...!?", "--- '' -", "«»…—", "\x00\x01\x7f", "😀🎉"])
@pytest.mark.parametrize("lines", [1, 3])
def test_text_without_words_has_no_tokens(text: str, lines: int) -> None:
    assert tokenize("\n".join([text] * lines)) == []


@settings(deadline=None, max_examples=200)
@given(texts)
def test_words_are_those_of_the_slow_oracle(text: str) -> None:
    assert tokenize(text) == [word for word in slow_words(text) if word]


def test_each_character_is_treated_as_by_the_slow_oracle() -> None:
    characters = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) not in {"Cs", "Cn", "Co", "Lo"}
    ]
    text = "\n".join(f"x{character}y" for character in characters)
    assert tokenize(text) == [word for word in slow_words(text.replace("\n", " ")) if word]


@settings(deadline=None, max_examples=150)
@given(texts)
def test_lines_are_tokenized_one_by_one(text: str) -> None:
    lines = tokenizer("words")(text.encode()).decode().split("\n")
    assert [line.split() for line in lines] == [tokenize(line) for line in text.split("\n")]


@settings(deadline=None, max_examples=150)
@given(texts, st.sampled_from(list(TOKENIZERS)))
def test_tokenizing_tokens_changes_nothing(text: str, name: str) -> None:
    tokens = tokenize(text, name)
    assert tokenize(" ".join(tokens), name) == tokens


@settings(deadline=None, max_examples=200)
@given(texts)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_ascii_is_treated_alike_beside_other_scripts(text: str) -> None:
    text = text.replace("\n", " ")
    assert tokenize(f"{text} é") == [*tokenize(text), "é"]


@pytest.mark.parametrize(
    "tokens",
    [
        ["Don't", "(STOP)", "ﬁ", "e\u0301"],
        ["<a>", "-", "...", "x\u00a0y"],
        ["İ", "a\ufeff"],
    ],
)
def test_whitespace_keeps_tokens_as_they_are(tokens: list[str]) -> None:
    assert tokenize(" \t\n".join(["", *tokens, ""]), "whitespace") == tokens


@pytest.mark.parametrize("space", " \t\n\r\v\f")
def test_whitespace_splits_at_each_ascii_space(space: str) -> None:
    assert tokenize(f"{space}a{space}{space}b", "whitespace") == ["a", "b"]


@pytest.mark.parametrize("find", [tokenizer, lambda name: tokenize("a", name)])
def test_unknown_tokenizer_error_lists_the_choices(find: object) -> None:
    with pytest.raises(ConfigurationError, match=r"'spacy'.*words.*whitespace"):
        find("spacy")  # type: ignore[operator]


def test_a_text_must_be_a_string() -> None:
    for text in (None, ["a b"], b"a b"):
        with pytest.raises(TypeError, match="expected a text, got"):
            tokenize(text)  # type: ignore[arg-type]
