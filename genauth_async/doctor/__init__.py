"""Diagnosis of a configuration: `python -m genauth_async doctor`, or `await examine(client)`.

It changes nothing, except for a test record in the store, which it removes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..client import AuthenticationClient
from ..stores import TokenStore
from ._findings import Finding, Report, Verdict
from ._server_checks import examine_server
from ._store_checks import examine_store

__all__ = ["Finding", "Verdict", "examine"]


async def examine(
    client: AuthenticationClient,
    *,
    store: TokenStore | None = None,
    tell: Callable[[Finding], object] = lambda _finding: None,
) -> Sequence[Finding]:
    """Examine the configuration, the connection, the server's clock, metadata and keys, and a store.

    Args:
        client: the application's.
        store: a token store to examine as well.
        tell: called with each finding as soon as it is made.

    Returns:
        The findings, in order; the `wrong` ones must be fixed.
    """
    report = Report(tell)
    await examine_server(client, report)
    if store is not None:
        await examine_store(store, report)
    return report.findings
