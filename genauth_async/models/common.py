"""Models of several areas."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field

IdentityProvider = Literal[
    "oidc",
    "oauth2",
    "saml",
    "ldap",
    "ad",
    "cas",
    "azure-ad",
    "wechat",
    "google",
    "qq",
    "wechatwork",
    "dingtalk",
    "weibo",
    "github",
    "alipay",
    "apple",
    "baidu",
    "lark",
    "gitlab",
    "twitter",
    "facebook",
    "slack",
    "linkedin",
    "yidun",
    "qingcloud",
    "gitee",
    "instagram",
    "welink",
    "huawei",
    "honor",
    "xiaomi",
    "oppo",
    "aws",
    "amazon",
    "douyin",
    "kuaishou",
    "line",
    "sdbz",
    "zjzwfw",
    "zzding",
    "seeyona8v5",
]


@dto
class CommonResponseDto(Envelope):
    """The answer to a call that reports nothing but its success."""


@dto
class IsSuccessDto(Dto):
    """Success of a call."""

    success: bool


@dto
class IsSuccessRespDto(Envelope):
    """The answer to a call that reports its success."""

    data: IsSuccessDto


@dto
class LangUnit(Dto):
    """A text in one language, and whether it is in use."""

    enabled: bool | None = None
    value: str | None = None


@dto
class LangObject(Dto):
    """A text in four languages."""

    zh_cn: LangUnit | None = wire_field(default=None, wire="zh-CN")
    en_us: LangUnit | None = wire_field(default=None, wire="en-US")
    zh_tw: LangUnit | None = wire_field(default=None, wire="zh-TW")
    ja_jp: LangUnit | None = wire_field(default=None, wire="ja-JP")


@dto
class UntypedRespDto(Envelope):
    """An answer of undocumented content: `data` is as it came, other members are in `extra`."""

    status_code: int = wire_field(default=200, aliases=("code",))
    data: object = None
