"""Words of code, tests and reference: actors are named, docstrings name the thing, test names are short."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import pytest

Findings: TypeAlias = Iterator[tuple[int, str]]

ROOT: Final = Path(__file__).parents[1]
FOLDERS: Final = ("genauth_async", "genauth_sync", "tools", "tests", "docs/reference")
UNNAMED_ACTOR: Final = re.compile("(no|some|any|every)body|who(ever)", re.IGNORECASE)
RELATIVE_WORD: Final = re.compile(r"(How|Wh(at|en|ere|ether|ich|ile|o|om|ose|y))(ever)?\b")
LONGEST_TEST_NAME: Final = 60


def unnamed_actors(text: str) -> Findings:
    for number, line in enumerate(text.splitlines(), start=1):
        for word in UNNAMED_ACTOR.finditer(line):
            yield number, f"{word[0]}: name the actor (caller, process, user, server)"


def relative_openings(text: str) -> Findings:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node) or ""
            if RELATIVE_WORD.match(docstring):
                yield getattr(node, "lineno", 1), f"{docstring.splitlines()[0]!r}: open with a verb or name the thing"


def long_test_names(text: str) -> Findings:
    for number, line in enumerate(text.splitlines(), start=1):
        name = re.match(r"\s*(async )?def (test_\w+)", line)
        if name and len(name[2]) > LONGEST_TEST_NAME:
            yield number, f"{name[2]} has {len(name[2])} characters, not at most {LONGEST_TEST_NAME}"


CHECKS: Final = [
    (unnamed_actors, {".py", ".md", ".js", ".txt"}, f"# every{'body'} waits"),
    (relative_openings, {".py"}, 'class A:\n    """Whether it is so."""'),
    (long_test_names, {".py"}, f"    async def test_{'x' * 56}() -> None:"),
]


@pytest.mark.parametrize(("check", "suffixes", "sample"), CHECKS)
def test_words_follow_the_style(check: Callable[[str], Findings], suffixes: set[str], sample: str) -> None:
    assert len([*check(sample)]) == 1
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in suffixes]
    ours = [path for path in files if "node_modules" not in path.parts]
    texts = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in ours}
    found = [f"{path}:{line}: {finding}" for path, text in texts.items() for line, finding in check(text)]
    assert not found, "\n".join([f"{len(found)} findings:", *found])
