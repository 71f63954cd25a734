"""The command `genauth emulator`."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_args

import typer

if TYPE_CHECKING:
    from .emulator import Emulator

_DEFAULT_PORT = 9000
_POLL_SECONDS = 0.2
# SIGHUP comes when the terminal is closed; Windows has neither it nor SIGUSR1.
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
_SAVING = "SIGUSR1"


def emulator(
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help=f"The port to listen on; 0 takes a free one. [default: {_DEFAULT_PORT}, or that of --state]",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The URL by which clients reach it, if another; tokens name it as issuer."),
    ] = None,
    seed: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Applications, users, roles and settings to begin with, in TOML."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Load the state from this file if it exists, and save it there at the end and on SIGUSR1.",
        ),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Print a line for each request, with secrets masked.")] = False,
    user: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:PASSWORD", help="A user: username, email address or phone number. Repeatable."),
    ] = None,
    show_users: Annotated[
        bool, typer.Option("--show-users", help="Offer the users for a click at the sign-in page.")
    ] = False,
    app_id: Annotated[str | None, typer.Option(metavar="ID", help="The application's id. [default: random]")] = None,
    app_secret: Annotated[
        str | None, typer.Option(metavar="SECRET", help="The application's secret. [default: random]")
    ] = None,
    app_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The application's name, which the pages show.")
    ] = None,
    auth_method: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD",
            help="How clients authenticate: client_secret_post (default), client_secret_basic or none.",
        ),
    ] = None,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URI",
            help="An address that sign-ins may lead back to. Repeatable. [default: all of this machine]",
        ),
    ] = None,
    logout_redirect_uri: Annotated[
        list[str] | None, typer.Option(metavar="URI", help="The same for sign-outs. Repeatable.")
    ] = None,
    id_token_alg: Annotated[
        str | None, typer.Option(metavar="ALG", help="Signature of ID tokens: HS256 or RS256. [default: HS256]")
    ] = None,
    refresh_tokens: Annotated[
        str | None,
        typer.Option(
            metavar="MODE",
            help="The refresh token that a refresh answers: rotate, rotate_with_grace, same or omit. [default: rotate]",
        ),
    ] = None,
) -> None:
    """Serve a GenAuth-compatible emulator until Ctrl-C.

    It prints the environment variables that point the SDK at it, the address of its status page, and the pass codes
    that it would have sent.
    """
    try:
        from .emulator import EmulatorStartError, SavedStateError, SeedError
        from .emulator.state.apps import AuthMethod
        from .emulator.state.settings import IdTokenAlg, RefreshTokens
    except ImportError as error:
        _fail(str(error))
    _check_choice("--auth-method", auth_method, get_args(AuthMethod))
    _check_choice("--id-token-alg", id_token_alg, get_args(IdTokenAlg))
    _check_choice("--refresh-tokens", refresh_tokens, get_args(RefreshTokens))
    settings = {"id_token_alg": id_token_alg, "refresh_tokens": refresh_tokens, "show_users": show_users or None}
    application = {"id": app_id, "secret": app_secret, "name": app_name, "auth_method": auth_method}
    where = {"host": host, "url": url, "log": _print_request if log else None}
    is_saved = state is not None and _exists(state)
    try:
        if state is not None and is_saved:
            made = _resumed(state, _given(settings), _given(application), port=port, **where)
        else:
            made = _seeded(
                seed, _given(settings), _given(application), port=_DEFAULT_PORT if port is None else port, **where
            )
    except SeedError as error:
        _refuse("--seed", str(error))
    except SavedStateError as error:
        _fail(f"--state: {error}")
    except ValueError as error:
        _refuse("--url", str(error))
    _add_users(made, user or [], is_saved=is_saved)
    _allow("--redirect-uri", redirect_uri or [], made.hosted_login.allow_redirect)
    _allow("--logout-redirect-uri", logout_redirect_uri or [], made.hosted_login.allow_logout_redirect)
    try:
        with _until_signal() as stop, made:
            if state is not None:
                made.save(state)  # it shows now, not at the end, if that does not work
            _print_start(made, state, seed if is_saved else None, redirect_uri or [])
            _show_messages(made, stop, state)
        if state is not None:
            made.save(state)
            typer.echo(f"Saved in {state}.")
    except EmulatorStartError as error:
        _fail(f"{error}; choose another --host or --port")
    except SavedStateError as error:
        _fail(f"--state: {error}; choose a file that can be written")
    typer.echo("Stopped.")


def _exists(path: Path) -> bool:
    with suppress(OSError):  # a folder that may not be read; saving reports it
        return path.exists()
    return False


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _check_choice(option: str, value: str | None, choices: Sequence[str]) -> None:
    if value is not None and value not in choices:
        _refuse(option, f"must be {', '.join(choices[:-1])} or {choices[-1]}, not {value!r}")


def _seeded(path: Path | None, settings: dict[str, Any], application: dict[str, Any], **where: Any) -> Emulator:
    from .emulator import Emulator
    from .emulator.seed import Seed

    read = Seed() if path is None else Seed.read(path)
    return Emulator.from_seed(read.with_options(settings, application), **where)


def _resumed(path: Path, settings: dict[str, Any], application: dict[str, Any], **where: Any) -> Emulator:
    from .emulator import Emulator
    from .emulator.saved_state import SavedState

    saved = SavedState.read(path)
    if application.get("id") not in {None, saved.default_app}:
        _refuse("--app-id", f"{path} has the application {saved.default_app}; leave out --app-id or --state")
    return Emulator.load(saved.with_options(settings, application), **where)


def _add_users(made: Emulator, pairs: Sequence[str], *, is_saved: bool) -> None:
    for pair in pairs:
        account, colon, password = pair.partition(":")
        if not account or not colon or not password:
            _refuse("--user", "must be NAME:PASSWORD, such as test:passw0rd")
        kind = "email" if "@" in account else "phone" if account.isascii() and account.isdecimal() else "username"
        try:
            made.add_user(password=password, **{kind: account})  # type: ignore[arg-type]  # they are all texts
        except ValueError as error:
            if not is_saved:
                _refuse("--user", str(error))


def _allow(option: str, uris: Sequence[str], allow: Callable[[str], None]) -> None:
    for uri in uris:
        try:
            allow(uri)
        except ValueError as error:
            _refuse(option, str(error))


@contextmanager
def _until_signal() -> Iterator[_Stop]:
    """Have signals end the command, or save, inside the block; a second signal ends it at once."""
    stop = _Stop()
    previous = {}
    for name in (*_ENDING, _SAVING):
        number = getattr(signal, name, None)
        # nohup and shells have programs in the background ignore signals.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, stop.save if name == _SAVING else stop.end)
    stop.previous = previous
    try:
        yield stop
    finally:
        stop.restore()


class _Stop:
    def __init__(self) -> None:
        self.ended = threading.Event()
        self.wants_save = False
        self.previous: dict[int, Any] = {}

    def end(self, _number: int, _frame: FrameType | None) -> None:
        self.ended.set()
        self.restore()

    def save(self, _number: int, _frame: FrameType | None) -> None:
        self.wants_save = True

    def restore(self) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
        self.previous = {}


def _print_start(made: Emulator, state: Path | None, unread: Path | None, redirect_uris: Sequence[str]) -> None:
    from .emulator.state.apps import DEFAULT_AUTH_METHOD

    app = made.default_app
    lines = {
        "GENAUTH_APP_HOST": made.url,
        "GENAUTH_APP_ID": made.app_id,
        # Shown on purpose: it is of no use elsewhere.
        "GENAUTH_APP_SECRET": made.app_secret,
    }
    if app.token_endpoint_auth_method != DEFAULT_AUTH_METHOD:
        lines["GENAUTH_TOKEN_ENDPOINT_AUTH_METHOD"] = app.token_endpoint_auth_method
    if redirect_uris:
        lines["GENAUTH_REDIRECT_URI"] = redirect_uris[0]
    for name, value in lines.items():
        typer.echo(f"{name}={value}")
    typer.echo(f"Status page: {made.url}/")
    typer.echo(f"Discovery:   {made.issuer}/.well-known/openid-configuration")
    if state is not None:
        typer.echo(f"State:       {state}" + (f" ({unread} is for a new one and was not read)" if unread else ""))
    typer.echo("Serving until Ctrl-C. Pass codes appear here.")


def _show_messages(made: Emulator, stop: _Stop, state: Path | None) -> None:
    shown = 0
    while not stop.ended.wait(_POLL_SECONDS):
        for message in list(made.inbox)[shown:]:
            typer.echo(f"{message.kind} to {message.to}, {message.channel}: {message.code}")
            shown += 1
        if stop.wants_save:
            stop.wants_save = False
            if state is not None:
                made.save(state)
                typer.echo(f"Saved in {state}.")


def _print_request(line: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')} {line}")


def _refuse(option: str, problem: str) -> NoReturn:
    raise typer.BadParameter(problem, param_hint=option)


def _fail(problem: str) -> NoReturn:
    typer.echo(f"genauth emulator: {problem}", err=True)
    raise typer.Exit(1)
