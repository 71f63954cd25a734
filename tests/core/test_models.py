from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from cattrs import StructureHandlerNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import (
    LoginTokenRespDto,
    LoginTokenResponseDataDto,
    SignInOptionsDto,
    UserDto,
    UserSingleRespDto,
    models,
)
from genauth_async._core.redaction import RedactedMapping
from genauth_async._wire.converter import ShapeError, argument, structure
from genauth_async.errors import ConfigurationError
from genauth_async.models._base import Dto
from genauth_async.models._fields import attribute_names, dto, secret_attributes, wire_names
from tests.every import check_every

SIGN_IN = {
    "statusCode": 200,
    "message": "Success",
    "requestId": "r-1",
    "data": {
        "scope": "openid offline_access",
        "access_token": "at-canary",
        "id_token": "it-canary",
        "refresh_token": "rt-canary",
        "token_type": "Bearer",
        "expire_in": 1209600,
    },
}


def all_dtos() -> list[type[Dto]]:
    found = (getattr(models, name) for name in dir(models))
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, Dto)]


def test_reads_like_an_object_and_like_the_json() -> None:
    answer = structure(SIGN_IN, LoginTokenRespDto)
    assert answer.data.access_token == "at-canary"
    assert answer["statusCode"] == answer.status_code == 200
    data = answer["data"]
    assert isinstance(data, LoginTokenResponseDataDto)
    assert data["access_token"] == "at-canary"
    assert dict(answer)["requestId"] == "r-1"
    assert "apiCode" not in answer
    assert answer["apiCode"] is None
    assert answer.get("apiCode", "none") == "none"
    assert set(answer) == set(SIGN_IN)
    assert len(answer) == len(SIGN_IN)
    with pytest.raises(KeyError):
        answer["status_code"]


def test_it_has_a_mappings_methods_without_being_one() -> None:
    answer = structure(SIGN_IN, LoginTokenRespDto)
    for held in (answer, answer.data, RedactedMapping({"a": 1, "b": None})):
        assert not isinstance(held, Mapping)
        plain = {name: held[name] for name in held}
        assert (
            {**held} == dict(held) == dict(held.items()) == dict(zip(held.keys(), held.values(), strict=True)) == plain
        )
        assert [held.get(name) for name in held] == list(plain.values())
        assert [name in held for name in (*plain, "other", 1)] == [*[True] * len(plain), False, False]
    assert RedactedMapping({"a": 1}) == {"a": 1} == RedactedMapping(RedactedMapping({"a": 1}))
    assert RedactedMapping({"a": 1}) != {"a": 2}
    assert RedactedMapping({"a": 1}) != 1


def test_an_argument_may_be_a_dto_of_another_class() -> None:
    user = UserDto(user_id="u", nickname="Ada")
    given: Any = user
    assert argument(given, models.UpdateUserProfileDto, "req_dto").nickname == "Ada"


@pytest.mark.parametrize("name", ["expire_in", "expires_in"])
def test_both_spellings_of_the_life_are_read(name: str) -> None:
    data = structure({"access_token": "a", name: 7}, LoginTokenResponseDataDto)
    assert data.expires_in == data["expire_in"] == data["expires_in"] == 7


def test_to_dict_gives_the_json_back() -> None:
    assert structure(SIGN_IN, LoginTokenRespDto).to_dict() == SIGN_IN


def test_none_is_left_out_at_every_depth_and_false_is_not() -> None:
    options = SignInOptionsDto(auto_register=False, custom_data={"a": None, "b": 0})
    assert options.to_dict() == {"autoRegister": False, "customData": {"a": None, "b": 0}}


def test_unknown_fields_are_kept_and_read_by_their_names() -> None:
    answer = structure({**SIGN_IN, "newField": {"x": [1]}}, LoginTokenRespDto)
    assert answer.extra == {"newField": {"x": [1]}}
    assert answer["newField"] == {"x": [1]}
    assert answer.to_dict()["newField"] == {"x": [1]}


def test_unknown_enum_values_are_kept() -> None:
    user = structure({"userId": "u", "gender": "X", "status": "Frozen"}, UserDto)
    assert (user.gender, user.status) == ("X", "Frozen")


def test_null_is_the_same_as_absent() -> None:
    assert structure({"userId": "u", "gender": None, "identities": None}, UserDto) == UserDto(user_id="u")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"statusCode": "canary", "data": {}}, "an integer, got str @ $.status_code"),
        ({"statusCode": True, "data": {}}, "an integer, got bool @ $.status_code"),
        ({"statusCode": 200}, "required field missing @ $.data"),
        ({"statusCode": 200, "data": None}, "required field missing @ $.data"),
        ({"statusCode": 200, "data": ["canary"]}, "an object, got list @ $.data"),
        (["canary"], "an object, got list @ $"),
        (None, "an object, got NoneType @ $"),
    ],
)
def test_drift_is_reported_with_its_path_and_without_values(body: object, problem: str) -> None:
    with pytest.raises(ShapeError) as caught:
        structure(body, LoginTokenRespDto)
    assert problem in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_unreadable_field_type_is_not_blamed_on_the_answer() -> None:
    @dto
    class Unreadable(Dto):
        part: complex

    with pytest.raises(StructureHandlerNotFoundError, match="complex"):
        structure({"part": 1}, Unreadable)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*wire_names(UserDto).values(), *wire_names(LoginTokenResponseDataDto).values(), "data", "new"])


@given(st.dictionaries(NAMES, JSON, max_size=6) | JSON)
def test_any_json_is_structured_or_refused(body: object) -> None:
    for cls in (UserSingleRespDto, LoginTokenRespDto, UserDto, SignInOptionsDto):
        try:
            built = structure(body, cls)
        except ShapeError:
            continue
        again = structure(json.loads(json.dumps(built.to_dict())), cls)
        assert again == built
        assert set(built) >= set(built.extra)
        assert len(dict(built)) == len(built)


# They describe a secret, or contain DTOs that redact their own.
HARMLESS = {
    "password_encrypt_type",
    "password_last_set_at",
    "password_security_level",
    "password_set",
    "reset_password_on_next_login",
    "token_expires_in",
    "token_set",
    "token_type",
}


def test_names_do_not_collide() -> None:
    check_every(all_dtos(), check_names, lambda cls: cls.__name__)


def check_names(cls: type[Dto]) -> None:
    names = attribute_names(cls)
    assert len(set(wire_names(cls).values())) == len(wire_names(cls))
    assert set(names.values()) == set(wire_names(cls))
    for attribute in wire_names(cls):
        if any(word in attribute for word in ("password", "token", "secret", "pass_code", "captcha_code", "ticket")):
            harmless = attribute in HARMLESS or attribute.endswith("_payload")
            assert harmless or attribute in secret_attributes(cls), attribute


def test_nothing_secret_is_shown_or_pickled() -> None:
    answer = structure(SIGN_IN, LoginTokenRespDto)
    for shown in (repr(answer), str(answer), f"{answer}", repr([answer]), repr(dict(answer))):
        assert "canary" not in shown
    assert "access_token='***'" in repr(answer)
    with pytest.raises(TypeError, match=r"access_token.*to_dict"):
        pickle.dumps(answer)


def test_copies_and_pickles_without_secrets() -> None:
    user = UserDto(user_id="u", custom_data={"a": [1]}, extra={"new": 1})
    assert pickle.loads(pickle.dumps(user)) == user
    assert copy.copy(user) is user
    deep = copy.deepcopy(user)
    assert deep == user
    assert deep.custom_data is not user.custom_data
    tokens = LoginTokenResponseDataDto(access_token="a")
    assert copy.deepcopy(tokens) == tokens
    assert user.evolve(username="x").username == "x"


def test_dtos_are_frozen() -> None:
    user: Any = UserDto(user_id="u")
    with pytest.raises(AttributeError):
        user.user_id = "v"
    with pytest.raises(AttributeError):
        user.unknown = 1


def test_arguments_by_either_name() -> None:
    by_wire = argument({"passwordEncryptType": "sm2", "autoRegister": True}, SignInOptionsDto, "options")
    by_attribute = argument({"password_encrypt_type": "sm2", "auto_register": True}, SignInOptionsDto, "options")
    assert by_wire == by_attribute == SignInOptionsDto(password_encrypt_type="sm2", auto_register=True)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("sm2", "options: must be a SignInOptionsDto or a mapping, not str"),
        ({"passwordEncryptType": "SM2"}, "expected one of none, rsa, sm2"),
        ({"autoRegister": "yes"}, "expected a boolean, got str"),
    ],
)
def test_wrong_arguments_are_named(value: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        argument(value, SignInOptionsDto, "options")
    assert message in str(caught.value)
    assert caught.value.argument == "options"


@pytest.mark.parametrize(
    "answer",
    [
        models.UntypedRespDto(data={"access_token": "canary", "list": [{"password": "canary"}]}),
        models.IdentityDto(user_info_in_idp={"accessToken": "canary"}),
        UserDto(user_id="u", extra={"refreshToken": "canary"}),
        UserDto(user_id="u", identities=[models.IdentityDto(extra={"secret": "canary"})]),
        UserSingleRespDto(status_code=200, data=UserDto(user_id="u", custom_data={"ticket": "canary"})),
    ],
)
def test_untyped_parts_are_masked_and_not_pickled_either(answer: Dto) -> None:
    assert "canary" not in f"{answer!r} {answer}"
    assert "canary" in json.dumps(answer.to_dict())
    with pytest.raises(TypeError, match="to_dict"):
        pickle.dumps(answer)
