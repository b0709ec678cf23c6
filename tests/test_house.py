"""The order of the house: who may import whom, and what an import may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import embedkit

PACKAGE = Path(embedkit.__file__).parent
ROOMS = """
    compression errors files interrupts parallel precision ranges ranks rawtext system tensors text
    vocabulary |
    algebra approximate asking blocks comparing expressions index metrics projection relations
    scope searching words |
    corpus formats ids phrases reading saved_index store subwords vectors |
    training walks |
    encoders |
    classification evaluation export features heads labelled pictures pooling
    postprocess recall scoring |
    cli service
"""
FLOORS = [set(floor.split()) for floor in ROOMS.split("|")]
FLOOR = {room: number for number, rooms in enumerate(FLOORS, start=1) for room in rooms}
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or "__" not in path.name
)


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    inside = [name.split(".") for name in names if name.startswith("embedkit.")]
    return {parts[1] for parts in inside if parts[1] != "__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_nothing_from_above(path: Path) -> None:
    above = {name for name in imported_rooms(path.read_text()) if FLOOR[name] > FLOOR[room(path)]}
    assert not above


def test_the_check_sees_every_kind_of_import() -> None:
    assert imported_rooms("import embedkit.cli.ask") == {"cli"}
    assert imported_rooms("def f():\n    from embedkit import store, cli") == {"store", "cli"}
    assert imported_rooms("from embedkit.vectors import WordVectors") == {"vectors"}


def modules_after(script: str, folder: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}\nprint(*sys.modules)"],
        stdout=subprocess.PIPE, text=True, check=True, cwd=folder,
    )  # fmt: skip
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


RUN = """
from embedkit.cli import main
sys.argv = ["embedkit", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
"""
HEAVY = {
    "numpy",
    "scipy",
    "faiss",
    "pyarrow",
    "numba",
    "torch",
    "sklearn",
    "tqdm",
    "fastapi",
    "pydantic",
    "uvicorn",
}


def test_help_imports_no_numeric_library(tmp_path: Path) -> None:
    for command in ("train", "phrases", "classify", "serve", "walks"):
        assert not HEAVY & modules_after(RUN.format(arguments=[command, "--help"]), tmp_path)
    assert not HEAVY & modules_after("import embedkit", tmp_path)


def test_a_question_imports_no_compiler(tmp_path: Path, model: Path) -> None:
    ask = ["analogy", "paris", "france", "italy", "--model", str(model)]
    found = modules_after(RUN.format(arguments=ask), tmp_path)
    assert {"numpy", "faiss"} <= found
    assert not {"numba", "torch", "sklearn", "scipy", "pandas"} & found


def test_features_import_no_compiler(tmp_path: Path, model: Path) -> None:
    script = (
        "from embedkit.features import TextFeatures\n"
        f"TextFeatures({str(model)!r}, pooling='sif').fit_transform(['paris', 'rome'])"
    )
    found = modules_after(script, tmp_path)
    assert "sklearn" in found
    assert not {"numba", "torch", "faiss"} & found


def test_a_classifier_answers_without_torch(tmp_path: Path, model: Path) -> None:
    (tmp_path / "roles.tsv").write_text("paris\tcapital\nfrance\tcountry\nrome\tcapital\n")
    train = ["classify", "train", "roles.tsv", "--vectors", str(model), "--quiet"]
    assert "torch" in modules_after(RUN.format(arguments=train), tmp_path)
    found = modules_after(RUN.format(arguments=["classify", "predict", "oslo"]), tmp_path)
    assert "sklearn" in found
    assert not {"numba", "torch", "matplotlib"} & found


def test_training_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("one two three four five six\n" * 50)
    found = modules_after(RUN.format(arguments=["train", "text.txt", "--sample", "0"]), tmp_path)
    assert "numba" in found
    assert not {"torch", "sklearn", "faiss"} & found


def test_walking_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "edges.tsv").write_text("a b\nb c\n")
    found = modules_after(RUN.format(arguments=["walks", "edges.tsv"]), tmp_path)
    assert "numba" in found
    assert not {"torch", "sklearn", "faiss"} & found
