"""Answers in the forms of `leniency`'s table: each is read, and no odd optional member costs the rest."""

from __future__ import annotations

import json
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from genauth_async import GenAuthError, InvalidResponseError, NotJSONError, UnexpectedShapeError, models
from genauth_async._wire.converter import ShapeError, structure
from genauth_async._wire.responses import Response, read_envelope, read_oauth, read_user_info
from genauth_async.models import Dto
from genauth_async.models._fields import attribute_names, dto, required_attributes, secret_attributes, wire_names
from tests.core.test_models import all_dtos
from tests.every import check_every

UNREADABLE = object()


def response(body: object, status: int = 200, content_type: str = "application/json") -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers={"content-type": content_type}, body=content)


def type_of(cls: type[Dto], attribute: str) -> Any:
    kind = get_type_hints(cls)[attribute]
    given = [member for member in get_args(kind) if member is not type(None)]
    return given[0] if type(None) in get_args(kind) and len(given) == 1 else kind


def good(kind: Any) -> Any:
    """Return JSON that is read as this type, as documented."""
    if isinstance(kind, type) and issubclass(kind, Dto):
        return {wire_names(kind)[attribute]: good(type_of(kind, attribute)) for attribute in required_attributes(kind)}
    if get_origin(kind) is list:
        return [good(get_args(kind)[0])]
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return {bool: True, int: 7, float: 1.5, object: {"a": 1}}.get(kind, {} if get_origin(kind) is dict else "text")


def odd(kind: Any) -> Any:
    """Return JSON that is not read as this type."""
    if kind in {bool, int, float}:
        return "canary"
    return ["canary"] if isinstance(kind, type) and issubclass(kind, Dto) else {"canary": 1}


def members(*, required: bool) -> list[tuple[type[Dto], str]]:
    return [
        (cls, attribute)
        for cls in all_dtos()
        for attribute in wire_names(cls)
        if (attribute in required_attributes(cls)) is required and type_of(cls, attribute) is not object
        if get_origin(type_of(cls, attribute)) is not dict
    ]


def test_an_odd_optional_member_is_none_and_kept() -> None:
    def check(case: tuple[type[Dto], str]) -> None:
        cls, attribute = case
        names = [name for name, of in attribute_names(cls).items() if of == attribute]
        for name in names:
            whole = good(cls)
            read = structure({**whole, name: odd(type_of(cls, attribute))}, cls)
            assert getattr(read, attribute) == getattr(structure(whole, cls), attribute)
            assert read.extra == {name: odd(type_of(cls, attribute))}
            assert read.evolve(extra={}) == structure(whole, cls)

    check_every(members(required=False), check)


def test_an_odd_required_member_is_an_error_with_its_path() -> None:
    def check(case: tuple[type[Dto], str]) -> None:
        cls, attribute = case
        with pytest.raises(ShapeError) as caught:
            structure({**good(cls), wire_names(cls)[attribute]: odd(type_of(cls, attribute))}, cls)
        assert f"@ $.{attribute}" in str(caught.value)
        assert "canary" not in str(caught.value)

    check_every(members(required=True), check)


def test_null_and_empty_are_absent() -> None:
    def check(case: tuple[type[Dto], str]) -> None:
        cls, attribute = case
        if issubclass(cls, (models.AccessToken, models.UserInfo)):
            return  # claims are kept as they come
        kind, whole = type_of(cls, attribute), good(cls)
        is_object = isinstance(kind, type) and issubclass(kind, Dto)
        no_items: list[object] = []
        is_scope = attribute.endswith("scope")
        is_kept = (kind is str or get_origin(kind) in {Union, UnionType}) and attribute not in secret_attributes(cls)
        for empty in (
            None,
            *([] if is_kept and not is_scope else [""]),
            *([no_items] if is_object or is_scope else []),
        ):
            for name in (name for name, of in attribute_names(cls).items() if of == attribute):
                assert structure({**whole, name: empty}, cls) == structure(whole, cls)

    check_every(members(required=False), check)


def test_an_empty_text_stays_where_text_is_documented() -> None:
    assert structure({"userId": "u", "nickname": "", "gender": ""}, models.UserDto).to_dict() == {
        "userId": "u",
        "nickname": "",
        "gender": "",
    }


def test_a_required_list_may_be_null_or_absent() -> None:
    def check(case: tuple[type[Dto], str]) -> None:
        cls, attribute = case
        whole = good(cls)
        name = wire_names(cls)[attribute]
        whole.pop(name)
        empties: list[dict[str, Any]] = [{}, *({name: empty} for empty in EMPTY)]
        for empty in empties:
            assert getattr(structure({**whole, **empty}, cls), attribute) == []

    lists = [case for case in members(required=True) if get_origin(type_of(*case)) is list]
    check_every(lists, check)


EMPTY: list[object] = [None, "", {}, [], [None]]
NUMBERS = [7, 7.0, 7.9, "7", " 7 ", "7.0", "7.9", "+7", "7e0", "70E-1", "007"]


@pytest.mark.parametrize(
    ("documented", "read", "sent"),
    [
        (int, 7, NUMBERS),
        (int, -8, [-8, -8.0, "-8", "-8.0"]),
        (int, 2**63 - 1, [2**63 - 1, str(2**63 - 1)]),
        (
            int,
            UNREADABLE,
            [True, "x", "inf", "nan", "1_000", "\u0667", "0x7", 2**63, 1e300, "9" * 5000, "1e999", [7], {}],
        ),
        (float, 7.5, [7.5, "7.5", " 7.5", "75e-1"]),
        (float, UNREADABLE, [False, "x", "inf", "-inf", "nan", "1e999", 10**400, [7.5]]),
        (bool, True, [True, "true", "True", " TRUE ", "1", 1]),
        (bool, False, [False, "false", "FALSE", "0", 0]),
        (bool, UNREADABLE, ["yes", "no", 2, -1, 1.0, [True], {}]),
        (str, "7", [7, "7"]),
        (str, "7.5", [7.5, "7.5"]),
        (str, UNREADABLE, [True, ["7"], {"a": "7"}]),
        (list[str], ["a", "7"], [["a", "7"], ["a", 7], ["a", None, "7"]]),
        (list[str], ["a"], [{"list": ["a"], "totalCount": 1}, {"list": ("a",)}]),
        (list[str], [], [{}, {"totalCount": 0}, {"list": None}]),
        (list[str], UNREADABLE, ["a", 7, {"a": 1}, {"list": "a"}, [["a"]], [{}]]),
        (models.IsSuccessDto, models.IsSuccessDto(success=True), [{"success": True}, {"success": "true"}]),
        (models.IsSuccessDto, UNREADABLE, [{}, {"success": "yes"}, True, ["x"]]),
    ],
)
def test_a_value_is_read_as_its_documented_type(documented: type, read: object, sent: list[object]) -> None:
    required: Any = dto(type("Required", (Dto,), {"__annotations__": {"it": documented}}))
    optional: Any = dto(type("Optional", (Dto,), {"__annotations__": {"it": documented | None}, "it": None}))

    def check(value: object) -> None:
        if read is UNREADABLE:
            kept: Any = structure({"it": value}, optional)
            assert (kept.it, kept.extra) == (None, {"it": value})
            with pytest.raises(ShapeError, match=r"@ \$\.it"):
                structure({"it": value}, required)
        else:
            for cls in (required, optional):
                found: Any = structure({"it": value}, cls)
                assert found.it == read
                assert type(found.it) is type(read)
                assert found.extra == {}

    check_every(sent, check, repr)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"scope": ["openid", "email"]}, {"scope": "openid email"}),
        ({"scope": []}, {"scope": None}),
        ({"rejected_scope": ["admin", "root"]}, {"rejected_scope": "admin root"}),
        ({"scope": "openid", "rejected_scope": "admin"}, {"scope": "openid", "rejected_scope": "admin"}),
        ({"expires_in": "1209600.7"}, {"expires_in": 1209600}),
        ({"expire_in": "60"}, {"expires_in": 60}),
        ({"expires_in": "", "expire_in": 60}, {"expires_in": 60}),
        ({"expires_in": 60, "expire_in": 90}, {"expires_in": 60}),
        ({"expire_in": 90, "expires_in": 60}, {"expires_in": 60}),
        ({"expires_in": "soon", "token_type": ["Bearer"]}, {"expires_in": None, "token_type": None}),
        ({"refresh_token": "", "id_token": None}, {"refresh_token": None, "id_token": None}),
        ({"error": "", "statusCode": 200}, {}),
    ],
)
def test_tokens_are_read_in_each_form(sent: dict[str, Any], read: dict[str, object]) -> None:
    tokens = {"access_token": "a", **sent}
    for body in (tokens, {"statusCode": 200, "data": tokens}, {"data": tokens}):
        found = read_oauth(response(body), models.OIDCTokenResponse)
        assert found.access_token == "a"
        assert {name: getattr(found, name) for name in read} == read


@pytest.mark.parametrize("token", [None, "", [], {"v": 1}, True])
def test_without_an_access_token_there_is_no_answer(token: object) -> None:
    with pytest.raises(UnexpectedShapeError, match="access_token"):
        read_oauth(response({"access_token": token, "expires_in": 60}), models.OIDCTokenResponse)


def test_an_introspection_is_read_in_each_form() -> None:
    body = {"active": "true", "exp": "1893456000", "iat": 1.5, "nbf": None, "scope": ["a", "b"], "username": ""}
    read = read_oauth(response(body), models.IntrospectionResponse)
    assert (read.active, read.exp, read.iat, read.nbf, read.scope) == (True, 1893456000, 1, None, "a b")
    assert read_oauth(response({"active": "false"}), models.IntrospectionResponse).active is False


PAGE: dict[str, Any] = {"totalCount": "2", "list": [{"userId": "u"}, {"userId": 7}]}
FRAMES: list[dict[str, Any]] = [
    {"statusCode": 200, "message": "ok"},
    {"statusCode": "200"},
    {"statusCode": 200.0, "message": None, "apiCode": ""},
    {"code": 200, "message": "ok"},
    {"code": "200", "message": "ok", "uniqueId": "r"},
    {"statusCode": 200, "request_id": "r"},
]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_page_is_read_in_each_frame(frame: dict[str, Any]) -> None:
    data: Any
    for data in (PAGE, {"list": PAGE["list"], "totalCount": 2}):
        read = read_envelope(response({**frame, "data": data}), models.GetLoginHistoryRespDto)
        assert (read.status_code, read.data.total_count) == (200, 2)
        assert [item.user_id for item in read.data.list] == ["u", "7"]
        assert read.request_id == ("r" if "r" in frame.values() else None)
    for data in (None, "", [], {}, {"list": None}, {"totalCount": 0}, {"totalCount": "0", "list": ""}):
        assert read_envelope(response({**frame, "data": data}), models.GetLoginHistoryRespDto).data.list == []
        if not data:
            assert read_envelope(response({**frame, "data": data}), models.RoleListRespDto).data == []
    assert read_envelope(response(frame), models.GetLoginHistoryRespDto).data.list == []
    assert read_envelope(response(frame), models.GetCountryListRespDto).data == []


def test_an_answer_is_read_without_its_frame() -> None:
    assert read_envelope(response(PAGE), models.GetLoginHistoryRespDto).data.total_count == 2
    assert read_envelope(response({"data": PAGE["list"]}), models.GetLoginHistoryRespDto).data.list[1].user_id == "7"
    assert read_envelope(response({"data": PAGE}), models.GetLoginHistoryRespDto).status_code == 200
    assert read_envelope(response([{"id": "r"}]), models.RoleListRespDto).data == [models.RoleDto(id="r")]
    assert read_envelope(response({"userId": "u"}), models.UserSingleRespDto).data.user_id == "u"
    keys = {"rsa": {"publicKey": "r"}, "sm2": {"publicKey": "s"}}
    for body in (keys, {"statusCode": 200, "data": keys}, {"data": keys}, {**keys, "statusCode": 200, "data": None}):
        assert read_envelope(response(body), models.SystemInfoResp).rsa.public_key == "r"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"hello": 1}, 200),
        ({"error": "no", "userId": "u"}, 200),
        ({"error": {"code": 1}, "data": {"userId": "u"}}, 200),
        ({"userId": "u"}, 400),
        ({"data": {"userId": "u"}}, 404),
        ({"statusCode": 200, "data": None}, 200),
        ({"statusCode": 200, "data": {"userId": []}}, 200),
        ([{"userId": "u"}], 200),
        ({"statusCode": "404", "message": "no", "data": {"userId": "u"}}, 200),
        ({"code": 404.0, "message": "no", "data": {"userId": "u"}}, 200),
        ({"code": 404, "data": {"userId": "u"}}, 200),
        ({"statusCode": None, "code": 404, "message": "no", "data": {"userId": "u"}}, 200),
        ({"statusCode": "", "code": 404, "data": {"userId": "u"}}, 200),
        ({"code": "2020", "userId": "u"}, 200),
        ({"apiCode": 2020, "data": {"userId": "u"}}, 200),
        ({"apiCode": "2020", "message": "no", "userId": "u"}, 200),
    ],
)
def test_no_refusal_and_no_stranger_passes_for_an_answer(body: object, status: int) -> None:
    with pytest.raises(GenAuthError):
        read_envelope(response(body, status), models.UserSingleRespDto)
    for cls in (models.CommonResponseDto, models.IsSuccessRespDto):
        if body != {"statusCode": 200, "data": None} or cls is models.IsSuccessRespDto:
            with pytest.raises(GenAuthError):
                read_envelope(response({"success": True} if body == {} else body, 500), cls)


JWT = b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl"


@pytest.mark.parametrize("content_type", ["application/jwt", "application/jwt; charset=utf-8", "text/plain", ""])
def test_signed_user_info_is_named_as_unsupported(content_type: str) -> None:
    with pytest.raises(NotJSONError, match=r"signed JWT.*userinfo_signed_response_alg") as caught:
        read_user_info(response(JWT, content_type=content_type))
    assert "eyJ" not in f"{caught.value!r} {caught.value} {caught.value.excerpt}"


def test_other_user_info_is_read() -> None:
    assert read_user_info(response({"sub": 7, "email": None, "name": ""})) == models.UserInfo(sub="7", name="")
    with pytest.raises(InvalidResponseError):
        read_user_info(response(JWT, 400, "application/jwt"))
