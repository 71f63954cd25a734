"""The vendor's older API: its envelope, its passwords, and its GraphQL."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..state.errors import ApiError, Refusal
from ..state.state import State
from .arguments import Arguments
from .routes import Handler

_CIPHERTEXT = re.compile(r"[A-Za-z0-9+/]{160,}={0,2}")  # of RSA


def older(handler: Handler) -> Handler:
    """Make a handler fail in the older envelope, which has one number where today's has two."""

    async def answer(state: State, request: Request) -> Response:
        try:
            return await handler(state, request)
        except ApiError as error:
            return JSONResponse({**_failure(error), "data": error.body.get("data")}, headers=error.headers)

    return answer


def older_success() -> Response:
    """Answer a successful call that has no result."""
    return JSONResponse({"code": 200, "message": "Success"})


def graphql_success(name: str) -> Response:
    """Answer a successful mutation that has no result."""
    return JSONResponse({"data": {name: {"message": "Success", "code": 200}}})


def graphql(handler: Handler) -> Handler:
    """Make a handler fail as the GraphQL endpoint does: the message of an error is an object."""

    async def answer(state: State, request: Request) -> Response:
        try:
            return await handler(state, request)
        except ApiError as error:
            return JSONResponse({"errors": [{"message": _failure(error)}], "data": None}, headers=error.headers)

    return answer


def _failure(error: ApiError) -> dict[str, object]:
    code = error.body.get("apiCode", error.body["statusCode"])
    return {"code": int(str(code)), "message": error.body["message"]}


async def older_password(state: State, payload: Arguments, name: str) -> str:
    """Read a required password: a ciphertext of RSA, one of SM2 with its mark, or a plain text."""
    password = payload.text(name)
    if password.startswith("sm2:"):
        encryption, ciphertext = "sm2", password.removeprefix("sm2:")
    elif _CIPHERTEXT.fullmatch(password):
        encryption, ciphertext = "rsa", password
    else:
        return password
    try:
        return await run_in_threadpool(state.password_keys.decrypt, encryption, ciphertext)
    except ValueError as error:
        raise Refusal.UNDECRYPTABLE.error() from error
