"""Trust in servers: `verify` and its other names, checked by the constructor, and never lost."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

import genauth_sync
from genauth_async import AuthenticationClient, ConfigurationError, TLSError
from genauth_async._http.tls import is_verified, tls_context
from tests.conftest import PASSWORD, MakeClient
from tests.core.test_transport import AT_ONCE
from tests.every import check_every
from tests.tls_servers import authority, https_emulator  # noqa: F401 - a fixture

UNVERIFIED = "is not verified"


def client(**options: Any) -> AuthenticationClient:
    return AuthenticationClient("app", "https://a.example", "secret", **options)


def trust_of(made: AuthenticationClient) -> Any:
    return made._shared.transport._provider._options.verify


def careless_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


@pytest.mark.anyio
@pytest.mark.backends("asyncio", "trio")
async def test_no_spelling_of_https_skips_verification(
    authority: trustme.CA,  # noqa: F811 - the fixture
    make_client: MakeClient,
) -> None:
    pinned = ssl.create_default_context()
    trustme.CA().configure_trust(pinned)
    with https_emulator(authority) as (url, emulator):
        for scheme in ("HTTPS", "Https", "httpS"):
            for verify in (True, pinned):
                written = url.replace("https", scheme)
                impostor = make_client(written, verify=verify, retry=AT_ONCE)
                with pytest.raises(TLSError):
                    await impostor.sign_in_by_username_password("ada", PASSWORD)
                assert trust_of(impostor) is verify
        assert emulator.requests.total == 0


def test_the_blocking_client_verifies_as_well(authority: trustme.CA) -> None:  # noqa: F811 - the fixture
    with https_emulator(authority) as (url, emulator):
        written = url.replace("https", "HTTPS")
        blocking = genauth_sync.AuthenticationClient("app", written, "secret", retry=AT_ONCE)
        with blocking, pytest.raises(TLSError):
            blocking.sign_in_by_username_password("ada", PASSWORD)
        assert emulator.requests.total == 0


def test_trust_that_is_none_is_refused(tmp_path: Path) -> None:
    files = {
        "empty.pem": b"",
        "garbage.pem": b"-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n",
        "key.pem": trustme.CA().issue_cert("a.example").private_key_pem.bytes(),
        "binary.pem": bytes(range(256)),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    wrong: tuple[Any, ...] = (
        None,
        0,
        1,
        1.0,
        "",
        " ",
        "false",
        "False",
        "0",
        "no",
        "true",
        b"ca.pem",
        bytearray(),
        [],
        {},
        object(),
    )
    paths = (tmp_path, tmp_path / "absent.pem", "nul\x00", "\udcff", *(tmp_path / name for name in files))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def check(verify: Any) -> None:
        for given in (verify, str(verify)) if isinstance(verify, Path) else (verify,):
            with pytest.raises(ConfigurationError, match=r"^verify: (?s:.*)(PEM|PROTOCOL_TLS_CLIENT)") as caught:
                client(verify=given)
            assert "canary" not in str(caught.value)

    check_every((*wrong, *paths, server), check, repr)


def test_certificates_are_read_by_the_constructor(authority: trustme.CA, tmp_path: Path) -> None:  # noqa: F811
    hashed = tmp_path / "hashed"
    hashed.mkdir()
    for path in (tmp_path / "ca.pem", hashed / "0a1b2c3d.0"):
        authority.cert_pem.write_to_path(str(path))
    for verify in (tmp_path / "ca.pem", str(tmp_path / "ca.pem"), hashed):
        context = trust_of(client(verify=verify))
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert tls_context(context) is context
    (tmp_path / "ca.pem").unlink()


def test_contradictions_are_refused(tmp_path: Path) -> None:
    for off in ({"use_unverified_ssl": True}, {"reject_unauthorized": False}):
        for verify in (ssl.create_default_context(), tmp_path / "ca.pem"):
            with pytest.raises(ConfigurationError, match=r"^verify: must not be given with use_unverified_ssl=True"):
                client(verify=verify, **off)
        for agreed in (True, False):
            assert trust_of(client(verify=agreed, **off)) is False


def test_unverified_tls_is_logged_once_for_a_client(caplog: pytest.LogCaptureFixture) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    cases: Mapping[str, tuple[dict[str, Any], int]] = {
        "verify=False": ({"verify": False}, 1),
        "use_unverified_ssl": ({"use_unverified_ssl": True}, 1),
        "reject_unauthorized": ({"reject_unauthorized": False}, 1),
        "CERT_NONE": ({"verify": trusting}, 1),
        "no check_hostname": ({"verify": careless_context()}, 1),
        "a context": ({"verify": ssl.create_default_context()}, 0),
        "the default": ({}, 0),
    }

    def check(name: str) -> None:
        options, times = cases[name]
        caplog.clear()
        made = client(**options)
        made.with_options(lang="en-US")
        logged = [record for record in caplog.records if UNVERIFIED in record.getMessage()]
        assert len(logged) == times
        assert all(record.levelno == logging.WARNING for record in logged)
        assert all("https://a.example" in record.getMessage() for record in logged)
        assert is_verified(trust_of(made)) == (not times)

    check_every(cases, check)
