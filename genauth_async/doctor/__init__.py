"""Looks at a configuration as a doctor would: `python -m genauth_async doctor`, or `await examine(client)`.

Nothing is changed but a record of the doctor's own in the store, which is removed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..client import AuthenticationClient
from ..stores import TokenStore
from ._findings import Finding, Report, Verdict
from ._server import examine_server
from ._stores import examine_store

__all__ = ["Finding", "Verdict", "examine"]


async def examine(
    client: AuthenticationClient,
    *,
    store: TokenStore | None = None,
    tell: Callable[[Finding], object] = lambda _finding: None,
) -> Sequence[Finding]:
    """Examines the configuration, the way to the server, the server's clock, discovery and keys, and a store.

    Args:
        client: the application's.
        store: a store of sessions to be examined as well.
        tell: is told of each finding as soon as it is made.

    Returns:
        The findings, in the order in which they were made; those that are `wrong` have to be mended.
    """
    report = Report(tell)
    await examine_server(client, report)
    if store is not None:
        await examine_store(store, report)
    return report.findings
