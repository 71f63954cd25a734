"""Sessions that are not the browser's, such as one of a service that the application calls."""

from __future__ import annotations

from genauth_async import AuthenticationClient, MemoryStore, TokenSession


def another_session(client: AuthenticationClient) -> TokenSession:
    """A session that has ended."""
    return client.session(None, store=MemoryStore(), key="of a service")
