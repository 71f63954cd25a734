"""Daemon threads use the SDK while the process exits: they print nothing, and hold up nothing."""

from __future__ import annotations

import atexit
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import NoReturn


def join_the_late_one() -> None:
    """Let a thread call when the bridge has ended, and wait for that thread."""
    if WHAT in LATE:
        bridge_has_ended.set()
        late.join()
        say("joined")


bridge_has_ended = threading.Event()
atexit.register(join_the_late_one)  # before the import, so that it runs after the bridge's own

import anyio  # noqa: E402

from genauth_async._core.shielding import run_shielded  # noqa: E402
from genauth_async.stream import Stream as AsyncStream  # noqa: E402
from genauth_sync import AuthenticationClient, _bridge  # noqa: E402
from genauth_sync._bridge import Stream, bridge  # noqa: E402
from tests.sync.programs.say import say  # noqa: E402

WHAT, HOST, WEBSOCKET_HOST, APP_ID, APP_SECRET = sys.argv[1:]
THREADS = 12
busy = threading.Semaphore(0)
client = AuthenticationClient(APP_ID, HOST, APP_SECRET, websocket_host=WEBSOCKET_HOST)
token = client.sign_in_by_username_password("test", "passw0rd").data.access_token


class Ones(AsyncStream[int]):
    """Has no end."""

    async def _next(self) -> int:
        await anyio.sleep(0.001)
        return 1


def poll() -> NoReturn:
    while True:
        client.get_profile(access_token=token)
        busy.release()


def poll_and_report_errors() -> NoReturn:
    while True:
        try:
            client.get_profile(access_token=token)
        except Exception:  # noqa: BLE001 - as many pollers do
            traceback.print_exc()
        busy.release()


def use_clients_of_its_own() -> NoReturn:
    while True:
        with AuthenticationClient(APP_ID, HOST, APP_SECRET) as own:
            own.get_profile(access_token=token)
        busy.release()


def iterate() -> None:
    for _ in Stream(Ones()):
        busy.release()
    say("the stream ended")


def wait_for_events() -> None:
    for _ in range(THREADS):
        busy.release()
    for _ in client.iter_events("order", access_token=token):
        pass
    say("the events ended")


def wait_in_a_call() -> None:
    busy.release()
    bridge.run(anyio.sleep_forever)


def finish_with_an_error() -> None:
    async def work() -> None:
        busy.release()
        while not bridge.loop_thread().is_closed:  # noqa: ASYNC110 - set by another thread
            await anyio.sleep(0.001)
        raise LookupError("too late")

    bridge.run(lambda: run_shielded(work))


def begin_late() -> None:
    for _ in range(THREADS):
        busy.release()
    bridge_has_ended.wait()
    client.get_profile(access_token=token)
    say("not reached")


def create_late() -> None:
    for _ in range(THREADS):
        busy.release()
    bridge_has_ended.wait()
    with AuthenticationClient(APP_ID, HOST, APP_SECRET) as own:
        own.get_profile(access_token=token)
    say("not reached")


LATE: dict[str, Callable[[], object]] = {"a late call": begin_late, "a late client": create_late}
MANY: dict[str, Callable[[], object]] = {
    "calls": poll,
    "calls with a handler of errors": poll_and_report_errors,
    "clients": use_clients_of_its_own,
    "a stream": iterate,
    "events": wait_for_events,
    "a call": wait_in_a_call,
    "a shielded call": finish_with_an_error,
}
_bridge.HALT_SECONDS = 0.01 if WHAT in LATE else 3600.0
late = threading.Thread(target=LATE.get(WHAT), daemon=True)
if WHAT in LATE:
    late.start()
else:
    for _ in range(THREADS):
        threading.Thread(target=MANY[WHAT], daemon=True).start()
for _ in range(THREADS):
    busy.acquire()
time.sleep(0.05)  # into the middle of what they do
say("main ends")
