"""Print the conformance table as Markdown: python -m tests.conformance [--case TEXT] [--way TEXT]"""

from __future__ import annotations

import argparse
import logging
import sys

from tests.conformance.table import CASES, rows
from tests.conformance.ways import WAYS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--case", default="", help="run only the cases whose name contains this")
    parser.add_argument("--way", default="", help="run only the ways whose name contains this, such as aiohttp-asyncio")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    cases = [case for case in CASES if options.case in case.name]
    ways = [way for way in WAYS if options.way in str(way)]
    print("| case | carrier and loop | attempts | connections | requests | outcome of each call |")
    print("|---|---|---|---|---|---|")
    is_right = True
    for right, row in rows(cases, ways):
        print(row, flush=True)
        is_right &= right
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
