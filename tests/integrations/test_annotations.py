"""DTOs as annotations of FastAPI routes, in OpenAPI, and as pydantic's fields."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError

from genauth_async import AuthenticationClient, models
from genauth_async.integrations.fastapi import GenAuth
from genauth_async.models import LoginTokenResponseDataDto, UserInfo, UserSingleRespDto
from genauth_async.models.permissions import TreeStructs
from tests.core.test_lenient_answers import good
from tests.core.test_models import all_dtos
from tests.every import check_every

ADA = UserInfo(sub="ada", email_verified=True, extra={"hobby": {"a": [1]}})
ADA_JSON = {"sub": "ada", "email_verified": True, "hobby": {"a": [1]}}


class Team(BaseModel):
    lead: UserInfo
    others: list[models.UserDto] = []


def application() -> FastAPI:
    client = AuthenticationClient("app", "https://id.example", "s" * 32, redirect_uri="http://localhost:8000/callback")
    auth = GenAuth(client)
    app = FastAPI()

    @app.get("/me")
    async def me(user: UserInfo = Depends(auth.user)) -> UserInfo:  # noqa: B008, FAST002 - `auth` is local
        return user

    app.dependency_overrides[auth.user] = lambda: ADA

    @app.get("/model", response_model=UserInfo)
    async def model() -> Any:
        return ADA

    @app.get("/users")
    async def users() -> list[UserInfo]:
        return [ADA, UserInfo(sub="bob")]

    @app.get("/perhaps")
    async def perhaps() -> UserInfo | None:
        return None

    @app.post("/team")
    async def team(team: Team) -> Team:
        assert isinstance(team.lead, UserInfo)
        return team

    @app.post("/user")
    async def user(user: Annotated[UserInfo, Body()]) -> models.AccessToken | UserInfo:
        return user.evolve(nickname="new")

    return app


@pytest.fixture(scope="module")
def web() -> TestClient:
    return TestClient(application())


def test_a_route_returns_what_its_dependency_gave(web: TestClient) -> None:
    assert web.get("/me").json() == web.get("/model").json() == ADA_JSON
    assert web.get("/users").json() == [ADA_JSON, {"sub": "bob"}]
    assert web.get("/perhaps").json() is None
    assert web.post("/user", json=ADA_JSON).json() == {**ADA_JSON, "nickname": "new"}
    whole = {"lead": ADA_JSON, "others": [{"userId": "u", "new": 1}]}
    assert web.post("/team", json=whole).json() == whole
    refused = web.post("/user", json={"email": "no sub"})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "sub"]


def test_openapi_describes_them_by_wire_names(web: TestClient) -> None:
    document = web.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    shown = document["paths"]["/me"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    described = schemas[shown["$ref"].removeprefix("#/components/schemas/")]
    assert described["title"] == "UserInfo"
    assert described["required"] == ["sub"]
    assert {"type": "boolean"} in described["properties"]["email_verified"]["anyOf"]
    assert "userId" in next(schema for name, schema in schemas.items() if name.startswith("UserDto"))["properties"]


def test_every_dto_has_a_schema_and_goes_through_one() -> None:
    def check(cls: Any) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(cls)
        for mode in ("validation", "serialization"):
            schema = adapter.json_schema(mode=mode)
            assert schema.get("title", schema.get("$ref", "").rpartition("/")[2]) == cls.__name__
        made = adapter.validate_python({**good(cls), "unknown": 1})
        assert type(made) is cls
        assert made.extra == {"unknown": 1}
        assert adapter.validate_python(made) is made
        assert adapter.validate_json(adapter.dump_json(made)) == made
        assert adapter.dump_python(made) == made.to_dict()

    check_every(all_dtos(), check, lambda cls: cls.__name__)


def test_fields_are_read_by_each_name_and_null_is_none() -> None:
    tokens = TypeAdapter(LoginTokenResponseDataDto).validate_python({"expires_in": 7, "access_token": None})
    assert (tokens.expires_in, tokens.access_token, tokens.extra) == (7, None, {})
    tree = TypeAdapter(TreeStructs).validate_python({"children": [{"code": "x", "children": [{"code": "y"}]}]})
    assert tree == TreeStructs(children=[TreeStructs(code="x", children=[TreeStructs(code="y")])])
    with pytest.raises(ValidationError):
        TypeAdapter(UserSingleRespDto).validate_python({"statusCode": 200, "data": {}})


def test_pydantic_is_not_imported_without_need() -> None:
    program = "import sys, genauth_async.models.tokens; assert not {'pydantic', 'pydantic_core'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
