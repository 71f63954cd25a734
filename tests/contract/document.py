"""The API's documents as data: operations, conveniences, protocol methods, DTOs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "authentication-api.json").read_text(encoding="utf-8"))
OPERATIONS: list[dict[str, Any]] = DOCUMENT["operations"]
CONVENIENCE: list[dict[str, Any]] = DOCUMENT["convenience"]
PROTOCOL: list[dict[str, Any]] = DOCUMENT["protocol"]
DTOS: dict[str, list[dict[str, Any]]] = DOCUMENT["dtos"]

# The vendor's two SDKs have different operations under one name; ours keep the Python SDK's meaning of it.
OUR_NAMES = {"get_qr_code_status__node": "get_login_qr_code_status"}


def our_name(operation: dict[str, Any]) -> str:
    name: str = operation["name"]
    return OUR_NAMES.get(name, name)
