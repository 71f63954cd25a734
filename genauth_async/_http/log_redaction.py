"""Redaction of the URLs in the HTTP libraries' own logs."""

from __future__ import annotations

import logging

from .._core.redaction import redact_url


def redact_log_of(client: object) -> None:
    """Redact the URLs in the log of this client's HTTP library."""
    for package in {cls.__module__.partition(".")[0] for cls in type(client).__mro__} & {"httpx", "httpx2"}:
        logging.getLogger(package).addFilter(_redact_urls)


def _redact_urls(record: logging.LogRecord) -> bool:
    """Redact URLs in a log record, since the query of a few requests holds a token."""
    if isinstance(record.args, tuple):
        record.args = tuple(redact_url(str(arg)) if type(arg).__name__ == "URL" else arg for arg in record.args)
    return True
