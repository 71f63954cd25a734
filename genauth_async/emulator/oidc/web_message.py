"""The page that posts an answer to the application's window (response mode web_message, an expired draft of the IETF).

The vendor's SDK for browsers opens it in a popup, or in a hidden iframe with prompt=none. It waits for a message of the
type authorization_response and does not close the popup: that is left to this page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from starlette.responses import HTMLResponse

from ..pages.layout import dialog, document
from ..pages.markup import element

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?:[^/?#]*@)?(?P<host>(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?)(?=[/?]|$)", re.IGNORECASE
)
_SCRIPT = (
    "const {origin, message} = document.getElementById('answer').dataset;"
    "(opener || parent).postMessage(JSON.parse(message), origin);"
    "if (opener) close();"
)


def origin_of(redirect_uri: str) -> str | None:
    """Return the origin that messages are posted to; None if the address is no web page's."""
    found = _ORIGIN.match(redirect_uri)
    return found and f"{found['scheme']}://{found['host']}"


def web_message_page(redirect_uri: str, fields: Mapping[str, str]) -> HTMLResponse:
    """Make the page that posts the answer; frames of the redirect_uri's origin alone may show it.

    No frame may, if that is an IPv6 address: the grammar of the policy has none.
    """
    origin = origin_of(redirect_uri)
    message = json.dumps({"type": "authorization_response", "response": dict(fields)})
    main = dialog(
        element("h1", "Back to the application"),
        element("p", "You can close this window.", id="answer", data_origin=origin, data_message=message),
        element("noscript", "This way of signing in needs JavaScript."),
    )
    return document("Back to the application", main, script=_SCRIPT, framed_by=origin)
