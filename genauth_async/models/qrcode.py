"""Sign-in by a QR code that the user's app scans."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field
from .signin import LoginTokenResponseDataDto

QRCodeAction = Literal["SCAN", "CONFIRM", "CANCEL"]
QRCodeStatus = Literal["PENDING", "SCANNED", "AUTHORIZED", "CANCELLED", "EXPIRED", "ERROR"]
QRCodeType = Literal["MOBILE_APP", "WECHAT_MINIPROGRAM", "WECHAT_OFFICIAL_ACCOUNT"]


@dto
class GenerateQrcodeDto(Dto):
    """The body of POST /api/v3/gene-qrcode."""

    type: QRCodeType | str
    ext_idp_conn_id: str | None = None
    custom_data: object = None
    context: object = None
    auto_merge_qr_code: bool | None = None


@dto
class GeneQRCodeDataDto(Dto):
    """A QR code to show.

    Attributes:
        qrcode_id: names it in the calls that follow.
        url: its picture.
        custom_logo_url: the picture in its middle, if any.
    """

    qrcode_id: str
    url: str
    custom_logo_url: str | None = None


@dto
class GeneQRCodeRespDto(Envelope):
    """The answer to gene_qr_code."""

    data: GeneQRCodeDataDto


@dto
class QRCodeStatusBriefUserInfoDto(Dto):
    """User who scanned the QR code."""

    display_name: str | None = None
    photo: str | None = None


@dto
class CheckQRCodeStatusDataDto(Dto):
    """Status of a QR code.

    Attributes:
        status: PENDING, SCANNED, AUTHORIZED, CANCELLED, EXPIRED or ERROR.
        ticket: for exchange_token_set_with_qr_code_ticket, once AUTHORIZED.
        brief_user_info: who scanned it, from SCANNED on.
        token_set: the user's tokens, once AUTHORIZED, where the application's settings say so.
    """

    status: QRCodeStatus | str
    ticket: str | None = wire_field(default=None, secret=True)
    brief_user_info: QRCodeStatusBriefUserInfoDto | None = None
    token_set: LoginTokenResponseDataDto | None = None


@dto
class CheckQRCodeStatusRespDto(Envelope):
    """The answer to check_qr_code_status, get_login_qr_code_status and get_fastpass_qr_code_status."""

    data: CheckQRCodeStatusDataDto


@dto
class ExchangeTokenSetWithQRcodeTicketDto(Dto):
    """The body of POST /api/v3/exchange-tokenset-with-qrcode-ticket."""

    wire_case = "snake"

    ticket: str = wire_field(secret=True)
    client_id: str | None = None
    client_secret: str | None = wire_field(default=None, secret=True)


@dto
class ChangeQRCodeStatusDto(Dto):
    """The body of POST /api/v3/change-qrcode-status and POST /api/v3/set-qrcode-status."""

    qrcode_id: str
    action: QRCodeAction | str
