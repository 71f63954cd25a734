"""Profile claims of a token: unexpected values never refuse it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genauth_async import AuthenticationClient, IDToken, MalformedTokenError, UserInfo
from genauth_async.emulator import Emulator
from genauth_async.models._fields import wire_names
from tests.core.forging import Forge

OTHERS = {"address", "custom"}
PROFILE = sorted({*wire_names(UserInfo).values()} - {"sub"} | {"acr", "amr"} | OTHERS)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    with Emulator() as emulator:
        forge = Forge(emulator)
        assert forge.key  # created now, so that no test's pool owns it
        yield forge


@pytest.fixture(scope="module")
def client(forge: Forge) -> AuthenticationClient:
    emulator = forge.emulator
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)

    async def prepare() -> None:
        async with client:
            await client.fetch_keys()

    anyio.run(prepare)
    return client


def read(client: AuthenticationClient, token: str) -> IDToken:
    """Return the claims without a request: the keys are cached."""
    with pytest.raises(StopIteration) as ended:
        client.verify_id_token(token).send(None)
    claims: IDToken = ended.value.value
    return claims


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email_verified", "true"),
        ("email_verified", 1),
        ("phone_number_verified", "false"),
        ("email", {}),
        ("gender", False),
        ("locale", ["de"]),
        ("acr", []),
    ],
)
def test_a_claim_of_another_type_is_none_and_kept_as_it_came(
    name: str, value: object, forge: Forge, client: AuthenticationClient
) -> None:
    for _ in range(2):
        claims = read(client, forge.id(**{"name": "Ada", name: value}))
        assert getattr(claims, name) is None
        assert claims.extra[name] == claims[name] == claims.get(name) == claims.to_dict()[name] == value
        assert name in claims
        assert list(claims).count(name) == 1
        assert (claims.name, claims.nonce) == ("Ada", "a-nonce")


def test_a_claim_that_is_set_right_is_listed_once(forge: Forge, client: AuthenticationClient) -> None:
    odd = read(client, forge.id(email_verified="true", hobby="chess"))
    claims = odd.evolve(email_verified=True)
    assert claims.email_verified is claims["email_verified"] is claims.to_dict()["email_verified"] is True
    assert claims.extra == {"jti": "an-id", "hobby": "chess"}
    assert dict(claims) == claims.to_dict()
    assert len(claims) == len(dict(claims))
    assert odd["email_verified"] == "true"
    assert "email_verified" not in odd.evolve(email_verified=None)
    assert odd.evolve(extra={"email_verified": "no"})["email_verified"] == "no"


def test_an_odd_claim_about_the_user_hides_none_that_matters(forge: Forge, client: AuthenticationClient) -> None:
    with pytest.raises(MalformedTokenError, match="auth_time"):
        client.verify_id_token(forge.id(email={}, auth_time=True)).send(None)


def test_a_number_where_text_is_documented_is_text(forge: Forge, client: AuthenticationClient) -> None:
    assert read(client, forge.id(phone_number=13800138000)).phone_number == "13800138000"


@given(claims=st.dictionaries(st.sampled_from(PROFILE), json_values))
@example(claims={"email_verified": "true", "updated_at": "2024-01-01", "name": 7, "birthdate": {"year": 1815}})
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_of_the_user_is_accepted_and_kept(
    claims: dict[str, Any], forge: Forge, client: AuthenticationClient
) -> None:
    token = forge.id(**claims)
    found = read(client, token)
    assert found == read(client, token)
    for name, value in claims.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        as_text = is_number and name not in {"email_verified", "phone_number_verified", "updated_at", "amr", *OTHERS}
        # Compared as JSON, in which 1 and true differ.
        assert json.dumps(found.get(name)) == json.dumps(str(value) if as_text else value)
    assert found.nonce == "a-nonce"
