from __future__ import annotations

import base64
import datetime as dt
import re
import traceback
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicNumbers, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from genauth_async._crypto import rsa
from genauth_async.errors import PasswordEncryptionError
from tests.node_tools import NodeWorker, node_worker

# The smallest allowed size: it affects only the maximum password length, and the time.
KEY = generate_private_key(65537, 1024)
BYTES = 128
ROOM = 117
PRIVATE_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
PASSWORDS = ["", "a", "pässwörd", "密码", "\x00\x00", "p" * ROOM]


def certificate(key: RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "GenAuth")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=1))
    )
    return builder.sign(key, SHA256())


KINDS: dict[str, Callable[[Encoding], bytes]] = {
    "SubjectPublicKeyInfo": lambda how: KEY.public_key().public_bytes(how, PublicFormat.SubjectPublicKeyInfo),
    "PKCS#1": lambda how: KEY.public_key().public_bytes(how, PublicFormat.PKCS1),
    "certificate": lambda how: certificate(KEY).public_bytes(how),
}
WRITINGS: dict[str, Callable[[Callable[[Encoding], bytes]], str]] = {
    "PEM": lambda key: key(Encoding.PEM).decode(),
    "PEM of Windows": lambda key: key(Encoding.PEM).decode().replace("\n", "\r\n"),
    "base64": lambda key: base64.b64encode(key(Encoding.DER)).decode(),
    "wrapped base64": lambda key: base64.encodebytes(key(Encoding.DER)).decode(),
    "indented base64": lambda key: "\r\n\t " + base64.encodebytes(key(Encoding.DER)).decode(),
}


def pem_of(key: PublicKeyTypes) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PUBLIC_PEM = pem_of(KEY.public_key())


def decrypt(ciphertext: bytes) -> bytes:
    # Some libraries, older jsencrypt among them, drop leading zero bytes.
    return KEY.decrypt(ciphertext.rjust(BYTES, b"\x00"), padding.PKCS1v15())


@pytest.fixture(scope="module")
def node() -> Iterator[NodeWorker]:
    with node_worker() as worker:
        yield worker


class TestKeyForms:
    @pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS)
    @pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
    def test_every_form(
        self, kind: Callable[[Encoding], bytes], writing: Callable[[Callable[[Encoding], bytes]], str]
    ) -> None:
        ciphertext = rsa.encrypt(b"password", writing(kind))
        assert len(ciphertext) == BYTES
        assert decrypt(ciphertext) == b"password"

    @pytest.mark.parametrize(
        ("key_text", "fault"),
        [
            ("", "must be a key or certificate"),
            ("not a key", "must be a key or certificate"),
            ("密钥", "must be a key or certificate"),
            ("\ud800", "must be a key or certificate"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "must be a key or certificate"),
            pytest.param(PUBLIC_PEM[:100], "must be a key or certificate", id="cut off"),
            pytest.param(PUBLIC_PEM.replace("M", "N", 1), "must be a key or certificate", id="one letter changed"),
            pytest.param(PRIVATE_PEM, "is a private key", id="a private key"),
        ],
    )
    def test_refusals(self, key_text: str, fault: str) -> None:
        with pytest.raises(PasswordEncryptionError, match=f"{fault}.*; pass the rsa.publicKey of GET /api/v3/system"):
            rsa.encrypt(b"password", key_text)

    def test_another_algorithm(self) -> None:
        pem = pem_of(ec.generate_private_key(ec.SECP256R1()).public_key())
        with pytest.raises(PasswordEncryptionError, match="must be RSA, not"):
            rsa.encrypt(b"password", pem)

    def test_an_unknown_curve(self) -> None:
        sm2_key = (
            "MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE7MInYfdjP75VKa63pxjIi3HthoEj"
            "pvlqBQ+r0lVG9s9kumdC6fRsMt64/mQlUAobVdIOntkLfPsi9QyGNYDQvw=="
        )
        with pytest.raises(PasswordEncryptionError, match="must be a key or certificate"):
            rsa.encrypt(b"password", sm2_key)

    def test_a_modulus_that_cannot_be_one(self) -> None:
        even = RSAPublicNumbers(65537, KEY.public_key().public_numbers().n + 1).public_key()
        with pytest.raises(PasswordEncryptionError, match="is damaged"):
            rsa.encrypt(b"password", pem_of(even))

    @settings(max_examples=200, deadline=None)
    @given(position=st.integers(0, 161), change=st.integers(1, 255))
    def test_a_damaged_key_encrypts_or_is_refused(self, position: int, change: int) -> None:
        der = bytearray(KINDS["SubjectPublicKeyInfo"](Encoding.DER))
        der[position] ^= change
        try:
            rsa.encrypt(b"password", base64.b64encode(der).decode())
        except PasswordEncryptionError as error:
            assert_silent_about("password", error)

    @pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)
    @pytest.mark.parametrize("bits", [384, 512, 768, 1016, 1023])
    def test_a_short_key_is_refused(self, bits: int, write: Callable[[Callable[[Encoding], bytes]], str]) -> None:
        # Of any modulus: no library makes such keys.
        short = RSAPublicNumbers(65537, (1 << (bits - 1)) + 1).public_key()
        for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1):
            text = write(partial(short.public_bytes, format=form))
            with pytest.raises(PasswordEncryptionError, match=f"must have at least 1024 bits, not {bits}") as caught:
                rsa.encrypt(b"tell no one", text)
            assert_silent_about("tell no one", caught.value)


class TestPasswords:
    @settings(max_examples=100, deadline=None)
    @given(plaintext=st.binary(max_size=ROOM))
    def test_whatever_fits(self, plaintext: bytes) -> None:
        assert decrypt(rsa.encrypt(plaintext, PUBLIC_PEM)) == plaintext

    def test_the_padding_is_random(self) -> None:
        assert rsa.encrypt(b"password", PUBLIC_PEM) != rsa.encrypt(b"password", PUBLIC_PEM)

    def test_too_long(self) -> None:
        secret = "tröstlich" * 12  # 108 characters, 120 bytes
        with pytest.raises(PasswordEncryptionError, match=r"has 120 bytes, but at most 117 fit .* 1024-bit") as caught:
            rsa.encrypt(secret.encode(), PUBLIC_PEM)
        assert_silent_about("tröstlich", caught.value)

    def test_the_room_of_a_modulus_of_odd_length(self) -> None:
        odd = generate_private_key(65537, 1028)
        pem = pem_of(odd.public_key())
        longest = b"p" * (129 - 11)
        assert odd.decrypt(rsa.encrypt(longest, pem), padding.PKCS1v15()) == longest
        with pytest.raises(PasswordEncryptionError, match="has 119 bytes, but at most 118 fit"):
            rsa.encrypt(longest + b"p", pem)

    def test_a_bad_key_betrays_nothing(self) -> None:
        with pytest.raises(PasswordEncryptionError) as caught:
            rsa.encrypt(b"tell no one", "not a key")
        assert_silent_about("tell no one", caught.value)


def assert_silent_about(secret: str, error: BaseException) -> None:
    """Assert that no message of the chain and no local variable of our frames has the secret."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    chain: list[traceback.TracebackException] = []
    link: traceback.TracebackException | None = report
    while link is not None:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for link in chain:
        assert secret not in str(link)
        ours = [
            frame.locals or {} for frame in link.stack if re.search(r"genauth_async._crypto.rsa\.py$", frame.filename)
        ]
        assert secret not in repr(ours)
        assert repr(secret.encode())[2:-1] not in repr(ours)


class TestNode:
    @pytest.mark.parametrize("password", [*PASSWORDS, "😀"], ids=len)
    def test_reads_ours(self, node: NodeWorker, password: str) -> None:
        for _ in range(20):
            ciphertext = base64.b64encode(rsa.encrypt(password.encode(), PUBLIC_PEM)).decode()
            answer = node("rsa_decrypt", ciphertext=ciphertext, private_key=PRIVATE_PEM)
            assert bytes.fromhex(answer).decode() == password

    @pytest.mark.parametrize("password", PASSWORDS, ids=len)
    def test_is_read(self, node: NodeWorker, password: str) -> None:
        answer = node("rsa_encrypt", message=password.encode().hex(), public_key=PUBLIC_PEM)
        assert decrypt(base64.b64decode(answer)).decode() == password


class TestJSEncrypt:
    """Uses no characters beyond U+FFFF: jsencrypt writes them as two surrogates (CESU-8), which is not UTF-8."""

    @pytest.mark.parametrize("password", PASSWORDS, ids=len)
    def test_reads_ours(self, node: NodeWorker, password: str) -> None:
        for _ in range(20):
            ciphertext = base64.b64encode(rsa.encrypt(password.encode(), PUBLIC_PEM)).decode()
            assert node("jsencrypt_decrypt", ciphertext=ciphertext, private_key=PRIVATE_PEM) == password

    @pytest.mark.parametrize("password", PASSWORDS, ids=len)
    def test_is_read(self, node: NodeWorker, password: str) -> None:
        for _ in range(20):
            answer = node("jsencrypt_encrypt", text=password, public_key=PUBLIC_PEM)
            assert decrypt(base64.b64decode(answer)).decode() == password
