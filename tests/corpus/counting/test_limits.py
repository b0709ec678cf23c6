"""Limits of counting: what is kept and what is left out, against `collections.Counter`."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from embedkit.corpus import long_words, reader
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting import runs
from embedkit.corpus.counting.limits import CountingLimits, LeftOut
from embedkit.corpus.phrases import Phrases
from embedkit.corpus.tokenizers import TOKENIZERS, tokenize
from embedkit.errors import ConfigurationError, CorpusError
from tests.corpus.counting.conftest import MEMORY
from tests.ranks import together

FOLDING = [name for name in TOKENIZERS if name != "whitespace"]


def most_common(sentences: list[list[str]], most: int) -> dict[str, int]:
    """Return the most frequent words; for equal counts, Counter keeps the order of the text."""
    counts = Counter(token for sentence in sentences for token in sentence)
    return dict(counts.most_common(most))


def assert_keeps(corpus: Corpus, sentences: list[list[str]], most: int) -> None:
    kept = most_common(sentences, most)
    assert corpus.vocabulary.words() == list(kept)
    assert corpus.vocabulary.counts.tolist() == list(kept.values())
    ids = {word: number for number, word in enumerate(kept)}
    tokens = [ids.get(token, most) for sentence in sentences for token in sentence]
    assert corpus.tokens.tolist() == tokens
    assert [*corpus] == [[token for token in s if token in ids] for s in sentences]
    lines = b"".join(corpus.lines()).decode().split("\n")[:-1]
    assert [line.split() for line in lines] == [*corpus]
    distinct = len({token for sentence in sentences for token in sentence})
    assert corpus.left_out == LeftOut(distinct - most, tokens.count(most))


@pytest.mark.parametrize("most", [1, 500, 20_000])
def test_most_frequent_words_are_kept(sentences: list[list[str]], text: Path, most: int) -> None:
    limits = CountingLimits(max_vocabulary=most)
    assert_keeps(Corpus.read(text, limits=limits), sentences, most)


def test_count_memory_changes_neither_counts_nor_order(
    sentences: list[list[str]],
    text: Path,
    monkeypatch: pytest.MonkeyPatch,
    little_memory: CountingLimits,
) -> None:
    written: list[int] = []
    add = runs.CountRuns.add
    monkeypatch.setattr(
        runs.CountRuns, "add", lambda own, table: written.append(len(table)) or add(own, table)
    )
    corpus = Corpus.read(text, limits=little_memory)
    assert len(written) > 5
    assert_keeps(corpus, sentences, MEMORY // 384)
    again = Corpus.read(text, limits=CountingLimits(count_memory=MEMORY, max_vocabulary=300))
    assert_keeps(again, sentences, 300)
    in_memory = Corpus.read(text, limits=CountingLimits(max_vocabulary=300))
    assert again.fingerprint == in_memory.fingerprint


def test_text_that_fits_into_the_memory_is_kept_completely(
    sentences: list[list[str]], little_memory: CountingLimits
) -> None:
    few = [["a", "b"], *sentences[:50]]
    corpus = Corpus.read(few, limits=little_memory)
    assert corpus.fingerprint == Corpus.read(few).fingerprint
    assert corpus.left_out == LeftOut()


def test_words_that_are_too_long_are_left_out_and_counted(tmp_path: Path) -> None:
    limits = CountingLimits(max_word_length=5)
    long = "é" * 6
    path = tmp_path / "text"
    path.write_text(f"one {long} ééééé two\n{long}\n{long} three\n")
    expected = [["one", "ééééé", "two"], ["three"]]
    for source in (path, [["one", long, "ééééé", "two"], [long], [long, "three"]]):
        corpus = Corpus.read(source, limits=limits)
        assert [*corpus] == expected
        assert corpus.left_out == LeftOut(too_long=3)


@pytest.mark.parametrize(
    ("tokenizer", "between"),
    [*itertools.product(TOKENIZERS, " \n"), *itertools.product(FOLDING, ",。")],
)
def test_word_of_megabytes_is_left_out_without_being_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: str, between: str
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 1_000)
    monkeypatch.setattr(long_words, "_LONGEST_WORD", 5_000)
    longest = 0
    original = long_words.LongWords.remove

    def remove(self: long_words.LongWords, data: bytes) -> bytes:
        nonlocal longest
        longest = max(longest, len(data))
        return original(self, data)

    monkeypatch.setattr(long_words.LongWords, "remove", remove)
    (tmp_path / "text").write_text(f"a{between}{'字' * 30_000}{between}b")
    corpus = Corpus.read(tmp_path / "text", tokenizer=tokenizer)
    others = tokenize(f"a{between}{between}b", tokenizer)
    assert [word for sentence in corpus for word in sentence] == others
    assert corpus.left_out == LeftOut(too_long=1)
    assert longest < 8_000


@pytest.mark.parametrize("separator", [",", "，", "·"])
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_long_line_without_white_space_is_cut_between_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: str, separator: str
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 1_000)
    monkeypatch.setattr(long_words, "_LONGEST_WORD", 3_000)
    line = separator.join(f"字{number}" for number in range(5_000))
    (tmp_path / "text").write_text(f"{line}\nend")
    corpus = Corpus.read(tmp_path / "text", tokenizer=tokenizer)
    cut = tokenizer in FOLDING
    assert [*corpus] == [*([tokenize(line, tokenizer)] if cut else []), ["end"]]
    assert corpus.left_out == LeftOut(too_long=not cut)


def test_phrases_do_not_span_words_that_were_left_out() -> None:
    text = [["new", "york"]] * 20 + [["old", f"rare{n}", "town"] for n in range(20)] + [
        ["old", "house"], ["small", "town"], ["york"], ["new"]
    ] * 3  # fmt: skip
    corpus = Corpus.read(text, limits=CountingLimits(max_vocabulary=6))
    assert set(corpus.vocabulary) == {"new", "york", "old", "town", "house", "small"}
    learned, joined = Phrases.learn_and_apply(
        corpus, Phrases.learn(corpus, threshold=0.1, min_count=4).settings
    )
    assert [phrase.words for phrase in learned] == [("new", "york")]
    expected = [["new_york"]] * 20 + [["old", "town"]] * 20 + [
        ["old", "house"], ["small", "town"], ["york"], ["new"]
    ] * 3  # fmt: skip
    assert [*joined] == expected
    assert joined.left_out == corpus.left_out == LeftOut(20, 20)


def test_ranks_keep_the_same_words(text: Path, tmp_path: Path) -> None:
    found = together(
        """
from embedkit.corpus import long_words, reader
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting import limits
from embedkit.corpus.counting.limits import CountingLimits
reader._BLOCK_BYTES = 20_000
limits.RANGES["count_memory"] = (1 << 20, 1 << 50)
corpus = Corpus.read(sys.argv[2], ranks=ranks, limits=CountingLimits(count_memory=1 << 20))
tell(words=corpus.vocabulary.words(), counts=corpus.vocabulary.counts.tolist(),
     known=int((corpus.tokens < len(corpus.vocabulary)).sum()), left_out=vars(corpus.left_out))
""",
        2, tmp_path, text,
    )  # fmt: skip
    tokens = text.read_text().split()
    counts, most = Counter(tokens), MEMORY // 384
    for rank in found:
        assert rank["words"] == found[0]["words"]
        assert len(rank["words"]) == most
        assert rank["counts"] == [count for _, count in counts.most_common(most)]
        assert rank["counts"] == [counts[word] for word in rank["words"]]
        left_out = {"words": len(counts) - most, "tokens": len(tokens) - sum(rank["counts"])}
        assert rank["left_out"] == {**left_out, "too_long": 0}
    assert sum(rank["known"] for rank in found) == sum(found[0]["counts"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one two three", "all 3 tokens of the corpus have more than 2 characters"),
        ("one", "the only token of the corpus has more than 2 characters"),
        ("", "the corpus is empty: it contains no tokens"),
    ],
)
def test_text_of_which_nothing_is_left_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "text").write_text(text)
    with pytest.raises(CorpusError, match=message) as error:
        Corpus.read(tmp_path / "text", limits=CountingLimits(max_word_length=2))
    assert ("--max-word-length" in error.value.hint) is bool(text)


@pytest.mark.parametrize(
    ("setting", "value", "limits"),
    [
        ("max_word_length", 0, "between 1 and 65,536"),
        ("max_vocabulary", 0, "between 1 and 2,147,483,646"),
        ("count_memory", 1_000, "between 33,554,432 and 1,125,899,906,842,624"),
    ],
)
def test_limit_out_of_range_is_an_error(setting: str, value: int, limits: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{setting} must be an integer {limits}"):
        CountingLimits(**{setting: value})


def peak_of_reading(path: Path, limits: CountingLimits) -> int:
    """Return the peak memory of a process that reads a text, in megabytes."""
    program = f"""
from embedkit.corpus import Corpus, CountingLimits
from embedkit.system.memory import peak_memory
Corpus.read({str(path)!r}, limits={limits!r})
print(peak_memory() >> 20)
"""
    return int(subprocess.check_output([sys.executable, "-c", program]))


@pytest.mark.slow
def test_counting_stays_within_its_memory(tmp_path: Path) -> None:
    (tmp_path / "small").write_text("one two\n")
    lines = (" ".join(f"{n:x}" for n in range(at, at + 50)) for at in range(0, 2_500_000, 50))
    (tmp_path / "large").write_text("\n".join(lines))
    base = peak_of_reading(tmp_path / "small", CountingLimits())
    assert peak_of_reading(tmp_path / "large", CountingLimits()) - base > 100
    for limits in (CountingLimits(count_memory=32 << 20), CountingLimits(max_vocabulary=1_000)):
        memory = limits.count_memory or 256 << 20
        assert peak_of_reading(tmp_path / "large", limits) - base < memory >> 20
