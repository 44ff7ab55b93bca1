"""Findings by kind: what they are, how many, and whether somebody looked at all of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importers.base import Finding, Severity

ANSWERED = frozenset({"differs-from-import", "record-changed"})
"""Warnings that nobody has to acknowledge again: a person accepted the changes themselves, with a reason."""
ALL = "all"
"""Stands for every kind of warning on the command line."""
_WEIGHT = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one severity and code. `digest`: of where they stand and what they say. `first`: the first of them.

    places: sheet → the rows that they stand for.
    """

    severity: Severity
    code: str
    number: int
    digest: str
    first: Finding
    places: Mapping[str, Collection[int]]

    @property
    def to_accept(self) -> bool:
        """Tell whether somebody has to acknowledge it before the file is recorded."""
        return self.severity is Severity.WARNING and self.code not in ANSWERED


def groups_of(findings: Iterable[Finding]) -> list[Group]:
    """Group findings by severity and code, the gravest first, then the most."""
    by_key: dict[tuple[Severity, str], list[Finding]] = {}
    for one in findings:
        by_key.setdefault((one.severity, one.code), []).append(one)
    groups = [Group(*key, len(found), _digest(found), found[0], _places(found)) for key, found in by_key.items()]
    return sorted(groups, key=lambda group: (_WEIGHT[group.severity], -group.number, group.code))


def _digest(findings: Sequence[Finding]) -> str:
    said = sorted((one.sheet or "", one.row or 0, one.column or 0, one.value or "", one.message) for one in findings)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _places(findings: Iterable[Finding]) -> dict[str, set[int]]:
    rows: dict[str, set[int]] = defaultdict(set)
    for one in findings:
        if one.also:
            for sheet, some in one.also:
                rows[sheet].update(some)
        elif one.sheet and one.row:
            rows[one.sheet].add(one.row)
    return rows


def _spans(rows: Iterable[int]) -> list[list[int]]:
    """Give rows as spans of first and last, which stays short where a whole file is meant."""
    spans: list[list[int]] = []
    for row in sorted(rows):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    return spans


def rows_told(report: Mapping[str, Any], code: str) -> list[tuple[str, int]]:
    """Give the rows (sheet, row) that the findings of a kind stand for, as a report keeps them."""
    places = [one["places"] for one in report.get("groups", []) if one["code"] == code]
    return sorted(
        {(sheet, row) for one in places for sheet, spans in one.items() for first, last in spans for row in range(first, last + 1)}
    )


def told(groups: Iterable[Group]) -> list[dict[str, Any]]:
    """Give groups as a report keeps them."""
    return [
        {
            "severity": group.severity.value,
            "code": group.code,
            "number": group.number,
            "digest": group.digest,
            "message": group.first.message,
            "remedy": group.first.remedy,
            "rows": sum(map(len, group.places.values())),
            "places": {sheet: _spans(rows) for sheet, rows in group.places.items()},
            "accept": group.to_accept,
        }
        for group in groups
    ]


def open_groups(groups: Iterable[Group], accepted: Mapping[str, str], now: Collection[str]) -> list[Group]:
    """Give the warnings nobody acknowledged: neither before (code → digest) nor now (codes, or `all`)."""
    return [
        group
        for group in groups
        if group.to_accept and not (ALL in now or group.code in now or accepted.get(group.code) == group.digest)
    ]


def not_accepted(groups: Sequence[Group]) -> Finding:
    """Say which warnings nobody looked at."""
    named = ", ".join(f"{group.number:,} × {group.code}" for group in groups)
    return Finding(
        Severity.ERROR,
        "warnings-not-accepted",
        f"Warnings were not acknowledged: {named}. Nothing was recorded.",
        expected="that somebody looked at every kind of warning",
        remedy="Look at them, and say that you did.",
        option="--accept CODE, or --accept all",
    )
