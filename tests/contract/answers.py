"""The least that an operation answers, by the documents."""

from __future__ import annotations

import re
from typing import Any

from tests.contract.document import CONVENIENCE, DTOS, OPERATIONS

# What the endpoints of OAuth and OpenID Connect answer, all in one.
OAUTH = {"access_token": "at", "token_type": "Bearer", "expires_in": 3600, "active": True, "sub": "a-user"}
DONE = {"statusCode": 200, "message": "ok"}


def least_answer(method: str, levels: int = 0) -> dict[str, Any]:
    """An answer with the required members only, or with all members on the given number of levels."""
    called = {convenience["name"]: convenience["calls"] for convenience in CONVENIENCE}.get(method, method)
    for operation in OPERATIONS:
        if operation["name"] == called:
            dto = operation["response_dto"]
            return least_members(dto, levels) if dto else DONE
    return OAUTH


def least_members(dto: str, levels: int = 0) -> dict[str, Any]:
    """A DTO with its required members only, by wire names, or with all members on the given number of levels."""
    found = {field["wire"]: _least(field, max(0, levels - 1)) for field in DTOS[dto] if field["required"] or levels > 0}
    return {**found, **DONE} if "statusCode" in found else found


def _least(field: dict[str, Any], levels: int) -> Any:
    kind: str = field["type"]
    if inner := re.fullmatch(r"array<(.*)>", kind):
        return [_least({**field, "type": inner[1]}, levels)]
    if kind.startswith("ref:"):
        return least_members(kind.removeprefix("ref:"), levels)
    if kind == "enum":
        return field["enum"][0]
    return {"string": "text", "boolean": True, "number": 1, "any": {}}[kind]
