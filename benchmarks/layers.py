"""The time that each layer adds to the one below; the first is the floor."""

from __future__ import annotations

from functools import partial
from typing import Final

from .lab import Lab
from .processes import Worker

# Each includes the one before it.
_SIGN_IN: Final = {
    "the event loop, sockets, the server": "async_clients:streams",
    "HTTP: aiohttp": "async_clients:aiohttp_session",
    "httpx's requests and responses: httpx-aiohttp's transport": "async_clients:aiohttp_transport",
    "the SDK: genauth_async": "async_clients:ours_over_aiohttp",
    "from another thread: genauth_sync": "blocking_clients:ours",
}


def added(lab: Lab) -> None:
    """Measure a sign-in and its parts, and the verification of a token."""
    seconds = lab.effort.seconds

    def sign_in(worker: Worker) -> float:
        return 1 / worker.measure(target=lab.target, url=lab.target["http"], at_once=1, seconds=seconds)

    runners = {layer: partial(sign_in, lab.start(worker)) for layer, worker in _SIGN_IN.items()}
    lab.take_turns("one sign-in, http", runners, "µs", 1e6)

    rsa, joserfc = lab.start("tokens:checking_signatures"), lab.start("tokens:verifying_by_hand")
    ours, decoding = lab.start("tokens:verifying"), lab.start("tokens:decoding")
    verify = partial(ours.measure, padding=0, keys=1, seconds=seconds)
    runners = {
        "the RSA check: cryptography": partial(rsa.measure, seconds=seconds),
        "the token's form, JSON, and claims: joserfc": partial(joserfc.measure, padding=0, seconds=seconds),
        "the SDK's refusals, typed claims, remembering: verify_access_token": partial(verify, again=False),
    }
    lab.take_turns("one token verified, for the first time", runners, "µs", 1e6)

    decode = partial(decoding.measure, padding=0, seconds=seconds)
    runners = {"JSON: json.loads": partial(decode, dto=False), "the DTO": partial(decode, dto=True)}
    lab.take_turns("one sign-in's answer decoded", runners, "µs", 1e6)

    in_c, encrypt = lab.start("encryption:gmssl_pyx"), lab.start("encryption:ours_in_c")
    runners = {
        "the encryption: gmssl-pyx": partial(in_c.measure, seconds=seconds),
        "its form on the wire": partial(encrypt.measure, seconds=seconds),
    }
    lab.take_turns("one password encrypted by SM2 in C", runners, "µs", 1e6)

    bridge = lab.start("bridging:ours")
    lab.take_turns("to another thread and back", {"the bridge": partial(bridge.measure, seconds=seconds)}, "µs", 1e6)
