"""Redaction of the URLs in the HTTP libraries' own logs."""

from __future__ import annotations

import logging

from .._core.redaction import masked_url


def mask_log_of(client: object) -> None:
    """Has the URLs masked in the log of whichever library's client this is."""
    for package in {cls.__module__.partition(".")[0] for cls in type(client).__mro__} & {"httpx", "httpx2"}:
        logging.getLogger(package).addFilter(_mask_urls)


def _mask_urls(record: logging.LogRecord) -> bool:
    """A filter for the library's log, which shows the URL of each request; the query of a few holds a token."""
    if isinstance(record.args, tuple):
        record.args = tuple(masked_url(str(arg)) if type(arg).__name__ == "URL" else arg for arg in record.args)
    return True
