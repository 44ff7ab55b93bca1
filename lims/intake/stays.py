"""Puts the cages that a file names for an animal in order: from when on it was in which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass
from datetime import date

from importers.base import Stays


@dataclass(frozen=True, slots=True)
class Run:
    """A stay: a cage, since when (None: the file does not date it), the entry that begins it, and all that say the same."""

    cage: str
    since: date | None
    index: int
    all: list[int]


def runs_of(stays: Stays, skip: Container[int] = ()) -> dict[str, list[Run]]:
    """Give animal → its stays in the order of time, entries of `skip` left out.

    Of two cages on one day the one further down in the file is the later. What has no date counts only where nothing of the
    animal has one, and then the first is taken.
    """
    entries: dict[str, list[int]] = defaultdict(list)
    for index, animal in enumerate(stays.animals):
        if index not in skip:
            entries[animal].append(index)
    return {animal: _runs(stays, indices) for animal, indices in entries.items()}


def _runs(stays: Stays, indices: list[int]) -> list[Run]:
    dated = sorted((on, index) for index in indices if (on := stays.when[index]) is not None)
    undated = [index for index in indices if stays.when[index] is None]
    if not dated:
        return [Run(stays.cages[indices[0]], None, indices[0], indices)]
    last_of_day = dict(dated)
    runs: list[Run] = []
    for on, index in dated:
        cage = stays.cages[last_of_day[on]]
        if not runs or runs[-1].cage != cage:
            runs.append(Run(cage, on, last_of_day[on], []))
        runs[-1].all.append(index)
    runs[-1].all.extend(undated)
    return runs
