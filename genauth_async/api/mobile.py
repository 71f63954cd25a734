"""Sign-in with the credentials of a social provider's mobile SDK."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import require_str
from .._wire.converter import argument
from .._wire.request import get, post
from ..errors import ConfigurationError
from ..settings import Timeout
from ._base import Api


class MobileSignIn(Api):
    """Sign users in with the credentials of a social provider's mobile SDK.

    Common parameters:
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        ConfigurationError: an argument is not valid.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def sign_in_by_mobile(
        self,
        ext_idp_connidentifier: str,
        connection: models.MobileConnection | str,
        wechat_payload: models.SignInByWechatPayloadDto | Mapping[str, object] | None = None,
        apple_payload: models.SignInByApplePayloadDto | Mapping[str, object] | None = None,
        alipay_payload: models.SignInByAlipayPayloadDto | Mapping[str, object] | None = None,
        wechatwork_payload: models.SignInByWechatworkDto | Mapping[str, object] | None = None,
        wechatwork_agency_payload: models.SignInByWechatworkAgencyPayloadDto | Mapping[str, object] | None = None,
        lark_public_payload: models.SignInByLarkPublicPayloadDto | Mapping[str, object] | None = None,
        lark_internal_payload: models.SignInByLarkInternalPayloadDto | Mapping[str, object] | None = None,
        lark_block_payload: models.SignInByLarkBlockPayloadDto | Mapping[str, object] | None = None,
        yidun_payload: models.SignInByYidunPayloadDto | Mapping[str, object] | None = None,
        wechat_mini_program_code_payload: models.SignInByWechatMiniProgramCodePayloadDto
        | Mapping[str, object]
        | None = None,
        wechat_mini_program_phone_payload: models.SignInByWechatMiniProgramPhonePayloadDto
        | Mapping[str, object]
        | None = None,
        wechat_mini_program_code_and_phone_payload: models.SignInByWechatMiniProgramCodeAndPhonePayloadDto
        | Mapping[str, object]
        | None = None,
        google_payload: models.SignInByGooglePayloadDto | Mapping[str, object] | None = None,
        facebook_payload: models.SignInByFacebookPayloadDto | Mapping[str, object] | None = None,
        qq_payload: models.SignInByQQPayloadDto | Mapping[str, object] | None = None,
        weibo_payload: models.SignInByWeiboPayloadDto | Mapping[str, object] | None = None,
        baidu_payload: models.SignInByBaiduPayloadDto | Mapping[str, object] | None = None,
        linked_in_payload: models.SignInByLinkedInPayloadDto | Mapping[str, object] | None = None,
        ding_talk_payload: models.SignInByDingTalkPayloadDto | Mapping[str, object] | None = None,
        github_payload: models.SignInByGithubPayloadDto | Mapping[str, object] | None = None,
        gitee_payload: models.SignInByGiteePayloadDto | Mapping[str, object] | None = None,
        gitlab_payload: models.SignInByGitlabPayloadDto | Mapping[str, object] | None = None,
        douyin_payload: models.SignInByDouyinPayloadDto | Mapping[str, object] | None = None,
        kuaishou_payload: models.SignInByKuaishouPayloadDto | Mapping[str, object] | None = None,
        xiaomi_payload: models.SignInByXiaomiPayloadDto | Mapping[str, object] | None = None,
        line_payload: models.SignInByLinePayloadDto | Mapping[str, object] | None = None,
        slack_payload: models.SignInBySlackPayloadDto | Mapping[str, object] | None = None,
        oppo_payload: models.SignInByOPPOPayloadDto | Mapping[str, object] | None = None,
        huawei_payload: models.SignInByHuaweiPayloadDto | Mapping[str, object] | None = None,
        amazon_payload: models.SignInByAmazonPayloadDto | Mapping[str, object] | None = None,
        options: models.SignInByMobileOptionsDto | Mapping[str, object] | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        douyin_mini_program_code_payload: models.SignInByDouyinMiniProgramCodePayloadDto
        | Mapping[str, object]
        | None = None,
        douyin_mini_program_code_and_phone_payload: models.SignInByDouyinMiniProgramCodeAndPhonePayloadDto
        | Mapping[str, object]
        | None = None,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in with the credentials of a social provider's mobile SDK (POST /api/v3/signin-by-mobile).

        The payload that belongs to the connection is needed.

        Args:
            ext_idp_connidentifier: the identifier of the provider's connection in the console.
            connection: the kind of provider, such as wechat or apple.
            wechat_payload: for wechat.
            apple_payload: for apple.
            alipay_payload: for alipay.
            wechatwork_payload: for wechatwork.
            wechatwork_agency_payload: for wechatwork_agency.
            lark_public_payload: for lark_public.
            lark_internal_payload: for lark_internal.
            lark_block_payload: for lark_block.
            yidun_payload: for yidun.
            wechat_mini_program_code_payload: for wechat_mini_program_code.
            wechat_mini_program_phone_payload: for wechat_mini_program_phone.
            wechat_mini_program_code_and_phone_payload: for wechat_mini_program_code_and_phone.
            google_payload: for google.
            facebook_payload: for facebook.
            qq_payload: for qq.
            weibo_payload: for weibo.
            baidu_payload: for baidu.
            linked_in_payload: for linkedin.
            ding_talk_payload: for dingtalk.
            github_payload: for github.
            gitee_payload: for gitee.
            gitlab_payload: for gitlab.
            douyin_payload: for douyin.
            kuaishou_payload: for kuaishou.
            xiaomi_payload: for xiaomi.
            line_payload: for line.
            slack_payload: for slack.
            oppo_payload: for oppo.
            huawei_payload: for huawei.
            amazon_payload: for amazon.
            options: a SignInByMobileOptionsDto, or a mapping with its wire names.
            client_id: sent in the body, with client_secret, instead of the client's own proof.
            client_secret: belongs to client_id.
            douyin_mini_program_code_payload: for douyin_mini_program_code.
            douyin_mini_program_code_and_phone_payload: for douyin_mini_program_code_and_phone.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
        """
        sent = models.SigninByMobileDto(
            ext_idp_connidentifier=ext_idp_connidentifier,
            connection=connection,
            wechat_payload=argument(wechat_payload, models.SignInByWechatPayloadDto, "wechat_payload"),
            apple_payload=argument(apple_payload, models.SignInByApplePayloadDto, "apple_payload"),
            alipay_payload=argument(alipay_payload, models.SignInByAlipayPayloadDto, "alipay_payload"),
            wechatwork_payload=argument(wechatwork_payload, models.SignInByWechatworkDto, "wechatwork_payload"),
            wechatwork_agency_payload=argument(
                wechatwork_agency_payload, models.SignInByWechatworkAgencyPayloadDto, "wechatwork_agency_payload"
            ),
            lark_public_payload=argument(
                lark_public_payload, models.SignInByLarkPublicPayloadDto, "lark_public_payload"
            ),
            lark_internal_payload=argument(
                lark_internal_payload, models.SignInByLarkInternalPayloadDto, "lark_internal_payload"
            ),
            lark_block_payload=argument(lark_block_payload, models.SignInByLarkBlockPayloadDto, "lark_block_payload"),
            yidun_payload=argument(yidun_payload, models.SignInByYidunPayloadDto, "yidun_payload"),
            wechat_mini_program_code_payload=argument(
                wechat_mini_program_code_payload,
                models.SignInByWechatMiniProgramCodePayloadDto,
                "wechat_mini_program_code_payload",
            ),
            wechat_mini_program_phone_payload=argument(
                wechat_mini_program_phone_payload,
                models.SignInByWechatMiniProgramPhonePayloadDto,
                "wechat_mini_program_phone_payload",
            ),
            wechat_mini_program_code_and_phone_payload=argument(
                wechat_mini_program_code_and_phone_payload,
                models.SignInByWechatMiniProgramCodeAndPhonePayloadDto,
                "wechat_mini_program_code_and_phone_payload",
            ),
            google_payload=argument(google_payload, models.SignInByGooglePayloadDto, "google_payload"),
            facebook_payload=argument(facebook_payload, models.SignInByFacebookPayloadDto, "facebook_payload"),
            qq_payload=argument(qq_payload, models.SignInByQQPayloadDto, "qq_payload"),
            weibo_payload=argument(weibo_payload, models.SignInByWeiboPayloadDto, "weibo_payload"),
            baidu_payload=argument(baidu_payload, models.SignInByBaiduPayloadDto, "baidu_payload"),
            linked_in_payload=argument(linked_in_payload, models.SignInByLinkedInPayloadDto, "linked_in_payload"),
            ding_talk_payload=argument(ding_talk_payload, models.SignInByDingTalkPayloadDto, "ding_talk_payload"),
            github_payload=argument(github_payload, models.SignInByGithubPayloadDto, "github_payload"),
            gitee_payload=argument(gitee_payload, models.SignInByGiteePayloadDto, "gitee_payload"),
            gitlab_payload=argument(gitlab_payload, models.SignInByGitlabPayloadDto, "gitlab_payload"),
            douyin_payload=argument(douyin_payload, models.SignInByDouyinPayloadDto, "douyin_payload"),
            kuaishou_payload=argument(kuaishou_payload, models.SignInByKuaishouPayloadDto, "kuaishou_payload"),
            xiaomi_payload=argument(xiaomi_payload, models.SignInByXiaomiPayloadDto, "xiaomi_payload"),
            line_payload=argument(line_payload, models.SignInByLinePayloadDto, "line_payload"),
            slack_payload=argument(slack_payload, models.SignInBySlackPayloadDto, "slack_payload"),
            oppo_payload=argument(oppo_payload, models.SignInByOPPOPayloadDto, "oppo_payload"),
            huawei_payload=argument(huawei_payload, models.SignInByHuaweiPayloadDto, "huawei_payload"),
            amazon_payload=argument(amazon_payload, models.SignInByAmazonPayloadDto, "amazon_payload"),
            options=argument(options, models.SignInByMobileOptionsDto, "options"),
            client_id=client_id,
            client_secret=client_secret,
            douyin_mini_program_code_payload=argument(
                douyin_mini_program_code_payload,
                models.SignInByDouyinMiniProgramCodePayloadDto,
                "douyin_mini_program_code_payload",
            ),
            douyin_mini_program_code_and_phone_payload=argument(
                douyin_mini_program_code_and_phone_payload,
                models.SignInByDouyinMiniProgramCodeAndPhonePayloadDto,
                "douyin_mini_program_code_and_phone_payload",
            ),
        )
        if not any(name.endswith("Payload") for name in sent.to_dict()):
            raise ConfigurationError("connection", "needs the payload that belongs to it, such as wechat_payload")
        request = post("api", "v3", "signin-by-mobile", body=sent, client_auth="token")
        return await self._call(request, models.LoginTokenRespDto, timeout)

    async def get_alipay_auth_info(
        self,
        ext_idp_connidentifier: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetAlipayAuthInfoRespDto:
        """Create the signed text with which the Alipay SDK begins (GET /api/v3/get-alipay-authinfo).

        Args:
            ext_idp_connidentifier: the identifier of the provider's connection in the console.
        """
        request = get(
            "api",
            "v3",
            "get-alipay-authinfo",
            extIdpConnidentifier=require_str("ext_idp_connidentifier", ext_idp_connidentifier),
        )
        return await self._call(request, models.GetAlipayAuthInfoRespDto, timeout)
