"""Sign-in by a push message to the user's app."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto
from .signin import LoginTokenResponseDataDto

PushCodeAction = Literal["CONFIRM", "CANCEL"]
PushCodeStatus = Literal["PUSHED", "AUTHORIZED", "CANCELLED", "EXPIRED", "ERROR"]


@dto
class SignInByPushOptionsDto(Dto):
    """Sign-in options."""

    scope: str | None = None
    context: str | None = None
    custom_data: object = None


@dto
class SignInByPushDto(Dto):
    """The body of POST /api/v3/signin-by-push."""

    account: str
    options: SignInByPushOptionsDto | None = None


@dto
class GenePushCodeDataDto(Dto):
    """A push message that was sent.

    Attributes:
        push_code_id: names it in the calls that follow.
        expire_time: when it becomes void.
    """

    push_code_id: str
    expire_time: int | None = None


@dto
class GenePushCodeRespDto(Envelope):
    """The answer to sign_in_by_push."""

    data: GenePushCodeDataDto


@dto
class CheckPushCodeStatusDataDto(Dto):
    """Status of a push message.

    Attributes:
        status: PUSHED, AUTHORIZED, CANCELLED, EXPIRED or ERROR.
        token_set: the user's tokens, once AUTHORIZED.
    """

    status: PushCodeStatus | str
    token_set: LoginTokenResponseDataDto | None = None


@dto
class CheckPushCodeStatusRespDto(Envelope):
    """The answer to check_push_code_status."""

    data: CheckPushCodeStatusDataDto


@dto
class ChangePushCodeStatusDto(Dto):
    """The body of POST /api/v3/change-pushcode-status and POST /api/v3/set-pushcode-status."""

    push_code_id: str
    action: PushCodeAction | str


@dto
class GetPushCodeRelationAppsDto(Dto):
    """The body of POST /api/v3/get-pushlogin-relation-apps."""

    app_id: str
    push_code_id: str


@dto
class GetPushCodeRelationAppsDataDto(Dto):
    """Applications that take part in sign-in by push."""

    app_ids: list[str] | None = None


@dto
class GetPushCodeRelationAppsRespDto(Envelope):
    """The answer to get_push_login_relation_apps."""

    data: GetPushCodeRelationAppsDataDto
