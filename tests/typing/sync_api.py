"""Never run: checked by mypy and pyright, as a user's program would be."""

from __future__ import annotations

from typing import assert_type

import httpx
import httpx2

import genauth_sync.models
from genauth_sync import (
    AuthenticationClient,
    IntrospectionResponse,
    LoginTokenRespDto,
    LoginTokenResponseDataDto,
    MemoryStore,
    MFARequiredError,
    OIDCTokenResponse,
    SignInOptionsDto,
    SystemInfoResp,
    TokenSession,
    TokenSet,
    TokenStore,
    UserDto,
    UserInfo,
)
from genauth_sync.emulator import Emulator, User
from genauth_sync.models import BindEmailDto


def uses() -> None:
    AuthenticationClient("id", http_client=httpx.AsyncClient())
    AuthenticationClient("id", http_client=httpx2.AsyncClient())
    AuthenticationClient("id", transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    AuthenticationClient("id", transport=httpx2.MockTransport(lambda _: httpx2.Response(200)))
    AuthenticationClient("id", timeout=httpx.Timeout(5.0))
    AuthenticationClient("id", timeout=httpx2.Timeout(5.0))
    AuthenticationClient("id", timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(AuthenticationClient.from_env(), AuthenticationClient)

    with AuthenticationClient("id", "https://a.example", "secret") as client:
        assert_type(client, AuthenticationClient)
        assert_type(client.with_options(timeout=1.0), AuthenticationClient)
        answer = client.sign_in_by_account_password("a", "p", SignInOptionsDto(password_encrypt_type="sm2"))
        assert_type(answer, LoginTokenRespDto)
        assert_type(answer.data, LoginTokenResponseDataDto)
        assert_type(answer.data.access_token, str | None)
        assert_type(answer["data"], object)
        assert_type(answer.to_dict(), dict[str, object])
        client.sign_in_by_account_password("a", "p", {"passwordEncryptType": "sm2"})
        SignInOptionsDto(password_encrypt_type="md5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        answer.data.scope = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        assert_type((client.get_profile()).data, UserDto)
        assert_type(client.get_system_info(), SystemInfoResp)
        assert_type(client.call("GET", "/api/v3/get-profile", into=UserDto), UserDto)
        assert_type((client.call("POST", "/api/v3/new", json={}))["a"], object)
        client.call("TRACE", "/x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
        assert_type(client.introspect_token("t"), IntrospectionResponse)
        assert_type(client.get_user_info_by_access_token("t"), UserInfo)
        assert_type(client.get_new_access_token_by_refresh_token("t"), OIDCTokenResponse)
        assert_type(client.revoke_token("t"), bool)

        store: TokenStore = MemoryStore()

        def saved(tokens: TokenSet) -> None:
            del tokens

        session = client.session(answer, store=store, key="k", on_tokens=saved)
        assert_type(session, TokenSession)
        assert_type(session.access_token(), str)
        assert_type(session.refresh(), TokenSet)
        assert_type(session.tokens.expires_in, int | None)
        client.session(session.tokens)
        client.session({"access_token": "a"}, on_tokens=lambda _: None)


def reacts(error: MFARequiredError) -> None:
    assert_type(error.mfa_token, str | None)
    assert_type(error.factors, tuple[str, ...])
    assert_type(error.retry_after, float | None)


def names_of_the_core(emulator: Emulator, user: genauth_sync.models.UserDto) -> None:
    assert_type(user, UserDto)
    assert_type(emulator.add_user(username="test", password="passw0rd"), User)
    assert_type(BindEmailDto(pass_code="1234", email="a@example.com").email, str)
    print(genauth_sync.models.NoSuchDto)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(genauth_sync.NoSuchDto)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
