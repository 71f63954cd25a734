"""Transport errors: no answer, or one that is not GenAuth's."""

from __future__ import annotations

import re

from .._core.redaction import plain_text
from ._base import GenAuthError, ResponseError


class TransportError(GenAuthError):
    """No complete answer arrived.

    Attributes:
        sent: whether the request may have reached the server. False: a retry is safe.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent

    _is_transient = True


class ConnectionFailedError(TransportError):
    """No connection was made; nothing was sent."""


class TLSError(ConnectionFailedError):
    """The TLS handshake failed: the certificate is not trusted, has expired, or names another host."""

    _is_transient = False


class ConnectionLostError(TransportError):
    """The connection broke after the request may have been sent."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The call timed out; `sent` tells whether the request may have reached the server."""


class InvalidResponseError(ResponseError):
    """The answer is not GenAuth's: often a proxy, a gateway or a captive portal sent it.

    Attributes:
        content_type: the Content-Type header, or "".
        excerpt: the beginning of the body, redacted.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int = 0,
        content_type: str = "",
        excerpt: str = "",
        retry_after: float | None = None,
        request_id: str | None = None,
        endpoint: str = "",
    ) -> None:
        self.content_type = plain_text(content_type, 100)
        self.excerpt = plain_text(excerpt, 201)
        if http_status:
            message = f"{message} (HTTP {http_status}, {self.content_type or 'no content type'})"
        elif told := re.search(r"\(HTTP (\d{3}), ", message):
            http_status = int(told[1])
        super().__init__(
            f"{message}: {self.excerpt}" if self.excerpt else message,
            http_status=http_status,
            retry_after=retry_after,
            request_id=request_id,
            endpoint=endpoint,
        )


class NotJSONError(InvalidResponseError):
    """The body is not JSON."""


class TruncatedResponseError(InvalidResponseError):
    """The body is truncated."""

    _is_transient = True


class EmptyResponseError(InvalidResponseError):
    """The body is empty."""


class ResponseTooLargeError(InvalidResponseError):
    """The body is larger than `max_response_bytes`."""


class UnexpectedRedirectError(InvalidResponseError):
    """The server redirects; the SDK does not follow, since it would redirect credentials."""


class UnexpectedShapeError(InvalidResponseError):
    """The body is JSON that does not match the documents; the message has the path."""
