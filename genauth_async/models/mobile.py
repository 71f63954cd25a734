"""Sign-in with the credentials of a social provider's mobile SDK."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field

MobileConnection = Literal[
    "apple",
    "wechat",
    "alipay",
    "wechatwork",
    "wechatwork_agency",
    "lark_internal",
    "lark_public",
    "lark_block",
    "yidun",
    "wechat_mini_program_code",
    "wechat_mini_program_phone",
    "wechat_mini_program_code_and_phone",
    "google",
    "facebook",
    "qq",
    "weibo",
    "baidu",
    "linkedin",
    "dingtalk",
    "github",
    "gitee",
    "gitlab",
    "douyin",
    "kuaishou",
    "xiaomi",
    "line",
    "slack",
    "oppo",
    "huawei",
    "amazon",
    "douyin_mini_program_code",
    "douyin_mini_program_code_and_phone",
]


@dto
class SignInByWechatPayloadDto(Dto):
    """Sign-in with WeChat: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByApplePayloadDto(Dto):
    """Sign-in with Apple: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByAlipayPayloadDto(Dto):
    """Sign-in with Alipay: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByWechatworkDto(Dto):
    """Sign-in with WeCom: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByWechatworkAgencyPayloadDto(Dto):
    """Sign-in with WeCom through an agency: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByLarkPublicPayloadDto(Dto):
    """Sign-in with a Lark application of the store: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByLarkInternalPayloadDto(Dto):
    """Sign-in with a Lark application of one organisation: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByLarkBlockPayloadDto(Dto):
    """Sign-in with Lark, inside a block: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)


@dto
class SignInByYidunPayloadDto(Dto):
    """Sign-in with NetEase Yidun: the credentials of its mobile SDK."""

    token: str | None = wire_field(default=None, secret=True)
    access_token: str | None = wire_field(default=None, secret=True)


@dto
class SignInByWechatMiniProgramCodePayloadDto(Dto):
    """Sign-in with a WeChat mini program, by the code of wx.login."""

    code: str = wire_field(secret=True)
    encrypted_data: str | None = wire_field(default=None, secret=True)
    iv: str | None = None


@dto
class SignInByWechatMiniProgramPhonePayloadDto(Dto):
    """Sign-in with a WeChat mini program, by the user's phone number."""

    encrypted_data: str = wire_field(secret=True)
    iv: str
    code: str = wire_field(secret=True)


@dto
class SignInByWechatMiniProgramPhoneInfoPayloadDto(Dto):
    """The code with which WeChat gives the user's phone number."""

    code: str = wire_field(secret=True)


@dto
class SignInByWechatMiniProgramCodeAndPhonePayloadDto(Dto):
    """Sign-in with a WeChat mini program, by its code and the user's phone number."""

    wx_login_info: SignInByWechatMiniProgramCodePayloadDto
    wx_phone_info: SignInByWechatMiniProgramPhoneInfoPayloadDto


@dto
class SignInByDouyinMiniProgramCodePayloadDto(Dto):
    """Sign-in with a Douyin mini program, by the code of tt.login."""

    code: str = wire_field(secret=True)
    encrypted_data: str | None = wire_field(default=None, secret=True)
    iv: str | None = None


@dto
class SignInByDouyinMiniProgramPhoneInfoPayloadDto(Dto):
    """The user's phone number, as Douyin encrypted it."""

    iv: str | None = None
    encrypted_data: str | None = wire_field(default=None, secret=True)


@dto
class SignInByDouyinMiniProgramCodeAndPhonePayloadDto(Dto):
    """Sign-in with a Douyin mini program, by its code and the user's phone number."""

    login_params: SignInByDouyinMiniProgramCodePayloadDto
    phone_params: SignInByDouyinMiniProgramPhoneInfoPayloadDto


@dto
class SignInByGooglePayloadDto(Dto):
    """Sign-in with Google: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByFacebookPayloadDto(Dto):
    """Sign-in with Facebook: the credentials of its mobile SDK."""

    access_token: str = wire_field(wire="access_token", secret=True)


@dto
class SignInByQQPayloadDto(Dto):
    """Sign-in with QQ: the credentials of its mobile SDK."""

    access_token: str = wire_field(wire="access_token", secret=True)


@dto
class SignInByWeiboPayloadDto(Dto):
    """Sign-in with Weibo: the credentials of its mobile SDK."""

    access_token: str = wire_field(wire="access_token", secret=True)


@dto
class SignInByBaiduPayloadDto(Dto):
    """Sign-in with Baidu: the credentials of its mobile SDK."""

    code: str | None = wire_field(default=None, secret=True)
    access_token: str | None = wire_field(default=None, wire="access_token", secret=True)


@dto
class SignInByLinkedInPayloadDto(Dto):
    """Sign-in with LinkedIn: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByDingTalkPayloadDto(Dto):
    """Sign-in with DingTalk: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)
    is_sns_code: bool | None = None


@dto
class SignInByGithubPayloadDto(Dto):
    """Sign-in with GitHub: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByGiteePayloadDto(Dto):
    """Sign-in with Gitee: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByGitlabPayloadDto(Dto):
    """Sign-in with GitLab: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByDouyinPayloadDto(Dto):
    """Sign-in with Douyin: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByKuaishouPayloadDto(Dto):
    """Sign-in with Kuaishou: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByXiaomiPayloadDto(Dto):
    """Sign-in with Xiaomi: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByLinePayloadDto(Dto):
    """Sign-in with LINE: the credentials of its mobile SDK."""

    wire_case = "snake"

    access_token: str = wire_field(secret=True)
    id_token: str | None = wire_field(default=None, secret=True)


@dto
class SignInBySlackPayloadDto(Dto):
    """Sign-in with Slack: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByOPPOPayloadDto(Dto):
    """Sign-in with OPPO: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByHuaweiPayloadDto(Dto):
    """Sign-in with Huawei: the credentials of its mobile SDK."""

    code: str = wire_field(secret=True)


@dto
class SignInByAmazonPayloadDto(Dto):
    """Sign-in with Amazon: the credentials of its mobile SDK."""

    access_token: str = wire_field(wire="access_token", secret=True)


@dto
class SignInByMobileOptionsDto(Dto):
    """Sign-in options."""

    scope: str | None = None
    context: object = None
    tenant_id: str | None = None
    custom_data: object = None


@dto
class SigninByMobileDto(Dto):
    """The body of POST /api/v3/signin-by-mobile."""

    ext_idp_connidentifier: str
    connection: MobileConnection | str
    wechat_payload: SignInByWechatPayloadDto | None = None
    apple_payload: SignInByApplePayloadDto | None = None
    alipay_payload: SignInByAlipayPayloadDto | None = None
    wechatwork_payload: SignInByWechatworkDto | None = None
    wechatwork_agency_payload: SignInByWechatworkAgencyPayloadDto | None = None
    lark_public_payload: SignInByLarkPublicPayloadDto | None = None
    lark_internal_payload: SignInByLarkInternalPayloadDto | None = None
    lark_block_payload: SignInByLarkBlockPayloadDto | None = None
    yidun_payload: SignInByYidunPayloadDto | None = None
    wechat_mini_program_code_payload: SignInByWechatMiniProgramCodePayloadDto | None = None
    wechat_mini_program_phone_payload: SignInByWechatMiniProgramPhonePayloadDto | None = None
    wechat_mini_program_code_and_phone_payload: SignInByWechatMiniProgramCodeAndPhonePayloadDto | None = None
    douyin_mini_program_code_payload: SignInByDouyinMiniProgramCodePayloadDto | None = None
    douyin_mini_program_code_and_phone_payload: SignInByDouyinMiniProgramCodeAndPhonePayloadDto | None = None
    google_payload: SignInByGooglePayloadDto | None = None
    facebook_payload: SignInByFacebookPayloadDto | None = None
    qq_payload: SignInByQQPayloadDto | None = None
    weibo_payload: SignInByWeiboPayloadDto | None = None
    baidu_payload: SignInByBaiduPayloadDto | None = None
    linked_in_payload: SignInByLinkedInPayloadDto | None = None
    ding_talk_payload: SignInByDingTalkPayloadDto | None = None
    github_payload: SignInByGithubPayloadDto | None = None
    gitee_payload: SignInByGiteePayloadDto | None = None
    gitlab_payload: SignInByGitlabPayloadDto | None = None
    douyin_payload: SignInByDouyinPayloadDto | None = None
    kuaishou_payload: SignInByKuaishouPayloadDto | None = None
    xiaomi_payload: SignInByXiaomiPayloadDto | None = None
    line_payload: SignInByLinePayloadDto | None = None
    slack_payload: SignInBySlackPayloadDto | None = None
    oppo_payload: SignInByOPPOPayloadDto | None = None
    huawei_payload: SignInByHuaweiPayloadDto | None = None
    amazon_payload: SignInByAmazonPayloadDto | None = None
    options: SignInByMobileOptionsDto | None = None
    client_id: str | None = wire_field(default=None, wire="client_id")
    client_secret: str | None = wire_field(default=None, wire="client_secret", secret=True)


@dto
class AlipayAuthInfoDataDto(Dto):
    """The signed text that the Alipay SDK takes."""

    auth_info: str


@dto
class GetAlipayAuthInfoRespDto(Envelope):
    """The answer to get_alipay_auth_info."""

    data: AlipayAuthInfoDataDto
