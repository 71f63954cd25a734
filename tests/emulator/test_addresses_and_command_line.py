"""By what the emulator is reached, and how it is started by hand."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import httpx
import pytest

from genauth_async.emulator import Emulator
from genauth_sync import AuthenticationClient


@pytest.mark.parametrize(("host", "loopback"), [("0.0.0.0", "127.0.0.1"), ("", "127.0.0.1"), ("::", "[::1]")])
def test_an_emulator_for_all_addresses_is_reached_by_one(host: str, loopback: str) -> None:
    with Emulator(host=host) as emulator, httpx.Client(trust_env=False) as http:
        assert emulator.url.startswith(f"http://{loopback}:")
        assert http.get(f"{emulator.url}/oidc/.well-known/openid-configuration").json()["issuer"] == emulator.issuer


def test_another_url_is_what_tokens_and_links_name() -> None:
    with Emulator(url="https://login.test/") as emulator:
        port = emulator._server.url.rpartition(":")[2]
        assert (emulator.url, emulator.issuer) == ("https://login.test", "https://login.test/oidc")
        assert emulator.websocket_url == "wss://login.test"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            code = http.post("/api/v3/gene-qrcode", json={"type": "MOBILE_APP"}).json()["data"]
            assert code["url"] == f"https://login.test/qrcodes/{code['qrcodeId']}.png"
            assert http.get("/oidc/.well-known/openid-configuration").json()["issuer"] == emulator.issuer


@pytest.mark.parametrize("url", ["", "login.test", "ftp://login.test", "http://", "http://login.test/?a=b"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        Emulator(url=url)


@pytest.mark.parametrize(
    ("arguments", "app_host"),
    [(["--host=0.0.0.0"], "http://127.0.0.1:"), (["--url=http://localhost:1"], "http://localhost:1")],
)
def test_the_address_that_is_shown_is_one_to_connect_to(arguments: list[str], app_host: str) -> None:
    command = [sys.executable, "-u", "-m", "genauth_async", "emulator", "--port=0", "--user=test:passw0rd", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout is not None
        environment = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
        process.stdout.readline()
        assert environment["GENAUTH_APP_HOST"].startswith(app_host)
        if "--url" not in arguments[0]:
            with AuthenticationClient.from_env(environment) as client:
                assert client.sign_in_by_username_password("test", "passw0rd").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        watchdog.cancel()
