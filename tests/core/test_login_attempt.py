from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from attrs import NOTHING, evolve, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from genauth_async import ConfigurationError, LoginExpiredError, StateMismatchError
from genauth_async._crypto.sealing import Seal
from genauth_async.oidc.attempt import LoginAttempt

SECRET = "cookie-canary-of-32-or-more-characters"
ATTEMPT = LoginAttempt(
    url="https://a.example/oidc/auth?client_id=app&state=state-canary&code_challenge=challenge-canary",
    state="state-canary",
    nonce="nonce-canary",
    code_verifier="verifier-canary",
    redirect_uri="https://app.example/back",
    expires_at=1000.5,
    app_id="app",
    issuer="https://a.example/oidc",
)


def test_a_sealed_attempt_is_the_same_when_unsealed() -> None:
    sealed = ATTEMPT.sealed(SECRET)
    assert LoginAttempt.unsealed(sealed, SECRET, now=1000.5) == evolve(ATTEMPT, url="")
    assert "canary" not in sealed
    assert len(sealed) < 600


def test_an_attempt_passes_through_json() -> None:
    assert LoginAttempt.from_dict(json.loads(json.dumps(ATTEMPT.to_dict()))) == ATTEMPT


def test_required_authentication_passes_through_the_seal() -> None:
    strict = evolve(ATTEMPT, url="", earliest_auth_time=940.5, acr_values="mfa pwd")
    assert LoginAttempt.from_dict(json.loads(json.dumps(strict.to_dict()))) == strict
    assert LoginAttempt.unsealed(strict.sealed(SECRET), SECRET, now=0) == strict
    for wrong in ({"earliest_auth_time": "940"}, {"earliest_auth_time": True}, {"acr_values": 7}):
        with pytest.raises(ConfigurationError, match="must be those of to_dict"):
            LoginAttempt.from_dict({**strict.to_dict(), **wrong})


def test_an_expired_attempt_is_reported() -> None:
    with pytest.raises(LoginExpiredError, match="12 s after"):
        LoginAttempt.unsealed(ATTEMPT.sealed(SECRET), SECRET, now=1012.5)


OTHERS = ATTEMPT.sealed("another secret of 32 characters!")
ELSEWHERE = Seal((SECRET,), "another purpose").seal(ATTEMPT.to_dict())


@pytest.mark.parametrize("text", ["", "x", "é", "gAAAAA", OTHERS, ELSEWHERE, None, 7])
def test_what_was_not_sealed_with_the_secret_is_refused(text: Any) -> None:
    with pytest.raises(StateMismatchError, match="sealed with another secret"):
        LoginAttempt.unsealed(text, SECRET, now=0)


@settings(deadline=None)
@given(at=st.integers(0, 200), letter=st.sampled_from("AZaz09-_"))
def test_a_changed_letter_is_noticed(at: int, letter: str) -> None:
    sealed = ATTEMPT.sealed(SECRET)
    changed = sealed[:at] + letter + sealed[at + 1 :]
    if changed != sealed:
        with pytest.raises(StateMismatchError):
            LoginAttempt.unsealed(changed, SECRET, now=0)


@pytest.mark.parametrize("secret", ["", None, 7, "secret", "s" * 31, "s" * 31 + "\ud800", [], ["s" * 32, "short"]])
def test_a_long_secret_is_needed(secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret: must be random strings of at least 32 characters"):
        ATTEMPT.sealed(secret)
    with pytest.raises(ConfigurationError, match="secret: must be random strings of at least 32 characters"):
        LoginAttempt.unsealed(ATTEMPT.sealed(SECRET), secret, now=0)


def without(name: str) -> dict[str, object]:
    return {other: value for other, value in ATTEMPT.to_dict().items() if other != name}


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        None,
        {**ATTEMPT.to_dict(), "state": 7},
        {**ATTEMPT.to_dict(), "expires_at": True},
        {**ATTEMPT.to_dict(), "expires_at": "1000"},
        {**ATTEMPT.to_dict(), "issuer": None},
        *(without(attribute.name) for attribute in fields(LoginAttempt) if attribute.default is NOTHING),
    ],
)
def test_what_is_no_attempt_is_refused(values: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be those of to_dict"):
        LoginAttempt.from_dict(values)


def test_an_attempt_shows_no_secret_and_is_not_pickled() -> None:
    assert "canary" not in repr(ATTEMPT)
    assert "https://a.example/oidc/auth" in repr(ATTEMPT)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(ATTEMPT)
