"""The layers of the package: which folder may import which, and what an import may cost."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import embedkit
from tests.conftest import Command

PACKAGE = Path(embedkit.__file__).parent
FOLDERS = [
    "cli",
    "service",
    "classification",
    "retrieval",
    "heads",
    "features",
    "encoders",
    "formats",
    "plotting",
    "evaluation",
    "training",
    "vectors",
    "storage",
    "corpus",
    "index",
    "system",
]
"""From top to bottom: a folder imports only from those below it."""
ROOT = ["__init__", "__main__", "errors", "validation"]
LEVEL = {name: number for number, name in enumerate(["__main__", *FOLDERS, "validation", "errors"])}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module_name(path: Path) -> str:
    """Return the dotted name of a module below the package: ``vectors.formulas``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(source: str, known: set[str]) -> set[str]:
    """Return the modules of the package that a source file imports, at any level of nesting."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "use absolute imports"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    found = set()
    for name in names:
        parts = name.split(".")
        if parts[0] != "embedkit":
            continue
        while parts and ".".join(parts[1:]) not in known:
            parts.pop()
        found.add(".".join(parts[1:]))
    return found - {""}


PATHS = {module_name(path): path for path in MODULES}


@functools.cache
def imports_of(name: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    return imported_modules(PATHS[name].read_text(), set(PATHS))


def test_the_package_contains_exactly_these_folders_and_modules() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(FOLDERS)
    assert {path.stem for path in PACKAGE.glob("*.py")} == set(ROOT)


@pytest.mark.parametrize("module", sorted(PATHS))
def test_a_folder_imports_only_from_folders_below_it(module: str) -> None:
    own = module.split(".")[0]
    folders = {name.split(".")[0] for name in imports_of(module)} - {own}
    assert not {folder for folder in folders if LEVEL[folder] < LEVEL[own]}


def test_imports_have_no_cycle() -> None:
    imports = {name: imports_of(name) for name in PATHS}
    list(TopologicalSorter(imports).static_order())  # raises CycleError


def test_every_kind_of_import_is_recognized() -> None:
    assert imported_modules("import embedkit.cli.queries", set(PATHS)) == {"cli.queries"}
    source = "def f():\n    from embedkit.storage import tensors, StoredModel"
    assert imported_modules(source, set(PATHS)) == {"storage.tensors", "storage"}
    assert imported_modules("from embedkit.vectors import WordVectors", set(PATHS)) == {"vectors"}
    assert imported_modules("import numpy\nfrom embedkit import load", set(PATHS)) == set()


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
    "regex",
    "fastapi",
    "pydantic",
    "uvicorn",
    "tantivy",
    "orjson",
}


def test_help_imports_no_numeric_library(tmp_path: Path) -> None:
    for command in ("train", "phrases", "classify", "search", "serve", "walks"):
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


def test_a_linear_classifier_needs_neither_torch_nor_scikit_learn(
    tmp_path: Path, model: Path
) -> None:
    (tmp_path / "roles.tsv").write_text("paris\tcapital\nfrance\tcountry\nrome\tcapital\n" * 9)
    train = ["classify", "train", "roles.tsv", "--model", str(model), "--quiet"]
    for arguments in (train, ["classify", "predict", "oslo"]):
        found = modules_after(RUN.format(arguments=arguments), tmp_path)
        assert "scipy" in found
        assert not {"numba", "torch", "sklearn", "matplotlib"} & found


def test_a_network_predicts_without_torch(tmp_path: Path, model: Path, inside: Command) -> None:
    (tmp_path / "roles.tsv").write_text("paris\tcapital\nfrance\tcountry\nrome\tcapital\n")
    train = ["classify", "train", "roles.tsv", "--model", model, "--quiet"]
    assert inside(*train, "--head", "network", "--epochs", 2).returncode == 0
    found = modules_after(RUN.format(arguments=["classify", "predict", "oslo"]), tmp_path)
    assert "sklearn" in found
    assert not {"numba", "torch", "matplotlib"} & found


def test_a_search_imports_no_compiler(tmp_path: Path, model: Path, inside: Command) -> None:
    (tmp_path / "docs.jsonl").write_text('{"text": "paris"}\n{"text": "rome"}\n')
    assert inside("search", "build", "docs.jsonl", "--model", model).returncode == 0
    ask = ["search", "ask", "docs.index", "paris unknown"]
    found = modules_after(RUN.format(arguments=ask), tmp_path)
    assert {"tantivy", "faiss"} <= found
    assert not {"numba", "torch", "sklearn", "pandas", "matplotlib"} & found


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


def test_folders_of_the_package_are_attributes() -> None:
    code = "import embedkit, sys; print('numpy' in sys.modules, embedkit.formats.read.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False read\n"
