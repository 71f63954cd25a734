"""Source model of genauth_async for generate_sync: files, classes that get a facade, tables of exceptions."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NoReturn, TypeAlias

from tools.generated import RefusedError

CORE, FACADE = "genauth_async", "genauth_sync"

# An unused entry is an error, so that none outlives its reason.
PLAIN_BASES = {"Api", "ClearsTracebackFrames"}  # mark the classes that get a facade; nothing in them is public
CALLBACKS = {"OnEvent", "OnTokens"}  # users' functions that the core awaits: blocking ones here, run in a worker thread
SHARED_CLASSES = {  # only the core awaits them
    "AsyncHTTPClient",
    "AsyncHTTPTransport",
    "FileStore",
    "MemoryStore",
    "TokenStore",
}
SHARED_PACKAGES = {"emulator", "models"}  # need no facade
BY_HAND = {"Stream"}  # generic classes whose facade stands in _bridge.py; plain methods give them
OF_EITHER = {"SessionAuth"}  # made by its `of`, which takes the facade as well as the core's object; properties give it
RENAMED = {"__aenter__": "__enter__", "__aexit__": "__exit__", "aclose": "close"}
DELEGATED = {"__init__", "__repr__"}
IN_THE_BASE = {"__reduce__"}  # Facade has its own
IN_DOCSTRINGS = {
    "Async-first SDK": "The blocking twin of genauth_async, the SDK",
    "async with": "with",
    "aclose": "close",
    "called (and awaited)": "called in a thread",
    "all tasks": "all threads",
}
CLASSES = (PLAIN_BASES, CALLBACKS, SHARED_CLASSES, BY_HAND, OF_EITHER)
TABLES = (*CLASSES, SHARED_PACKAGES, RENAMED, DELEGATED, IN_THE_BASE, IN_DOCSTRINGS)

# What a package ends with at run time: all names of the core's, each fetched when something asks for it.
FETCHING_FROM_THE_CORE = f"""
if not TYPE_CHECKING:  # type checkers read the imports above, and are not to believe in every other name
    import {CORE}

    __all__ = {CORE}.__all__

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
        found = globals()[name] = getattr({CORE}, name)
        return found

    def __dir__() -> list[str]:
        return sorted({{*globals(), *__all__}})
"""
# A package of the core under another name: the same module object, with the same names.
SAME_PACKAGE = f"""
if TYPE_CHECKING:
    from {CORE}.PACKAGE import *
else:
    import sys

    from {CORE} import PACKAGE

    sys.modules[__name__] = PACKAGE
"""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """Source file of the core."""

    def __init__(self, core: Path, path: Path) -> None:
        self.path = path.relative_to(core).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self.body = ast.parse(self.text).body
        package = [CORE, *Path(self.path).parts[:-1]]
        self.folder = "/".join(package[1:])
        self.is_package = path.stem == "__init__"
        self.module = ".".join(package if self.is_package else [*package, path.stem])
        self.classes = {node.name: node for node in self.body if isinstance(node, ast.ClassDef)}
        self.values: dict[str, ast.expr] = {}
        self.imported: dict[str, str] = {}
        self.late: set[str] = set()  # what type checkers alone import here: a lazy package has it when asked for it
        for node in self.body:
            if isinstance(node, ast.ImportFrom):
                above = package[: len(package) + 1 - node.level] if node.level else []
                module = ".".join([*above, node.module] if node.module else above)
                self.imported |= {alias.name: module for alias in node.names if alias.asname is None}
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                self.values[target(node)] = node.value
            elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                parts = [part for part in node.body if isinstance(part, ast.ImportFrom)]
                self.late |= {alias.name for part in parts for alias in part.names}

    def refuse(self, node: ast.AST, problem: str) -> NoReturn:
        raise RefusedError(f"{CORE}/{self.path}:{getattr(node, 'lineno', 1)}: {problem}")

    def bases(self, name: str) -> set[str]:
        return {ast.unparse(base) for base in self.classes[name].bases}

    def exported(self) -> list[str]:
        """List the names in `__all__`; without one, those in `_MODULES`, from which a lazy package imports."""
        written = self.values.get("__all__", self.values.get("_MODULES", ast.List([])))
        try:
            names = ast.literal_eval(written)
        except ValueError:
            self.refuse(written, f"the names are not written out: {ast.unparse(written)}")
        return sorted(" ".join(names.values()).split()) if isinstance(names, dict) else list(names)


class Core:
    """All files of the core, the classes that get a facade, and the table entries that were used."""

    def __init__(self, root: Path) -> None:
        sources = [Source(root / CORE, path) for path in sorted((root / CORE).rglob("*.py"))]
        self.sources = [each for each in sources if each.folder.partition("/")[0] not in SHARED_PACKAGES]
        self.shared = {
            source.folder: source for source in sources if source.is_package and source.folder in SHARED_PACKAGES
        }
        self.used: set[str] = set()
        self.facades: dict[str, Source] = {}
        public = [source for source in self.sources if "._" not in source.module]
        classes = {name: source for source in public for name in source.classes if not name.startswith("_")}
        self.used |= classes.keys() & BY_HAND
        classes = {name: source for name, source in classes.items() if name not in BY_HAND}
        # Their objects would come as streams of the core from methods that do not say `Stream[...]`.
        self.streams = {name for source in sources for name in source.classes if bare(source.bases(name)) & BY_HAND}
        marks = set(PLAIN_BASES)
        while found := [name for name in sorted(classes.keys() - self.facades) if classes[name].bases(name) & marks]:
            self.facades |= {name: classes[name] for name in found}
            marks |= set(found)
        self.used |= {base for name, source in self.facades.items() for base in source.bases(name) & PLAIN_BASES}

    def in_table(self, entry: str, table: set[str] | dict[str, str]) -> bool:
        self.used |= {entry} & set(table)
        return entry in table

    def held_by(self, name: str) -> str:
        """Find the class whose object a facade holds: API areas are bases of one client, and share its object."""
        source = self.facades[name]
        heirs = {self.held_by(heir) for heir, where in self.facades.items() if name in where.bases(heir)}
        if len(heirs) > 1:
            source.refuse(source.classes[name], f"{name} is a base of both {' and '.join(sorted(heirs))}")
        return heirs.pop() if heirs else name

    def alias(self, name: str) -> tuple[str, Source | None]:
        """Return the value of an alias and the file that defines it; "" and None if it is none."""
        source = next((source for source in self.sources if name in source.values), None)
        return (ast.unparse(source.values[name]), source) if source else ("", None)

    def check_shared(self, name: str) -> None:
        for source in self.sources:
            for node in source.classes[name].body if name in source.classes else []:
                is_coroutine = isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")
                if is_coroutine and not self.in_table(name, SHARED_CLASSES):
                    source.refuse(node, f"{name} is exported and has coroutine methods, but no facade")


def target(node: ast.Assign | ast.AnnAssign) -> str:
    """Return the target of an assignment."""
    return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def bare(types: set[str]) -> set[str]:
    """Strip the type arguments from types."""
    return {name.partition("[")[0] for name in types}
