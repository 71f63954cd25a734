"""Generator of docs/reference: a page for every area of the API and for everything around it, and an index.

It reads the signatures and docstrings of genauth_async and imports nothing of it. A page ends with the script of its
name in docs/reference/examples, which the tests run. It refuses unknown source, with file and line.

    python -m tools.generate_docs            write the pages
    python -m tools.generate_docs --check    compare them, as a whole, with what would be written
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tools.docstrings import (
    Function,
    Shown,
    Source,
    docstring,
    entries,
    fields,
    name_of,
    sections,
    signature,
)
from tools.generated import RefusedError, write_or_check

PACKAGE, REFERENCE = "genauth_async", "docs/reference"
BANNER = f"<!-- Written by tools/generate_docs.py from the docstrings of {PACKAGE}; change those, not this. -->"

# Besides a page for each module of `api` and `oidc` with the models of its name, whose classes are bases of the client.
PAGES = {
    "client": ("The client", ["client.py"]),
    "session": ("The signed-in user", ["session.py"]),
    "stores": (
        "Stores of session tokens",
        [f"stores/{name}.py" for name in ("_protocol", "memory", "file", "keyring", "redis")],
    ),
    "stream": ("Streams", ["stream.py"]),
    "errors": (
        "Errors",
        [f"errors/{name}.py" for name in ("__init__", "_base", "_transport", "_api", "_oidc", "_sessions")],
    ),
    "settings": ("Settings, time and retries", ["settings.py"]),
    "qr": ("Pictures of QR codes", ["qr.py"]),
    "emulator": ("The emulator", []),  # the classes and functions that its package exports
    "models": (
        "Common parts of DTOs",
        ["models/_base.py", "models/_fields.py", "models/_pydantic.py", "models/common.py"],
    ),
}
# Classes of the emulator that have further methods, for the emulator itself.
EMULATOR_METHODS = {
    "App": ["display_name"],
    "Events": [
        *("publish", "subscribers", "wait_subscribed", "wait_subscribed_blocking", "wait_unsubscribed"),
        *("drop_connections", "close_connections"),
    ],
    "Factor": [],
    "Factors": ["of", "find", "enroll", "totp_for"],
    "Fault": ["exhausted"],
    "Faults": ["add", "hold", "remove", "clear"],
    "Grant": [],
    "Grants": ["alive", "revoked", "reused", "presented"],
    "Hold": ["arrived", "wait_arrived", "wait_arrived_blocking", "release"],
    "Inbox": ["code_for", "fix_code"],
    "Message": ["is_good_at"],
    "Passkeys": ["of", "find"],
    "RequestCounter": ["total", "by_path", "reset"],
    "User": ["locked"],
}
BASES = {"Api", "Authorize", "Login"}  # their subclasses are bases of the client
SUFFIX = "_example"  # a script's folder is searched first: a mere `webauthn` would hide the package of that name
NAME = re.compile(r"\b(?:[A-Z]\w*|[a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b")
NO_WORD = re.compile(r"(?<![\w.])(?:\w+_\w+|[A-Z]\w*[a-z]\w*[A-Z]\w*)\b")


class Reference:
    """All pages, and the place that explains each name."""

    def __init__(self, root: Path) -> None:
        package = root / PACKAGE
        files = [path for folder in ("api", "oidc") for path in sorted((package / folder).glob("[a-z]*.py"))]
        areas = {path.stem: ("", [f"{path.parent.name}/{path.name}", f"models/{path.name}"]) for path in files}
        pages = {page: paths for page, (_, paths) in {**PAGES, **areas}.items()}
        self.areas = sorted(areas)
        self.sources = {
            page: [Source(package, path) for path in paths if page in PAGES or (package / path).exists()]
            for page, paths in pages.items()
        } | {"emulator": [*_emulator_sources(package)]}
        self.titles = {page: title or _title(self.sources[page][0]) for page, (title, _) in {**PAGES, **areas}.items()}
        orphans = {f"models/{path.name}" for path in (package / "models").glob("*.py")} - {"models/__init__.py"}
        if orphans := orphans - {path for paths in pages.values() for path in paths}:
            raise RefusedError(f"{PACKAGE}/{min(orphans)}: has no page")
        scripts = sorted((root / REFERENCE / "examples").glob("*.py"))
        for path in [script for script in scripts if not script.stem.endswith(SUFFIX)]:
            raise RefusedError(f"{REFERENCE}/examples/{path.name}: has another name than <page>{SUFFIX}.py")
        self.examples = {path.stem.removesuffix(SUFFIX): path.read_text(encoding="utf-8") for path in scripts}
        problems = dict.fromkeys(areas.keys() - self.examples.keys(), "missing")
        problems |= dict.fromkeys(self.examples.keys() - pages.keys(), "is of no page")
        for page, problem in sorted(problems.items())[:1]:
            raise RefusedError(f"{REFERENCE}/examples/{page}{SUFFIX}.py: {problem}")
        # Other pages do not link to the emulator's: they have some of its names, such as Clock, for their own things.
        own = [page for page in pages if page != "emulator"]
        self.places = {name: f"{page}.md#{_slug(name)}" for page in own for name in self.names(page)}

    def names(self, page: str, *, with_models: bool = True) -> list[str]:
        """List the names that a page explains: methods of the client's bases, else classes and functions."""
        names: list[str] = []
        for source in self.sources[page]:
            for node in source.shown():
                if _is_base(node) and isinstance(node, ast.ClassDef):
                    names += [method.name for method in source.methods(node)]
                elif with_models or not source.has_models:
                    names.append(name_of(node))
        return names

    def files(self) -> dict[str, str]:
        """Return the text of every page by file name."""
        pages = {f"{page}.md": "\n".join(Page(self, page).lines()) for page in self.sources}
        return {"README.md": "\n".join(self._index()), **pages}

    def _index(self) -> Iterator[str]:
        yield from (BANNER, "", "# Reference", "")
        yield f"`{PACKAGE}`, page by page; `genauth_sync` has the same, to be called without `await`."
        around = [page for page in self.sources if page not in self.areas]
        for heading, pages in (("The client and what belongs to it", around), ("The areas of the API", self.areas)):
            yield from ("", f"## {heading}", "", "| page | about | has |", "|---|---|---|")
            for page in pages:
                names = self.names(page, with_models=page == "models")
                links = ", ".join(f"[`{name}`]({page}.md#{_slug(name)})" for name in names)
                links = "every error" if page == "errors" else links
                yield f"| [{page}]({page}.md) | {self.titles[page]} | {links} |"
        yield ""


class Page:
    """Page of the reference."""

    def __init__(self, reference: Reference, name: str) -> None:
        self.name, self.sources = name, reference.sources[name]
        self.places = reference.places | {own: f"{name}.md#{_slug(own)}" for own in reference.names(name)}
        self.title, self.example = reference.titles[name], reference.examples.get(name)

    def lines(self) -> Iterator[str]:
        _, _, rest = docstring(self.sources[0].tree).partition("\n")
        yield from (BANNER, "", f"# {self.title}", "", *([rest.strip("\n"), ""] if rest else []))
        for source in self.sources:
            if source.has_models and not self.sources[0].has_models:
                yield from ("## Data", "")
            for node in source.shown():
                yield from self._section(source, node)
        if self.example is not None:
            script = f"examples/{self.name}{SUFFIX}.py"
            yield from (
                "## Example",
                "",
                f"It runs as it stands, against the emulator (extra `emulator`): [`{script}`]({script}).",
            )
            yield from ("", "```python", self.example.rstrip("\n"), "```", "")

    def _section(self, source: Source, node: Shown) -> Iterator[str]:
        level = "###" if source.has_models else "##"
        if isinstance(node, ast.Assign):
            values = ", ".join(f"`{value}`" for value in ast.literal_eval(ast.unparse(node.value)[len("Literal") :]))
            yield from (f"{level} {name_of(node)}", "", f"One of {values}.", "")
        elif isinstance(node, Function):
            yield from self._function(node, f"## {node.name}")
        elif _is_base(node):
            yield from self._described(node)
            yield from (f"Methods of {self._link('AuthenticationClient')}, that of `genauth_sync` without `await`:", "")
            for method in source.methods(node):
                yield from self._function(method, f"## {method.name}")
        else:
            yield from (f"{level} {node.name}", "")
            yield from self._class(source, node)
            for method in source.methods(node):
                yield from self._function(method, f"### {node.name}.{method.name}")

    def _class(self, source: Source, node: ast.ClassDef) -> Iterator[str]:
        made = next((part for part in node.body if isinstance(part, Function) and part.name == "__init__"), None)
        made = made if "Args" in sections(node) else None
        if made:
            yield from ("```python", *signature(made, f"class {node.name}"), "```", "")
        rows = fields(node, is_snake=source.is_snake(node))
        yield from self._described(node, made, without="Attributes" if rows else None)
        bases = [self.linked(ast.unparse(base)) for base in node.bases if ast.unparse(base) in self.places]
        if bases and {*map(ast.unparse, node.bases)} != {"Dto"}:
            yield from (f"A kind of {' and '.join(bases)}.", "")
        if rows:
            columns = ["attribute", *(["wire name"] if source.has_models else []), "type", "", "meaning"]
            yield from (f"| {' | '.join(columns)} |", "|" + "---|" * len(columns))
            meanings = dict(entries(sections(node).get("Attributes", "")))
            for row in rows:
                wire = [f"`{row.wire}`"] if source.has_models else []
                kind = self.linked(row.kind).replace("|", "\\|")
                meaning = " ".join(filter(None, [meanings.get(row.name), row.aliases]))
                yield f"| {' | '.join([f'`{row.name}`', *wire, kind, row.notes, self._prose(meaning)])} |"
            yield ""

    def _function(self, node: Function, heading: str) -> Iterator[str]:
        head = f"{'async ' if isinstance(node, ast.AsyncFunctionDef) else ''}def {node.name}"
        yield from (heading, "", "```python", *signature(node, head), "```", "", *self._described(node, node))
        returned = ast.unparse(node.returns).replace("models.", "") if node.returns else ""
        if (linked := self.linked(returned)) != returned:
            yield from (f"Gives {linked}.", "")

    def _described(
        self, node: ast.ClassDef | Function, made: Function | None = None, without: str | None = None
    ) -> Iterator[str]:
        """Format a docstring as Markdown."""
        arguments = [*made.args.args, *made.args.kwonlyargs] if made else []
        types = {one.arg: ast.unparse(one.annotation) for one in arguments if one.annotation}
        for head, body in sections(node).items():
            if head == without:
                continue
            if head:
                yield from (f"**{'Parameters' if head == 'Args' else head}**", "")
            for name, text in entries(body) if head not in {"", "Returns"} else [("", body)]:
                known = [one for one in NAME.findall(types.get(name, "")) if one in self.places]
                models = f" ({', '.join(map(self._link, dict.fromkeys(known)))})" if known else ""
                names = ", ".join(self._link(one) for one in name.split(", "))
                yield f"* {names}{models}: {self._prose(text)}" if name else self._prose(text)
            yield ""

    def linked(self, text: str) -> str:
        """Format a type, with a link for each name that has a section."""
        text = text.replace("models.", "").replace("ListOf[", "list[")
        return NAME.sub(lambda found: self._link(found[0]) if found[0] in self.places else found[0], text)

    def _prose(self, text: str) -> str:
        """Link the names in a text that are no plain words, outside of code."""
        parts = re.split(r"(`[^`]*`)", text)
        return "".join(self._link(part.strip("`")) if part[:1] == "`" else self._named(part) for part in parts)

    def _named(self, text: str) -> str:
        return NO_WORD.sub(
            lambda word: self._link(word[0]) if "_" in word[0] or word[0] in self.places else word[0], text
        )

    def _link(self, name: str) -> str:
        place = self.places.get(name, "")
        return f"[`{name}`]({place.removeprefix(f'{self.name}.md')})" if place else f"`{name}`"


def _emulator_sources(package: Path) -> Iterator[Source]:
    """Iterate over the modules from which the emulator's package imports, and the names."""
    tree = ast.parse((package / "emulator/__init__.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            path = f"emulator/{node.module.replace('.', '/')}.py"
            yield Source(package, path, [alias.name for alias in node.names], EMULATOR_METHODS)
            if node.module == "emulator":  # the base class of the one that is exported
                yield Source(package, "emulator/controls.py", ["EmulatorControls"])


def _is_base(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and not BASES.isdisjoint(map(ast.unparse, node.bases))


def _title(source: Source) -> str:
    return docstring(source.tree).partition("\n")[0].rstrip(".")


def _slug(heading: str) -> str:
    """Return the anchor that Markdown gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def main() -> int:
    description = "Writes docs/reference from the docstrings of genauth_async."
    return write_or_check(description, REFERENCE, {"examples"}, lambda root: Reference(root).files())


if __name__ == "__main__":
    raise SystemExit(main())
