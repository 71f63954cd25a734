from __future__ import annotations

import copy
import json
import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genauth_async
from genauth_async import errors
from genauth_async._core.redaction import plain_text
from genauth_async._wire.error_codes import api_error_class, oauth_error_class
from genauth_async.errors import GenAuthAPIError, GenAuthError, MFARequiredError


def all_errors(cls: type[GenAuthError] = GenAuthError) -> list[type[GenAuthError]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in all_errors(sub))]


MFA_ANSWER = {
    "statusCode": 400,
    "apiCode": 1636,
    "message": "MFA required",
    "data": {"mfaToken": "mfa-canary", "applicationMfa": [{"mfaPolicy": "OTP"}, {"mfaPolicy": "SMS"}]},
}


RESPONSE = {"http_status": 418, "retry_after": 3.0, "request_id": "r", "endpoint": "GET /x"}
EXAMPLES: dict[type[GenAuthError], Callable[[Any], GenAuthError]] = {
    GenAuthAPIError: lambda cls: cls(
        "refused (by us)", status_code=400, api_code=1, response={"accessToken": "canary"}, **RESPONSE
    ),
    errors.OAuthError: lambda cls: cls("x", "expired: yes", error_uri="https://e", **RESPONSE),
    errors.InvalidResponseError: lambda cls: cls("no", content_type="text/html", excerpt="<html>", **RESPONSE),
    errors.ResponseError: lambda cls: cls("no", **RESPONSE),
    errors.TransportError: lambda cls: cls("no connection", sent=True),
    errors.ConfigurationError: lambda cls: cls("app_id", "must be a str: not None"),
    errors.RefreshUnavailableError: lambda cls: cls("later", outcome_unknown=True, retry_after=1.0),
    GenAuthError: lambda cls: cls("message"),
}


def example(cls: type[GenAuthError]) -> GenAuthError:
    return next(make(cls) for base, make in EXAMPLES.items() if issubclass(cls, base))


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_pickles_and_copies(cls: type[GenAuthError]) -> None:
    error = example(cls)
    error.add_note("noted")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is cls
        assert (str(again), again.args) == (str(error), error.args)
        for name, value in vars(error).items():
            if name != "response":
                assert getattr(again, name) == value
    assert "canary" not in repr(error) + str(error) + repr(vars(error))
    assert b"canary" not in pickle.dumps(error)


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_is_rebuilt_from_its_args(cls: type[GenAuthError]) -> None:
    error = example(cls)
    again = cls(*json.loads(json.dumps(error.args)))
    assert (str(again), again.args, again.message) == (str(error), error.args, error.message)
    assert again.is_transient is error.is_transient
    told = {"status_code", "api_code", "error", "error_description", "argument"}
    for name in told & vars(error).keys():
        assert getattr(again, name) == getattr(error, name)
    if isinstance(error, GenAuthAPIError):
        assert again.request_id == "r"  # type: ignore[attr-defined]
    if isinstance(error, errors.InvalidResponseError):
        assert again.http_status == 418  # type: ignore[attr-defined]


TRANSIENT = {
    "ConnectionFailedError",
    "ConnectionLostError",
    "KeysUnavailableError",
    "RateLimitedError",
    "RefreshUnavailableError",
    "RequestTimeoutError",
    "ServerError",
    "StoreError",
    "StoreLockedError",
    "ThirdPartyError",
    "TransportError",
    "TruncatedResponseError",
    "WaitTimeoutError",
}


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_which_classes_are_transient(cls: type[GenAuthError]) -> None:
    assert example(cls).is_transient is (cls.__name__ in TRANSIENT)


@pytest.mark.parametrize(
    ("error", "is_transient"),
    [
        (errors.OAuthError("temporarily_unavailable"), True),
        (errors.OAuthError("server_error", http_status=302), True),
        (errors.OAuthError("slow_down"), True),
        (errors.OAuthError("rate_limited", http_status=429), True),
        (errors.OAuthError("x", http_status=500), True),
        (errors.OAuthError("access_denied", http_status=302), False),
        (errors.InvalidResponseError("x", http_status=503), True),
        (errors.NotJSONError("x", http_status=408), True),
        (errors.NotJSONError("x", http_status=200), False),
        (errors.InvalidCredentialsError("x", status_code=403, http_status=500), False),
    ],
)
def test_which_answers_are_transient(error: GenAuthError, is_transient: bool) -> None:
    assert error.is_transient is is_transient


@pytest.mark.parametrize(
    ("cause", "is_transient"),
    [
        (None, True),
        (OSError(), True),
        (errors.ConnectionFailedError("x", sent=False), True),
        (errors.ServerError("x", status_code=503), True),
        (errors.TLSError("x", sent=False), False),
        (errors.NotFoundError("x", status_code=404), False),
        (errors.ConfigurationError("app_host", "x"), False),
    ],
)
def test_unavailable_keys_depend_on_the_cause(cause: Exception | None, is_transient: bool) -> None:
    error = errors.KeysUnavailableError("no keys")
    error.__cause__ = cause
    assert error.is_transient is is_transient


ODD = "a\nb\r\x1b[31mc\x85d\u202ee\u2028f\x00g\u200bh\ud800"
SHOWN = r"a\nb\r\x1b[31mc\x85d\u202ee\u2028f\x00g\u200bh\ud800"


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_texts_of_servers_are_escaped_and_bounded(cls: type[GenAuthError]) -> None:
    error = cls(ODD)
    assert error.message == SHOWN
    long = cls(ODD * 10_000)
    for text in (str(error), repr(error), str(long), str(cls(long.message))):
        assert text.isprintable()
        assert len(text) < 1200


def test_all_texts_of_an_answer_are_escaped() -> None:
    found = [
        errors.OAuthError(ODD, ODD, error_uri=ODD, request_id=ODD),
        errors.InvalidResponseError("x", http_status=403, content_type=ODD, excerpt=ODD, request_id=ODD),
        GenAuthAPIError(ODD, status_code=500, request_id=ODD),
    ]
    for error in found:
        for text in (str(error), *(value for value in vars(error).values() if isinstance(value, str))):
            assert text.isprintable()


@given(st.text() | st.text("ab\x1b\n\u202e").map(lambda text: text * 300))
def test_escaping_twice_changes_nothing(text: str) -> None:
    shown = plain_text(text)
    assert shown.isprintable()
    assert len(shown) <= 1000
    assert plain_text(shown) == shown
    if text.isprintable() and len(text) <= 1000:
        assert shown == text


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_public_drawn_and_documented(cls: type[GenAuthError]) -> None:
    assert getattr(genauth_async, cls.__name__) is cls
    assert cls.__doc__
    lines = (errors.__doc__ or "").splitlines()
    line = next(line for line in lines if re.search(rf"\b{cls.__name__}\b", line))
    parent = cls.__bases__[0].__name__
    if cls is not GenAuthError:
        above = [text for text in lines[: lines.index(line)] if text.strip()]
        column = line.index(cls.__name__)
        drawn_parent = next(t for t in reversed(above) if re.search(r"\w", t) and _column(t) < column)
        assert re.search(rf"\b{parent}\b", drawn_parent), f"{cls.__name__} is drawn under {drawn_parent.strip()}"


def _column(line: str) -> int:
    found = re.search(r"[A-Za-z]", line)
    assert found
    return found.start()


def test_the_drawing_names_nothing_that_is_not_there() -> None:
    drawn = set(re.findall(r"\b\w+Error\b", errors.__doc__ or "")) - {"ValueError", "RuntimeError", "TimeoutError"}
    assert drawn == {cls.__name__ for cls in all_errors()}


@pytest.mark.parametrize(
    ("status_code", "api_code", "cls"),
    [
        (400, 2333, errors.InvalidCredentialsError),
        (403, 2006, errors.InvalidCredentialsError),
        (499, 2004, errors.UserNotFoundError),
        (403, 2005, errors.AccountLockedError),
        (400, 1643, errors.AccountLockedError),
        (401, 2020, errors.NotSignedInError),
        (403, 2031, errors.SignUpDisabledError),
        (400, 2058, errors.PasswordResetRequiredError),
        (400, 1639, errors.PasswordResetRequiredError),
        (400, 1635, errors.MFARequiredError),
        (400, 1636, errors.MFARequiredError),
        (400, 1640, errors.IdentityBindingRequiredError),
        (400, 1641, errors.IdentityBindingRequiredError),
        (400, 1642, errors.ProfileCompletionRequiredError),
        (400, 6003, errors.TOTPError),
        (404, 2011, errors.ApplicationNotFoundError),
        (404, 2224, errors.UserPoolNotFoundError),
        (400, 2120008, errors.TenantError),
        (400, 2130010, errors.TenantError),
        (400, 2820002, errors.LDAPError),
        (400, 2016, errors.PasswordDecryptionError),
        (400, 2001, errors.InvalidPassCodeError),
        (400, 2300, errors.InvalidPassCodeError),
        (400, None, errors.InvalidArgumentError),
        (401, 1, errors.NotSignedInError),
        (402, None, errors.PlanLimitError),
        (403, None, errors.ForbiddenError),
        (404, None, errors.NotFoundError),
        (409, None, errors.ConflictError),
        (413, None, errors.PayloadTooLargeError),
        (422, None, errors.InvalidOperationError),
        (429, None, errors.RateLimitedError),
        (500, None, errors.ServerError),
        (503, None, errors.ServerError),
        (504, None, errors.ServerError),
        (599, None, errors.ServerError),
        (403, 2057, errors.AccountLockedError),
        (499, 2080, errors.RateLimitedError),
        (499, 4004, errors.RateLimitedError),
        (499, 2100, errors.RateLimitedError),
        (499, 1002, errors.RateLimitedError),
        (499, 2026, errors.ConflictError),
        (400, 2034, errors.ConflictError),
        (400, 2035, errors.ConflictError),
        (400, 2200, errors.ConflictError),
        (400, 1320004, errors.ConflictError),
        (499, 2021, errors.NotSignedInError),
        (499, 2206, errors.NotSignedInError),
        (499, 2207, errors.NotSignedInError),
        (499, 1576, errors.ForbiddenError),
        (499, 1577, errors.ForbiddenError),
        (400, 1320011, errors.InvalidCredentialsError),
        (500, 2203, errors.InvalidCredentialsError),
        (499, 3720001, errors.PlanLimitError),
        (499, 3720003, errors.PlanLimitError),
        (499, 4021, errors.PlanLimitError),
        (400, 500, errors.InvalidPassCodeError),
        (500, 500, errors.ServerError),
        (300, 2071, errors.PasswordResetRequiredError),
        (300, 2921, errors.SignInStepRequiredError),
        (300, 2930, errors.SignInStepRequiredError),
        (300, 1666, errors.SignInStepRequiredError),
        (300, 1699, errors.SignInStepRequiredError),
        (602, None, errors.ThirdPartyError),
        (499, None, errors.GenAuthAPIError),
        (201, None, errors.GenAuthAPIError),
    ],
)
def test_the_api_code_decides_before_the_status_code(
    status_code: int, api_code: int | None, cls: type[GenAuthAPIError]
) -> None:
    assert api_error_class(status_code, api_code) is cls


@pytest.mark.parametrize("path", ["api/v2/applications/mfa/sms/verify", "api/v2/ecConn/wechatMobile/byPhoneCode"])
def test_the_older_apis_number_of_a_wrong_pass_code(path: str) -> None:
    assert api_error_class(500, 500, f"POST /{path}") is errors.InvalidPassCodeError
    assert api_error_class(500, None, f"POST /{path}") is errors.ServerError


def test_oauth_errors() -> None:
    assert oauth_error_class("invalid_grant") is errors.InvalidGrantError
    assert oauth_error_class("invalid_client") is errors.InvalidClientError
    assert oauth_error_class("temporarily_unavailable") is errors.OAuthError


def test_mfa_carries_what_continues_the_sign_in() -> None:
    error = MFARequiredError("MFA required", status_code=400, api_code=1636, response=MFA_ANSWER)
    assert error.mfa_token == "mfa-canary"
    assert error.factors == ("OTP", "SMS")
    assert "canary" not in repr(error) + str(error) + repr(error.response) + str(vars(error))
    assert "canary" not in repr(copy.copy(error))
    assert copy.copy(error).mfa_token == copy.deepcopy(error).mfa_token == "mfa-canary"
    unpickled = pickle.loads(pickle.dumps(error))
    assert unpickled.mfa_token is None
    assert unpickled.factors == ("OTP", "SMS")


@pytest.mark.parametrize(
    "data", [{}, None, [], {"mfaToken": 5, "applicationMfa": "OTP"}, {"applicationMfa": [{"x": 1}, None]}]
)
def test_mfa_without_the_usual_data(data: object) -> None:
    error = MFARequiredError("MFA required", status_code=400, response={"data": data})
    assert error.mfa_token is None
    assert error.factors == ()


def test_factors_are_sorted_and_switched_on() -> None:
    listed = [
        {"mfaPolicy": "FACE", "status": 1},
        {"mfaPolicy": "EMAIL", "status": 1, "sort": 2},
        {"mfaPolicy": "PASSKEY", "status": 0, "sort": 0},
        {"mfaPolicy": "SMS", "status": 1, "sort": 10},
        {"mfaPolicy": "OTP", "status": "1", "sort": "1"},
        {"mfaPolicy": "PUSH", "status": None, "sort": None},
        {"mfaPolicy": "NONE", "status": "0"},
    ]
    error = MFARequiredError("x", response={"data": {"applicationMfa": listed}})
    assert error.factors == ("OTP", "EMAIL", "SMS", "FACE", "PUSH")
    odd: object
    for odd in ([1], {}, math.nan, "nan", 10**400):
        assert MFARequiredError("x", response={"data": {"mfa": [{"mfaPolicy": "OTP", "sort": odd}]}}).factors == (
            "OTP",
        )


def test_a_required_reset_carries_its_token() -> None:
    error = errors.PasswordResetRequiredError(
        "reset", status_code=300, api_code=1639, response={"data": {"token": "reset-canary"}}
    )
    assert error.reset_token == copy.deepcopy(error).reset_token == "reset-canary"
    assert "canary" not in repr(error) + str(error) + repr(error.response) + str(vars(error))
    assert b"canary" not in pickle.dumps(error)
    assert pickle.loads(pickle.dumps(error)).reset_token is None
    data: object
    for data in (None, {}, {"token": None}, {"token": ""}, {"token": 5}, []):
        assert errors.PasswordResetRequiredError("x", response={"data": data}).reset_token is None
