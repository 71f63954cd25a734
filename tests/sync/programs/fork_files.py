"""fork after the bridge could not start: the application's open files stay what they are in the child."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from unittest.mock import patch

import anyio

from genauth_sync._bridge import bridge
from tests.sync.programs.say import say


def fail(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


with patch.object(threading.Thread, "start", fail):
    for _ in range(3):
        try:
            bridge.run(anyio.lowlevel.checkpoint)
        except RuntimeError as error:
            say(type(error).__name__)

with tempfile.TemporaryFile() as file:  # gets the number of a file descriptor that the bridge closed
    file.write(b"of the application")
    file.flush()
    others = [os.memfd_create("other") for _ in range(10)]
    child = os.fork()
    if child == 0:
        bridge.run(anyio.lowlevel.checkpoint)
        say("child:", os.pread(file.fileno(), 100, 0).decode())
        say("child:", {Path(f"/proc/self/fd/{other}").readlink().name.split(" ")[0] for other in others})
        os._exit(0)
    os.waitpid(child, 0)
