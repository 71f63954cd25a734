"""The doctor finds what is wrong, and says so in one line each."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import attrs
import keyring
import keyring.backends.fail
import pytest
import trustme
from anyio.abc import SocketAttribute, SocketStream

from genauth_async import Clock, MemoryStore, SessionRecord
from genauth_async.doctor import Finding, examine
from genauth_async.emulator import Emulator
from genauth_async.stores import FileStore, KeyringStore, RedisStore
from tests.conftest import MakeClient
from tests.tls_servers import authority, https_emulator  # noqa: F401 - a fixture

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_slow_store")]


def of(findings: Sequence[Finding], subject: str) -> Finding:
    """The one finding about this."""
    [found] = [finding for finding in findings if finding.subject == subject]
    return found


def wrong(findings: Sequence[Finding]) -> list[str]:
    return [finding.subject for finding in findings if finding.verdict == "wrong"]


async def test_nothing_is_wrong_with_a_good_configuration(make_client: MakeClient, tmp_path: Path) -> None:
    reported: list[Finding] = []
    store = FileStore(tmp_path / "sessions")
    client = make_client(redirect_uri="http://localhost:8000/callback")
    findings = await examine(client, store=store, tell=reported.append)
    assert reported == findings
    assert {(finding.verdict, finding.subject) for finding in findings} == {
        ("ok", "configuration"),
        ("note", "TLS"),
        ("ok", "clock"),
        ("ok", "discovery"),
        ("ok", "keys"),
        ("ok", "application"),
        ("ok", "passwords"),
        ("ok", "store FileStore"),
    }
    assert not list(store.directory.glob("*.json"))


async def test_a_wrong_secret_is_found(make_client: MakeClient) -> None:
    findings = await examine(make_client(app_secret="another-secret"))
    assert wrong(findings) == ["application"]
    assert "another-secret" not in str(of(findings, "application"))


async def test_a_public_client_is_not_asked_for_a_secret(make_client: MakeClient) -> None:
    methods = {f"{name}_endpoint_auth_method": "none" for name in ("token", "introspection", "revocation")}
    findings = await examine(make_client(app_secret=None, **methods))
    assert of(findings, "application").verdict == "note"
    assert wrong(findings) == []


@pytest.mark.parametrize(
    ("skew", "verdict", "said"),
    [
        (0, "ok", "matches"),
        (-20, "note", "behind"),
        (20, "note", "ahead of"),
        (-300, "wrong", "NTP"),
        (300, "wrong", "NTP"),
    ],
)
async def test_the_clocks_are_compared(skew: float, verdict: str, said: str, make_client: MakeClient) -> None:
    client = make_client(clock=Clock(wall=lambda: time.time() + skew))
    found = of(await examine(client), "clock")
    assert found.verdict == verdict
    assert said in found.message


async def test_another_issuer_is_found(make_client: MakeClient) -> None:
    findings = await examine(make_client(issuer="https://another.example/oidc"))
    assert wrong(findings) == ["discovery"]
    assert "GENAUTH_ISSUER" in of(findings, "discovery").message


async def test_a_redirect_uri_that_gives_the_code_away_is_found(make_client: MakeClient) -> None:
    assert wrong(await examine(make_client(redirect_uri="http://app.example/callback"))) == ["redirect_uri"]
    assert wrong(await examine(make_client(redirect_uri="https://app.example/callback"))) == []
    assert wrong(await examine(make_client(redirect_uri="http://["))) == ["redirect_uri"]


async def test_keys_that_cannot_be_had_are_found(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.faults.add("/oidc/.well-known/jwks.json", status=500, times=None)
    emulator.faults.add("/api/v3/system", status=500, times=None)
    findings = await examine(make_client())
    assert wrong(findings) == ["keys"]
    assert of(findings, "passwords").verdict == "note"


async def test_a_server_that_is_not_there_is_said_once(make_client: MakeClient) -> None:
    findings = await examine(make_client("http://127.0.0.1:9"))
    assert wrong(findings) == ["server"]
    assert {"clock", "keys"}.isdisjoint(finding.subject for finding in findings)


async def test_something_else_than_genauth_is_found(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.faults.add("/oidc/.well-known/openid-configuration", status=200, body="<html>", times=None)
    assert wrong(await examine(make_client())) == ["discovery"]


async def test_tls_is_looked_at(
    make_client: MakeClient,
    authority: trustme.CA,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with https_emulator(authority) as (url, emulator):
        options = {"app_id": emulator.app_id, "app_secret": emulator.app_secret, "issuer": f"{emulator.url}/oidc"}
        trusting = make_client(url, **options, verify=ca_file)
        seen = of(await examine(trusting), "TLS")
        await trusting.aclose()  # the server waits for its connections
        assert seen.verdict == "ok"
        assert "TLSv1.3" in seen.message
        assert "more days" in seen.message
        findings = await examine(make_client(url, **options))
        assert wrong(findings) == ["TLS", "server"]
        assert "SSL_CERT_FILE" in of(findings, "TLS").message
        careless = make_client(url, **options, verify=False)
        assert "TLS" in wrong(await examine(careless))
        await careless.aclose()


async def test_plain_http_to_another_machine_is_wrong(make_client: MakeClient) -> None:
    client = make_client("http://192.0.2.1", allow_insecure_http=True, timeout=0.2)
    assert "TLS" in wrong(await examine(client))


class Disobedient(MemoryStore):
    """Does not keep the rules in one point."""

    def __init__(self, point: str) -> None:
        super().__init__()
        self.point = point

    async def get(self, key: str) -> SessionRecord | None:
        record = await super().get(key)
        return None if self.point == "get" else record

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if self.point == "raise":
            raise LookupError("the table does not exist")
        if self.point == "refuse":
            return False
        if self.point == "overwrite":
            self._records[key] = record
            return True
        return await super().compare_and_set(key, record, expected=expected)

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        return self.point == "delete" or await super().delete(key, expected=expected)


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("get", "another record"),
        ("refuse", "where there is none"),
        ("overwrite", "another generation"),
        ("delete", "was deleted"),
        ("raise", "LookupError: the table does not exist"),
    ],
)
async def test_a_store_that_breaks_the_rules_is_found(point: str, said: str, make_client: MakeClient) -> None:
    found = of(await examine(make_client(), store=Disobedient(point)), "store Disobedient")
    assert found.verdict == "wrong"
    assert said in found.message


async def test_a_memory_store_is_noted(make_client: MakeClient) -> None:
    findings = await examine(make_client(), store=MemoryStore())
    assert [finding.verdict for finding in findings if finding.subject == "store MemoryStore"] == ["ok", "note"]


async def test_a_directory_that_is_open_to_others_is_found(make_client: MakeClient, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 - at once
    found = of(await examine(make_client(), store=FileStore(tmp_path)), "store FileStore")
    assert found.verdict == "wrong"
    assert "chmod 700" in found.message


async def test_a_missing_keyring_is_found(make_client: MakeClient, tmp_path: Path) -> None:
    before = keyring.get_keyring()
    backend: Any = keyring.backends.fail.Keyring
    keyring.set_keyring(backend())
    try:
        found = of(await examine(make_client(), store=KeyringStore(directory=tmp_path / "a")), "store KeyringStore")
        assert found.verdict == "wrong"
        assert "keyring diagnose" in found.message
        store = KeyringStore(directory=tmp_path / "b", fallback=True)
        findings = [finding for finding in await examine(make_client(), store=store) if "Keyring" in finding.subject]
        assert [finding.verdict for finding in findings] == ["ok", "ok", "note"]
        assert "in clear" in findings[-1].message
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("member", ["app_id", "app_host", "attempt", "predecessors", "replaced", "expires_at"])
async def test_a_store_that_drops_a_member_is_found(member: str, make_client: MakeClient) -> None:
    class Forgetful(MemoryStore):
        async def get(self, key: str) -> SessionRecord | None:
            found = await super().get(key)
            empty: dict[str, Any] = {member: attrs.fields_dict(SessionRecord)[member].default}
            return None if found is None else attrs.evolve(found, **empty)

    found = of(await examine(make_client(), store=Forgetful()), "store Forgetful")
    assert found.verdict == "wrong"
    assert "another record" in found.message


async def test_a_redis_that_is_not_there_is_found(make_client: MakeClient) -> None:
    found = of(await examine(make_client(), store=RedisStore("redis://:hidden@127.0.0.1:9")), "store RedisStore")
    assert found.verdict == "wrong"
    assert "127.0.0.1:9" in found.message
    assert "hidden" not in found.message


async def _command(*arguments: str, **environment: str) -> tuple[int, str]:
    run = functools.partial(
        subprocess.run,
        [sys.executable, "-m", "genauth_async", "doctor", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    done = await asyncio.to_thread(run)
    return done.returncode, done.stdout + done.stderr


async def test_the_command_says_what_is_wrong_by_its_exit_status(emulator: Emulator, tmp_path: Path) -> None:
    environment = {
        "GENAUTH_APP_HOST": emulator.url,
        "GENAUTH_APP_ID": emulator.app_id,
        "GENAUTH_APP_SECRET": emulator.app_secret,
    }
    status, shown = await _command("--store", str(tmp_path / "sessions"), **environment)
    assert status == 0, shown
    assert "ok     store FileStore" in shown
    assert emulator.app_secret not in shown
    status, shown = await _command(**{**environment, "GENAUTH_APP_SECRET": "of-no-use"})
    assert status == 1
    assert "wrong  application" in shown
    assert "of-no-use" not in shown
    status, shown = await _command(**{**environment, "GENAUTH_APP_ID": ""})
    assert status == 1
    assert "GENAUTH_APP_ID" in shown
    assert "Traceback" not in shown


async def test_a_handshake_that_breaks_is_told(make_client: MakeClient) -> None:
    async def hang_up(stream: SocketStream) -> None:
        await stream.aclose()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    findings: Sequence[Finding] = []
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, hang_up)
        findings = await examine(make_client(f"https://127.0.0.1:{port}"))
        group.cancel_scope.cancel()
    assert of(findings, "TLS").verdict == "note"
    assert wrong(findings) == ["server"]
