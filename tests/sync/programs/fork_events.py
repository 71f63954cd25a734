"""A program that forks while a thread waits for an event; the child closes the stream, or receives with it."""

from __future__ import annotations

import os
import sys
import threading

from genauth_sync import AuthenticationClient
from tests.sync.programs.say import say

what, host, websocket_host, app_id, app_secret = sys.argv[1:]
client = AuthenticationClient(app_id, host, app_secret, websocket_host=websocket_host)
token = client.sign_in_by_username_password("test", "passw0rd").data.access_token
events = client.iter_events("order", access_token=token, reconnect_for=0)
say("parent:", next(events))


def wait() -> None:
    say("parent:", next(events))


waiting = threading.Thread(target=wait)
waiting.start()
while events._async._waiting is None:
    pass
child = os.fork()
if child == 0:
    if what == "receive":
        say("child:", next(events))
        events.close()
    elif what == "close":
        events.close()
    else:
        client.close()
    say("child:", list(events))
    sys.exit(0)
_, status = os.waitpid(child, 0)
say("child exited with", os.waitstatus_to_exitcode(status))
waiting.join()
client.close()
