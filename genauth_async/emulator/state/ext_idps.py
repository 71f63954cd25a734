"""Connections to external identity providers, such as GitHub."""

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
        identifier: its name in links.
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
        """The kind: enterprise if the type is a protocol for directories or single sign-on."""
        return "enterprise" if self.type in _PROTOCOLS else "social"


class ExtIdps:
    """All configured connections."""

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
        """Add a connection.

        Args:
            identifier: its name in links.
            type: the kind of provider.
            name: the name that users see.
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
        """Give a user an identity, as if they had signed in through the connection.

        Args:
            user: the owner of the identity.
            ext_idp: the connection.
            user_id_in_idp: the id of the user there.
            type: the kind of id, where the provider has several, such as "openid" and "unionid".
        """
        if not isinstance(ext_idp, ExtIdp):
            raise TypeError(f"ext_idp must be an ExtIdp from add(), not {ext_idp.__class__.__name__}")
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
        """List the connections that an application offers."""
        with self._lock:
            return [each for each in self._by_identifier.values() if each.app_ids is None or app_id in each.app_ids]
