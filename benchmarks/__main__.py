"""Command line of the benchmarks: measures, prints, and writes the results to files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from . import bridging, emulators, encryption, importing, layers, refreshes, sign_ins, tokens
from .lab import FULL, QUICK, Figure, Lab, Verdict, serving
from .report import as_json, as_markdown, figures_as_text, published, verdicts_as_text
from .worker import ROOT

_BENCHMARKS: Final[dict[str, tuple[Callable[[Lab], None], ...]]] = {
    "sign-in": (sign_ins.concurrent,),
    "layers": (layers.compared,),
    "sync": (sign_ins.sequential, bridging.compared),
    "refresh": (refreshes.compared,),
    "sm2": (sign_ins.encrypted, encryption.alone),
    "tokens": (tokens.costs, tokens.memory),
    "import": (importing.compared,),
    "emulator": (emulators.measured,),
}


def main() -> None:
    """Run the benchmarks that the command line selects."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short turn each, to see that everything works")
    parser.add_argument("--only", choices=_BENCHMARKS, action="append", help="one benchmark; may be given again")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results", help="the folder for results")
    parser.add_argument("--publish", action="store_true", help="also write docs/performance.md")
    chosen = parser.parse_args()
    if chosen.publish and (chosen.quick or chosen.only):
        parser.error("--publish requires a whole run, without --quick and --only")
    start = monotonic()
    figures, verdicts = _measured(chosen.only or list(_BENCHMARKS), quick=chosen.quick)
    print(verdicts_as_text(verdicts))
    print(f"{monotonic() - start:.0f} s")
    chosen.results.mkdir(parents=True, exist_ok=True)
    (chosen.results / "latest.json").write_text(as_json(figures, verdicts, quick=chosen.quick), encoding="utf-8")
    table = as_markdown(figures, verdicts)
    (chosen.results / "latest.md").write_text(table, encoding="utf-8")
    if chosen.publish:
        page = ROOT / "docs" / "performance.md"
        page.write_text(published(page.read_text(encoding="utf-8"), table), encoding="utf-8")


def _measured(names: list[str], *, quick: bool) -> tuple[list[Figure], list[Verdict]]:
    figures: list[Figure] = []
    verdicts: list[Verdict] = []
    with serving() as target:
        for name in names:
            for benchmark in _BENCHMARKS[name]:
                lab = Lab(name, QUICK if quick else FULL, target)
                start = monotonic()
                try:
                    benchmark(lab)
                finally:
                    lab.close()
                print(figures_as_text(lab.figures), flush=True)
                print(f"({name}: {monotonic() - start:.1f} s)\n", file=sys.stderr, flush=True)
                figures += lab.figures
                verdicts += lab.verdicts
    return figures, verdicts


if __name__ == "__main__":
    main()
