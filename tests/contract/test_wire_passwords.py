"""Ours encrypts when it is asked to; the vendor's SDK says that it did (encrypt-type-without-encryption)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genauth_async.emulator.state.keys import PasswordKeys
from tests.contract.answers import DONE, least_answer
from tests.contract.parity import Case, Faces, Sent, sent
from tests.recording import Answer, RecordingServer

PASSWORD = 'pässw0rd & "more"'
CASE = Case("required", "client_secret_post", "client")
SIGN_INS = ["account_password", "email_password", "phone_password", "username_password", "ldap", "ad"]
SIGN_UPS = ["email_password", "username_password"]


def options(kind: str) -> dict[str, str]:
    return {"passwordEncryptType": kind}


# The arguments, given the kind of encryption.
METHODS: dict[str, Callable[[str], tuple[Any, ...]]] = {
    **{f"sign_in_by_{way}": lambda kind: ("ada", PASSWORD, options(kind)) for way in SIGN_INS},
    **{f"sign_up_by_{way}": lambda kind: ("ada", PASSWORD, None, options(kind)) for way in SIGN_UPS},
    "sign_up": lambda kind: ("PASSWORD", {"username": "ada", "password": PASSWORD}, None, None, options(kind)),
    "update_password": lambda kind: (PASSWORD, PASSWORD, kind),
    "reset_password": lambda kind: (PASSWORD, "a-reset-token", kind),
    "verify_delete_account_request": lambda kind: ("PASSWORD", None, None, {"password": PASSWORD, **options(kind)}),
}


@pytest.fixture(scope="module")
def keys() -> PasswordKeys:
    return PasswordKeys()


@pytest.mark.parametrize("kind", ["rsa", "sm2"])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_called_encrypted_is_encrypted(
    method: str, kind: str, keys: PasswordKeys, recorder: RecordingServer, make_faces: Callable[[str, Case], Faces]
) -> None:
    recorder.default = Answer(least_answer(method))
    faces = make_faces(method, CASE)

    getattr(faces.theirs, method)(*METHODS[method](kind))
    assert _readable(recorder)
    theirs = sent(recorder.last)

    public = {name: {"publicKey": key} for name, key in keys.public().items()}
    recorder.answers.append(Answer({**DONE, "data": public}))
    faces.portal.call(getattr(faces.ours, method), *METHODS[method](kind))
    assert [recorded.target for recorded in recorder.requests[1:]] == ["/api/v3/system", recorder.requests[0].target]
    assert not _readable(recorder)
    assert _decrypted(sent(recorder.last), kind, keys) == theirs.body


def _readable(recorder: RecordingServer) -> bool:
    """Return True if the last request's body contains the password."""
    return PASSWORD in _texts(recorder.last.json)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [value]


def _decrypted(request: Sent, kind: str, keys: PasswordKeys) -> Any:
    """The body, with what is under a password's name decrypted."""

    def decrypted(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: decrypted(item, key) for key, item in value.items()}
        return keys.decrypt(kind, value) if name in {"password", "newPassword", "oldPassword"} else value

    return decrypted(request.body)
