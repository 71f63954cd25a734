"""Replies: the API's envelope, OAuth's JSON, and the responses to errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from ..state.errors import ApiError, OAuthError, ReplyError
from ..state.origin import current_origin

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def envelope_response(
    body: Mapping[str, object], *, http_status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Wrap a body in the API's envelope; a request id is added if there is none."""
    return JSONResponse({"requestId": str(uuid4()), **body}, http_status, headers)


def success(data: object = None) -> Response:
    """Answer a successful call; operations without a result have no `data`."""
    origin = current_origin()
    message = "Operation successful" if origin is not None and origin.lang.startswith("en") else "操作成功"
    body: dict[str, object] = {"statusCode": 200, "message": message}
    if data is not None:
        body["data"] = data
    return envelope_response(body)


def oauth_response(body: Mapping[str, object]) -> Response:
    """Answer with JSON that may hold tokens, so that no cache may keep it (RFC 6749 section 5.1)."""
    return JSONResponse(body, headers=_NO_STORE)


class RenderedError(ReplyError, ABC):
    """An error that makes its own response."""

    @abstractmethod
    def response(self) -> Response: ...


def error_response(error: ReplyError) -> Response:
    """Make the response to an error."""
    if isinstance(error, RenderedError):
        return error.response()
    if isinstance(error, ApiError):
        return envelope_response(error.body, http_status=error.http_status, headers=error.headers)
    if isinstance(error, OAuthError):
        challenge = {} if error.challenge is None else {"www-authenticate": error.challenge}
        return JSONResponse(error.body, error.http_status, {**_NO_STORE, **challenge})
    raise error
