"""Sign-in by a QR code between two clients of the same user."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto

FastpassAction = Literal["APP_LOGIN"]


@dto
class SignInFastpassOptionsDto(Dto):
    """Sign-in options."""

    scope: str | None = None
    context: object = None
    custom_data: object = None


@dto
class SignInFastpassDto(Dto):
    """The body of POST /api/v3/gene-fastpass-qrcode-info."""

    options: SignInFastpassOptionsDto | None = None


@dto
class FastpassUserInfoDto(Dto):
    """A user, or a user pool, as shown to people."""

    id: str | None = None
    display_name: str | None = None
    photo: str | None = None


@dto
class GeneFastpassQRCodeInfoDto(Dto):
    """Content of the QR code, for the client that scans it."""

    qrcode_id: str
    user: FastpassUserInfoDto | None = None
    app_id: str | None = None
    scene: str | None = None
    api_host: str | None = None
    userpool: FastpassUserInfoDto | None = None


@dto
class GeneFastpassQRCodeRespDto(Envelope):
    """The answer to gene_fastpass_qrcode_info."""

    data: GeneFastpassQRCodeInfoDto | None = None


@dto
class FastpassQRCodeRelationAppDto(Dto):
    """An application that the code can sign the user in to."""

    id: str
    name: str | None = None
    logo: str | None = None


@dto
class GetFastpassQRCodeRelationAppsDto(Dto):
    """Applications that the code can sign the user in to."""

    relation_apps: list[FastpassQRCodeRelationAppDto] | None = None


@dto
class GetFastpassQRCodeRelationAppsRespDto(Envelope):
    """The answer to get_fastpass_params."""

    data: GetFastpassQRCodeRelationAppsDto


@dto
class AppQRCodeLoginDto(Dto):
    """The body of POST /api/v3/qrcode-app-login."""

    action: FastpassAction | str
    qrcode_id: str
