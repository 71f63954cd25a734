"""Public accounts, to which several users may switch."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto

UserType = Literal["1", "2"]


@dto
class SignInBySwitchOptionsDto(Dto):
    """Sign-in options."""

    scope: str | None = None
    context: object = None
    custom_data: object = None


@dto
class PublicAccountSwitchLoginDto(Dto):
    """The body of POST /api/v3/switch-login-by-user."""

    target_user_id: str
    options: SignInBySwitchOptionsDto | None = None


@dto
class ListPublicAccountDataDto(Dto):
    """A public account that the user may switch to."""

    user_id: str
    avatar: str | None = None
    display_name: str | None = None
    usertype: UserType | str | None = None


@dto
class GetUserSelectLoginPublicAccountsOriginUserDto(Dto):
    """The user before switching."""

    user_id: str
    avatar: str | None = None
    display_name: str | None = None
    usertype: UserType | str | None = None


@dto
class GetUserSelectLoginPublicAccountsDataDto(Dto):
    """Public accounts, and whose they are."""

    public_accounts: list[ListPublicAccountDataDto]
    origin_user: GetUserSelectLoginPublicAccountsOriginUserDto | None = None


@dto
class GetPublicAccountDataRespDto(Envelope):
    """The answer to list_public_accounts_for_switch_logged_in."""

    data: list[GetUserSelectLoginPublicAccountsDataDto]
