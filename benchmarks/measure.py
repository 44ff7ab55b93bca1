"""Times a piece of work and its floor in turn, each in a process of its own, and says what came of it in one line."""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from statistics import median
from typing import Any, TypeVar

Result = TypeVar("Result")


class Unmeasured(RuntimeError):
    """A figure cannot be had, because what was timed did not do what it should have done."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one round cost: seconds by the clock, processor seconds with all children, the largest process in MiB."""

    wall: float
    cpu: float
    peak: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One result. `ratio` is the median of the rounds' ratios, `spread` the lowest and the highest of them.

    cpu_ratio: the same of processor time; `None` where part of the work is done by a server.
    """

    name: str
    value: float
    unit: str
    floor: float
    ratio: float
    target: float
    rounds: int
    spread: tuple[float, float]
    cpu_ratio: float | None = None
    size: int = 0
    rate: float | None = None
    """Pieces (rows, changes) a second."""

    def line(self) -> str:
        """Write it as one JSON object, with how busy the machine is."""
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
        told: dict[str, Any] = {
            "name": self.name,
            "value": _short(self.value),
            "unit": self.unit,
            "floor": _short(self.floor),
            "ratio": _short(self.ratio),
            "target": self.target,
            "rounds": self.rounds,
            "spread": [_short(one) for one in self.spread],
            "cpu_ratio": None if self.cpu_ratio is None else _short(self.cpu_ratio),
            "size": self.size,
            "rate": None if self.rate is None else round(self.rate),
            "load": round(load, 2),
            # The benchmark itself keeps one core busy; what goes beyond the cores waits for each other.
            "loaded": load > cores,
        }
        return json.dumps(told)


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def spent(work: Callable[[], Result]) -> tuple[Spent, Result]:
    """Run `work` and take its time; everything made before is kept out of the collector's way."""
    gc.collect()
    gc.freeze()
    cpu, start = _cpu(), time.perf_counter()
    result = work()
    wall = time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    return Spent(wall, _cpu() - cpu, peak), result


def _cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def apart(function: Callable[..., Result], *args: Any) -> Result:
    """Call `function(*args)` in a process of its own, so that no round finds what another left in memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(function, *args).result()


def alternate(name: str, value: Callable[[], Spent], floor: Callable[[], Spent], rounds: int) -> tuple[list[Spent], list[Spent]]:
    """Measure floor and value in turn, after one round of each that does not count."""
    floors, values = [], []
    for number in range(rounds + 1):
        say(f"{name}: " + (f"round {number} of {rounds}" if number else "warming up"))
        pair = floor(), value()
        if number:
            floors.append(pair[0])
            values.append(pair[1])
    return values, floors


def figure(name: str, values: Sequence[Spent], floors: Sequence[Spent], target: float, *, size: int = 0) -> Figure:
    """Compare times by the clock, pair by pair."""
    ratios = [one.wall / other.wall for one, other in zip(values, floors, strict=True)]
    wall = median(one.wall for one in values)
    return Figure(
        name,
        wall,
        "s",
        median(one.wall for one in floors),
        median(ratios),
        target,
        len(ratios),
        (min(ratios), max(ratios)),
        median(one.cpu / other.cpu for one, other in zip(values, floors, strict=True)),
        size,
        size / wall if size else None,
    )


def by_a_server(measured: Figure) -> Figure:
    """Leave processor time out, of which only this side's part is known."""
    return replace(measured, cpu_ratio=None)


def peak_figure(name: str, peaks: Sequence[float], floor: float, target: float, *, size: int = 0) -> Figure:
    """Compare peak memory with a number of MiB."""
    ratios = [peak / floor for peak in peaks]
    return Figure(name, median(peaks), "MiB", floor, median(ratios), target, len(ratios), (min(ratios), max(ratios)), None, size)


def say(progress: str) -> None:
    """Tell how far it is, beside the results."""
    print(progress, file=sys.stderr, flush=True)
