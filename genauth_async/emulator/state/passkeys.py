"""Passkeys, and their verification by WebAuthn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from attrs import define, field, frozen

from .clock import Clock
from .errors import ApiError
from .users import User

if TYPE_CHECKING:
    from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
    from webauthn.registration.verify_registration_response import VerifiedRegistration

_Credential = TypeVar("_Credential")
AuthenticatorCode = Literal["fingerprint", "face", "other"]
AUTHENTICATOR_CODES: tuple[AuthenticatorCode, ...] = ("fingerprint", "face", "other")


@define(eq=False, kw_only=True)
class Passkey:
    """A credential that a user has registered.

    Attributes:
        id: the credential id in base64url, as WebAuthn writes it in JSON.
        sign_count: the signature counter of the authenticator; zero if it does not count.
    """

    id: str
    user_id: str
    public_key: bytes = field(repr=False)
    sign_count: int
    authenticator_code: AuthenticatorCode
    name: str
    transports: Sequence[str]
    created_at: float
    last_used_at: float | None = None


@frozen
class RelyingParty:
    """The relying party (WebAuthn section 4): a domain and its origins."""

    id: str
    origins: Sequence[str]


class Passkeys:
    """The passkeys of all users.

    Attributes:
        rp_id: the domain to which passkeys are bound; None for the host of the emulator's URL. Browsers need a name,
            such as "localhost", not an IP address.
        origins: the allowed origins of pages, besides the emulator's own URL, such as "http://localhost:3000".
    """

    def __init__(self, clock: Clock) -> None:
        self.rp_id: str | None = None
        self.origins: set[str] = set()
        self._clock = clock
        self._lock = Lock()
        self._passkeys: dict[str, Passkey] = {}

    def of(self, user: User) -> list[Passkey]:
        """List the passkeys of a user, oldest first."""
        return [passkey for passkey in self if passkey.user_id == user.id]

    def relying_party(self, url: str) -> RelyingParty:
        """Return the relying party of an emulator with that URL."""
        return RelyingParty(self.rp_id or urlsplit(url).hostname or "", [url, *self.origins])

    def find(self, credential_id: str) -> Passkey | None:
        """Find a passkey of any user."""
        return self._passkeys.get(credential_id)

    def get(self, user: User, credential_id: str) -> Passkey:
        """Return one of the user's own passkeys; those of other users look unknown."""
        passkey = self.find(credential_id)
        if passkey is None or passkey.user_id != user.id:
            raise ApiError(404, "the user has no such passkey")
        return passkey

    def add(self, passkey: Passkey) -> bool:
        """Register a passkey; return False if there is one with its id already."""
        with self._lock:
            if passkey.id in self._passkeys:
                return False
            self._passkeys[passkey.id] = passkey
            return True

    def use(self, passkey: Passkey, sign_count: int) -> bool:
        """Record a use; return False if the passkey was removed, or its counter shows a copy."""
        with self._lock:
            counts = sign_count > 0 or passkey.sign_count > 0
            if passkey.id not in self._passkeys or (counts and sign_count <= passkey.sign_count):
                return False
            passkey.sign_count = sign_count
            passkey.last_used_at = self._clock.now()
            return True

    def remove(self, user: User, credential_id: str) -> None:
        """Remove one of the user's own passkeys."""
        with self._lock:
            del self._passkeys[self.get(user, credential_id).id]

    def remove_all(self, user: User, authenticator_code: str | None = None) -> None:
        """Remove all passkeys of the user, or those of one kind of authenticator."""
        with self._lock:
            for passkey in self.of(user):
                if authenticator_code in {None, passkey.authenticator_code}:
                    del self._passkeys[passkey.id]

    def __iter__(self) -> Iterator[Passkey]:
        return iter(list(self._passkeys.values()))

    def __len__(self) -> int:
        return len(self._passkeys)


# The package takes a seventh of a second to import, so only users of passkeys wait for it, in worker threads. For
# damaged credentials it raises, besides its own exceptions, any exception of its decoders: TypeError, KeyError, ...


def verify_registration(
    credential: dict[str, object], challenge: bytes, party: RelyingParty
) -> VerifiedRegistration | None:
    """Verify an attestation; return None if it is invalid, and refuse what is no attestation at all."""
    from webauthn import verify_registration_response as verify
    from webauthn.helpers import parse_registration_credential_json as parse

    parsed = _parsed(parse, credential, "registrationCredential")
    with suppress(Exception):
        return verify(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
        )
    return None


def verify_authentication(
    credential: dict[str, object], challenge: bytes, party: RelyingParty, passkey: Passkey
) -> VerifiedAuthentication | None:
    """Verify an assertion of this passkey; return None if it is invalid, and refuse what is no assertion at all."""
    from webauthn import verify_authentication_response as verify
    from webauthn.helpers import parse_authentication_credential_json as parse

    parsed = _parsed(parse, credential, "authenticationCredential")
    with suppress(Exception):
        return verify(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
        )
    return None


def _parsed(parse: Callable[[dict[str, object]], _Credential], credential: dict[str, object], name: str) -> _Credential:
    try:
        return parse(credential)
    except Exception as error:
        raise ApiError(400, f"{name} is not as WebAuthn has it") from error
