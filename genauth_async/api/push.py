"""Sign-in by a push message to the user's app."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import require_str
from .._wire.converter import argument
from .._wire.request import Idempotency, get, post
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._polling import DEFAULT_INTERVAL, DEFAULT_WAIT, Polling


class Push(Api):
    """Sign users in by a push message to their app.

    Common parameters:
        access_token: the user's who got the message; the client's when None.
        push_code_id: names the push message.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def sign_in_by_push(
        self,
        account: str,
        options: models.SignInByPushOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.GenePushCodeRespDto:
        """Send a push message to the user's app, to confirm a sign-in (POST /api/v3/signin-by-push).

        Watch it with `poll_push_code`.

        Args:
            account: the user name, email address or phone number.
            options: a SignInByPushOptionsDto, or a mapping with its wire names.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
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
        """Read the status of a push message (GET /api/v3/check-pushcode-status)."""
        request = get("api", "v3", "check-pushcode-status", pushCodeId=require_str("push_code_id", push_code_id))
        return await self._call(request, models.CheckPushCodeStatusRespDto, timeout)

    async def change_push_code_status(
        self,
        action: models.PushCodeAction | str,
        push_code_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Confirm or cancel a sign-in for the user's app (POST /api/v3/change-pushcode-status).

        For the app's side.

        Args:
            action: CONFIRM or CANCEL.
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
        """List the applications that take part in sign-in by push (POST /api/v3/get-pushlogin-relation-apps).

        Args:
            app_id: the application's id.
            access_token: the user's, if this is done on a user's behalf; the client's when None.
        """
        sent = models.GetPushCodeRelationAppsDto(app_id=app_id, push_code_id=push_code_id)
        request = post("api", "v3", "get-pushlogin-relation-apps", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_with_optional_user(
            request, models.GetPushCodeRelationAppsRespDto, access_token, timeout
        )

    async def set_push_code_status(
        self,
        push_code_id: str,
        action: models.PushCodeAction | str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Confirm or cancel a sign-in for the user's app (POST /api/v3/set-pushcode-status).

        As change_push_code_status, and says whether it was done.

        Args:
            action: CONFIRM or CANCEL.
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
        """Poll the status of a push message: each state that it goes through, up to a final one
        (AUTHORIZED, CANCELLED, EXPIRED or ERROR).

        Once AUTHORIZED, its token_set has the tokens.

        Args:
            interval: seconds between two requests. When the server limits their rate, it grows by 5.
            wait: seconds in total.
            timeout: seconds for each request, or an httpx.Timeout; the client's when None.

        Raises:
            WaitTimeoutError: no final state came in time.
            GenAuthAPIError: the server refused. Server errors and lost answers do not end the watch.
        """
        asker = self._without_retries()

        async def check() -> models.CheckPushCodeStatusDataDto:
            return (await asker.check_push_code_status(push_code_id, timeout=timeout)).data

        return Polling(check, lambda state: state.status, clock=self._settings.clock, interval=interval, wait=wait)
