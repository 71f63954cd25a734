"""The emulator's sign-ins per second, on the one core that it uses."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import process_time
from typing import Any

from .answers import ACCOUNT, APP_ID, APP_SECRET, PASSWORD
from .lab import Lab
from .worker import Measure

_AT_ONCE = 50


def sign_ins(lab: Lab) -> None:
    """Measure it with aiohttp, which leaves most of the time to the emulator."""
    emulator, client = lab.start("emulated:emulator"), lab.start("async_clients:aiohttp_session")
    served: dict[str, Any] = emulator.ask()
    target = lab.target | served["target"]
    runner = partial(client.measure, target=target, url=target["http"], at_once=_AT_ONCE, seconds=lab.effort.seconds)
    busy: list[float] = []

    def run() -> float:
        before = emulator.ask()
        rate = runner()
        after = emulator.ask()
        busy.append((after["seconds"] - before["seconds"]) / (after["sign_ins"] - before["sign_ins"]))
        return rate

    lab.take_turns("emulator", {"sign-ins": run}, "/s")
    lab.note("emulator", "processor time of a sign-in", 1e6 * median(busy), "µs")
    lab.judge("emulator, sign-ins in a second of processor time", 1 / median(busy), "at least", 1500.0, "/s")


def emulator() -> Measure:
    """Start the emulator; report its address, the number of sign-ins, and the processor time used."""
    from genauth_async.emulator import Emulator

    serving = Emulator(app_id=APP_ID, app_secret=APP_SECRET)
    serving.add_user(username=ACCOUNT, password=PASSWORD)
    serving.__enter__()

    def ask() -> dict[str, object]:
        return {
            "target": {
                "http": serving.url,
                "app_id": APP_ID,
                "app_secret": APP_SECRET,
                "account": ACCOUNT,
                "password": PASSWORD,
            },
            "sign_ins": serving.requests["/api/v3/signin"],
            "seconds": process_time(),
        }

    return ask
