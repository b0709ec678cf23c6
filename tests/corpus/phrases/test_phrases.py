"""Phrases against gensim's `Phrases`: candidates, scores and joined sentences, token by token."""

from __future__ import annotations

import gzip
import lzma
import math
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gensim.models.phrases import ENGLISH_CONNECTOR_WORDS
from gensim.models.phrases import Phrases as GensimPhrases
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.phrases import CONNECTORS, Phrases, PhraseSettings, count, join
from embedkit.errors import ConfigurationError, CorpusError, OutputExistsError, StorageError

Sentences = list[list[str]]
SHARED = Path(os.environ.get("EMBEDKIT_SHARED", Path(__file__).parents[4] / "shared"))

# Words that are spelled like joined ones, and connectors with the delimiter in them.
words = st.sampled_from(
    ["a", "b", "c", "d", "of", "the", "a_b", "b_c", "of_a", "_", "_a", "a_", "c_of_d", "é"]
)
texts = st.lists(st.lists(words, min_size=1, max_size=9), min_size=1, max_size=30)
scorings = st.one_of(
    st.tuples(st.just("mikolov"), st.sampled_from([0.01, 0.1, 0.5, 1.0, 3.0])),
    st.tuples(st.just("npmi"), st.sampled_from([-1.0, -0.3, 0.0, 0.2, 0.5, 1.0])),
)
connectors = st.sampled_from([(), ("of", "the"), ("of", "the", "of_a")])


def gensim_pass(text: Sentences, chosen: PhraseSettings) -> GensimPhrases:
    return GensimPhrases(
        text,
        min_count=chosen.min_count,
        threshold=chosen.threshold,
        scoring={"mikolov": "default"}.get(chosen.scoring, chosen.scoring),
        connector_words=frozenset(chosen.connectors),
        delimiter=chosen.delimiter,
    )


def expected_phrases(text: Sentences, peer: GensimPhrases) -> dict[tuple[str, ...], Any]:
    """Return the score and count that gensim gives every candidate of a text above the threshold.

    Its `export_phrases` takes a joined word apart again and scores its first and last piece, which
    after the first pass are other words than those that were joined.
    """
    found = {}
    for sentence in text:
        pending: list[str] = []
        for word in sentence:
            if word in peer.connector_words:
                pending += [word] if pending else []
                continue
            if pending:
                spelled, score = peer.score_candidate(pending[0], word, pending[1:])
                if score is not None:
                    found[(*pending, word)] = (score, peer.vocab[spelled])
            pending = [word]
    return found


def check_against_gensim(text: Sentences, learned: Phrases, corpus: Corpus) -> None:
    joined = text
    for found in learned.passes:
        peer = gensim_pass(joined, learned.settings)
        assert {phrase.words: phrase[1:] for phrase in found} == expected_phrases(joined, peer)
        joined = [peer[sentence] for sentence in joined]
    applied = learned.apply(corpus)
    assert list(applied) == joined
    # As if the joined text had been read, so training on it gives the same bytes.
    again = Corpus.read(joined)
    assert (applied.fingerprint, applied.vocabulary) == (again.fingerprint, again.vocabulary)


@given(text=texts, scoring=scorings, min_count=st.integers(1, 3), inside=connectors)
@settings(max_examples=60, deadline=None)
def test_three_passes_equal_gensim(
    text: Sentences, scoring: tuple[str, float], min_count: int, inside: tuple[str, ...]
) -> None:
    corpus = Corpus.read(text)
    chosen = PhraseSettings(3, *scoring, min_count, inside)
    learned, applied = Phrases.learn_and_apply(corpus, chosen)
    check_against_gensim(text, learned, corpus)
    assert list(applied) == list(learned.apply(corpus)) == [learned.apply(s) for s in text]
    assert Phrases.learn(corpus, chosen).passes[: chosen.passes] == learned.passes
    assert "".join(bytes(lines).decode() for lines in applied.lines()) == "".join(
        " ".join(sentence) + "\n" for sentence in applied
    )


def random_text(tokens: int, kinds: int, length: int) -> Sentences:
    draw = random.Random(1)
    chosen = [f"w{int(draw.paretovariate(0.8)) % kinds}" for _ in range(tokens)]
    return [chosen[start : start + length] for start in range(0, tokens, length)]


@pytest.mark.parametrize("length", [1, 7, 20_000], ids=["one word", "short", "one sentence"])
def test_block_and_partition_sizes_change_nothing(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = random_text(20_000, 300, length)
    monkeypatch.setattr(count, "_BLOCK", 999)
    monkeypatch.setattr(count, "_PARTITION", 500)
    monkeypatch.setattr(join, "_BLOCK", 64)
    corpus = Corpus.read(text)
    chosen = PhraseSettings(2, threshold=0.1, min_count=2, connectors=("w2", "w3"))
    learned = Phrases.learn(corpus, chosen)
    assert (len(learned) > 20) == (length > 1)
    check_against_gensim(text, learned, corpus)


def test_connectors_longer_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "_BLOCK", 4)
    text = [["a", *["of"] * 50, "b"], ["of"] * 30, ["a", *["of"] * 40]] * 2
    corpus = Corpus.read(text)
    learned = Phrases.learn(corpus, threshold=0.01, min_count=1, connectors=["of"])
    check_against_gensim(text, learned, corpus)
    assert learned.apply(text[0]) == ["_".join(text[0])]


def test_scores_by_hand() -> None:
    text = [["new", "york", "is", "big"], ["new", "york"], ["new", "york"], ["new", "is"]]
    corpus = Corpus.read(text)
    # Distinct: new, york, is, big; new york, york is, is big, new is.
    (phrase,) = Phrases.learn(corpus, threshold=1.0, min_count=1)
    assert phrase == (("new", "york"), pytest.approx((3 - 1) * 8 / (4 * 3)), 3)
    (phrase,) = Phrases.learn(corpus, threshold=0.7, scoring="npmi", min_count=2)
    expected = math.log((3 / 10) / (4 / 10 * 3 / 10)) / -math.log(3 / 10)
    assert phrase == (("new", "york"), pytest.approx(expected), 3)


def test_two_passes_give_four_words_with_common_ones_inside() -> None:
    random.seed(3)
    filler = [f"w{n}" for n in range(400)]
    text = [
        [*random.sample(filler, 3), "united", "states", "of", "america", *random.sample(filler, 3)]
        for _ in range(200)
    ]
    learned = Phrases.learn(
        Corpus.read(text), passes=2, threshold=2, connectors=CONNECTORS["english"]
    )
    tokens = ["the", "united", "states", "of", "america", "and", "the", "united", "states"]
    assert learned.apply(tokens) == [
        "the",
        "united_states_of_america",
        "and",
        "the",
        "united_states",
    ]
    assert set(CONNECTORS["english"]) == ENGLISH_CONNECTOR_WORDS


def test_applied_to_a_text_with_other_words() -> None:
    learned = Phrases.learn(Corpus.read([["a", "b", "c", "d"]] * 9), threshold=0.1, min_count=1)
    other = [["x", "a", "b"], ["c", "d"], ["b", "a"], ["a_b"]]
    joined = [["x", "a_b"], ["c_d"], ["b", "a"], ["a_b"]]
    assert list(learned.apply(Corpus.read(other))) == joined
    assert [learned.apply(sentence) for sentence in other] == joined
    assert learned.apply([]) == []


@given(text=texts, delimiter=st.sampled_from(["_", "~", "::", "\u2581"]))
@settings(max_examples=30, deadline=None)
def test_saved_phrases_are_loaded(
    text: Sentences, delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    learned = Phrases.learn(
        Corpus.read(text), passes=2, threshold=0.1, min_count=1, delimiter=delimiter
    )
    path = tmp_path_factory.getbasetemp() / "phrases.tsv"
    learned.save(path, overwrite=True)
    again = Phrases.load(path)
    assert again.settings == learned.settings
    assert list(again) == list(learned)
    path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
    assert list(Phrases.load(path.with_suffix(".gz"))) == list(learned)


def test_saving_keeps_existing_files_and_rejects_white_space(tmp_path: Path) -> None:
    learned = Phrases.learn(Corpus.read([["a", "b"]] * 9), threshold=0.1)
    learned.save(tmp_path / "p.tsv")
    with pytest.raises(OutputExistsError):
        learned.save(tmp_path / "p.tsv")
    spaced = Phrases.learn(Corpus.read([["a x", "b"]] * 9), threshold=0.1)
    assert spaced.apply(["a x", "b"]) == ["a x_b"]
    with pytest.raises(ConfigurationError, match="'a x' contains white space"):
        spaced.save(tmp_path / "q.tsv")
    assert not (tmp_path / "q.tsv").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*: No such file"),
        (b"", "is not a phrase file"),
        (b"new_york\t1.0\t2\t1\tnew york\n", "is not a phrase file"),
        (b"\xff\xfe", "line 1, byte 1: the text is not UTF-8"),
        (
            b"# embedkit phrases {\n",
            "p, line 1: the settings are not JSON. Write",
        ),
        (b"# embedkit phrases " + b"[" * 99_999, "line 1: the settings are not JSON"),
        (b"# embedkit phrases []\n", r"line 1: invalid settings \[\]"),
        (b'# embedkit phrases {"connectors": 5}\n', "line 1: invalid settings .*5}"),
        (b'# embedkit phrases {"passes": 99}\n', "line 1: passes must be an integer"),
        (b'# embedkit phrases {"colour": 1}\n', "line 1: unknown setting 'colour'"),
        (
            b"# embedkit phrases {}\nx_y\t1\t2\t1\tx y\nx_y\t1\t2\n",
            "line 3: .* 5 columns .*, got 3",
        ),
        (b"# embedkit phrases {}\n\n\n", "line 2: expected 5 columns .joined form, score.*, got 1"),
        (b"# embedkit phrases {}\nx_y\t1\t2\t2\tx y\n", "line 2: pass 2 cannot follow"),
        (b"# embedkit phrases {}\nx_y\t1\t2\t0\tx y\n", "line 2: pass 0 cannot follow"),
        (b"# embedkit phrases {}\nx\t1\t2\t1\tx\n", "line 2: expected two or more words .* 'x'"),
        (b"# embedkit phrases {}\nx\t1\t2\t1\tx \n", "line 2: expected two or more words .* 'x '"),
        (b"# embedkit phrases {}\nx_y\tmany\t2\t1\tx y\n", "line 2: score, .* got many, 2 and 1"),
        (
            b"# embedkit phrases {}\nx_y\tnan\t2\t1\tx y\n",
            "line 2: the score must be .* got nan",
        ),
        (b"# embedkit phrases {}\nx_y\t1e999\t2\t1\tx y\n", "line 2: the score must be finite"),
        (b"# embedkit phrases {}\nx_y\t1\t0\t1\tx y\n", "line 2: .*count at least 1, got .* and 0"),
        (gzip.compress(b"# embedkit phrases {}\n" * 99, mtime=0)[:-9], "damaged or cut short"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 9, "damaged or cut short"),
        (lzma.compress(b"# embedkit phrases {}\n")[:12] + b"\xff" * 20, "damaged or cut short"),
    ],
)
def test_invalid_phrase_file_is_rejected(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "p").write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        Phrases.load(tmp_path / "p")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"passes": 0}, "passes must be an integer between 1 and 10, got 0"),
        ({"passes": 99}, "passes .* got 99"),
        ({"passes": True}, "passes"),
        ({"min_count": 0}, "min_count must be an integer between 1"),
        ({"threshold": math.nan}, "threshold must be a finite number above 0"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": math.inf}, "threshold"),
        ({"threshold": "high"}, "threshold"),
        ({"threshold": 1.1, "scoring": "npmi"}, "threshold must be a number between -1 and 1"),
        ({"threshold": math.nan, "scoring": "npmi"}, "threshold"),
        ({"scoring": "pmi"}, "unknown scoring 'pmi'; choose from mikolov, npmi"),
        ({"delimiter": " "}, "delimiter"),
        ({"delimiter": "a b"}, "delimiter"),
        ({"delimiter": ""}, "delimiter"),
        ({"delimiter": "\0"}, "delimiter"),
        ({"connectors": "of"}, "connectors must be a list of words"),
        ({"connectors": ["of the"]}, "connectors must be words without white space"),
        ({"connectors": [3]}, "connectors must be words without white space"),
        ({"colour": 3}, "unknown setting 'colour'"),
    ],
)
def test_invalid_settings_are_rejected(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        PhraseSettings.of(**changes)


def test_string_instead_of_tokens_is_rejected() -> None:
    learned = Phrases.learn(Corpus.read([["a", "b"]] * 9), threshold=0.1)
    with pytest.raises(ConfigurationError, match="'a b'"):
        learned.apply("a b")


def test_unwritable_directory_is_a_storage_error() -> None:
    corpus = Corpus.read([["a", "b"]] * 9)
    with pytest.raises(StorageError, match="cannot write /nowhere"):
        Phrases.learn(corpus, directory="/nowhere")


class Shared:
    """Ranks that are threads, which meet to gather what each has."""

    def __init__(self, rank: int, size: int, meet: Callable[[int, bytes], list[bytes]]) -> None:
        self.rank, self.size, self._meet = rank, size, meet

    def gather(self, data: bytes) -> list[bytes]:
        return self._meet(self.rank, data)

    def total(self, array: Any) -> Any:
        import numpy as np

        parts = self.gather(np.ascontiguousarray(array).tobytes())
        return sum(np.frombuffer(part, dtype=array.dtype) for part in parts)


def test_ranks_find_the_phrases_of_the_whole_text(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    text = random_text(600_000, 500, 9)  # two blocks at least, or a rank has none
    path = tmp_path / "text"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in text))
    chosen = PhraseSettings(2, threshold=0.02, connectors=("w2",))
    barrier, slots = Barrier(2), [b"", b""]

    def meet(rank: int, data: bytes) -> list[bytes]:
        slots[rank] = data
        barrier.wait(60)
        found = list(slots)
        barrier.wait(60)
        return found

    def work(rank: int) -> tuple[Phrases, Corpus]:
        ranks: Any = Shared(rank, 2, meet)
        return Phrases.learn_and_apply(Corpus.read(path, ranks=ranks), chosen, ranks=ranks)

    alone, joined = Phrases.learn_and_apply(Corpus.read(path), chosen)
    with ThreadPoolExecutor(2) as pool:
        (first, one), (second, two) = pool.map(work, range(2))
    assert first.passes == second.passes == alone.passes
    assert one.vocabulary == two.vocabulary
    assert sorted([*one, *two]) == sorted(joined)


@pytest.mark.slow
@pytest.mark.parametrize("scoring", ["mikolov", "npmi"])
def test_real_text_is_joined_as_by_gensim(scoring: str) -> None:
    path = SHARED / "corpora" / "wiki-dev.txt.xz"
    if not path.exists():
        pytest.skip(f"no {path}; EMBEDKIT_SHARED names the folder")
    corpus = Corpus.read(path)
    text = list(corpus)
    chosen = PhraseSettings(1, scoring, connectors=CONNECTORS["english"])
    learned, joined = Phrases.learn_and_apply(corpus, chosen)
    peer = gensim_pass(text, chosen)
    assert {"_".join(p.words): p.score for p in learned} == {
        spelled: score
        for spelled, score in peer.export_phrases().items()
        if peer.vocab[spelled] >= 5
    }
    assert all(ours == peer[theirs] for ours, theirs in zip(joined, text, strict=True))
