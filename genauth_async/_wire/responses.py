"""Responses as frozen data, and their conversion to DTOs or errors: the API's envelope, and OAuth bodies."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, TypeVar

from attrs import field, frozen

from .._core.redaction import excerpt
from ..errors import (
    EmptyResponseError,
    GenAuthAPIError,
    InvalidResponseError,
    NotJSONError,
    RateLimitedError,
    TruncatedResponseError,
    UnexpectedRedirectError,
    UnexpectedShapeError,
)
from ..models._base import Dto, Envelope
from ..models._fields import attribute_names
from ..models.tokens import OIDCTokenResponse
from .converter import ShapeError, read_int, structure, structure_claims
from .error_codes import api_error_class, oauth_error_class
from .json_text import NOT_JSON, Unreadable, decode_json, is_large

_DtoT = TypeVar("_DtoT", bound=Dto)

# Looking up a member of an enum takes as long as a call.
_OK: Final = int(HTTPStatus.OK)
_MULTIPLE_CHOICES: Final = int(HTTPStatus.MULTIPLE_CHOICES)
_BAD_REQUEST: Final = int(HTTPStatus.BAD_REQUEST)
_TOO_MANY_REQUESTS: Final = int(HTTPStatus.TOO_MANY_REQUESTS)

_NOT_DECODED: Final = object()
_MOST_SECONDS: Final = 2.0**31  # the value of longer delays (RFC 9111 section 1.2.2)


@frozen(kw_only=True)
class Response:
    """One HTTP response.

    Attributes:
        status: the HTTP status code.
        headers: by lower-case names.
        body: the bytes, decompressed.
        call: the method, path and host that it answers, for messages.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | bytearray = field(repr=False)
    call: str = ""
    _json: object = field(default=_NOT_DECODED, init=False, repr=False, eq=False)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def is_large(self) -> bool:
        """Return True if the body is to be decoded and converted in a worker thread."""
        return is_large(self.body)

    @property
    def json(self) -> object:
        """The decoded body, or an Unreadable."""
        if self._json is _NOT_DECODED:
            object.__setattr__(self, "_json", decode_json(self.body))
        return self._json

    def parse(self) -> None:
        """Decode a large body for `json`, in a worker thread, so that other threads run meanwhile."""
        if self._json is _NOT_DECODED:
            object.__setattr__(self, "_json", decode_json(self.body, yielding=True))


def read_envelope(response: Response, answer: type[_DtoT]) -> _DtoT:
    """Read an API answer `{statusCode, message, apiCode?, requestId?, data?}`, or a bare one.

    Raises:
        GenAuthAPIError: its statusCode is not 200; the subclass tells which error.
        InvalidResponseError: it is neither.
    """
    body = _json_object(response)
    status = envelope_status(body)
    if status and status != _OK:
        raise _api_error(body, status, response)
    if response.status >= _BAD_REQUEST:
        raise _invalid(UnexpectedShapeError, "an error that is not in GenAuth's format", response)
    return _structure(body, answer, response)


def read_oauth(response: Response, answer: type[_DtoT], *, strict: Collection[str] | None = None) -> _DtoT:
    """Read the answer of an OAuth 2.0 endpoint.

    Args:
        response: the answer.
        answer: its DTO class.
        strict: the members that must have their documented type, if not all; others that lack it are kept in `extra`.

    Raises:
        OAuthError: an error answer (RFC 6749 section 5.2).
        GenAuthAPIError: an error in the API's envelope, which a gateway in front may send here too.
        InvalidResponseError: it is neither.
    """
    body = _json_object(response)
    _raise_oauth_error(body, response)
    return _structure(body, answer, response, strict)


def read_tokens(response: Response) -> OIDCTokenResponse:
    """Read the token endpoint's answer leniently: an odd member must not cost a rotated refresh token.

    Raises:
        OAuthError, GenAuthAPIError, InvalidResponseError: as `read_oauth`; also if it has no access token.
    """
    body = _json_object(response)
    _raise_oauth_error(body, response)
    known = attribute_names(OIDCTokenResponse)
    fields = {
        name: value
        for name, value in body.items()
        if name not in known or (isinstance(value, str) and value and known[name] != "expires_in")
    }
    life = body.get("expires_in", body.get("expire_in"))
    if isinstance(life, (int, float, str)):
        with suppress(TypeError, ValueError, OverflowError):
            fields["expires_in"] = read_int(float(life) // 1)
    return _structure(fields, OIDCTokenResponse, response)


def read_oauth_empty(response: Response) -> None:
    """Read an OAuth 2.0 answer without content (RFC 7009 section 2.2).

    Raises:
        OAuthError, GenAuthAPIError, InvalidResponseError: as `read_oauth`.
    """
    if response.status == _OK and not isinstance(response.json, Mapping):
        return
    _raise_oauth_error(_json_object(response), response)


def read_text(response: Response, *, starts: tuple[str, ...]) -> str:
    """Read an answer of plain text or XML.

    Args:
        response: the answer.
        starts: the beginnings that it may have; any other is refused.

    Raises:
        OAuthError, GenAuthAPIError, InvalidResponseError: as `read_oauth`.
    """
    text = response.body.decode("utf-8", "replace").lstrip()
    if response.status == _OK and text.startswith(starts):
        return text
    _raise_oauth_error(_json_object(response), response)
    raise _invalid(UnexpectedShapeError, "an unexpected body", response)


def envelope_status(body: object) -> int | None:
    """Return the envelope's statusCode, or None without an envelope. The older API's envelope has a code instead."""
    if type(body) is not dict and not isinstance(body, Mapping):  # an abstract class is slow to ask
        return None
    return _int_or_none(body.get("statusCode", body.get("code") if "message" in body else None))


def _int_or_none(value: object) -> int | None:
    try:
        return None if value is None else read_int(value)
    except TypeError:
        return None


def effective_status(response: Response) -> int:
    """Return the HTTP status, or the envelope's if that of HTTP is 200, and the body is not too large to look."""
    if response.status != _OK or response.is_large:
        return response.status
    return envelope_status(response.json) or response.status


def retry_after(response: Response) -> float | None:
    """Return the seconds of Retry-After (RFC 9110 section 10.2.3), in either of its forms; None without one.

    More than 2**31 seconds count as 2**31, and dates in the past as 0. Dates end with the year 9999.
    """
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdecimal():
        return min(float(value), _MOST_SECONDS)
    when = http_date(value)
    if when is None:
        return None
    # Relative to the server's own Date if present, so that a wrong local clock does not matter.
    now = http_date(response.headers.get("date", ""))
    return max(0.0, when - (time.time() if now is None else now))


def http_date(value: str) -> float | None:
    """Parse any date form of RFC 9110 section 5.6.7 to seconds since the epoch; return None for anything else."""
    try:
        parsed = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    # asctime's form names no zone; all forms mean UTC.
    return (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).timestamp()


def _json_object(response: Response) -> Mapping[str, object]:
    if _MULTIPLE_CHOICES <= response.status < _BAD_REQUEST:
        raise _invalid(UnexpectedRedirectError, "a redirect, which the SDK does not follow; check app_host", response)
    body = response.json
    if isinstance(body, Mapping):
        return body
    text = response.body.strip()
    if not text:
        raise _invalid(EmptyResponseError, "an answer without a body", response)
    if not isinstance(body, Unreadable):
        raise _invalid(UnexpectedShapeError, "JSON that is not an object", response)
    if text[:1] in b"{[" and text[-1:] not in b"}]":
        raise _invalid(TruncatedResponseError, "truncated JSON", response)
    if body is not NOT_JSON:
        raise _invalid(UnexpectedShapeError, f"{body.problem}", response)
    raise _invalid(NotJSONError, "an answer that is not JSON", response)


def _structure(
    body: Mapping[str, object], answer: type[_DtoT], response: Response, strict: Collection[str] | None = None
) -> _DtoT:
    given = _unwrapped(body, answer)
    try:
        return structure(given, answer) if strict is None else structure_claims(given, answer, strict)
    except ShapeError as error:
        problem = f"JSON that does not match {answer.__name__}: {error}"
    raise _invalid(UnexpectedShapeError, problem, response, quote=False)


def _unwrapped(body: Mapping[str, object], answer: type[Dto]) -> object:
    """Unwrap `data`, since some answers are bare in the documents and wrapped by the service."""
    if not issubclass(answer, Envelope) and envelope_status(body) is not None and "data" in body:
        return body["data"]
    return body


def _api_error(body: Mapping[str, object], status: int, response: Response) -> GenAuthAPIError:
    # The older API has one number for both.
    api_code = body.get("apiCode") if "statusCode" in body else status
    request_id = body.get("requestId")
    message = body.get("message")
    api_code = _int_or_none(api_code) if isinstance(api_code, int) else None
    cls = api_error_class(status, api_code)
    return cls(
        message if isinstance(message, str) else HTTPStatus(status).phrase if status in _PHRASED else "refused",
        status_code=status,
        api_code=api_code,
        request_id=request_id if isinstance(request_id, str) else response.headers.get("x-request-id"),
        retry_after=retry_after(response),
        # Its repr and pickle visit each value.
        response={} if response.is_large else body,
    )


_PHRASED = frozenset(HTTPStatus)


def _raise_oauth_error(body: Mapping[str, object], response: Response) -> None:
    error = body.get("error")
    if isinstance(error, str) and error:
        description = body.get("error_description")
        uri = body.get("error_uri")
        raise oauth_error_class(error)(
            error,
            description if isinstance(description, str) else None,
            error_uri=uri if isinstance(uri, str) else None,
            http_status=response.status,
            retry_after=retry_after(response),
        )
    status = envelope_status(body)
    if status and status != _OK:
        raise _api_error(body, status, response)
    if response.status >= _BAD_REQUEST:
        raise _invalid(UnexpectedShapeError, "an error that is not in OAuth's format", response)


def _invalid(
    cls: type[InvalidResponseError], problem: str, response: Response, *, quote: bool = True
) -> InvalidResponseError | GenAuthAPIError:
    if response.status == _TOO_MANY_REQUESTS:
        return RateLimitedError(problem, status_code=response.status, retry_after=retry_after(response))
    return cls(
        f"{response.call or 'A call'}: the server sent {problem}",
        http_status=response.status,
        content_type=response.content_type,
        excerpt=excerpt(response.body) if quote else "",
        retry_after=retry_after(response),
    )
