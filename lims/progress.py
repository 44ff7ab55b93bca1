"""How far a long piece of work is: said where it is done, heard where somebody waits for it.

Whoever reads, judges or writes many rows says so (`begin`, `advance`); without a listener that costs nothing. The limited
child process that runs an import has one, which tells its parent (`lims.intake.limited`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

SECONDS_APART = 0.2
"""How often the same step is told of."""


class Step(StrEnum):
    """What an import does, in order."""

    READ = "read"
    RESOLVE = "resolve"
    JUDGE = "judge"
    WRITE = "write"
    SEAL = "seal"


_WORDS = {
    Step.READ: "Reading the file",
    Step.RESOLVE: "Looking up what it names",
    Step.JUDGE: "Judging",
    Step.WRITE: "Recording",
    Step.SEAL: "Sealing the audit trail",
}
_BEGINS = {Step.READ: 0.0, Step.RESOLVE: 0.3, Step.JUDGE: 0.4, Step.WRITE: 0.55, Step.SEAL: 0.95}
"""Where in the whole each step begins. Measured on 100,000 rows; a bar need not be truer than that."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at a piece of work: its step, and how many of how many things of that step are done (0 of 0: not counted)."""

    step: Step
    done: int = 0
    total: int = 0

    @property
    def fraction(self) -> float:
        """Give how much of the whole is done, from 0 to 1."""
        begins = [*_BEGINS.values(), 1.0]
        place = list(_BEGINS).index(self.step)
        within = min(self.done / self.total, 1.0) if self.total else 0.0
        return begins[place] + within * (begins[place + 1] - begins[place])

    @property
    def words(self) -> str:
        """Name the step."""
        return _WORDS[self.step]

    @property
    def counted(self) -> str:
        """Say how many of how many are done, where that is known."""
        return f"{min(self.done, self.total):,} of {self.total:,}" if self.total and self.done else ""


Listener = Callable[[Progress], None]


class _Teller:
    """Tells one listener what is said, not more often than it is of use."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._now = Progress(Step.READ)
        self._furthest = -1.0
        self._told_at = 0.0

    def begin(self, step: Step, total: int) -> None:
        self._now = Progress(step, 0, total)
        self._tell()

    def advance(self, number: int) -> None:
        self._now = Progress(self._now.step, self._now.done + number, self._now.total)
        if time.monotonic() - self._told_at >= SECONDS_APART:
            self._tell()

    def _tell(self) -> None:
        # A commit judges what was judged before: what is done already is not told again, so that a bar never goes back.
        if self._now.fraction > self._furthest:
            self._furthest = self._now.fraction
            self._told_at = time.monotonic()
            self._listener(self._now)


_tellers: list[_Teller] = []
"""At most one: a process that has a listener does one piece of work, for that listener."""


def listen(listener: Listener | None) -> None:
    """Let this process tell `listener` of its work from now on; `None`: nobody."""
    _tellers[:] = [_Teller(listener)] if listener is not None else []


def begin(step: Step, total: int = 0) -> None:
    """Say that a step begins, of `total` things."""
    for teller in _tellers:
        teller.begin(step, total)


def advance(number: int) -> None:
    """Say that so many more things of the step are done."""
    for teller in _tellers:
        teller.advance(number)
