"""Bearer tokens of API requests: read, verified, and turned into claims or refusals (RFC 6750)."""

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
    """Verifies the tokens that come with requests.

    Args:
        client: verifies them.
        audience: whom tokens may be for, as `verify_access_token` takes it.
    """

    def __init__(self, client: AuthenticationClient, audience: str | Sequence[str] | None) -> None:
        self._client = client
        self._audience = audience

    async def claims(self, authorization: Sequence[str], scopes: Sequence[str] = ()) -> AccessToken:
        """The claims of the request's token.

        Args:
            authorization: the values of the request's Authorization headers.
            scopes: those that the token has to have.

        Raises:
            RefusedError: there is no token (401), a bad one (401), one with too little scope (403), or nobody can tell
                now (503).
        """
        if not authorization:
            raise RefusedError(Refusal(status=401, detail="Not authenticated", www_authenticate=challenge()))
        token = _HEADER.fullmatch(authorization[0]) if len(authorization) == 1 else None
        if token is None:
            raise RefusedError(_invalid("The Authorization header holds no bearer token"))
        return await self._verified(token[1], tuple(scopes))

    async def optional_claims(self, authorization: Sequence[str]) -> AccessToken | None:
        """The claims of the request's token; None when it has no Authorization header.

        Raises:
            RefusedError: there is a header, and `claims` refuses it.
        """
        return await self.claims(authorization) if authorization else None

    async def _verified(self, token: str, scopes: tuple[str, ...]) -> AccessToken:
        refusal: Refusal
        try:
            return await self._client.verify_access_token(token, scopes=scopes, audience=self._audience)
        except InsufficientScopeError:
            detail = "The token lacks a scope that is needed here"
            www_authenticate = challenge("insufficient_scope", detail, scopes)
            refusal = Refusal(status=403, detail=detail, www_authenticate=www_authenticate)
        except KeysUnavailableError as error:
            _log.warning("Tokens cannot be verified: %s", error)
            refusal = unavailable("Tokens cannot be verified now", getattr(error.__cause__, "retry_after", None))
        except TokenVerificationError as error:
            refusal = _invalid(error.message)
        raise RefusedError(refusal)


def _invalid(description: str) -> Refusal:
    return Refusal(status=401, detail="Invalid token", www_authenticate=challenge("invalid_token", description))
