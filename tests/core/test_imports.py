"""Who may import whom, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import genauth_async
from genauth_async.emulator import Emulator

PACKAGE = Path(genauth_async.__path__[0])

# From the bottom up: a module imports from its own row and those above it only.
LAYERS = [
    ["_masking", "_version"],
    ["errors", "models"],
    [
        "_error_codes",
        "_guard",
        "_http_types",
        "_lenient",
        "_loops",
        "_threads",
        "_request",
        "_retry",
        "_sealing",
        "_shield",
        "_tls",
        "_wire",
        "rsa",
        "sm2",
    ],
    [
        "_calls",
        "_direct",
        "_spread",
        "_network_errors",
        "_pool",
        "settings",
        "_envelope",
        "_client_auth",
        "passwords",
        "qr",
        "stores",
        "stream",
        "_token_set",
    ],
    ["_transport", "_grants", "_token_life", "_stored_tokens", "_websocket_address", "_websocket", "_subscription"],
    ["api", "oidc"],
    ["integrations.httpx_auth"],
    ["session"],
    ["client"],
    ["integrations", "doctor"],
    ["__init__"],
    ["emulator"],
    ["demo", "cli"],
    ["__main__"],
]
# The emulator stands for the server, and knows of the SDK only what both sides of the wire share.
EMULATOR_MAY_IMPORT = {"_masking", "sm2"}


def modules() -> dict[str, set[str]]:
    """For each module of the package, by its dotted name, those that it imports, by theirs."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        imports: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                if node.level:
                    target = [*parts[: len(parts) - node.level], *(node.module or "").split(".")]
                elif (node.module or "").split(".")[0] == "genauth_async":
                    target = (node.module or "").split(".")[1:]
                else:
                    continue
                target = [part for part in target if part]
                imports |= {".".join(target)} if target else {alias.name for alias in node.names}
        found[".".join(parts)] = imports
    return found


def top(module: str) -> str:
    name = module.partition(".")[0]
    return "__init__" if name[0].isupper() else name


def layer(module: str) -> int:
    return next(index for index, names in enumerate(LAYERS) if {module, top(module)} & set(names))


def test_imports_point_downwards() -> None:
    for module, imports in modules().items():
        for imported in imports:
            assert layer(imported) <= layer(module), f"{module} imports {imported}"


def test_the_emulator_uses_nothing_of_the_sdk_but_what_both_sides_share() -> None:
    for module, imports in modules().items():
        if top(module) == "emulator":
            others = {top(imported) for imported in imports} - {"emulator"}
            assert others <= EMULATOR_MAY_IMPORT, f"{module} imports {others}"


def test_only_the_pool_imports_an_http_library() -> None:
    for path in PACKAGE.rglob("*.py"):
        if "emulator" in path.parts or path.name in {"_pool.py", "_spread.py", "aiohttp.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            assert not {name.split(".")[0] for name in names} & {"httpx", "httpx2", "aiohttp", "requests"}, path


HEAVY = [
    "aiohttp",
    "cattrs",
    "cryptography",
    "fastapi",
    "filelock",
    "gmssl",
    "gmssl_pyx",
    "httpx",
    "httpx2",
    "joserfc",
    "keyring",
    "starlette",
    "typer",
]


# What a client and its sessions stand on; of the models, every other module waits until it is asked for.
MODELS_AT_ONCE = {"_base", "tokens"}


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


def test_what_the_first_call_needs_is_imported_beside_the_event_loop(emulator: Emulator) -> None:
    program = f"""
import asyncio, sys, threading
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
for name in ["cattrs", "cattrs.gen", "httpx"]:
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
        [sys.executable, "-c", "import sys, runpy; sys.modules['typer'] = None; runpy.run_module('genauth_async')"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "genauth-async[cli" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_sm2_loads_no_cryptography_of_its_own() -> None:
    program = "import sys, genauth_async.sm2; print({'gmssl', 'gmssl_pyx', 'Cryptodome'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
