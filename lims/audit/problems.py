"""What a check of the trail found, in figures and in sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_LISTED = 1_000
"""Problems told one by one; beyond, they are counted. A table emptied behind the log is one finding, not a million."""

Progress = Callable[[str, int], None]
"""Called with what is being checked and how much of it is done."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold. `expected` is what the trail says, `found` what is there."""

    kind: str
    sentence: str
    event: int | None = None
    position: int | None = None
    entity: str | None = None
    key: int | None = None
    field: str | None = None
    expected: Any = None
    found: Any = None


@dataclass(slots=True)
class Report:
    """The outcome of a check."""

    events: int = 0
    changes: int = 0
    records: int = 0
    """Live records compared with the trail."""
    checkpoints: int = 0
    problems: list[Problem] = field(default_factory=list)
    more_problems: int = 0
    """Found, but not listed one by one."""
    remarks: list[str] = field(default_factory=list)
    """What could not be checked, and why."""

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.problems and not self.more_problems

    def add(self, problem: Problem) -> None:
        """List a problem, or count it where too many are listed already."""
        if len(self.problems) < MAX_LISTED:
            self.problems.append(problem)
        else:
            self.more_problems += 1
