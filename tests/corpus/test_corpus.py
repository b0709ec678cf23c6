"""Token ids, counts and sentences against `collections.Counter` and lists of lists."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus import reader
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting.limits import CountingLimits
from embedkit.corpus.tokenizers import tokenize
from embedkit.errors import ConfigurationError, CorpusError, EncodingError

BLOCK_BYTES = [1, 7, 50, 1 << 20]

# Python and the reader agree on what is white space if no other control character is there.
plain = st.characters(exclude_categories=["Cs", "Cc"])
pieces = st.sampled_from(["\n", " ", "\r\n", "\t", "a", "b", "The", "don't", "中文", "é", "-", "ß"])
texts = st.lists(st.one_of(pieces, pieces, plain), max_size=60).map("".join)
any_texts = st.lists(st.one_of(pieces, st.characters(exclude_categories=["Cs"]))).map("".join)
token_lists = st.lists(
    st.lists(st.one_of(st.sampled_from("abcde"), st.text(min_size=1, max_size=3)), max_size=6)
)


def assert_is(corpus: Corpus, sentences: Iterable[Sequence[str]]) -> None:
    """Compare with sentences counted by hand: equal counts go by first sight, as in Counter."""
    expected = [list(sentence) for sentence in sentences if sentence]
    counted = Counter(token for sentence in expected for token in sentence).most_common()
    ids = {word: number for number, (word, _) in enumerate(counted)}
    assert corpus.vocabulary.words() == list(ids)
    assert corpus.vocabulary.counts.tolist() == [count for _, count in counted]
    assert corpus.tokens.tolist() == [ids[token] for sentence in expected for token in sentence]
    lengths = [len(sentence) for sentence in expected]
    assert corpus.boundaries.tolist() == np.cumsum([0, *lengths]).tolist()
    assert len(corpus) == len(expected)
    assert list(corpus) == expected


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def to_file(text: str | bytes) -> Path:
        (tmp_path / "text").write_bytes(text.encode() if isinstance(text, str) else text)
        return tmp_path / "text"

    return to_file


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for examples of hypothesis, each of which writes it anew."""
    return tmp_path_factory.mktemp("corpus") / "text"


def read(path: Path, text: str, *, block_bytes: int, **options: Any) -> Corpus:
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_BLOCK_BYTES", block_bytes)
        return Corpus.read(path, **options)


@settings(deadline=None, max_examples=200)
@given(text=texts, block_bytes=st.sampled_from(BLOCK_BYTES), workers=st.sampled_from([1, 3]))
def test_words_between_white_space_are_counted(
    path: Path, text: str, block_bytes: int, workers: int
) -> None:
    text = f"first\n{text}"
    corpus = read(path, text, block_bytes=block_bytes, workers=workers, tokenizer="whitespace")
    lines = text.encode().split(b"\n")
    assert_is(corpus, [[token.decode() for token in line.split()] for line in lines])


@settings(deadline=None, max_examples=200)
@given(text=any_texts, block_bytes=st.sampled_from(BLOCK_BYTES), workers=st.sampled_from([1, 3]))
def test_words_of_text_are_counted(path: Path, text: str, block_bytes: int, workers: int) -> None:
    text = f"first\n{text}"
    corpus = read(path, text, block_bytes=block_bytes, workers=workers)
    assert_is(corpus, [tokenize(line) for line in text.split("\n")])


@settings(deadline=None, max_examples=100)
@given(token_lists)
def test_token_lists_are_counted_as_they_are(sentences: list[list[str]]) -> None:
    sentences.append(["last of all"])
    assert_is(Corpus.read(sentences), sentences)


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        iter,
        lambda sentences: (sentence for sentence in sentences),
        lambda sentences: (tuple(sentence) for sentence in sentences),
        lambda sentences: {tuple(sentence): None for sentence in sentences},
    ],
    ids=["list", "tuple", "iterator", "generator", "generator of tuples", "dict of tuples"],
)
def test_sentences_may_come_from_any_iterable(kind: Callable[[Any], Any]) -> None:
    sentences = [["The", "cat"], [], ["the", "cat", "New York"]]
    assert_is(Corpus.read(kind(sentences)), sentences)


def test_text_of_many_blocks_is_counted(write: Callable[[str], Path]) -> None:
    numbers = np.random.default_rng(0).zipf(1.3, size=(30_000, 9)).tolist()
    lines = [[f"w{number}" for number in line] for line in numbers]
    path = write("\n".join(map(" ".join, lines)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_BLOCK_BYTES", 20_000)
        assert_is(Corpus.read(path), lines)
    assert_is(Corpus.read(line for line in lines), lines)


def test_line_across_many_blocks_is_one_sentence(write: Callable[[str], Path]) -> None:
    words = 2_000_000
    text = "before\n" + "".join(f"w{number % 1000:03d} " for number in range(words)) + "\nafter"
    assert len(text) > 10_000_000
    corpus = Corpus.read(write(text))
    assert corpus.boundaries.tolist() == [0, 1, words + 1, words + 2]
    assert dict(zip(corpus.vocabulary, corpus.vocabulary.counts.tolist(), strict=True)) == {
        **{f"w{number:03d}": words // 1000 for number in range(1000)},
        "before": 1,
        "after": 1,
    }


def test_word_across_many_blocks_is_not_split(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 1_000)
    long = "é" * 25_000
    corpus = Corpus.read(
        write(f"a {long} b\n{long}"), limits=CountingLimits(max_word_length=25_000)
    )
    assert_is(corpus, [["a", long, "b"], [long]])


@pytest.mark.parametrize("block_bytes", BLOCK_BYTES)
@pytest.mark.parametrize("character", ["é", "中", "😀"])
def test_character_across_two_blocks_is_not_split(
    path: Path, character: str, block_bytes: int
) -> None:
    lines = ["x" * number + character for number in range(12)]
    corpus = read(path, " ".join(lines), block_bytes=block_bytes, tokenizer="whitespace")
    assert_is(corpus, [lines])


@pytest.mark.parametrize("tokenizer", ["words", "whitespace"])
@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("a b\r\nc\r\n", [["a", "b"], ["c"]]),
        ("\n\n a\n \t\n\nb \n\n", [["a"], ["b"]]),
        ("a\nb", [["a"], ["b"]]),
        ("a\rb\vc\fd", [["a", "b", "c", "d"]]),
        ("a", [["a"]]),
    ],
)
def test_sentences_end_with_their_lines(
    write: Callable[[str], Path], text: str, sentences: list[list[str]], tokenizer: str
) -> None:
    assert_is(Corpus.read(write(text), tokenizer=tokenizer), sentences)


@pytest.mark.parametrize("text", ["", "\n", "\n\n \r\n\t\n", "... !\n--\n"])
def test_text_without_tokens_is_an_error(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(CorpusError, match="the corpus is empty"):
        Corpus.read(write(text))


@pytest.mark.parametrize("tokenizer", ["words", "whitespace"])
@pytest.mark.parametrize(
    "line", ["a\x00b", "\x00\x00", "a\x1cb\x1dc", "a\x01 \x7f", "A-b 'C'", "é\x00中", "a\x85b\xa0c"]
)
def test_reader_and_tokenize_give_the_same_tokens(
    write: Callable[[str], Path], line: str, tokenizer: str
) -> None:
    corpus = Corpus.read(write(f"first\n{line}\n"), tokenizer=tokenizer)
    assert_is(corpus, [["first"], tokenize(line, tokenizer)])


def test_tokenizer_is_remembered_unless_tokens_were_given(write: Callable[[str], Path]) -> None:
    assert Corpus.read(write("a b")).tokenizer == "words"
    assert Corpus.read(write("a b"), tokenizer="whitespace").tokenizer == "whitespace"
    assert Corpus.read([["a", "b"]]).tokenizer is None


@pytest.mark.parametrize(
    ("options", "message"),
    [({"tokenizer": "spacy"}, "spacy"), ({"errors": "surrogateescape"}, "strict, replace, skip")],
)
def test_unknown_option_is_rejected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Corpus.read([["a"]], **options)


def test_arrays_are_read_only_memory_maps(write: Callable[[str], Path]) -> None:
    corpus = Corpus.read(write("a b a\nc"))
    assert isinstance(corpus.tokens, np.memmap)
    assert isinstance(corpus.boundaries, np.memmap)
    assert (corpus.tokens.dtype, corpus.boundaries.dtype) == (np.int32, np.int64)
    for array in (corpus.tokens, corpus.boundaries):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.fixture
def ids_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for the ids that must be empty in the end."""
    (tmp_path / "ids").mkdir()
    yield tmp_path / "ids"
    assert os.listdir(tmp_path / "ids") == []  # noqa: PTH208


def test_no_file_is_left_in_the_directory(ids_folder: Path) -> None:
    corpus = Corpus.read([["a", "b"]], directory=ids_folder)
    assert list(ids_folder.iterdir()) == []
    assert list(corpus) == [["a", "b"]]


@pytest.mark.parametrize(
    ("text", "error"),
    [(b"caf\xe9", EncodingError), (b"\n", CorpusError), (b"\x1f\x8b\x08", CorpusError)],
)
def test_no_file_is_left_in_the_directory_after_an_error(
    ids_folder: Path, write: Callable[[bytes], Path], text: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        Corpus.read(write(text), directory=ids_folder)


@settings(deadline=None, max_examples=60)
@given(sentences=token_lists, block_bytes=st.sampled_from(BLOCK_BYTES[:-1]))
def test_same_content_has_the_same_fingerprint(
    path: Path, sentences: list[list[str]], block_bytes: int
) -> None:
    words = [["first"], *([f"w{ord(t[0])}" for t in sentence] for sentence in sentences)]
    text = "\n".join(map(" ".join, words))
    expected = Corpus.read(words).fingerprint
    assert read(path, text, block_bytes=block_bytes, workers=3).fingerprint == expected
    assert read(path, f"{text}\n\n", block_bytes=1 << 20).fingerprint == expected


def test_different_content_has_a_different_fingerprint() -> None:
    contents = [
        *([["a", "b"]], [["b", "a"]], [["a"], ["b"]], [["a", "b"], ["a"]], [["a", "a"]]),
        *(
            [["a", "b", "a"]],
            [["a", "a", "b"]],
            [["ab"]],
            [["a", "c"]],
            [["A", "b"]],
            [["ab", "c"]],
            [["a", "bc"]],
        ),
    ]
    assert len({Corpus.read(content).fingerprint for content in contents}) == len(contents)


def test_fingerprint_is_a_hexadecimal_number() -> None:
    assert len(bytes.fromhex(Corpus.read([["a"]]).fingerprint)) == 16


def test_token_that_is_not_utf8_is_rejected() -> None:
    with pytest.raises(CorpusError, match=r"'a\\ud800' cannot be encoded as UTF-8") as raised:
        Corpus.read([["good", "a\ud800"]])
    assert "Replace it" in str(raised.value.hint)


def test_number_of_threads_is_checked() -> None:
    for workers in (-1, 0, 10**9, 1.5):
        with pytest.raises(
            ConfigurationError, match=r"workers must be an integer between 1 and 1,024"
        ):
            Corpus.read([["a"]], workers=workers)  # type: ignore[arg-type]
