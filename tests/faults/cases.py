"""The form of the table of cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from attrs import frozen

from tests.faults.outcomes import Outcome
from tests.faults.worker import Answer

if TYPE_CHECKING:
    from tests.faults.scene import Scene

LIFE: Final = 3600.0
EXPIRED: Final = 2 * LIFE
# Still valid, but within the leeway of a minute.
DUE: Final = LIFE - 30

Kind: TypeAlias = Literal["file", "redis"]
KINDS: Final[tuple[Kind, ...]] = ("file", "redis")
BACKENDS: Final = ("asyncio", "trio")
Server: TypeAlias = Literal["any", "reuse ends the grant", "grace window"]
Script: TypeAlias = "Callable[[Scene], Happened]"


@frozen
class Happened:
    """Answers that callers got, in the order of the table's columns.

    Attributes:
        first: the caller that met the fault; None if its process is no more.
        other: another process, asking while the fault lasts or at once after it.
        later: the other process, or the one that the case names, when all is over.
    """

    first: Answer | None
    other: Answer
    later: Answer


@frozen(kw_only=True)
class Case:
    """One line of the table.

    Attributes:
        fault: what goes wrong.
        store: where.
        script: does it.
        first: what the caller gets that meets the fault, or what becomes of its process.
        other: what another process gets meanwhile, or at once after.
        later: what is got when all is over.
        requests: how many refreshes reached the server.
        grant: whether the server still has it, and if not, why.
        server: what it does with a refresh token that was used before; "any" if that makes no difference.
        backends: the event loops of the processes, or "sync" for the blocking client.
        token_age: of the session's access token, in seconds.
        redis_options: of a Redis server of the case's own; None if it leaves the server alone.
    """

    fault: str
    store: Kind
    script: Script
    first: Outcome | Literal["killed", "ends by itself"]
    other: Outcome
    later: Outcome
    requests: int
    grant: Literal["alive", "revoked", "revoked for reuse"] = "alive"
    server: Server = "any"
    backends: tuple[str, ...] = BACKENDS
    token_age: float = EXPIRED
    redis_options: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        return f"{self.store}: {self.fault}" + ("" if self.server == "any" else f"; {self.server}")

    def cells(self) -> tuple[str, ...]:
        """Return the line without the store, as texts."""
        first = self.first if isinstance(self.first, str) else self.first.text
        return (self.fault, self.server, first, self.other.text, self.later.text, str(self.requests), self.grant)
