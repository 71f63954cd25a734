"""Bearer tokens of API requests (RFC 6750): parsing, verification, and refusals."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ..errors import InsufficientScopeError, KeysUnavailableError, TokenVerificationError
from ..models.verification import AccessToken
from ._replies import Refusal, RefusedError, challenge, unavailable

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)
_HEADER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


class Bearer:
    """Verifies the bearer tokens of requests.

    Args:
        client: the client that verifies them.
        audience: the accepted audiences, as for `verify_access_token`.
    """

    def __init__(self, client: AuthenticationClient, audience: str | Sequence[str] | None) -> None:
        self._client = client
        self._audience = audience

    async def claims(self, authorization: Sequence[str], scopes: Sequence[str] = ()) -> AccessToken:
        """Return the verified claims of the request's token.

        Args:
            authorization: the values of the request's Authorization headers.
            scopes: the required scopes.

        Raises:
            RefusedError: the token is missing or invalid (401), lacks a scope (403), or cannot be verified now (503).
        """
        if not authorization:
            raise RefusedError(Refusal(status=401, detail="Not authenticated", www_authenticate=challenge()))
        token = _HEADER.fullmatch(authorization[0]) if len(authorization) == 1 else None
        if token is None:
            raise RefusedError(_invalid("The Authorization header holds no bearer token"))
        return await self._verified(token[1], tuple(scopes))

    async def optional_claims(self, authorization: Sequence[str], scopes: Sequence[str] = ()) -> AccessToken | None:
        """Return the verified claims of the request's token, or None without an Authorization header.

        Args:
            authorization: the values of the request's Authorization headers.
            scopes: the scopes that a token must have.

        Raises:
            RefusedError: `claims` refuses the header.
        """
        return await self.claims(authorization, scopes) if authorization else None

    async def _verified(self, token: str, scopes: tuple[str, ...]) -> AccessToken:
        refusal: Refusal
        try:
            return await self._client.verify_access_token(token, scopes=scopes, audience=self._audience)
        except InsufficientScopeError:
            detail = "The token lacks a required scope"
            www_authenticate = challenge("insufficient_scope", detail, scopes)
            refusal = Refusal(status=403, detail=detail, www_authenticate=www_authenticate)
        except KeysUnavailableError as error:
            _log.warning("Tokens cannot be verified: %s", error)
            waits = [getattr(it, "retry_after", None) for it in (error, error.__cause__)]
            refusal = unavailable("Tokens cannot be verified now", waits[1] if waits[0] is None else waits[0])
        except TokenVerificationError as error:
            refusal = _invalid(error.message)
        raise RefusedError(refusal)


def _invalid(description: str) -> Refusal:
    return Refusal(status=401, detail="Invalid token", www_authenticate=challenge("invalid_token", description))
