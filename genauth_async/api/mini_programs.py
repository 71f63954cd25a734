"""Data of WeChat and Douyin mini programs."""

from __future__ import annotations

from .. import models
from .._wire.request import Idempotency, post
from ..settings import Timeout
from ._base import Api


class MiniPrograms(Api):
    """Decrypt the data that WeChat and Douyin give to mini programs.

    Common parameters:
        access_token: the user's, if this is done on a user's behalf; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        ConfigurationError: an argument is not valid.
        GenAuthAPIError: the server refused the request.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def decrypt_wechat_mini_program_data(
        self,
        code: str,
        iv: str,
        encrypted_data: str,
        ext_idp_connidentifier: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.DecryptWechatMiniProgramDataRespDto:
        """Decrypt the data that a WeChat mini program was given (POST /api/v3/decrypt-wechat-miniprogram-data).

        `data` is WeChat's.

        Args:
            code: the code of wx.login.
            iv: the initialisation vector that the mini program was given, in base64.
            encrypted_data: what the mini program was given, in base64.
            ext_idp_connidentifier: the identifier of the provider's connection in the console.
        """
        sent = models.DecryptWechatMiniProgramDataDto(
            code=code, iv=iv, encrypted_data=encrypted_data, ext_idp_connidentifier=ext_idp_connidentifier
        )
        request = post("api", "v3", "decrypt-wechat-miniprogram-data", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_with_optional_user(
            request, models.DecryptWechatMiniProgramDataRespDto, access_token, timeout
        )

    async def get_wechat_mp_access_token(
        self,
        app_id: str,
        app_secret: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetWechatAccessTokenRespDto:
        """Get WeChat's own access token of an official account (POST /api/v3/get-wechat-access-token).

        Args:
            app_id: the official account's id at WeChat.
            app_secret: the official account's secret at WeChat.
        """
        sent = models.GetWechatAccessTokenDto(app_id=app_id, app_secret=app_secret)
        request = post("api", "v3", "get-wechat-access-token", body=sent)
        return await self._call(request, models.GetWechatAccessTokenRespDto, timeout)

    async def get_wechat_mp_access_token_info(
        self,
        app_id: str,
        app_secret: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetWechatAccessTokenInfoRespDto:
        """Get WeChat's own access token of an official account, and when it expires
        (POST /api/v3/get-wechat-access-token-info).

        Args:
            app_id: the official account's id at WeChat.
            app_secret: the official account's secret at WeChat.
        """
        sent = models.GetWechatAccessTokenDto(app_id=app_id, app_secret=app_secret)
        request = post("api", "v3", "get-wechat-access-token-info", body=sent)
        return await self._call(request, models.GetWechatAccessTokenInfoRespDto, timeout)

    async def decrypt_douyin_mini_program_data(
        self,
        code: str,
        iv: str,
        encrypted_data: str,
        ext_idp_connidentifier: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.DecryptDouyinMiniProgramDataRespDto:
        """Decrypt the data that a Douyin mini program was given (POST /api/v3/decrypt-douyin-miniprogram-data).

        `data` is Douyin's.

        Args:
            code: the code of tt.login.
            iv: the initialisation vector that the mini program was given, in base64.
            encrypted_data: what the mini program was given, in base64.
            ext_idp_connidentifier: the identifier of the provider's connection in the console.
        """
        sent = models.DecryptDouyinMiniProgramDataDto(
            code=code, iv=iv, encrypted_data=encrypted_data, ext_idp_connidentifier=ext_idp_connidentifier
        )
        request = post("api", "v3", "decrypt-douyin-miniprogram-data", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_with_optional_user(
            request, models.DecryptDouyinMiniProgramDataRespDto, access_token, timeout
        )
