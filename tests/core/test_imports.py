"""Allowed imports between modules, and the cost of an import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import genauth_async
from genauth_async.emulator import Emulator
from tests.conftest import OWN_CARRIERS

PACKAGE = Path(genauth_async.__path__[0])
ARCHITECTURE = PACKAGE.parent / "docs" / "architecture.md"

# docs/architecture.md lists the packages of the SDK from the top down; the emulator stands for the server.
EMULATOR_MAY_IMPORT = {"_core", "_crypto"}
# Layers of the emulator by folder, from the bottom up; those with the same number do not import each other.
EMULATOR_LAYERS = {"state": 0, "http": 1, "pages": 1, "endpoints": 2, "oidc": 2, "server": 3, "": 4}
CARRIERS = {"aiohappyeyeballs", "aiohttp", "httpcore", "httpcore2", "httpx", "httpx2", "requests"}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


def import_statements(module: str) -> Iterator[tuple[str, str]]:
    """Yield the absolute modules that a module imports from, each with the imported name."""
    package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -(node.level - 1) or None] if node.level else []
            source = ".".join([*parents, *filter(None, [node.module])])
            yield from ((source, alias.name) for alias in node.names)


def own_imports(module: str) -> set[str]:
    found = {
        f"{source}.{name}" if f"{source}.{name}" in FILES else source for source, name in import_statements(module)
    }
    return (found & FILES.keys()) - {module}


def top_level(module: str) -> str:
    """Return the folder or file directly below the package that contains a module."""
    return [*module.split("."), "__init__"][1]


def emulator_layer(module: str) -> str | None:
    """Return a module's folder in the emulator; "" for a file beside the folders, None outside the emulator."""
    _, package, *path = [*module.split("."), ""]
    if package != "emulator" or path == [""]:
        return None
    return path[0] if path[0] in EMULATOR_LAYERS else ""


MODULES = {module: own_imports(module) for module in FILES}


def top_levels() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {top_level(module): set() for module in MODULES}
    for module, imports in MODULES.items():
        found[top_level(module)] |= {top_level(imported) for imported in imports} - {top_level(module)}
    return found


@pytest.mark.parametrize("graph", [MODULES, top_levels()], ids=["modules", "top level"])
def test_no_circle_of_imports(graph: dict[str, set[str]]) -> None:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def test_no_module_imports_from_above() -> None:
    """docs/architecture.md lists the top level from the top down; each module imports only from lines below its own."""
    listed = re.findall(r"^\| `(\w+?)(?:/|\.py)` \|", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(top_levels())
    upwards = [
        f"{module} imports {imported}"
        for module, imports in MODULES.items()
        for imported in imports
        if listed.index(top_level(imported)) < listed.index(top_level(module))
    ]
    assert upwards == []


def test_the_emulator_imports_only_what_both_sides_share() -> None:
    assert top_levels()["emulator"] <= EMULATOR_MAY_IMPORT


def test_no_import_runs_up_in_the_emulator() -> None:
    upwards = [
        f"{module} imports {imported}"
        for module, imports in MODULES.items()
        for imported in imports
        if (here := emulator_layer(module)) is not None
        and (there := emulator_layer(imported)) is not None
        and here != there
        and EMULATOR_LAYERS[there] >= EMULATOR_LAYERS[here]
    ]
    assert upwards == []


def test_emulator_endpoints_are_named_like_areas_of_the_api() -> None:
    endpoints = {path.stem for path in (PACKAGE / "emulator" / "endpoints").glob("[!_]*.py")}
    assert endpoints
    assert endpoints <= {path.stem for path in (PACKAGE / "api").glob("[!_]*.py")}


def test_only_the_carriers_import_an_http_library() -> None:
    allowed = ("genauth_async._http.carriers", "genauth_async.emulator", "genauth_async.integrations.aiohttp")
    importers = [
        module
        for module in FILES
        if not module.startswith(allowed)
        and {source.partition(".")[0] for source, _ in import_statements(module)} & CARRIERS
    ]
    assert importers == []


HEAVY = [
    "aiohappyeyeballs",
    "aiohttp",
    "cattrs",
    "cryptography",
    "fastapi",
    "filelock",
    "gmssl",
    "gmssl_pyx",
    "h11",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "joserfc",
    "keyring",
    "starlette",
    "typer",
]


# A client and its sessions need these; every other module of the models is imported on first use.
MODELS_AT_ONCE = {"_base", "_fields", "tokens"}


@pytest.mark.parametrize("package", ["genauth_async", "genauth_sync"])
def test_importing_is_light(package: str) -> None:
    program = f"""
import sys, threading
import {package}
loaded = [name for name in {HEAVY!r} if name in sys.modules]
assert loaded == [], loaded
models = {{name.rpartition(".")[2] for name in sys.modules if name.startswith("genauth_async.models.")}}
assert models == {MODELS_AT_ONCE!r}, models
assert threading.active_count() == 1
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("carrier", OWN_CARRIERS)
def test_the_first_call_imports_its_libraries_in_a_thread(carrier: str, emulator: Emulator) -> None:
    libraries = [carrier, "aiohappyeyeballs" if carrier == "aiohttp" else "h11"]
    program = f"""
import asyncio, sys, threading
sys.modules |= dict.fromkeys({{"aiohttp", "httpcore2"}} - {{{carrier!r}}})
from importlib.abc import MetaPathFinder
importers = {{}}
class Watch(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        importers.setdefault(name, threading.current_thread())
sys.meta_path.insert(0, Watch())
from genauth_async import AuthenticationClient
async def call():
    async with AuthenticationClient({emulator.app_id!r}, {emulator.url!r}, "a secret") as client:
        await client.get_system_info()
asyncio.run(call())
for name in ["cattrs", *{libraries!r}]:
    assert importers[name] is not threading.main_thread(), name
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_missing_extras_are_named() -> None:
    program = """
import sys
sys.modules["starlette"] = None
try:
    import genauth_async.emulator
except ImportError as error:
    assert "genauth-async[emulator]" in str(error), error
else:
    raise AssertionError("it was imported")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['typer'] = None; import genauth_async.__main__ as it; it.main()",
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "genauth-async[cli" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_sm2_loads_no_cryptography_of_its_own() -> None:
    program = "import sys, genauth_async._crypto.sm2; print({'gmssl', 'gmssl_pyx', 'Cryptodome'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
