from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import genauth
import pytest

import genauth_async
import genauth_sync
from genauth_async import AuthenticationClient, TokenSession
from tests.every import check_every

THEIRS = {
    name
    for name, _ in inspect.getmembers(genauth.AuthenticationClient, inspect.isfunction)
    if name == "__init__" or not name.startswith("_")
}
OURS = sorted(THEIRS)
# The vendor's method has no parameter for the passkey's id, so it never removes one.
NEEDED_HERE = {"remove_credential": {"credential_id"}}


@pytest.mark.parametrize("package", [genauth_async, genauth_sync])
def test_all_is_sorted_and_complete(package: Any) -> None:
    assert package.__all__ == sorted(package.__all__)
    public = {
        name for name in dir(package) if not name.startswith("_") and not inspect.ismodule(getattr(package, name))
    }
    assert public - {"annotations", "import_module", "TYPE_CHECKING"} == set(package.__all__)


@pytest.mark.parametrize("package", ["genauth_async", "genauth_sync", "genauth_sync.models"])
def test_lazily_imported_names_behave_like_any_others(package: str) -> None:
    program = f"""
import {package} as package
assert "UserDto" not in vars(package)
assert "UserDto" in dir(package)
from {package} import UserDto
assert vars(package)["UserDto"] is UserDto
from {package} import *
assert [name for name in package.__all__ if name not in globals()] == []
try:
    package.UserDtos
except AttributeError as error:
    assert str(error) == f"module {{package.__name__!r}} has no attribute 'UserDtos'", error
else:
    raise AssertionError("it is there")
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("package", ["genauth_async", "genauth_sync"])
def test_threads_may_ask_for_the_same_late_name_at_once(package: str) -> None:
    program = f"""
import threading
import {package} as package
together = threading.Barrier(8)
found = []
def ask():
    together.wait()
    found.append(package.UserSingleRespDto)
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == [package.UserSingleRespDto] * 8
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_stores_of_extras_are_imported_late() -> None:
    program = """
from genauth_async import stores
assert "RedisStore" not in vars(stores)
assert stores.RedisStore.__name__ == "RedisStore"
assert "RedisStore" in vars(stores)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_both_faces_have_the_same_names() -> None:
    assert vars(genauth_sync)["__all__"] == genauth_async.__all__
    for name in genauth_async.__all__:
        if name not in {"AuthenticationClient", "Stream", "TokenSession"}:
            assert getattr(genauth_sync, name) is getattr(genauth_async, name), name


@pytest.mark.parametrize("package", ["emulator", "models"])
def test_what_needs_no_blocking_face_is_the_same_in_both(package: str) -> None:
    core = importlib.import_module(f"genauth_async.{package}")
    facade = importlib.import_module(f"genauth_sync.{package}")
    names = getattr(core, "__all__", None) or [name for name in dir(core) if not name.startswith("_")]
    assert names
    for name in names:
        assert getattr(facade, name) is getattr(core, name), name


def test_every_public_name_says_what_it_is() -> None:
    assert [name for name in genauth_async.__all__ if not inspect.getdoc(getattr(genauth_async, name))] == []


def public_methods(cls: type) -> list[tuple[str, Callable[..., object]]]:
    return [(n, m) for n, m in inspect.getmembers(cls, inspect.isfunction) if not n.startswith("_")]


@pytest.mark.parametrize("cls", [AuthenticationClient, TokenSession, genauth_async.MemoryStore])
def test_every_public_method_documents_its_parameters(cls: type) -> None:
    """Accepts the docstring of the method or the common parameters of its class."""
    missing: list[str] = []
    for name, method in public_methods(cls):
        doc = inspect.getdoc(method) or ""
        if not doc:
            missing.append(name)
        if cls is not genauth_async.MemoryStore:
            owner = next(base for base in cls.__mro__ if name in vars(base))
            _, _, common = (inspect.getdoc(owner) or "").partition("Common parameters:\n")
            shared, _, _ = common.partition("\n\n")
            missing += [f"{name}({parameter})" for parameter in undocumented(f"{doc}\n{shared}", method)[1:]]
    if cls is AuthenticationClient:
        missing += undocumented(inspect.getdoc(cls) or "", cls)
    assert missing == []


def undocumented(doc: str, function: Callable[..., object]) -> list[str]:
    return [
        parameter
        for parameter in inspect.signature(function).parameters
        if not re.search(rf"^ +{parameter}: ", doc, re.MULTILINE)
    ]


@pytest.mark.parametrize("cls", [AuthenticationClient, genauth_sync.AuthenticationClient])
def test_the_vendors_calls_fit(cls: type) -> None:
    """Arguments of the vendor's methods, by position or by name, mean the same to ours."""
    check_every(OURS, lambda name: check_signature(name, cls))


def check_signature(name: str, cls: type) -> None:
    theirs = list(inspect.signature(getattr(genauth.AuthenticationClient, name)).parameters.values())
    ours = list(inspect.signature(getattr(cls, name)).parameters.values())
    assert [p.name for p in ours[: len(theirs)]] == [p.name for p in theirs]
    for their, our in zip(theirs, ours, strict=False):
        assert our.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if their.default is not inspect.Parameter.empty:
            assert our.default is not inspect.Parameter.empty, our.name
    for further in ours[len(theirs) :]:
        if further.name in NEEDED_HERE.get(name, ()):
            continue
        assert further.kind is inspect.Parameter.KEYWORD_ONLY, further.name
        assert further.default is not inspect.Parameter.empty, further.name


@pytest.mark.parametrize("cls", [AuthenticationClient, TokenSession])
def test_no_any_in_public_signatures(cls: type) -> None:
    found: list[str] = []
    for name, method in [*public_methods(cls), ("__init__", cls.__init__)]:  # type: ignore[misc]
        signature = inspect.signature(method)
        found += [f"{name}({one})" for one in signature.parameters.values() if "Any" in str(one.annotation)]
        if "Any" in str(signature.return_annotation):
            found.append(f"{name} -> {signature.return_annotation}")
    assert found == []
