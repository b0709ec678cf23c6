"""The command line."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    from embedkit.cli.app import main

    main()
