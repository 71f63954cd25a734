"""Sign-in by a QR code between two clients of the same user."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import require_str
from .._wire.converter import argument
from .._wire.request import get, post
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._polling import DEFAULT_INTERVAL, DEFAULT_WAIT, Polling


class Fastpass(Api):
    """Sign a user in on one client by a QR code that another one shows.

    Common parameters:
        access_token: the user's, if this is done on a user's behalf; the client's when None.
        qrcode_id: names the QR code.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def gene_fastpass_qrcode_info(
        self,
        options: models.SignInFastpassOptionsDto | Mapping[str, object] | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GeneFastpassQRCodeRespDto:
        """Create the content of a QR code by which the user signs in on another client
        (POST /api/v3/gene-fastpass-qrcode-info).

        Args:
            options: sign-in options.
            access_token: the user's; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
        """
        sent = models.SignInFastpassDto(options=argument(options, models.SignInFastpassOptionsDto, "options"))
        request = post("api", "v3", "gene-fastpass-qrcode-info", body=sent)
        return await self._call_as_user(request, models.GeneFastpassQRCodeRespDto, access_token, timeout)

    async def get_fastpass_params(
        self,
        qrcode_id: str,
        app_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetFastpassQRCodeRelationAppsRespDto:
        """List the applications that a fastpass QR code can sign the user in to (GET /api/v3/get-fastpass-client-apps).

        Args:
            app_id: the application's id.
        """
        request = get(
            "api",
            "v3",
            "get-fastpass-client-apps",
            qrcodeId=require_str("qrcode_id", qrcode_id),
            appId=require_str("app_id", app_id),
        )
        return await self._call_with_optional_user(
            request, models.GetFastpassQRCodeRelationAppsRespDto, access_token, timeout
        )

    async def get_fastpass_qr_code_status(
        self,
        qrcode_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CheckQRCodeStatusRespDto:
        """Read the status of a fastpass QR code (GET /api/v3/get-app-login-qrcode-status).

        Watch it with `poll_fastpass`.
        """
        request = get("api", "v3", "get-app-login-qrcode-status", qrcodeId=require_str("qrcode_id", qrcode_id))
        return await self._call_with_optional_user(request, models.CheckQRCodeStatusRespDto, access_token, timeout)

    async def get_qr_code_status(
        self,
        qrcode_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CheckQRCodeStatusRespDto:
        """Call get_fastpass_qr_code_status, under the name of the vendor's Python SDK.

        The vendor's Node SDK has another operation under this name: get_login_qr_code_status.
        """
        return await self.get_fastpass_qr_code_status(qrcode_id, access_token=access_token, timeout=timeout)

    async def qr_code_app_login(
        self,
        action: models.FastpassAction | str,
        qrcode_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign the user in to an application by a fastpass QR code (POST /api/v3/qrcode-app-login).

        Args:
            action: APP_LOGIN.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
        """
        sent = models.AppQRCodeLoginDto(action=action, qrcode_id=qrcode_id)
        request = post("api", "v3", "qrcode-app-login", body=sent)
        return await self._call_with_optional_user(request, models.LoginTokenRespDto, access_token, timeout)

    def poll_fastpass(
        self,
        qrcode_id: str,
        *,
        interval: float = DEFAULT_INTERVAL,
        wait: float = DEFAULT_WAIT,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> Stream[models.CheckQRCodeStatusDataDto]:
        """Poll the status of a fastpass QR code: each state that it goes through, up to a final one
        (AUTHORIZED, CANCELLED, EXPIRED or ERROR).

        Use it where the code is shown.

        Args:
            interval: seconds between two requests. When the server limits their rate, it grows by 5.
            wait: seconds in total.
            timeout: seconds for each request, or an httpx.Timeout; the client's when None.

        Raises:
            WaitTimeoutError: no final state came in time.
            GenAuthAPIError: the server refused. Server errors and lost answers do not end the watch.
        """
        asker = self._without_retries()

        async def check() -> models.CheckQRCodeStatusDataDto:
            return (await asker.get_fastpass_qr_code_status(qrcode_id, access_token=access_token, timeout=timeout)).data

        return Polling(check, lambda state: state.status, clock=self._settings.clock, interval=interval, wait=wait)
