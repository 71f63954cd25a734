"""A program that goes on with its client in a forked child, while the parent goes on with it too."""

from __future__ import annotations

import os
import sys

from genauth_sync import AuthenticationClient, MemoryStore
from tests.sync.programs.say import say

host, app_id, app_secret = sys.argv[1:]
client = AuthenticationClient(app_id, host, app_secret)


def sign_in(who: str) -> None:
    for encrypt_type in ("none", "rsa", "sm2"):
        answer = client.sign_in_by_username_password("test", "passw0rd", {"passwordEncryptType": encrypt_type})
    session = client.session(answer, store=MemoryStore(), key=who)
    say(f"{who}: refreshed {session.refresh().access_token == session.access_token()}")


sign_in("before")
child = os.fork()
if child == 0:
    sign_in("child")
    sys.exit(0)
_, status = os.waitpid(child, 0)
say("child exited with", os.waitstatus_to_exitcode(status))
sign_in("parent")
