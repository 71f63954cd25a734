"""The grant and the order of stored tokens, by fingerprints.

Times do not decide: clocks of two machines differ, and a kept sign-in response does not say when it arrived.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from attrs import evolve

from ..models.tokens import TokenSet
from ..stores import SessionRecord

# Fingerprints kept of a grant's earlier tokens, and of replaced sign-ins.
_PREDECESSORS: Final = 33
_REPLACED: Final = 64
_SHORT: Final = 16


def first_record(tokens: TokenSet, app_id: str, app_host: str, expires_at: float | None) -> SessionRecord:
    """Create the first record of a sign-in.

    Each starts at another generation. So a process that was suspended before another sign-in under the same key cannot
    find its old generation and overwrite that sign-in.
    """
    generation = int(fingerprint(tokens)[:12], 16)
    return SessionRecord(tokens=tokens, generation=generation, app_id=app_id, app_host=app_host, expires_at=expires_at)


def fingerprint(tokens: TokenSet) -> str:
    """Return the digest (SHA-256) of the refresh token, or of the access token if there is none."""
    return hashlib.sha256((tokens.refresh_token or tokens.access_token).encode()).hexdigest()


def relation(tokens: TokenSet, record: SessionRecord) -> Literal["same", "replaced", "new"]:
    """Return the relation of tokens to a record: of its grant, of a sign-in that it replaced, or of a new one."""
    name = _name(tokens)
    if name == _name(record.tokens) or name in record.predecessors:
        return "same"
    return "replaced" if name in record.replaced else "new"


def is_same_grant(one: SessionRecord, other: SessionRecord) -> bool:
    """Return True if both records began with the same sign-in."""
    return _sign_in(one) == _sign_in(other)


def is_owned_by(record: SessionRecord, app_id: str, app_host: str) -> bool:
    """Return True if a record is of this application at this server, as far as both are known."""
    return not (record.app_id and app_id) or (record.app_id, record.app_host) == (app_id, app_host)


def replacing(old: SessionRecord, new: SessionRecord) -> SessionRecord:
    """Return a new sign-in's record that replaces another's under the same key."""
    names = dict.fromkeys((*old.replaced, *old.predecessors, _name(old.tokens), *new.replaced))
    return evolve(new, generation=old.generation + 1, replaced=tuple(names)[-_REPLACED:])


def is_older(record: SessionRecord, known: SessionRecord) -> bool:
    """Return True if a record of the same grant is older than the known one."""
    name = _name(record.tokens)
    return name in known.predecessors or (name == _name(known.tokens) and record.generation < known.generation)


def predecessors_of(old: SessionRecord, new: TokenSet) -> tuple[str, ...]:
    """Return the fingerprints of earlier tokens: the sign-in's own, and the most recent ones."""
    name = _name(old.tokens)
    if name == _name(new) or name in old.predecessors:
        return old.predecessors  # The server does not rotate.
    names = (*old.predecessors, name)
    return names if len(names) <= _PREDECESSORS else (names[0], *names[2:])


def _sign_in(record: SessionRecord) -> str:
    return record.predecessors[0] if record.predecessors else _name(record.tokens)


def _name(tokens: TokenSet) -> str:
    return fingerprint(tokens)[:_SHORT]
