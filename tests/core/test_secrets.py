"""Search for every secret of a full run in all that the run emitted."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import pytest

import genauth_async
import genauth_sync
from genauth_async import AuthenticationClient, GenAuthError, MemoryStore, RetryPolicy, TokenSession
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient, leaked, secrets_of
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio

PASSWORD = "canary-pässwörd-Zz9"
TOO_LONG = "canary-long-" * 40


class Emitted:
    """Output of a run: log records, and for each error all that an error reporter would send."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.errors: list[BaseException] = []

    def show(self, *values: object) -> None:
        self.texts += [f"{value!r} {value}" for value in values]

    async def attempt(self, call: Callable[[], Awaitable[Any]]) -> Any:
        try:
            result = await call()
        except GenAuthError as error:
            self.error(error)
            return None
        self.show(result)
        return result

    def error(self, error: BaseException) -> None:
        self.errors.append(error)
        # The first frame is this test's own; the library is not responsible for its locals.
        for link in chain(error):
            own = link.__traceback__
            while own is not None and not own.tb_frame.f_code.co_filename.startswith(LIBRARY):
                own = own.tb_next
            report = traceback.TracebackException(type(link), link, own, capture_locals=True)
            self.texts += list(report.format())
            self.texts += [repr(link), str(link), repr(link.args), repr(vars(link))]
            if isinstance(link, GenAuthError):
                self.texts += [repr(pickle.dumps(link)), repr(copy.copy(link))]


LIBRARY = (genauth_async.__path__[0], genauth_sync.__path__[0])


def chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


FAULTS: list[dict[str, Any]] = [
    {"drop": True},
    {"lose_reply": True},
    {"truncate": True},
    {"truncate": "json"},
    {"status": 502, "body": "<html>Bad Gateway</html>"},
    {"status": 307, "headers": {"location": "https://evil.example"}},
    {"envelope": {"statusCode": 200, "data": {"access_token": ["not a token"]}}},
    {"envelope": {"statusCode": 403, "data": {"refreshToken": "forged-refresh-token"}}},
]


async def run_with_fault(
    client: AuthenticationClient, emulator: Emulator, emitted: Emitted, fault: dict[str, Any], user: User
) -> set[str]:
    """Make every kind of call under one fault; return the ID tokens that were issued."""
    emulator.faults.add("/api/v3/signin", **fault)
    await emitted.attempt(lambda: client.sign_in_by_account_password("ada", PASSWORD))
    emulator.faults.add("/api/v3/get-profile", **fault, times=9)
    tokens = emulator.issue_tokens(user)
    await emitted.attempt(lambda: client.get_profile(access_token=tokens["access_token"]))
    emulator.faults.clear()
    session = client.session(tokens)
    emulator.faults.add("/oidc/token", **fault)
    await emitted.attempt(session.refresh)
    await emitted.attempt(session.refresh)
    emitted.show(session, vars(session), session.tokens)
    emulator.faults.clear()
    return {tokens["id_token"], session.tokens.id_token or ""}


async def run(client: AuthenticationClient, emulator: Emulator, emitted: Emitted) -> set[str]:
    """Make calls of every kind, with success and failure; return the ID tokens and other secrets that were issued."""
    met: set[str] = set()
    user = emulator.add_user(
        username="ada", email="ada@example.com", phone="1", sam_account_name="a", password=PASSWORD
    )

    def by(**options: object) -> Callable[[], Awaitable[Any]]:
        return lambda: client.sign_in_by_account_password("ada", PASSWORD, options)

    answers = [await emitted.attempt(by(passwordEncryptType=kind)) for kind in ("none", "rsa", "sm2")]
    for answer in answers:
        assert answer is not None
        met.add(answer.data.id_token)
    await emitted.attempt(lambda: client.sign_in_by_ldap("a", PASSWORD))
    await emitted.attempt(lambda: client.send_email("CHANNEL_LOGIN", "ada@example.com"))
    code = emulator.inbox.code_for("ada@example.com")
    await emitted.attempt(lambda: client.sign_in_by_email_passcode("ada@example.com", code))
    await emitted.attempt(lambda: client.sign_in_by_email_passcode("ada@example.com", code))
    await emitted.attempt(lambda: client.sign_in_by_account_password("ada", TOO_LONG, {"passwordEncryptType": "rsa"}))
    await emitted.attempt(lambda: client.sign_in_by_account_password("unknown", PASSWORD))
    await emitted.attempt(lambda: client.sign_in_by_account_password("ada", PASSWORD, {"passwordEncryptType": "md5"}))
    await emitted.attempt(lambda: client.sign_in_by_account_password("ada", PASSWORD, timeout=-1))
    user.mfa_required = True
    await emitted.attempt(by())
    for error in emitted.errors:
        if token := getattr(error, "mfa_token", None):
            met.add(token)
    user.mfa_required = False

    for fault in FAULTS:
        met |= await run_with_fault(client, emulator, emitted, fault, user)

    tokens = emulator.issue_tokens(user)
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    await emitted.attempt(session.refresh)
    met |= {tokens["id_token"], session.tokens.id_token or ""}
    emitted.show(await store.get("k"), store, store._records)
    await emitted.attempt(lambda: client.introspect_token(tokens["access_token"]))
    await emitted.attempt(lambda: client.get_user_info_by_access_token("gone" + tokens["access_token"]))
    await emitted.attempt(lambda: client.get_user_info_by_access_token(tokens["access_token"] + "\r\n"))
    await emitted.attempt(lambda: client.get_new_access_token_by_refresh_token(tokens["refresh_token"]))
    await emitted.attempt(session.logout)
    await emitted.attempt(client.get_system_info)
    emitted.show(
        client, client.settings, vars(client), client.with_options(access_token=tokens["access_token"]).settings
    )
    emitted.show(emulator, user, list(emulator.inbox), vars(emulator), list(emulator.grants))
    return met - {""}


async def test_no_secret_is_emitted(
    carrier: Any, emulator: Emulator, make_client: MakeClient, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    emitted = Emitted()
    client = make_client(**carrier, retry=RetryPolicy(backoff=0.0))
    met = await run(client, emulator, emitted)
    out, err = capfd.readouterr()
    logged = [record.getMessage() + str(record.args) + str(record.exc_text) for record in caplog.records]
    everything = "\n".join([*emitted.texts, *logged, out, err])
    assert len(emitted.errors) > 30
    assert "refreshed" in everything, "the logs were looked at"
    secrets = secrets_of(emulator) | met | {PASSWORD, TOO_LONG}
    assert len(secrets) > 40
    assert leaked(secrets, everything) == []


async def test_a_proxy_that_shows_the_request_back(
    carrier: Any, recorder: RecordingServer, make_client: MakeClient
) -> None:
    client = make_client(recorder.url, **carrier, app_secret="canary-app-secret")

    def echo() -> None:
        request = recorder.last
        shown = f"<pre>{request.headers}\n{request.body.decode()}</pre>".encode()
        recorder.answers = [Answer(shown, status=403, content_type="text/html")]

    recorder.on_request = echo
    emitted = Emitted()
    await emitted.attempt(lambda: client.sign_in_by_account_password("ada", "canary1", timeout=5))
    await emitted.attempt(lambda: client.get_profile(access_token="canary2"))
    await emitted.attempt(lambda: client.get_new_access_token_by_refresh_token("canary3"))
    await emitted.attempt(lambda: client.sign_in_by_phone_passcode("1", "canary4"))
    assert len(emitted.errors) == 4
    assert "canary" not in "\n".join(emitted.texts)


async def test_callers_locals_are_left_alone_and_ours_are_gone(client: AuthenticationClient) -> None:
    mine = {"kept": "in the caller's frame"}
    with pytest.raises(GenAuthError) as caught:
        await client.sign_in_by_account_password("unknown", PASSWORD)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert frames[0].f_locals["mine"] is mine
    ours = [frame for frame in frames if frame.f_code.co_filename.startswith(LIBRARY)]
    assert ours, "the public method's frame is there"
    for frame in ours:
        assert PASSWORD not in repr(frame.f_locals)


@pytest.mark.backends("asyncio", "trio")
async def test_cancellation_leaves_nothing_to_see(emulator: Emulator, client: AuthenticationClient) -> None:
    emitted = Emitted()
    with emulator.faults.hold("/api/v3/signin") as hold:
        async with anyio.create_task_group() as group:

            async def sign_in() -> None:
                with suppress(GenAuthError):
                    await client.sign_in_by_account_password("ada", PASSWORD)

            group.start_soon(sign_in)
            await hold.wait_arrived()
            group.cancel_scope.cancel()
    emitted.show(client, vars(client))
    assert PASSWORD not in "".join(emitted.texts)


def test_a_session_in_a_failed_task_group_shows_nothing(emulator: Emulator) -> None:
    user = emulator.add_user(username="ada", password=PASSWORD)
    tokens = emulator.issue_tokens(user)
    emulator.faults.add("/oidc/token", status=503, times=None)

    async def main() -> None:
        async with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
            session: TokenSession = client.session(tokens)
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(session.refresh)

    with pytest.raises(ExceptionGroup) as caught:
        anyio.run(main)
    report = "".join(traceback.format_exception(caught.value))
    assert "RefreshUnavailableError" in report
    assert tokens["refresh_token"] not in report
    assert emulator.app_secret not in report


HALF_A_CHARACTER = "canary-\ud800"


@pytest.mark.parametrize("encrypt_type", ["none", "rsa", "sm2"])
async def test_half_a_character_is_no_way_in(encrypt_type: str, client: AuthenticationClient) -> None:
    emitted = Emitted()
    await emitted.attempt(
        lambda: client.sign_in_by_account_password("ada", HALF_A_CHARACTER, {"passwordEncryptType": encrypt_type})
    )
    await emitted.attempt(lambda: client.get_new_access_token_by_refresh_token(HALF_A_CHARACTER))
    await emitted.attempt(lambda: client.get_profile(access_token=HALF_A_CHARACTER))
    await emitted.attempt(
        lambda: client.sign_in_by_account_password("ada", "canary-1", {"customData": {"x": object()}})
    )
    assert len(emitted.errors) == 4
    assert "canary" not in "".join(emitted.texts)


@pytest.mark.backends("asyncio", "uvloop")
async def test_a_timeout_of_asyncios_shows_nothing(emulator: Emulator, client: AuthenticationClient) -> None:
    emitted = Emitted()
    with emulator.faults.hold("/api/v3/signin"), pytest.raises(asyncio.TimeoutError) as caught:
        await asyncio.wait_for(client.sign_in_by_account_password("ada", PASSWORD), 0.05)
    emitted.error(caught.value)
    assert PASSWORD not in "".join(emitted.texts)


@pytest.mark.parametrize("package", [genauth_async, genauth_sync])
def test_constructors_show_nothing(package: Any) -> None:
    emitted = Emitted()
    wrong: dict[str, Any] = {"app_secret": "canary-secret", "access_token": "canary-token", "protocol": "wrong"}
    environ = {"GENAUTH_APP_ID": "a", "GENAUTH_APP_SECRET": "canary-secret", "GENAUTH_PROTOCOL": "wrong"}
    client = package.AuthenticationClient("a", "https://a.example", "canary-secret")
    calls: list[Callable[[], object]] = [
        lambda: package.AuthenticationClient("a", "https://a.example", **wrong),
        lambda: package.AuthenticationClient.from_env(environ),
        lambda: client.session({"access_token": "canary", "refresh_token": ["canary"]}, leeway=-1.0),
        lambda: client.with_options(access_token="canary-token", timeout=-1),
        lambda: client.session({"refresh_token": "canary"}),
    ]
    for call in calls:
        with pytest.raises(GenAuthError) as caught:
            call()
        emitted.error(caught.value)
    emitted.show(client)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(client.settings)
    assert "canary" not in "".join(emitted.texts)
