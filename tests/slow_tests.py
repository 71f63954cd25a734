"""Say at the end of a run which slow tests it left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import PurePath

import pytest

_KEY = "slow tests left out"


class SlowTests:
    """A pytest plugin. Workers of pytest-xdist count, and their controller reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._left_out: Counter[str] = Counter()

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count those that `-m "not slow"` leaves out, by folder or file."""
        if self._config.option.markexpr != "not slow":
            return
        slow = [item for item in items if item.get_closest_marker("slow") is not None]
        self._left_out.update(_area(item.nodeid) for item in slow)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take the count of a worker; each worker counts the same tests."""
        self._left_out = Counter(getattr(node, "workeroutput", {}).get(_KEY, {})) or self._left_out

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        """Report below pytest's closing line."""
        for_controller: dict[str, object] = getattr(self._config, "workeroutput", {})
        for_controller[_KEY] = dict(self._left_out)
        yield
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._left_out and terminal is not None:
            areas = ", ".join(f"{area} {count}" for area, count in self._left_out.most_common())
            terminal.write_line(f"left out: {self._left_out.total()} slow tests ({areas}): make test-all")


def _area(node_id: str) -> str:
    """The folder below tests, or the file."""
    return PurePath(node_id.partition("::")[0]).parts[1].removesuffix(".py")
