"""A program that drops its clients unclosed before it ends."""

from __future__ import annotations

import gc
import sys

from genauth_sync import AuthenticationClient, TokenSession
from tests.sync.programs.say import say

host, app_id, app_secret = sys.argv[1:]


def sign_in() -> TokenSession:
    client = AuthenticationClient(app_id, host, app_secret)
    copied = client.with_options(timeout=5.0)
    return client.session(copied.sign_in_by_username_password("test", "passw0rd"))


session = sign_in()
gc.collect()
# The session still has the client's connections.
say("refreshed:", session.refresh().access_token == session.access_token())
del session
gc.collect()
another = AuthenticationClient(app_id, host, app_secret)
say("another:", another.get_system_info().version is not None)
