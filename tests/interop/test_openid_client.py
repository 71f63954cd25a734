"""openid-client, the certified library for Node.js, unchanged, through a whole sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from genauth_async.emulator import Emulator, sign_in_at_page
from tests.interop.pages import PASSWORD, redirection_of
from tests.node_tools import NodeWorker, node_worker

pytestmark = pytest.mark.slow
CALLBACK = "http://127.0.0.1:5000/callback"
GOODBYE = "http://127.0.0.1:5000/bye"
OFFLINE = {"scope": "openid profile email offline_access", "prompt": "consent", "redirect_uri": CALLBACK}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeWorker]:
    with node_worker("openid_client.js") as worker:
        yield worker


def discover(node: NodeWorker, emulator: Emulator, method: str, **changes: object) -> Any:
    settings = {"issuer": emulator.issuer, "client_id": emulator.app_id, "client_secret": emulator.app_secret}
    return node.ask("discover", **settings | {"method": method} | changes)


def sign_in(node: NodeWorker, **parameters: str) -> Any:
    url = node("authorization_url", **OFFLINE | parameters)
    return node.ask("exchange", callback=sign_in_at_page(url, "ada", PASSWORD))


@pytest.mark.parametrize("algorithm", ["RS256", "HS256"])
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_a_sign_in_from_discovery_to_sign_out(node: NodeWorker, method: Any, algorithm: Any) -> None:
    with Emulator(token_endpoint_auth_method=method, id_token_alg=algorithm) as emulator:
        user = emulator.add_user(username="ada", email="ada@example.com", password=PASSWORD)
        assert discover(node, emulator, method, keys=algorithm == "RS256")["issuer"] == emulator.issuer
        tokens = sign_in(node)
        assert tokens["claims"]["sub"] == user.id
        assert tokens["lifetime"] > 0
        about = node.ask("user_info", access_token=tokens["access_token"], sub=user.id)
        assert about["email"] == "ada@example.com"

        renewed = node.ask("refresh", refresh_token=tokens["refresh_token"])
        assert renewed["access_token"] != tokens["access_token"]
        assert renewed["claims"]["sub"] == user.id

        seen = node.ask("introspect", token=renewed["access_token"])
        assert (seen["active"], seen["sub"], seen["client_id"]) == (True, user.id, emulator.app_id)
        node.ask("revoke", token=renewed["refresh_token"])
        assert node.ask("introspect", token=renewed["access_token"]) == {"active": False}
        with pytest.raises(RuntimeError, match="invalid_grant"):
            node.ask("refresh", refresh_token=renewed["refresh_token"])
        with pytest.raises(RuntimeError, match=r"401: .*invalid_token"):
            node.ask("user_info", access_token=renewed["access_token"], sub=user.id)

        hint = {"id_token_hint": renewed["id_token"], "post_logout_redirect_uri": GOODBYE, "state": "thanks"}
        assert redirection_of(node("end_session_url", **hint)) == f"{GOODBYE}?state=thanks"


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_a_program_gets_tokens(node: NodeWorker, method: str) -> None:
    with Emulator() as emulator:
        account = emulator.access_accounts.add()
        discover(node, emulator, method, client_id=account.access_key, client_secret=account.access_secret)
        tokens = node.ask("client_credentials", scope="orders:read")
        assert (tokens["token_type"], tokens["scope"]) == ("bearer", "orders:read")
        assert tokens["expires_in"] > 0
        discover(node, emulator, method, client_id=account.access_key, client_secret="wrong")
        with pytest.raises(RuntimeError, match="401"):
            node.ask("client_credentials", scope="orders:read")


def test_refusals_reach_the_application(node: NodeWorker) -> None:
    with Emulator(callback_iss=True) as emulator:
        emulator.add_user(username="ada", password=PASSWORD)
        discover(node, emulator, "client_secret_post")
        refused = redirection_of(node("authorization_url", **OFFLINE | {"prompt": "none"}))
        with pytest.raises(RuntimeError, match="login_required"):
            node.ask("exchange", callback=refused)
        sign_in(node)
        other = node("authorization_url", **OFFLINE)
        callback = sign_in_at_page(other, "ada", PASSWORD)
        with pytest.raises(RuntimeError, match='"iss"'):
            node.ask("exchange", callback=callback.replace("iss=http", "iss=https"))
