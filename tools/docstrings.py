"""Python source for generate_docs: public names, docstring sections, signatures, fields of data classes."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn, TypeAlias

from tools.generated import RefusedError

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Shown: TypeAlias = ast.ClassDef | Function | ast.Assign

_PROSE = {"", "Returns"}
_WITH_FUNCTIONS = {"qr.py"}
_HIDDEN = {"Deadline", "Outcome", "PhaseTimeouts"}  # in public modules, for the package itself

_SECTION = re.compile(r"^([A-Z][\w ]*):$\n", re.MULTILINE)
_ENTRY = re.compile(r"^([\w., ]+): (.*(?:\n +.*)*)", re.MULTILINE)
_BETWEEN_PARAMETERS = re.compile(r", (?=\w+: |\*)")
_DEFAULT = re.compile(r"(?<=[^=])=(?=[^=])")
_WIDTH = 100
_SHOWN_DECORATORS = {"property", "classmethod", "asynccontextmanager"}


class Source:
    """Source file of the package.

    Args:
        package: the folder of the package.
        path: the file in it.
        names: the classes and functions that get a section; None for all that are public.
        methods: the methods that get one, for classes that also have others for the package itself.
    """

    def __init__(
        self,
        package: Path,
        path: str,
        names: Collection[str] | None = None,
        methods: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.package, self.path, self._names, self._methods = package.name, path, names, methods or {}
        self.tree = ast.parse((package / path).read_text(encoding="utf-8"))
        self.has_models = path.startswith("models/")
        for node in ast.walk(self.tree):
            for head, body in sections(node).items() if isinstance(node, ast.ClassDef | Function) else ():
                if head not in _PROSE and len(entries(body)) != len(re.findall(r"^\S", body, re.MULTILINE)):
                    self.refuse(node, f"{head} has a line that is no `name: text`")

    def refuse(self, node: ast.AST, problem: str) -> NoReturn:
        raise RefusedError(f"{self.package}/{self.path}:{getattr(node, 'lineno', 1)}: {problem}")

    def shown(self) -> list[Shown]:
        """List the nodes that get a section: classes, public functions, and at the end enumerations."""
        nodes = [node for node in self.tree.body if isinstance(node, Shown) and name_of(node) not in _HIDDEN]
        nodes = [node for node in nodes if not name_of(node).startswith("_") and self._is_public(node)]
        return sorted(nodes, key=lambda node: isinstance(node, ast.Assign))

    def _is_public(self, node: Shown) -> bool:
        if self._names is not None:
            return name_of(node) in self._names
        if isinstance(node, ast.Assign):
            return ast.unparse(node.value).startswith("Literal[")
        return isinstance(node, ast.ClassDef) or self.path in _WITH_FUNCTIONS

    def is_snake(self, node: ast.ClassDef) -> bool:
        """Check if a DTO has the same names on the wire."""
        if any(ast.unparse(part) == "wire_case = 'snake'" for part in node.body):
            return True
        bases = {ast.unparse(base) for base in node.bases}
        return any(self.is_snake(one) for one in self.tree.body if isinstance(one, ast.ClassDef) and one.name in bases)

    def methods(self, node: ast.ClassDef) -> list[Function]:
        """List the public methods of a class, except those that its docstring lists as attributes."""
        attributes = dict(entries(sections(node).get("Attributes", "")))
        found = [part for part in node.body if isinstance(part, Function) and part.name[0] != "_"]
        if node.name in self._methods:
            shown = self._methods[node.name]
            if unknown := [*{*shown} - {method.name for method in found}]:
                self.refuse(node, f"{node.name} has no method {unknown[0]}")
            found = [method for method in found if method.name in shown]
        found = [method for method in found if method.name not in attributes and not _is_repetition(method)]
        for method in found:
            if not ast.get_docstring(method):
                self.refuse(method, f"{node.name}.{method.name} has no docstring")
        return found


class Field:
    """An attribute of a data class.

    Attributes:
        name: its name.
        kind: its type, as it is written.
        wire: its name in JSON, for a DTO.
        notes: whether it is required, and secret.
        aliases: the other names under which it is read.
    """

    def __init__(self, node: ast.AnnAssign, *, is_snake: bool) -> None:
        made = node.value
        given = {key.arg: key.value for key in made.keywords} if isinstance(made, ast.Call) else {}
        self.name = name_of(node)
        self.kind = ast.unparse(node.annotation)
        self.wire = ast.literal_eval(given["wire"]) if "wire" in given else self.name if is_snake else camel(self.name)
        is_required = made is None or (isinstance(made, ast.Call) and not {"default", "factory"} & given.keys())
        self.notes = ", ".join([*(["required"] if is_required else []), *(["secret"] if "secret" in given else [])])
        aliases = ast.literal_eval(given["aliases"]) if "aliases" in given else ()
        self.aliases = f"Read as {' and '.join(f'`{other}`' for other in aliases)} too." if aliases else ""


def camel(name: str) -> str:
    """Convert a name to camelCase."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


def fields(node: ast.ClassDef, *, is_snake: bool) -> list[Field]:
    """List the public attributes of a data class."""
    found = [Field(part, is_snake=is_snake) for part in node.body if isinstance(part, ast.AnnAssign)]
    return [field for field in found if field.name[0] != "_" and "ClassVar" not in field.kind]


def name_of(node: ast.stmt) -> str:
    """Return the name that a statement defines, or ""."""
    named = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return ast.unparse(named) if named else str(getattr(node, "name", ""))


def docstring(node: ast.Module | ast.ClassDef | Function) -> str:
    """Return the docstring, or ""."""
    return ast.get_docstring(node) or ""


def sections(node: ast.ClassDef | Function) -> dict[str, str]:
    """Split a docstring into sections by heading; that of the first is ""."""
    first, *rest = _SECTION.split(docstring(node))
    parts = {"": first, **dict(zip(rest[::2], rest[1::2], strict=True))}
    return {head: inspect.cleandoc(f"\n{body}") for head, body in parts.items() if body.strip()}


def entries(section: str) -> list[tuple[str, str]]:
    """List the names in a section with their descriptions."""
    return [(name, re.sub(r"\n\s*", " ", text)) for name, text in _ENTRY.findall(section)]


def signature(node: Function, head: str) -> list[str]:
    """Format a signature as lines of code, from the caller's view.

    Args:
        node: the function.
        head: the text before the parameters.
    """
    decorators = [f"@{name}" for name in map(ast.unparse, node.decorator_list) if name in _SHOWN_DECORATORS]
    receiver = re.compile(r"(self|cls)(: .*)?|")
    parameters = _BETWEEN_PARAMETERS.split(ast.unparse(node.args).replace("models.", ""))
    parameters = [_DEFAULT.sub(" = ", parameter) for parameter in parameters if not receiver.fullmatch(parameter)]
    tail = ")" if node.returns is None or head.startswith("class ") else f") -> {ast.unparse(node.returns)}"
    tail = tail.replace("models.", "")
    if "@property" in decorators:
        return [f"{node.name}: {tail.removeprefix(') -> ')}"]
    line = f"{head}({', '.join(parameters)}{tail}"
    if len(line) <= _WIDTH:
        return [*decorators, line]
    return [*decorators, f"{head}(", *(f"    {parameter}," for parameter in parameters), tail]


def _is_repetition(method: Function) -> bool:
    return any(ast.unparse(each).endswith(("overload", ".setter")) for each in method.decorator_list)
