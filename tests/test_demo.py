from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from genauth_async import ConnectionFailedError
from genauth_sync import AuthenticationClient


def run(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "genauth_async", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.mark.parametrize("backend", ["asyncio", pytest.param("trio", marks=pytest.mark.slow)])
def test_the_demo_shows_the_main_job(backend: str) -> None:
    done = run("demo", "--backend", backend)
    assert (done.returncode, done.stderr) == (0, "")
    out = done.stdout
    for kind in ("none", "rsa", "sm2"):
        assert len(re.findall(rf"^ +\d+\.\d ms  sign in, password encryption {kind}$", out, re.MULTILINE)) == 2
    assert "1 refresh sent, 1 new token for all, grants revoked: 0" in out
    assert "SessionExpiredError" in out
    assert out.count("access token active: False") == 2
    assert "eyJ" not in out, "a token was printed"
    assert "passw0rd" not in out
    assert max(map(len, out.splitlines())) < 160
    assert out.isascii()


def test_the_emulator_by_hand() -> None:
    users = ["--user=test:passw0rd", "--user=ada@example.com:passw0rd"]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "genauth_async", "emulator", "--port=0", *users],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout is not None
        assert process.stderr is not None
        environment = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
        assert set(environment) == {"GENAUTH_APP_HOST", "GENAUTH_APP_ID", "GENAUTH_APP_SECRET"}
        while "Pass codes appear here" not in process.stdout.readline():
            assert process.poll() is None
        with AuthenticationClient.from_env(environment) as client:
            assert client.sign_in_by_username_password("test", "passw0rd", {"passwordEncryptType": "sm2"})
            client.send_email("CHANNEL_LOGIN", "ada@example.com")
            found = re.fullmatch(r"email to ada@example.com, CHANNEL_LOGIN: (\d+)\n", process.stdout.readline())
            assert found
            assert client.sign_in_by_email_passcode("ada@example.com", found[1]).status_code == 200
            process.send_signal(signal.SIGINT)
            assert process.stdout.read() == "Stopped.\n"
            assert process.wait(20) == 0
            assert process.stderr.read() == ""
            watchdog.cancel()
            with pytest.raises(ConnectionFailedError):
                client.get_system_info()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["emulator", "--user", "test"], "NAME:PASSWORD"),
        (["emulator", "--port", "-1"], ""),
        (["nonsense"], "nonsense"),
    ],
)
def test_mistakes_on_the_command_line(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("emulator", "--port", port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr
