"""The emulator's folders: imports point one way, and endpoints/ mirrors api/."""

from __future__ import annotations

import ast
from pathlib import Path

import genauth_async
from genauth_async import emulator

ROOT = Path(emulator.__path__[0])
API = Path(genauth_async.__path__[0], "api")
# From the bottom up; folders of one row do not know each other. "" is the modules beside the folders.
FOLDERS = [{"state"}, {"http"}, {"endpoints", "oidc"}, {"server"}, {""}]
# Both sides of the wire share these.
SDK_MODULES = {"_crypto.sm2", "_core.redaction", "sm2", "_masking"}


def imports_of(path: Path) -> set[str]:
    """The modules of genauth_async that a module imports, by dotted names below genauth_async."""
    here = ["emulator", *path.relative_to(ROOT).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("genauth_async.") for alias in node.names if "genauth" in alias.name}
            continue
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            target = [*here[: len(here) - node.level + 1], *(node.module or "").split(".")]
        elif (node.module or "").partition(".")[0] == "genauth_async":
            target = (node.module or "").split(".")[1:]
        else:
            continue
        target = [part for part in target if part]
        for alias in node.names:
            deeper = Path(ROOT.parent, *target, alias.name)
            is_module = deeper.with_suffix(".py").is_file() or deeper.is_dir()
            found.add(".".join([*target, alias.name] if is_module else target))
    return found


def graph() -> dict[str, set[str]]:
    """Each module of the emulator, with those that it imports."""
    found = {}
    for path in ROOT.rglob("*.py"):
        name = ".".join(["emulator", *path.relative_to(ROOT).with_suffix("").parts])
        found[name.removesuffix(".__init__")] = imports_of(path)
    return found


def folder_of(module: str) -> str:
    parts = module.split(".")[1:]
    return parts[0] if (ROOT / parts[0]).is_dir() else ""


def row_of(folder: str) -> int:
    return next(row for row, folders in enumerate(FOLDERS) if folder in folders)


def test_folders_are_all_known() -> None:
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found | {""} == set.union(*FOLDERS)


def test_no_arrow_points_up() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imports in graph().items()
        for imported in imports
        if imported.startswith("emulator.")
        and module != "emulator"
        and (here := folder_of(module)) != (there := folder_of(imported))
        and row_of(there) >= row_of(here)
    ]
    assert wrong == []


def test_no_circle() -> None:
    left = {module: {name for name in imports if name.startswith("emulator.")} for module, imports in graph().items()}
    while free := [module for module, imports in left.items() if not imports & set(left)]:
        for module in free:
            del left[module]
    assert left == {}, "these import each other"


def test_the_sdk_is_not_imported() -> None:
    others = {name for imports in graph().values() for name in imports if name.partition(".")[0] != "emulator"}
    assert others <= SDK_MODULES


def test_endpoints_are_named_like_the_api() -> None:
    named = {path.stem for path in (ROOT / "endpoints").glob("*.py") if not path.stem.startswith("_")}
    assert named <= {path.stem for path in API.glob("*.py")}
    assert named, "the folder is empty"
