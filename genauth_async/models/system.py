"""What a GenAuth server says of itself."""

from __future__ import annotations

from ._base import Dto, dto


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
