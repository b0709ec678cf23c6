"""`python -m embedkit` is `embedkit`."""

from embedkit.cli import main

if __name__ == "__main__":
    main()
