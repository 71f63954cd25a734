"""Data of WeChat and Douyin mini programs."""

from __future__ import annotations

from ._base import Dto, Envelope
from ._fields import dto, wire_field


@dto
class DecryptWechatMiniProgramDataDto(Dto):
    """The body of POST /api/v3/decrypt-wechat-miniprogram-data."""

    code: str = wire_field(secret=True)
    iv: str
    encrypted_data: str = wire_field(secret=True)
    ext_idp_connidentifier: str


@dto
class DecryptWechatMiniProgramDataRespDto(Envelope):
    """The answer to decrypt_wechat_mini_program_data."""

    data: object


@dto
class GetWechatAccessTokenDto(Dto):
    """The body of POST /api/v3/get-wechat-access-token and POST /api/v3/get-wechat-access-token-info."""

    app_id: str
    app_secret: str = wire_field(secret=True)


@dto
class GetWechatAccessTokenDataDto(Dto):
    """WeChat's own access token.

    Attributes:
        access_token: for calling WeChat's API.
        expires_at: when it expires, as WeChat tells it.
    """

    access_token: str = wire_field(secret=True)
    expires_at: str | None = None


@dto
class GetWechatAccessTokenRespDto(Envelope):
    """The answer to get_wechat_mp_access_token."""

    data: GetWechatAccessTokenDataDto


@dto
class GetWechatAccessTokenInfoRespDto(Envelope):
    """The answer to get_wechat_mp_access_token_info."""

    data: GetWechatAccessTokenDataDto


@dto
class DecryptDouyinMiniProgramDataDto(Dto):
    """The body of POST /api/v3/decrypt-douyin-miniprogram-data."""

    code: str = wire_field(secret=True)
    iv: str
    encrypted_data: str = wire_field(secret=True)
    ext_idp_connidentifier: str


@dto
class DecryptDouyinMiniProgramDataRespDto(Envelope):
    """The answer to decrypt_douyin_mini_program_data."""

    data: object
