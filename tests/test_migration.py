"""docs/migration.md tells of everything that the vendor's SDK has, and of nothing that is not there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import genauth
import pytest

import genauth_async
import genauth_sync
from genauth_async.emulator import Emulator
from tests.every import check_every

TEXT = (Path(__file__).parents[1] / "docs/migration.md").read_text(encoding="utf-8")
CONSTRUCTOR, METHODS = TEXT.split("## The constructor")[1].split("## Every method")
CLIENTS = [genauth_async.AuthenticationClient, genauth_sync.AuthenticationClient]
NOT_IN_ITS_SIGNATURE = "enc_public_key"


def rows(text: str) -> dict[str, str]:
    """Return the rows of the tables: the vendor's name, and the cell that has ours."""
    found = re.findall(r"^\| `(\w+)` \| (.+?) \|", text, re.MULTILINE)
    assert len(found) == len(dict(found))
    return dict(found)


def test_every_parameter_of_the_vendors_constructor_is_listed() -> None:
    theirs = [*inspect.signature(genauth.AuthenticationClient).parameters, NOT_IN_ITS_SIGNATURE]
    listed = rows(CONSTRUCTOR)
    assert list(listed) == theirs
    assert listed.pop(NOT_IN_ITS_SIGNATURE) == "not needed"
    for client in CLIENTS:
        ours = list(inspect.signature(client).parameters)
        assert [cell.strip("`") for cell in listed.values()] == ours[: len(listed)]


def test_every_method_of_the_vendors_client_is_told_of() -> None:
    theirs = {name for name in vars(genauth.AuthenticationClient) if not name.startswith("_")}
    assert rows(METHODS).keys() == theirs


@pytest.mark.parametrize("client", CLIENTS)
def test_its_name_here_is_there_with_the_same_parameters(client: type) -> None:
    def check(row: tuple[str, str]) -> None:
        theirs, cell = row
        ours = re.match(r"\[`(\w+)`]", cell)
        assert ours is not None
        parameters = list(inspect.signature(getattr(genauth.AuthenticationClient, theirs)).parameters)
        assert list(inspect.signature(getattr(client, ours[1])).parameters)[: len(parameters)] == parameters

    check_every(rows(METHODS).items(), check)


def test_every_name_in_the_text_is_one_of_a_method_or_parameter() -> None:
    mentioned = set(re.findall(r"`(\w+_\w+)=?`", TEXT.split("## What differs")[1]))
    client = genauth_async.AuthenticationClient
    methods = {name: getattr(client, name) for name in dir(client) if not name.startswith("_")}
    parameters = {
        name for method in methods.values() if callable(method) for name in inspect.signature(method).parameters
    }
    parameters |= set(inspect.signature(client).parameters)
    assert mentioned - {*methods, *parameters, *rows(METHODS)} == {"genauth_sync"}


@pytest.mark.parametrize("package", ["genauth_sync", "genauth"])
def test_the_example_needs_only_its_import_line_changed(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    [block] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    with Emulator(app_id="your app id", app_secret="your app secret") as emulator:
        emulator.add_user(username="test", password="passw0rd")
        here = block.replace("https://example.genauth.ai", emulator.url).replace("from genauth_sync", f"from {package}")
        exec(here, {})
    assert capsys.readouterr().out == "test\n"
