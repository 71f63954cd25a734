"""Watching and paging through the client, against the emulator."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from genauth_async import Clock, NotFoundError, RetryPolicy, WaitTimeoutError
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient

pytestmark = pytest.mark.anyio


async def test_a_qr_code_is_watched_to_its_end(face: Any, emulator: Emulator, user: User) -> None:
    qrcode_id = (await face.gene_qr_code("MOBILE_APP")).data.qrcode_id
    states = face.poll_qr_code(qrcode_id, interval=0.01)
    seen = []
    async for state in states:
        seen.append(state.status)
        if state.status == "PENDING":
            emulator.qr_codes.scan(qrcode_id, user)
        elif state.status == "SCANNED":
            assert state.brief_user_info.display_name
            emulator.qr_codes.confirm(qrcode_id)
    assert seen == ["PENDING", "SCANNED", "AUTHORIZED"]
    tokens = await face.exchange_token_set_with_qr_code_ticket((await states.last()).ticket)
    assert (await face.get_profile(access_token=tokens.data.access_token)).data.user_id == user.id


async def test_a_qr_code_that_expires_ends_the_watch(face: Any, emulator: Emulator) -> None:
    qrcode_id = (await face.gene_qr_code("MOBILE_APP")).data.qrcode_id
    emulator.clock.advance(3600)
    assert (await face.poll_qr_code(qrcode_id).last()).status == "EXPIRED"
    with pytest.raises(NotFoundError):
        await face.poll_qr_code("unknown").last()


async def test_passing_failures_do_not_end_a_watch(face: Any, emulator: Emulator, user: User) -> None:
    push_code_id = (await face.sign_in_by_push(user.email)).data.push_code_id
    path = "/api/v3/check-pushcode-status"
    emulator.faults.add(path, status=502, body="<html>Bad Gateway</html>")
    emulator.faults.add(path, envelope={"statusCode": 500, "message": "oops"})
    emulator.faults.add(path, truncate=True)
    states = face.poll_push_code(push_code_id, interval=0.01)
    seen = []
    async for state in states:
        seen.append(state.status)
        if state.status == "PUSHED":
            emulator.pushes.confirm(push_code_id)
    assert seen == ["PUSHED", "AUTHORIZED"]
    assert (await states.last()).token_set.access_token


async def test_a_watch_has_an_end_in_time(face: Any, emulator: Emulator, user: User) -> None:
    push_code_id = (await face.sign_in_by_push(user.email)).data.push_code_id
    emulator.faults.add("/api/v3/check-pushcode-status", status=503, times=None)
    with pytest.raises(WaitTimeoutError) as caught:
        await face.poll_push_code(push_code_id, interval=0.01, wait=0.1).last()
    assert isinstance(caught.value, TimeoutError)


async def test_a_rate_limited_watch_slows_down_and_waits_before_asking(
    make_client: MakeClient, emulator: Emulator, user: User
) -> None:
    client = make_client(retry=RetryPolicy(backoff=0.0))
    token = emulator.issue_tokens(user)["access_token"]
    qrcode_id = (await client.gene_qr_code("MOBILE_APP")).data.qrcode_id
    push_code_id = (await client.sign_in_by_push(user.email or "")).data.push_code_id
    fastpass_id = (await client.gene_fastpass_qrcode_info(access_token=token)).data
    assert fastpass_id is not None
    watches: dict[str, Any] = {
        "/api/v3/check-qrcode-status": client.poll_qr_code(qrcode_id, interval=0.01, wait=0.1),
        "/api/v3/check-pushcode-status": client.poll_push_code(push_code_id, interval=0.01, wait=0.1),
        "/api/v3/get-app-login-qrcode-status": client.poll_fastpass(fastpass_id.qrcode_id, interval=0.01, wait=0.1),
    }
    for path, states in watches.items():
        emulator.faults.add(path, retry_after=0, times=None)
        with pytest.raises(WaitTimeoutError):
            await states.last()
        assert emulator.requests[path] == 1


async def test_a_fastpass_code_is_watched(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    shown = (await face.gene_fastpass_qrcode_info(access_token=token)).data
    seen = []
    async for state in face.poll_fastpass(shown.qrcode_id, interval=0.01, access_token=token):
        seen.append(state.status)
        if state.status == "PENDING":
            await face.qr_code_app_login("APP_LOGIN", shown.qrcode_id)
    assert seen[-1] == "AUTHORIZED"


async def test_history_and_devices_are_read_page_by_page(face: Any, emulator: Emulator, user: User) -> None:
    token = None
    for _ in range(7):
        answer = await face.sign_in_by_account_password("ada", "passw0rd")
        token = answer.data.access_token
    path = "/api/v3/get-my-login-history"
    history = face.iter_login_history(limit=3, access_token=token)
    assert emulator.requests[path] == 0
    entries = [entry async for entry in history]
    assert [entry.user_id for entry in entries] == [user.id] * 7
    assert emulator.requests[path] == 3
    assert [device.device.device_id async for device in face.iter_devices(limit=1, access_token=token)]


@pytest.mark.usefixtures("user")
async def test_a_page_that_fails_is_read_again(face: Any, emulator: Emulator) -> None:
    token = None
    for _ in range(4):
        token = (await face.sign_in_by_account_password("ada", "passw0rd")).data.access_token
        emulator.clock.advance(60)
    history = face.iter_login_history(limit=2, access_token=token)
    got = [await history.__anext__(), await history.__anext__()]
    emulator.faults.add("/api/v3/get-my-login-history", envelope={"statusCode": 403, "message": "not now"})
    with pytest.raises(Exception, match="not now"):
        await history.__anext__()
    got += [entry async for entry in history]
    assert len(got) == 4
    assert len({entry.login_at for entry in got}) == 4, "one was given twice"


async def test_a_watch_is_cancelled_at_once_and_goes_on(
    make_client: MakeClient, emulator: Emulator, user: User
) -> None:
    seconds = 0.0
    client = make_client(clock=Clock(monotonic=lambda: seconds))
    qrcode_id = (await client.gene_qr_code("MOBILE_APP")).data.qrcode_id
    path = "/api/v3/check-qrcode-status"
    async with client.poll_qr_code(qrcode_id, interval=30) as states:
        assert (await states.__anext__()).status == "PENDING"
        emulator.qr_codes.scan(qrcode_id, user)
        with anyio.move_on_after(0.05) as scope:
            await states.__anext__()
        assert scope.cancelled_caught
        assert emulator.requests[path] == 1, "it was not yet time to ask again"
        seconds += 30
        assert (await states.__anext__()).status == "SCANNED"
        assert emulator.requests[path] == 2
    assert [state async for state in states] == []
