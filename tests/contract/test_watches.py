"""Events that end a watch, and events that do not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from genauth_async import AuthenticationClient, Stream
from tests.contract.answers import DONE
from tests.contract.document import DTOS
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio

FINAL = ["AUTHORIZED", "CANCELLED", "EXPIRED", "ERROR"]
CODE_STATUSES = ["PENDING", "SCANNED", *FINAL]
PUSH_STATUSES = ["PUSHED", *FINAL]

Watch = Callable[[AuthenticationClient], Stream[Any]]
# How each is watched, and which statuses there are.
WATCHES: dict[str, tuple[Watch, list[str]]] = {
    "qr code": (lambda client: client.poll_qr_code("a-code", interval=0.001), CODE_STATUSES),
    "push": (lambda client: client.poll_push_code("a-code", interval=0.001), PUSH_STATUSES),
    "fastpass": (lambda client: client.poll_fastpass("a-code", interval=0.001), CODE_STATUSES),
}


@pytest.fixture
async def client(recorder: RecordingServer) -> AsyncIterator[AuthenticationClient]:
    async with AuthenticationClient("an-app", recorder.url, "a-secret") as client:
        yield client


@pytest.mark.parametrize("final", FINAL)
@pytest.mark.parametrize(("watch", "statuses"), WATCHES.values(), ids=WATCHES)
async def test_each_final_status_ends_a_watch_and_nothing_else_does(
    watch: Watch, statuses: list[str], final: str, client: AuthenticationClient, recorder: RecordingServer
) -> None:
    passing = [status for status in statuses if status not in FINAL]
    answered = [*passing, "UNHEARD-OF", *reversed(passing), final]
    recorder.answers = [Answer({**DONE, "data": {"status": status}}) for status in answered]
    recorder.default = Answer({"statusCode": 404, "message": "asked once too often"})
    states = watch(client)
    assert [state.status async for state in states] == answered
    assert [state async for state in states] == []
    assert len(recorder.requests) == len(answered)


@pytest.mark.parametrize(
    ("dto", "statuses"),
    [("CheckQRCodeStatusDataDto", CODE_STATUSES), ("CheckPushCodeStatusDataDto", PUSH_STATUSES)],
)
async def test_no_documented_status_is_left_out(dto: str, statuses: list[str]) -> None:
    (documented,) = [field["enum"] for field in DTOS[dto] if field["wire"] == "status"]
    assert sorted(documented) == sorted(statuses)
