"""Transport errors: no answer, or one that is not GenAuth's."""

from __future__ import annotations

from ._base import GenAuthError


class TransportError(GenAuthError):
    """No complete answer arrived.

    Attributes:
        sent: whether the request may have reached the server. False: a retry is safe.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionFailedError(TransportError):
    """No connection was made; nothing was sent."""


class TLSError(ConnectionFailedError):
    """The TLS handshake failed: the certificate is not trusted, has expired, or names another host."""


class ConnectionLostError(TransportError):
    """The connection broke after the request may have been sent."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The call timed out; `sent` tells whether the request may have reached the server."""


class InvalidResponseError(GenAuthError):
    """The answer is not GenAuth's: often a proxy, a gateway or a captive portal sent it.

    Attributes:
        http_status: the HTTP status code.
        content_type: the Content-Type header, or "".
        excerpt: the beginning of the body, redacted.
        retry_after: the seconds to wait that the server asked for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int,
        content_type: str = "",
        excerpt: str = "",
        retry_after: float | None = None,
    ) -> None:
        detail = f"{message} (HTTP {http_status}, {content_type or 'no content type'})"
        super().__init__(f"{detail}: {excerpt}" if excerpt else detail)
        self.http_status = http_status
        self.content_type = content_type
        self.excerpt = excerpt
        self.retry_after = retry_after


class NotJSONError(InvalidResponseError):
    """The body is not JSON."""


class TruncatedResponseError(InvalidResponseError):
    """The body is truncated JSON."""


class EmptyResponseError(InvalidResponseError):
    """The body is empty."""


class ResponseTooLargeError(InvalidResponseError):
    """The body is larger than `max_response_bytes`."""


class UnexpectedRedirectError(InvalidResponseError):
    """The server redirects; the SDK does not follow, since it would redirect credentials."""


class UnexpectedShapeError(InvalidResponseError):
    """The body is JSON that does not match the documents; the message has the path."""
