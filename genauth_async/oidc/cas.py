"""CAS tickets."""

from __future__ import annotations

from typing import Literal, overload

from .. import models
from .._arguments.text import needed, one_of
from .._wire.request import Repeat, Request
from .._wire.responses import Response, read_oauth, read_text
from ..api._base import Api
from ..errors import UnexpectedShapeError
from ..settings import Timeout


class CAS(Api):
    """Finds out what a ticket that a user came back with is worth."""

    async def validate_ticket_v1(
        self, ticket: str, service: str, *, timeout: Timeout | None = None
    ) -> models.Cas10ValidationResult:
        """Whether a ticket is good, and whose (GET /cas-idp/{app_id}/validate, CAS 1.0). A ticket is good once.

        Args:
            ticket: from the URL with which the user came back.
            service: the URL that the user was to come back to.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        response = await self._ask("validate", ticket, service, timeout)
        text = read_text(response, starts=("yes\n", "no\n", "yes\r\n", "no\r\n"))
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
        """Whether a ticket is good, whose, and what is known of them (GET /cas-idp/{app_id}/serviceValidate, CAS 2.0).

        Args:
            ticket: from the URL with which the user came back. A ticket is good once.
            service: the URL that the user was to come back to.
            format: JSON, or XML for the answer's text as it came.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        one_of("format", format, ("JSON", "XML"))
        response = await self._ask("serviceValidate", ticket, service, timeout, format=format)
        if format == "XML":
            return read_text(response, starts=("<",))
        found = read_oauth(response, models.Cas20ValidationResult)
        if found.success is None and found.failure is None:
            raise UnexpectedShapeError(
                "The server sent JSON that says nothing of the ticket",
                http_status=response.status,
                content_type=response.content_type,
            )
        return found

    async def _ask(self, path: str, ticket: str, service: str, timeout: Timeout | None, **query: str) -> Response:
        # Reading it uses the ticket up: a second try would call a good one bad.
        request = Request(
            method="GET",
            path=("cas-idp", self._settings.app_id, path),
            query={"service": needed("service", service), "ticket": needed("ticket", ticket), **query},
            repeat=Repeat.HARMFUL,
        )
        return await self._shared.transport.send(request, self._settings, timeout)
