from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from genauth_async import (
    ConflictError,
    InvalidArgumentError,
    InvalidOperationError,
    InvalidPassCodeError,
    NotSignedInError,
    UserNotFoundError,
)
from genauth_async.emulator import Emulator, User
from tests.emulator.pass_codes import another, sent_code

pytestmark = pytest.mark.anyio


class Contact:
    """An email address or a phone number, with the client's methods for it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        email = kind == "email"
        self.old = "ada@example.com" if email else "13800000000"
        self.new = "grace@example.com" if email else "13900000000"
        self.bind_channel = f"CHANNEL_BIND_{kind.upper()}"
        self.unbind_channel = f"CHANNEL_UNBIND_{kind.upper()}"
        self.old_channel = "CHANNEL_UPDATE_EMAIL" if email else self.unbind_channel
        self.new_channel = "CHANNEL_UPDATE_EMAIL" if email else self.bind_channel
        self.mismatch_code = 2037 if email else 2038
        self.taken_code = 2200 if email else 1320004

    def of(self, user: User) -> object:
        return getattr(user, self.kind)

    def owner(self, emulator: Emulator, address: str) -> User:
        """A new user who has the address, and nothing else."""
        return emulator.add_user(email=address) if self.kind == "email" else emulator.add_user(phone=address)

    def bind(self, face: Any, code: str, address: str, token: str) -> Awaitable[Any]:
        call: Awaitable[Any] = getattr(face, f"bind_{self.kind}")(code, address, access_token=token)
        return call

    def unbind(self, face: Any, code: str, token: str) -> Awaitable[Any]:
        call: Awaitable[Any] = getattr(face, f"unbind_{self.kind}")(code, access_token=token)
        return call

    async def verify(self, face: Any, token: str, **payload: str | None) -> str:
        suffix = "Email" if self.kind == "email" else "PhoneNumber"
        wire = "Email" if self.kind == "email" else "Phone"
        names = {
            "new": f"new{suffix}",
            "new_code": f"new{wire}PassCode",
            "old": f"old{suffix}",
            "old_code": f"old{wire}PassCode",
        }
        sent = {names[name]: value for name, value in payload.items() if value is not None}
        verify = getattr(face, f"verify_update_{self.kind}_request")
        answer = await verify(sent, f"{self.kind.upper()}_PASSCODE", access_token=token)
        assert answer.data.token_expires_in == 60
        return str(answer["data"][f"update{wire}Token"])

    async def verified(self, face: Any, emulator: Emulator, token: str) -> str:
        """The token for the change from the old to the new address."""
        old_code = await sent_code(face, emulator, self.old, self.old_channel)
        new_code = await sent_code(face, emulator, self.new, self.new_channel)
        return await self.verify(face, token, new=self.new, new_code=new_code, old=self.old, old_code=old_code)

    def update(self, face: Any, update_token: str, token: str) -> Awaitable[Any]:
        call: Awaitable[Any] = getattr(face, f"update_{self.kind}")(update_token, access_token=token)
        return call

    async def signs_in(self, face: Any, emulator: Emulator, address: str) -> str:
        """Signs in with a pass code sent to the address, and gives the user's id."""
        code = await sent_code(face, emulator, address, "CHANNEL_LOGIN")
        sign_in = getattr(face, f"sign_in_by_{self.kind}_passcode")
        signed_in = await sign_in(address, code)
        profile = await face.get_profile(access_token=signed_in.data.access_token)
        return str(profile.data.user_id)


@pytest.fixture(params=["email", "phone"])
def contact(request: pytest.FixtureRequest) -> Contact:
    return Contact(request.param)


def _signed_in(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


async def test_what_is_bound_signs_in(face: Any, emulator: Emulator, contact: Contact) -> None:
    user = emulator.add_user(username="grace")
    token = _signed_in(emulator, user)
    code = await sent_code(face, emulator, contact.new, contact.bind_channel)
    for wrong in (another(code), await sent_code(face, emulator, contact.new, "CHANNEL_LOGIN")):
        with pytest.raises(InvalidPassCodeError):
            await contact.bind(face, wrong, contact.new, token)
    with pytest.raises(InvalidPassCodeError):
        await contact.bind(face, code, contact.old, token)  # sent to another address
    assert contact.of(user) is None
    emulator.clock.advance(59)
    await contact.bind(face, code, contact.new, token)
    assert contact.of(user) == contact.new
    emulator.clock.advance(1)
    assert await contact.signs_in(face, emulator, contact.new) == user.id
    profile = await face.get_profile(access_token=token)
    assert profile["data"][f"{contact.kind}Verified"] is True
    assert profile.data.updated_at > profile.data.created_at


async def test_a_country_code_is_bound_too(face: Any, emulator: Emulator) -> None:
    token = _signed_in(emulator, emulator.add_user(username="grace"))
    code = await sent_code(face, emulator, "2025550123", "CHANNEL_BIND_PHONE")
    await face.bind_phone(code, "2025550123", "+1", access_token=token)
    assert (await face.get_profile(access_token=token)).data.phone_country_code == "+1"


async def test_only_who_has_none_binds(face: Any, emulator: Emulator, user: User, contact: Contact) -> None:
    code = await sent_code(face, emulator, contact.new, contact.bind_channel)
    with pytest.raises(InvalidOperationError):
        await contact.bind(face, code, contact.new, _signed_in(emulator, user))
    assert contact.of(user) == contact.old


@pytest.mark.usefixtures("user")
async def test_a_user_cannot_bind_the_contact_of_another(face: Any, emulator: Emulator, contact: Contact) -> None:
    grace = emulator.add_user(username="grace")
    code = await sent_code(face, emulator, contact.old, contact.bind_channel)
    with pytest.raises(ConflictError) as caught:
        await contact.bind(face, code, contact.old, _signed_in(emulator, grace))
    assert caught.value.api_code == contact.taken_code
    assert contact.of(grace) is None


async def test_what_is_unbound_is_free(face: Any, emulator: Emulator, user: User, contact: Contact) -> None:
    token = _signed_in(emulator, user)
    elsewhere = await sent_code(face, emulator, contact.new, contact.unbind_channel)
    with pytest.raises(InvalidPassCodeError):
        await contact.unbind(face, elsewhere, token)
    code = await sent_code(face, emulator, contact.old, contact.unbind_channel)
    await contact.unbind(face, code, token)
    assert contact.of(user) is None
    with pytest.raises(UserNotFoundError):
        await contact.signs_in(face, emulator, contact.old)
    with pytest.raises(InvalidOperationError):
        await contact.unbind(face, code, token)  # there is none any more
    successor = contact.owner(emulator, contact.old)
    emulator.clock.advance(61)
    assert await contact.signs_in(face, emulator, contact.old) == successor.id


async def test_the_only_way_to_sign_in_stays(face: Any, emulator: Emulator, contact: Contact) -> None:
    user = contact.owner(emulator, contact.old)
    code = await sent_code(face, emulator, contact.old, contact.unbind_channel)
    with pytest.raises(InvalidOperationError):
        await contact.unbind(face, code, _signed_in(emulator, user))
    user.identities.append({"provider": "github"})
    await contact.unbind(face, code, _signed_in(emulator, user))  # the code is still good
    assert contact.of(user) is None


async def test_an_update_moves_the_user(face: Any, emulator: Emulator, user: User, contact: Contact) -> None:
    token = _signed_in(emulator, user)
    update_token = await contact.verified(face, emulator, token)
    assert contact.of(user) == contact.old  # nothing happens before the second step
    assert (await contact.update(face, update_token, token)).data.success is True
    assert await contact.signs_in(face, emulator, contact.new) == user.id
    with pytest.raises(UserNotFoundError):
        await contact.signs_in(face, emulator, contact.old)
    with pytest.raises(InvalidArgumentError):
        await contact.update(face, update_token, token)  # a second use


async def test_who_has_none_proves_the_new_one_only(face: Any, emulator: Emulator, contact: Contact) -> None:
    user = emulator.add_user(username="grace")
    token = _signed_in(emulator, user)
    code = await sent_code(face, emulator, contact.new, contact.new_channel)
    await contact.update(face, await contact.verify(face, token, new=contact.new, new_code=code), token)
    assert contact.of(user) == contact.new


async def test_an_update_needs_both_codes(face: Any, emulator: Emulator, user: User, contact: Contact) -> None:
    token = _signed_in(emulator, user)
    old_code = await sent_code(face, emulator, contact.old, contact.old_channel)
    new_code = await sent_code(face, emulator, contact.new, contact.new_channel)
    right = {"new": contact.new, "new_code": new_code, "old": contact.old, "old_code": old_code}
    for wrong in ({"new_code": another(new_code)}, {"old_code": another(old_code)}):
        with pytest.raises(InvalidPassCodeError):
            await contact.verify(face, token, **{**right, **wrong})
    for missing in ("old", "old_code"):
        with pytest.raises(InvalidArgumentError, match="old"):
            await contact.verify(face, token, **{**right, missing: None})
    with pytest.raises(InvalidArgumentError) as caught:
        await contact.verify(face, token, **{**right, "old": contact.new})
    assert caught.value.api_code == contact.mismatch_code
    assert await contact.verify(face, token, **right)  # both codes are still good
    with pytest.raises(InvalidPassCodeError):
        await contact.verify(face, token, **right)


async def test_an_update_to_the_same_is_refused(face: Any, emulator: Emulator, user: User, contact: Contact) -> None:
    code = await sent_code(face, emulator, contact.old, contact.new_channel)
    with pytest.raises(InvalidOperationError):
        await contact.verify(
            face, _signed_in(emulator, user), new=contact.old.upper(), new_code=code, old=contact.old, old_code=code
        )


async def test_what_is_taken_is_not_updated_to(face: Any, emulator: Emulator, user: User, contact: Contact) -> None:
    token = _signed_in(emulator, user)
    update_token = await contact.verified(face, emulator, token)
    grace = contact.owner(emulator, contact.new)
    with pytest.raises(ConflictError):
        await contact.update(face, update_token, token)
    emulator.clock.advance(61)
    with pytest.raises(ConflictError) as caught:
        await contact.verified(face, emulator, token)
    assert caught.value.api_code == contact.taken_code
    assert (contact.of(user), contact.of(grace)) == (contact.old, contact.new)


async def test_an_update_token_is_for_one_user_once_and_soon(
    face: Any, emulator: Emulator, user: User, contact: Contact
) -> None:
    token = _signed_in(emulator, user)
    thief = emulator.add_user(username="thief")
    update_token = await contact.verified(face, emulator, token)
    with pytest.raises(InvalidArgumentError):
        await contact.update(face, update_token, _signed_in(emulator, thief))
    assert contact.of(thief) is None
    emulator.clock.advance(60)
    with pytest.raises(InvalidArgumentError):
        await contact.update(face, update_token, token)
    assert contact.of(user) == contact.old


async def test_an_update_token_is_worthless_after_another_change(
    face: Any, emulator: Emulator, user: User, contact: Contact
) -> None:
    token = _signed_in(emulator, user)
    update_token = await contact.verified(face, emulator, token)
    emulator._state.users.change(user, "email" if contact.kind == "email" else "phone", None)
    with pytest.raises(InvalidArgumentError):
        await contact.update(face, update_token, token)
    assert contact.of(user) is None


async def test_strangers_change_nothing(face: Any, user: User, contact: Contact) -> None:
    for call in (
        contact.bind(face, "123456", contact.new, "stale"),
        contact.unbind(face, "123456", "stale"),
        contact.verify(face, "stale", new=contact.new, new_code="123456"),
        contact.update(face, "anything", "stale"),
    ):
        with pytest.raises(NotSignedInError):
            await call
    assert contact.of(user) == contact.old
