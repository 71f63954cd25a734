"""Booleans and numbers: texts and other values that only look like them are refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from genauth_async import AuthenticationClient, ConfigurationError, RetryPolicy
from genauth_async.integrations.aiohttp import GenAuth
from genauth_async.stores import FileStore, KeyringStore, RedisStore
from tests.every import check_every

NO_BOOLEANS: tuple[Any, ...] = ("false", "true", "0", "", 0, 1, 0.0, None, [], "canary" * 100)
NO_NUMBERS: tuple[Any, ...] = (True, math.nan, "1", "canary", b"1", Decimal(1), [], 10**5000, -(10**5000), 1j, object())
TOKENS = {"access_token": "a", "refresh_token": "r"}
SECRET = "s" * 32


def client(**options: Any) -> AuthenticationClient:
    return AuthenticationClient(**{"app_id": "app", "app_host": "https://a.example", "app_secret": SECRET, **options})


BOOLEANS: Mapping[str, Callable[[Any], object]] = {
    "use_unverified_ssl": lambda value: client(use_unverified_ssl=value),
    "reject_unauthorized": lambda value: client(reject_unauthorized=value),
    "allow_insecure_http": lambda value: client(allow_insecure_http=value),
    "accepts_clear": lambda value: FileStore("unused", secrets=SECRET, accepts_clear=value),
    "accepts_clear ": lambda value: RedisStore("redis://localhost", secrets=SECRET, accepts_clear=value),
    "fallback": lambda value: KeyringStore(directory="unused", fallback=value),
    "forced": lambda value: client(redirect_uri="https://a.example/cb").build_authorize_url(forced=value),
    "forced ": lambda value: client(redirect_uri="https://a.example/cb").login_with_redirect(forced=value),
    "warm": lambda value: GenAuth(client(), warm=value),
    "login": lambda value: GenAuth(client()).setup(web.Application(), login=value),
    "close_client": lambda value: GenAuth(client()).setup(web.Application(), login=False, close_client=value),
    "resend_refresh_token": lambda value: client(resend_refresh_token=value),
}


def test_texts_and_numbers_are_no_booleans() -> None:
    def check(case: tuple[str, object]) -> None:
        name, value = case
        with pytest.raises(ConfigurationError, match=rf"^{name.strip()}: must be True or False, not ") as caught:
            BOOLEANS[name](value)
        assert "canary" not in str(caught.value)

    check_every([(name, value) for name in BOOLEANS for value in NO_BOOLEANS], check, "{0[0]}={0[1]!r:.20}".format)


NUMBERS: Mapping[str, Callable[[Any], object]] = {
    "timeout": lambda value: client(timeout=value),
    "timeout ": lambda value: client().with_options(timeout=value),
    "timeout  ": lambda value: client(timeout=httpx.Timeout(5, read=value)),
    "refresh_timeout": lambda value: client(refresh_timeout=value),
    "max_response_bytes": lambda value: client(max_response_bytes=value),
    "attempts": lambda value: RetryPolicy(attempts=value),
    "backoff": lambda value: RetryPolicy(backoff=value),
    "max_backoff": lambda value: RetryPolicy(max_backoff=value),
    "max_retry_after": lambda value: RetryPolicy(max_retry_after=value),
    "leeway": lambda value: client().session(TOKENS, leeway=value),
    "leeway ": lambda value: client().verify_access_token("a", leeway=value).send(None),
    "lifetime": lambda value: client(redirect_uri="https://a.example/cb").begin_login(lifetime=value),
    "session_lifetime": lambda value: GenAuth(client(), session_lifetime=value),
    "login_lifetime": lambda value: GenAuth(client(), login_lifetime=value),
    "interval": lambda value: client().poll_qr_code("id", interval=value),
    "wait": lambda value: client().poll_qr_code("id", wait=value),
    "lock_timeout": lambda value: FileStore("unused", lock_timeout=value),
    "keyring_timeout": lambda value: KeyringStore(directory="unused", keyring_timeout=value),
    "lock_timeout ": lambda value: KeyringStore(directory="unused", lock_timeout=value),
    "ttl": lambda value: RedisStore("redis://localhost", ttl=value),
    "ping_interval": lambda value: client(access_token="a").iter_events("code", ping_interval=value),
}
ENDLESS = {"wait", "lock_timeout", "lock_timeout ", "keyring_timeout", "ping_interval"}


def test_what_is_no_number_is_refused_as_a_setting() -> None:
    def check(case: tuple[str, object]) -> None:
        name, value = case
        with pytest.raises(ConfigurationError, match=rf"^{name.strip()}: ") as caught:
            NUMBERS[name](value)
        assert isinstance(caught.value, ValueError)
        assert "canary" not in str(caught.value)
        assert len(str(caught.value)) < 200

    endless: list[tuple[str, object]] = [(name, math.inf) for name in NUMBERS if name not in ENDLESS]
    values = [(name, value) for name in NUMBERS for value in (*NO_NUMBERS, -1, -0.5)]
    check_every(values + endless, check, lambda case: f"{case[0]}: {type(case[1]).__name__}")


def test_numbers_are_numbers(tmp_path: Path) -> None:
    made = RetryPolicy(attempts=1, backoff=0, max_backoff=0.0, max_retry_after=1)
    assert (made.attempts, made.backoff, made.max_backoff, made.max_retry_after) == (1, 0, 0.0, 1)
    assert client(timeout=1, refresh_timeout=999.9, max_response_bytes=1, retry=made).settings.timeout.total == 1.0
    assert FileStore(tmp_path, lock_timeout=math.inf)


def test_falsy_values_are_no_defaults() -> None:
    values: tuple[Any, ...] = (0, "", False, [])
    for argument in ("retry", "clock"):
        for value in values:
            with pytest.raises(ConfigurationError, match=rf"^{argument}: must be a "):
                client(**{argument: value})


def test_no_line_break_reaches_a_header() -> None:
    for argument in ("app_id", "lang", "real_ip", "user_pool_id"):
        for value in ("a\r\nb: c", "a\nb", "a\x00b", "é", "a\x7fb"):
            with pytest.raises(ConfigurationError, match=rf"^{argument}: must be printable ASCII"):
                client(**{argument: value})
    with pytest.raises(ConfigurationError, match="real_ip"):
        client().with_options(real_ip="a\nb")
    for value in ("a\nb", "a\x00", "a\u200b", "\ufeffa"):
        with pytest.raises(ConfigurationError, match=r"^access_token: must be a token"):
            client(access_token=value)
