"""Makes `python -m embedkit` run the command line."""

from embedkit.cli import main

if __name__ == "__main__":
    main()
