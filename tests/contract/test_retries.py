"""Number of times that each call is sent after a failure, as docs/resilience.md says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from genauth_async import AuthenticationClient, GenAuthError, RetryPolicy
from genauth_async.emulator import Emulator
from tests.contract.test_user_tokens import called
from tests.contract.user_tokens import AS_SUBJECT, NEVER, TAKEN

PAGE = (Path(__file__).parents[2] / "docs/resilience.md").read_text(encoding="utf-8")
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "no connection": {},
    "429": {"retry_after": 0},
    "503": {"status": 503},
    "500": {"status": 500},
    "the answer is lost": {"lose_reply": True},
    "the answer breaks off": {"truncate": True},
}
METHODS = sorted(
    name
    for name in TAKEN | NEVER | AS_SUBJECT.keys()
    if not name.startswith(("iter_", "poll_", "sub_"))  # these make others' calls, or none
)


class Counting(httpx.AsyncHTTPTransport):
    """A real transport that counts what it is asked to send."""

    tries = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.tries += 1
        return await super().handle_async_request(request)


def table() -> dict[str, dict[str, int]]:
    """The page's table: for each fault, how often reading and how often anything else is sent."""
    rows = re.findall(r"^\| ([^|]+) \| (\d) \| (\d) \|$", PAGE, re.MULTILINE)
    return {fault: {"reading": int(reading), "else": int(others)} for fault, reading, others in rows}


def reading() -> set[str]:
    """The methods that the page names as reading."""
    (paragraph,) = re.findall(r"^Reading are: (.*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`(\w+)`", paragraph))


def test_the_page_names_the_same_faults() -> None:
    assert table().keys() == FAULTS.keys()
    assert reading() <= set(METHODS)


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_call_is_sent_as_often_as_the_page_says(fault: str, emulator: Emulator, free_port: int) -> None:
    url = emulator.url if FAULTS[fault] else f"http://127.0.0.1:{free_port}"
    if FAULTS[fault]:
        emulator.faults.add("*", times=None, **FAULTS[fault])
    tries: dict[str, int] = {}
    async with Counting(verify=False) as transport:
        client = AuthenticationClient(
            emulator.app_id,
            url,
            emulator.app_secret,
            transport=transport,
            access_token="a-token",
            redirect_uri="https://app.example/",
            retry=RetryPolicy(attempts=3, backoff=0.0),
        )
        for method in METHODS:
            transport.tries = 0
            subject = {AS_SUBJECT[method]: "a-token"} if method in AS_SUBJECT else {}
            with suppress(GenAuthError):
                await called(client, method, **subject)
            tries[method] = transport.tries
        await client.aclose()
    expected = table()[fault]
    assert tries == {method: expected["reading" if method in reading() else "else"] for method in METHODS}
