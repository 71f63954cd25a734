from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest

import genauth_async
from genauth_async import errors
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


EXAMPLES: dict[type[GenAuthError], Callable[[Any], GenAuthError]] = {
    GenAuthAPIError: lambda cls: cls(
        "refused", status_code=400, api_code=1, request_id="r", retry_after=3.0, response={"accessToken": "canary"}
    ),
    errors.OAuthError: lambda cls: cls("x", "expired", error_uri="https://e", http_status=400, retry_after=2.0),
    errors.InvalidResponseError: lambda cls: cls("no", http_status=502, content_type="text/html", excerpt="<html>"),
    errors.TransportError: lambda cls: cls("no connection", sent=True),
    errors.ConfigurationError: lambda cls: cls("app_id", "is empty"),
    errors.RefreshUnavailableError: lambda cls: cls("later", outcome_unknown=True, retry_after=1.0),
    GenAuthError: lambda cls: cls("message"),
}


def example(cls: type[GenAuthError]) -> GenAuthError:
    return next(make(cls) for base, make in EXAMPLES.items() if issubclass(cls, base))


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_pickles_and_copies(cls: type[GenAuthError]) -> None:
    error = example(cls)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is cls
        assert (str(again), again.args) == (str(error), error.args)
        for name, value in vars(error).items():
            if name != "response":
                assert getattr(again, name) == value
    assert "canary" not in repr(error) + str(error) + repr(vars(error))
    assert b"canary" not in pickle.dumps(error)


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
        (602, None, errors.ThirdPartyError),
        (499, None, errors.GenAuthAPIError),
        (201, None, errors.GenAuthAPIError),
    ],
)
def test_the_api_code_decides_before_the_status_code(
    status_code: int, api_code: int | None, cls: type[GenAuthAPIError]
) -> None:
    assert api_error_class(status_code, api_code) is cls


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
    assert copy.copy(error).mfa_token == "mfa-canary"
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
