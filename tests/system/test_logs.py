"""Loggers of the library."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import logging
from embedkit.system.logs import logger
logger("embedkit.a").error("not shown")
logger("embedkit.b").error("not shown")
print(len(logging.getLogger("embedkit").handlers))
logging.basicConfig(format="%(name)s %(message)s")
logger("embedkit.a").error("shown")
"""


def test_messages_are_shown_only_if_the_application_asks_for_them() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "embedkit.a shown\n")


def test_importing_the_package_does_not_import_logging() -> None:
    code = "import sys, embedkit; print('logging' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
