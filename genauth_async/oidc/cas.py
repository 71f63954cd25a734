"""CAS tickets."""

from __future__ import annotations

from functools import partial
from typing import Literal, overload

from .. import models
from .._arguments.text import one_of, require_str
from .._wire.request import Idempotency, Request
from .._wire.responses import Response, read_oauth, read_text, unusable
from ..api._base import Api
from ..errors import UnexpectedShapeError
from ..settings import Timeout


class CAS(Api):
    """Validate CAS tickets.

    Common parameters:
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        TransportError, InvalidResponseError: no GenAuth response arrived.
    """

    async def validate_ticket_v1(
        self, ticket: str, service: str, *, timeout: Timeout | None = None
    ) -> models.Cas10ValidationResult:
        """Validate a ticket, and read its user (GET /cas-idp/{app_id}/validate, CAS 1.0). A ticket is good once.

        Args:
            ticket: from the URL with which the user came back.
            service: the URL that the user was to come back to.
        """
        read = partial(read_text, starts=("yes\n", "no\n", "yes\r\n", "no\r\n"))
        text = await self._ask(self._validation("validate", ticket, service), read, timeout)
        verdict, username = ([*text.splitlines(), ""])[:2]
        return models.Cas10ValidationResult(valid=verdict == "yes", username=username or None)

    @overload
    async def validate_ticket_v2(
        self, ticket: str, service: str, format: Literal["JSON"] = "JSON", *, timeout: Timeout | None = None
    ) -> models.Cas20ValidationResult: ...

    @overload
    async def validate_ticket_v2(
        self, ticket: str, service: str, format: Literal["XML"], *, timeout: Timeout | None = None
    ) -> str: ...

    @overload
    async def validate_ticket_v2(
        self, ticket: str, service: str, format: Literal["JSON", "XML"], *, timeout: Timeout | None = None
    ) -> models.Cas20ValidationResult | str: ...

    async def validate_ticket_v2(
        self, ticket: str, service: str, format: Literal["JSON", "XML"] = "JSON", *, timeout: Timeout | None = None
    ) -> models.Cas20ValidationResult | str:
        """Validate a ticket, and read its user and their attributes (GET /cas-idp/{app_id}/serviceValidate, CAS 2.0).

        Args:
            ticket: from the URL with which the user came back. A ticket is good once.
            service: the URL that the user was to come back to.
            format: JSON, or XML for the answer's text as it came.
        """
        one_of("format", format, ("JSON", "XML"))
        request = self._validation("serviceValidate", ticket, service, format=format)
        if format == "XML":
            return await self._ask(request, partial(read_text, starts=("<",)), timeout)
        return await self._ask(request, _validated, timeout)

    def _validation(self, path: str, ticket: str, service: str, **query: str) -> Request:
        # Reading it uses the ticket up: a second try would call a good one bad.
        return Request(
            method="GET",
            path=("cas-idp", self._settings.app_id, path),
            query={"service": require_str("service", service), "ticket": require_str("ticket", ticket), **query},
            idempotency=Idempotency.UNSAFE,
        )


def _validated(response: Response) -> models.Cas20ValidationResult:
    found = read_oauth(response, models.Cas20ValidationResult)
    if found.success is None and found.failure is None:
        problem = "the server sent JSON that says nothing of the ticket"
        raise unusable(UnexpectedShapeError, problem, response, quote=False)
    return found
