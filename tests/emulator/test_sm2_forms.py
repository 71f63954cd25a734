"""SM2 ciphertexts of other people's clients: each order, with and without 04."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genauth_async._crypto import sm2
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.state.keys import PasswordKeys
from tests.emulator.emulator_types import SignIn
from tests.node_tools import NodeWorker, node_worker

NEW, OLD = 1, 0  # modes of sm-crypto
AWKWARD = ["passw0rd", "dGVzdA==", "cGFzc3dvcmQ=", "abcd", "4", "密码 pässwörd 🔑", "0" * 32, "x" * 64]

KEYS = PasswordKeys()


@pytest.fixture(scope="module")
def node() -> Iterator[NodeWorker]:
    with node_worker() as worker:
        yield worker


def _base64(password: str) -> str:
    return b64encode(password.encode()).decode()


@pytest.mark.parametrize("password", AWKWARD)
@pytest.mark.parametrize("prefix", ["", "04"])
@pytest.mark.parametrize("mode", [NEW, OLD])
def test_sm_crypto_signs_in_in_both_orders(
    node: NodeWorker, emulator: Emulator, user: User, sign_in: SignIn, password: str, prefix: str, mode: int
) -> None:
    if mode == OLD and prefix and password.endswith("="):
        pytest.skip("this form of this text is the mobile SDKs'")
    user.password = password
    key = emulator._state.password_keys.public()["sm2"]
    ciphertext = prefix + node("sm2_encrypt", message=password.encode().hex(), public_key=key, mode=mode)
    for sent in (ciphertext, ciphertext.upper()):
        payload = {"account": "ada", "password": sent}
        answer = sign_in(passwordPayload=payload, options={"passwordEncryptType": "sm2"})
        assert answer["statusCode"] == 200, answer


@pytest.mark.parametrize("password", AWKWARD)
def test_the_vendors_mobile_sdks_sign_in(
    node: NodeWorker, emulator: Emulator, user: User, sign_in: SignIn, password: str
) -> None:
    user.password = password
    key = emulator._state.password_keys.public()["sm2"]
    message = _base64(password).encode().hex()
    ciphertext = "04" + node("sm2_encrypt", message=message, public_key=key, mode=OLD)
    payload = {"account": "ada", "password": ciphertext}
    answer = sign_in(passwordPayload=payload, options={"passwordEncryptType": "sm2"})
    assert answer["statusCode"] == 200, answer


def test_the_older_api_takes_them_too(
    node: NodeWorker, emulator: Emulator, user: User, http: httpx.Client, sign_in: SignIn
) -> None:
    key = emulator._state.password_keys.public()["sm2"]
    for number, mode in enumerate((NEW, OLD)):
        user.password_reset_required = True
        token = sign_in(passwordPayload={"account": "ada", "password": user.password})["data"]["token"]
        password = f"new password {number}"
        sent = "sm2:" + node("sm2_encrypt", message=password.encode().hex(), public_key=key, mode=mode)
        path = "/api/v2/users/password/reset-by-first-login-token"
        assert http.post(path, json={"token": token, "password": sent}).json()["code"] == 200
        assert user.password == password


def _old(ciphertext: bytes) -> bytes:
    return ciphertext[:64] + ciphertext[96:] + ciphertext[64:96]


CLIENTS: dict[str, Callable[[str, sm2.SM2PublicKey], bytes]] = {
    "new": lambda password, key: sm2.encrypt(password.encode(), key),
    "new with 04": lambda password, key: b"\x04" + sm2.encrypt(password.encode(), key),
    "old": lambda password, key: _old(sm2.encrypt(password.encode(), key)),
    "mobile": lambda password, key: b"\x04" + _old(sm2.encrypt(_base64(password).encode(), key)),
}


PASSWORDS = st.text(st.characters(codec="utf-8")) | st.binary(max_size=40).map(lambda raw: b64encode(raw).decode())


@pytest.mark.parametrize("client", CLIENTS)
@given(password=PASSWORDS)
@example(password="dGVzdA==")
@example(password="x" * 32)  # as long as a C3
@settings(max_examples=30, deadline=None)
def test_every_password_is_itself_again(client: str, password: str) -> None:
    key = sm2.SM2PublicKey.parse(KEYS.public()["sm2"])
    assert KEYS.decrypt("sm2", CLIENTS[client](password, key).hex()) == password
