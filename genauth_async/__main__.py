"""The command line: `genauth`, or `python -m genauth_async`."""

from __future__ import annotations

import sys
from typing import NoReturn

_INSTALL = "pip install 'genauth-async[cli,emulator]'"


def main(prog_name: str = "genauth") -> NoReturn:
    """Run the command line and exit."""
    try:
        from .cli import run
    except ModuleNotFoundError as missing:
        if missing.name != "typer":
            raise
        sys.exit(f"The command line requires the package 'typer': {_INSTALL}")
    run(prog_name)


if __name__ == "__main__":
    main("python -m genauth_async")
