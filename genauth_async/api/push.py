"""Sign-in by a push message to the user's app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .. import models
from .._arguments.text import needed
from .._wire.converter import argument
from .._wire.request import Repeat, get, post
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._polling import DEFAULT_INTERVAL, DEFAULT_WAIT, Polling

_FINAL: Final = frozenset({"AUTHORIZED", "CANCELLED", "EXPIRED", "ERROR"})


class Push(Api):
    """Signs users in by a push message to their app."""

    async def sign_in_by_push(
        self,
        account: str,
        options: models.SignInByPushOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.GenePushCodeRespDto:
        """Sends a push message to the user's app, to confirm a sign-in (POST /api/v3/signin-by-push).

        Watch it with `poll_push_code`.

        Args:
            account: the user name, email address or phone number.
            options: a SignInByPushOptionsDto, or a mapping with its wire names.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
            ConfigurationError: an argument cannot be right.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. It may have been done.
        """
        sent = models.SignInByPushDto(
            account=account, options=argument(options, models.SignInByPushOptionsDto, "options")
        )
        request = post("api", "v3", "signin-by-push", body=sent)
        return await self._call(request, models.GenePushCodeRespDto, timeout)

    async def check_push_code_status(
        self,
        push_code_id: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.CheckPushCodeStatusRespDto:
        """Asks how a push message stands (GET /api/v3/check-pushcode-status).

        Args:
            push_code_id: names the push message.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument cannot be right.
            GenAuthAPIError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = get("api", "v3", "check-pushcode-status", pushCodeId=needed("push_code_id", push_code_id))
        return await self._call(request, models.CheckPushCodeStatusRespDto, timeout)

    async def change_push_code_status(
        self,
        action: models.PushCodeAction | str,
        push_code_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Tells that the user's app has confirmed or cancelled a sign-in (POST /api/v3/change-pushcode-status).

        For the app's side.

        Args:
            action: CONFIRM or CANCEL.
            push_code_id: names the push message.
            access_token: the user's who got the message; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token, or an argument cannot be right.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. It may have been done.
        """
        sent = models.ChangePushCodeStatusDto(action=action, push_code_id=push_code_id)
        request = post("api", "v3", "change-pushcode-status", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def get_push_login_relation_apps(
        self,
        app_id: str,
        push_code_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetPushCodeRelationAppsRespDto:
        """Lists the applications that take part in sign-in by push (POST /api/v3/get-pushlogin-relation-apps).

        Args:
            app_id: the application's id.
            push_code_id: names the push message.
            access_token: the user's, if this is done on a user's behalf; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument cannot be right.
            GenAuthAPIError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        sent = models.GetPushCodeRelationAppsDto(app_id=app_id, push_code_id=push_code_id)
        request = post("api", "v3", "get-pushlogin-relation-apps", body=sent, repeat=Repeat.SAFE)
        return await self._call_maybe_as_user(request, models.GetPushCodeRelationAppsRespDto, access_token, timeout)

    async def set_push_code_status(
        self,
        push_code_id: str,
        action: models.PushCodeAction | str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Tells that the user's app has confirmed or cancelled a sign-in (POST /api/v3/set-pushcode-status).

        As change_push_code_status, and says whether it was done.

        Args:
            push_code_id: names the push message.
            action: CONFIRM or CANCEL.
            access_token: the user's who got the message; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token, or an argument cannot be right.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. It may have been done.
        """
        sent = models.ChangePushCodeStatusDto(push_code_id=push_code_id, action=action)
        request = post("api", "v3", "set-pushcode-status", body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)

    def poll_push_code(
        self,
        push_code_id: str,
        *,
        interval: float = DEFAULT_INTERVAL,
        wait: float = DEFAULT_WAIT,
        timeout: Timeout | None = None,
    ) -> Stream[models.CheckPushCodeStatusDataDto]:
        """Watches a push message: gives each state that it goes through, up to a final one
        (AUTHORIZED, CANCELLED, EXPIRED or ERROR).

        Once AUTHORIZED, its token_set has the tokens.

        Args:
            push_code_id: names the push message.
            interval: seconds between two questions. When the server says that these are too many, it grows by 5.
            wait: seconds in total.
            timeout: seconds for each question, or an httpx.Timeout; the client's when None.

        Raises:
            WaitTimeoutError: no final state came in time.
            ConfigurationError: an argument cannot be right.
            GenAuthAPIError: the server refused. Server errors and lost answers do not end the watch.
        """
        asker = self._asking_once()

        async def check() -> models.CheckPushCodeStatusDataDto:
            return (await asker.check_push_code_status(push_code_id, timeout=timeout)).data

        return Polling(
            check, lambda state: state.status, _FINAL, clock=self._settings.clock, interval=interval, wait=wait
        )
