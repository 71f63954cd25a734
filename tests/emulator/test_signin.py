from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from genauth_async._crypto import sm2
from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import Json, SignIn

pytestmark = pytest.mark.usefixtures("user")


def _encrypt(http: httpx.Client, encryption: str, password: str) -> str:
    keys = http.get("/api/v3/system").json()["data"]
    if encryption == "rsa":
        key = load_pem_public_key(keys["rsa"]["publicKey"].encode())
        assert isinstance(key, RSAPublicKey)
        return b64encode(key.encrypt(password.encode(), PKCS1v15())).decode()
    assert keys["sm2"]["publicKey"].startswith("04")
    return sm2.encrypt(password.encode(), sm2.SM2PublicKey.parse(keys["sm2"]["publicKey"])).hex()


@pytest.fixture(scope="module")
def public_emulator() -> Iterator[httpx.Client]:
    """Of an application that needs no authentication, so that requests get past it."""
    with (
        Emulator(token_endpoint_auth_method="none") as emulator,
        httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as client,
    ):
        yield client


def _refused(answer: Json, status_code: int, api_code: int | None) -> None:
    assert (answer["statusCode"], answer.get("apiCode")) == (status_code, api_code), answer
    assert answer["requestId"]


def test_answers_with_tokens(sign_in: SignIn) -> None:
    answer = sign_in()
    assert answer["statusCode"] == 200
    assert answer["requestId"]
    data = answer["data"]
    assert data["token_type"] == "Bearer"
    assert data["expire_in"] == 14 * 24 * 3600
    assert set(data) == {"scope", "access_token", "id_token", "refresh_token", "token_type", "expire_in"}


@pytest.mark.parametrize(
    "account",
    [
        {"account": "ada"},
        {"account": "Ada@Example.com"},
        {"account": "13800000000"},
        {"username": "ada"},
        {"email": "ADA@example.com"},
        {"phone": "13800000000"},
    ],
)
def test_takes_every_kind_of_account(sign_in: SignIn, account: dict[str, str]) -> None:
    assert sign_in(passwordPayload={**account, "password": "passw0rd"})["statusCode"] == 200


@pytest.mark.parametrize(
    "payload",
    [
        {"account": "ada", "password": "wrong"},
        {"account": "unknown", "password": "passw0rd"},
        {"username": "ada@example.com", "password": "passw0rd"},
        {"account": "ada", "password": "\ud800"},
    ],
)
def test_a_wrong_account_or_password_is_2333(sign_in: SignIn, payload: dict[str, str]) -> None:
    _refused(sign_in(passwordPayload=payload), 403, 2333)


def test_a_user_without_a_password_has_no_right_one(emulator: Emulator, sign_in: SignIn) -> None:
    emulator.add_user(username="passless")
    _refused(sign_in(passwordPayload={"account": "passless", "password": "None"}), 403, 2333)


def test_the_scope_decides_which_tokens_there_are(sign_in: SignIn) -> None:
    everything = sign_in()["data"]
    assert "offline_access" in everything["scope"].split()
    assert "refresh_token" in everything
    bare = sign_in(options={"scope": "profile"})["data"]
    assert bare["scope"] == "profile"
    assert "refresh_token" not in bare
    assert "id_token" not in bare
    offline = sign_in(options={"scope": "openid offline_access"})["data"]
    assert {"refresh_token", "id_token"} <= set(offline)


@pytest.mark.parametrize(("connection", "payload"), [("LDAP", "ldapPayload"), ("AD", "adPayload")])
@pytest.mark.parametrize("encryption", ["none", "rsa", "sm2"])
def test_directories(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn, connection: str, payload: str, encryption: str
) -> None:
    emulator.add_user(sam_account_name="GLovelace", password="s3cret")
    password = "s3cret" if encryption == "none" else _encrypt(http, encryption, "s3cret")
    right = {"sAMAccountName": "glovelace", "password": password}
    arguments: Json = {
        "connection": connection,
        "passwordPayload": None,
        "options": {"passwordEncryptType": encryption},
    }
    assert sign_in(**arguments, **{payload: right})["statusCode"] == 200
    _refused(sign_in(**arguments, **{payload: {**right, "sAMAccountName": "ada"}}), 403, 2333)
    _refused(sign_in(**arguments, **{payload: None}), 400, None)


@pytest.mark.parametrize("encryption", ["rsa", "sm2"])
@pytest.mark.parametrize("password", ["passw0rd", "пароль 密码 🔑"])
def test_encrypted_passwords(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn, encryption: str, password: str
) -> None:
    emulator.add_user(username="grace", password=password)
    options = {"passwordEncryptType": encryption}
    payload = {"account": "grace", "password": _encrypt(http, encryption, password)}
    assert sign_in(passwordPayload=payload, options=options)["statusCode"] == 200
    wrong = {"account": "grace", "password": _encrypt(http, encryption, "wrong")}
    _refused(sign_in(passwordPayload=wrong, options=options), 403, 2333)


def test_sm2_as_another_implementation_encrypts_it(http: httpx.Client, sign_in: SignIn) -> None:
    gmssl_pyx = pytest.importorskip("gmssl_pyx")
    point = bytes.fromhex(http.get("/api/v3/system").json()["data"]["sm2"]["publicKey"][2:])
    payload = {"account": "ada", "password": gmssl_pyx.sm2_encrypt(point, b"passw0rd").hex()}
    assert sign_in(passwordPayload=payload, options={"passwordEncryptType": "sm2"})["statusCode"] == 200


@pytest.mark.parametrize("encryption", ["rsa", "sm2"])
def test_a_ciphertext_for_an_old_key_is_2016(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn, encryption: str
) -> None:
    options = {"passwordEncryptType": encryption}
    payload = {"account": "ada", "password": _encrypt(http, encryption, "passw0rd")}
    emulator.rotate_keys()
    _refused(sign_in(passwordPayload=payload, options=options), 499, 2016)
    renewed = {"account": "ada", "password": _encrypt(http, encryption, "passw0rd")}
    assert sign_in(passwordPayload=renewed, options=options)["statusCode"] == 200


@pytest.mark.parametrize("encryption", ["rsa", "sm2"])
@pytest.mark.parametrize("password", ["passw0rd", "abcd", "00" * 64, "AA==" * 3, "ff" * 97, "/" * 344, "A" * 400])
def test_what_is_not_encrypted_is_2016(sign_in: SignIn, encryption: str, password: str) -> None:
    payload = {"account": "ada", "password": password}
    _refused(sign_in(passwordPayload=payload, options={"passwordEncryptType": encryption}), 499, 2016)


def test_damaged_rsa_ciphertexts_are_2016_every_time(http: httpx.Client, sign_in: SignIn) -> None:
    ciphertext = _encrypt(http, "rsa", "passw0rd")
    for position in range(10):
        damaged = ciphertext[:position] + ("A" if ciphertext[position] != "A" else "B") + ciphertext[position + 1 :]
        payload = {"account": "ada", "password": damaged}
        _refused(sign_in(passwordPayload=payload, options={"passwordEncryptType": "rsa"}), 499, 2016)


def test_a_locked_user_is_2005(emulator: Emulator, user: User, sign_in: SignIn) -> None:
    emulator.lock_user(user)
    _refused(sign_in(), 403, 2005)
    user.locked = False
    assert sign_in()["statusCode"] == 200


def test_too_many_wrong_passwords_lock_the_user(user: User, sign_in: SignIn) -> None:
    wrong = {"account": "ada", "password": "wrong"}
    for _ in range(4):
        _refused(sign_in(passwordPayload=wrong), 403, 2333)
    assert sign_in()["statusCode"] == 200  # which forgets the failures
    for _ in range(5):
        assert not user.locked
        _refused(sign_in(passwordPayload=wrong), 403, 2333)
    _refused(sign_in(), 403, 2057)


def test_a_second_factor_is_1636(emulator: Emulator, user: User, sign_in: SignIn) -> None:
    user.mfa_required = True
    answer = sign_in()
    _refused(answer, 403, 1636)
    assert answer["data"]["mfaToken"]
    assert answer["data"]["applicationMfa"][0]["mfaPolicy"] == "OTP"
    assert len(emulator.grants) == 0


def test_a_required_password_reset_is_1639(user: User, sign_in: SignIn) -> None:
    user.password_reset_required = True
    _refused(sign_in(), 403, 1639)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"connection": None}, "connection"),
        ({"connection": "TELEPATHY"}, "connection"),
        ({"connection": 7}, "connection"),
        ({"passwordPayload": None}, "passwordPayload is required"),
        ({"passwordPayload": "ada"}, "passwordPayload must be an object"),
        ({"passwordPayload": {"password": "passw0rd"}}, "passwordPayload must include account"),
        ({"passwordPayload": {"account": "ada"}}, "passwordPayload.password"),
        ({"passwordPayload": {"account": "ada", "password": 12345}}, "passwordPayload.password"),
        ({"passwordPayload": {"account": "", "password": "passw0rd"}}, "passwordPayload.account"),
        ({"options": []}, "options"),
        ({"options": {"scope": ["openid"]}}, "options.scope"),
        ({"options": {"scope": "\ud800"}}, "options.scope"),
        ({"options": {"passwordEncryptType": "rot13"}}, "options.passwordEncryptType"),
        ({"connection": "PASSCODE"}, "passCodePayload"),
        ({"connection": "PASSCODE", "passCodePayload": {"passCode": "1234"}}, "passCodePayload.email"),
        ({"connection": "PASSCODE", "passCodePayload": {"email": "a@b.c"}}, "passCodePayload.passCode"),
        ({"connection": "LDAP", "ldapPayload": {"password": "passw0rd"}}, "ldapPayload.sAMAccountName"),
        ({"client_id": None}, "client_id"),
        ({"client_secret": None}, "client_secret"),
    ],
)
def test_a_wrong_argument_is_named(sign_in: SignIn, changes: Json, named: str) -> None:
    answer = sign_in(**changes)
    _refused(answer, 400, None)
    assert named in answer["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_json_object(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/api/v3/signin", content=body).json()
    _refused(answer, 400, None)
    assert "JSON" in answer["message"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
payloads = json_values | st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("account", "email", "phone", "password", "passCode", "sAMAccountName"), json_values),
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "connection": st.sampled_from(["PASSWORD", "PASSCODE", "LDAP", "AD"]) | json_values,
        "passwordPayload": payloads,
        "passCodePayload": payloads,
        "ldapPayload": payloads,
        "adPayload": payloads,
        "options": json_values
        | st.fixed_dictionaries(
            {"passwordEncryptType": st.sampled_from(["none", "rsa", "sm2"]) | json_values},
            optional={"scope": st.text()},
        ),
        "client_id": json_values,
    },
)


@given(bodies)
def test_any_json_gets_an_envelope(public_emulator: httpx.Client, body: Json) -> None:
    response = public_emulator.post("/api/v3/signin", json=body)
    assert response.json()["statusCode"] in {400, 499}


@pytest.mark.parametrize("option", ["autoRegister", "tenantId"])
def test_what_is_not_modelled_says_so(emulator: Emulator, http: httpx.Client, option: str) -> None:
    body = {
        "connection": "PASSWORD",
        "passwordPayload": {"account": "ada", "password": "passw0rd"},
        "options": {option: "x"},
        "client_id": emulator.app_id,
        "client_secret": emulator.app_secret,
    }
    response = http.post("/api/v3/signin", json=body)
    assert response.status_code == response.json()["statusCode"] == 501
    assert option in response.json()["message"]


def test_options_that_are_switched_off_are_fine(sign_in: SignIn) -> None:
    assert sign_in(options={"autoRegister": False, "tenantId": None, "captchaCode": ""})["statusCode"] == 200


def test_pass_codes_by_email_and_phone(emulator: Emulator, http: httpx.Client, sign_in: SignIn) -> None:
    http.post("/api/v3/send-email", json={"email": "Ada@example.com", "channel": "CHANNEL_LOGIN"})
    http.post("/api/v3/send-sms", json={"phoneNumber": "13800000000", "channel": "CHANNEL_LOGIN"})
    for address in ({"email": "ada@example.com"}, {"phone": "13800000000"}):
        code = emulator.inbox.code_for(next(iter(address.values())))
        arguments: Json = {
            "connection": "PASSCODE",
            "passwordPayload": None,
            "passCodePayload": {**address, "passCode": code},
        }
        assert sign_in(**arguments)["statusCode"] == 200
        _refused(sign_in(**arguments), 400, 2001)  # a second use


def _by_code(email: str, code: str) -> Json:
    return {"connection": "PASSCODE", "passCodePayload": {"email": email, "passCode": code}}


def test_wrong_expired_and_foreign_pass_codes(
    emulator: Emulator, http: httpx.Client, user: User, sign_in: SignIn
) -> None:
    _refused(sign_in(**_by_code("ada@example.com", "000000")), 400, 2001)  # none was sent
    http.post("/api/v3/send-email", json={"email": "ada@example.com", "channel": "CHANNEL_RESET_PASSWORD"})
    other = emulator.inbox.code_for("ada@example.com")
    _refused(sign_in(**_by_code("ada@example.com", other)), 400, 2001)  # it was for something else

    http.post("/api/v3/send-email", json={"email": "ada@example.com", "channel": "CHANNEL_LOGIN"})
    code = emulator.inbox.code_for("ada@example.com", channel="CHANNEL_LOGIN")
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    _refused(sign_in(**_by_code("ada@example.com", wrong)), 400, 2001)
    emulator.clock.advance(300)
    _refused(sign_in(**_by_code("ada@example.com", code)), 400, 2300)

    http.post("/api/v3/send-email", json={"email": "ada@example.com", "channel": "CHANNEL_LOGIN"})
    emulator.lock_user(user)
    _refused(sign_in(**_by_code("ada@example.com", emulator.inbox.code_for("ada@example.com"))), 403, 2005)


def test_a_pass_code_for_a_stranger_is_2004(emulator: Emulator, http: httpx.Client, sign_in: SignIn) -> None:
    http.post("/api/v3/send-email", json={"email": "new@example.com", "channel": "CHANNEL_LOGIN"})
    _refused(sign_in(**_by_code("new@example.com", emulator.inbox.code_for("new@example.com"))), 404, 2004)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v3/get-wechat-access-token", 501),
        ("/api/v3/webauthn/login/initialize", 501),
        ("/api/v2/saml-idp/some-app", 501),
        ("/login", 501),
        ("/api/v3/nonsense", 404),
        ("/", 405),
        ("/api/v3/get-profile", 405),
    ],
)
def test_paths_that_are_not_served(http: httpx.Client, path: str, status: int) -> None:
    response = http.post(path, json={})
    assert response.status_code == response.json()["statusCode"] == status


@pytest.mark.parametrize(
    ("address", "path", "sent"),
    [
        ({"email": "new@example.com"}, "send-email", {"email": "new@example.com"}),
        ({"phone": "13900000000"}, "send-sms", {"phoneNumber": "13900000000"}),
    ],
)
def test_a_stranger_is_registered_where_that_is_asked_for(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn, address: dict[str, str], path: str, sent: dict[str, str]
) -> None:
    [to] = address.values()
    arguments: Json = {"connection": "PASSCODE", "passwordPayload": None, "options": {"autoRegister": True}}

    def sign_in_with(code: str) -> Json:
        return sign_in(**arguments, passCodePayload={**address, "passCode": code})

    _refused(sign_in_with("000000"), 400, 2001)
    http.post(f"/api/v3/{path}", json={**sent, "channel": "CHANNEL_LOGIN"})
    token = sign_in_with(emulator.inbox.code_for(to))["data"]["access_token"]
    profile = http.get("/api/v3/get-profile", headers={"authorization": token}).json()["data"]
    assert profile["userSourceType"] == "register"
    assert to in {profile.get("email"), profile.get("phone")}

    emulator.clock.advance(60)
    http.post(f"/api/v3/{path}", json={**sent, "channel": "CHANNEL_LOGIN"})
    again = sign_in_with(emulator.inbox.code_for(to))["data"]["access_token"]
    same = http.get("/api/v3/get-profile", headers={"authorization": again}).json()["data"]
    assert same["userId"] == profile["userId"]


def test_users_are_not_registered_if_sign_up_is_disabled(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn
) -> None:
    emulator.account_rules.sign_up_enabled = False
    http.post("/api/v3/send-email", json={"email": "new@example.com", "channel": "CHANNEL_LOGIN"})
    arguments = _by_code("new@example.com", emulator.inbox.code_for("new@example.com"))
    _refused(sign_in(**arguments, options={"autoRegister": True}), 403, 2031)
    assert emulator._state.users.by_email("new@example.com") is None
