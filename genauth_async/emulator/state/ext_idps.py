"""External identity providers, such as GitHub, through whose accounts users could sign in."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from threading import Lock
from typing import Literal, get_args

from attrs import field, frozen, validators

from .users import User

Provider = Literal[
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
LINK_PATH = "/api/v3/link-extidp"
_PROTOCOLS = frozenset({"oidc", "oauth2", "saml", "ldap", "ad", "cas", "azure-ad"})


@frozen(eq=False, kw_only=True)
class ExtIdp:
    """A connection to an external identity provider.

    Attributes:
        identifier: what it is called by in links.
        ext_idp_id: the provider, which several connections may share.
        connection_id: the connection.
        app_ids: the applications that have it enabled; None for all.
    """

    identifier: str
    ext_idp_id: str
    connection_id: str
    type: Provider = field(validator=validators.in_(get_args(Provider)))
    name: str
    app_ids: frozenset[str] | None

    @property
    def kind(self) -> Literal["social", "enterprise"]:
        """Enterprise where the type is a protocol for directories and single sign-on."""
        return "enterprise" if self.type in _PROTOCOLS else "social"


class ExtIdps:
    """The connections that are configured."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_identifier: dict[str, ExtIdp] = {}

    def add(
        self,
        identifier: str,
        *,
        type: Provider,
        name: str | None = None,
        ext_idp_id: str | None = None,
        app_ids: Collection[str] | None = None,
    ) -> ExtIdp:
        """A new connection.

        Args:
            identifier: what it is called by in links.
            type: the kind of provider.
            name: what users see.
            ext_idp_id: the provider of another connection, for a further one to the same.
            app_ids: the applications that have it enabled; None for all.

        Raises:
            ValueError: there is a connection of this identifier already, or no such type.
        """
        ext_idp = ExtIdp(
            identifier=identifier,
            ext_idp_id=ext_idp_id or secrets.token_hex(12),
            connection_id=secrets.token_hex(12),
            type=type,
            name=name or identifier,
            app_ids=None if app_ids is None else frozenset(app_ids),
        )
        with self._lock:
            if identifier in self._by_identifier:
                raise ValueError(f"there is a connection {identifier} already")
            self._by_identifier[identifier] = ext_idp
        return ext_idp

    def link(self, user: User, ext_idp: ExtIdp, user_id_in_idp: str, *, type: str = "user_id") -> None:
        """Note that the user has an account there, as if they had signed in through the connection.

        Args:
            user: whose account it is.
            ext_idp: the connection.
            user_id_in_idp: the account's id.
            type: what kind of id this is, where the provider has several, such as "openid" and "unionid".
        """
        if not isinstance(ext_idp, ExtIdp):
            raise TypeError(f"ext_idp is what add gave, not {ext_idp.__class__.__name__}")
        user.identities.append(
            {
                "identityId": secrets.token_hex(12),
                "extIdpId": ext_idp.ext_idp_id,
                "provider": ext_idp.type,
                "type": type,
                "userIdInIdp": user_id_in_idp,
                "userInfoInIdp": {},
                "originConnIds": [ext_idp.connection_id],
            }
        )

    def __len__(self) -> int:
        return len(self._by_identifier)

    def enabled_in(self, app_id: str) -> list[ExtIdp]:
        """The connections that an application offers."""
        with self._lock:
            return [each for each in self._by_identifier.values() if each.app_ids is None or app_id in each.app_ids]
