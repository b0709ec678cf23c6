"""Walks against the probabilities that the definition gives, worked out in plain NumPy."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.walks import Graph, WalkConfig, random_walks, write_walks
from embedkit.errors import ConfigurationError, OutputExistsError, StorageError
from embedkit.system.random import draw, epoch_key

# Triangles, so that a step can stay at distance 1, a tail, so that it can leave, and a loop.
ROUND = np.array(
    [
        [0, 1, 1, 1, 0, 0, 0],
        [1, 0, 1, 0, 1, 0, 0],
        [1, 1, 0, 0, 1, 0, 0],
        [1, 0, 0, 0, 0, 1, 0],
        [0, 1, 1, 0, 1, 1, 0],
        [0, 0, 0, 1, 1, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
    ],
    dtype=float,
)
WEIGHTS = ROUND * np.array([[1, 2, 3, 4, 5, 6, 7]]) * np.array([[1, 2, 3, 4, 5, 6, 7]]).T
ONE_WAY = ROUND.copy()
ONE_WAY[0, 1] = ONE_WAY[4, 2] = ONE_WAY[5, 3] = 0
GRAPHS = {"unweighted": ROUND, "weighted": WEIGHTS, "directed": ONE_WAY}
BIASES = [(1, 1), (0.25, 4), (4, 0.25), (1, 0.5), (1, 2), (1e-3, 1), (1, 1e3), (1e4, 1e-3)]


def alpha(adjacency: np.ndarray, previous: int, node: int, p: float, q: float) -> float:
    """The search bias of Grover and Leskovec 2016, equation in section 3.2.2."""
    if node == previous:
        return 1 / p
    return 1.0 if adjacency[previous, node] > 0 else 1 / q


def steps_of(adjacency: np.ndarray, **config: float) -> dict[tuple[int, int], np.ndarray]:
    """Count where walks go to, by the node they come from and the node they stand at."""
    counts = np.zeros((len(adjacency),) * 3)
    for block in random_walks(Graph.of(adjacency), walks=2_000, length=20, **config):
        triples = np.lib.stride_tricks.sliding_window_view(block.nodes, 3, axis=1).reshape(-1, 3)
        np.add.at(counts, tuple(triples[triples[:, 2] >= 0].T), 1)
    seen = np.argwhere(counts.any(axis=2)).tolist()
    return {(previous, at): counts[previous, at] for previous, at in seen}


def likelihood(
    counts: dict[tuple[int, int], np.ndarray], adjacency: np.ndarray, p: float, q: float
) -> float:
    """Return the p-value of all counts: chi-squared, added up over what walks come from."""
    statistic, freedom = 0.0, 0
    for (previous, at), found in counts.items():
        bias = [alpha(adjacency, previous, node, p, q) for node in range(len(adjacency))]
        expected = adjacency[at] * bias
        expected *= found.sum() / expected.sum()
        assert not found[expected == 0].any(), "a step along no edge"
        common = expected >= 5  # the usual rule: of rarer ones the statistic is not chi-squared
        if common.sum() > 1:
            rest = [found[~common].sum(), expected[~common].sum()]
            observed = np.append(found[common], rest[0])
            wanted = np.append(expected[common], rest[1])
            used = wanted > 0
            statistic += ((observed - wanted)[used] ** 2 / wanted[used]).sum()
            freedom += used.sum() - 1
    return float(stats.chi2.sf(statistic, freedom)) if freedom else 1.0


@pytest.mark.parametrize(("p", "q"), BIASES)
@pytest.mark.parametrize("kind", GRAPHS)
def test_step_probabilities_follow_the_definition(kind: str, p: float, q: float) -> None:
    """24 cases, one seed: a right program fails one of them with a chance of 24e-4."""
    counts = steps_of(GRAPHS[kind], p=p, q=q, seed=7)
    assert likelihood(counts, GRAPHS[kind], p, q) > 1e-4


def test_other_probabilities_would_be_noticed() -> None:
    counts = steps_of(WEIGHTS, p=0.5, q=2, seed=7)
    assert likelihood(counts, WEIGHTS, 0.5, 2) > 1e-4
    for p, q in ((2, 0.5), (0.5, 1.9), (0.55, 2), (1, 1)):
        assert likelihood(counts, WEIGHTS, p, q) < 1e-6
    assert likelihood(counts, np.where(WEIGHTS == 10, 12, WEIGHTS), 0.5, 2) < 1e-6


def test_draws_equal_those_of_training() -> None:
    """A uniform walk, step by step in Python's own numbers."""
    neighbors = [np.flatnonzero(row) for row in ROUND]
    key = epoch_key(5, 0)
    number = 0
    for block in random_walks(Graph.of(ROUND), walks=3, length=10, seed=5):
        for walk in block.nodes:
            place = int(walk[0])
            for step, node in enumerate(walk[1:], start=1):
                fraction = (draw(key, number, step) >> 11) / 2**53
                place = int(neighbors[place][int(fraction * len(neighbors[place]))])
                assert place == node
            number += 1
    assert number == 3 * len(ROUND)


@st.composite
def graphs(make: st.DrawFn) -> np.ndarray:
    size = make(st.integers(1, 8))
    weight = st.one_of(st.just(0.0), st.sampled_from([1.0, 1.0, 1e-9, 0.3, 1e12]))
    return np.array(make(st.lists(weight, min_size=size**2, max_size=size**2))).reshape(size, size)


@given(
    graphs(),
    st.integers(1, 4),
    st.integers(1, 9),
    st.sampled_from(BIASES),
    st.integers(0, 2**63 - 1),
)
@settings(max_examples=150, deadline=None)
def test_every_step_is_an_edge(
    adjacency: np.ndarray, walks: int, length: int, biases: tuple[float, float], seed: int
) -> None:
    p, q = biases
    found = list(
        itertools.chain.from_iterable(
            block.nodes.tolist()
            for block in random_walks(
                Graph.of(adjacency), walks=walks, length=length, p=p, q=q, seed=seed
            )
        )
    )
    assert sorted(walk[0] for walk in found) == sorted(list(range(len(adjacency))) * walks)
    for walk in found:
        nodes = [node for node in walk if node >= 0]
        assert walk == nodes + [-1] * (length - len(nodes))
        assert all(adjacency[a, b] > 0 for a, b in itertools.pairwise(nodes))
        assert len(nodes) == length or not adjacency[nodes[-1]].any(), "ends before a dead end"


@pytest.fixture(scope="module")
def ring() -> Graph:
    """As many nodes as several blocks of walks hold, each joined to four others."""
    size = 20_000
    nodes = np.arange(size)
    rows = np.concatenate([nodes, nodes])
    columns = np.concatenate([(nodes + 1) % size, (nodes + 7) % size])
    matrix = sparse.coo_matrix((np.ones(2 * size), (rows, columns)), shape=(size, size))
    return Graph.of(matrix + matrix.T, directed=False)


class TestOfManyBlocks:
    def test_threads_change_nothing(self, ring: Graph, tmp_path: Path) -> None:
        texts = set()
        for workers in (1, 2, 5):
            path = tmp_path / f"{workers}"
            counts = write_walks(ring, path, walks=2, p=0.5, q=2, workers=workers)
            assert counts == (40_000, 1_600_000)
            texts.add(path.read_bytes())
        assert len(texts) == 1
        other = tmp_path / "other"
        write_walks(ring, other, walks=2, p=0.5, q=2, seed=2)
        assert other.read_bytes() not in texts

    def test_each_round_starts_once_at_each_node_in_a_new_order(self, ring: Graph) -> None:
        starts = np.concatenate([b.nodes[:, 0] for b in random_walks(ring, walks=3, length=20)])
        rounds = starts.reshape(3, -1)
        assert (np.sort(rounds) == np.arange(len(ring))).all()
        assert len({tuple(order) for order in rounds[:, :50]}) == 3

    def test_text_is_what_a_corpus_reads(self, ring: Graph, tmp_path: Path) -> None:
        write_walks(ring, tmp_path / "walks.txt", WalkConfig(walks=1), length=30)
        blocks = random_walks(ring, walks=1, length=30)
        walks = [walk for block in blocks for walk in block.names()]
        corpus = Corpus.read(tmp_path / "walks.txt", tokenizer="whitespace")
        assert list(itertools.islice(corpus, 200)) == walks[:200]
        assert len(corpus) == len(walks)
        assert corpus.vocabulary.counts.sum() == 30 * len(walks)

    def test_progress_counts_walks(self, ring: Graph, tmp_path: Path) -> None:
        told: list[int] = []
        write_walks(ring, tmp_path / "walks.txt", walks=1, progress=told.append)
        assert len(told) > 1
        assert sum(told) == len(ring)


def test_a_dead_end_ends_a_walk(tmp_path: Path) -> None:
    chain = Graph.of([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["a", "b", "c"])
    counts = write_walks(chain, tmp_path / "walks.txt", walks=2, length=9)
    lines = (tmp_path / "walks.txt").read_text().splitlines()
    assert sorted(lines) == ["a b c", "a b c", "b c", "b c", "c", "c"]
    assert counts == (6, 12)


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("walks", 0), ("walks", 1.5), ("length", 0), ("length", True), ("p", 0), ("q", -1.0),
            ("q", float("nan")), ("p", float("inf")), ("seed", -1), ("workers", 0),
        ],
    )  # fmt: skip
    def test_invalid_setting_is_rejected(self, name: str, value: float) -> None:
        with pytest.raises(ConfigurationError, match=f"^{name} must be an? .* between"):
            random_walks(Graph.of(ROUND), **{name: value})

    def test_existing_file_is_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "walks.txt"
        path.write_text("mine")
        with pytest.raises(OutputExistsError, match=r"walks\.txt already exists and was not"):
            write_walks(Graph.of(ROUND), path)
        assert path.read_text() == "mine"
        write_walks(Graph.of(ROUND), path, overwrite=True)
        assert len(path.read_text().splitlines()) == 70

    def test_missing_folder_is_a_storage_error(self, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match="Create the parent directory first"):
            write_walks(Graph.of(ROUND), tmp_path / "nowhere" / "walks.txt")
