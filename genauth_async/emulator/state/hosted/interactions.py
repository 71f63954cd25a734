"""Interactions: the pages that a browser passes through in a sign-in or a sign-out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from threading import Lock
from typing import Literal

from attrs import define, field
from starlette.responses import Response

from genauth_async._core.redaction import redact

from ..clock import Clock, Sweep
from ..encoding import same_text
from .browser_sessions import BrowserSession

LIFETIME = 600

Step = Literal["login", "consent", "logout"]


@define(eq=False, kw_only=True)
class Plan:
    """The purpose of an interaction.

    Attributes:
        app_id: the application; empty for none in particular.
        title: the application's name for the user.
        account: the initial account of the login page.
        scope: of the consent page.
        needs_consent: whether the session's user has to consent first.
        complete: makes the answer after the last page.
        deny: makes the answer if the user denies consent.
    """

    app_id: str
    title: str
    account: str = ""
    scope: str = ""
    needs_consent: Callable[[BrowserSession], bool] = lambda _session: False
    complete: Callable[[BrowserSession], Response]
    deny: Callable[[], Response]


@define(eq=False, kw_only=True)
class Interaction:
    """The interaction of one browser, and its current page."""

    id: str = field(repr=redact)
    browser: str = field(repr=redact)
    csrf_token: str = field(repr=redact)
    plan: Plan = field(repr=False)
    step: Step
    session: BrowserSession | None = None
    expires_at: float


class Interactions:
    """All interactions that are under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._interactions: dict[str, Interaction] = {}
        self._sweep = Sweep()

    def begin(
        self, plan: Plan, step: Step, *, browser: str | None, session: BrowserSession | None = None
    ) -> Interaction:
        """Begin an interaction with a browser, identified by its cookie if it has one."""
        now = self._clock.now()
        interaction = Interaction(
            id=secrets.token_urlsafe(16),
            browser=browser or secrets.token_urlsafe(32),
            csrf_token=secrets.token_urlsafe(32),
            plan=plan,
            step=step,
            session=session,
            expires_at=now + LIFETIME,
        )
        with self._lock:
            self._sweep(self._interactions, lambda each: now >= each.expires_at)
            self._interactions[interaction.id] = interaction
        return interaction

    def find(self, interaction_id: str, browser: str | None) -> Interaction | None:
        """Find an interaction of this browser; those of other browsers look unknown."""
        found = self._interactions.get(interaction_id)
        if found is None or self._clock.now() >= found.expires_at or not same_text(browser or "", found.browser):
            return None
        return found

    def is_from_its_page(self, interaction: Interaction, csrf_token: str) -> bool:
        """Return whether a form was sent from the server's own page (CSRF protection)."""
        return same_text(csrf_token, interaction.csrf_token)

    def finish(self, interaction: Interaction) -> bool:
        """End an interaction; False if it was ended before."""
        with self._lock:
            return self._interactions.pop(interaction.id, None) is not None
