from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import Json, Refresh, SignIn


@pytest.fixture
def user(emulator: Emulator) -> User:
    return emulator.add_user(
        username="ada", email="ada@example.com", phone="13800000000", password="passw0rd", name="Ada"
    )


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    # verify=False spares the 30 ms that reading the certificates takes; nothing here is TLS.
    with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as client:
        yield client


@pytest.fixture
async def ahttp(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=emulator.url, verify=False, trust_env=False, limits=limits, timeout=30
    ) as client:
        yield client


@pytest.fixture
def sign_in(emulator: Emulator, http: httpx.Client) -> SignIn:
    """Signs in, by default with Ada's password, and gives the whole envelope."""

    def sign_in(**changes: object) -> Json:
        body = {
            "connection": "PASSWORD",
            "passwordPayload": {"account": "ada", "password": "passw0rd"},
            "client_id": emulator.app_id,
            "client_secret": emulator.app_secret,
        } | changes
        given = {name: value for name, value in body.items() if value is not None}
        response = http.post("/api/v3/signin", content=json.dumps(given))
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    return sign_in


@pytest.fixture
def refresh(emulator: Emulator, http: httpx.Client) -> Refresh:
    def refresh(refresh_token: str) -> httpx.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": emulator.app_id,
            "client_secret": emulator.app_secret,
        }
        return http.post("/oidc/token", data=form)

    return refresh
