"""Errors that a request is answered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal


class ReplyError(Exception):
    """An error that is the answer to a request; `http.replies` makes the response."""


class ApiError(ReplyError):
    """An error of the API: HTTP 200 and an envelope with the reason.

    Args:
        status_code: the class of the error.
        message: for people.
        api_code: the API's number of the error, where there is one.
        data: values that the client needs to go on.
        retry_after: seconds, for the header of that name.
        http_status: other than 200 only for requests that never reach the API proper.
    """

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        api_code: int | None = None,
        data: Mapping[str, object] | None = None,
        retry_after: int | None = None,
        http_status: int = 200,
    ) -> None:
        super().__init__(message)
        self.body: dict[str, object] = {"statusCode": status_code, "message": message}
        if api_code is not None:
            self.body["apiCode"] = api_code
        if data is not None:
            self.body["data"] = data
        self.headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.http_status = http_status


class OAuthError(ReplyError):
    """An error of the /oidc and /oauth endpoints (RFC 6749 section 5.2, RFC 6750 section 3).

    Args:
        error: the standard's name of the error.
        description: for people.
        http_status: 400, or 401 and 403 where authentication or authorization failed.
        scheme: the authentication scheme that the client should have used.
    """

    def __init__(
        self, error: str, description: str, *, http_status: int = 400, scheme: Literal["Basic", "Bearer"] | None = None
    ) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}
        self.http_status = http_status
        self.challenge: str | None = None
        if scheme == "Basic":
            self.challenge = 'Basic realm="oidc", charset="UTF-8"'
        elif scheme == "Bearer":
            self.challenge = f'Bearer realm="oidc", error="{error}", error_description="{description}"'


def not_modelled(subject: str) -> ApiError:
    """Refuse an operation that GenAuth has and the emulator has not: never a made-up success."""
    return ApiError(501, f"the emulator does not model {subject}", http_status=501)


def not_signed_in() -> ApiError:
    """Refuse a call without a valid access token."""
    return ApiError(401, "not signed in, or no longer", api_code=2020)


def no_such_user() -> ApiError:
    """Refuse a call about an unknown or removed user."""
    return ApiError(404, "the user does not exist", api_code=2004)


def no_such_app() -> ApiError:
    """Refuse a call about an unknown application."""
    return ApiError(404, "the application does not exist", api_code=2011)
