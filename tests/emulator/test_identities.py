"""Accounts of users at external identity providers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.errors import (
    ApplicationNotFoundError,
    GenAuthAPIError,
    InvalidOperationError,
    NotFoundError,
    NotSignedInError,
)

pytestmark = pytest.mark.anyio


def _token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


async def test_identities_are_listed_and_unlinked_by_provider(emulator: Emulator, user: User, face: Any) -> None:
    wechat = emulator.ext_idps.add("wechat-pc", type="wechat")
    github = emulator.ext_idps.add("my-github", type="github")
    emulator.ext_idps.link(user, wechat, "o1", type="openid")
    emulator.ext_idps.link(user, wechat, "u1", type="unionid")
    emulator.ext_idps.link(user, github, "42")
    token = _token(emulator, user)
    answer = await face.get_identities(access_token=token)
    assert [(each.provider, each.type, each.user_id_in_idp) for each in answer.data] == [
        ("wechat", "openid", "o1"),
        ("wechat", "unionid", "u1"),
        ("github", "user_id", "42"),
    ]
    first = answer.data[0]
    assert (first.ext_idp_id, first.origin_conn_ids) == (wechat.ext_idp_id, [wechat.connection_id])
    await face.unlink_ext_idp(wechat.ext_idp_id, access_token=token)
    answer = await face.get_identities(access_token=token)
    assert [each.provider for each in answer.data] == ["github"]
    with pytest.raises(NotFoundError):
        await face.unlink_ext_idp(wechat.ext_idp_id, access_token=token)


async def test_a_user_cannot_unlink_the_identities_of_others(
    emulator: Emulator, user: User, client: AuthenticationClient
) -> None:
    github = emulator.ext_idps.add("my-github", type="github")
    emulator.ext_idps.link(user, github, "42")
    stranger = emulator.add_user(username="grace", password="passw0rd")
    with pytest.raises(NotFoundError):
        await client.unlink_ext_idp(github.ext_idp_id, access_token=_token(emulator, stranger))
    assert len(user.identities) == 1


async def test_the_last_way_to_sign_in_cannot_be_unlinked(emulator: Emulator, face: Any) -> None:
    github = emulator.ext_idps.add("my-github", type="github")
    gitlab = emulator.ext_idps.add("my-gitlab", type="gitlab")
    user = emulator.add_user(username="grace")
    emulator.ext_idps.link(user, github, "42")
    emulator.ext_idps.link(user, gitlab, "43")
    token = _token(emulator, user)
    await face.unlink_ext_idp(github.ext_idp_id, access_token=token)
    with pytest.raises(InvalidOperationError, match="only way"):
        await face.unlink_ext_idp(gitlab.ext_idp_id, access_token=token)
    assert len(user.identities) == 1
    user.password = "s3cret"
    await face.unlink_ext_idp(gitlab.ext_idp_id, access_token=token)
    assert user.identities == []


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
async def test_a_link_names_the_connection_application_and_user(algorithm: Any) -> None:
    with Emulator(id_token_alg=algorithm) as emulator:
        id_token = emulator.issue_tokens(emulator.add_user(username="ada"))["id_token"]
        emulator.ext_idps.add("my-github", type="github")
        async with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
            answer = await client.generate_link_ext_idp_url(
                "my-github", emulator.app_id, id_token, target_url="https://example.com/linked"
            )
        url = answer.data.url
        assert url.startswith(emulator.url)
        assert dict(parse_qsl(urlsplit(url).query)) == {
            "ext_idp_conn_identifier": "my-github",
            "app_id": emulator.app_id,
            "id_token": id_token,
            "target_url": "https://example.com/linked",
        }
        async with httpx.AsyncClient(verify=False, trust_env=False) as browser:
            response = await browser.get(url)
        assert response.status_code == 501
        assert "does not model" in response.json()["message"]


async def test_a_link_needs_a_valid_id_token_of_the_application(
    emulator: Emulator, user: User, client: AuthenticationClient
) -> None:
    emulator.ext_idps.add("my-github", type="github")
    old = emulator.issue_tokens(user)["id_token"]
    emulator.clock.advance(14 * 24 * 3600 + 1)
    other = emulator.add_app()
    issued = emulator.issue_tokens(user)
    foreign = Emulator(app_id=emulator.app_id, app_secret="other secret").issue_tokens(user)["id_token"]
    wrong = [old, foreign, issued["access_token"], "nonsense", emulator.issue_tokens(user, app=other)["id_token"]]
    for id_token in wrong:
        with pytest.raises(GenAuthAPIError) as refused:
            await client.generate_link_ext_idp_url("my-github", emulator.app_id, id_token)
        assert type(refused.value) is NotSignedInError
        assert refused.value.status_code == 401
        assert id_token not in str(refused.value)
    assert (await client.generate_link_ext_idp_url("my-github", emulator.app_id, issued["id_token"])).data.url


def test_an_rs256_id_token_is_for_its_own_application_only() -> None:
    with Emulator(id_token_alg="RS256") as emulator, httpx.Client(base_url=emulator.url, trust_env=False) as http:
        user = emulator.add_user(username="ada")
        other = emulator.add_app()
        emulator.ext_idps.add("my-github", type="github")
        for app, status in ((None, 200), (other, 401)):
            query = {
                "ext_idp_conn_identifier": "my-github",
                "app_id": emulator.app_id,
                "id_token": emulator.issue_tokens(user, app=app)["id_token"],
            }
            assert http.get("/api/v3/generate-link-extidp-url", params=query).json()["statusCode"] == status


async def test_a_link_needs_a_connection_that_the_application_has(
    emulator: Emulator, user: User, client: AuthenticationClient
) -> None:
    other = emulator.add_app()
    emulator.ext_idps.add("theirs", type="github", app_ids=[other.app_id])
    id_token = emulator.issue_tokens(user)["id_token"]
    for identifier in ("theirs", "nothing"):
        with pytest.raises(NotFoundError, match="connection"):
            await client.generate_link_ext_idp_url(identifier, emulator.app_id, id_token)
    with pytest.raises(ApplicationNotFoundError):
        await client.generate_link_ext_idp_url("theirs", "unknown", id_token)


def test_connections_are_told_apart(emulator: Emulator) -> None:
    emulator.ext_idps.add("my-github", type="github")
    with pytest.raises(ValueError, match="my-github already"):
        emulator.ext_idps.add("my-github", type="github")
    with pytest.raises(ValueError, match="type"):
        emulator.ext_idps.add("other", type="myspace")  # type: ignore[arg-type]
