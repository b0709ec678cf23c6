"""Quality of trained vectors: on the corpus that ships, and on real text compared with gensim."""

from __future__ import annotations

import lzma
import os
import re
import shutil
from pathlib import Path

import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import SkipGramEncoder, load
from embedkit.evaluation import analogy_accuracy, word_similarity
from embedkit.vectors.word_vectors import WordVectors

CORPORA = Path(__file__).parent.parent / "corpora"
SHARED = Path(os.environ.get("EMBEDKIT_SHARED", CORPORA.parent.parent / "shared"))

QUESTIONS = [
    ("paris", "france", "italy", "rome"),
    ("king", "man", "woman", "queen"),
    ("bigger", "big", "cold", "colder"),
    ("sushi", "japan", "germany", "bratwurst"),
    ("cu", "copper", "gold", "au"),
    ("windows", "microsoft", "google", "android"),
    ("montreal_canadiens", "montreal", "toronto", "toronto_maple_leafs"),
]


def world(seed: int) -> WordVectors:
    return SkipGramEncoder(seed=seed).fit(CORPORA / "world.txt").vectors()


@pytest.fixture(scope="module")
def vectors(world_model: Path) -> WordVectors:
    return load(world_model)


@pytest.mark.parametrize(("a", "b", "c", "answer"), QUESTIONS)
def test_the_questions_of_the_demonstration_are_answered(
    a: str, b: str, c: str, answer: str, vectors: WordVectors
) -> None:
    assert vectors.analogy(a, b, c, k=1)[0].word == answer


def test_held_out_analogies_are_answered(vectors: WordVectors) -> None:
    scores = analogy_accuracy(vectors, CORPORA / "analogies.txt")
    assert scores.total.skipped == 0
    assert scores.accuracy >= 0.8
    assert min(section.correct / section.asked for section in scores.sections) >= 0.6


def test_no_sentence_of_the_corpus_contains_a_question_and_its_answer() -> None:
    lines = [set(line.split()) for line in (CORPORA / "world.txt").read_text().splitlines()]
    for _, _, word, answer in QUESTIONS:
        assert not [line for line in lines if {word, answer} <= line]
    assert [line for line in lines if {"paris", "france", "capital"} <= line]


def test_held_out_pairs_share_no_sentence() -> None:
    """Except for nationalities and currencies, which occur together with their countries."""
    lines: dict[str, set[int]] = {}
    for number, line in enumerate((CORPORA / "world.txt").read_text().splitlines()):
        for word in line.split():
            lines.setdefault(word, set()).add(number)
    section, seen = "", set()
    for line in (CORPORA / "analogies.txt").read_text().splitlines():
        if line.startswith(":"):
            section = line[2:]
            seen.add(section)
        elif section not in ("country-nationality", "country-currency"):
            *_, word, answer = line.split()
            assert not lines[word] & lines[answer], line
    assert len(seen) == 13


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_the_questions_are_answered_with_other_seeds(seed: int) -> None:
    trained = world(seed)
    wrong = [q for q in QUESTIONS if trained.analogy(*q[:3], k=1)[0].word != q[3]]
    assert not wrong


@pytest.fixture(scope="module")
def wikipedia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    packed = SHARED / "corpora" / "wiki-dev.txt.xz"
    if not packed.is_file():
        pytest.skip(f"{packed.name} is missing from EMBEDKIT_SHARED ({SHARED.name})")
    path = tmp_path_factory.mktemp("wikipedia") / "wiki-dev.txt"
    with lzma.open(packed) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scores_on_real_text_are_at_least_those_of_gensim(wikipedia: Path) -> None:
    from gensim.models import Word2Vec

    theirs = Word2Vec(
        corpus_file=str(wikipedia), sg=1, vector_size=100, window=5, negative=5, min_count=5,
        sample=1e-4, alpha=0.05, epochs=2, workers=2, seed=1,
    ).wv  # fmt: skip
    ours = SkipGramEncoder(epochs=2, workers=2).fit(wikipedia).vectors()
    gensim = WordVectors(Vocabulary(theirs.index_to_key), theirs.vectors)
    analogies = SHARED / "evaluation" / "questions-words.txt"
    similarity = SHARED / "evaluation" / "EN-WS-353-ALL.txt"
    assert (
        analogy_accuracy(ours, analogies).accuracy
        >= analogy_accuracy(gensim, analogies).accuracy - 0.01
    )
    assert (
        word_similarity(ours, similarity).spearman
        >= word_similarity(gensim, similarity).spearman - 0.02
    )


@pytest.mark.slow
def test_counts_of_real_text_match_a_plain_count(wikipedia: Path) -> None:
    from collections import Counter

    from embedkit.corpus.corpus import Corpus

    counts = Counter(re.findall(r"\S+", wikipedia.read_text()))
    corpus = Corpus.read(wikipedia)
    vocabulary = corpus.vocabulary
    assert dict(zip(vocabulary, vocabulary.counts.tolist(), strict=True)) == counts
