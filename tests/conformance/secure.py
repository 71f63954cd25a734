"""TLS handshakes that succeed or are refused, and ports that speak something else."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import trustme

from tests.conformance.case import GET, REFRESH, Case, authority
from tests.conformance.connecting import refusing
from tests.conformance.keep_alive import closing
from tests.conformance.servers import Peer, answer, answers, once

_NOT_TLS: Final = "TLSError sent=False: the server does not speak TLS at this port; is it http://, or another port?"
_CLOSED: Final = "TLSError sent=False: the TLS handshake failed: the server closed the connection"
_REMEDY: Final = "pass verify= with your CA if the server's certificate comes from a private one"


def certificate_problem(text: str) -> str:
    return f"TLSError sent=False: the server's certificate was refused: {text}; {_REMEDY}"


def context(*names: str, ca: trustme.CA | None = None, **options: Any) -> ssl.SSLContext:
    """A server's context, with a certificate for these names."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (ca or authority()).issue_cert(*(names or ("localhost",)), **options).configure_cert(made)
    return made


@cache
def good() -> ssl.SSLContext:
    return context("localhost", "127.0.0.1")


def _stranger() -> ssl.SSLContext:
    return context(ca=trustme.CA())


def _expired() -> ssl.SSLContext:
    return context(not_after=dt.datetime.now(dt.UTC) - dt.timedelta(days=1))


def _other_host() -> ssl.SSLContext:
    return context("other.example")


def _old() -> ssl.SSLContext:
    made = context()
    made.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1
    return made


def _demanding(version: Any) -> Callable[[], ssl.SSLContext]:
    """Demand a client certificate, which the client has not."""

    def make() -> ssl.SSLContext:
        made = context()
        made.verify_mode = ssl.CERT_REQUIRED
        authority().configure_trust(made)
        made.minimum_version = made.maximum_version = version
        return made

    return make


def alerting(peer: Peer) -> None:
    """Answers the ClientHello with the alert handshake_failure."""
    peer.send(b"\x15\x03\x03\x00\x02\x02\x28")
    peer.finish()


def refused(name: str, expect: str, **options: Any) -> Case:
    """No connection is made, and nothing is sent."""
    return Case(
        **{
            "name": f"TLS: {name}",
            "play": refusing,
            "scheme": "https",
            "host": "localhost",
            "expect": (expect,),
            "attempts": 2,
            "requests": 0,
            "within": 3.0,
            **options,
        }
    )


CASES: Final = [
    Case(
        name="TLS: kept",
        play=answers(answer()),
        scheme="https",
        host="localhost",
        context=good,
        expect=('200 "a"',) * 3,
        connections=1,
    ),
    Case(
        name="TLS: an IP address",
        play=answers(answer()),
        scheme="https",
        context=good,
        expect=('200 "a"',) * 3,
        connections=1,
    ),
    Case(
        name="TLS: closed after the answer",
        play=closing(lambda peer: peer.send(answer())),
        scheme="https",
        host="localhost",
        context=good,
        expect=('200 "a"',) * 3,
        connections=3,
        pause=0.02,
    ),
    Case(
        name="TLS: single use",
        play=answers(answer()),
        scheme="https",
        host="localhost",
        context=good,
        calls=(REFRESH,),
        expect=('200 "a"',) * 2,
        own_only=True,
        connections=2,
    ),
    Case(
        name="TLS: reset without an answer: GET",
        play=closing(lambda peer: peer.reset()),
        calls=(GET,),
        scheme="https",
        host="localhost",
        context=good,
        expect=("ConnectionLostError sent=True: the connection broke before the answer",),
        attempts=2,
        connections=2,
    ),
    refused("an unknown authority", certificate_problem("unable to get local issuer certificate"), context=_stranger),
    refused(
        "another host's certificate",
        certificate_problem("Hostname mismatch, certificate is not valid for 'localhost'."),
        context=_other_host,
    ),
    refused("an expired certificate", certificate_problem("certificate has expired"), context=_expired),
    refused(
        "the server sends an alert",
        "TLSError sent=False: the TLS handshake failed: SSLV3_ALERT_HANDSHAKE_FAILURE",
        play=alerting,
    ),
    refused("closed in the handshake", _CLOSED, play=lambda peer: peer.finish()),
    refused(
        "reset in the handshake",
        "ConnectionFailedError sent=False: no connection: Connection reset by peer",
        play=once(0.05, then=Peer.reset),
    ),
    refused(
        "TLS 1.0 alone", "TLSError sent=False: the TLS handshake failed: TLSV1_ALERT_PROTOCOL_VERSION", context=_old
    ),
    refused(
        "a client certificate is demanded, TLS 1.2",
        "TLSError sent=False: the TLS handshake failed: SSLV3_ALERT_HANDSHAKE_FAILURE",
        context=_demanding(ssl.TLSVersion.TLSv1_2),
    ),
    # TLS 1.3 tells the client after its part of the handshake is done.
    refused(
        "a client certificate is demanded, TLS 1.3",
        "ConnectionLostError sent=True: the server refused the TLS connection: TLSV13_ALERT_CERTIFICATE_REQUIRED",
        context=_demanding(ssl.TLSVersion.TLSv1_3),
        attempts=1,
    ),
    refused(
        "an http port, which answers 400",
        _NOT_TLS,
        play=once(answer(status="400 Bad Request")),
    ),
    refused("an SSH port", _NOT_TLS, play=once(b"SSH-2.0-OpenSSH_9.6\r\n")),
    Case(
        name="an https port asked for http",
        play=answers(answer()),
        host="localhost",
        context=good,
        expect=("ConnectionLostError sent=True: the connection broke before the answer",),
    ),
    Case(
        name="an https port asked for http, which answers 400",
        play=closing(
            lambda peer: peer.send_with_end(
                answer(b"The plain HTTP request was sent to HTTPS port", status="400 Bad Request")
            )
        ),
        expect=("400 The plain HTTP request was sent to HTTPS port",),
    ),
]
