"""Generator of genauth_sync: for every class of genauth_async with coroutine methods, one with blocking methods.

It reads the core's source and imports nothing of it. It changes signatures and docstrings, and never looks into bodies:
each generated method is one line that runs the core's. It refuses unknown source, with file and line.

    python -m tools.generate_sync            write the files
    python -m tools.generate_sync --check    compare them, as a whole, with what would be written
"""

from __future__ import annotations

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

from tools.core_source import (
    BY_HAND,
    CALLBACKS,
    CORE,
    DELEGATED,
    FACADE,
    FETCHING_FROM_THE_CORE,
    IN_DOCSTRINGS,
    IN_THE_BASE,
    OF_EITHER,
    PLAIN_BASES,
    RENAMED,
    SAME_PACKAGE,
    SHARED_CLASSES,
    SHARED_PACKAGES,
    TABLES,
    Core,
    Function,
    Source,
    bare,
    target,
)
from tools.generated import RefusedError, write_or_check

HAND_WRITTEN = {"_bridge.py", "_call.py", "_daemon_executor.py", "_loop_thread.py", "py.typed"}
OF_THE_BRIDGE = {"awaitable", "bridge", "core_of", "facade_of"}

# The statements of a lazily importing package, besides imports and __all__.
LAZY = re.compile(r"_\w+( =|:)|if (not )?TYPE_CHECKING:|def __(getattr|dir)__\(")
ASYNCHRONOUS = re.compile(r"\b(AbstractAsync\w*|Async\w*|Awaitable|Callable|Coroutine)\b")


def facade_files(root: Path) -> dict[str, str]:
    """Return the text of each generated file."""
    core = Core(root)
    folders = {"", *(source.folder for source in core.facades.values())}
    made = {source.path: Module(core, source).of_classes() for source in dict.fromkeys(core.facades.values())}
    packages = [source for source in core.sources if source.is_package and source.folder in folders]
    made |= {source.path: Module(core, source).of_package() for source in packages}
    for folder, source in core.shared.items():
        core.used.add(folder)
        made[f"{folder}.py"] = Module(core, source).of_package()
    for unused in sorted({entry for table in TABLES for entry in table} - core.used):
        raise RefusedError(f"tools/core_source.py: the entry {unused!r} serves nothing; remove it")
    return _formatted(made)


class Module:
    """Generated file."""

    def __init__(self, core: Core, source: Source) -> None:
        self.core = core
        self.source = source
        self.imports: dict[str, set[str]] = defaultdict(set)
        self.exempt: set[str] = set()  # from ruff: the vendor's spelling of parameters

    def of_package(self) -> str:
        """Write an `__init__`: the same names, of which those that have a facade are the facade."""
        for node in self.source.body:
            is_all = isinstance(node, ast.Assign) and target(node) == "__all__"
            is_lazy = self.source.late and LAZY.match(ast.unparse(node))
            if not (is_all or is_lazy or _is_docstring(node) or isinstance(node, ast.ImportFrom | ast.Try)):
                self.source.refuse(node, "a package has imports and __all__, nothing else")
        if self.source.folder in SHARED_PACKAGES:
            self.imports["typing"].add("TYPE_CHECKING")
            self.exempt.add("F403")
            return self.text(SAME_PACKAGE.replace("PACKAGE", self.source.folder))
        from_core = set(self.source.exported())
        for name in sorted(from_core):
            if name in self.core.facades:
                self.import_facade(name)
            elif name in BY_HAND:
                self.imports[f"{FACADE}._bridge"].add(name)
            else:
                self.core.check_shared(name)
                continue
            from_core.remove(name)
        return self.text(self._names_of_the_core(from_core) if from_core else "")

    def _names_of_the_core(self, names: set[str]) -> str:
        """Import names for type checkers, those of a module that exports nothing else by `*`, and fetch them late."""
        self.imports = {module: {f"{name} as {name}" for name in ours} for module, ours in self.imports.items()}
        self.imports["typing"] = {"TYPE_CHECKING"}
        self.exempt.add("F403")
        modules = sorted({self.source.imported[name] for name in names & self.source.imported.keys()})
        exported = {source.module: set(source.exported()) for source in self.core.sources}
        by_star = [module for module in modules if exported.get(module) and exported[module] <= names]
        rest = names.difference(*(exported[module] for module in by_star))
        lines = [f"    from {module} import *" for module in by_star]
        lines += [f"    from {self.source.module} import {name} as {name}" for name in sorted(rest)]
        return "\n".join(["if TYPE_CHECKING:", *lines, FETCHING_FROM_THE_CORE])

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
        """Import a name as that source does."""
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
    """Method of a facade."""

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
        """Format the arguments for the core's method; import the signature's names, and make its callbacks blocking."""
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
            self.module.imports[f"{FACADE}._bridge"].add("core_of")
            return f"core_of({arg.arg})"
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
        """Refuse an attribute other than `models.X` after `from .. import models`."""
        package = ast.unparse(node.value)
        is_shared = package in self.core.shared and self.source.imported.get(package) == CORE
        if not is_shared or node.attr not in self.core.shared[package].exported():
            self.source.refuse(node, f"{ast.unparse(node)} is no class of a shared package that is imported here")

    def _blocking(self, alias: ast.Name) -> ast.expr:
        """Convert Callable[[X], Awaitable[None] | None] to Callable[[X], None]."""
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
        if self.decorators == ["property"] and self.core.in_table(returned, OF_EITHER):
            return [f"return {returned}.of(self)"]
        target = self.module.import_core(self.cls) if self.decorators == ["classmethod"] else "self._async"
        call = f"{target}.{name}" + ("" if self.decorators == ["property"] else f"({arguments})")
        if self.is_async:
            self.module.imports[f"{FACADE}._bridge"].add("bridge")
            call = f"bridge.run(lambda: {call})" if arguments else f"bridge.run(self._async.{name})"
        if name == "__aenter__":
            return [call, "return self"]
        if returned == self.cls:
            call = self._facade_of("cls" if self.decorators else "type(self)", call)
        elif isinstance(self.node.returns, ast.Subscript) and bare({returned}) & BY_HAND:
            call = f"{returned.partition('[')[0]}({call})"
        elif returned in self.core.facades:
            call = self._facade_of(returned, call)
        return [call if returned == "None" else f"return {call}"]

    def _facade_of(self, cls: str, core: str) -> str:
        self.module.imports[f"{FACADE}._bridge"].add("facade_of")
        return f"facade_of({cls}, {core})"


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _formatted(files: Mapping[str, str]) -> dict[str, str]:
    """Sort the imports of the files and format them, by ruff."""
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
    return write_or_check(
        "Writes genauth_sync from the signatures of genauth_async.", FACADE, HAND_WRITTEN, facade_files
    )


if __name__ == "__main__":
    raise SystemExit(main())
