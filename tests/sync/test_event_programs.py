"""Fork with an open event stream: seen from outside, by running programs/."""

from __future__ import annotations

import pytest

from genauth_async.emulator import Emulator
from tests.sync.test_bridge_programs import Program, needs_fork

pytestmark = needs_fork


@pytest.mark.parametrize(
    "what", ["close", *(pytest.param(what, marks=pytest.mark.slow) for what in ("close the client", "receive"))]
)
def test_an_event_stream_survives_a_fork_in_both_processes(what: str) -> None:
    with Emulator() as emulator:
        emulator.add_user(username="test", password="passw0rd")
        events = emulator.events
        program = Program(
            "fork_events.py", what, emulator.url, emulator.websocket_url, emulator.app_id, emulator.app_secret
        )
        events.wait_subscribed_blocking("order")
        events.publish("order", "first")
        program.read_until("parent: first")
        if what == "receive":
            events.wait_subscribed_blocking("order", 2)
            events.publish("order", "to both")
            program.read_until("child exited with 0")
        else:
            program.read_until("child exited with 0")
            assert events.subscribers("order") == 1
            assert emulator.requests["/events/v1/authentication/sub"] == 1
            events.publish("order", "to both")
        received = ["child: to both"] if what == "receive" else []
        assert sorted(program.finish()) == sorted(
            ["parent: first", "parent: to both", *received, "child: []", "child exited with 0"]
        )
