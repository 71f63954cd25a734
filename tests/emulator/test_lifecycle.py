from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import Any

import anyio
import httpx
import pytest
from anyio import to_thread

from genauth_async.emulator import Emulator, EmulatorStartError, Hold


def _emulator_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "genauth-emulator"]


def _get(emulator: Emulator, path: str = "/oidc/.well-known/openid-configuration") -> httpx.Response:
    return httpx.get(emulator.url + path, verify=False, trust_env=False)


def test_serves_only_inside_the_block() -> None:
    with Emulator() as emulator:
        assert _get(emulator).json()["issuer"] == emulator.issuer == f"{emulator.url}/oidc"
        assert len(_emulator_threads()) == 1
    assert _emulator_threads() == []
    with pytest.raises(httpx.ConnectError):
        _get(emulator)


@pytest.mark.anyio
async def test_serves_async_code() -> None:
    async with Emulator() as emulator, httpx.AsyncClient(verify=False, trust_env=False) as client:
        response = await client.get(f"{emulator.url}/oidc/.well-known/openid-configuration")
        assert response.json()["issuer"] == emulator.issuer
    assert _emulator_threads() == []


@pytest.mark.anyio
async def test_a_cancelled_block_still_stops_it() -> None:
    with anyio.CancelScope() as scope:
        async with Emulator():
            scope.cancel()
            await anyio.sleep_forever()
    assert _emulator_threads() == []


def test_a_second_block_is_a_restart_at_the_same_address(emulator: Emulator) -> None:
    user = emulator.add_user(username="ada", password="passw0rd")
    token = emulator.issue_tokens(user)["access_token"]
    before = emulator.url
    emulator.stop()
    with emulator:
        assert emulator.url == before
        me = httpx.get(
            f"{emulator.url}/oidc/me", headers={"authorization": f"Bearer {token}"}, verify=False, trust_env=False
        )
        assert me.json()["sub"] == user.id


def test_two_run_side_by_side_and_share_nothing() -> None:
    with Emulator() as one, Emulator() as other:
        assert one.url != other.url
        assert one.app_id != other.app_id
        token = one.issue_tokens(one.add_user(username="ada"))["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{one.url}/oidc/me", headers=headers, verify=False, trust_env=False).status_code == 200
        assert httpx.get(f"{other.url}/oidc/me", headers=headers, verify=False, trust_env=False).status_code == 401


def test_a_taken_port_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(EmulatorStartError, match=f"cannot listen on 127.0.0.1:{port}"), Emulator(port=port):
            pass
    with Emulator(port=port) as emulator:
        assert emulator.url == f"http://127.0.0.1:{port}"


@pytest.mark.anyio
async def test_a_taken_port_is_an_error_in_async_code_too(emulator: Emulator) -> None:
    port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(EmulatorStartError, match="cannot listen"):
        async with Emulator(port=port):
            pass


def test_starting_twice_is_an_error(emulator: Emulator) -> None:
    with pytest.raises(EmulatorStartError, match="already"):
        emulator.start()
    assert _get(emulator).status_code == 200


def test_a_server_that_fails_to_start_raises_instead_of_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError("no more file descriptors")

    monkeypatch.setattr("uvicorn.Server.startup", fail)
    with pytest.raises(EmulatorStartError) as caught:
        Emulator().start()
    assert "file descriptors" in str(caught.value.__cause__)
    assert _emulator_threads() == []


def test_stopping_twice_or_before_the_start_is_harmless() -> None:
    emulator = Emulator()
    emulator.stop()
    with emulator:
        emulator.stop()


def test_stops_despite_idle_connections_and_waiting_requests(caplog: pytest.LogCaptureFixture) -> None:
    emulator = Emulator()
    with emulator, httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as idle:
        idle.get("/api/v3/system")
        passed = Hold()
        passed.release()
        emulator.faults.add("/oidc/me", hold=passed, latency=3600)
        hold = emulator.faults.hold("/oidc/.well-known/jwks.json")
        failures: list[httpx.TransportError] = []

        def ask(path: str) -> None:
            try:
                _get(emulator, path)
            except httpx.TransportError as error:
                failures.append(error)

        clients = [threading.Thread(target=ask, args=[path]) for path in ("/oidc/me", "/oidc/.well-known/jwks.json")]
        for client in clients:
            client.start()
        hold.wait_arrived_blocking()
        passed.wait_arrived_blocking()
        emulator.stop()
        for client in clients:
            client.join()
    assert len(failures) == 2
    assert _emulator_threads() == []
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_a_client_that_disconnects_halfway_is_harmless(caplog: pytest.LogCaptureFixture) -> None:
    with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"POST /oidc/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
            client.sendall(b"Content-Type: application/x-www-form-urlencoded\r\n\r\ntoken=")
        assert _get(emulator).status_code == 200
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with Emulator() as emulator:
        _get(emulator, "/api/v3/system")  # generates keys in a worker thread
    for thread in set(threading.enumerate()) - before:
        thread.join(10)  # the event loop told its idle worker threads to end
        assert not thread.is_alive()


@pytest.mark.slow
def test_a_script_that_forgets_to_stop_it_still_ends() -> None:
    script = "from genauth_async.emulator import Emulator; Emulator().start()"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=30)


@pytest.mark.anyio
async def test_is_a_bare_asgi_application_as_well() -> None:
    emulator = Emulator()
    emulator.add_user(username="ada", password="passw0rd")
    body = {
        "connection": "PASSWORD",
        "passwordPayload": {"account": "ada", "password": "passw0rd"},
        "client_id": emulator.app_id,
        "client_secret": emulator.app_secret,
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=emulator.app), base_url=emulator.url) as client:
        tokens = (await client.post("/api/v3/signin", json=body)).json()["data"]
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await client.get("/oidc/me", headers=headers)).json()["username"] == "ada"
        assert (await client.get("/oidc/.well-known/openid-configuration")).json()["issuer"] == emulator.issuer
        hold = emulator.faults.hold("/oidc/me")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.get("/oidc/me", headers=headers))
            await hold.wait_arrived()
            hold.release()
    assert _emulator_threads() == []


@pytest.mark.anyio
@pytest.mark.parametrize("fault", [{"drop": True}, {"lose_reply": True}, {"truncate": True}])
async def test_the_bare_application_cannot_break_connections(fault: dict[str, Any]) -> None:
    emulator = Emulator()
    emulator.faults.add("/oidc/me", **fault)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=emulator.app), base_url=emulator.url) as client:
        with pytest.raises(RuntimeError, match="start the emulator"):
            await client.get("/oidc/me")


@pytest.mark.anyio
async def test_speaks_http_and_websocket_only() -> None:
    with pytest.raises(RuntimeError, match="lifespan"):
        await Emulator().app({"type": "lifespan"}, _never_called, _never_called)


async def _never_called(*_args: object) -> Any:
    raise AssertionError


def test_names_the_missing_extra() -> None:
    script = (
        "import sys; sys.modules['joserfc'] = None\n"
        "try: import genauth_async.emulator\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "pip install 'genauth-async[emulator]'" in run.stdout


def test_can_listen_on_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with Emulator(host="::1") as emulator:
        assert emulator.url.startswith("http://[::1]:")
        assert _get(emulator).status_code == 200


@pytest.mark.anyio
async def test_the_blocking_face_works_from_worker_threads() -> None:
    emulator = Emulator()
    await to_thread.run_sync(emulator.start)
    await to_thread.run_sync(emulator.stop)
    assert _emulator_threads() == []
