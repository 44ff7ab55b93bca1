"""What the parts of a plan have in common: entries in columns, each with its animal, its day and its fate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from importers.base import Finding, Severity
from lims.domain.vocabulary import RowFate
from lims.intake.names import Host


class Entries:
    """What the planned parts of a file have in common: a source in columns, and a fate for each of its entries."""

    __slots__ = ()
    sheet: str
    hosts: list[Host | None]
    taken_on: list[date | None]
    fates: dict[int, RowFate]

    @property
    def source(self) -> Any:
        """Give the columns as the importer read them."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Name what an entry is, at the beginning of a sentence."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.source)

    def column(self, index: int) -> int:
        """Give the sheet's column of one entry's value."""
        columns = self.source.columns
        return columns if isinstance(columns, int) else columns[index]

    def fate(self, index: int) -> RowFate:
        """Give one entry's fate."""
        return self.fates.get(index, RowFate.NEW)

    def indices(self, fate: RowFate) -> Iterator[int]:
        """Give the entries of a fate, in the order of the file."""
        if fate is RowFate.NEW:
            return (index for index in range(len(self)) if index not in self.fates)
        return (index for index in sorted(self.fates) if self.fates[index] is fate)

    def finding(self, index: int, severity: Severity, code: str, message: str, **more: Any) -> Finding:
        """Say something about one entry, at its cell."""
        return Finding(
            severity,
            code,
            message,
            sheet=self.sheet,
            row=self.source.rows[index],
            column=self.column(index),
            value=more.pop("value", self.source.raw[index]),
            **more,
        )

    def refuse(
        self, index: int, code: str, message: str, expected: str | None, remedy: str | None, source: str | None = None
    ) -> Finding:
        """Keep one entry from being recorded, and say why; `source` names the rule."""
        self.fates[index] = RowFate.REFUSED
        return self.finding(index, Severity.ERROR, code, message, expected=expected, remedy=remedy, source=source)

    @property
    def different_hosts(self) -> Collection[Host | None]:
        """Give each host once: 100,000 readings are of a thousand animals."""
        return dict(zip(map(id, self.hosts), self.hosts, strict=True)).values()

    def stated(self, indices: Sequence[int]) -> str:
        """Say where entries stand and what they hold: `row 2 (25.6), row 3 (26.1)`."""
        return ", ".join(f"row {self.source.rows[index]} ({self.source.raw[index]})" for index in indices)

    def contradict(self, indices: Sequence[int], code: str, message: str, expected: str) -> Iterator[Finding]:
        """Keep entries that contradict each other from being recorded, and say so of each."""
        for index in indices:
            self.fates[index] = RowFate.CONFLICTING
            remedy = "Correct the file, or leave out the rows that are wrong."
            yield self.finding(index, Severity.ERROR, code, f"{message}: {self.stated(indices)}.", expected=expected, remedy=remedy)

    def name(self, index: int) -> str:
        """Name an entry's subject as the file does."""
        return str(self.source.animals[index])


def mapped(column: Sequence[Any], meaning: Any) -> list[Any]:
    """Map a column through a lookup, each distinct entry once."""
    distinct = {one: meaning(one) for one in dict.fromkeys(column)}
    return [distinct[one] for one in column]
