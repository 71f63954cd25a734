"""The vendor's SDKs for Python and Node.js, called alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import genauth

from genauth_async.emulator import Emulator
from tests.contract.document import CONVENIENCE, OPERATIONS, PROTOCOL
from tests.emulator.hosted_pages import CALLBACK
from tests.node_tools import NodeWorker, node_worker

_NODE_NAMES: dict[str, str] = {
    entry["name"]: entry["node_name"] for entry in (*OPERATIONS, *CONVENIENCE, *PROTOCOL) if entry["node_name"]
}


class Vendor(Protocol):
    def call(self, method: str, *args: object, **kwargs: object) -> Any:
        """Calls a method by its name in the Python SDK."""
        ...

    def as_user(self, access_token: str) -> Vendor:
        """The SDK with a signed-in user."""
        ...


class VendorPython:
    """Calls PyPI's genauth."""

    def __init__(self, emulator: Emulator, access_token: str | None = None) -> None:
        self._emulator = emulator
        self._client = genauth.AuthenticationClient(
            app_id=emulator.app_id,
            app_secret=emulator.app_secret,
            app_host=emulator.url,
            redirect_uri=CALLBACK,
            access_token=access_token,
        )

    def call(self, method: str, *args: object, **kwargs: object) -> Any:
        return getattr(self._client, method)(*args, **kwargs)

    def as_user(self, access_token: str) -> Vendor:
        return VendorPython(self._emulator, access_token)


class VendorNode:
    """Calls npm's authing-node-sdk."""

    def __init__(self, emulator: Emulator, worker: NodeWorker, access_token: str | None = None) -> None:
        self._emulator = emulator
        self._worker = worker
        self._options = {
            "appId": emulator.app_id,
            "appSecret": emulator.app_secret,
            "appHost": emulator.url,
            "redirectUri": CALLBACK,
            "accessToken": access_token,
        }

    def call(self, method: str, *args: object, **kwargs: object) -> Any:
        parameters = [*args, *([{_camel(name): value for name, value in kwargs.items()}] if kwargs else [])]
        return self._worker.ask("call", options=self._options, method=_NODE_NAMES[method], parameters=parameters)

    def as_user(self, access_token: str) -> Vendor:
        return VendorNode(self._emulator, self._worker, access_token)


@contextmanager
def vendor(kind: str, emulator: Emulator) -> Iterator[Vendor]:
    """One of the two: python or node."""
    if kind == "python":
        yield VendorPython(emulator)
        return
    with node_worker("authing.js") as worker:
        yield VendorNode(emulator, worker)


def _camel(name: str) -> str:
    if name in {"client_id", "client_secret"}:
        return name
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
