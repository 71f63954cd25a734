"""The emulator: sign-ins on one core, its start, and suites of many emulators."""

from __future__ import annotations

from functools import partial
from time import perf_counter, process_time
from typing import Any, Final

from .answers import ACCOUNT, PASSWORD
from .lab import Lab
from .worker import Measure, Worker

_AT_ONCE: Final = 50
_SUITE: Final = 50


def measured(lab: Lab) -> None:
    """Measure an emulator in a process of its own, by the processor time that it takes there."""
    emulator = lab.start("emulators:serving")
    client = lab.start("async_clients:aiohttp_session")
    target = lab.target | emulator.ask(wish="start")
    common = {"target": target, "url": target["http"], "at_once": lab.effort.of(_AT_ONCE)}
    load = partial(client.measure, **common, seconds=lab.effort.seconds)
    rates = lab.take_turns("sign-ins, one core of the server", {"emulator": partial(_rate, emulator, load)}, "/s")
    lab.judge("emulator, sign-ins a second of one core", max(rates["emulator"]), "at least", 1500, "/s")
    starts = {
        "create and start": partial(emulator.measure, wish="restart"),
        "with a token, keys of its own": partial(
            emulator.measure, wish="suite", count=lab.effort.of(_SUITE), pool=False
        ),
        "with a token, keys of a pool": partial(emulator.measure, wish="suite", count=lab.effort.of(_SUITE), pool=True),
    }
    found = lab.take_turns("an emulator", starts, "ms", 1e3)
    lab.judge("emulator, create and start", min(found["create and start"]), "at most", 100, "ms")
    lab.judge(
        "emulator with a token and a pool of keys", min(found["with a token, keys of a pool"]), "at most", 20, "ms"
    )


def _rate(emulator: Worker, load: Measure) -> float:
    before = emulator.ask(wish="count")
    load()
    after = emulator.ask(wish="count")
    return float(after["logins"] - before["logins"]) / float(after["seconds"] - before["seconds"])


def serving() -> Measure:
    """Serve, and answer what is asked about it."""
    from genauth_async.emulator import Emulator, EmulatorKeys

    emulator = Emulator()
    user = emulator.add_user(username=ACCOUNT, password=PASSWORD)
    keys = EmulatorKeys(size=4)

    def start() -> dict[str, str]:
        emulator.start()
        address = {"http": emulator.url, "account": ACCOUNT, "password": PASSWORD}
        return address | {"app_id": emulator.app_id, "app_secret": emulator.app_secret}

    def count() -> dict[str, float]:
        return {"logins": user.logins, "seconds": process_time()}

    def restart() -> float:
        begin = perf_counter()
        other = Emulator()
        other.start()
        taken = perf_counter() - begin
        other.stop()
        return taken

    def suite(count: int, *, pool: bool) -> float:
        begin = perf_counter()
        for _ in range(count):
            with Emulator(keys=keys if pool else None) as other:
                other.issue_tokens(other.add_user(username="ada"))
        return (perf_counter() - begin) / count

    wishes: dict[str, Any] = {"start": start, "count": count, "restart": restart, "suite": suite}
    return lambda wish, **arguments: wishes[wish](**arguments)
