"""Sessions in a FileStore are used while the process exits, when Python 3.12.1 starts no threads any more."""

from __future__ import annotations

import atexit
import sys
import threading
from pathlib import Path
from unittest.mock import patch

from genauth_async import FileStore
from genauth_sync import AuthenticationClient, TokenSession, _bridge, _loop_thread
from tests.sync.programs.say import say

when, directory, host, app_id, app_secret = sys.argv[1:]
client = AuthenticationClient(app_id, host, app_secret)


def sign_in(number: int) -> TokenSession:
    answer = client.sign_in_by_username_password("test", "passw0rd")
    return client.session(answer, store=FileStore(Path(directory), accepts_clear=True), key=f"user {number}")


def refresh(session: TokenSession) -> None:
    say("refreshed:", session.refresh().access_token == session.access_token())


def start_no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't create new thread at interpreter shutdown")


if when == "first call at exit":
    atexit.register(lambda: refresh(sign_in(0)))
    sys.exit(0)
sessions = [sign_in(number) for number in range(4)]
if when == "at exit":
    sessions[0].access_token()
if when == "in flight":
    for session in sessions:
        threading.Thread(target=refresh, args=[session], daemon=True).start()
    sys.stdin.readline()
else:
    for session in sessions:
        atexit.register(refresh, session)
_bridge.CANCEL_SECONDS = _loop_thread.EXIT_SECONDS = 20.0
patch.object(threading.Thread, "start", start_no_thread).start()
say("main ends")
