"""The routing of paths and methods to handlers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from ..state.state import State

Handler: TypeAlias = Callable[[State, Request], Awaitable[Response]]
Routes: TypeAlias = Mapping[str, Mapping[str, Handler]]
"""Handlers by path and method. A path may have parameters, such as {credentialId}: `request.path_params` has them."""


class RouteTable:
    """The routes of all areas."""

    def __init__(self, areas: Iterable[Routes]) -> None:
        self._fixed: dict[str, Mapping[str, Handler]] = {}
        self._patterns: list[tuple[re.Pattern[str], Mapping[str, Handler]]] = []
        for routes in areas:
            for path, handlers in routes.items():
                if "{" in path:
                    self._patterns.append((compile_path(path)[0], handlers))
                else:
                    self._fixed[path] = handlers

    def find(self, path: str) -> tuple[Mapping[str, Handler], dict[str, str]] | None:
        """Find the handlers of a path, and the parameters in it."""
        if path in self._fixed:
            return self._fixed[path], {}
        for pattern, handlers in self._patterns:
            if match := pattern.match(path):
                return handlers, match.groupdict()
        return None
