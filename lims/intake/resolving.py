"""One reading while its names are looked up in a project: what it names and where, what may be created, and what was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from importers.base import AnimalFacts, Finding, Reading, Series, Severity
from importers.sheets import Workbook
from lims.domain.errors import DomainError
from lims.domain.identifiers import LONGEST, clean_identifier
from lims.domain.vocabulary import MeasurementKind, Subject
from lims.intake.names import Names, TumourKey
from lims.models import ImportBatch

CREATABLE = ("animals", "arms", "study", "agents", "cages")
"""What a person may let a file create: `animals` with their cages and tumours, `arms` with the agents that they are given."""


class Resolving:
    """What the resolvers of animals, studies and tumours share; `names` is what they fill in."""

    def __init__(
        self, session: Session, batch: ImportBatch, book: Workbook, reading: Reading, kinds: Mapping[str, MeasurementKind]
    ) -> None:
        self.session = session
        self.batch = batch
        self.book = book
        self.reading = reading
        self.kinds = kinds
        self.project_id = batch.project_id
        self.allowed = {one.strip() for one in batch.choices.get("create", "").split(",")} & set(CREATABLE)
        self.facts = _all_facts(reading)
        self.names = Names()

    def find(
        self,
        code: str,
        message: str,
        facts: AnimalFacts,
        *,
        severity: Severity = Severity.ERROR,
        of: Sequence[str] = (),
        tumour: TumourKey | None = None,
        **more: Any,
    ) -> None:
        """Say something once of an animal, or of the animals `of`, or of a tumour: it stands for all rows that name them."""
        sheet = self.book.sheets[facts.sheet].name
        also = self._rows_of(of or [facts.label], tumour)
        self.names.findings.append(Finding(severity, code, message, sheet=sheet, row=facts.row, also=also, **more))

    def usable(self, text: str | None, what: str, facts: AnimalFacts, longest: int = LONGEST) -> bool:
        """Tell whether a name can be recorded, or say why not."""
        try:
            if text is not None:
                clean_identifier(text, what=what, longest=longest)
        except DomainError as problem:
            more: dict[str, Any] = {"expected": problem.expected, "remedy": problem.remedy, "source": problem.source}
            self.find("name-unusable", str(problem), facts, value=text, **more)
            return False
        return True

    def labels_by_id(self) -> dict[int, list[str]]:
        """Give animal → the names by which the file calls it, for animals that are there; an alias may stand beside the id."""
        labels: dict[int, list[str]] = defaultdict(list)
        for label, host in self.names.hosts.items():
            if host.id > 0:
                labels[host.id].append(label)
        return labels

    def _rows_of(self, labels: Iterable[str], tumour: TumourKey | None) -> tuple[tuple[str, tuple[int, ...]], ...]:
        rows: dict[int, set[int]] = defaultdict(set)
        for label in labels:
            for one in self._mentions.get(label, ()):
                if tumour is None or (one.of_tumour and one.tumour == tumour[1]):
                    rows[one.sheet].add(one.row)
        return tuple((self.book.sheets[sheet].name, tuple(sorted(some))) for sheet, some in sorted(rows.items()))

    @cached_property
    def _mentions(self) -> dict[str, list[_Mention]]:
        """Animal → everything that the file says of it; made where something is found at all."""
        found: dict[str, list[_Mention]] = defaultdict(list)
        for source in _sources(self.reading):
            of_tumour = isinstance(source, Series) and self.kinds[source.kind].subject is Subject.IMPLANT
            tumours = (source.tumours if isinstance(source, Series) else None) or repeat(None)
            for label, tumour, row in zip(source.animals, tumours, source.rows, strict=False):
                found[label].append(_Mention(source.sheet, row, tumour, of_tumour))
        return found


class _Mention(NamedTuple):
    """A row that names an animal. of_tumour: whether it measures a tumour of it; tumour: its label, where the file gives one."""

    sheet: int
    row: int
    tumour: str | None
    of_tumour: bool


def _sources(reading: Reading) -> list[Any]:
    """Give everything that names animals: readings, doses, deaths and stays."""
    events = (reading.doses, reading.deaths, reading.stays)
    return [*reading.series, *(one for one in events if one is not None)]


def _all_facts(reading: Reading) -> dict[str, AnimalFacts]:
    """Give every animal a reading names, in the order of the file, with what is known of it."""
    facts: dict[str, AnimalFacts] = {}
    for source in _sources(reading):
        # Backwards, so that the first row that names an animal is the one that stays.
        first_rows = dict(zip(reversed(source.animals), reversed(source.rows), strict=True))
        for label in dict.fromkeys(source.animals):
            if label not in facts:
                facts[label] = reading.animals.get(label) or AnimalFacts(label, source.sheet, first_rows[label])
    return facts
