from __future__ import annotations

import copy
import math
import pickle
import re
from typing import Any

import httpx
import httpx2
import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import AuthenticationClient, ConfigurationError, RetryPolicy
from genauth_async._arguments.timeouts import deadline
from genauth_async._arguments.urls import require_app_host

SECRET = "secret-canary"


def client(**options: Any) -> AuthenticationClient:
    return AuthenticationClient(**{"app_id": "app", "app_host": "https://a.example", "app_secret": SECRET, **options})


def test_a_public_client_needs_the_option_of_the_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(app_secret=None)
    (advice,) = re.findall(r"(\w+)='(\w+)' if", str(caught.value))
    made = client(app_secret=None, **dict([advice])).settings
    assert {method for name, method in asdict(made, recurse=False).items() if name.endswith("auth_method")} == {"none"}
    kept = client(token_endpoint_auth_method="none", introspection_endpoint_auth_method="client_secret_basic").settings
    assert kept.introspection_endpoint_auth_method == "client_secret_basic"
    assert client(token_endpoint_auth_method="client_secret_basic").settings.revocation_endpoint_auth_method == (
        "client_secret_post"
    )


@pytest.mark.parametrize(
    ("options", "argument", "remedy"),
    [
        ({"app_id": ""}, "app_id", "console"),
        ({"app_secret": None}, "app_secret", "token_endpoint_auth_method='none'"),
        (
            {
                "app_secret": None,
                "token_endpoint_auth_method": "none",
                "revocation_endpoint_auth_method": "client_secret_basic",
            },
            "app_secret",
            "revocation_endpoint_auth_method='none'",
        ),
        ({"app_host": "http://a.example"}, "app_host", "https://"),
        ({"app_host": "https://a.example/base"}, "app_host", "https://a.example"),
        ({"app_host": "https://a.example?x=1"}, "app_host", "host alone"),
        ({"app_host": "https://user:canary@a.example"}, "app_host", "user name"),
        ({"app_host": "a.example"}, "app_host", "https://example.genauth.ai"),
        ({"app_host": "ftp://a.example"}, "app_host", "https://example.genauth.ai"),
        ({"app_host": "https://[::1"}, "app_host", "a valid URL"),
        ({"app_host": ""}, "app_host", "https://example.genauth.ai"),
        ({"app_host": 1}, "app_host", "must be a str, not int"),
        ({"app_secret": "canary\ud800"}, "app_secret", "lone surrogate"),
        ({"clock": 3}, "clock", "must be a Clock"),
        ({"max_response_bytes": "1"}, "max_response_bytes", "above 0"),
        ({"app_host": "https://a.example:port"}, "app_host", "a valid URL"),
        ({"timeout": 10_000}, "timeout", "milliseconds"),
        ({"timeout": 0}, "timeout", "above 0"),
        ({"timeout": math.nan}, "timeout", "above 0"),
        ({"timeout": None}, "timeout", "seconds"),
        ({"timeout": httpx.Timeout(None)}, "timeout", "unlimited"),
        ({"refresh_timeout": -1}, "refresh_timeout", "above 0"),
        ({"protocol": "openid"}, "protocol", "oidc, oauth, saml, cas"),
        ({"token_endpoint_auth_method": "basic"}, "token_endpoint_auth_method", "client_secret_basic"),
        ({"header_prefix": "x-other"}, "header_prefix", "x-authing"),
        ({"app_id": "a\r\nx-injected: canary"}, "app_id", "printable"),
        ({"real_ip": "1\n"}, "real_ip", "printable"),
        ({"lang": "中文"}, "lang", "printable"),
        ({"retry": 3}, "retry", "RetryPolicy"),
        ({"app_secret": 5}, "app_secret", "must be a str"),
        ({"access_token": b"canary"}, "access_token", "must be a str"),
        ({"max_response_bytes": 0}, "max_response_bytes", "above 0"),
        ({"transport": httpx.MockTransport(lambda _: httpx.Response(200)), "verify": False}, "verify", "set it there"),
        ({"http_client": object(), "proxy": "http://p:1"}, "proxy", "set it there"),
        ({"http_client": object(), "transport": object()}, "transport", "must not be given with http_client"),
    ],
)
def test_mistakes_name_the_argument_and_the_remedy(options: dict[str, Any], argument: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(**options)
    assert caught.value.argument == argument
    assert str(caught.value).startswith(argument)
    assert remedy in str(caught.value)
    assert "canary" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "host", ["http://localhost:9000", "http://127.0.0.1:1", "http://[::1]:1", "http://app.localhost"]
)
def test_plain_http_to_this_machine_is_fine(host: str) -> None:
    assert client(app_host=host).settings.app_host == host


def test_plain_http_elsewhere_needs_a_word() -> None:
    settings = client(app_host="http://10.0.0.1", allow_insecure_http=True).settings
    assert settings.app_host == "http://10.0.0.1"


def test_defaults_are_the_vendors() -> None:
    settings = AuthenticationClient("app", app_secret=SECRET).settings
    assert settings.app_host == "https://api.genauth.ai"
    assert settings.protocol == "oidc"
    assert settings.token_endpoint_auth_method == "client_secret_post"
    assert client(app_host="https://a.example/").settings.app_host == "https://a.example"


@given(st.text())
def test_a_host_is_taken_whole_or_refused(text: str) -> None:
    try:
        host = require_app_host(text, allow_insecure_http=False)
    except ConfigurationError:
        return
    assert host.startswith(("https://", "http://"))
    assert require_app_host(host, allow_insecure_http=False) == host


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_timeouts_of_both_libraries(library: Any) -> None:
    made = deadline(library.Timeout(4.0, connect=1.0))
    assert made.phases == {"connect": 1.0, "read": 4.0, "write": 4.0, "pool": 4.0}
    assert made.total == 13.0


@given(st.floats(min_value=1e-3, max_value=999))
def test_seconds_bound_the_whole_call(seconds: float) -> None:
    made = deadline(seconds)
    assert made.total == seconds
    assert all(0 < phase <= seconds for phase in made.phases.values())


def test_secrets_are_not_shown() -> None:
    made = client(access_token="token-canary")
    for shown in (repr(made), str(made), repr(made.settings), repr(vars(made))):
        assert "canary" not in shown


def test_a_client_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="AuthenticationClient is not pickled"):
        pickle.dumps(client())


ENVIRONMENT = {
    "GENAUTH_APP_ID": "env-app",
    "GENAUTH_APP_SECRET": SECRET,
    "GENAUTH_APP_HOST": "https://env.example",
    "GENAUTH_ISSUER": "https://login.example/oidc",
    "GENAUTH_LANG": "zh-CN",
    "GENAUTH_HEADER_PREFIX": "x-authing",
    "GENAUTH_TOKEN_ENDPOINT_AUTH_METHOD": "client_secret_basic",
    "GENAUTH_USER_POOL_ID": "",
}


def test_from_env() -> None:
    made = AuthenticationClient.from_env(ENVIRONMENT, timeout=3.0)
    settings = made.settings
    assert (settings.app_id, settings.app_host, settings.app_secret) == ("env-app", "https://env.example", SECRET)
    assert (settings.lang, settings.header_prefix, settings.user_pool_id) == ("zh-CN", "x-authing", None)
    assert settings.token_endpoint_auth_method == "client_secret_basic"
    assert settings.issuer == "https://login.example/oidc"
    assert settings.timeout.total == 3.0


def test_from_env_reads_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAUTH_APP_ID", "process-app")
    monkeypatch.setenv("GENAUTH_APP_SECRET", SECRET)
    assert AuthenticationClient.from_env().settings.app_id == "process-app"


@pytest.mark.parametrize("missing", ["GENAUTH_APP_ID", "GENAUTH_APP_SECRET"])
def test_from_env_names_what_is_missing(missing: str) -> None:
    environ = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    with pytest.raises(ConfigurationError, match=f"(?i){missing.removeprefix('GENAUTH_')}"):
        AuthenticationClient.from_env({**environ, "x": ""})


def test_with_options_changes_what_is_given_and_shares_the_rest() -> None:
    original = client(lang="zh-CN")
    changed = original.with_options(timeout=2.0, retry=RetryPolicy(attempts=1), real_ip="203.0.113.9")
    assert type(changed) is AuthenticationClient
    assert changed.settings.timeout.total == 2.0
    assert (changed.settings.lang, changed.settings.real_ip) == ("zh-CN", "203.0.113.9")
    assert changed._shared is original._shared
    assert original.settings.real_ip is None
    with pytest.raises(ConfigurationError, match="timeout"):
        original.with_options(timeout=5000)


def test_verify_has_the_vendors_names() -> None:
    for options in ({"use_unverified_ssl": True}, {"reject_unauthorized": False}, {"verify": False}):
        assert client(**options)._shared.transport._provider._options.verify is False
    assert client()._shared.transport._provider._options.verify is True


def test_a_copy_of_a_client_for_a_user_changes_no_other_client() -> None:
    original = client()
    user = original.with_options(access_token="token-canary")
    assert original.settings.access_token is None
    user.set_access_token("other-canary")
    assert user.settings.access_token == "other-canary"
    with pytest.raises(TypeError):
        copy.copy(original)
