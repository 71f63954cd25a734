"""Sign-in with WeChat on mobile, step by step."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._wire.converter import argument
from .._wire.request import post
from ..settings import Timeout
from ._base import Api


class Wechat(Api):
    """Sign users in with WeChat on mobile, step by step: the first step, then one of the others.

    Common parameters:
        action: the action that the step before named.
        key: names this sign-in, as the step before gave it.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        SignInError: the user cannot be signed in by this; its subclasses say why.
        ConfigurationError: an argument is not valid.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def auth_by_code_identity(
        self,
        code: str,
        app_id: str | None = None,
        conn_id: str | None = None,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenResponseDataDto:
        """Sign a user in by the code that WeChat's mobile SDK gave
        (POST /api/v2/ecConn/wechatMobile/authByCodeIdentity).

        If the identity is bound to no account, the error's response has the key for the other steps.

        Args:
            code: WeChat's code.
            app_id: the application's id.
            conn_id: the connection's id.
            options: a SignInOptionsDto, or a mapping with its wire names.
        """
        sent = models.WechatMobileAuthByCodeIdentityInput(
            code=code, app_id=app_id, conn_id=conn_id, options=argument(options, models.SignInOptionsDto, "options")
        )
        request = post("api", "v2", "ecConn", "wechatMobile", "authByCodeIdentity", body=sent)
        return await self._call(request, models.LoginTokenResponseDataDto, timeout)

    async def register_new_user(
        self,
        key: str,
        action: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.WechatLoginTokenRespDto:
        """Sign the user in to a new account for the WeChat identity (POST /api/v2/ecConn/wechatMobile/register)."""
        sent = models.BindByRegiserInputApi(key=key, action=action)
        return await self._continue("register", sent, timeout)

    async def bind_by_email_code(
        self,
        key: str,
        action: str,
        code: str,
        email: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.WechatLoginTokenRespDto:
        """Bind the WeChat identity to the account of an email address, and sign the user in
        (POST /api/v2/ecConn/wechatMobile/byEmailCode).

        Args:
            code: sent by send_email.
            email: the address.
        """
        sent = models.BindByEmailCodeInputApi(key=key, action=action, code=code, email=email)
        return await self._continue("byEmailCode", sent, timeout)

    async def bind_by_phone_code(
        self,
        key: str,
        action: str,
        code: str,
        phone: str,
        phone_country_code: str | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.WechatLoginTokenRespDto:
        """Bind the WeChat identity to the account of a phone number, and sign the user in
        (POST /api/v2/ecConn/wechatMobile/byPhoneCode).

        Args:
            code: sent by send_sms.
            phone: the number, without the country code.
            phone_country_code: such as +86; needed outside mainland China.
        """
        sent = models.BindByPhoneCodeInputApi(
            key=key, action=action, code=code, phone=phone, phone_country_code=phone_country_code
        )
        return await self._continue("byPhoneCode", sent, timeout)

    async def bind_by_account(
        self,
        key: str,
        action: str,
        password: str,
        account: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.WechatLoginTokenRespDto:
        """Bind the WeChat identity to an account by its password, and sign the user in
        (POST /api/v2/ecConn/wechatMobile/byAccount).

        Args:
            password: as the user typed it. The documents know no encryption for it; TLS protects it.
            account: the user name, email address or phone number.
        """
        sent = models.BindByAccountInputApi(key=key, action=action, password=password, account=account)
        return await self._continue("byAccount", sent, timeout)

    async def select_account(
        self,
        key: str,
        action: str,
        account: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.WechatLoginTokenRespDto:
        """Bind the WeChat identity to one of several accounts, and sign the user in
        (POST /api/v2/ecConn/wechatMobile/select).

        Args:
            account: which one.
        """
        sent = models.BindByAccountsInputApi(key=key, action=action, account=account)
        return await self._continue("select", sent, timeout)

    async def bind_by_account_id(
        self,
        key: str,
        action: str,
        account_id: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.WechatLoginTokenRespDto:
        """Bind the WeChat identity to an account by its id, and sign the user in
        (POST /api/v2/ecConn/wechatMobile/byAccountId).

        Args:
            account_id: the account's user id.
        """
        sent = models.BindByAccountIdInputApi(key=key, action=action, account_id=account_id)
        return await self._continue("byAccountId", sent, timeout)

    async def _continue(self, step: str, sent: models.Dto, timeout: Timeout | None) -> models.WechatLoginTokenRespDto:
        request = post("api", "v2", "ecConn", "wechatMobile", step, body=sent)
        return await self._call(request, models.WechatLoginTokenRespDto, timeout)
