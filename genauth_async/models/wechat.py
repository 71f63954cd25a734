"""Sign-in with WeChat on mobile, step by step."""

from __future__ import annotations

from ._base import Dto
from ._fields import dto, wire_field
from .signin import SignInOptionsDto


@dto
class WechatMobileAuthByCodeIdentityInput(Dto):
    """The body of POST /api/v2/ecConn/wechatMobile/authByCodeIdentity."""

    code: str = wire_field(secret=True)
    app_id: str | None = None
    conn_id: str | None = None
    options: SignInOptionsDto | None = None


@dto
class BindByRegiserInputApi(Dto):
    """The body of POST /api/v2/ecConn/wechatMobile/register."""

    key: str = wire_field(secret=True)
    action: str


@dto
class WechatLoginTokenRespDto(Dto):
    """The answer to the steps that sign in with WeChat on mobile: the tokens of a signed-in user.

    Attributes:
        expires_in: the access token's life in seconds. The documents call it expire_in; both are read.
    """

    wire_case = "snake"

    scope: str | None = None
    access_token: str | None = wire_field(default=None, secret=True)
    id_token: str | None = wire_field(default=None, secret=True)
    refresh_token: str | None = wire_field(default=None, secret=True)
    token_type: str | None = None
    expires_in: int | None = wire_field(default=None, wire="expire_in", aliases=("expires_in",))


@dto
class BindByEmailCodeInputApi(Dto):
    """The body of POST /api/v2/ecConn/wechatMobile/byEmailCode."""

    key: str = wire_field(secret=True)
    action: str
    code: str = wire_field(secret=True)
    email: str


@dto
class BindByPhoneCodeInputApi(Dto):
    """The body of POST /api/v2/ecConn/wechatMobile/byPhoneCode."""

    key: str = wire_field(secret=True)
    action: str
    code: str = wire_field(secret=True)
    phone: str
    phone_country_code: str | None = None


@dto
class BindByAccountInputApi(Dto):
    """The body of POST /api/v2/ecConn/wechatMobile/byAccount."""

    key: str = wire_field(secret=True)
    action: str
    password: str = wire_field(secret=True)
    account: str


@dto
class BindByAccountsInputApi(Dto):
    """The body of POST /api/v2/ecConn/wechatMobile/select."""

    key: str = wire_field(secret=True)
    action: str
    account: str


@dto
class BindByAccountIdInputApi(Dto):
    """The body of POST /api/v2/ecConn/wechatMobile/byAccountId."""

    key: str = wire_field(secret=True)
    action: str
    account_id: str
