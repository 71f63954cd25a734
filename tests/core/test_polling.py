"""Polling: on trio's mock clock for its timing, and against the emulator for its failures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import anyio
import pytest
from trio.testing import MockClock

from genauth_async import Clock, ConfigurationError, NotFoundError, RateLimitedError, RetryPolicy, SystemInfoResp
from genauth_async.api._polling import Polling
from genauth_async.emulator import Emulator
from genauth_async.errors import GenAuthError, NotJSONError, ServerError, TransportError, WaitTimeoutError
from tests.conftest import BACKENDS, MakeClient

pytestmark = pytest.mark.anyio

FINAL = frozenset({"DONE", "EXPIRED"})
CLOCK = Clock(monotonic=anyio.current_time)


@pytest.fixture
def anyio_backend() -> object:
    """Trio with a mock clock that advances as soon as all tasks wait."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


class Server:
    """Returns its answers in order, then the last one repeatedly; records the time of each poll."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self._began = anyio.current_time()
        self.polled_at: list[float] = []

    async def check(self) -> str:
        self.polled_at.append(anyio.current_time() - self._began)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        await anyio.sleep(0.5)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def polling(self, *, interval: float = 2.0, wait: float = 300.0) -> Polling[str]:
        return Polling(self.check, str, FINAL, clock=CLOCK, interval=interval, wait=wait)

    def now(self) -> float:
        return anyio.current_time() - self._began


REFUSED = NotFoundError("no such code", status_code=404)
UNREACHABLE = TransportError("no connection", sent=False)
BROKEN = ServerError("broken", status_code=500)
NOT_JSON = NotJSONError("a gateway's page", http_status=502)


def slow_down(retry_after: float | None = None) -> RateLimitedError:
    return RateLimitedError("slow down", status_code=429, retry_after=retry_after)


async def test_each_state_is_given_once_and_the_final_one_ends_it() -> None:
    server = Server("PENDING", "PENDING", "SCANNED", "PENDING", "DONE", "never polled")
    assert [state async for state in server.polling()] == ["PENDING", "SCANNED", "PENDING", "DONE"]
    assert server.polled_at == [0.0, 2.5, 5.0, 7.5, 10.0]


async def test_the_last_state_alone() -> None:
    polling = Server("PENDING", "SCANNED", "DONE").polling()
    assert await polling.__anext__() == "PENDING"
    assert await polling.last() == "DONE"
    assert [state async for state in polling] == []


async def test_a_caller_slower_than_the_interval_does_not_wait_again() -> None:
    server = Server("PENDING", "DONE")
    async for _ in server.polling():
        await anyio.sleep(20)
    assert server.polled_at == [0.0, 20.5]


async def test_when_the_time_is_over_it_says_so_and_asks_no_more() -> None:
    server = Server("PENDING")
    polling = server.polling(wait=11.0)
    assert await polling.__anext__() == "PENDING"
    with pytest.raises(WaitTimeoutError, match="within 11 s: the last one was PENDING") as caught:
        await polling.__anext__()
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.__cause__ is None
    assert server.now() == 11.0
    before = list(server.polled_at)
    with pytest.raises(WaitTimeoutError):
        await polling.last()
    assert server.now() == 11.0
    assert server.polled_at == before == [0.0, 2.5, 5.0, 7.5, 10.0]


async def test_a_question_without_an_answer_does_not_outlast_the_time() -> None:
    polling = Polling(anyio.sleep_forever, str, FINAL, clock=CLOCK, wait=3.0)
    began = anyio.current_time()
    with pytest.raises(WaitTimeoutError, match="no state was received"):
        await polling.__anext__()
    assert anyio.current_time() - began == 3.0


async def test_nor_does_it_by_a_clock_that_stands_still() -> None:
    polling = Polling(anyio.sleep_forever, str, FINAL, clock=Clock(monotonic=lambda: 0.0), wait=3.0)
    with pytest.raises(WaitTimeoutError):
        await polling.__anext__()


@pytest.mark.parametrize("failures", [[UNREACHABLE], [BROKEN], [NOT_JSON], [UNREACHABLE, BROKEN, NOT_JSON]])
async def test_failures_that_may_pass_are_outlived(failures: Sequence[GenAuthError]) -> None:
    server = Server("PENDING", *failures, "DONE")
    assert [state async for state in server.polling()] == ["PENDING", "DONE"]


@pytest.mark.parametrize("failure", [UNREACHABLE, BROKEN, NOT_JSON, slow_down()])
async def test_the_last_failure_before_the_deadline_is_the_cause(failure: GenAuthError) -> None:
    polling = Server("PENDING", ServerError("an earlier one", status_code=500), failure).polling(wait=30.0)
    assert await polling.__anext__() == "PENDING"
    with pytest.raises(WaitTimeoutError) as caught:
        await polling.__anext__()
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize(
    ("answers", "times"),
    [
        pytest.param([slow_down(), "PENDING", "DONE"], [0.0, 7.5, 15.0], id="five more seconds from now on"),
        pytest.param([slow_down(), slow_down(), "DONE"], [0.0, 7.5, 20.0], id="each time again"),
        pytest.param([slow_down(30.0), "PENDING", "DONE"], [0.0, 30.5, 38.0], id="as long as the server says"),
        pytest.param([slow_down(1.0), "DONE"], [0.0, 7.5], id="never less than usual"),
    ],
)
async def test_a_rate_limit_slows_it_down(answers: Sequence[str | Exception], times: list[float]) -> None:
    server = Server(*answers)
    assert await server.polling().last() == "DONE"
    assert server.polled_at == times


async def test_a_retry_after_past_the_deadline_ends_at_the_deadline() -> None:
    server = Server(slow_down(1000.0))
    with pytest.raises(WaitTimeoutError):
        await server.polling(wait=30.0).last()
    assert server.now() == 30.0


async def test_a_refusal_is_raised_and_the_next_call_polls_on_time() -> None:
    server = Server("PENDING", REFUSED, "DONE")
    polling = server.polling()
    assert await polling.__anext__() == "PENDING"
    with pytest.raises(NotFoundError):
        await polling.__anext__()
    assert await polling.__anext__() == "DONE"
    assert server.polled_at == [0.0, 2.5, 5.0]


@pytest.mark.parametrize("after", [1.0, 2.75], ids=["while it waited", "while it polled"])
async def test_a_cancelled_poll_keeps_its_deadline_and_interval(after: float) -> None:
    server = Server("PENDING", "PENDING", "SCANNED", "PENDING")
    polling = server.polling(wait=11.0)
    assert await polling.__anext__() == "PENDING"
    with anyio.CancelScope(deadline=anyio.current_time() + after - server.now()):
        await polling.__anext__()
    assert server.now() == after
    assert await polling.__anext__() == "SCANNED"
    assert all(later - earlier >= 2.0 for earlier, later in zip(server.polled_at, server.polled_at[1:], strict=False))
    with pytest.raises(WaitTimeoutError):
        await polling.last()
    assert server.now() == 11.0


@pytest.mark.parametrize(
    ("argument", "value"),
    [("interval", 0), ("interval", -1.0), ("interval", math.nan), ("interval", math.inf), ("wait", 0), ("wait", -1.0)],
)
def test_a_time_that_cannot_be_is_refused_by_its_name(argument: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=argument) as caught:
        Polling(anyio.sleep_forever, str, FINAL, clock=CLOCK, **{argument: value})
    assert caught.value.argument == argument


@pytest.mark.parametrize("anyio_backend", BACKENDS)
async def test_over_the_network_it_outlives_what_a_gateway_does(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retry=RetryPolicy(attempts=1))
    emulator.faults.add("/api/v3/system", status=502, body="<html>Bad gateway</html>")
    emulator.faults.add("/api/v3/system", envelope={"statusCode": 500, "message": "broken"})
    emulator.faults.add("/api/v3/system", drop=True)
    emulator.faults.add("/api/v3/system", truncate="json")

    def status_of(_: SystemInfoResp) -> str:
        return "DONE"

    polling = Polling(client.get_system_info, status_of, FINAL, clock=Clock(), interval=0.001, wait=30.0)
    assert [info.rsa.public_key async for info in polling if info.rsa] != []
    assert emulator.requests["/api/v3/system"] == 5


@pytest.mark.parametrize("anyio_backend", BACKENDS)
async def test_over_the_network_a_refusal_is_raised_at_once(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retry=RetryPolicy(attempts=1))
    emulator.faults.add("/api/v3/system", envelope={"statusCode": 404, "message": "no such code"})
    polling = Polling(client.get_system_info, repr, FINAL, clock=Clock(), interval=0.001, wait=30.0)
    with pytest.raises(NotFoundError):
        await polling.__anext__()
    assert emulator.requests["/api/v3/system"] == 1
