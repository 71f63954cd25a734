from __future__ import annotations

import json
import threading
from typing import Any

import anyio
import httpx
import pytest

from genauth_async.emulator import Emulator, Fault, Hold, RequestCounter, User
from tests.emulator.emulator_types import Refresh, SignIn

JWKS = "/oidc/.well-known/jwks.json"


def test_a_status_with_a_body(emulator: Emulator, http: httpx.Client) -> None:
    fault = emulator.faults.add(JWKS, status=502, body="<html><h1>Bad Gateway</h1></html>")
    response = http.get(JWKS)
    assert response.status_code == 502
    assert response.headers["content-type"].startswith("text/html")
    assert "Bad Gateway" in response.text
    assert "date" in response.headers
    assert fault.hits == 1
    assert http.get(JWKS).status_code == 200
    assert fault.hits == 1


def test_a_status_without_a_body(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add(JWKS, status=503)
    response = http.get(JWKS)
    assert (response.status_code, response.content) == (503, b"")


def test_bodies_in_json_and_bytes(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add(JWKS, status=500, body={"error": "server_error"})
    emulator.faults.add(JWKS, body=b"\x00\x01", headers={"Content-Type": "application/octet-stream"})
    assert http.get(JWKS).json() == {"error": "server_error"}
    response = http.get(JWKS)
    assert (response.status_code, response.content) == (200, b"\x00\x01")
    assert response.headers["content-type"] == "application/octet-stream"


def test_too_many_requests(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add(JWKS, retry_after=7)
    emulator.faults.add(JWKS, status=503, retry_after=1, headers={"retry-after": "Wed, 21 Oct 2037 07:28:00 GMT"})
    first, second = http.get(JWKS), http.get(JWKS)
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert (second.status_code, second.headers["retry-after"]) == (503, "Wed, 21 Oct 2037 07:28:00 GMT")


def test_an_envelope(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add("/api/v3/signin", envelope={"statusCode": 500, "message": "sorry", "apiCode": 9})
    response = http.post("/api/v3/signin", json={})
    assert response.status_code == 200
    answer = response.json()
    assert answer.pop("requestId")
    assert answer == {"statusCode": 500, "message": "sorry", "apiCode": 9}


def test_latency_comes_on_top(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add(JWKS, latency=3600)
    with pytest.raises(httpx.ReadTimeout):
        http.get(JWKS, timeout=0.05)
    emulator.faults.add(JWKS, latency=0.001)
    assert http.get(JWKS).status_code == 200


@pytest.mark.usefixtures("user")
def test_latency_before_the_reply_comes_after_the_processing(
    emulator: Emulator, sign_in: SignIn, http: httpx.Client
) -> None:
    http.timeout = httpx.Timeout(0.5)
    emulator.faults.add("/api/v3/signin", reply_latency=3600)
    with pytest.raises(httpx.ReadTimeout):
        sign_in()
    assert len(emulator.grants) == 1
    emulator.faults.add("/api/v3/signin", latency=3600)
    with pytest.raises(httpx.ReadTimeout):
        sign_in()
    assert len(emulator.grants) == 1
    http.timeout = httpx.Timeout(30)
    emulator.faults.add("/api/v3/signin", reply_latency=0.001)
    assert sign_in()["statusCode"] == 200


def test_a_fault_may_befall_some_requests_only(emulator: Emulator, http: httpx.Client) -> None:
    def outcome(**chance: Any) -> list[int]:
        emulator.faults.clear()
        emulator.faults.add(JWKS, status=503, probability=0.5, **chance)
        return [http.get(JWKS).status_code for _ in range(40)]

    lasting = outcome(times=None, seed=1)
    assert {200, 503} == set(lasting)
    assert outcome(times=None, seed=1) == lasting
    assert outcome(times=None, seed=2) != lasting
    limited = outcome(times=3, seed=1)
    assert limited.count(503) == 3
    assert limited[: limited.index(503)] == lasting[: lasting.index(503)]


def test_who_is_spared_by_one_fault_may_meet_the_next(emulator: Emulator, http: httpx.Client) -> None:
    rare = emulator.faults.add(JWKS, status=500, probability=1e-12, seed=1)
    emulator.faults.add(JWKS, status=503)
    assert [http.get(JWKS).status_code for _ in range(2)] == [503, 200]
    assert (rare.hits, len(emulator.faults)) == (0, 1)


@pytest.mark.usefixtures("user")
def test_a_truncated_body(emulator: Emulator, sign_in: SignIn) -> None:
    emulator.faults.add("/api/v3/signin", truncate=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        sign_in()
    assert len(emulator.grants) == 1  # it was processed
    assert sign_in()["statusCode"] == 200


def test_a_truncated_empty_body(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add(JWKS, status=200, truncate=True)
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(JWKS)


def test_truncated_json(emulator: Emulator, http: httpx.Client) -> None:
    whole = http.get(JWKS).text
    emulator.faults.add(JWKS, truncate="json")
    response = http.get(JWKS)
    assert response.status_code == 200
    assert whole.startswith(response.text)
    assert len(response.text) < len(whole)
    with pytest.raises(json.JSONDecodeError):
        response.json()


@pytest.mark.usefixtures("user")
def test_a_dropped_connection(
    emulator: Emulator, sign_in: SignIn, refresh: Refresh, caplog: pytest.LogCaptureFixture
) -> None:
    token = sign_in()["data"]["refresh_token"]
    emulator.faults.add("/oidc/token", drop=True)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        refresh(token)
    assert refresh(token).status_code == 200  # nothing had happened to it
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.usefixtures("user")
def test_a_lost_reply(emulator: Emulator, sign_in: SignIn, refresh: Refresh, caplog: pytest.LogCaptureFixture) -> None:
    token = sign_in()["data"]["refresh_token"]
    emulator.faults.add("/oidc/token", lose_reply=True)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        refresh(token)
    assert emulator.grants.revoked == 0
    assert refresh(token).json()["error"] == "invalid_grant"  # it had been used up
    assert emulator.grants.revoked == 1
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.anyio
async def test_a_hold_before_the_processing(emulator: Emulator, user: User, ahttp: httpx.AsyncClient) -> None:
    headers = {"authorization": f"Bearer {emulator.issue_tokens(user)['access_token']}"}
    answers: list[int] = []

    async def ask() -> None:
        answers.append((await ahttp.get("/oidc/me", headers=headers)).status_code)

    hold = emulator.faults.hold("/oidc/me")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await hold.wait_arrived()
        assert answers == []
        (grant,) = emulator.grants
        emulator.revoke_grant(grant)
        hold.release()
    assert answers == [401]


@pytest.mark.anyio
async def test_a_hold_after_the_processing(emulator: Emulator, user: User, ahttp: httpx.AsyncClient) -> None:
    headers = {"authorization": f"Bearer {emulator.issue_tokens(user)['access_token']}"}
    answers: list[int] = []

    async def ask() -> None:
        answers.append((await ahttp.get("/oidc/me", headers=headers)).status_code)

    with emulator.faults.hold("/oidc/me", after=True) as hold:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await hold.wait_arrived()
            assert answers == []
            (grant,) = emulator.grants
            emulator.revoke_grant(grant)
            hold.release()
    assert answers == [200]


@pytest.mark.anyio
async def test_a_client_may_give_up_while_it_is_held(emulator: Emulator, ahttp: httpx.AsyncClient) -> None:
    with emulator.faults.hold(JWKS) as hold:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ahttp.get, JWKS)
            await hold.wait_arrived()
            tasks.cancel_scope.cancel()
    assert (await ahttp.get(JWKS)).status_code == 200


def test_a_hold_from_threads(emulator: Emulator, http: httpx.Client) -> None:
    hold = emulator.faults.hold(JWKS, times=None)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(http.get(JWKS).status_code)) for _ in range(3)]
    for thread in threads:
        thread.start()
    hold.wait_arrived_blocking(3)
    assert hold.arrived == 3
    assert answers == []
    with pytest.raises(TimeoutError, match="3 of 4"):
        hold.wait_arrived_blocking(4, timeout=0)
    hold.release()
    for thread in threads:
        thread.join()
    assert answers == [200] * 3
    assert http.get(JWKS).status_code == 200  # later ones pass


def test_a_hold_survives_the_loop_that_waited_for_it() -> None:
    hold = Hold()

    async def give_up() -> None:
        with anyio.move_on_after(0):
            await hold.wait()

    anyio.run(give_up)
    anyio.run(give_up, backend="trio")
    hold.release()
    assert hold.arrived == 2


def test_faults_happen_in_order_and_as_often_as_told(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add(JWKS, status=500, times=2)
    emulator.faults.add(JWKS, status=503)
    emulator.faults.add("*", status=418)
    emulator.faults.add("/oidc/me", status=404)
    assert [http.get(JWKS).status_code for _ in range(5)] == [500, 500, 503, 418, 200]
    assert len(emulator.faults) == 1
    emulator.faults.clear()
    assert len(emulator.faults) == 0
    lasting = emulator.faults.add(JWKS, status=500, times=None)
    assert [http.get(JWKS).status_code for _ in range(3)] == [500] * 3
    emulator.faults.remove(lasting)
    emulator.faults.remove(lasting)
    assert http.get(JWKS).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"times": 3},
        {"status": 500, "times": 0},
        {"drop": True, "status": 500},
        {"lose_reply": True, "envelope": {}},
        {"drop": True, "lose_reply": True},
        {"drop": True, "truncate": True},
        {"drop": True, "reply_latency": 1},
        {"envelope": {"statusCode": 500}, "status": 500},
        {"envelope": {"statusCode": 500}, "body": "x"},
    ],
)
def test_contradictions_are_refused(emulator: Emulator, fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fault|envelope|exclude|times|carries|reply_latency"):
        emulator.faults.add(JWKS, **fault)


def test_a_fault_hides_what_it_answers() -> None:
    assert "s3cret" not in repr(Fault(path="/", body="s3cret", headers={"set-cookie": "s3cret"}))


def test_requests_are_counted(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add(JWKS, status=500)
    http.get(JWKS)
    http.get(JWKS, params={"a": "b"})
    http.post("/nowhere")
    assert emulator.requests[JWKS] == 2
    assert emulator.requests["/nowhere"] == 1
    assert emulator.requests["/oidc/token"] == 0
    assert emulator.requests.total == 3
    assert repr(emulator.requests) == f"<RequestCounter {{'{JWKS}': 2, '/nowhere': 1}}>"
    emulator.requests.reset()
    assert emulator.requests.total == 0


def test_counting_is_thread_safe() -> None:
    counter = RequestCounter()

    def count() -> None:
        for _ in range(1000):
            counter.count("/")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter["/"] == 8000


@pytest.mark.parametrize(
    ("path", "fault", "named"),
    [
        ("oidc/token", {"status": 500}, "path"),
        ("http://127.0.0.1/oidc/token", {"status": 500}, "path"),
        ("", {"status": 500}, "path"),
        (JWKS, {"latency": -1}, "latency"),
        (JWKS, {"latency": float("nan")}, "latency"),
        (JWKS, {"latency": float("inf")}, "latency"),
        (JWKS, {"reply_latency": -1}, "reply_latency"),
        (JWKS, {"status": 500, "probability": 0}, "probability"),
        (JWKS, {"status": 500, "probability": 1.5}, "probability"),
        (JWKS, {"status": 500, "probability": float("nan")}, "probability"),
        (JWKS, {"status": 500, "seed": 1}, "seed"),
        (JWKS, {"status": 199}, "status"),
        (JWKS, {"status": 100}, "status"),
        (JWKS, {"status": 600}, "status"),
        (JWKS, {"status": 204, "body": "x"}, "body"),
        (JWKS, {"status": 304, "body": ""}, "body"),
        (JWKS, {"retry_after": -1}, "retry_after"),
        (JWKS, {"truncate": "half"}, "truncate"),
        (JWKS, {"status": 503, "headers": {"x": "\u4e2d"}}, "headers"),
        (JWKS, {"status": 503, "headers": {"x": "a\r\nb: c"}}, "headers"),
        (JWKS, {"status": 503, "headers": {"a b": "c"}}, "headers"),
        (JWKS, {"status": 503, "headers": {"": "c"}}, "headers"),
        (JWKS, {"body": {"a": float("nan")}}, "body"),
        (JWKS, {"body": {"a": {1}}}, "body"),
        (JWKS, {"body": "\ud800"}, "body"),
        (JWKS, {"body": 5}, "body"),
        (JWKS, {"envelope": {"a": {1}}}, "envelope"),
        (JWKS, {"envelope": {"a": "\ud800"}}, "envelope"),
        (JWKS, {"envelope": "x"}, "envelope"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    emulator: Emulator, path: str, fault: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=f"^{named}"):
        emulator.faults.add(path, **fault)
    assert len(emulator.faults) == 0


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_that_has_no_body(emulator: Emulator, http: httpx.Client, status: int) -> None:
    emulator.faults.add(JWKS, status=status, headers={"x-reason": "caf\u00e9"})
    response = http.get(JWKS)
    assert (response.status_code, response.content) == (status, b"")
    assert "content-length" not in response.headers
    assert response.headers["x-reason"] == "caf\u00e9"
    assert http.get(JWKS).status_code == 200  # on the same connection
