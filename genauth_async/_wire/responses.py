"""Responses as frozen data, and their conversion to DTOs or errors: the API's envelope, and OAuth bodies."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar, get_origin

from attrs import Factory, field, frozen

from .._core.redaction import RedactedMapping, excerpt
from ..errors import (
    EmptyResponseError,
    InvalidClientError,
    InvalidResponseError,
    NotJSONError,
    OAuthError,
    RateLimitedError,
    ResponseError,
    ServerError,
    TruncatedResponseError,
    UnexpectedRedirectError,
    UnexpectedShapeError,
)
from ..models._base import Dto, Envelope
from ..models._fields import attribute_names
from ..models.tokens import UserInfo
from .converter import ShapeError, data_type, structure
from .error_codes import api_error_class, is_key_error, is_registered, is_typed, oauth_error_class
from .json_text import NOT_JSON, Unreadable, decode_json, is_large
from .leniency import OddError, read_int

_DtoT = TypeVar("_DtoT", bound=Dto)

# Looking up a member of an enum takes as long as a call.
_OK: Final = int(HTTPStatus.OK)
_MULTIPLE_CHOICES: Final = int(HTTPStatus.MULTIPLE_CHOICES)
_BAD_REQUEST: Final = int(HTTPStatus.BAD_REQUEST)
_UNAUTHORIZED: Final = int(HTTPStatus.UNAUTHORIZED)
_SERVER_ERROR: Final = int(HTTPStatus.INTERNAL_SERVER_ERROR)
_TOO_MANY_REQUESTS: Final = int(HTTPStatus.TOO_MANY_REQUESTS)

_JWT: Final = re.compile(rb"eyJ[\w-]*(\.[\w-]*){2,4}", re.ASCII)
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
        endpoint: the method and path.
        proves_client: whether the call had the application's credentials, and no user's.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | bytearray = field(repr=False)
    call: str = ""
    endpoint: str = field(default=Factory(lambda self: self.call.partition(" at ")[0], takes_self=True))
    proves_client: bool = False
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
    body = _bare_list(response, answer) or _json_object(response)
    _raise_api_error(body, response)
    code = _int_or_none(body.get("code")) if issubclass(answer, Envelope) and not body.get("statusCode") else None
    if code and code != _OK:  # the older API's frame without its message
        raise _api_error(body, code, response)
    return _structure(body, answer, response)


def read_undocumented(response: Response) -> RedactedMapping:
    """Read any answer: its `data` if that is an object, else the whole; nothing if it is empty.

    Raises:
        OAuthError, GenAuthAPIError, InvalidResponseError: as `read_oauth` and `read_envelope`.
    """
    is_success = _OK <= response.status < _MULTIPLE_CHOICES
    if is_success and not response.body.strip():
        return RedactedMapping({})
    found = response.json
    body = {"data": found} if is_success and isinstance(found, list) else _json_object(response)
    _raise_api_error(body, response)
    data = body.get("data")
    return RedactedMapping(data if isinstance(data, Mapping) else body)


def read_oauth(response: Response, answer: type[_DtoT]) -> _DtoT:
    """Read the answer of an OAuth 2.0 endpoint.

    Raises:
        OAuthError: an error answer (RFC 6749 section 5.2).
        GenAuthAPIError: an error in the API's envelope, which a gateway in front may send here too.
        InvalidResponseError: it is neither.
    """
    body = _json_object(response)
    _raise_refusal(body, response)
    return _structure(body, answer, response)


def read_user_info(response: Response) -> UserInfo:
    """Read the answer of the userinfo endpoint (OpenID Connect Core section 5.3.2).

    Raises:
        OAuthError, GenAuthAPIError, InvalidResponseError: as `read_oauth`; also if it is signed.
    """
    is_signed = response.content_type.startswith("application/jwt") or _JWT.fullmatch(response.body.strip())
    if response.status == _OK and is_signed:
        problem = (
            "the user's claims as a signed JWT, which the SDK does not read; "
            "unset userinfo_signed_response_alg for the application, so that they come as JSON"
        )
        raise _invalid(NotJSONError, problem, response, quote=False)
    return read_oauth(response, UserInfo)


def read_oauth_empty(response: Response) -> None:
    """Read an OAuth 2.0 answer without content (RFC 7009 section 2.2).

    Raises:
        OAuthError, GenAuthAPIError, InvalidResponseError: as `read_oauth`.
    """
    if _OK <= response.status < _MULTIPLE_CHOICES and not isinstance(response.json, Mapping):
        return
    _raise_refusal(_json_object(response), response)


def read_graphql(response: Response, answer: type[_DtoT], *, name: str) -> _DtoT:
    """Read an answer of the older API's GraphQL endpoint, `{data: {name: ...}}` or `{errors: [{message: ...}]}`.

    Raises:
        GenAuthAPIError: it has errors; their messages are objects with a code, or texts.
        InvalidResponseError: it is neither.
    """
    body = _json_object(response)
    failures, data = body.get("errors"), body.get("data")
    if isinstance(failures, list) and failures:
        said = failures[0].get("message") if isinstance(failures[0], Mapping) else failures[0]
        failure = said if isinstance(said, Mapping) else {"message": said}
        raise _api_error(failure, _int_or_none(failure.get("code")) or _BAD_REQUEST, response)
    _raise_refusal(body, response)
    found = data.get(name) if isinstance(data, Mapping) else None
    status = envelope_status(found)
    if isinstance(found, Mapping) and status and status != _OK:
        raise _api_error(found, status, response)
    return _structure({"code": _OK, **found} if isinstance(found, Mapping) else {}, answer, response)


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
    _raise_refusal(_json_object(response), response)
    raise _invalid(UnexpectedShapeError, "an unexpected body", response)


def envelope_status(body: object) -> int | None:
    """Return the envelope's statusCode, or None without an envelope. The older API's envelope has a code instead."""
    if type(body) is not dict and not isinstance(body, Mapping):  # an abstract class is slow to ask
        return None
    return _int_or_none(body.get("statusCode") or (body.get("code") if "message" in body else None))


def _int_or_none(value: object) -> int | None:
    try:
        return None if value is None else read_int(value)
    except OddError:
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


def _structure(body: Mapping[str, object], answer: type[_DtoT], response: Response) -> _DtoT:
    try:
        return structure(_framed(body, answer) if issubclass(answer, Envelope) else _unframed(body, answer), answer)
    except ShapeError as error:
        problem = f"JSON that does not match {answer.__name__}: {error}"
    raise _invalid(UnexpectedShapeError, problem, response, quote=False)


def _framed(body: Mapping[str, object], answer: type[Envelope]) -> Mapping[str, object]:
    """Put the frame around what came without it, if that is what the frame is to hold."""
    if envelope_status(body) is not None or body.get("error") or body.get("apiCode"):
        return body
    if body.get("data") is not None:
        return {**body, "statusCode": _OK}
    data = data_type(answer)
    is_data = isinstance(data, type) and issubclass(data, Dto) and not attribute_names(data).keys().isdisjoint(body)
    return {"statusCode": _OK, "data": body} if is_data else body


def _unframed(body: Mapping[str, object], answer: type[Dto]) -> object:
    """Take what is documented without a frame out of the one that some servers put around it."""
    data = body.get("data")
    has_frame = envelope_status(body) is not None or attribute_names(answer).keys().isdisjoint(body)
    return body if data is None or not has_frame else data


def _raise_api_error(body: Mapping[str, object], response: Response) -> None:
    if envelope_status(body) != _OK or response.status >= _BAD_REQUEST:
        _raise_refusal(body, response)


def _bare_list(response: Response, answer: type[Dto]) -> Mapping[str, object] | None:
    """Put the frame around a list that came without it."""
    if response.status >= _MULTIPLE_CHOICES or not isinstance(response.json, list):
        return None
    return {"statusCode": _OK, "data": response.json} if get_origin(data_type(answer)) is list else None


def _api_error(body: Mapping[str, object], status: int, response: Response) -> ResponseError:
    # The older API has one number for both.
    api_code = _int_or_none(body.get("apiCode") if "statusCode" in body else status)
    said = body.get("message")
    message = said if isinstance(said, str) else HTTPStatus(status).phrase if status in _PHRASED else "refused"
    about = _about(response)
    about["request_id"] = next(
        (value for name in _REQUEST_IDS if isinstance(value := body.get(name), str)), about["request_id"]
    )
    refuses_client = status == _UNAUTHORIZED and response.proves_client and not is_typed(api_code)
    if refuses_client or is_key_error(api_code):
        return InvalidClientError("invalid_client", message, **about)
    return api_error_class(status, api_code, response.endpoint)(
        message,
        status_code=status,
        api_code=api_code,
        # Its repr and pickle visit each value.
        response={} if response.is_large else body,
        **about,
    )


_PHRASED = frozenset(HTTPStatus)
_REQUEST_IDS: Final = ("requestId", "uniqueId", "request_id")


def _about(response: Response) -> dict[str, Any]:
    """Return what all errors of a response tell."""
    return {
        "http_status": response.status,
        "retry_after": retry_after(response),
        "request_id": response.headers.get("x-request-id"),
        "endpoint": response.endpoint,
    }


def _is_of_a_gateway(status: int) -> bool:
    return status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR


def _raise_refusal(body: Mapping[str, object], response: Response) -> None:
    """Raise the error of a body that is one, in OAuth's format or the API's."""
    error, status = body.get("error"), envelope_status(body)
    is_oauth = isinstance(error, str) and bool(error)
    if is_oauth and is_registered(str(error)):
        raise _oauth_error(body, response)
    if status and status != _OK:
        raise _api_error(body, status, response)
    if is_oauth and not _is_of_a_gateway(response.status):
        raise _oauth_error(body, response)
    if response.status < _BAD_REQUEST:
        return
    if isinstance(error, Mapping) and isinstance(error.get("message"), str):
        raise _api_error({"statusCode": response.status, **error}, response.status, response)
    raise _invalid(UnexpectedShapeError, "an error that is not in GenAuth's format", response)


def _oauth_error(body: Mapping[str, object], response: Response) -> OAuthError:
    """Return the error of a body, or of a challenge's parameters."""
    error, description, uri = str(body["error"]), body.get("error_description"), body.get("error_uri")
    return oauth_error_class(error)(
        error,
        description if isinstance(description, str) else None,
        error_uri=uri if isinstance(uri, str) else None,
        **_about(response),
    )


_CHALLENGE_PART: Final = re.compile(r'([\w-]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*)))?')


def _bearer_challenge(response: Response) -> Mapping[str, str]:
    """Return the parameters of a Bearer challenge in WWW-Authenticate (RFC 6750 section 3)."""
    scheme, found = "", dict[str, str]()
    for name, value, quoted, plain in _CHALLENGE_PART.findall(response.headers.get("www-authenticate", "")):
        if not value:
            scheme = name.lower()
        elif scheme == "bearer":
            found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain)
    return found


def unusable(cls: type[InvalidResponseError], problem: str, response: Response, *, quote: bool = True) -> ResponseError:
    """Return the error of a response without a usable body: what its status and headers say, else of a class.

    Args:
        cls: the class.
        problem: the problem of the body.
        response: the response.
        quote: quote the beginning of the body.
    """
    status, about = response.status, _about(response)
    call, quoted = response.call or "A call", excerpt(response.body) if quote else ""
    if _is_of_a_gateway(status):
        kind = RateLimitedError if status == _TOO_MANY_REQUESTS else ServerError
        detail = f"HTTP {status}, {response.content_type or 'no content type'}"
        return kind(f"{call}: {problem} ({detail}){quoted and f': {quoted}'}", status_code=status, **about)
    if cls is not TruncatedResponseError:  # which is worth another attempt
        if status >= _BAD_REQUEST and (challenge := _bearer_challenge(response)).get("error"):
            return _oauth_error(challenge, response)
        if status == _UNAUTHORIZED and response.proves_client:
            said = f"{call}: the server refused the application's credentials"
            return InvalidClientError("invalid_client", said, **about)
    return cls(f"{call}: {problem}", content_type=response.content_type, excerpt=quoted, **about)


def _invalid(cls: type[InvalidResponseError], problem: str, response: Response, *, quote: bool = True) -> ResponseError:
    return unusable(cls, f"the server sent {problem}", response, quote=quote)
