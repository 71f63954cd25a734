"""The hosted login, consent and logout pages.

GenAuth's own page is an application in JavaScript whose calls are not documented. This one is made of plain forms, at
/interaction/{id}, and knows the password only. A user who needs a second factor, a captcha or a new password gets
an error.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.passwords import check_account_password
from ..http.routes import Routes
from ..state.errors import ApiError
from ..state.hosted.browser_sessions import BrowserSession
from ..state.hosted.interactions import Interaction, Plan, Step
from ..state.sign_in import require_current_password
from ..state.state import State
from ..state.users import User
from .browser_requests import (
    Parameters,
    browser_of,
    forget_session,
    read_parameters,
    remember_browser,
    remember_session,
    session_of,
)
from .pages import PageError, consent_page, login_page, logout_page


def ask_to_sign_in(state: State, request: Request, plan: Plan) -> Response:
    """Show the login page, then go on with the plan."""
    return _begin(state, request, plan, "login")


def go_on_signed_in(state: State, request: Request, plan: Plan, session: BrowserSession) -> Response:
    """Go on with the plan for a signed-in user, after the consent page if needed."""
    if not plan.needs_consent(session):
        return plan.complete(session)
    return _begin(state, request, plan, "consent", session)


def ask_to_sign_out(state: State, request: Request, plan: Plan, session: BrowserSession) -> Response:
    """Show the logout page."""
    return _begin(state, request, plan, "logout", session)


def may_go_on(state: State, session: BrowserSession) -> bool:
    """Return whether the user could still sign in without a further step."""
    user = state.users.by_id(session.user_id)
    return not (user.locked or user.mfa_required or user.must_replace_password)


async def show(state: State, request: Request) -> Response:
    """Show the current page again."""
    return _page_of(_interaction_of(state, request))


async def answer(state: State, request: Request) -> Response:
    """Handle the form of a page."""
    interaction = _interaction_of(state, request)
    form = await read_parameters(request)
    if not state.hosted_login.interactions.is_from_its_page(interaction, form.get("csrf_token") or ""):
        raise PageError("The form was not sent from its own page.", http_status=403)
    if interaction.step == "login":
        return _sign_in(state, request, interaction, form)
    session = interaction.session
    if session is None or not state.hosted_login.sessions.is_live(session) or session is not session_of(state, request):
        raise PageError("You are not signed in any more.")
    if interaction.step == "consent" and not may_go_on(state, session):
        raise PageError("You may not sign in any more.", http_status=403)
    _finish(state, interaction)
    # Anything but a yes is a no.
    if form.get(interaction.step) != "accept":
        return interaction.plan.deny()
    response = interaction.plan.complete(session)
    if session.ended:
        forget_session(response)
    return response


def _sign_in(state: State, request: Request, interaction: Interaction, form: Parameters) -> Response:
    plan, sessions = interaction.plan, state.hosted_login.sessions
    account = form.get("account") or ""
    try:
        user = _proven(state, plan.app_id, account, form.get("password") or "")
    except ApiError as error:
        return _page_of(interaction, account=account, error=f"{str(error).capitalize()}.")
    previous = session_of(state, request)
    session = interaction.session = sessions.open(
        user.id,
        user_agent=request.headers.get("user-agent", ""),
        instead_of=previous.id if previous is not None else None,
    )
    if plan.needs_consent(session):
        interaction.step = "consent"
        response = _page_of(interaction)
    else:
        _finish(state, interaction)
        response = plan.complete(session)
    remember_session(state, response, session)
    return response


def _proven(state: State, app_id: str, account: str, password: str) -> User:
    with state.history.attempt(app_id) as attempt:
        user = check_account_password(state, account, password, attempt)
        require_current_password(state, user)
        if user.mfa_required:
            raise ApiError(403, "a second factor is required, which the emulator's page does not model", api_code=1636)
    user.logins += 1
    user.last_login_at = state.clock.now()
    state.history.note(user, app_id)
    return user


def _finish(state: State, interaction: Interaction) -> None:
    if not state.hosted_login.interactions.finish(interaction):
        raise _stale()


def _interaction_of(state: State, request: Request) -> Interaction:
    interaction_id = str(request.path_params["interaction_id"])
    found = state.hosted_login.interactions.find(interaction_id, browser_of(request))
    if found is None:
        raise _stale()
    return found


def _stale() -> PageError:
    return PageError("This page has expired or was used; go back to the application and try again.")


def _begin(state: State, request: Request, plan: Plan, step: Step, session: BrowserSession | None = None) -> Response:
    interaction = state.hosted_login.interactions.begin(plan, step, browser=browser_of(request), session=session)
    response = _page_of(interaction)
    remember_browser(state, response, interaction.browser)
    return response


def _page_of(interaction: Interaction, *, account: str | None = None, error: str = "") -> Response:
    plan, token = interaction.plan, interaction.csrf_token
    action = f"/interaction/{interaction.id}"
    if interaction.step == "logout":
        return logout_page(action, token)
    if interaction.step == "consent":
        return consent_page(action, token, title=plan.title, scope=plan.scope)
    shown = plan.account if account is None else account
    return login_page(action, token, title=plan.title, account=shown, error=error)


ROUTES: Routes = {"/interaction/{interaction_id}": {"GET": show, "POST": answer}}
