"""Offline verification of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from .. import models
from .._arguments.numbers import require_seconds
from .._arguments.text import require_str, require_str_list
from .._arguments.timeouts import deadline
from .._jwt.claims import (
    Claims,
    check_access_token_hash,
    check_audience,
    check_authorized_party,
    check_issuer,
    check_nonce,
    check_scopes,
    check_times,
    read_claims,
)
from .._jwt.jwks import KeySet
from .._jwt.jws import Kind, check_form, check_length, is_signed, kind_of, parse, wrong_signature
from .._jwt.key_cache import KeyRequest, Published, max_age
from .._jwt.token_cache import CachedToken, cached_token, digest_of
from .._wire.request import Idempotency, Request
from .._wire.responses import Response, read_oauth
from ..api._base import Api
from ..errors import ConfigurationError, TokenExpiredError
from ..models._base import Dto
from ..models._fields import dto, wire_field
from ..settings import Timeout

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

_LEEWAY: Final = 60.0
_LARGEST_LEEWAY: Final = 3600.0
_DtoT = TypeVar("_DtoT", "models.AccessToken", "models.IDToken")
_RS256: Final = ("RS256",)
_RS256_OR_HS256: Final = ("HS256", "RS256")


@dto
class _KeySetDto(Dto):
    listed: object = wire_field(wire="keys")


class Verification(Api):
    """Verify tokens with the server's public keys, which are fetched when first needed, and kept.

    A valid token was issued by this server for this application, and has not expired. Revocation is known to the
    server alone: `introspect_token` asks it.

    Common parameters:
        server_jwks: the server's key set, `{"keys": [...]}`, used instead of fetching it.
        leeway: seconds by which the server's clock and this one may differ.
        timeout: seconds to wait for the server's keys, where they are not cached, or an httpx.Timeout; the client's
            when None.

    Common errors:
        TokenVerificationError: the token is not valid; the subclass tells why.
        KeysUnavailableError: the server's keys are neither cached nor available.
    """

    async def verify_access_token(
        self,
        token: str,
        *,
        scopes: Sequence[str] = (),
        audience: str | Sequence[str] | None = None,
        leeway: float = _LEEWAY,
        timeout: Timeout | None = None,
    ) -> models.AccessToken:
        """Verify an access token (RS256), and return its claims.

        A token that was verified before is looked up: that waits for nothing. Its time, audience and scopes are checked
        each time. ID tokens are refused, even those that the same key signed for the same application.

        A machine's token (client credentials) has no `sub`, and is for its access account: pass that one's id as
        `audience`.

        Args:
            token: the access token, without `Bearer`.
            scopes: the scopes that it must have, all of them.
            audience: the audiences that are accepted; one of several is enough. The client's app_id when None.

        Raises:
            InsufficientScopeError: the token is valid, but lacks a scope.
        """
        expected = self._audiences(audience)
        required = require_str_list("scopes", scopes) if scopes else ()
        require_seconds("leeway", leeway, most=_LARGEST_LEEWAY)
        check_length(token)
        digest = digest_of(token)
        # Not by `_good`, which is a coroutine more: services verify the same token with each request.
        good = self._cached(digest, models.AccessToken, leeway)
        if good is None:
            good = await self._verified(token, models.AccessToken, None, leeway, timeout)
            self._shared.verified.add(digest, good)
        check_audience(good.claims, expected)
        check_scopes(good.claims, required)
        return good.dto()

    async def verify_id_token(
        self,
        token: str,
        *,
        nonce: str | None = None,
        access_token: str | None = None,
        leeway: float = _LEEWAY,
        timeout: Timeout | None = None,
    ) -> models.IDToken:
        """Verify an ID token (OpenID Connect Core section 3.1.3.7), and return its claims.

        It is signed by RS256, or by HS256 with the application's secret, if the client has one; only by one of both if
        the client has `id_token_signed_response_alg`.

        Args:
            token: the ID token.
            nonce: the login attempt's; the token has to have the same.
            access_token: what came with it; the token's `at_hash` has to be its, where there is one.
        """
        require_seconds("leeway", leeway, most=_LARGEST_LEEWAY)
        good = await self._good(token, models.IDToken, leeway=leeway, timeout=timeout)
        self._check_application(good.claims)
        if nonce is not None:
            check_nonce(good.claims, require_str("nonce", nonce))
        if access_token is not None:
            check_access_token_hash(good.claims, require_str("access_token", access_token))
        return good.dto()

    async def fetch_keys(self, *, timeout: Timeout | None = None) -> None:
        """Fetch the server's keys, unless they are cached and fresh.

        Calling it is optional: the first token that is verified does the same. A server that calls it when it starts
        spares its first request the wait, and learns at once that the `app_host` is wrong or out of reach.
        """
        await self._shared.keys.ready(self._asking(timeout))

    async def parse_access_token(
        self, token: str, server_jwks: Mapping[str, object] | None = None, *, timeout: Timeout | None = None
    ) -> models.AccessToken:
        """Verify an access token, and return its claims.

        The name is that of the vendor's Node SDK, which checks the signature only. Here everything is checked, as
        by `verify_access_token`.

        Args:
            token: the access token.
        """
        good = await self._good(token, models.AccessToken, server_jwks, timeout=timeout)
        check_audience(good.claims, (self._settings.app_id,))
        return good.dto()

    async def parse_id_token(
        self, token: str, server_jwks: Mapping[str, object] | None = None, *, timeout: Timeout | None = None
    ) -> models.IDToken:
        """Verify an ID token, and return its claims.

        The name is that of the vendor's Node SDK, which checks the signature only. Here everything is checked, as
        by `verify_id_token`; give that one the nonce, where there is one.

        Args:
            token: the ID token.
        """
        good = await self._good(token, models.IDToken, server_jwks, timeout=timeout)
        self._check_application(good.claims)
        return good.dto()

    async def introspect_token_offline(
        self, token: str, server_jwks: Mapping[str, object] | None = None, *, timeout: Timeout | None = None
    ) -> models.AccessToken | models.IDToken:
        """Verify an access token or an ID token, by its kind, and return its claims.

        The vendor's SDK checks less: here the issuer, the audience and the algorithm are checked as well. Where only
        one kind will do, as at an API, use `verify_access_token` or `verify_id_token`.

        Args:
            token: the token.
        """
        # By what it says of itself; then it has to be right as one of that kind.
        if kind_of(parse(token)) == "access":
            return await self.parse_access_token(token, server_jwks, timeout=timeout)
        return await self.parse_id_token(token, server_jwks, timeout=timeout)

    def _audiences(self, audience: str | Sequence[str] | None) -> tuple[str, ...]:
        if audience is None:
            return (self._settings.app_id,)
        if isinstance(audience, str):
            return (require_str("audience", audience),)
        if not audience:
            raise ConfigurationError("audience", "is empty, so that no token could be for it")
        return tuple(require_str_list("audience", audience))

    async def _good(
        self,
        token: str,
        cls: type[_DtoT],
        server_jwks: Mapping[str, object] | None = None,
        *,
        leeway: float = _LEEWAY,
        timeout: Timeout | None = None,
    ) -> CachedToken[_DtoT]:
        """Verify signature, issuer, kind and times of a token, but not its audience."""
        if server_jwks is not None:
            return await self._verified(token, cls, server_jwks, leeway, timeout)
        check_length(token)
        digest = digest_of(token)
        good = self._cached(digest, cls, leeway)
        if good is None:
            good = await self._verified(token, cls, None, leeway, timeout)
            self._shared.verified.add(digest, good)
        return good

    def _cached(self, digest: bytes, cls: type[_DtoT], leeway: float) -> CachedToken[_DtoT] | None:
        """Return a token from the cache, unless it has expired or its key has been replaced."""
        remembered = self._shared.verified
        good = remembered.get(digest, cls)
        if good is None:
            return None
        clock = self._settings.clock
        # Otherwise it was the application's secret, which does not change while the client lives.
        if isinstance(good.by, KeySet) and good.by is not self._shared.keys.current(clock.monotonic()):
            remembered.remove(digest)
            return None
        try:
            check_times(good.claims, clock.wall(), leeway)
        except TokenExpiredError:
            remembered.remove(digest)
            raise
        return good

    async def _verified(
        self,
        token: str,
        cls: type[_DtoT],
        server_jwks: Mapping[str, object] | None,
        leeway: float,
        timeout: Timeout | None,
    ) -> CachedToken[_DtoT]:
        kind: Kind = "access" if issubclass(cls, models.AccessToken) else "id"
        secret = self._settings.app_secret if kind == "id" else None
        parsed = parse(token)
        pinned = self._settings.id_token_signed_response_alg if kind == "id" else None
        check_form(parsed, kind, (pinned,) if pinned else _RS256_OR_HS256 if secret else _RS256)
        claims = read_claims(parsed.claims, kind)
        check_issuer(claims, self._settings.issuer)  # before keys are fetched that would be of no use
        by: KeySet | OctKey
        if secret and parsed.algorithm == "HS256":
            by = await self._shared.keys.secret_key(secret)
            if not is_signed(token, "HS256", by):
                raise wrong_signature("HS256")
        elif server_jwks is None:
            by = await self._shared.keys.verify(token, parsed.key_id, self._asking(timeout))
        else:
            by = await self._shared.keys.read(server_jwks)
            if refused := by.refusal(token, parsed.key_id):
                raise refused
        good = cached_token(parsed.claims, claims, cls, by)
        check_times(claims, self._settings.clock.wall(), leeway)
        return good

    def _asking(self, timeout: Timeout | None) -> KeyRequest:
        limit = self._settings.timeout if timeout is None else deadline(timeout)
        return KeyRequest(self._published, self._settings.clock.monotonic, limit.total)

    async def _published(self, seconds: float) -> Published:
        request = Request(method="GET", path=("oidc", ".well-known", "jwks.json"), idempotency=Idempotency.SAFE)
        return await self._ask(request, _published, seconds)

    def _check_application(self, claims: Claims) -> None:
        check_audience(claims, (self._settings.app_id,))
        check_authorized_party(claims, self._settings.app_id)


def _published(response: Response) -> Published:
    document = read_oauth(response, _KeySetDto)
    return Published({"keys": document.listed}, max_age(response.headers.get("cache-control", "")))
