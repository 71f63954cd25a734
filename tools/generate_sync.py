"""Writes genauth_sync: for every class of genauth_async with coroutine methods, one with blocking methods.

It reads the core's source and imports nothing of it. It changes signatures and docstrings, and never looks into bodies:
each generated method is one line that runs the core's. What it does not know it refuses, with file and line.

    python tools/generate_sync.py            write the files
    python tools/generate_sync.py --check    compare them, as a whole, with what would be written
"""

from __future__ import annotations

import argparse
import ast
import builtins
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn, TypeAlias

CORE, FACADE = "genauth_async", "genauth_sync"
HAND_WRITTEN = {"_bridge.py", "py.typed"}
OF_THE_BRIDGE = {"awaitable", "bridge"}

# An entry of these that serves nothing is an error, so that none outlives its reason.
PLAIN_BASES = {"Api", "FramesCleared"}  # mark the classes that get a facade; nothing in them is public
CALLBACKS = {"OnEvent", "OnTokens"}  # users' functions that the core awaits: blocking ones here, run in a worker thread
SHARED_CLASSES = {"AsyncHTTPClient", "AsyncHTTPTransport", "MemoryStore", "TokenStore"}  # only the core awaits them
SHARED_PACKAGES = {"emulator", "models"}  # need no facade
BY_HAND = {"Stream"}  # generic classes whose facade stands in _bridge.py; plain methods give them
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
CLASSES = (PLAIN_BASES, CALLBACKS, SHARED_CLASSES, BY_HAND)
TABLES = (*CLASSES, SHARED_PACKAGES, RENAMED, DELEGATED, IN_THE_BASE, IN_DOCSTRINGS)

# What a package may have that imports its modules when they are asked for, besides imports and __all__.
LAZY = re.compile(r"_\w+( =|:)|if (not )?TYPE_CHECKING:|def __(getattr|dir)__\(")
ASYNCHRONOUS = re.compile(r"\b(AbstractAsync\w*|Async\w*|Awaitable|Callable|Coroutine)\b")
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class RefusedError(Exception):
    """The core has something for which there is no rule."""


class Source:
    """One file of the core."""

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
        for node in self.body:
            if isinstance(node, ast.ImportFrom):
                above = package[: len(package) + 1 - node.level] if node.level else []
                module = ".".join([*above, node.module] if node.module else above)
                self.imported |= {alias.name: module for alias in node.names if alias.asname is None}
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                self.values[_target(node)] = node.value

    def refuse(self, node: ast.AST, problem: str) -> NoReturn:
        raise RefusedError(f"{CORE}/{self.path}:{getattr(node, 'lineno', 1)}: {problem}")

    def bases(self, name: str) -> set[str]:
        return {ast.unparse(base) for base in self.classes[name].bases}

    def exported(self) -> list[str]:
        """The names in `__all__`; without one, those in `_MODULES`, from which a lazy package imports."""
        written = self.values.get("__all__", self.values.get("_MODULES", ast.List([])))
        try:
            names = ast.literal_eval(written)
        except ValueError:
            self.refuse(written, f"the names are not written out: {ast.unparse(written)}")
        return sorted(" ".join(names.values()).split()) if isinstance(names, dict) else list(names)


class Core:
    """All files of the core, the classes that get a facade, and the entries of the tables that were of use."""

    def __init__(self, root: Path) -> None:
        sources = [Source(root / CORE, path) for path in sorted((root / CORE).rglob("*.py"))]
        self.sources = [source for source in sources if source.folder not in SHARED_PACKAGES]
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
        self.streams = {name for source in sources for name in source.classes if _bare(source.bases(name)) & BY_HAND}
        marks = set(PLAIN_BASES)
        while found := [name for name in sorted(classes.keys() - self.facades) if classes[name].bases(name) & marks]:
            self.facades |= {name: classes[name] for name in found}
            marks |= set(found)
        self.used |= {base for name, source in self.facades.items() for base in source.bases(name) & PLAIN_BASES}

    def in_table(self, entry: str, table: set[str] | dict[str, str]) -> bool:
        self.used |= {entry} & set(table)
        return entry in table

    def held_by(self, name: str) -> str:
        """The class whose object a facade holds: the areas of the API are bases of one client, and share its object."""
        source = self.facades[name]
        heirs = {self.held_by(heir) for heir, where in self.facades.items() if name in where.bases(heir)}
        if len(heirs) > 1:
            source.refuse(source.classes[name], f"{name} is a base of both {' and '.join(sorted(heirs))}")
        return heirs.pop() if heirs else name

    def alias(self, name: str) -> tuple[str, Source | None]:
        """What an alias stands for, if it is one, and where it is made."""
        source = next((source for source in self.sources if name in source.values), None)
        return (ast.unparse(source.values[name]), source) if source else ("", None)

    def check_shared(self, name: str) -> None:
        for source in self.sources:
            for node in source.classes[name].body if name in source.classes else []:
                is_coroutine = isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")
                if is_coroutine and not self.in_table(name, SHARED_CLASSES):
                    source.refuse(node, f"{name} is exported and has coroutine methods, but no facade")

    def files(self) -> dict[str, str]:
        """The text of each generated file."""
        folders = {"", *(source.folder for source in self.facades.values())}
        made = {source.path: Module(self, source).of_classes() for source in dict.fromkeys(self.facades.values())}
        packages = [source for source in self.sources if source.is_package and source.folder in folders]
        made |= {source.path: Module(self, source).of_package() for source in packages}
        for folder, source in self.shared.items():
            self.used.add(folder)
            made[f"{folder}.py"] = Module(self, source).of_package()
        for unused in sorted({entry for table in TABLES for entry in table} - self.used):
            raise RefusedError(f"tools/generate_sync.py: the entry {unused!r} serves nothing; remove it")
        return made


class Module:
    """One generated file."""

    def __init__(self, core: Core, source: Source) -> None:
        self.core = core
        self.source = source
        self.imports: dict[str, set[str]] = defaultdict(set)
        self.exempt: set[str] = set()  # from ruff: the vendor's spelling of parameters, one facade's use of another

    def of_package(self) -> str:
        """An `__init__`: the same names; what has a facade is the facade."""
        for node in self.source.body:
            is_all = isinstance(node, ast.Assign) and _target(node) == "__all__"
            is_lazy = self.source.folder in SHARED_PACKAGES and LAZY.match(ast.unparse(node))
            if not (is_all or is_lazy or _is_docstring(node) or isinstance(node, ast.ImportFrom | ast.Try)):
                self.source.refuse(node, "a package has imports and __all__, nothing else")
        exported = self.source.exported()
        for name in exported:
            if self.source.folder in SHARED_PACKAGES:
                self.imports[self.source.module].add(name)  # though another class of this name may have a facade
            elif name in self.core.facades:
                self.import_facade(name)
            elif name in BY_HAND:
                self.imports[f"{FACADE}._bridge"].add(name)
            else:
                self.core.check_shared(name)
                self.imports[self.source.module].add(name)
        return self.text(f"__all__ = {exported!r}" if exported else "")

    def of_classes(self) -> str:
        lines: list[str] = []
        for node in self.source.body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                self.source.refuse(node, f"{node.name} is a coroutine function outside a class")
            if isinstance(node, ast.ClassDef) and node.name in self.core.facades:
                lines += self._class(node)
        return self.text("\n".join(lines))

    def text(self, body: str) -> str:
        banner = f"# Generated by tools/generate_sync.py from {CORE}/{self.source.path}; do not edit."
        exempt = f"# ruff: noqa: {', '.join(sorted(self.exempt))}" if self.exempt else ""
        imports = [f"from {module} import {', '.join(sorted(names))}" for module, names in self.imports.items()]
        future = "from __future__ import annotations"
        return "\n".join([banner, *filter(None, [exempt]), self.docstring(self.source.body), future, *imports, body])

    def docstring(self, body: list[ast.stmt]) -> str:
        if not body or not _is_docstring(body[0]):
            return ""
        text = str(ast.get_source_segment(self.source.text, body[0]))
        for word, here in IN_DOCSTRINGS.items():
            if word in text and self.core.in_table(word, IN_DOCSTRINGS):
                text = text.replace(word, here)
        if left := re.search(r"\b(async|await\w*|aclose)\b", text):
            self.source.refuse(body[0], f"the docstring says {left[0]!r}, and IN_DOCSTRINGS has nothing to say instead")
        return text

    def import_facade(self, name: str) -> None:
        if name not in self.source.classes:
            self.imports[self.core.facades[name].module.replace(CORE, FACADE)].add(name)

    def import_core(self, name: str) -> str:
        """Import a class that has a facade, under the name that this gives."""
        self.imports[self.core.facades[name].module].add(f"{name} as Async{name}")
        return f"Async{name}"

    def import_name(self, name: str, source: Source, node: ast.AST) -> None:
        """Import what a name in that source is."""
        if name in source.classes or name in source.values:
            self.imports[source.module].add(name)
        elif name in source.imported:
            self.imports[source.imported[name]].add(name)
        elif not hasattr(builtins, name):
            source.refuse(node, f"{name} is neither made here nor imported by `from ... import {name}`")

    def _class(self, cls: ast.ClassDef) -> Iterator[str]:
        if cls.decorator_list or cls.keywords:
            self.source.refuse(cls, f"class {cls.name} has a decorator or keyword")
        bases = []
        for base in cls.bases:
            name = ast.unparse(base)
            if name in self.core.facades:
                self.import_facade(name)
                bases.append(name)
            elif name not in PLAIN_BASES:
                self.source.refuse(base, f"unknown base class {name}")
        held = self.core.held_by(cls.name)
        if not bases:
            self.imports[f"{FACADE}._bridge"].add("Facade")
            bases = [f"Facade[{self.import_core(held)}]"]
        yield f"class {cls.name}({', '.join(bases)}):"
        yield f"    {self.docstring(cls.body)}"
        for node in cls.body:
            if isinstance(node, Function):
                yield from Method(self, cls.name, node).lines()
            elif not (_is_docstring(node) or re.match(r"_\w+( =|:)", ast.unparse(node))):
                self.source.refuse(node, f"class {cls.name} has something other than methods")


class Method:
    """One method of a facade."""

    def __init__(self, module: Module, cls: str, node: Function) -> None:
        self.module, self.core, self.source = module, module.core, module.source
        self.cls, self.node = cls, node
        self.is_async = isinstance(node, ast.AsyncFunctionDef)
        self.decorators = [ast.unparse(decorator) for decorator in node.decorator_list]

    def lines(self) -> Iterator[str]:
        node, name = self.node, self.node.name
        if self.core.in_table(name, IN_THE_BASE) or (name.startswith("_") and not name.endswith("__")):
            return
        known = [self.core.in_table(name, RENAMED), self.core.in_table(name, DELEGATED)]
        if name.startswith("_") and not any(known):
            self.source.refuse(node, f"unknown special method {name}")
        if self.decorators not in ([], ["overload"], *([] if self.is_async else (["property"], ["classmethod"]))):
            self.source.refuse(node, f"{name} has a decorator for which there is no rule")
        arguments = self._arguments()
        returned = self._returned()
        yield from (f"    @{decorator}" for decorator in self.decorators)
        yield f"    def {RENAMED.get(name, name)}({ast.unparse(node.args)}) -> {ast.unparse(returned)}:"
        if self.decorators == ["overload"]:
            self.module.imports["typing"].add("overload")
            yield "        ..."
            return
        for line in filter(None, (self.module.docstring(node.body), *self._body(arguments, ast.unparse(returned)))):
            yield f"        {line}"

    def _arguments(self) -> str:
        """The arguments for the core's method; the signature's names are imported, its callbacks made blocking."""
        given = self.node.args
        for star in filter(None, (given.vararg, given.kwarg)):
            self.source.refuse(star, f"{self.node.name} takes any number of arguments (*{star.arg})")
        for default in filter(None, (*given.defaults, *given.kw_defaults)):
            for part in ast.walk(default):
                if isinstance(part, ast.Name):
                    self.module.import_name(part.id, self.source, part)
        positional = [self._argument(arg) for arg in (*given.posonlyargs, *given.args)[1:]]
        return ", ".join([*positional, *(f"{arg.arg}={self._argument(arg)}" for arg in given.kwonlyargs)])

    def _argument(self, arg: ast.arg) -> str:
        if arg.annotation is None:
            self.source.refuse(arg, f"{arg.arg} has no annotation")
        if arg.arg in OF_THE_BRIDGE:
            self.source.refuse(arg, f"{arg.arg} is what generated methods call")
        if arg.arg != arg.arg.lower():
            self.module.exempt.add("N803")
        if isinstance(arg.annotation, ast.Name) and arg.annotation.id in self.core.facades:
            self.module.import_facade(arg.annotation.id)
            self.module.exempt.add("SLF001")
            return f"{arg.arg}._async"
        before = ast.unparse(arg.annotation)
        arg.annotation = self._annotation(arg.annotation)
        if before == ast.unparse(arg.annotation):
            return arg.arg
        self.module.imports[f"{FACADE}._bridge"].add("awaitable")
        return f"awaitable({arg.arg})"

    def _returned(self) -> ast.expr:
        returns = self.node.returns
        if returns is None:
            self.source.refuse(self.node, f"{self.node.name} does not say what it returns")
        if isinstance(returns, ast.Subscript) and ast.unparse(returns.value) in BY_HAND:
            if self.is_async or self.decorators:
                self.source.refuse(returns, f"{self.node.name} gives a stream, and is no plain method")
            self.module.imports[f"{FACADE}._bridge"].add(ast.unparse(returns.value))
            return ast.Subscript(returns.value, self._annotation(returns.slice))
        if not isinstance(returns, ast.Name) or returns.id not in self.core.facades:
            return self._annotation(returns)
        self.module.import_facade(returns.id)
        return returns

    def _annotation(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.BinOp):
            return ast.BinOp(self._annotation(node.left), node.op, self._annotation(node.right))
        if isinstance(node, ast.Name) and self.core.in_table(node.id, CALLBACKS):
            return self._blocking(node)
        literal = ast.unparse(node).startswith("Literal[")
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and not literal:
                self.source.refuse(part, "a quoted annotation")
            if isinstance(part, ast.Attribute):
                self._check_attribute(part)
            if isinstance(part, ast.Name):
                if part.id in self.core.streams:
                    self.source.refuse(part, f"{part.id} is a stream; Stream[...] is what a method gives")
                if part.id in self.core.facades or part.id in BY_HAND:
                    self.source.refuse(part, f"{part.id} has a facade, and stands within another type")
                passed_on = self.core.in_table(part.id, SHARED_CLASSES)
                if not passed_on and ASYNCHRONOUS.search(f"{part.id} {self.core.alias(part.id)[0]}"):
                    self.source.refuse(part, f"{part.id}: something to be called or awaited passes between the threads")
                self.module.import_name(part.id, self.source, part)
        return node

    def _check_attribute(self, node: ast.Attribute) -> None:
        """Only `models.X` is known, after `from .. import models`."""
        package = ast.unparse(node.value)
        is_shared = package in self.core.shared and self.source.imported.get(package) == CORE
        if not is_shared or node.attr not in self.core.shared[package].exported():
            self.source.refuse(node, f"{ast.unparse(node)} is no class of a shared package that is imported here")

    def _blocking(self, alias: ast.Name) -> ast.expr:
        """Callable[[X], Awaitable[None] | None] becomes Callable[[X], None]."""
        value, source = self.core.alias(alias.id)
        form = re.fullmatch(r"(Callable\[\[(\w+)], )Awaitable\[None]( \| None)?]", value)
        if form is None or source is None:
            self.source.refuse(alias, f"{alias.id} is not Callable[[X], Awaitable[None]]")
        self.module.import_name("Callable", source, alias)
        self.module.import_name(form[2], source, alias)
        return ast.parse(f"{form[1]}None]", mode="eval").body

    def _body(self, arguments: str, returned: str) -> list[str]:
        name = self.node.name
        if name == "__init__":
            return [f"super().__init__({self.module.import_core(self.cls)}({arguments}))"]
        if name == "__repr__":
            return ["return repr(self._async)"]
        target = self.module.import_core(self.cls) if self.decorators == ["classmethod"] else "self._async"
        call = f"{target}.{name}" + ("" if self.decorators == ["property"] else f"({arguments})")
        if self.is_async:
            self.module.imports[f"{FACADE}._bridge"].add("bridge")
            call = f"bridge.run(lambda: {call})" if arguments else f"bridge.run(self._async.{name})"
        if name == "__aenter__":
            return [call, "return self"]
        if returned == self.cls:
            call = f"{self.node.args.args[0].arg}._wrap({call})"
        elif isinstance(self.node.returns, ast.Subscript) and _bare({returned}) & BY_HAND:
            call = f"{returned.partition('[')[0]}({call})"
        elif returned in self.core.facades:
            self.module.exempt.add("SLF001")
            call = f"{returned}._wrap({call})"
        return [call if returned == "None" else f"return {call}"]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _bare(types: set[str]) -> set[str]:
    """Those types without what stands in their brackets."""
    return {name.partition("[")[0] for name in types}


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def _formatted(files: Mapping[str, str]) -> dict[str, str]:
    """The files as ruff sorts their imports and formats them."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        raise RefusedError(f"there is no ruff beside {sys.executable}")
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text, encoding="utf-8")
        pyproject = str(Path(__file__).parents[1] / "pyproject.toml")
        ours = f'lint.isort.known-first-party = ["{CORE}", "{FACADE}"]'
        for step in (["check", "--select", "I", "--fix"], ["format"]):
            command = [ruff, *step, "--no-cache", "--quiet", "--config", pyproject, "--config", ours, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the ruff found
            if done.returncode:
                raise RefusedError(f"ruff {step[0]} failed: {(done.stdout + done.stderr).strip()}")
        return {path: (Path(folder) / path).read_text(encoding="utf-8") for path in files}


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes genauth_sync from the signatures of genauth_async.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the folder of both packages")
    options = parser.parse_args()
    facade = options.root / FACADE
    try:
        files = _formatted(Core(options.root).files())
    except RefusedError as refused:
        print(refused, file=sys.stderr)
        return 1
    found = {path.relative_to(facade).as_posix() for path in facade.rglob("*") if path.is_file()}
    present = {path for path in found - HAND_WRITTEN if "__pycache__" not in path}
    problems = dict.fromkeys(present - files.keys(), "stray")
    for path, text in files.items():
        target = facade / path
        if path in present and target.read_bytes() == text.encode():
            continue
        if options.check:
            problems[path] = "stale" if path in present else "missing"
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
    for path, problem in sorted(problems.items()):
        print(f"{FACADE}/{path}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
