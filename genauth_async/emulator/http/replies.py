"""The two kinds of replies, and of refusals: the API's envelope and OAuth's JSON."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

from starlette.responses import JSONResponse, Response

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def envelope_response(
    body: Mapping[str, object], *, http_status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The API's reply; a request id is added if there is none."""
    return JSONResponse({"requestId": secrets.token_hex(16), **body}, http_status, headers)


def success(data: object = None) -> Response:
    """A call that did what was asked; operations without a result have no `data`."""
    body: dict[str, object] = {"statusCode": 200, "message": "Success"}
    if data is not None:
        body["data"] = data
    return envelope_response(body)


def oauth_response(body: Mapping[str, object]) -> Response:
    """A reply of the /oidc endpoints that may hold tokens, so that no cache may keep it (RFC 6749 section 5.1)."""
    return JSONResponse(body, headers=_NO_STORE)


class ReplyError(Exception, ABC):
    """A request that is answered with an error."""

    @abstractmethod
    def response(self) -> Response: ...


class ApiError(ReplyError):
    """An error of the API: HTTP 200 whose envelope says what went wrong.

    Args:
        status_code: the class of the error.
        message: for people.
        api_code: what exactly went wrong, where the API has a number for it.
        data: what the client needs to go on.
        retry_after: seconds, for the header of that name.
        http_status: other than 200 only for what never reaches the API proper.
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

    def response(self) -> Response:
        return envelope_response(self.body, http_status=self.http_status, headers=self.headers)


def not_modelled(subject: str) -> ApiError:
    """What GenAuth does and the emulator does not: never a made-up success."""
    return ApiError(501, f"the emulator does not model {subject}", http_status=501)


class OAuthError(ReplyError):
    """An error of the /oidc endpoints (RFC 6749 section 5.2, RFC 6750 section 3).

    Args:
        error: the standard's name of the error.
        description: for people.
        http_status: 400, or 401 and 403 for those that failed to prove who they are or what they may do.
        scheme: how they should have proved it.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        http_status: int = 400,
        scheme: Literal["Basic", "Bearer"] | None = None,
    ) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}
        self.http_status = http_status
        self.headers = dict(_NO_STORE)
        if scheme == "Basic":
            self.headers["www-authenticate"] = 'Basic realm="oidc", charset="UTF-8"'
        elif scheme == "Bearer":
            self.headers["www-authenticate"] = (
                f'Bearer realm="oidc", error="{error}", error_description="{description}"'
            )

    def response(self) -> Response:
        return JSONResponse(self.body, self.http_status, self.headers)


def invalid_token(description: str) -> OAuthError:
    """An access token that opens nothing (RFC 6750 section 3.1)."""
    return OAuthError("invalid_token", description, http_status=401, scheme="Bearer")
