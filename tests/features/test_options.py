"""The names of the choices agree with those of questions, and cost no numeric import."""

from __future__ import annotations

import subprocess
import sys

from embedkit.features.options import OOV_POLICIES
from embedkit.vectors.options import OOV


def test_the_policies_of_questions_have_the_same_names_here() -> None:
    assert set(OOV_POLICIES) - set(OOV) == {"zero"}
    assert set(OOV) <= set(OOV_POLICIES)


def test_choices_are_imported_without_numeric_libraries() -> None:
    script = (
        "import sys, embedkit.features.options, embedkit.classification.options\n"
        "print(*{'numpy', 'scipy', 'pyarrow', 'sklearn', 'numba', 'torch'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
