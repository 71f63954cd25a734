from __future__ import annotations

import json
import math
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import (
    ApplicationNotFoundError,
    EmptyResponseError,
    ForbiddenError,
    GenAuthAPIError,
    GenAuthError,
    InvalidArgumentError,
    InvalidClientError,
    InvalidCredentialsError,
    InvalidGrantError,
    InvalidResponseError,
    LoginTokenRespDto,
    NotJSONError,
    NotSignedInError,
    OAuthError,
    OIDCTokenResponse,
    RateLimitedError,
    SendEmailRespDto,
    ServerError,
    SystemInfoResp,
    TruncatedResponseError,
    UnexpectedRedirectError,
    UnexpectedShapeError,
    UserNotFoundError,
)
from genauth_async._core.redaction import excerpt
from genauth_async._wire.leniency import read_int
from genauth_async._wire.responses import (
    Response,
    effective_status,
    envelope_status,
    http_date,
    read_envelope,
    read_graphql,
    read_oauth,
    read_oauth_empty,
    read_text,
    retry_after,
)
from genauth_async.models import CommonResponseDto

HTML = b"<html><body>502 Bad Gateway: token=canary-canary-canary-canary</body></html>"


def response(body: object = b"", status: int = 200, **headers: str) -> Response:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=payload)


def read_api(answer: Response) -> object:
    return read_envelope(answer, LoginTokenRespDto)


def read_token(answer: Response) -> object:
    return read_oauth(answer, OIDCTokenResponse)


def read_xml(answer: Response) -> object:
    return read_text(answer, starts=("<",))


READERS = [read_api, read_token]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("answer", "cls"),
    [
        (response(HTML, 403, content_type="text/html"), NotJSONError),
        (response(b"ok"), NotJSONError),
        (response(b"[" * 100_000), TruncatedResponseError),
        (response(b"[" * 50_000 + b"]" * 50_000), UnexpectedShapeError),
        (response(b'{"statusCode":200,"data":{"access_token":"canary'), TruncatedResponseError),
        (response(b""), EmptyResponseError),
        (response(b" \r\n", 404), EmptyResponseError),
        (response([1, 2]), UnexpectedShapeError),
        (response({"hello": "canary"}), UnexpectedShapeError),
        (response({"hello": "x"}, 409), UnexpectedShapeError),
        (response(b"moved", 302, location="https://evil.example"), UnexpectedRedirectError),
        (
            response({"access_token": "a", "statusCode": 200, "data": {"access_token": "b"}}, 307),
            UnexpectedRedirectError,
        ),
    ],
)
def test_what_is_not_genauths(
    read: Callable[[Response], object], answer: Response, cls: type[InvalidResponseError]
) -> None:
    with pytest.raises(cls) as caught:
        read(answer)
    assert caught.value.http_status == answer.status
    assert caught.value.content_type == answer.content_type
    assert "canary" not in str(caught.value) + caught.value.excerpt
    assert len(caught.value.excerpt) <= 201


def test_a_good_answer() -> None:
    answer = read_envelope(response({"statusCode": 200, "data": {"access_token": "a"}}), LoginTokenRespDto)
    assert answer.data.access_token == "a"
    assert read_envelope(response({"statusCode": 200, "message": "sent"}), SendEmailRespDto).message == "sent"


def test_bare_and_wrapped() -> None:
    keys = {"rsa": {"publicKey": "r"}, "sm2": {"publicKey": "s"}}
    bare = read_envelope(response(keys), SystemInfoResp)
    assert bare == read_envelope(response({"statusCode": 200, "message": "", "data": keys}), SystemInfoResp)
    assert bare.rsa.public_key == "r"


@pytest.mark.parametrize("http_status", [200, 400, 401, 500])
def test_the_envelope_says_no_whatever_http_says(http_status: int) -> None:
    body = {"statusCode": 503, "message": "busy", "requestId": "r-9", "apiCode": 1000, "data": {"token": "canary"}}
    with pytest.raises(ServerError) as caught:
        read_api(response(body, http_status, retry_after="4"))
    error = caught.value
    assert (error.status_code, error.api_code, error.request_id, error.retry_after) == (503, 1000, "r-9", 4.0)
    assert error.message == "busy"
    assert str(error) == "busy (statusCode 503, apiCode 1000, requestId r-9)"
    assert error.response["data"] == {"token": "canary"}
    assert "canary" not in repr(error.response)


def test_a_successful_envelope_under_an_http_error_is_no_success() -> None:
    for status, cls in ((404, UnexpectedShapeError), (500, ServerError)):
        with pytest.raises(cls):
            read_api(response({"statusCode": 200, "data": {}}, status))


GATEWAY_BODIES = {
    "HTML": HTML,
    "empty": b"",
    "blank": b" \r\n",
    "text": b"upstream connect error or disconnect/reset before headers",
    "truncated": b'{"statusCode":200,"data":{"access_token":"canary',
    "list": b"[]",
    "number": b"503",
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "bytes": bytes(range(256)),
    "message": {"message": "no healthy upstream"},
    "error": {"error": "Service Unavailable"},
    "nested": {"error": {"code": "unavailable", "message": "down", "request_id": "r"}},
    "success": {"statusCode": 200, "access_token": "canary", "data": {"access_token": "canary"}},
    "null": {"statusCode": None, "error": None, "data": None},
}


@pytest.mark.parametrize("body", GATEWAY_BODIES.values(), ids=GATEWAY_BODIES)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520, 599])
def test_any_body_of_a_gateway(body: object, status: int) -> None:
    answer = evolve(response(body, status, retry_after="12"), call="POST /x at h", endpoint="POST /x")
    for read in (*READERS, read_oauth_empty, read_xml):
        with pytest.raises(RateLimitedError if status == 429 else ServerError) as caught:
            read(answer)
        error = caught.value
        assert (error.status_code, error.http_status, error.retry_after) == (status, status, 12.0)
        assert (error.endpoint, error.is_transient) == ("POST /x", True)
        assert "canary" not in str(error) + repr(error)


@pytest.mark.parametrize("status", range(500, 600, 9))
def test_any_5xx_of_the_api(status: int) -> None:
    with pytest.raises(ServerError) as caught:
        read_api(response({"statusCode": status, "message": "m"}))
    assert (caught.value.status_code, caught.value.http_status) == (status, 200)


def test_oauth_errors() -> None:
    body = {"error": "invalid_grant", "error_description": "expired", "error_uri": "https://e.example"}
    with pytest.raises(InvalidGrantError) as caught:
        read_token(response(body, 400))
    error = caught.value
    assert (error.error, error.error_description, error.error_uri) == ("invalid_grant", "expired", "https://e.example")
    assert (str(error), error.http_status) == ("invalid_grant: expired", 400)
    with pytest.raises(OAuthError, match="temporarily_unavailable") as passing:
        read_token(response({"error": "temporarily_unavailable"}, 503, retry_after="7"))
    assert (passing.value.http_status, passing.value.retry_after, passing.value.is_transient) == (503, 7.0, True)


def test_a_gateway_may_answer_an_oauth_call_in_the_apis_envelope() -> None:
    with pytest.raises(GenAuthAPIError) as caught:
        read_token(response({"statusCode": 499, "message": "blocked"}, 200))
    assert caught.value.status_code == 499


@pytest.mark.parametrize("body", [b"", b"OK", {}])
def test_nothing_to_say(body: object) -> None:
    for status in (200, 202, 204, 205, 299):
        read_oauth_empty(response(body, status))
    with pytest.raises(GenAuthError):
        read_oauth_empty(response(body, 500))
    with pytest.raises(OAuthError):
        read_oauth_empty(response({"error": "invalid_client"}, 401))


NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def local_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set a local time zone other than UTC, if the platform allows it."""
    set_zone = getattr(time, "tzset", lambda: None)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC-8")
        set_zone()
        yield
    set_zone()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "5"}, 5.0),
        ({"retry_after": " 0 "}, 0.0),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "1.5"}, None),
        ({"retry_after": "٣"}, None),
        ({"retry_after": format_datetime(NOW + timedelta(seconds=9), True), "date": format_datetime(NOW, True)}, 9.0),
        ({"retry_after": format_datetime(NOW - timedelta(seconds=9), True), "date": format_datetime(NOW, True)}, 0.0),
        ({"retry_after": "Sun Nov  6 08:49:37 1994", "date": "Sun, 06 Nov 1994 08:49:30 GMT"}, 7.0),
        ({"retry_after": "Sun, 06 Nov 1994 08:49:37 -0000", "date": "Sunday, 06-Nov-94 08:49:30 GMT"}, 7.0),
        ({"retry_after": "9" * 400}, 2.0**31),
    ],
)
@pytest.mark.usefixtures("local_time_zone")
def test_retry_after_in_both_forms(headers: dict[str, Any], seconds: float | None) -> None:
    assert retry_after(response(**headers)) == seconds


FAR = [
    "Fri, 31 Dec 99999999999 23:59:59 GMT",
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Sun Nov  6 08:49:37 99999999999999999999",
    "Mon, 99 Foo 2035 99:99:99 GMT",
    "Mon, 01 Jan 2035 00:00:00 +9999",
    "9" * 5000 + "-",
]


@pytest.mark.parametrize("date", FAR)
def test_an_impossible_date_counts_as_absent(date: str) -> None:
    assert retry_after(response(retry_after=date)) is None
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), True)
    assert retry_after(response(retry_after=at, date=date)) == pytest.approx(90, abs=20)


def test_a_far_date_is_representable() -> None:
    wait = retry_after(response(retry_after="Fri, 31 Dec 9999 23:59:59 -2359"))
    assert wait == pytest.approx((datetime(9999, 12, 31, tzinfo=UTC) - datetime.now(UTC)).total_seconds(), rel=0.01)


DATE_PARTS = st.sampled_from(
    [
        "Mon",
        "Sunday",
        ",",
        " ",
        "-",
        ":",
        "Jan",
        "Foo",
        "GMT",
        "EST",
        "+9999",
        "-2359",
        "0",
        "31",
        "1994",
        "99999999999",
    ]
)
DATES = st.text() | st.lists(DATE_PARTS | st.integers().map(str), max_size=14).map("".join) | st.sampled_from(FAR)


@given(DATES, DATES)
def test_any_retry_after_is_finite_or_absent(value: str, date: str) -> None:
    wait = retry_after(response(retry_after=value, date=date))
    assert wait is None or 0 <= wait < math.inf
    when = http_date(value)
    assert when is None or math.isfinite(when)


ANY_JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=1)
NUMBERS = ANY_JSON | st.integers(-(10**400), 10**400) | st.sampled_from(["9" * 5000, "-1", "1e999", "٣", "²", True])


@given(NUMBERS)
def test_any_number_is_of_64_bits_or_refused(value: object) -> None:
    with suppress(TypeError):
        assert -(2**63) <= read_int(value) < 2**63
    status = envelope_status({"statusCode": value})
    assert status is None or -(2**63) <= status < 2**63


@given(NUMBERS, NUMBERS, NUMBERS)
def test_any_numbers_make_an_error_that_can_be_shown(status: object, api_code: object, life: object) -> None:
    for read in READERS:
        body = {"statusCode": status, "apiCode": api_code, "access_token": "a", "expires_in": life}
        answer = Response(status=200, headers={}, body=json.dumps(body, default=str).encode())
        result: object
        try:
            result = read(answer)
        except GenAuthError as error:
            result = pickle.loads(pickle.dumps(error))
        assert repr(result)
        assert str(result)


def test_effective_status() -> None:
    assert effective_status(response({"statusCode": 429})) == 429
    assert effective_status(response({"statusCode": 200}, 503)) == 503
    assert effective_status(response(HTML)) == 200


BODIES = st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["statusCode", "data", "apiCode", "message", "error", "access_token", "x"]), inner
        )
    ),
    max_leaves=10,
)


@given(BODIES, st.integers(100, 599), st.text(max_size=20))
def test_any_answer_is_read_or_raised_as_ours(body: object, status: int, wait: str) -> None:
    answer = response(body, status, retry_after=wait)
    for read in (*READERS, read_oauth_empty):
        with suppress(GenAuthError):
            read(answer)
            assert status < 300, "an HTTP error was taken for success"


SECRETS = st.text("abcXYZ0189!$%~", min_size=6, max_size=40)


@given(SECRETS, st.sampled_from(["password", "access_token", "clientSecret", "passCode", "code", "refresh-token"]))
def test_an_excerpt_shows_no_secret(secret: str, name: str) -> None:
    bodies = [
        json.dumps({"a": {name: secret}, "b": 1}),
        json.dumps({name: secret})[:-2],
        f"{name}={secret}&x=1",
        f"<p>{name}: '{secret}'</p>",
        "x" * 180 + json.dumps({name: secret}),
    ]
    for body in bodies:
        assert secret not in excerpt(body.encode()), body


@given(st.binary())
def test_an_excerpt_is_short(body: bytes) -> None:
    assert len(excerpt(body)) <= 201


@pytest.mark.parametrize(
    "body",
    [
        {"statusCode": "401", "message": "no", "apiCode": 2020},
        {"statusCode": 401.0, "message": "no", "apiCode": 2020},
        {"code": 2020, "message": "no"},
        {"code": "401", "message": "no"},
    ],
)
def test_no_refusal_passes_for_a_success(body: object) -> None:
    for read in (read_api, lambda answer: read_envelope(answer, SendEmailRespDto)):
        with pytest.raises(NotSignedInError):
            read(response(body))


@pytest.mark.parametrize("read", READERS)
def test_the_first_status_of_a_class_belongs_to_it(read: Callable[[Response], object]) -> None:
    whole = {"access_token": "a", "statusCode": 200, "data": {"access_token": "a"}}
    assert read(response(whole))
    with pytest.raises(UnexpectedRedirectError):
        read(response(whole, 300))
    with pytest.raises(UnexpectedShapeError):
        read(response(whole, 400))


def test_an_error_has_what_the_headers_say() -> None:
    with pytest.raises(ServerError) as caught:
        read_api(response({"statusCode": 500, "apiCode": "1000"}, 500, x_request_id="r-1", retry_after="2"))
    error = caught.value
    assert (error.message, error.api_code, error.request_id, error.retry_after) == (
        "Internal Server Error",
        1000,
        "r-1",
        2.0,
    )
    with pytest.raises(OAuthError) as refused:
        read_token(response({"error": "slow_down"}, 400, retry_after="3"))
    assert refused.value.retry_after == 3.0


def test_a_code_without_a_message_is_no_envelope() -> None:
    assert effective_status(response({"code": 429, "message": "slow down"})) == 429
    assert effective_status(response({"code": 429})) == 200


@pytest.mark.parametrize(
    ("life", "seconds"),
    [({"expires_in": "60.9"}, 60), ({"expire_in": 60}, 60), ({"expires_in": "inf"}, None), ({"expires_in": "x"}, None)],
)
def test_the_life_of_a_token_is_read_leniently(life: dict[str, object], seconds: int | None) -> None:
    assert read_oauth(response({"access_token": "a", **life}), OIDCTokenResponse).expires_in == seconds


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ({"requestId": "a", "uniqueId": "b"}, "a"),
        ({"uniqueId": "b"}, "b"),
        ({"requestId": None, "uniqueId": "b"}, "b"),
        ({"request_id": "c"}, "c"),
        ({}, "header"),
        ({"requestId": 5}, "header"),
    ],
)
def test_the_request_id_has_several_names(ids: dict[str, object], found: str) -> None:
    body = {"statusCode": 499, "message": "m", "apiCode": "2011", "data": None, **ids}
    with pytest.raises(ApplicationNotFoundError) as caught:
        read_api(response(body, x_request_id="header"))
    assert (caught.value.request_id, caught.value.api_code) == (found, 2011)


CHALLENGES = [
    (
        'Bearer realm="x", error="invalid_token", error_description="It, the \\"token\\", expired"',
        'It, the "token", expired',
    ),
    ("Bearer error=invalid_token", None),
    ('bearer realm="" ,error="invalid_token",scope="a b"', None),
    ('Basic realm="Bearer error=no", Bearer error="invalid_token"', None),
    ('Negotiate abc==, Bearer realm="x",\terror = "invalid_token", DPoP error="other", algs="ES256"', None),
    ('Bearer realm="a", Bearer error="invalid_token", error_description="gone"', "gone"),
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("body", [b"", b"<h1>401</h1>", b"[]", {}, {"message": "Unauthorized"}])
@pytest.mark.parametrize(("header", "description"), CHALLENGES)
def test_the_error_may_be_in_the_challenge_only(
    read: Callable[[Response], object], body: object, header: str, description: str | None
) -> None:
    with pytest.raises(OAuthError) as caught:
        read(response(body, 401, www_authenticate=header))
    error = caught.value
    assert (error.error, error.error_description, error.http_status) == ("invalid_token", description, 401)


@pytest.mark.parametrize(
    "header", ["Bearer", 'Bearer realm="x"', 'Basic error="invalid_token"', "", ',="', "Bearer error="]
)
def test_a_challenge_without_an_error_is_none(header: str) -> None:
    with pytest.raises(EmptyResponseError):
        read_token(response(b"", 401, www_authenticate=header))


@given(st.text(st.characters(codec="latin-1")), st.integers(400, 499))
def test_any_challenge_is_read_or_ignored(header: str, status: int) -> None:
    with pytest.raises(GenAuthError):
        read_token(response(b"", status, www_authenticate=f"Bearer {header}"))


def test_an_error_in_an_object() -> None:
    body = {"error": {"code": "forbidden", "message": "not yours", "request_id": "r-2"}}
    for read in READERS:
        with pytest.raises(ForbiddenError) as caught:
            read(response(body, 403))
        assert (caught.value.message, caught.value.request_id, caught.value.http_status) == ("not yours", "r-2", 403)


@pytest.mark.parametrize("read", [*READERS, read_oauth_empty])
@pytest.mark.parametrize(
    "answer",
    [
        response({"statusCode": 401, "message": "client authentication failed"}),
        response({"statusCode": "401", "apiCode": None, "message": "no"}, 401),
        response({"code": 401, "message": "no"}),
        response({"statusCode": 499, "apiCode": 1302, "message": "signature"}),
        response({"error": "invalid_client"}, 401),
        response({"error": "invalid_client"}, 400),
        response(b"", 401, www_authenticate="Basic"),
        response(HTML, 401),
    ],
)
def test_refused_credentials_of_the_application(read: Callable[[Response], object], answer: Response) -> None:
    with pytest.raises(InvalidClientError) as caught:
        read(evolve(answer, proves_client=True))
    assert (caught.value.error, caught.value.is_transient) == ("invalid_client", False)


@pytest.mark.parametrize("proves_client", [True, False])
def test_a_typed_code_is_about_the_user(proves_client: bool) -> None:
    body = {"statusCode": 401, "apiCode": 2020, "message": "no"}
    with pytest.raises(NotSignedInError):
        read_api(evolve(response(body), proves_client=proves_client))
    with pytest.raises(NotSignedInError):
        read_api(response({"statusCode": 401, "message": "no"}))


@pytest.mark.parametrize(
    ("body", "cls"),
    [
        ({"errors": [{"message": {"code": 2203, "message": "no"}}], "data": None}, InvalidCredentialsError),
        ({"errors": [{"message": {"code": "2004", "message": "no"}}]}, UserNotFoundError),
        ({"errors": [{"message": "Syntax Error"}], "data": {"x": {"code": 200}}}, InvalidArgumentError),
        ({"errors": ["odd"]}, InvalidArgumentError),
        ({"errors": [{}]}, InvalidArgumentError),
        ({"data": {"x": {"code": 500, "message": "no"}}}, ServerError),
        ({"data": {"x": None}}, UnexpectedShapeError),
        ({"data": None}, UnexpectedShapeError),
        ({}, UnexpectedShapeError),
        ({"code": 2020, "message": "no"}, NotSignedInError),
        (b"<html>", NotJSONError),
    ],
)
def test_graphql_failures(body: object, cls: type[GenAuthError]) -> None:
    with pytest.raises(cls):
        read_graphql(response(body), CommonResponseDto, name="x")


def test_graphql_success() -> None:
    for found in ({"code": 200, "message": "m"}, {"message": "m"}):
        answer = read_graphql(response({"errors": [], "data": {"x": found}}), CommonResponseDto, name="x")
        assert (answer.status_code, answer.message) == (200, "m")
