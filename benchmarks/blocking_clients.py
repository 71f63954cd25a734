"""Blocking sign-in clients: this SDK, hand-written ones, and the vendor's package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .async_clients import context_of, sign_in_body
from .load import sequential_rate, thread_rate
from .worker import Measure

Call: TypeAlias = Callable[[], object]


def ours() -> Measure:
    """Measure genauth_sync."""

    def opened(target: dict[str, str], url: str) -> Call:
        from genauth_sync import AuthenticationClient

        client = AuthenticationClient(target["app_id"], url, target["app_secret"], verify=target["ca"])

        def call() -> object:
            return client.sign_in_by_account_password(target["account"], target["password"]).data.access_token

        return call

    return measure_calls(opened)


def httpx_client() -> Measure:
    """Measure a default httpx.Client."""

    def opened(target: dict[str, str], url: str) -> Call:
        import httpx

        client = httpx.Client(verify=context_of(target))
        body = sign_in_body(target)

        def call() -> object:
            response = client.post(f"{url}/api/v3/signin", json=body)
            response.raise_for_status()
            return response.json()["data"]["access_token"]

        return call

    return measure_calls(opened)


def vendor() -> Measure:
    """Measure PyPI's genauth: it does not verify TLS, and opens a connection for each call."""

    def opened(target: dict[str, str], url: str) -> Call:
        import genauth

        client: Any = genauth.AuthenticationClient(
            app_id=target["app_id"], app_secret=target["app_secret"], app_host=url
        )

        def call() -> object:
            answer = client.sign_in_by_account_password(account=target["account"], password=target["password"])
            return answer["data"]["access_token"]

        return call

    return measure_calls(opened)


def measure_calls(opened: Callable[[dict[str, str], str], Call]) -> Measure:
    """Return a measurement of calls per second, sequential or by threads.

    Args:
        opened: opens a client of the target at a URL, and returns its call.
    """
    calls: dict[str, Call] = {}

    def measure(target: dict[str, str], url: str, at_once: int, seconds: float) -> float:
        if url not in calls:
            calls[url] = opened(target, url)
        if at_once == 1:
            return sequential_rate(calls[url], seconds)
        return thread_rate(calls[url], at_once, seconds)

    return measure
