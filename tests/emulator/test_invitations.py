"""Becoming a user by invitation: by a user's link, or as the one person who was invited."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.errors import (
    ConflictError,
    ForbiddenError,
    GenAuthAPIError,
    InvalidArgumentError,
    NotFoundError,
    ServerError,
)

pytestmark = pytest.mark.anyio

GRACE = {"name": "Grace", "email": "grace@example.com"}


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


async def _link(face: Any, token: str) -> str:
    answer = await face.generate_universal_invitation_by_member(access_token=token)
    link: str = answer.data.link
    return dict(parse_qsl(urlsplit(link).query))["identifier"]


async def _email_code(emulator: Emulator, face: Any, email: str = "grace@example.com") -> str:
    await face.send_email("CHANNEL_REGISTER", email)
    return emulator.inbox.code_for(email, channel="CHANNEL_REGISTER")


def _user(emulator: Emulator, email: str = "grace@example.com") -> User | None:
    return emulator._state.users.by_email(email)


async def test_a_stranger_joins_by_the_link_of_a_user(emulator: Emulator, token: str, face: Any) -> None:
    identifier = await _link(face, token)
    config = await face.get_universal_invitation_public_config(identifier)
    assert config.data.to_dict() == {"userPool": {"name": "Emulator"}, "inviter": {"displayName": "Ada"}}
    code = await _email_code(emulator, face)
    answer = await face.signup_by_universal(code, identifier, profile=GRACE)
    assert answer.data.status == "PASSED"
    joined = _user(emulator)
    assert joined is not None
    assert (joined.name, joined.email_verified, joined.source) == ("Grace", True, "register")
    assert emulator.invitations.pending == []


async def test_an_administrator_may_have_to_agree(emulator: Emulator, token: str, face: Any) -> None:
    emulator.invitations.need_approval = True
    identifier = await _link(face, token)
    code = await _email_code(emulator, face)
    answer = await face.signup_by_universal(code, identifier, profile=GRACE)
    assert answer.data.status == "PENDING"
    assert _user(emulator) is None
    (application,) = emulator.invitations.pending
    assert emulator.invitations.approve(application) is _user(emulator)
    assert emulator.invitations.pending == []
    with pytest.raises(ValueError, match="approved before"):
        emulator.invitations.approve(application)


async def test_a_link_ends_when_cleared_expired_or_its_user_removed(
    emulator: Emulator, user: User, token: str, face: Any
) -> None:
    other = emulator.add_user(username="alan")
    others_link = await _link(face, emulator.issue_tokens(other)["access_token"])
    cleared = [await _link(face, token), await _link(face, token)]
    assert (await face.clear_my_all_universal_invitation_links(access_token=token)).data.success is True
    expired = await _link(face, token)
    assert (await face.get_universal_invitation_public_config(others_link)).data.inviter.display_name == "alan"
    emulator.clock.advance(7 * 24 * 3600)
    orphaned = await _link(face, token)
    emulator._state.users.remove(user)
    code = await _email_code(emulator, face)
    for identifier in (*cleared, expired, orphaned, "nonsense"):
        with pytest.raises(NotFoundError):
            await face.get_universal_invitation_public_config(identifier)
        with pytest.raises(NotFoundError):
            await face.signup_by_universal(code, identifier, profile=GRACE)
    assert _user(emulator) is None


async def test_joining_by_a_link_uses_up_the_code_sent_to_the_address(
    emulator: Emulator, token: str, client: AuthenticationClient
) -> None:
    identifier = await _link(client, token)
    code = await _email_code(emulator, client)
    with pytest.raises(GenAuthAPIError) as wrong:
        await client.signup_by_universal(code, identifier, profile={"name": "Eve", "email": "eve@example.com"})
    assert wrong.value.api_code == 2001
    await client.signup_by_universal(code, identifier, profile=GRACE)
    with pytest.raises(GenAuthAPIError) as used:
        await client.signup_by_universal(code, identifier, profile=GRACE)
    assert used.value.api_code == 2001
    for emulator.invitations.need_approval in (False, True):
        emulator.clock.advance(60)
        with pytest.raises(ConflictError):
            await client.signup_by_universal(await _email_code(emulator, client), identifier, profile=GRACE)
    assert emulator.invitations.pending == []


async def test_users_may_be_kept_from_inviting(emulator: Emulator, token: str, client: AuthenticationClient) -> None:
    emulator.invitations.by_members = False
    with pytest.raises(ForbiddenError):
        await client.generate_universal_invitation_by_member(access_token=token)


@pytest.mark.parametrize("given_again", [True, False], ids=["code given again", "code given once"])
async def test_the_invited_person_joins_after_proving_the_address(
    emulator: Emulator, face: Any, given_again: bool
) -> None:
    invitation = emulator.invitations.invite("grace@example.com", name="Grace", phone="13900000000")
    answer = await face.generate_invite_token(invitation.signature, invitation.identifier, with_invitee_info=True)
    token = answer.data.token
    context = {
        "enabledIdentifierVerify": True,
        "sendVerifyCodeMethod": "priorityEmail",
        "enabledInfoFill": False,
        "extendsFields": [],
        "extendsFieldsI18n": {},
        "extendsFieldsOptions": [],
        "email": "grace@example.com",
        "phone": "13900000000",
        "phoneCountryCode": "+86",
        "inviteeName": "Grace",
        "verifyCodeMaxErrCount": 5,
    }
    assert answer.data.invitation_context.to_dict() == context
    assert (await face.get_invite_code_context(token)).data.to_dict() == context
    code = await _email_code(emulator, face)
    assert (await face.verify_invite_code("emailCode", code, token)).data.success is True
    again = {"code": code, "receiver_type": "emailCode"} if given_again else {}
    profile = {"username": "grace", "company": "Navy", "gender": "F", "customData": {"rank": "admiral"}}
    assert (await face.signup_by_policy(token, **again, profile=profile)).data.success is True
    joined = _user(emulator)
    assert joined is not None
    assert invitation.user is joined
    assert (joined.username, joined.name, joined.phone) == ("grace", "Grace", "13900000000")
    assert (joined.profile, joined.custom_data) == ({"company": "Navy", "gender": "F"}, {"rank": "admiral"})
    with pytest.raises(GenAuthAPIError):
        await face.signup_by_policy(token, **again, profile=profile)
    with pytest.raises(NotFoundError):
        await face.generate_invite_token(invitation.signature, invitation.identifier)


@pytest.mark.parametrize("receiver", ["emailCode", "smsCode"])
async def test_the_code_can_come_with_joining_itself(
    emulator: Emulator, client: AuthenticationClient, receiver: str
) -> None:
    invitation = emulator.invitations.invite("grace@example.com", phone="13900000000")
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    if receiver == "emailCode":
        code = await _email_code(emulator, client)
    else:
        await client.send_sms("CHANNEL_REGISTER", "13900000000")
        code = emulator.inbox.code_for("13900000000")
    await client.signup_by_policy(token, code=code, receiver_type=receiver)
    assert invitation.user is not None


async def test_joining_needs_a_code_of_the_same_session(emulator: Emulator, client: AuthenticationClient) -> None:
    invitation = emulator.invitations.invite("grace@example.com")

    async def session() -> str:
        token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
        assert token is not None
        return token

    graces, thiefs = await session(), await session()
    code = await _email_code(emulator, client)
    await client.verify_invite_code("emailCode", code, graces)
    with pytest.raises(InvalidArgumentError, match="code"):
        await client.signup_by_policy(thiefs)
    with pytest.raises(GenAuthAPIError) as used:
        await client.signup_by_policy(thiefs, code=code, receiver_type="emailCode")
    assert used.value.api_code == 2001
    with pytest.raises(GenAuthAPIError):
        await client.signup_by_policy(graces, code="000000x", receiver_type="emailCode")
    assert invitation.user is None
    await client.signup_by_policy(graces)


async def test_too_many_wrong_codes_make_an_invitation_worthless(
    emulator: Emulator, client: AuthenticationClient
) -> None:
    invitation = emulator.invitations.invite("grace@example.com")
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    code = await _email_code(emulator, client)
    for _ in range(5):
        with pytest.raises(GenAuthAPIError) as wrong:
            await client.verify_invite_code("emailCode", f"{code}0", token)
        assert wrong.value.api_code == 2001
    with pytest.raises(ForbiddenError):
        await client.verify_invite_code("emailCode", code, token)
    with pytest.raises(ForbiddenError):
        await client.generate_invite_token(invitation.signature, invitation.identifier)


async def test_an_invitation_without_a_code_needs_none(emulator: Emulator, client: AuthenticationClient) -> None:
    invitation = emulator.invitations.invite("grace@example.com", needs_code=False)
    answer = await client.generate_invite_token(invitation.signature, invitation.identifier)
    assert answer.data.invitation_context is None
    assert answer.data.token is not None
    assert (await client.get_invite_code_context(answer.data.token)).data.enabled_identifier_verify is False
    await client.signup_by_policy(answer.data.token)
    assert invitation.user is _user(emulator)


async def test_another_phone_number_needs_a_code_of_its_own(emulator: Emulator, client: AuthenticationClient) -> None:
    invitation = emulator.invitations.invite("grace@example.com", needs_code=False)
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    profile = {"phone": "13900000000"}
    with pytest.raises(InvalidArgumentError, match="phonePassCodeForInformationCompletion"):
        await client.signup_by_policy(token, profile=profile)
    await client.send_sms("CHANNEL_COMPLETE_PHONE", "13900000000")
    code = emulator.inbox.code_for("13900000000")
    for wrong, number in ((f"{code}0", "13900000000"), (code, "13911111111")):
        options = {"phonePassCodeForInformationCompletion": wrong}
        with pytest.raises(GenAuthAPIError) as refused:
            await client.signup_by_policy(token, profile={"phone": number}, options=options)
        assert refused.value.api_code == 2001
    options = {"phonePassCodeForInformationCompletion": code}
    await client.signup_by_policy(token, profile=profile, options=options)
    assert invitation.user is not None
    assert (invitation.user.phone, invitation.user.phone_verified) == ("13900000000", True)
    assert not invitation.user.email_verified


async def test_another_email_address_is_not_modelled(emulator: Emulator, client: AuthenticationClient) -> None:
    invitation = emulator.invitations.invite("grace@example.com", needs_code=False)
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    with pytest.raises(ServerError, match="does not model"):
        await client.signup_by_policy(token, profile={"email": "eve@example.com"})
    assert _user(emulator, "eve@example.com") is None


async def test_a_taken_name_can_be_replaced_in_the_same_invitation(
    emulator: Emulator, user: User, client: AuthenticationClient
) -> None:
    invitation = emulator.invitations.invite("grace@example.com")
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    await client.verify_invite_code("emailCode", await _email_code(emulator, client), token)
    with pytest.raises(ConflictError):
        await client.signup_by_policy(token, profile={"username": user.username})
    await client.signup_by_policy(token, profile={"username": "grace"})
    assert invitation.user is not None


async def test_wrong_and_expired_invitations_are_refused_alike(
    emulator: Emulator, client: AuthenticationClient
) -> None:
    invitation = emulator.invitations.invite("grace@example.com", lifetime=60)
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    messages = set()
    for signature, identifier in (("wrong", invitation.identifier), (invitation.signature, "wrong"), ("x", "wrong")):
        with pytest.raises(NotFoundError) as refused:
            await client.generate_invite_token(signature, identifier)
        messages.add(refused.value.message)
    emulator.clock.advance(60)
    with pytest.raises(NotFoundError) as refused:
        await client.get_invite_code_context(token)
    messages.add(refused.value.message)
    assert len(messages) == 1
    with pytest.raises(InvalidArgumentError):
        await client.get_invite_code_context("nonsense")


async def test_a_session_ends_after_half_an_hour(emulator: Emulator, client: AuthenticationClient) -> None:
    invitation = emulator.invitations.invite("grace@example.com", needs_code=False)
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    emulator.clock.advance(30 * 60)
    with pytest.raises(InvalidArgumentError):
        await client.signup_by_policy(token)
    assert invitation.user is None


def test_an_invitation_hides_its_signature(emulator: Emulator) -> None:
    invitation = emulator.invitations.invite("grace@example.com")
    assert invitation.signature not in repr(invitation)


@pytest.mark.parametrize("separately", [False, True])
@pytest.mark.parametrize("receiver", ["emailCode", "smsCode", None])
async def test_only_what_was_proved_counts_as_verified(
    emulator: Emulator, client: AuthenticationClient, receiver: str | None, separately: bool
) -> None:
    phone = "13900000000"
    invitation = emulator.invitations.invite("grace@example.com", phone=phone, needs_code=receiver is not None)
    token = (await client.generate_invite_token(invitation.signature, invitation.identifier)).data.token
    assert token is not None
    arguments: dict[str, Any] = {}
    if receiver == "emailCode":
        arguments = {"code": await _email_code(emulator, client), "receiver_type": receiver}
    elif receiver == "smsCode":
        await client.send_sms("CHANNEL_REGISTER", phone)
        arguments = {"code": emulator.inbox.code_for(phone), "receiver_type": receiver}
    if separately and receiver is not None:
        await client.verify_invite_code(receiver, arguments["code"], token)
        arguments = {}
    await client.signup_by_policy(token, **arguments)
    joined = invitation.user
    assert joined is not None
    assert (joined.email_verified, joined.phone_verified) == (receiver == "emailCode", receiver == "smsCode")
