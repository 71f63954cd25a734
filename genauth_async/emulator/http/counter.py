"""The count of requests by path."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class RequestCounter:
    """Counts the requests that arrived, by path, those answered by a fault included."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def __getitem__(self, path: str) -> int:
        return self._counts[path]

    @property
    def total(self) -> int:
        """The number of requests to all paths."""
        return sum(self.by_path().values())

    def by_path(self) -> dict[str, int]:
        """Return a copy of all counts."""
        with self._lock:
            return dict(self._counts)

    def reset(self) -> None:
        """Start again from zero."""
        with self._lock:
            self._counts.clear()

    def count(self, path: str) -> None:
        """Record one more request."""
        with self._lock:
            self._counts[path] += 1

    def __repr__(self) -> str:
        return f"<RequestCounter {self.by_path()}>"
