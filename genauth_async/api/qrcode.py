"""Sign-in by a QR code that the user's app scans."""

from __future__ import annotations

from .. import models
from .._arguments.text import require_str
from .._wire.request import get, post
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._polling import DEFAULT_INTERVAL, DEFAULT_WAIT, Polling


class QRCode(Api):
    """Sign users in by a QR code that their app scans.

    Common parameters:
        access_token: the user's who scanned it; the client's when None.
        qrcode_id: names the QR code.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def gene_qr_code(
        self,
        type: models.QRCodeType | str,
        ext_idp_conn_id: str | None = None,
        custom_data: object = None,
        context: object = None,
        auto_merge_qr_code: bool | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.GeneQRCodeRespDto:
        """Create a QR code for the user's app to scan (POST /api/v3/gene-qrcode).

        Show it, and watch it with `poll_qr_code`.

        Args:
            type: which app scans it.
            ext_idp_conn_id: the connection's id, for WeChat.
            custom_data: added to the user's customData.
            context: read by the user pool's pipeline functions.
            auto_merge_qr_code: draw the application's logo into it.
        """
        sent = models.GenerateQrcodeDto(
            type=type,
            ext_idp_conn_id=ext_idp_conn_id,
            custom_data=custom_data,
            context=context,
            auto_merge_qr_code=auto_merge_qr_code,
        )
        request = post("api", "v3", "gene-qrcode", body=sent)
        return await self._call(request, models.GeneQRCodeRespDto, timeout)

    async def check_qr_code_status(
        self,
        qrcode_id: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.CheckQRCodeStatusRespDto:
        """Read the status of a QR code (GET /api/v3/check-qrcode-status)."""
        request = get("api", "v3", "check-qrcode-status", qrcodeId=require_str("qrcode_id", qrcode_id))
        return await self._call(request, models.CheckQRCodeStatusRespDto, timeout)

    async def exchange_token_set_with_qr_code_ticket(
        self,
        ticket: str,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Exchange a confirmed QR code's ticket for tokens (POST /api/v3/exchange-tokenset-with-qrcode-ticket).

        Args:
            ticket: from the status, once AUTHORIZED.
            client_id: sent in the body, with client_secret, instead of the client's own proof.
            client_secret: belongs to client_id.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
        """
        sent = models.ExchangeTokenSetWithQRcodeTicketDto(
            ticket=ticket, client_id=client_id, client_secret=client_secret
        )
        request = post("api", "v3", "exchange-tokenset-with-qrcode-ticket", body=sent, client_auth="token")
        return await self._call(request, models.LoginTokenRespDto, timeout)

    async def change_qr_code_status(
        self,
        action: models.QRCodeAction | str,
        qrcode_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Report a QR code as scanned, confirmed or cancelled by the user's app (POST /api/v3/change-qrcode-status).

        For the app's side.

        Args:
            action: SCAN, CONFIRM or CANCEL.
        """
        sent = models.ChangeQRCodeStatusDto(action=action, qrcode_id=qrcode_id)
        request = post("api", "v3", "change-qrcode-status", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def get_login_qr_code_status(
        self,
        qrcode_id: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.CheckQRCodeStatusRespDto:
        """Read the status of a QR code, as check_qr_code_status does (GET /api/v3/get-qrcode-status).

        The vendor's Node SDK calls this getQrCodeStatus, a name that its Python SDK has for fastpass codes.
        """
        request = get("api", "v3", "get-qrcode-status", qrcodeId=require_str("qrcode_id", qrcode_id))
        return await self._call(request, models.CheckQRCodeStatusRespDto, timeout)

    async def set_qr_code_status(
        self,
        qrcode_id: str,
        action: models.QRCodeAction | str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Report a QR code as scanned, confirmed or cancelled by the user's app (POST /api/v3/set-qrcode-status).

        As change_qr_code_status, and says whether it was done.

        Args:
            action: SCAN, CONFIRM or CANCEL.
        """
        sent = models.ChangeQRCodeStatusDto(qrcode_id=qrcode_id, action=action)
        request = post("api", "v3", "set-qrcode-status", body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)

    def poll_qr_code(
        self,
        qrcode_id: str,
        *,
        interval: float = DEFAULT_INTERVAL,
        wait: float = DEFAULT_WAIT,
        timeout: Timeout | None = None,
    ) -> Stream[models.CheckQRCodeStatusDataDto]:
        """Poll the status of a QR code: each state that it goes through, up to a final one
        (AUTHORIZED, CANCELLED, EXPIRED or ERROR).

        Once AUTHORIZED, its ticket is for exchange_token_set_with_qr_code_ticket.

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
            return (await asker.check_qr_code_status(qrcode_id, timeout=timeout)).data

        return Polling(check, lambda state: state.status, clock=self._settings.clock, interval=interval, wait=wait)
