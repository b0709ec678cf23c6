"""Character codes, calculated by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import CharCodeEncoder
from embedkit.errors import WordTooLongError

texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12
)


def encoder(*words: str, truncate: bool = False) -> CharCodeEncoder:
    return CharCodeEncoder.from_vocabulary(Vocabulary(words), truncate=truncate)


def test_word_is_its_code_points() -> None:
    assert encoder("cat").encode(["cat"]).tolist() == [[99, 97, 116]]


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("cat", "bat", 1.0),
        ("cat", "paw", np.sqrt(13**2 + 0 + 3**2)),
        ("cat", "cats", 115.0),
        ("cat", "cat", 0.0),
    ],
)
def test_l2_distance(first: str, second: str, distance: float) -> None:
    vectors = encoder("cat", "bat", "paw", "cats").vectors()
    assert vectors.distance([first, second])[0, 1] == pytest.approx(distance, rel=1e-12)


def test_cat_is_13_342_from_paw_and_1_from_bat() -> None:
    found = encoder("cat", "bat", "paw").vectors().neighbors("cat", metric="l2")
    assert [(word, round(score, 3)) for word, score in found] == [("bat", 1.0), ("paw", 13.342)]


def test_short_words_are_padded_with_zeros() -> None:
    fitted = CharCodeEncoder().fit([["cats", "a"]])
    assert fitted.dimension == 4
    assert fitted.encode(["cat", "a", ""]).tolist() == [
        [99, 97, 116, 0],
        [97, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_longest_word_that_is_frequent_enough_sets_the_dimension() -> None:
    assert CharCodeEncoder(min_count=2).fit([["cat", "cat", "caterpillar"]]).dimension == 3


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("é", [0xE9, 0]),
        ("e\u0301", [0x65, 0x301]),
        ("猫", [0x732B, 0]),
        ("😀a", [0x1F600, 0x61]),
        ("\U0010ffff", [0x10FFFF, 0]),
    ],
)
def test_every_character_is_one_number(word: str, codes: list[int]) -> None:
    assert encoder("ab").encode([word]).tolist() == [codes]


def test_astral_characters_count_once() -> None:
    fitted = encoder("😀😃")
    assert fitted.dimension == 2
    assert fitted.vectors().matrix.tolist() == [[0x1F600, 0x1F603]]


def test_too_long_words_are_rejected_with_both_lengths() -> None:
    message = r"'caterpillar' has 11 characters, .* 3\. .*truncate=True"
    with pytest.raises(WordTooLongError, match=message):
        encoder("cat").encode(["bat", "caterpillar"])


def test_truncation_cuts_longer_words() -> None:
    cutting = encoder("cat", truncate=True)
    assert cutting.encode(["caterpillar"]).tolist() == cutting.encode(["cat"]).tolist()


@pytest.mark.parametrize("truncate", [True, False])
def test_truncation_is_saved(tmp_path: Path, truncate: bool) -> None:
    CharCodeEncoder(truncate=truncate).fit([["cat"]]).save(tmp_path / "model")
    opened = embedkit.load_encoder(tmp_path / "model")
    assert isinstance(opened, CharCodeEncoder)
    assert opened.truncate is truncate


def test_model_of_another_encoder_gives_character_codes(model: Path) -> None:
    vectors = embedkit.load(model, encoder="charcode")
    assert vectors.vocabulary == embedkit.load(model).vocabulary
    assert vectors["paris"].tolist()[:6] == [112, 97, 114, 105, 115, 0]


def test_an_empty_vocabulary_has_dimension_0() -> None:
    fitted = encoder()
    assert fitted.dimension == 0
    assert fitted.vectors().matrix.shape == (0, 0)


@settings(deadline=None)
@given(words=st.lists(texts, min_size=1, max_size=20, unique=True))
def test_codes_decode_to_the_words(words: list[str]) -> None:
    fitted = encoder(*words)
    assert fitted.dimension == max(map(len, words))
    for word, row in zip(words, fitted.vectors().matrix, strict=True):
        codes = [int(code) for code in row]
        assert "".join(map(chr, codes[: len(word)])) == word
        assert not any(codes[len(word) :])
