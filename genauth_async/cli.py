"""The command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer

from .emulator_command import emulator

if TYPE_CHECKING:
    from .stores import TokenStore

# Typer's tracebacks would show local variables, secrets among them.
app = typer.Typer(
    help="GenAuth on the command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Typer has click's classes, or copies of them. This is the base class of all that is wrong with a command line.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


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


app.command()(emulator)


def run(prog_name: str) -> NoReturn:
    """Run the command line, and exit with the code of the command, or 2 and one line about wrong usage."""
    try:
        code = app(prog_name=prog_name, standalone_mode=False)
    except _UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else prog_name
        message = " ".join(error.format_message().split()).rstrip(".")
        is_help = error.ctx is not None and len(sys.argv) == 1
        typer.echo(error.ctx.get_help() if error.ctx and is_help else f"{path}: {message}; see {path} --help", err=True)
        code = 2
    except ImportError as error:
        if "pip install" not in str(error):
            raise
        typer.echo(f"{prog_name}: {error}", err=True)
        code = 1
    except typer.Abort:
        code = 130
    sys.exit(code or 0)
