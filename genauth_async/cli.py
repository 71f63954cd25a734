"""The command line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from .emulator import Emulator
    from .stores import TokenStore

# Typer's tracebacks would show local variables, secrets among them.
app = typer.Typer(
    help="GenAuth on the command line.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

_POLL_SECONDS = 0.2


@app.command()
def demo(
    backend: Annotated[str, typer.Option(help="The event loop of the async part: asyncio or trio.")] = "asyncio",
) -> None:
    """Sign in, refresh and log out against the emulator, step by step."""
    from . import demo

    demo.run(backend)


@app.command()
def doctor(
    store: Annotated[
        str | None,
        typer.Option(
            help="A token store to examine as well: a directory, 'file' or 'keyring' for their default directory, "
            "or the URL of a Redis server.",
        ),
    ] = None,
) -> None:
    """Examine the configuration in the environment (GENAUTH_APP_ID, ...), the server and a store, a line each."""
    import anyio

    from .client import AuthenticationClient
    from .doctor import examine
    from .errors import ConfigurationError

    try:
        client = AuthenticationClient.from_env()
        examined = None if store is None else _store(store)
    except (ConfigurationError, ImportError) as error:
        typer.echo(f"wrong  configuration: {error}")
        raise typer.Exit(1) from None

    async def run() -> bool:
        async with client:
            findings = await examine(client, store=examined, tell=typer.echo)
        return all(finding.verdict != "wrong" for finding in findings)

    if not anyio.run(run):
        raise typer.Exit(1)


def _store(text: str) -> TokenStore:
    from . import stores

    if "://" in text:
        return stores.RedisStore(text)
    if text == "keyring":
        return stores.KeyringStore()
    return stores.FileStore(None if text == "file" else text)


@app.command()
def emulator(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 9000,
    user: Annotated[
        list[str] | None, typer.Option(help="A user to begin with, as NAME:PASSWORD; may be repeated.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="The URL by which clients reach it, if another: the issuer of tokens, and in QR codes."),
    ] = None,
    app_id: Annotated[str | None, typer.Option(help="The application's id; random unless given.")] = None,
    app_secret: Annotated[str | None, typer.Option(help="Its secret; random unless given.")] = None,
) -> None:
    """Serve a GenAuth-compatible emulator until Ctrl-C."""
    from .emulator import Emulator, EmulatorStartError

    try:
        made = Emulator(host=host, port=port, url=url, app_id=app_id, app_secret=app_secret)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--url") from None
    try:
        for pair in user or []:
            made.add_user(**_user(pair))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--user") from None
    try:
        with made:
            typer.echo(f"GENAUTH_APP_HOST={made.url}")
            typer.echo(f"GENAUTH_APP_ID={made.app_id}")
            # Shown on purpose: it is of no use elsewhere.
            typer.echo(f"GENAUTH_APP_SECRET={made.app_secret}")
            typer.echo("Serving until Ctrl-C. Verification codes appear here.")
            _show_messages(made)
    except EmulatorStartError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("Stopped.")


def _user(pair: str) -> dict[str, Any]:
    account, colon, password = pair.partition(":")
    if not account or not colon or not password:
        raise typer.BadParameter("must be NAME:PASSWORD, such as test:passw0rd", param_hint="--user")
    if "@" in account:
        return {"email": account, "password": password}
    if account.isascii() and account.isdecimal():
        return {"phone": account, "password": password}
    return {"username": account, "password": password}


def _show_messages(emulator: Emulator) -> None:
    shown = 0
    while True:
        time.sleep(_POLL_SECONDS)
        for message in list(emulator.inbox)[shown:]:
            typer.echo(f"{message.kind} to {message.to}, {message.channel}: {message.code}")
            shown += 1
