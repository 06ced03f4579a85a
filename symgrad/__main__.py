"""``python -m symgrad``."""

from symgrad.cli import run

if __name__ == "__main__":
    run()
