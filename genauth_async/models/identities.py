"""Identities at other providers that are bound to an account."""

from __future__ import annotations

from ._base import Dto, Envelope
from ._fields import dto, wire_field
from .profile import IdentityDto


@dto
class GenerateBindExtIdpLinkDataDto(Dto):
    """URL to send the user's browser to."""

    url: str = wire_field(secret=True)


@dto
class GenerateBindExtIdpLinkRespDto(Envelope):
    """The answer to generate_link_ext_idp_url."""

    data: GenerateBindExtIdpLinkDataDto


@dto
class UnlinkExtIdpDto(Dto):
    """The body of POST /api/v3/unlink-extidp."""

    ext_idp_id: str


@dto
class GetIdentitiesRespDto(Envelope):
    """The answer to get_identities."""

    data: list[IdentityDto]
