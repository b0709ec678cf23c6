"""Building, changing and asking an index."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import embedkit
from embedkit import TextIndex
from embedkit.errors import (
    ConfigurationError,
    InputError,
    ModelError,
    OutputExistsError,
    StorageError,
)
from embedkit.features import TextFeatures
from embedkit.retrieval import SearchIndexSettings, builder, merging, segment, text_index
from embedkit.retrieval.segment import DEPTH
from embedkit.system.locks import locked_output
from tests.retrieval.conftest import DOCUMENTS


def ids(index: TextIndex, question: str, k: int = 10, **options: Any) -> list[str]:
    return [answer.id for answer in index.ask(question, k, **options)]


def texts(count: int, seed: int = 0) -> list[str]:
    """Return sentences of five words of the model's vocabulary."""
    words = [f"{c}{n}" for c in ("france", "italy", "spain") for n in range(5)]
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice([*words, "paris", "rome", "madrid"], 5)) for _ in range(count)]


def test_an_answer_has_the_text_and_the_other_columns(index: TextIndex) -> None:
    (best, *_) = index.ask("mayor0")
    assert best[0] == "p"
    assert (best.text, best.fields, best.span) == ("Paris mayor0", {"year": 2001}, (0, 12))
    assert len(index) == 5
    assert repr(index).endswith("docs.index', 5 documents)")


def test_dense_scores_are_cosines_of_the_pooled_vectors(model: Path, path: Path) -> None:
    given = texts(300)
    index = TextIndex.build(given, path, model)
    features = TextFeatures(str(model), pooling="sif").fit(given)
    vectors, question = features.transform(given), features.transform(["paris italy2"])[0]
    cosines = vectors @ question / np.linalg.norm(vectors, axis=1) / np.linalg.norm(question)
    found = index.ask("Paris, italy2!", 20, method="dense")
    assert [answer.score for answer in found] == pytest.approx(
        np.sort(cosines)[::-1][:20], abs=1e-5
    )
    assert [cosines[int(answer.id) - 1] for answer in found] == pytest.approx(
        [answer.score for answer in found], abs=1e-5
    )


def test_tfidf_weights_are_those_of_scikit_learn(model: Path, path: Path) -> None:
    given = texts(60)  # too few for a common direction
    settings = SearchIndexSettings(pooling="tfidf")
    index = TextIndex.build(given, path, model, settings=settings)
    features = TextFeatures(str(model), pooling="tfidf").fit(given)
    vectors, question = features.transform(given), features.transform(["paris italy2"])[0]
    cosines = vectors @ question / np.linalg.norm(vectors, axis=1) / np.linalg.norm(question)
    found = [answer.score for answer in index.ask("paris italy2", 20, method="dense")]
    assert found == pytest.approx(np.sort(cosines)[::-1][:20], abs=1e-5)


def test_words_and_meaning(index: TextIndex) -> None:
    assert ids(index, "zyzzyva", method="bm25") == ["u"]  # no word has a vector
    assert ids(index, "zyzzyva", method="dense") == []
    assert ids(index, "zyzzyva") == ["u"]
    assert ids(index, "mayor1", method="bm25") == ["r"]
    dense = ids(index, "mayor1", method="dense")
    assert dense[0] == "r"
    assert "u" not in dense
    assert set(ids(index, "berlin rome")) == {"b", "r", "p", "f"}
    assert index.ask("unknownword") == []
    assert index.ask("") == []


def test_many_questions_have_the_same_answers_as_one(index: TextIndex) -> None:
    questions = ["mayor0", "", "italy border1", "zyzzyva paris"]
    for options in ({}, {"method": "bm25"}, {"method": "dense", "rerank": True}):
        assert index.ask_all(questions, 3, **options) == [
            index.ask(question, 3, **options) for question in questions
        ]
    assert index.ask_all([]) == []


def test_arguments_are_checked(index: TextIndex) -> None:
    with pytest.raises(ConfigurationError, match="k must be an integer of at least 1"):
        index.ask("paris", 0)
    with pytest.raises(ConfigurationError, match="unknown method 'x'; choose from fused"):
        index.ask("paris", method="x")
    with pytest.raises(ConfigurationError, match="expected a question"):
        index.ask(["paris"])  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="expected a list of questions"):
        index.ask_all("paris")
    with pytest.raises(InputError, match="cannot be encoded as UTF-8"):
        index.ask("\ud800")
    with pytest.raises(InputError, match="expected a question, got 3"):
        index.ask_all([3])  # type: ignore[list-item]
    with pytest.raises(InputError, match="expected a list of ids"):
        index.delete("p")


def test_the_best_passage_names_a_long_document(path: Path, model: Path) -> None:
    long = ["france0 " * 30 + f"rome mayor{number} " + "france1 " * 30 for number in (0, 1)]
    settings = SearchIndexSettings(passage=10, overlap=2)
    index = TextIndex.build(long, path, model, settings=settings)
    assert index.info()["passages"] == 16
    (best, second) = index.ask("rome mayor1", 5)
    assert (best.id, second.id) == ("2", "1")
    assert "mayor1" in best.text
    assert len(best.text.split()) == 10
    assert long[1][slice(*best.span)] == best.text


def test_more_documents_than_the_depth_of_a_ranking(path: Path, model: Path) -> None:
    settings = SearchIndexSettings(passage=2, overlap=0)
    given = ["paris rome " * 80 + f"x{n}" for n in range(5)] + texts(DEPTH)
    index = TextIndex.build(given, path, model, settings=settings)
    for method in ("dense", "bm25", "fused"):
        found = ids(index, "paris rome", 90, method=method)
        assert len(found) == len(set(found))
    assert len(ids(index, "paris rome", 90)) == 90


@pytest.mark.parametrize("kind", ["hnsw", "ivf", "ivfpq", "pq"])
def test_approximate_indexes_find_nearly_the_same(path: Path, model: Path, kind: str) -> None:
    given = [f"{text} {number}" for number, text in enumerate(texts(1_500))]
    exact = TextIndex.build(given, path, model)
    near = TextIndex.build(
        given, path.with_name("near"), model, settings=SearchIndexSettings(kind=kind)
    )
    assert "index.faiss" in {file.name for file in near.path.rglob("*")}
    questions = texts(30, seed=1)
    shared = sum(
        len({a.id for a in x} & {a.id for a in y})
        for x, y in zip(
            exact.ask_all(questions, 10, method="dense"),
            near.ask_all(questions, 10, method="dense"),
            strict=True,
        )
    )
    assert shared >= 0.8 * 300
    assert 0.8 <= near.info()["recall"] <= 1
    assert exact.info()["recall"] == 1


def test_large_segments_are_searched_approximately(
    path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [f"{text} {number}" for number, text in enumerate(texts(1_500))]
    exact = TextIndex.build(given, path.with_name("exact"), model)
    assert [index["kind"] for index in exact.info()["indexes"]] == ["flat"]
    monkeypatch.setattr(builder, "_MOST_SCANNED", 4 * 1_200 * exact.vectors.dimension)
    large = TextIndex.build(given, path, model)
    (described,) = large.info()["indexes"]
    assert (described["kind"], described["passages"]) == ("pq", 1_500)
    assert described["recall"] == large.info()["recall"] > 0.9
    assert ids(large, given[7], 1) == ["8"]
    grown = large.add(["paris newword"])
    assert [index["kind"] for index in grown.info()["indexes"]] == ["pq", "flat"]
    assert ids(grown, "newword", 1) == ["1501"]
    # A quarter less is written again, as a segment that is small enough for exact search.
    less = grown.delete(range(1, 501))
    assert {index["kind"] for index in less.info()["indexes"]} == {"flat"}
    kept = set(ids(less, given[7], 1_001, method="dense"))
    assert len(kept) > 900
    assert not kept & {str(number) for number in range(1, 501)}


def test_documents_are_added_and_deleted(index: TextIndex, path: Path, model: Path) -> None:
    more = index.add(["Madrid mayor0", {"id": 9, "text": "newword"}])
    assert more.ids() == ["p", "f", "r", "u", "b", "6", "9"]
    assert ids(more, "newword") == ["9"]
    assert set(ids(more, "mayor0", method="bm25")) == {"p", "6"}
    less = more.delete(["p", 9])
    assert less.ids() == ["f", "r", "u", "b", "6"]
    assert (len(less), len(more), len(index)) == (5, 7, 5)
    assert ids(less, "mayor0 newword", method="bm25") == ["6"]
    assert "p" not in ids(less, "paris mayor0")
    assert ids(more, "newword") == ["9"]  # an open index stays as it was
    assert TextIndex.open(path).ids() == less.ids()
    with pytest.raises(InputError, match="has no document 'p'"):
        less.get("p")
    again = less.add([("p", "Paris is back")])
    assert again.get("p").text == "Paris is back"
    assert ids(again, "paris back")[0] == "p"


def test_adding_and_deleting_everything_is_like_building(path: Path, model: Path) -> None:
    given = texts(400)
    built = TextIndex.build(given, path.with_name("built"), model)
    grown = TextIndex.build(given[:150], path, model)
    for start in range(150, 400, 50):
        grown = grown.add(given[start : start + 50])
    assert grown.ids() == built.ids()
    assert grown.info()["segments"] <= 4
    for question in texts(10, seed=2):
        ours = {a.id: a.score for a in grown.ask(question, 400, method="bm25")}
        whole = {a.id: a.score for a in built.ask(question, 400, method="bm25")}
        assert ours == pytest.approx(whole, rel=1e-5)
    emptied = grown.delete(grown.ids())
    assert (len(emptied), emptied.ask("paris"), emptied.ids()) == (0, [], [])
    assert emptied.add(["paris"]).ask("paris")[0].id == "401"


def test_segments_are_merged_and_deleted_documents_dropped(
    index: TextIndex, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index.delete(["u"])
    assert index.info()["deleted"] == 1
    index = index.delete(["b"])
    assert index.info()["deleted"] == 0  # more than a quarter: written again
    for number in range(8):
        index = index.add([f"more{number} paris"])
        assert ids(index, f"more{number}") == [str(6 + number)]
    assert index.info()["segments"] <= 3
    assert index.ids() == ["p", "f", "r", *map(str, range(6, 14))]
    folders = {entry.name for entry in (path / "segments").iterdir()}
    assert len(folders) == index.info()["segments"]
    monkeypatch.setattr(merging, "_MOST_BYTES", 1)
    assert index.add(["a", "b", "c"]).info()["segments"] == index.info()["segments"] + 1


def test_an_error_changes_nothing(index: TextIndex, path: Path) -> None:
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match=r"row 1 .*'p' is already in the index"):
        index.add([("x", "new"), ("p", "again")])
    with pytest.raises(InputError, match="has no documents 'y', 'z'"):
        index.delete(["p", "y", "z"])
    with pytest.raises(InputError, match="no documents to index"):
        TextIndex.build([], path, index.vectors, overwrite=True)
    with pytest.raises(InputError, match="row 0"):
        TextIndex.build([None], path, index.vectors, overwrite=True)
    with pytest.raises(InputError, match="no documents to index") as error:
        TextIndex.build([None, ""], path, index.vectors, overwrite=True, errors="skip")
    assert "Left out 2 of the documents: row 0 (counted from 0): " in str(error.value.hint)
    assert before == {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert [entry.name for entry in path.parent.iterdir()] == ["docs.index"]


def test_a_half_written_index_is_never_seen(
    index: TextIndex, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(segment, "write_tensors", fail)
    with pytest.raises(StorageError, match="No space left"):
        index.add(["new"])
    assert TextIndex.open(path).ids() == index.ids()
    assert [entry.name for entry in path.parent.iterdir()] == ["docs.index"]


def test_an_index_that_is_replaced_while_it_is_opened(
    index: TextIndex, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [["Madrid"], ["Lisbon"]]
    original = text_index.model_of

    def replaced_first(*arguments: Any) -> embedkit.WordVectors:
        if more:
            documents = more.pop()
            with monkeypatch.context() as patch:
                patch.setattr(text_index, "model_of", original)
                TextIndex.open(path).add(documents)
        return original(*arguments)

    monkeypatch.setattr(text_index, "model_of", replaced_first)
    opened = TextIndex.open(path)
    assert opened.ids() == [*index.ids(), "6", "7"]
    assert ids(opened, "madrid lisbon", method="bm25") == ["6", "7"]


def test_two_writers(index: TextIndex, path: Path) -> None:
    with locked_output(path), pytest.raises(StorageError, match="is being written by process"):
        index.add(["new"])


def test_outputs_are_not_overwritten(index: TextIndex, path: Path, model: Path) -> None:
    with pytest.raises(OutputExistsError, match="already exists"):
        TextIndex.build(["text"], path, model)
    (path / "notes.txt").write_text("mine")
    again = TextIndex.build(["paris"], path, model, overwrite=True)
    assert again.ids() == ["1"]
    assert (path / "notes.txt").read_text() == "mine"
    assert len(list((path / "segments").iterdir())) == 1
    (path / "segments" / "mine.txt").touch()
    vectors = embedkit.load(model)
    vectors.save(path, overwrite=True)  # a model takes its place
    names = {file.name for file in path.rglob("*") if file.is_file()}
    ours = {"config.json", "vocabulary.arrow", "vectors.safetensors"}
    assert names == ours | {"notes.txt", "mine.txt"}
    assert TextIndex.build(["rome"], path, model, overwrite=True).ids() == ["1"]
    assert not (path / "vectors.safetensors").exists()
    assert (path / "segments" / "mine.txt").exists()
    other = path.with_name("other")
    other.mkdir()
    (other / "file").touch()
    with pytest.raises(OutputExistsError, match="is not an embedkit model"):
        TextIndex.build(["text"], other, model, overwrite=True)


def test_a_model_that_changed_is_noticed(index: TextIndex, path: Path, model: Path) -> None:
    moved = path.with_name("model")
    shutil.copytree(model, moved)
    assert TextIndex.open(path, moved).ids() == index.ids()
    vectors = embedkit.load(model)
    changed = embedkit.WordVectors(vectors.vocabulary, np.array(vectors.matrix) * 1.01)
    with pytest.raises(ModelError, match="was built with other vectors than those of this model"):
        TextIndex.open(path, changed)
    shutil.rmtree(moved)
    with pytest.raises(ModelError, match="there is no model"):
        TextIndex.open(path, moved)
    built = TextIndex.build(DOCUMENTS, path.with_name("memory"), vectors)
    with pytest.raises(ModelError, match="in memory only"):
        TextIndex.open(built.path)
    assert TextIndex.open(built.path, vectors).ids() == index.ids()


def test_vectors_without_counts_use_tfidf(path: Path, model: Path) -> None:
    vectors = embedkit.load(model)
    bare = embedkit.WordVectors(vectors.vocabulary.words(), vectors.matrix)
    assert TextIndex.build(["paris"], path, bare).settings.pooling == "tfidf"
    with pytest.raises(ConfigurationError, match="needs word counts"):
        TextIndex.build(["paris"], path, bare, settings=SearchIndexSettings(pooling="sif"))
    onehot = embedkit.OneHotEncoder().fit([["paris"]]).vectors()
    with pytest.raises(ConfigurationError, match="one-hot vectors"):
        TextIndex.build(["paris"], path, onehot)


def test_words_are_composed_of_ngrams(path: Path, subword_model: Path) -> None:
    vectors = embedkit.load(subword_model)
    known = vectors.vocabulary[0]
    index = TextIndex.build([known, f"{known}{known}"], path, subword_model)
    assert ids(index, f"{known}{known}", method="dense")[0] == "2"


@pytest.mark.parametrize("files", ["documents.arrow", "passages.safetensors", "meta.json"])
@pytest.mark.parametrize("damage", ["cut", "removed"])
def test_files_that_are_cut_short(index: TextIndex, path: Path, files: str, damage: str) -> None:
    (file,) = path.rglob(files)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-7])
    else:
        file.unlink()
    with pytest.raises(ModelError, match=file.name) as error:
        TextIndex.open(path)
    assert error.value.hint


def test_flipped_bytes_are_an_error_or_harmless(index: TextIndex, path: Path) -> None:
    draw = np.random.default_rng(5)
    for file in sorted(path.rglob("*")):
        if not file.is_file():
            continue
        data = file.read_bytes()
        for place in draw.integers(0, max(len(data), 1), 8 if data else 0):
            bad = bytearray(data)
            bad[place] ^= 0xFF
            file.write_bytes(bad)
            try:
                with np.errstate(all="ignore"):  # of a vector with a wrong exponent
                    TextIndex.open(path).ask_all(["paris mayor0", "zyzzyva"], 5)
            except ModelError as error:
                assert str(path) in error.message or "pooling" in error.message  # noqa: PT017
        file.write_bytes(data)


def test_a_path_that_is_no_index(tmp_path: Path, model: Path) -> None:
    with pytest.raises(ModelError, match="there is no search index at"):
        TextIndex.open(tmp_path / "missing")
    with pytest.raises(ModelError, match="not a search index"):
        TextIndex.open(model)
    TextIndex.build(["paris"], tmp_path / "docs.index", model)
    with pytest.raises(ModelError, match=r"holds a search index, not vectors\..*embedkit search"):
        embedkit.load(tmp_path / "docs.index")
    with pytest.raises(ModelError, match="cannot open"):
        TextIndex.open(tmp_path)


def test_a_newer_format_is_refused(index: TextIndex, path: Path) -> None:
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(ModelError, match="format 99"):
        TextIndex.open(path)


def test_a_folder_that_cannot_be_written_can_be_searched(ordinary_user: Path) -> None:
    vectors = embedkit.WordVectors(["paris", "rome"], np.eye(2, dtype=np.float32))
    index = TextIndex.build(["paris", "rome"], ordinary_user / "docs.index", vectors)
    folders = [index.path, *(f for f in index.path.rglob("*") if f.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert TextIndex.open(index.path, index.vectors).ask("paris")[0].id == "1"
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_table_of_pandas(path: Path, model: Path) -> None:
    table = pd.DataFrame({"text": ["paris", "rome"], "price": [1.5, np.nan]})
    index = TextIndex.build(table, path, model)
    assert index.ask("rome", 1)[0].fields == {"price": None}
    table.loc[1, "text"] = np.nan
    with pytest.raises(InputError, match=r"row 1 \(counted from 0\): the text is nan"):
        index.add(table)


def test_one_long_line_and_duplicates(path: Path, model: Path) -> None:
    long = "paris " * 100_000
    index = TextIndex.build([long, "rome", "rome", "x" * 100_000], path, model)
    assert ids(index, "paris", 3)[0] == "1"
    assert set(ids(index, "rome", method="bm25")) == {"2", "3"}
    scores = [answer.score for answer in index.ask("rome", 2, method="dense")]
    assert scores == pytest.approx([1, 1])
