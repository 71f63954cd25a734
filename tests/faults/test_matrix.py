"""Each case of the table: what callers get, and what the server and the store have to say afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection

import pytest

import genauth_sync
from tests.core.sessions import REFRESH
from tests.faults.cases import Case, Happened
from tests.faults.conftest import FAULT
from tests.faults.matrix import CASES, PAGE, SECTIONS, head_of, page
from tests.faults.outcomes import EMPTY, GONE, LOST, NEW, OUTCOMES, text_of
from tests.faults.scene import Scene

if sys.platform == "win32":
    pytest.skip("signals are not of Windows", allow_module_level=True)


def marks(case: Case, backend: str) -> Collection[pytest.MarkDecorator]:
    """All are slow, but for the first of each section."""
    is_first = any(case is cases[0] for cases in SECTIONS.values()) and backend == case.backends[0]
    return [] if is_first else [pytest.mark.slow]


RUNS = [
    pytest.param(case, backend, id=f"{backend}, {case.name}", marks=marks(case, backend))
    for case in CASES
    for backend in case.backends
]


@pytest.mark.parametrize(("case", "backend"), RUNS)
def test_callers_stay_signed_in_or_get_the_right_error(
    case: Case, scene: Scene, backend: str, record_property: Callable[[str, object], None]
) -> None:
    happened = case.script(scene)
    record_property(FAULT, (case.store, backend, *seen(case, scene, happened)))
    assert_callers_agree(case, scene, happened)
    assert_server_agrees(case, scene, happened)
    assert_store_agrees(case, scene, happened)


def test_the_page_shows_these_cases() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(head_of(text)), "python -m tests.faults.matrix writes it anew"


def test_the_page_explains_each_outcome() -> None:
    head = head_of(PAGE.read_text(encoding="utf-8"))
    assert [outcome.text for outcome in OUTCOMES if f"\n| {outcome.text} | " not in head] == []


def seen(case: Case, scene: Scene, happened: Happened) -> tuple[str, ...]:
    """Return the answers as a line of the table."""
    grants, present = scene.emulator.grants, scene.tokens.access_token
    first = str(case.first) if happened.first is None else text_of(happened.first, present)
    grant = "revoked for reuse" if grants.reused else "revoked" if grants.revoked else "alive"
    requests = str(scene.emulator.requests[REFRESH])
    return (
        case.fault,
        case.server,
        first,
        text_of(happened.other, present),
        text_of(happened.later, present),
        requests,
        grant,
    )


def assert_callers_agree(case: Case, scene: Scene, happened: Happened) -> None:
    present = scene.tokens.access_token
    expected = [None if isinstance(case.first, str) else case.first, case.other, case.later]
    for outcome, answer in zip(expected, (happened.first, happened.other, happened.later), strict=True):
        if outcome is not None:
            assert answer is not None
            assert outcome.explains(answer), answer
            assert text_of(answer, present) == outcome.text


def assert_server_agrees(case: Case, scene: Scene, happened: Happened) -> None:
    grants = scene.emulator.grants
    assert scene.emulator.requests[REFRESH] == case.requests
    assert grants.reused == (case.grant == "revoked for reuse")
    assert grants.revoked == (case.grant != "alive")
    if case.grant != "alive":
        return
    given = {answer.token for answer in (happened.first, happened.other, happened.later) if answer and answer.token}
    with genauth_sync.AuthenticationClient(
        scene.emulator.app_id, scene.emulator.url, scene.emulator.app_secret
    ) as client:
        assert all(client.introspect_token(token).active for token in given)


def assert_store_agrees(case: Case, scene: Scene, happened: Happened) -> None:
    record = scene.stored()
    if case.later in {EMPTY, GONE, LOST}:
        assert record is None
        return
    assert record is not None
    if NEW in {case.first, case.other, case.later}:
        assert record.attempt is None
        assert record.tokens.access_token != scene.tokens.access_token
    else:
        assert record.tokens == scene.tokens
    if case.later is NEW:
        assert record.tokens.access_token == happened.later.token
