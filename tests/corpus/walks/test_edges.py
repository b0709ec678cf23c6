"""Files of edges, read into the graph that they mean, or refused with file and line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.walks import Graph, read_edges
from embedkit.errors import ConfigurationError, CorpusError, EncodingError, InputError


def weights_of(graph: Graph) -> dict[tuple[str, str], float]:
    """Return the weight of each edge by its nodes' names."""
    names = graph.names.to_pylist()
    weights = np.ones(len(graph.neighbors)) if graph.weights is None else graph.weights
    found = {}
    for node, name in enumerate(names):
        for place in range(graph.offsets[node], graph.offsets[node + 1]):
            found[name, names[graph.neighbors[place]]] = float(weights[place])
    return found


def read(folder: Path, text: str | bytes, name: str = "edges.tsv", **options: object) -> Graph:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_edges(path, **options)  # type: ignore[arg-type]


def both(edges: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return edges | {(b, a): weight for (a, b), weight in edges.items()}


PATH = both({("a", "b"): 1.0, ("b", "c"): 1.0})


class TestForms:
    @pytest.mark.parametrize(
        "text",
        [
            "a\tb\nb\tc\n",
            "a\tb\nb\tc",
            "a b\nb c\n",
            "  a   b \n\tb \t c\n".replace("\t", " "),
            "a,b\nb,c\n",
            "a, b\nb , c\n",
            '"a","b"\n"b",c\n',
            "a\tb\r\nb\tc\r\n",
            "\n\n# a graph\n#\na b\n\n   # another,\tcomment\nb c\n\n",
            "\ufeffa b\nb c\n",
            "source\ttarget\na\tb\nb\tc\n",
            "# FromNodeId\tToNodeId\na\tb\nb\tc\n",
            "#Source,Target\na,b\nb,c\n",
            "a b 1\nb c 1.0\n",
            "a b 2e0\nb c 2\n",
            "a b +1\nb c +1.0\n",
        ],
    )
    def test_the_same_path(self, text: str, tmp_path: Path) -> None:
        graph = read(tmp_path, text)
        assert set(weights_of(graph)) == set(PATH)
        assert graph.weights is None
        assert (len(graph), graph.edges, graph.names.to_pylist()) == (3, 2, ["a", "b", "c"])

    def test_names_that_look_like_something_else(self, tmp_path: Path) -> None:
        graph = read(tmp_path, "#cat #dog\n#dog -\n- 007\n007 7\nKöln ,\n, \u3000x\n")
        assert graph.names.to_pylist() == ["#cat", "#dog", "-", "007", "7", "Köln", ",", "\u3000x"]

    def test_names_with_spaces_are_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"line 2: invalid node name 'New York'.*with _"):
            read(tmp_path, "a\tb\nNew York\tParis\n")
        with pytest.raises(InputError, match="line 1: invalid node name 'New York'"):
            read(tmp_path, "New York,Paris\n")

    @pytest.mark.parametrize("quoted", ['"Paris,FR","Lyon,FR"', '"Paris,FR" , "Lyon,FR" '])
    @pytest.mark.parametrize("rest", ["", ",2.5", ',"2.5"'])
    def test_quoted_csv(self, quoted: str, rest: str, tmp_path: Path) -> None:
        """As Python's own CSV reader reads it."""
        graph = read(tmp_path, f'{quoted}{rest}\n"the_""A""",Lyon{rest}\n')
        assert graph.names.to_pylist() == ["Paris,FR", "Lyon,FR", 'the_"A"', "Lyon"]
        assert graph.edges == 2

    def test_unbalanced_quotes_name_the_line(self, tmp_path: Path) -> None:
        for line in ('"Paris,Lyon', '"Paris"x,Lyon', 'Paris,"Lyon'):
            with pytest.raises(InputError, match=r"line 3: its quotation marks are not balanced"):
                read(tmp_path, f"a,b\n\n{line}\nc,d\n")
            with pytest.raises(InputError, match=r"line 2: its quotation marks are not balanced"):
                read(tmp_path, f"\n{line}\nc,d\n")

    def test_quotes_are_part_of_names_between_other_separators(self, tmp_path: Path) -> None:
        assert read(tmp_path, '" b\n"c d\n').names.to_pylist() == ['"', "b", '"c', "d"]

    @pytest.mark.parametrize("lines", ["ann\u00a0lee bob\nbob cy\n", "bob cy\nann\u00a0lee bob\n"])
    @pytest.mark.parametrize("mark", [" ", "\t", ","])
    def test_no_break_space_is_part_of_a_name(self, lines: str, mark: str, tmp_path: Path) -> None:
        graph = read(tmp_path, lines.replace(" ", mark))
        assert weights_of(graph) == both({("ann\u00a0lee", "bob"): 1, ("bob", "cy"): 1})

    def test_separator_can_be_set(self, tmp_path: Path) -> None:
        graph = read(tmp_path, "Smith,J Doe,K\n", separator="space")
        assert graph.names.to_pylist() == ["Smith,J", "Doe,K"]
        with pytest.raises(ConfigurationError, match="unknown separator ';'; choose from tab"):
            read(tmp_path, "a;b\n", separator=";")

    def test_header_is_detected_or_set(self, tmp_path: Path) -> None:
        assert len(read(tmp_path, "buyer\tseller\na\tb\n", header=True)) == 2
        assert len(read(tmp_path, "buyer\tseller\na\tb\n")) == 4
        assert len(read(tmp_path, "from\tto\na\tb\n", header=False)) == 4
        assert len(read(tmp_path, "buyer\tseller\tamount\na\tb\t2\n")) == 2

    def test_nan_in_the_first_line_is_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(
            InputError, match=r"line 1: the weight 'nan' is not a finite number above"
        ):
            read(tmp_path, "a b nan\na c 1\n")

    @pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
    def test_compressed(self, suffix: str, tmp_path: Path) -> None:
        text = b"a b\nb c\n"
        data = {
            "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
            "zst": lambda plain: pa.compress(plain, "zstd", asbytes=True),
        }[suffix](text)  # fmt: skip
        assert weights_of(read(tmp_path, data, f"edges.tsv.{suffix}")) == PATH

    def test_files_of_a_folder_may_differ_in_format(self, tmp_path: Path) -> None:
        (tmp_path / "1.csv").write_text("source,target,weight\na,b,1")
        (tmp_path / "2.tsv").write_text("b\tc\t1\n")
        assert weights_of(read_edges(tmp_path)) == PATH

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a b\nb c\n")))
        assert weights_of(read_edges("-")) == PATH


class TestMeaning:
    def test_weights_add_up(self, tmp_path: Path) -> None:
        graph = read(tmp_path, "a b 1\nb a 2\na b .5\nb c 4\nc c 3\nc c 1\n")
        assert weights_of(graph) == both({("a", "b"): 3.5, ("b", "c"): 4, ("c", "c"): 4})
        assert graph.edges == 3

    def test_directed(self, tmp_path: Path) -> None:
        graph = read(tmp_path, "a b 1\nb a 2\na b .5\nb c 4\nc c 3\n", directed=True)
        assert weights_of(graph) == {("a", "b"): 1.5, ("b", "a"): 2, ("b", "c"): 4, ("c", "c"): 3}
        assert graph.edges == 4

    def test_repeated_edges_add_up(self, tmp_path: Path) -> None:
        graph = read(tmp_path, "a b\nb a\nb c\n")
        assert weights_of(graph) == both({("a", "b"): 2, ("b", "c"): 1})

    def test_unweighted_reads_two_columns(self, tmp_path: Path) -> None:
        graph = read(tmp_path, "a b -1 x\nb c\n", weighted=False)
        assert weights_of(graph) == PATH

    @given(
        edges=st.lists(
            st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from([1, 0.25, 3.5e-7])),
            min_size=1,
        ),
        directed=st.booleans(),
    )
    @settings(max_examples=60, deadline=None)
    def test_any_edges(
        self, edges: list[tuple[int, int, float]], directed: bool, tmp_path_factory: object
    ) -> None:
        path = tmp_path_factory.mktemp("any") / "edges"  # type: ignore[attr-defined]
        path.write_text("".join(f"n{a}\tn{b}\t{w}\n" for a, b, w in edges))
        graph = read_edges(path, directed=directed)
        dense = np.zeros((31, 31))
        for a, b, weight in edges:
            dense[a, b] += weight
            if not directed and a != b:
                dense[b, a] += weight
        found = np.zeros((31, 31))
        same = {dense[dense > 0][0]} if len(set(dense[dense > 0])) == 1 else {None}
        for (a, b), weight in weights_of(graph).items():
            found[int(a[1:]), int(b[1:])] = weight
        if graph.weights is None:
            assert None not in same
            found *= next(iter(same))
        np.testing.assert_allclose(found, dense, rtol=1e-12)

    def test_lines_across_blocks(self, tmp_path: Path) -> None:
        """Several blocks of half a megabyte: lines are cut, names come back, numbers go on."""
        size = 60_000
        lines = [f"node{n:07}\tnode{(n * 7 + 1) % size:07}" for n in range(size)]
        graph = read(tmp_path, "\n".join(lines), directed=True)
        assert (len(graph), graph.edges) == (size, size)
        assert set(weights_of(graph)) == {tuple(line.split("\t")) for line in lines}
        for number in (3, 40_000, 59_998):
            broken = [*lines[:number], "alone", *lines[number:]]
            with pytest.raises(InputError, match=rf"edges\.tsv, line {number + 1}: 1 column"):
                read(tmp_path, "\n".join(broken))


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("a b\nc\n", r"line 2: 1 column"),
            ("a\n", r"line 1: 1 column"),
            ("a b\na b 1\n", r"line 2: 3 columns.*but line 1 has 2"),
            ("a b 1\n# x\na b\n", r"line 3: 2 columns.*but line 1 has 3"),
            ("a b 1 x\n", r"line 1: 4 columns.*--unweighted"),
            ("a b\n#note\n", r"line 2: 1 column.*Comments begin with '# '"),
            ("a b 1\na c inf\n", r"line 2: the weight 'inf' is not a finite number above 0"),
            ("a b\na c 1\n", r"line 2: 3 columns \(separator: space\), but line 1 has 2"),
            ("a,b\na\0,c\n", r"line 2: invalid node name 'a\\x00': it contains a control char"),
            ("a,b\n,c\n", r"line 2: invalid node name '': it is empty"),
            ("a b 1\na c -1\n", r"line 2: the weight '-1' is not a finite number above 0"),
            ("a b 1\na c nan\n", r"line 2: the weight 'nan' is not"),
            ("a b 1\na c inf\n", r"line 2: the weight 'inf' is not"),
            ("a b 1\na c 1e999\n", r"line 2: the weight '1e999' is not"),
            ("a b 1\na c 0\n", r"line 2: the weight '0' is not"),
            ("a b 1\na c x\n", r"line 2: the weight 'x' is not"),
            ("a,b,1\na,c,\n", r"line 2: the weight '' is not"),
            ("a b {}\n", r"line 1: the weight '\{\}' is not"),
            ("a\tb\n\tc\n", r"line 2: invalid node name ''"),
            ("a,b\nc,\n", r"line 2: invalid node name ''"),
            ("a b\nc\x01d e\n", r"line 2: invalid node name 'c\\x01d'"),
            ("a\tb\nc\x00\td\n", r"line 2: invalid node name 'c\\x00'"),
            ("a b 1.7e308\na c 1.7e308\n", "sum of the edge weights exceeds the range of float64"),
            (
                "a b 1e308\nc a 1\nb a 1e308\n",
                r"line 3: the sum of the weights .* 'b' and 'a' exceeds the range .* Divide all",
            ),
            ("a b +-1\n", r"line 1: the weight '\+-1' is not"),
            ("a b +\n", r"line 1: the weight '\+' is not"),
            (
                f"a\t{'x y' * 9_999}\n",
                r"invalid node name 'x yx y[^']{0,60}…: it contains white space",
            ),
            ("", r"edges\.tsv contains no edges\. \w+"),
            ("# nothing\n\n", r"edges\.tsv contains no edges"),
            ("source,target\n", r"edges\.tsv contains no edges"),
            ("x" * 700_000, r"line 1: 1 column"),
            ("a b\n" + "x " * 400_000, r"line 2: the line is longer than 65,536 bytes"),
        ],
    )
    def test_invalid_line_is_rejected(self, text: str, problem: str, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=problem):
            read(tmp_path, text)

    def test_bytes_that_are_not_utf8(self, tmp_path: Path) -> None:
        with pytest.raises(EncodingError, match=r"edges\.tsv, line 2, byte 6: 0xe9 is not valid"):
            read(tmp_path, b"a b\nb caf\xe9\n")
        graph = read(tmp_path, b"a b\nb caf\xe9\n", errors="replace")
        assert graph.names.to_pylist() == ["a", "b", "caf\ufffd"]
        with pytest.raises(ConfigurationError, match="unknown error policy 'keep'"):
            read(tmp_path, "a b\n", errors="keep")

    def test_missing_and_damaged_files(self, tmp_path: Path) -> None:
        with pytest.raises(CorpusError, match="does not exist"):
            read_edges(tmp_path / "nowhere.tsv")
        with pytest.raises(CorpusError, match="is damaged or cut short"):
            read(tmp_path, gzip.compress(b"a b\n" * 1000)[:-9])


class TestMatrices:
    def test_names_are_numbers_by_default(self) -> None:
        graph = Graph.of([[0, 2], [3, 0]])
        assert weights_of(graph) == {("0", "1"): 2, ("1", "0"): 3}
        assert repr(graph) == "Graph(2 nodes, 2 edges, directed, weighted)"

    @pytest.mark.parametrize(
        ("matrix", "names", "problem"),
        [
            ([[0, 1, 0], [1, 0, 0]], None, "Pass one row, one column and one name"),
            ([[0, 1], [1, 0]], ["a"], "Pass one row, one column and one name"),
            ([[0, 1], [1, 0]], ["a", "a"], "two nodes have the same name"),
            ([[0, 1], [1, 0]], ["a", None], "or a node has no name"),
            (
                [[0, 1], [1, 0]],
                ["a", "b c"],
                "'b c': it contains white space",
            ),
            ([[0, -1], [1, 0]], None, "must be finite and not negative"),
            ([[0, np.nan], [1, 0]], None, "must be finite and not negative"),
        ],
    )
    def test_invalid_matrix_is_rejected(
        self, matrix: list[list[float]], names: list[str], problem: str
    ) -> None:
        with pytest.raises(InputError, match=problem):
            Graph.of(matrix, names)
