"""No answer, or one that is not GenAuth's."""

from __future__ import annotations

from ._base import GenAuthError


class TransportError(GenAuthError):
    """No complete answer arrived.

    Attributes:
        sent: whether the request may have reached the server. False: it is safe to try again.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionFailedError(TransportError):
    """No connection was made; nothing was sent."""


class TLSError(ConnectionFailedError):
    """The TLS handshake failed: the certificate is not trusted, has expired, or names another host."""


class ConnectionLostError(TransportError):
    """The connection broke after the request may have gone out."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The time for the call was up; `sent` tells whether the request may have reached the server."""


class InvalidResponseError(GenAuthError):
    """An answer arrived that is not GenAuth's: often a proxy, a gateway or a captive portal in between.

    Attributes:
        http_status: the HTTP status code.
        content_type: the Content-Type header, or "".
        excerpt: the beginning of the body, masked.
    """

    def __init__(self, message: str, *, http_status: int, content_type: str = "", excerpt: str = "") -> None:
        detail = f"{message} (HTTP {http_status}, {content_type or 'no content type'})"
        super().__init__(f"{detail}: {excerpt}" if excerpt else detail)
        self.http_status = http_status
        self.content_type = content_type
        self.excerpt = excerpt


class NotJSONError(InvalidResponseError):
    """The body is not JSON."""


class TruncatedResponseError(InvalidResponseError):
    """The body is JSON that breaks off."""


class EmptyResponseError(InvalidResponseError):
    """There is no body."""


class ResponseTooLargeError(InvalidResponseError):
    """The body is larger than `max_response_bytes`."""


class UnexpectedRedirectError(InvalidResponseError):
    """The server redirects; the SDK does not follow, since credentials would go along."""


class UnexpectedShapeError(InvalidResponseError):
    """The body is JSON of another form than documented; the message has the path."""
