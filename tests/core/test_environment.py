"""Settings from the environment."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

import genauth_sync
from genauth_async import AuthenticationClient, ConfigurationError
from tests.every import check_every

BASE = {"GENAUTH_APP_ID": "app", "GENAUTH_APP_SECRET": "secret", "GENAUTH_APP_HOST": "https://a.example"}


def made(variables: Mapping[str, str], **options: Any) -> AuthenticationClient:
    return AuthenticationClient.from_env({**BASE, **variables}, **options)


def test_every_setting_of_a_text_or_number_is_read() -> None:
    cases: Mapping[str, tuple[str, object]] = {
        "app_host": (" HTTPS://B.example:443/\n", "https://b.example"),
        "app_secret": ("other\r\n", "other"),
        "timeout": ("2.5", 2.5),
        "refresh_timeout": (" 45\n", 45.0),
        "max_response_bytes": ("1048576", 1048576),
        "websocket_host": ("WSS://events.example/", "wss://events.example"),
        "websocket_endpoint": ("/events", "/events"),
        "redirect_uri": ("https://b.example/callback\n", "https://b.example/callback"),
        "lang": (" zh-CN ", "zh-CN"),
        "protocol": ("oauth ", "oauth"),
        "id_token_signed_response_alg": (" RS256\n", "RS256"),
        "require_callback_iss": ("true", True),
    }

    def check(parameter: str) -> None:
        text, wanted = cases[parameter]
        for face in (AuthenticationClient, genauth_sync.AuthenticationClient):
            settings = face.from_env({**BASE, f"GENAUTH_{parameter.upper()}": text}).settings
            read = settings.timeout.total if parameter == "timeout" else getattr(settings, parameter)
            assert read == wanted
            assert type(read) is type(wanted)

    check_every(cases, check)


@pytest.mark.parametrize("text", ["true", "TRUE", " True\n", "1"])
def test_texts_that_are_true(text: str) -> None:
    plain = made({"GENAUTH_ALLOW_INSECURE_HTTP": text, "GENAUTH_APP_HOST": "http://a.example"})
    assert plain.settings.app_host == "http://a.example"
    assert made({"GENAUTH_VERIFY": text})._shared.transport._provider._options.verify is True


@pytest.mark.parametrize("text", ["false", "FALSE", " False\n", "0"])
def test_texts_that_are_false(text: str) -> None:
    with pytest.raises(ConfigurationError, match="GENAUTH_APP_HOST"):
        made({"GENAUTH_ALLOW_INSECURE_HTTP": text, "GENAUTH_APP_HOST": "http://a.example"})
    assert made({"GENAUTH_VERIFY": text})._shared.transport._provider._options.verify is False


def test_connections_are_set_up_by_the_environment() -> None:
    certificates = ssl.get_default_verify_paths().cafile or ssl.get_default_verify_paths().openssl_cafile
    variables = {"GENAUTH_PROXY": "proxy.example:3128"} | (
        {"GENAUTH_VERIFY": certificates} if os.path.isfile(certificates) else {}  # noqa: PTH113 - may be missing
    )
    options = made(variables)._shared.transport._provider._options
    assert options.proxy == "http://proxy.example:3128"
    assert isinstance(options.verify, ssl.SSLContext) == ("GENAUTH_VERIFY" in variables)


def test_an_argument_wins_over_its_variable() -> None:
    wrong = {
        "GENAUTH_TIMEOUT": "soon",
        "GENAUTH_REFRESH_TIMEOUT": "-1",
        "GENAUTH_MAX_RESPONSE_BYTES": "many",
        "GENAUTH_VERIFY": "/absent.pem",
        "GENAUTH_PROXY": "ftp://proxy.example",
        "GENAUTH_ALLOW_INSECURE_HTTP": "perhaps",
    }
    client = made(
        wrong,
        timeout=3.0,
        refresh_timeout=4.0,
        max_response_bytes=5,
        verify=True,
        proxy="proxy.example",
        allow_insecure_http=False,
        websocket_endpoint="/mine",
    )
    settings, options = client.settings, client._shared.transport._provider._options
    assert (settings.timeout.total, settings.refresh_timeout, settings.max_response_bytes) == (3.0, 4.0, 5)
    assert (options.verify, options.proxy, settings.websocket_endpoint) == (True, "http://proxy.example", "/mine")
    assert made(dict.fromkeys(wrong, " \n")).settings == made({}).settings, "empty variables count as not set"
    for argument, variable in (("timeout", "TIMEOUT"), ("proxy", "PROXY")):
        with pytest.raises(ConfigurationError) as caught:
            made({f"GENAUTH_{variable}": "1"}, **{argument: object()})
        assert caught.value.argument == argument


def test_errors_name_the_variable_and_the_remedy() -> None:
    cases = (
        ("GENAUTH_APP_ID", "", "must be set"),
        ("GENAUTH_APP_ID", "é", "printable ASCII"),
        ("GENAUTH_APP_SECRET", " \n", "must be set for"),
        ("GENAUTH_APP_HOST", "login.example.com", "https://example.genauth.ai"),
        ("GENAUTH_APP_HOST", "http://login.example.com", "https://"),
        ("GENAUTH_WEBSOCKET_HOST", "https://a.example", "wss://"),
        ("GENAUTH_PROTOCOL", "OIDC2", "oidc, oauth, saml, cas"),
        ("GENAUTH_HEADER_PREFIX", "x-other", "x-authing"),
        ("GENAUTH_TOKEN_ENDPOINT_AUTH_METHOD", "basic", "client_secret_basic"),
        ("GENAUTH_TIMEOUT", "10s", "must be a number"),
        ("GENAUTH_TIMEOUT", "1e1", "must be a number"),
        ("GENAUTH_TIMEOUT", "10000", "milliseconds"),
        ("GENAUTH_TIMEOUT", "nan", "must be a number"),
        ("GENAUTH_REFRESH_TIMEOUT", "-1", "must be a number"),
        ("GENAUTH_REFRESH_TIMEOUT", "0", "above 0"),
        ("GENAUTH_REFRESH_TIMEOUT", "inf", "must be a number"),
        ("GENAUTH_REFRESH_TIMEOUT", "٣", "must be a number"),
        ("GENAUTH_MAX_RESPONSE_BYTES", "4_000", "whole number"),
        ("GENAUTH_MAX_RESPONSE_BYTES", "4.0", "whole number"),
        ("GENAUTH_MAX_RESPONSE_BYTES", "0", "above 0"),
        ("GENAUTH_MAX_RESPONSE_BYTES", "9" * 5000, "whole number"),
        ("GENAUTH_ALLOW_INSECURE_HTTP", "yes", "true, false, 1 or 0"),
        ("GENAUTH_ALLOW_INSECURE_HTTP", "2", "true, false, 1 or 0"),
        ("GENAUTH_VERIFY", "no", "False"),
        ("GENAUTH_VERIFY", "/absent.pem", "PEM"),
        ("GENAUTH_PROXY", "ftp://user:canary@proxy.example", "http://proxy.example:3128"),
        ("GENAUTH_LANG", "中文", "printable ASCII"),
        ("GENAUTH_WEBSOCKET_ENDPOINT", "/a\nb", "line breaks"),
    )

    def check(case: tuple[str, str, str]) -> None:
        variable, text, remedy = case
        for face in (AuthenticationClient, genauth_sync.AuthenticationClient):
            with pytest.raises(ConfigurationError) as caught:
                face.from_env({**BASE, variable: text})
            assert caught.value.argument == variable
            assert str(caught.value).startswith(f"{variable}: ")
            assert remedy in str(caught.value)
            assert "canary" not in str(caught.value)

    check_every(cases, check, lambda case: f"{case[0]}={case[1]!r:.40}")


def test_a_mapping_of_other_values_is_refused() -> None:
    values: dict[str, Any] = {"GENAUTH_LANG": None, "GENAUTH_TIMEOUT": 10}
    with pytest.raises(ConfigurationError, match=r"^GENAUTH_TIMEOUT: must be a str, not int"):
        made(values)
    assert made({**values, "GENAUTH_TIMEOUT": "10"}).settings.lang is None


def test_a_given_transport_loses_no_setting_of_the_environment() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    for variable, text in (("GENAUTH_VERIFY", "false"), ("GENAUTH_PROXY", "proxy.example")):
        with pytest.raises(ConfigurationError, match=rf"^{variable}: must not be given with a transport"):
            made({variable: text}, transport=transport)
