"""Command line of the generators: write files, or compare them with the committed ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path


class RefusedError(Exception):
    """Source that is missing, or that no rule covers."""


def write_or_check(
    description: str, folder: str, by_hand: Collection[str], make: Callable[[Path], Mapping[str, str]]
) -> int:
    """Run the command line of a generator; return the exit status.

    Args:
        description: what it does.
        folder: the folder of its files, below the root; any other file there is stray.
        by_hand: files and folders, by their paths in there, that are not generated.
        make: given the root, makes the text of each file.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the project's folder")
    options = parser.parse_args()
    where = options.root / folder
    try:
        files = make(options.root)
    except RefusedError as refused:
        print(refused, file=sys.stderr)
        return 1
    found = [path.relative_to(where) for path in where.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    left_alone = {Path(path) for path in by_hand}
    present = {path.as_posix() for path in found if not left_alone & {path, *path.parents}}
    problems = dict.fromkeys(present - files.keys(), "stray")
    for path, text in files.items():
        target = where / path
        if path in present and target.read_bytes() == text.encode():
            continue
        if options.check:
            problems[path] = "stale" if path in present else "missing"
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
    for path, problem in sorted(problems.items()):
        print(f"{folder}/{path}: {problem}", file=sys.stderr)
    return 1 if problems else 0
