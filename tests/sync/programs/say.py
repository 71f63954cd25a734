"""Messages of a program to the test that runs it."""

from __future__ import annotations

import os


def say(*words: object) -> None:
    """A line, written as a whole: lines that `print` makes in two threads or processes can run into each other."""
    os.write(1, f"{' '.join(map(str, words))}\n".encode())
