"""The command `genauth emulator`, as a real process: seeds, states, logs, signals, and mistakes in one line."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from joserfc import jws

from genauth_async.emulator import Emulator, sign_in_at_page
from genauth_async.errors import InvalidCredentialsError
from genauth_sync import AuthenticationClient
from tests.conftest import leaked

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "emulator-seed.toml"
SCRIPT = "from genauth_async.__main__ import main; main()"
PATIENCE = 120  # seconds; only ends a hang


class Command:
    """A running command, whose output is read as it comes."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-u", "-c", SCRIPT, "emulator", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()
        self.output = ""
        self.environment: dict[str, str] = {}
        while "Serving until Ctrl-C" not in self.output:
            line = self.line()
            name, equals, value = line.rstrip().partition("=")
            if equals and name.startswith("GENAUTH_"):
                self.environment[name] = value

    @property
    def url(self) -> str:
        return self.environment["GENAUTH_APP_HOST"]

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        self.output += line
        return line

    def line_with(self, text: str) -> str:
        while text not in (line := self.line()):
            pass
        return line

    def client(self) -> AuthenticationClient:
        return AuthenticationClient.from_env(self.environment)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and standard error."""
        self.process.send_signal(number)
        output, errors = self.process.communicate()
        self.output += output
        self.watchdog.cancel()
        return self.process.returncode, errors


Run = Callable[..., Command]


@pytest.fixture
def run() -> Iterator[Run]:
    commands: list[Command] = []

    def run(*arguments: str, port: str | None = "--port=0") -> Command:
        commands.append(Command(*([port] if port else []), *arguments))
        return commands[-1]

    yield run
    for command in commands:
        command.watchdog.cancel()
        command.process.kill()
        command.process.communicate()


def algorithm(token: str | None) -> object:
    assert token
    return jws.extract_compact(token.encode()).headers()["alg"]


def fail(*arguments: str) -> tuple[int, str]:
    """Run a command that ends by itself; return the exit code and standard error."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=PATIENCE)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_the_package_installs_the_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["genauth"] == "genauth_async.__main__:main"


def test_the_start_says_how_to_reach_it(run: Run) -> None:
    options = ["--app-id=shop", "--app-secret=secret", "--auth-method=client_secret_basic", "--id-token-alg=RS256"]
    command = run(
        *options, "--user=test:passw0rd", "--redirect-uri=http://localhost:3/cb", "--redirect-uri=https://a.b/c"
    )
    assert command.environment == {
        "GENAUTH_APP_HOST": command.url,
        "GENAUTH_APP_ID": "shop",
        "GENAUTH_APP_SECRET": "secret",
        "GENAUTH_TOKEN_ENDPOINT_AUTH_METHOD": "client_secret_basic",
        "GENAUTH_REDIRECT_URI": "http://localhost:3/cb",
    }
    assert f"Status page: {command.url}/\n" in command.output
    discovery = re.search(r"Discovery: +(\S+)", command.output)
    assert discovery
    assert httpx.get(discovery[1], trust_env=False).json()["issuer"] == f"{command.url}/oidc"
    with command.client() as client:
        for redirect_uri in ("http://localhost:3/cb", "https://a.b/c"):
            attempt = client.begin_login(redirect_uri=redirect_uri)
            callback = sign_in_at_page(attempt.url, "test", "passw0rd")
            assert callback.startswith(f"{redirect_uri}?")
            assert algorithm(client.finish_login(callback, attempt).id_token) == "RS256"
    assert command.end(signal.SIGINT) == (0, "")
    assert command.output.endswith("Stopped.\n")


def test_a_seed_is_loaded_and_options_replace_it(run: Run) -> None:
    command = run(f"--seed={EXAMPLE}", "--app-name=Other", "--id-token-alg=RS256", "--user=eve:passw0rd")
    assert command.environment["GENAUTH_APP_ID"] == "5ca765e393194d5891db1927"
    with command.client() as client:
        for name in ("ada", "eve"):
            tokens = client.sign_in_by_username_password(name, "passw0rd").data
            assert tokens is not None
            assert algorithm(tokens.id_token) == "RS256"
        client.send_email(email="ada@example.com", channel="CHANNEL_LOGIN")
    assert command.line_with("email to") == "email to ada@example.com, CHANNEL_LOGIN: 123456\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_state_outlives_the_process(run: Run, tmp_path: Path, number: int) -> None:
    state = tmp_path / "state.json"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = f"--port={listener.getsockname()[1]}"
    arguments = [f"--state={state}", f"--seed={EXAMPLE}", "--user=eve:first-secret"]
    first = run(*arguments, port=port)
    with first.client() as client:
        tokens = client.sign_in_by_username_password("eve", "first-secret", options={"scope": "openid offline_access"})
        assert tokens.data is not None
        assert tokens.data.access_token
        assert tokens.data.refresh_token
        client.sign_up_by_username_password("newcomer", "passw0rd")
    assert first.end(number) == (0, "")
    assert first.output.endswith(f"Saved in {state}.\nStopped.\n")
    if os.name != "nt":
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
    second = run(*arguments, "--app-name=Renamed", port=None)
    assert second.environment == first.environment
    assert f"{EXAMPLE} is for a new one and was not read" in second.output
    with second.client() as client:
        assert client.verify_access_token(tokens.data.access_token).sub
        assert client.get_new_access_token_by_refresh_token(tokens.data.refresh_token).access_token
        assert client.sign_in_by_username_password("newcomer", "passw0rd").status_code == 200
        assert client.sign_in_by_username_password("eve", "first-secret").status_code == 200
        with pytest.raises(InvalidCredentialsError):
            client.sign_in_by_username_password("eve", "other")
    assert second.end() == (0, "")
    assert Emulator.load(state).default_app.name == "Renamed"


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has no such signal")
def test_a_state_is_saved_on_request(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = run(f"--state={state}")
    assert [*Emulator.load(state)._state.users] == []
    with command.client() as client:
        client.sign_up_by_username_password("newcomer", "passw0rd")
    command.process.send_signal(signal.SIGUSR1)
    command.line_with(f"Saved in {state}.")
    assert Emulator.load(state).find_user(username="newcomer")
    with command.client() as client:
        assert client.sign_in_by_username_password("newcomer", "passw0rd").status_code == 200


def test_a_state_that_cannot_be_saved_at_the_end_is_told(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "folder" / "state.json"
    state.parent.mkdir()
    command = run(f"--state={state}")
    state.unlink()
    state.parent.rmdir()
    code, errors = command.end()
    assert code == 1
    assert re.fullmatch(
        rf"genauth emulator: --state: {re.escape(str(state))}: the state cannot be written: .+\n", errors
    )


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_closed_terminal_saves_as_well(run: Run, tmp_path: Path) -> None:
    command = run(f"--state={tmp_path / 'state.json'}")
    assert command.end(signal.SIGHUP)[0] == 0


def test_the_log_of_a_whole_run_has_no_secret(run: Run) -> None:
    command = run(f"--seed={EXAMPLE}", "--log")
    secrets = {"passw0rd", "wrong-secret", command.environment["GENAUTH_APP_SECRET"]}
    with command.client() as client:
        attempt = client.begin_login(redirect_uri="http://localhost:3000/callback", scope="openid offline_access")
        callback = sign_in_at_page(attempt.url, "ada", "passw0rd")
        tokens = client.finish_login(callback, attempt)
        secrets |= {attempt.state, httpx.URL(callback).params["code"]}
        refreshed = client.get_new_access_token_by_refresh_token(str(tokens.refresh_token))
        secrets |= {str(token) for each in (tokens, refreshed) for token in (each.access_token, each.refresh_token)}
        secrets |= {str(tokens.id_token)}
        with pytest.raises(InvalidCredentialsError):
            client.sign_in_by_username_password("ada", "wrong-secret")
        client.send_email(email="ada@example.com", channel="CHANNEL_LOGIN")
        client.sign_in_by_email_passcode("ada@example.com", "123456")
        client.revoke_token(str(refreshed.refresh_token))
    command.end()
    lines = [line for line in command.output.splitlines() if re.match(r"\d\d:\d\d:\d\d (GET|POST) ", line)]
    assert len(lines) > 8
    assert any("passwordPayload.password=***" in line and "/2333 " in line for line in lines)
    assert leaked({secret for secret in secrets if secret != "None"} | {"123456"}, "\n".join(lines)) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--port=x"], 2, "'--port'"),
        (["--port=-1"], 2, "'--port'"),
        (["--prot=1"], 2, "--prot"),
        (["more"], 2, "more"),
        (["--seed"], 2, "'--seed' requires an argument"),
        (["--url=login.test"], 2, "--url: url must be the URL of a server, such as http://login.test:9000"),
        (["--user=test"], 2, "--user: must be NAME:PASSWORD, such as test:passw0rd"),
        (["--user=test:pw1", "--user=test:pw2"], 2, "--user: there is a user with the username test already"),
        (["--user=a@b.c:pw1", "--user=A@b.c:pw2"], 2, "--user: there is a user with the email a@b.c already"),
        (["--auth-method=basic"], 2, "--auth-method: must be client_secret_post, client_secret_basic or none"),
        (["--id-token-alg=ES256"], 2, "--id-token-alg: must be HS256 or RS256, not 'ES256'"),
        (["--refresh-tokens=never"], 2, "--refresh-tokens: must be rotate, rotate_with_grace, same or omit"),
        (["--redirect-uri=/callback"], 2, "--redirect-uri: uri must be an absolute URI"),
        (["--logout-redirect-uri=a#b"], 2, "--logout-redirect-uri: uri must be an absolute URI"),
        (["--seed={folder}/none.toml"], 2, "--seed: {folder}/none.toml: cannot be read: No such file"),
        (["--seed={folder}/seed.toml"], 2, "--seed: {folder}/seed.toml: [[users]] 1 (ada): unknown key 'pasword'"),
        (["--state={folder}/seed.toml"], 1, "--state: {folder}/seed.toml: the state is damaged"),
        (["--state={folder}/none/state.json"], 1, "--state: {folder}/none/state.json: the state cannot be written"),
        (["--state={folder}"], 1, "--state: {folder}: the state cannot be read: Is a directory"),
        (["--state={folder}/state.json", "--app-id=x"], 2, "--app-id: {folder}/state.json has the application shop"),
        (["--host=192.0.2.1"], 1, "cannot listen on 192.0.2.1:0: "),
    ],
)
@pytest.mark.slow
def test_a_mistake_is_one_line_with_its_option(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text("[[users]]\nusername='ada'\npasword='pw1'", encoding="utf-8")
    Emulator(app_id="shop").save(tmp_path / "state.json")
    found, errors = fail("emulator", "--port=0", *(each.format(folder=tmp_path) for each in arguments))
    assert found == code
    assert errors.count("\n") == 1
    assert errors.startswith("genauth")
    assert message.format(folder=tmp_path) in errors
    assert "pw1" not in errors
    assert "pw2" not in errors


def test_a_taken_port_is_one_line_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code, errors = fail("emulator", f"--port={port}")
    assert code == 1
    assert re.fullmatch(rf"genauth emulator: cannot listen on 127\.0\.0\.1:{port}: .+; choose .+ --port\n", errors)


@pytest.mark.slow
def test_the_help_fits_a_terminal() -> None:
    for arguments in (["emulator", "--help"], ["emulator", "-h"], ["--help"]):
        command = [sys.executable, "-c", SCRIPT, *arguments]
        environment = os.environ | {"COLUMNS": "80"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, env=environment)
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "usage: genauth" in done.stdout.lower()


@pytest.mark.slow
def test_missing_packages_are_named_in_one_line() -> None:
    for package, arguments in (("typer", []), ("starlette", ["emulator"]), ("starlette", ["demo"])):
        script = f"import sys; sys.modules[{package!r}] = None; {SCRIPT}"
        command = [sys.executable, "-c", script, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=PATIENCE)
        assert done.returncode == 1
        assert "pip install 'genauth-async[" in done.stderr
        assert done.stderr.count("\n") == 1
