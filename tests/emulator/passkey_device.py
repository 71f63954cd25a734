"""An authenticator in software, behind what a browser does: turning bytes into base64url."""

from __future__ import annotations

import copy
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from soft_webauthn import SoftWebauthnDevice

from genauth_async.emulator import Emulator
from tests.emulator.emulator_types import Json


class Browser:
    """The browser of a user who has one passkey.

    Args:
        origin: of the page that asks for it.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.device: Any = SoftWebauthnDevice()

    def create(self, options: Any) -> Json:
        """navigator.credentials.create()"""
        asked = {
            "rp": {"id": options.rp.id},
            "user": {"id": raw(options.user.id)},
            "challenge": raw(options.challenge),
            "pubKeyCredParams": [{"alg": kind.alg, "type": kind.type} for kind in options.pub_key_cred_params],
        }
        made: Json = _json(self.device.create({"publicKey": asked}, self.origin))
        return made

    def get(self, options: Any) -> Json:
        """navigator.credentials.get()"""
        asked = {"rpId": options.rp_id, "challenge": raw(options.challenge)}
        made: Json = _json(self.device.get({"publicKey": asked}, self.origin))
        return made

    def clone(self) -> Browser:
        """Return the browser of an attacker who has copied the authenticator."""
        return copy.copy(self)._with(copy.copy(self.device))

    def _with(self, device: Any) -> Browser:
        self.device = device
        return self


async def registered(face: Any, emulator: Emulator, token: str, **changes: Any) -> Browser:
    """A browser with a passkey that the user of the token has just registered."""
    browser = Browser(emulator.url)
    begun = (await face.init_register_options(access_token=token)).data
    credential = browser.create(begun.registration_options)
    answer = await face.verify_register(begun.ticket, credential, access_token=token, **changes)
    assert answer.data.verified
    return browser


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(binary: bytes) -> str:
    return urlsafe_b64encode(binary).rstrip(b"=").decode()


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: encoded(value["rawId"]) if name == "id" else _json(item) for name, item in value.items()}
    return encoded(value) if isinstance(value, bytes) else value
