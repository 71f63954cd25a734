"""The types of the fixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import httpx

Json: TypeAlias = dict[str, Any]
SignIn: TypeAlias = Callable[..., Json]
Refresh: TypeAlias = Callable[[str], httpx.Response]
