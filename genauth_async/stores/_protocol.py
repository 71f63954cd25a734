"""The protocol of token stores, and the record that they keep."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol, cast, runtime_checkable

from attrs import asdict, frozen

from .._arguments.text import described
from .._wire.converter import ShapeError, structure
from ..errors import ConfigurationError
from ..models._fields import is_exact_type
from ..models.tokens import TokenSet

_FORM = 2
_LARGEST_GENERATION = 2**63
_LATEST = 2**53  # in seconds since the epoch; floats above lose whole seconds


@frozen
class RefreshAttempt:
    """An attempt to refresh the tokens of a record.

    Attributes:
        id: a random name, by which its process recognises it.
        started_at: the time of its start, in seconds since the epoch.
        seconds: the time within which its process sends the refresh token, and stops waiting for the answer; 0 once it
            has ended.
        lost: the number of times that these tokens' refresh token was sent and its answer lost, before this attempt.
    """

    id: str
    started_at: float
    seconds: float
    lost: int = 0


@frozen(kw_only=True)
class SessionRecord:
    """A stored session.

    Attributes:
        tokens: the newest tokens.
        generation: grows with each write; the first is any number below 2**48.
        app_id: the application whose session it is.
        app_host: the server of that application.
        attempt: the attempt to refresh these tokens that is under way, or whose answer was lost; None without one. The
            refresh token may have been used.
        predecessors: fingerprints (digests) of the refresh tokens that these replaced, the newest last. They
            distinguish old tokens of this grant from those of a new sign-in.
        replaced: fingerprints of the earlier sign-ins' tokens that this sign-in has replaced, the newest last.
        expires_at: the time from which a store may drop the record, in seconds since the epoch; None when not known.
    """

    tokens: TokenSet
    generation: int
    app_id: str = ""
    app_host: str = ""
    attempt: RefreshAttempt | None = None
    predecessors: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    expires_at: float | None = None

    def to_json(self) -> str:
        """Encode the record as JSON, tokens in clear, for stores that keep text."""
        return json.dumps(
            {
                **asdict(self, recurse=False),
                "form": _FORM,
                "tokens": self.tokens.to_dict(),
                "attempt": None if self.attempt is None else asdict(self.attempt),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> SessionRecord:
        """Decode a record from the text of `to_json`.

        Args:
            text: the result of `to_json`.

        Raises:
            ValueError: the text is not a record. The error quotes none of it.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        record = _read(content) if isinstance(content, dict) else None
        if record is None:
            raise ValueError("this is not a session's record")
        return record


def _is_count(value: object) -> bool:
    return is_exact_type(value, int) and 0 <= value < _LARGEST_GENERATION


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_LATEST <= value <= _LATEST


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_RECORD: Final[Mapping[str, Callable[[object], bool]]] = {
    "generation": _is_count,
    "app_id": _is_text,
    "app_host": _is_text,
    "predecessors": _is_texts,
    "replaced": _is_texts,
    "expires_at": lambda value: value is None or _is_time(value),
}
_ATTEMPT: Final[Mapping[str, Callable[[object], bool]]] = {
    "id": _is_text,
    "started_at": _is_time,
    "seconds": _is_time,
    "lost": _is_count,
}


def _read(content: dict[str, Any]) -> SessionRecord | None:
    attempt = content.get("attempt")
    if content.get("form") != _FORM or not _has(content, _RECORD) or not (attempt is None or _has(attempt, _ATTEMPT)):
        return None
    try:
        tokens = structure(content.get("tokens"), TokenSet)
    except ShapeError:
        return None
    given: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
    return SessionRecord(
        **{name: given[name] for name in _RECORD},
        tokens=tokens,
        attempt=None if attempt is None else RefreshAttempt(**{name: attempt[name] for name in _ATTEMPT}),
    )


def _has(content: Any, fields: Mapping[str, Callable[[object], bool]]) -> bool:
    return isinstance(content, dict) and all(name in content and fits(content[name]) for name, fits in fields.items())


@runtime_checkable
class TokenStore(Protocol):
    """Keeps sessions by key. Sessions with the same store and key are one session, wherever they run.

    Every method may raise; the session loses nothing. A StoreError means a failure that passes: the session then logs
    it, returns an access token that is valid, and writes later. A StoreUnusableError, and any other exception, is
    raised to the caller.
    """

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        ...

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written."""
        ...

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any); return True if there is none now."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the key's lock, exclusively across all processes that share the store.

        Waiting for it must be cancellable, and end with a StoreError if its holder does not release it. A session holds
        it during a refresh, so that others wait here rather than ask again and again. Its safety does not depend on it:
        `compare_and_set` and the record's attempt decide.
        """
        ...


@runtime_checkable
class SessionIndex(Protocol):
    """Lists the sessions of each user. A store may have this, too; without it users cannot be signed out everywhere.

    GenAuth's `sign_out_everywhere` and `session_idle_timeout` need it. Users are digests, and times are in seconds
    since the epoch, by the client's clock. A session whose `until` has passed may be forgotten.
    """

    async def add_session(self, user: str, key: str, *, now: float, until: float) -> None:
        """Add a session to the user's, or set its `until`."""
        ...

    async def touch_session(self, user: str, key: str, *, now: float, until: float) -> bool:
        """Set the `until` of a session; return False, and do nothing, if it is not there or its `until` has passed."""
        ...

    async def remove_session(self, user: str, key: str) -> None:
        """Remove a session from the user's, if it is there."""
        ...

    async def sessions_of(self, user: str, *, now: float) -> Sequence[str]:
        """Return the keys of the user's sessions whose `until` has not passed."""
        ...


_INDEX: Final = ("add_session", "touch_session", "remove_session", "sessions_of")


def index_of(store: object) -> SessionIndex | None:
    """Return the store as a SessionIndex, or None if it lacks a method."""
    return None if _missing(store) else cast("SessionIndex", store)


def require_index(argument: str, store: object) -> SessionIndex:
    """Return the store as a SessionIndex.

    Raises:
        ConfigurationError: it lacks a method.
    """
    if missing := _missing(store):
        raise ConfigurationError(
            argument,
            f"must have the methods of genauth_async.stores.SessionIndex; {type(store).__name__} lacks "
            f"{', '.join(missing)}",
        )
    return cast("SessionIndex", store)


def _missing(store: object) -> list[str]:
    return [name for name in _INDEX if not callable(getattr(store, name, None))]


def require_store(argument: str, value: object) -> None:
    """Require a token store.

    Raises:
        ConfigurationError: it is something else.
    """
    if isinstance(value, type) or not isinstance(value, TokenStore):
        raise ConfigurationError(argument, f"must be a store, such as FileStore(), not {described(value)}")
