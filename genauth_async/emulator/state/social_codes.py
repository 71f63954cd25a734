"""Codes and access tokens of social networks and other identity providers."""

from __future__ import annotations

from threading import Lock

from attrs import frozen

from .errors import ApiError
from .users import User

_CODE = ("code",)
_ACCESS_TOKEN = ("access_token",)


@frozen
class Connection:
    """The place of a connection's proof in a request: the member, and the names in it."""

    payload: str
    proofs: tuple[str, ...] = _CODE
    inner: str | None = None


CONNECTIONS = {
    "apple": Connection("applePayload"),
    "wechat": Connection("wechatPayload"),
    "alipay": Connection("alipayPayload"),
    "wechatwork": Connection("wechatworkPayload"),
    "wechatwork_agency": Connection("wechatworkAgencyPayload"),
    "lark_internal": Connection("larkInternalPayload"),
    "lark_public": Connection("larkPublicPayload"),
    "lark_block": Connection("larkBlockPayload"),
    "yidun": Connection("yidunPayload", ("token",)),
    "wechat_mini_program_code": Connection("wechatMiniProgramCodePayload"),
    "wechat_mini_program_phone": Connection("wechatMiniProgramPhonePayload"),
    "wechat_mini_program_code_and_phone": Connection("wechatMiniProgramCodeAndPhonePayload", inner="wxLoginInfo"),
    "google": Connection("googlePayload"),
    "facebook": Connection("facebookPayload", _ACCESS_TOKEN),
    "qq": Connection("qqPayload", _ACCESS_TOKEN),
    "weibo": Connection("weiboPayload", _ACCESS_TOKEN),
    "baidu": Connection("baiduPayload", ("code", "access_token")),
    "linkedin": Connection("linkedInPayload"),
    "dingtalk": Connection("dingTalkPayload"),
    "github": Connection("githubPayload"),
    "gitee": Connection("giteePayload"),
    "gitlab": Connection("gitlabPayload"),
    "douyin": Connection("douyinPayload"),
    "kuaishou": Connection("kuaishouPayload"),
    "xiaomi": Connection("xiaomiPayload"),
    "line": Connection("linePayload", _ACCESS_TOKEN),
    "slack": Connection("slackPayload"),
    "oppo": Connection("oppoPayload"),
    "huawei": Connection("huaweiPayload"),
    "amazon": Connection("amazonPayload", _ACCESS_TOKEN),
    "douyin_mini_program_code": Connection("douyinMiniProgramCodePayload"),
    "douyin_mini_program_code_and_phone": Connection("douyinMiniProgramCodeAndPhonePayload", inner="loginParams"),
}


class SocialCodes:
    """The users of codes and access tokens, as the identity providers would confirm them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users: dict[tuple[str, str], User] = {}

    def add(self, connection: str, code: str, user: User) -> None:
        """Register a code of a user, valid once; an access token, where the connection takes one, is valid repeatedly.

        Raises:
            ValueError: there is no such connection.
        """
        if connection not in CONNECTIONS:
            raise ValueError(f"connection must be one of {', '.join(CONNECTIONS)}, not {connection!r}")
        with self._lock:
            self._users[connection, code] = user

    def redeem(self, connection: str, name: str, value: str) -> User:
        """Return the user of a proof, given in the member `name`; a code is used up."""
        proof = (connection, value)
        with self._lock:
            user = self._users.pop(proof, None) if name == "code" else self._users.get(proof)
        if user is None:
            raise ApiError(400, f"{connection} does not know this {name.replace('_', ' ')}")
        return user
