"""The command line: `python -m genauth_async`."""

from __future__ import annotations

import sys

try:
    from .cli import app
except ModuleNotFoundError as missing:
    if missing.name != "typer":
        raise
    sys.exit("The command line requires the package 'typer': pip install 'genauth-async[cli,emulator]'")

if __name__ == "__main__":
    app(prog_name="python -m genauth_async")
