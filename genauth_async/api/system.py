"""What the server says of itself."""

from __future__ import annotations

from ..models.system import SystemInfoResp
from ..settings import Timeout
from ._base import Api


class System(Api):
    """Reads the server's public information."""

    async def get_system_info(self, *, timeout: Timeout | None = None) -> SystemInfoResp:
        """Reads the server's public keys and version (GET /api/v3/system).

        Args:
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            GenAuthAPIError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        return await self._system_info(timeout)
