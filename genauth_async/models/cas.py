"""Validation results of CAS tickets."""

from __future__ import annotations

from ._base import Dto
from ._fields import dto


@dto
class Cas10ValidationResult(Dto):
    """The answer of /validate (CAS protocol 1.0).

    Attributes:
        valid: whether the ticket was good.
        username: whose it was, where it was good.
    """

    wire_case = "snake"

    valid: bool
    username: str | None = None


@dto
class Cas20AuthenticationSuccess(Dto):
    """User of a valid ticket.

    Attributes:
        user: whose it was.
        attributes: what is known of the user.
    """

    user: str
    attributes: dict[str, object] | None = None


@dto
class Cas20AuthenticationFailure(Dto):
    """Refusal of an invalid ticket.

    Attributes:
        code: why, such as INVALID_TICKET.
        description: the same for people.
    """

    code: str | None = None
    description: str | None = None


@dto
class Cas20ServiceResponse(Dto):
    """Either a success or a failure."""

    authentication_success: Cas20AuthenticationSuccess | None = None
    authentication_failure: Cas20AuthenticationFailure | None = None


@dto
class Cas20ValidationResult(Dto):
    """The answer of /serviceValidate in JSON (CAS protocol 2.0).

    Attributes:
        service_response: what the ticket is worth.
        authentication_failure: why it is worth nothing, where the documents have it: outside the service_response.
    """

    service_response: Cas20ServiceResponse | None = None
    authentication_failure: Cas20AuthenticationFailure | None = None

    @property
    def success(self) -> Cas20AuthenticationSuccess | None:
        """User of the ticket; None if it was not valid."""
        return None if self.service_response is None else self.service_response.authentication_success

    @property
    def failure(self) -> Cas20AuthenticationFailure | None:
        """Reason why the ticket was not valid, from either place; None if it was."""
        if self.service_response is not None and self.service_response.authentication_failure is not None:
            return self.service_response.authentication_failure
        return self.authentication_failure

    @property
    def valid(self) -> bool:
        """True if the ticket was valid."""
        return self.success is not None
