"""The hosted login, consent and logout pages.

GenAuth's own page is an application in JavaScript whose calls are not documented. This one is made of plain forms, at
/interaction/{id}. It knows the password, and with the setting `show_users` offers the users for a click. A user who
needs a second factor, a captcha or a new password gets an error.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.passwords import check_account_password
from ..http.routes import Routes
from ..state.errors import ApiError
from ..state.hosted.browser_sessions import BrowserSession
from ..state.hosted.interactions import Interaction, Plan, Step
from ..state.login_history import Attempt
from ..state.origin import note_login_method
from ..state.sign_in import require_current_password, require_unlocked
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

_REMEDIES = {
    1636: "Set `user.mfa_required = False`, or sign in through the API, which models second factors.",
    1639: "Set `user.password_reset_required = False`, or a new password through the API.",
    2000: "Set `emulator.captchas.required_after = None`, or sign in through the API, which models captchas.",
    2004: "Go back to the application and try again.",
    2005: "Unlock the user: `user.locked = False`.",
    2058: "Set `user.password_expired = False`, or a new password through the API.",
    2333: "The status page of the emulator lists the users. With `--show-users` this page offers them for a click.",
}
_AGAIN = "Go back to the application and try again."


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
    return _page_of(state, _interaction_of(state, request))


async def answer(state: State, request: Request) -> Response:
    """Handle the form of a page."""
    interaction = _interaction_of(state, request)
    form = await read_parameters(request)
    if not state.hosted_login.interactions.is_from_its_page(interaction, form.get("csrf_token") or ""):
        raise PageError("The form was not sent from its own page.", remedy=_AGAIN, http_status=403)
    if interaction.step == "login":
        return _sign_in(state, request, interaction, form)
    session = interaction.session
    if session is None or not state.hosted_login.sessions.is_live(session) or session is not session_of(state, request):
        raise PageError("You are not signed in any more.", remedy=_AGAIN)
    if interaction.step == "consent" and not may_go_on(state, session):
        raise PageError(
            "You may not sign in any more.",
            remedy="The user was locked, or needs a second factor or a new password: `user.locked = False`, "
            "`user.mfa_required = False`, `user.password_reset_required = False`.",
            http_status=403,
        )
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
        user = _authenticated(state, plan.app_id, account, form)
    except ApiError as error:
        return _page_of(state, interaction, account=account, error=error)
    previous = session_of(state, request)
    session = interaction.session = sessions.open(
        user.id,
        user_agent=request.headers.get("user-agent", ""),
        instead_of=previous.id if previous is not None else None,
    )
    if plan.needs_consent(session):
        interaction.step = "consent"
        response = _page_of(state, interaction)
    else:
        _finish(state, interaction)
        response = plan.complete(session)
    remember_session(state, response, session)
    return response


def _authenticated(state: State, app_id: str, account: str, form: Parameters) -> User:
    with state.history.attempt(app_id) as attempt:
        chosen = form.get("user") if state.settings.show_users else None
        if chosen is None:
            user = check_account_password(state, account, form.get("password") or "", attempt)
        else:
            user = _chosen(state, chosen, attempt)
        require_current_password(state, user)
        if user.mfa_required:
            raise ApiError(403, "a second factor is required, which the emulator's page does not model", api_code=1636)
    user.logins += 1
    user.last_login_at = state.clock.now()
    state.history.note(user, app_id)
    return user


def _chosen(state: State, user_id: str, attempt: Attempt) -> User:
    note_login_method("Account")
    user = attempt.user = state.users.find(user_id)
    if user is None:
        raise ApiError(404, "the user was removed", api_code=2004)
    require_unlocked(user)
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
    return PageError("This page has expired or was used.", remedy=_AGAIN)


def _begin(state: State, request: Request, plan: Plan, step: Step, session: BrowserSession | None = None) -> Response:
    interaction = state.hosted_login.interactions.begin(plan, step, browser=browser_of(request), session=session)
    response = _page_of(state, interaction)
    remember_browser(state, response, interaction.browser)
    return response


def _page_of(
    state: State, interaction: Interaction, *, account: str | None = None, error: ApiError | None = None
) -> Response:
    plan, token = interaction.plan, interaction.csrf_token
    action = f"/interaction/{interaction.id}"
    user = state.users.find(interaction.session.user_id) if interaction.session is not None else None
    if interaction.step == "logout":
        return logout_page(action, token, user=user)
    if interaction.step == "consent":
        return consent_page(action, token, title=plan.title, scope=plan.scope, user=user)
    return login_page(
        action,
        token,
        title=plan.title,
        account=plan.account if account is None else account,
        error="" if error is None else _sentence(str(error)),
        remedy="" if error is None else _remedy(error),
        users=list(state.users) if state.settings.show_users else (),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" if text.endswith((".", "!", "?", "。")) else f"{text[:1].upper()}{text[1:]}."


def _remedy(error: ApiError) -> str:
    code = error.body.get("apiCode")
    return _REMEDIES.get(code, "") if isinstance(code, int) else ""


ROUTES: Routes = {"/interaction/{interaction_id}": {"GET": show, "POST": answer}}
