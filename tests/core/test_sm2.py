from __future__ import annotations

import base64
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator

import pytest
from Cryptodome.Util.asn1 import DerObject, DerOctetString, DerSequence
from hypothesis import given, settings
from hypothesis import strategies as st

from genauth_async._crypto import sm2
from genauth_async._crypto.sm2 import SM2PublicKey
from genauth_async.errors import PasswordEncryptionError
from tests.node_tools import NodeWorker, node_worker

Encrypt = Callable[[bytes, SM2PublicKey], bytes]

needs_gmssl_pyx = pytest.mark.skipif(
    importlib.util.find_spec("gmssl_pyx") is None, reason="gmssl-pyx (the extra sm2) is not installed"
)
relaxed = settings(max_examples=40, deadline=None)

PASSWORDS = [b"", b"a", "密码pässwörd😀".encode(), b"\x00" * 33, bytes(range(256)), b"long" * 1000]

# The example of GB/T 32918.5 (GM/T 0003.5) annex C.2. Both x begin with a 0 that must not be lost.
PRIVATE_KEY = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PUBLIC_KEY = SM2PublicKey(
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
EXAMPLE_SCALAR = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
EXAMPLE_C1 = (
    "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
)
EXAMPLE_C3 = "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
EXAMPLE_C2 = "21886ca989ca9c7d58087307ca93092d651efa"
EXAMPLE = bytes.fromhex(EXAMPLE_C1 + EXAMPLE_C3 + EXAMPLE_C2)

# A key pair and a ciphertext of OpenSSL 3.0.
OPENSSL_PRIVATE_KEY = 0x79EB44ABBC569D54085C306BC5AC68FAEFEB7DC7152907107031F23D338C580F
OPENSSL_PEM = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE7MInYfdjP75VKa63pxjIi3HthoEj
pvlqBQ+r0lVG9s9kumdC6fRsMt64/mQlUAobVdIOntkLfPsi9QyGNYDQvw==
-----END PUBLIC KEY-----
"""
OPENSSL_COMPRESSED = "MDkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DIgAD7MInYfdjP75VKa63pxjIi3HthoEjpvlqBQ+r0lVG9s8="
OPENSSL_CIPHERTEXT = bytes.fromhex(
    "307a02210091024f6f0546047ef6a6b6a81e108bf982dfc52fe0f13f1ca4f7e2e93a79cddb02200eadf711c8bd333722"
    "5f19798f36dd4d286224b8eceb36905f6ec978f99eec280420a61a249b738de559b5b7b41239252cd0d15b94c380e894"
    "bf453e7bc2ef0befc20411a83c5300a60b6267e5e33350d96e5b3aea"
)

# The smallest scalars whose points have such coordinates. gmssl would strip these zeros and fours.
AWKWARD_SCALARS = [
    ("x", "0", 6),
    ("x", "4", 65),
    ("x", "04", 11),
    ("x", "40", 65),
    ("x", "00", 327),
    ("x", "44", 138),
    ("y", "0", 16),
    ("y", "4", 10),
    ("y", "04", 16),
    ("y", "40", 773),
    ("y", "00", 107),
    ("y", "44", 320),
]
# Scalars with which the point shared with PUBLIC_KEY has a zero byte in front of x or y,
SHORT_SHARED_SCALARS = [194, 295]
# and with which a one-byte message gets the mask 00.
ZERO_MASK_SCALARS = [470, 524, 724]


def public_key_of(private_key: int) -> SM2PublicKey:
    return SM2PublicKey.parse(sm2._multiply(private_key, sm2._G).hex())


def encrypt_in_python(plaintext: bytes, key: SM2PublicKey) -> bytes:
    return sm2._encrypt(plaintext, key, sm2._random_scalars())


def asn1(ciphertext: bytes) -> bytes:
    x, y = (int.from_bytes(ciphertext[start : start + 32], "big") for start in (0, 32))
    parts: list[int | DerObject] = [x, y, DerOctetString(ciphertext[64:96]), DerOctetString(ciphertext[96:])]
    return DerSequence(parts).encode()


def old_order(ciphertext: bytes) -> bytes:
    return ciphertext[:64] + ciphertext[96:] + ciphertext[64:96]


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "C1C3C2": lambda ciphertext: ciphertext,
    "C1C2C3": old_order,
    "04C1C3C2": lambda ciphertext: b"\x04" + ciphertext,
    "04C1C2C3": lambda ciphertext: b"\x04" + old_order(ciphertext),
    "ASN.1": asn1,
}


@pytest.fixture(params=["gmssl", pytest.param("gmssl_pyx", marks=needs_gmssl_pyx)])
def encrypt(request: pytest.FixtureRequest) -> Encrypt:
    return encrypt_in_python if request.param == "gmssl" else sm2._encrypt_with_gmssl_pyx


@pytest.fixture(scope="module")
def node() -> Iterator[NodeWorker]:
    with node_worker() as worker:
        yield worker


class TestKnownAnswers:
    def test_the_standard_s_example(self) -> None:
        assert public_key_of(PRIVATE_KEY) == PUBLIC_KEY
        assert sm2._encrypt(b"encryption standard", PUBLIC_KEY, iter([EXAMPLE_SCALAR])) == EXAMPLE
        assert sm2.decrypt(EXAMPLE, PRIVATE_KEY) == b"encryption standard"

    def test_openssl(self) -> None:
        assert public_key_of(OPENSSL_PRIVATE_KEY) == SM2PublicKey.parse(OPENSSL_PEM)
        assert sm2.decrypt(OPENSSL_CIPHERTEXT, OPENSSL_PRIVATE_KEY).decode() == "pässwörd 密码"

    def test_the_curve_is_gmssl_s(self) -> None:
        from gmssl.sm2 import default_ecc_table

        ours = {"p": sm2._P, "a": sm2._A, "b": sm2._B, "n": sm2._N, "g": int.from_bytes(sm2._G, "big")}
        assert ours == {name: int(digits, 16) for name, digits in default_ecc_table.items()}


class TestRoundTrips:
    @pytest.mark.parametrize("plaintext", PASSWORDS, ids=len)
    def test_any_length(self, plaintext: bytes) -> None:
        ciphertext = sm2.encrypt(plaintext, PUBLIC_KEY)
        assert len(ciphertext) == 96 + len(plaintext)
        assert sm2.decrypt(ciphertext, PRIVATE_KEY) == plaintext

    @pytest.mark.parametrize("plaintext", PASSWORDS, ids=len)
    def test_without_gmssl_pyx(self, plaintext: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "gmssl_pyx", None)  # import raises ImportError
        assert sm2.decrypt(sm2.encrypt(plaintext, PUBLIC_KEY), PRIVATE_KEY) == plaintext

    def test_in_python_other_threads_get_their_turn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pauses: list[float] = []
        monkeypatch.setattr(sm2, "sleep", pauses.append)
        ciphertext = encrypt_in_python(b"a password", PUBLIC_KEY)
        assert len(pauses) >= 4, "some in each of the two multiplications, of about 256 steps"
        assert sm2.decrypt(ciphertext, PRIVATE_KEY) == b"a password"

    @needs_gmssl_pyx
    @pytest.mark.parametrize("length", [1, 255])
    def test_gmssl_pyx_takes_all_lengths_it_is_given(self, length: int) -> None:
        ciphertext = sm2._encrypt_with_gmssl_pyx(b"p" * length, PUBLIC_KEY)
        assert sm2.decrypt(ciphertext, PRIVATE_KEY) == b"p" * length

    @relaxed
    @given(plaintext=st.binary(max_size=200), form=st.sampled_from(list(FORMS)))
    def test_in_every_form(self, plaintext: bytes, form: str) -> None:
        ciphertext = encrypt_in_python(plaintext, PUBLIC_KEY)
        assert sm2.decrypt(FORMS[form](ciphertext), PRIVATE_KEY) == plaintext
        # Without a text, C3 stands first and last.
        named = form if plaintext else form.replace("C1C2C3", "C1C3C2")
        assert sm2.decrypt_with_form(FORMS[form](ciphertext), PRIVATE_KEY) == (plaintext, named)

    @pytest.mark.parametrize(("axis", "digits", "scalar"), AWKWARD_SCALARS)
    def test_awkward_coordinates(self, axis: str, digits: str, scalar: int, encrypt: Encrypt) -> None:
        key = public_key_of(scalar)
        assert f"{getattr(key, axis):064x}".startswith(digits)
        # Of the key,
        assert sm2.decrypt(encrypt(b"password", key), scalar) == b"password"
        # and of C1.
        ciphertext = sm2._encrypt(b"password", PUBLIC_KEY, iter([scalar]))
        assert ciphertext[:64].hex() == key.to_hex()
        for transform in FORMS.values():
            assert sm2.decrypt(transform(ciphertext), PRIVATE_KEY) == b"password"

    @pytest.mark.parametrize("scalar", [*SHORT_SHARED_SCALARS, 1, sm2._N - 1])
    def test_awkward_scalars(self, scalar: int) -> None:
        ciphertext = sm2._encrypt(b"password", PUBLIC_KEY, iter([scalar]))
        assert sm2.decrypt(ciphertext, PRIVATE_KEY) == b"password"

    @relaxed
    @given(scalar=st.integers(1, sm2._N - 1), plaintext=st.binary(min_size=32, max_size=64))
    def test_any_key(self, scalar: int, plaintext: bytes) -> None:
        assert sm2.decrypt(sm2.encrypt(plaintext, public_key_of(scalar)), scalar) == plaintext

    def test_generated_keys(self) -> None:
        private_key, public_key = sm2.generate_key_pair()
        assert public_key == public_key_of(private_key)
        assert sm2.generate_key_pair() != (private_key, public_key)


class TestSmCrypto:
    def test_reads_ours(self, node: NodeWorker, encrypt: Encrypt) -> None:
        for private_key, public_key in key_pairs():
            for plaintext in passwords():
                ciphertext = encrypt(plaintext, public_key).hex()
                answer = node("sm2_decrypt", ciphertext=ciphertext, private_key=f"{private_key:064x}", mode=1)
                assert bytes.fromhex(answer) == plaintext

    def test_is_read(self, node: NodeWorker) -> None:
        for private_key, public_key in key_pairs():
            for plaintext in [b"", *passwords()]:
                key = "04" + public_key.to_hex()
                answer = node("sm2_encrypt", message=plaintext.hex(), public_key=key, mode=1)
                assert sm2.decrypt(bytes.fromhex(answer), private_key) == plaintext

    def test_refuses_ours_in_the_old_order(self, node: NodeWorker) -> None:
        arguments = {"ciphertext": EXAMPLE.hex(), "private_key": f"{PRIVATE_KEY:064x}"}
        assert bytes.fromhex(node("sm2_decrypt", mode=1, **arguments)) == b"encryption standard"
        assert node("sm2_decrypt", mode=0, **arguments) == ""


def key_pairs() -> list[tuple[int, SM2PublicKey]]:
    awkward = [(scalar, public_key_of(scalar)) for _, _, scalar in AWKWARD_SCALARS]
    return awkward + [sm2.generate_key_pair() for _ in range(38)]


def passwords() -> list[bytes]:
    return [b"ab", "密码😀".encode(), random.randbytes(31), random.randbytes(200)]


@needs_gmssl_pyx
class TestGmsslPyx:
    @relaxed
    @given(plaintext=st.binary(min_size=1, max_size=255))
    def test_reads_ours(self, plaintext: bytes) -> None:
        from gmssl_pyx import sm2_decrypt

        ciphertext = asn1(encrypt_in_python(plaintext, PUBLIC_KEY))
        assert sm2_decrypt(PRIVATE_KEY.to_bytes(32, "big"), ciphertext) == plaintext

    @settings(relaxed, max_examples=100)
    @given(plaintext=st.binary(min_size=1, max_size=255))
    def test_is_read(self, plaintext: bytes) -> None:
        from gmssl_pyx import sm2_encrypt

        assert sm2.decrypt(sm2_encrypt(bytes.fromhex(PUBLIC_KEY.to_hex()), plaintext), PRIVATE_KEY) == plaintext


class TestGmsslTraps:
    """Cases in which the encrypt or decrypt of gmssl 3.2.2 fails."""

    def test_the_random_module_s_seed_foretells_nothing(self, encrypt: Encrypt) -> None:
        ciphertexts = set()
        for _ in range(2):
            random.seed(1)
            ciphertexts.add(encrypt(b"password", PUBLIC_KEY)[:64])
        assert len(ciphertexts) == 2

    def test_an_empty_message_is_encrypted(self) -> None:
        # The private key is 1, so that the shared point is C1 itself.
        from gmssl.sm3 import sm3_hash

        ciphertext = sm2.encrypt(b"", public_key_of(1))
        assert len(ciphertext) == 96
        assert sm3_hash(list(ciphertext[:64])) == ciphertext[64:].hex()

    @pytest.mark.parametrize("scalar", ZERO_MASK_SCALARS)
    def test_a_zero_mask_calls_for_another_scalar(self, scalar: int) -> None:
        ciphertext = sm2._encrypt(b"a", PUBLIC_KEY, iter([scalar, EXAMPLE_SCALAR]))
        assert ciphertext[:64].hex() == EXAMPLE_C1
        assert sm2.decrypt(ciphertext, PRIVATE_KEY) == b"a"

    @pytest.mark.parametrize("scalar", ZERO_MASK_SCALARS)
    def test_a_zero_mask_is_read_since_sm_crypto_sends_it(self, scalar: int) -> None:
        shared = sm2._multiply(scalar, bytes.fromhex(PUBLIC_KEY.to_hex()))
        ciphertext = sm2._multiply(scalar, sm2._G) + sm2._checksum(shared, b"a") + b"a"
        assert sm2.decrypt(ciphertext, PRIVATE_KEY) == b"a"

    @settings(relaxed, max_examples=60)
    @given(form=st.sampled_from(list(FORMS)), position=st.integers(0, 1000), change=st.integers(1, 255))
    def test_c3_is_compared(self, form: str, position: int, change: int) -> None:
        mutated = bytearray(FORMS[form](EXAMPLE))
        mutated[position % len(mutated)] ^= change
        with pytest.raises(ValueError, match="damaged"):
            sm2.decrypt(bytes(mutated), PRIVATE_KEY)

    def test_an_off_curve_c1_is_refused(self) -> None:
        """Prevents a leak of the private key modulo small numbers; C3 is valid, so that only the curve is wrong."""
        c1 = EXAMPLE[:63] + bytes([EXAMPLE[63] ^ 1])
        shared = sm2._multiply(PRIVATE_KEY, c1)
        c2 = sm2._xor(b"password", sm2._mask(shared, 8))
        with pytest.raises(ValueError, match="damaged"):
            sm2.decrypt(c1 + sm2._checksum(shared, b"password") + c2, PRIVATE_KEY)

    def test_an_off_curve_key_is_refused(self) -> None:
        with pytest.raises(PasswordEncryptionError, match="not on the SM2 curve"):
            SM2PublicKey(PUBLIC_KEY.x, PUBLIC_KEY.y + 1)


class TestRefusals:
    @settings(relaxed, max_examples=200)
    @given(garbage=st.binary(max_size=300))
    def test_garbage(self, garbage: bytes) -> None:
        with pytest.raises(ValueError, match="damaged"):
            sm2.decrypt(garbage, PRIVATE_KEY)

    @pytest.mark.parametrize("transform", FORMS.values(), ids=FORMS)
    def test_a_cut_or_longer_ciphertext(self, transform: Callable[[bytes], bytes]) -> None:
        whole = transform(EXAMPLE)
        for changed in (whole[:-1], whole[2:], whole[:96], whole + b"\x00"):
            with pytest.raises(ValueError, match="damaged"):
                sm2.decrypt(changed, PRIVATE_KEY)

    def test_another_private_key(self) -> None:
        with pytest.raises(ValueError, match="another key"):
            sm2.decrypt(EXAMPLE, PRIVATE_KEY + 1)

    @pytest.mark.parametrize("private_key", [-1, 0, sm2._N])
    def test_an_impossible_private_key(self, private_key: int) -> None:
        with pytest.raises(ValueError, match="out of range"):
            sm2.decrypt(EXAMPLE, private_key)


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def openssl_spki(point: bytes) -> bytes:
    """Return OpenSSL's SubjectPublicKeyInfo with its point replaced."""
    return base64.b64decode(OPENSSL_PEM.split("-----")[2])[:-65] + b"\x04" + point


def pem_of(point: bytes) -> str:
    begin, _, end = OPENSSL_PEM.partition(OPENSSL_PEM.split("-----")[2])
    return begin + "\n" + base64.encodebytes(openssl_spki(point)).decode() + end


KEY_FORMS: dict[str, Callable[[bytes], str]] = {
    "hex": lambda point: point.hex(),
    "04 hex": lambda point: "04" + point.hex(),
    "HEX": lambda point: point.hex().upper(),
    "spaced": lambda point: f" \t04{point.hex()}\r\n",
    "base64": base64_of,
    "04 base64": lambda point: base64_of(b"\x04" + point),
    "SPKI": lambda point: base64_of(openssl_spki(point)),
    "wrapped SPKI": lambda point: base64.encodebytes(openssl_spki(point)).decode(),
    "hex SPKI": lambda point: openssl_spki(point).hex(),
    "PEM": pem_of,
    "PEM of Windows": lambda point: pem_of(point).replace("\n", "\r\n"),
    "PEM on one line": lambda point: pem_of(point).replace("\n", " "),
}


class TestKeys:
    @pytest.mark.parametrize("form", KEY_FORMS.values(), ids=KEY_FORMS)
    @pytest.mark.parametrize("scalar", [1, *(scalar for _, _, scalar in AWKWARD_SCALARS)])
    def test_forms(self, form: Callable[[bytes], str], scalar: int) -> None:
        point = sm2._multiply(scalar, sm2._G)
        key = SM2PublicKey.parse(form(point))
        assert key.to_hex() == point.hex()
        assert (key.x, key.y) == (int(point[:32].hex(), 16), int(point[32:].hex(), 16))

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "has 0 bytes"),
            ("not a key", "must be hex, base64 or PEM"),
            ("0", "must be hex, base64 or PEM"),
            ("00", "point at infinity"),
            ("00" * 64, "point at infinity"),
            ("04" + "00" * 64, "point at infinity"),
            (EXAMPLE_C1[:-2], "has 63 bytes"),
            (EXAMPLE_C1 + "0000", "has 66 bytes"),
            ("06" + EXAMPLE_C1, "begins with 06"),
            (EXAMPLE_C1[:-1] + "1", "not on the SM2 curve"),
            (f"{sm2._P:064x}{1:064x}", "out of range"),
            (f"{PUBLIC_KEY.x:064x}{sm2._P:064x}", "out of range"),
            ("02" + EXAMPLE_C1[:64], "compressed"),
            (OPENSSL_COMPRESSED, "compressed"),
            (f"{PRIVATE_KEY:064x}", "as a private key has"),
            ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "is a private key"),
            (base64_of(openssl_spki(bytes(64))), "point at infinity"),
            (base64_of(openssl_spki(bytes(64))[:-1]), "damaged ASN.1"),
            (
                base64_of(openssl_spki(b"").replace(b"\x82\x2d", b"\x82\x2e") + bytes(64)),
                "not a SubjectPublicKeyInfo of SM2",
            ),
            ("3080", "damaged ASN.1"),
        ],
    )
    def test_refusals(self, text: str, fault: str) -> None:
        with pytest.raises(PasswordEncryptionError, match=f"{fault}.*; pass the sm2.publicKey of GET /api/v3/system"):
            SM2PublicKey.parse(text)

    @settings(relaxed, max_examples=300)
    @given(text=st.text() | st.binary(max_size=100).map(base64_of) | st.text("0123456789abcdefABCDEF"))
    def test_garbage(self, text: str) -> None:
        with pytest.raises(PasswordEncryptionError):
            SM2PublicKey.parse(text)

    @settings(relaxed, max_examples=200)
    @given(position=st.integers(0, 90), change=st.integers(1, 255))
    def test_a_damaged_spki(self, position: int, change: int) -> None:
        damaged = bytearray(openssl_spki(bytes.fromhex(EXAMPLE_C1)))
        damaged[position] ^= change
        with pytest.raises(PasswordEncryptionError):
            SM2PublicKey.parse(base64_of(bytes(damaged)))
