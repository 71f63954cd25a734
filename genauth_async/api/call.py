"""Endpoints without a method here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Literal, TypeVar, get_args, overload

from .._arguments.text import described, one_of
from .._core.redaction import RedactedMapping, is_mapping
from .._wire.request import Idempotency, Method, Request
from .._wire.responses import read_envelope, read_oauth, read_undocumented
from ..errors import ConfigurationError
from ..models import Dto
from ..models._base import plain
from ..settings import Timeout
from ._base import Api

DtoT = TypeVar("DtoT", bound=Dto)
Retry = Literal["unsafe", "safe"]
_EXAMPLE: Final = "a path on the client's own server, such as /api/v3/get-profile"
_OAUTH: Final = ("oidc", "oauth")


class Call(Api):
    """Call any endpoint of the server, under the same rules as the documented ones.

    Common errors:
        GenAuthAPIError, OAuthError: the server refused the request.
        TransportError, InvalidResponseError: no GenAuth response arrived.
    """

    @overload
    async def call(
        self,
        method: Method,
        path: str,
        *,
        json: Mapping[str, object] | Dto | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int | bool | None] | None = None,
        access_token: str | None = None,
        into: type[DtoT],
        retry: Retry = "unsafe",
        timeout: Timeout | None = None,
    ) -> DtoT: ...
    @overload
    async def call(
        self,
        method: Method,
        path: str,
        *,
        json: Mapping[str, object] | Dto | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int | bool | None] | None = None,
        access_token: str | None = None,
        into: None = None,
        retry: Retry = "unsafe",
        timeout: Timeout | None = None,
    ) -> RedactedMapping: ...
    @overload
    async def call(
        self,
        method: Method,
        path: str,
        *,
        json: Mapping[str, object] | Dto | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int | bool | None] | None = None,
        access_token: str | None = None,
        into: type[DtoT] | None = None,
        retry: Retry = "unsafe",
        timeout: Timeout | None = None,
    ) -> DtoT | RedactedMapping: ...
    async def call(
        self,
        method: Method,
        path: str,
        *,
        json: Mapping[str, object] | Dto | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int | bool | None] | None = None,
        access_token: str | None = None,
        into: type[DtoT] | None = None,
        retry: Retry = "unsafe",
        timeout: Timeout | None = None,
    ) -> DtoT | RedactedMapping:
        """Call an endpoint that has no method here: with the same deadline, retries, errors and reading of the answer.

        A password is sent as it is given: only the documented methods encrypt.

        Without `into` it returns the answer's `data` if that is an object, else the whole answer. It is read by name,
        and `dict(...)` makes a dict of it; its repr masks secrets.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: the path on the client's server, such as "/api/v3/get-profile"; each segment is quoted here.
            json: the body, by wire names.
            form: the body of a form; instead of `json`.
            query: the query's parameters; None is left out, booleans are true and false.
            access_token: the user's; the client's when None, and if that has none the call is sent without.
            into: the class of genauth_async.models to read the answer, or its `data`, into.
            retry: "safe" if the call only reads, so that it is sent again after a 503 or a lost answer.
            timeout: seconds for the call, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument is invalid.
        """
        segments = _segments(path)
        if into is not None and not (isinstance(into, type) and issubclass(into, Dto)):
            raise ConfigurationError("into", f"must be a class of genauth_async.models or None, not {_named(into)}")
        if method == "GET" and not (json is None and form is None):
            raise ConfigurationError("method", "must not be GET for a body; use query=, or POST")
        if json is not None and form is not None:
            raise ConfigurationError("form", "must not be given with json; a request has one body")
        request = Request(
            method=one_of("method", method, get_args(Method)),
            path=segments,
            query=_mapping("query", query, (str, int, type(None))),
            json=None if json is None else _json(json),
            form=None if form is None else _mapping("form", form, (str,)),
            user_token=self._optional_user_token(access_token),
            idempotency=Idempotency.SAFE if one_of("retry", retry, get_args(Retry)) == "safe" else Idempotency.UNSAFE,
        )
        if into is None:
            return await self._ask(request, read_undocumented, timeout)
        read = read_oauth if segments[0] in _OAUTH else read_envelope
        return await self._ask(request, partial(read, answer=into), timeout)

    def _optional_user_token(self, access_token: str | None) -> str | None:
        is_needed = access_token is not None or self._settings.access_token is not None
        return self._user_token(access_token) if is_needed else None


def _segments(path: str) -> tuple[str, ...]:
    """Divide a path into its segments; it cannot leave the server."""
    if not isinstance(path, str):
        raise ConfigurationError("path", f"must be {_EXAMPLE}, not {described(path)}")
    if "?" in path or "#" in path:
        raise ConfigurationError("path", f"must be {_EXAMPLE}, without ? and #; use query=")
    segments = path.removeprefix("/").split("/")
    is_whole = path.startswith("/") and all(segments[:-1]) and len(path) > 1
    if not is_whole or "\\" in path or not path.isprintable() or not {".", ".."}.isdisjoint(segments):
        raise ConfigurationError("path", f"must be {_EXAMPLE}; not a URL, and without //, . and ..")
    return tuple(segments)


def _json(body: object) -> Mapping[str, object]:
    if not is_mapping(body):
        raise ConfigurationError("json", f"must be a mapping or a DTO, not {described(body)}")
    found: Any = plain(body)
    return {str(name): value for name, value in found.items()}


def _mapping(argument: str, given: object, kinds: tuple[type, ...]) -> dict[str, Any]:
    if given is None:
        return {}
    if not is_mapping(given):
        raise ConfigurationError(argument, f"must be a mapping, not {described(given)}")
    for name, value in given.items():
        if not (isinstance(name, str) and isinstance(value, kinds)):
            problem = f"must have {' or '.join(kind.__name__ for kind in kinds[:2])} by name, not {described(value)}"
            raise ConfigurationError(argument, problem)
    return dict(given)


def _named(into: object) -> str:
    return into.__name__ if isinstance(into, type) else described(into)
