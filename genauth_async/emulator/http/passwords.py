"""Passwords in requests: decrypted, checked, and counted when they are wrong."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ..state.errors import Refusal
from ..state.login_history import Attempt
from ..state.origin import note_login_method
from ..state.sign_in import require_unlocked
from ..state.state import State
from ..state.users import User
from .arguments import Arguments

_ENCRYPTIONS = ("none", "rsa", "sm2")


async def sent_password(state: State, payload: Arguments, options: Arguments, name: str = "password") -> str:
    """Read a required password from the payload, and decrypt it as the options' passwordEncryptType says."""
    encryption = options.choice("passwordEncryptType", _ENCRYPTIONS, default="none")
    password = payload.text(name)
    if encryption == "none":
        return password
    try:
        return await run_in_threadpool(state.password_keys.decrypt, encryption, password)
    except ValueError as error:
        raise Refusal.UNDECRYPTABLE.error() from error


def check_captcha(state: State, user: User | None, options: Arguments) -> None:
    """Redeem the captcha of a sign-in if one is given, else refuse a user who needs one."""
    if options.asks_for("captchaCode") or options.asks_for("captchaToken"):
        state.captchas.redeem(options.text("captchaToken"), options.text("captchaCode"))
    elif user is not None and state.captchas.required_from(user.failed_passwords):
        raise Refusal.CAPTCHA_REQUIRED.error()


def check_password(state: State, user: User | None, password: str, options: Arguments) -> User:
    """Authenticate a user by password at sign-in, with captcha and lock."""
    check_captcha(state, user, options)
    if user is None:
        raise Refusal.WRONG_CREDENTIALS.error()
    if not owns_password(state, user, password):
        left = max(state.settings.max_password_failures - user.failed_passwords, 0)
        raise Refusal.WRONG_CREDENTIALS.error(data={"remainCount": left})
    return user


def check_account_password(state: State, account: str, password: str, attempt: Attempt) -> User:
    """Authenticate the user of an account at the login page, with captcha and lock as at the API."""
    note_login_method("Account")
    attempt.user = state.users.by_account(account)
    return check_password(state, attempt.user, password, Arguments({}))


def owns_password(state: State, user: User, password: str, *, forgets_failures: bool = True) -> bool:
    """Compare a password with the user's; too many wrong ones lock the user."""
    require_unlocked(user)
    if user.has_password(password):
        if forgets_failures:
            user.failed_passwords = 0
        return True
    user.count_wrong_password(state.settings.max_password_failures)
    return False
