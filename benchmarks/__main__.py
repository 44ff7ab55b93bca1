"""`python -m benchmarks [NAME…]`: one line of JSON for each figure. Whatever they come to, the exit status is 0."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.audit import audit_export, audit_verify
from benchmarks.cohorts import LARGE, cell_figures, pages, study_figures
from benchmarks.imports import import_all_wrong, import_postgresql, import_sqlite
from benchmarks.measure import Figure, Unmeasured, say
from benchmarks.startup import startup
from benchmarks.throughput import throughput

IMPORTED_ROWS = 100_000
VERIFIED_CHANGES = 200_000
EXPORTED_CHANGES = 200_000
SERVED_STUDIES = 20
ROUNDS = 5
QUICK, FULL = 0.1, 5.0

Benchmark = Callable[[int, int], Iterator[Figure]]

BENCHMARKS: dict[str, tuple[Benchmark, int]] = {
    "import_sqlite": (import_sqlite, IMPORTED_ROWS),
    "import_postgresql": (import_postgresql, IMPORTED_ROWS),
    "import_all_wrong": (import_all_wrong, IMPORTED_ROWS),
    "audit_verify": (audit_verify, VERIFIED_CHANGES),
    "audit_export": (audit_export, EXPORTED_CHANGES),
    "pages_sqlite": (partial(pages, "sqlite"), LARGE.studies),
    "pages_postgresql": (partial(pages, "postgresql"), LARGE.studies),
    "pages_per_second": (throughput, SERVED_STUDIES),
    "studies": (study_figures, 1),
    "cell": (cell_figures, 1),
    "startup": (startup, 1),
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="counted rounds of each (5)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a tenth of the size: to see that it works, not to quote")
    size.add_argument("--full", action="store_true", help="export 1,000,000 changes instead of 200,000")
    asked = parser.parse_args()
    for name in set(asked.names) - set(BENCHMARKS):
        parser.error(f"there is no {name!r}; there are {', '.join(BENCHMARKS)}")
    return asked


def main() -> None:
    """Run what was asked for; a figure that cannot be had is a line that says why."""
    asked = arguments()
    for name in asked.names or BENCHMARKS:
        benchmark, size = BENCHMARKS[name]
        if asked.quick:
            size = max(1, round(size * QUICK))
        elif asked.full and name == "audit_export":
            size = round(size * FULL)
        say(f"{name}: setting up")
        try:
            for measured in benchmark(size, asked.rounds):
                print(measured.line(), flush=True)
        except Unmeasured as problem:
            print(json.dumps({"name": name, "value": None, "problem": str(problem)}), flush=True)


if __name__ == "__main__":
    main()
