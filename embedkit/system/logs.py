"""Loggers below "embedkit"; the application decides what happens to their messages.

The package itself does not import `logging`, which takes longer than all its other imports.
"""

from __future__ import annotations

import logging

__all__ = ["logger"]


def logger(name: str) -> logging.Logger:
    """Return the logger of a module; nothing is printed unless the application asks for it."""
    package = logging.getLogger("embedkit")
    if not package.handlers:
        package.addHandler(logging.NullHandler())
    return logging.getLogger(name)
