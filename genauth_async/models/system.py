"""Server information."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field
from .common import IdentityProvider, LangObject

ExtIdpType = Literal["social", "enterprise"]


@dto
class SystmeInfoRSAConfig(Dto):
    """The RSA key that passwords are encrypted under; PEM, or the base64 of the DER."""

    public_key: str


@dto
class SystmeInfoSM2Config(Dto):
    """The SM2 key that passwords are encrypted under; hex, with or without the prefix 04."""

    public_key: str


@dto
class SystmeInfoVersion(Dto):
    """Versions of the server's parts."""

    server: str | None = None
    console: str | None = None
    login: str | None = None


@dto
class SystemInfoResp(Dto):
    """The answer to get_system_info."""

    rsa: SystmeInfoRSAConfig
    sm2: SystmeInfoSM2Config
    version: SystmeInfoVersion | None = None
    public_ips: list[str] | None = None


@dto
class ExtIdpInfoDto(Dto):
    """An identity provider that the application lets users sign in with."""

    type: IdentityProvider | str | None = None
    identifier: str | None = None
    ext_idp_id: str | None = None
    ext_idp_type: ExtIdpType | str | None = None
    bind_url: str | None = None
    name: str | None = None
    name_en: str | None = wire_field(default=None, wire="name_en")
    desc: str | None = None
    desc_en: str | None = wire_field(default=None, wire="desc_en")
    logo: str | None = None


@dto
class GetExtIdpsRespDto(Envelope):
    """The answer to get_application_enabled_ext_idps."""

    data: list[ExtIdpInfoDto]


@dto
class CountryDetailInfo(Dto):
    """A country, by its ISO 3166 codes."""

    alpha2: str | None = None
    alpha3: str | None = None
    phone_country_code: str | None = None
    flag: str | None = None
    name: LangObject | None = None


@dto
class GetCountryListRespDto(Envelope):
    """The answer to get_country_list."""

    data: list[CountryDetailInfo]
