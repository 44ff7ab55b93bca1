"""Turns the names in a file into this project's records: exactly, by a confirmed alias, or not at all.

What is not there is listed, and planned to be created only where a person said so (`create` among the batch's choices).
Planned records have negative ids until they exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Executable, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from importers.base import AnimalFacts, Reading, Severity
from importers.sheets import Workbook
from lims.domain.identifiers import LONGEST
from lims.domain.vocabulary import MeasurementKind, RecordStatus
from lims.intake.names import LONGEST_NAME, Host, Names
from lims.intake.resolve_events import EventResolver
from lims.intake.resolve_studies import StudyResolver
from lims.intake.resolve_tumours import TumourResolver
from lims.intake.resolving import Resolving
from lims.models import Animal, AnimalAlias, ImportBatch
from lims.queries.chunks import in_chunks


class Resolver:
    """Resolves one reading against one project: animals first, and what is of them."""

    def __init__(
        self, session: Session, batch: ImportBatch, book: Workbook, reading: Reading, kinds: Mapping[str, MeasurementKind]
    ) -> None:
        self.of = Resolving(session, batch, book, reading, kinds)
        self.animal_columns = {one.sheet: one.column for one in reversed(reading.columns) if one.role == "animal"}

    def resolve(self) -> Names:
        """Give the meaning of every name, or a finding for each that has none."""
        of = self.of
        self._animals()
        StudyResolver(of).resolve()
        TumourResolver(of).resolve()
        EventResolver(of.session, of.batch, of.book, of.reading, of.allowed).resolve(of.names)
        return of.names

    def _animals(self) -> None:
        labels = list(self.of.facts)
        known = {code: Host(*row) for code, *row in in_chunks(self.of.session, labels, self._hosts(Animal.code))}
        others = [label for label in labels if label not in known]
        aliased = in_chunks(self.of.session, others, self._hosts(AnimalAlias.alias))
        known |= {alias: Host(*row) for alias, *row in aliased}
        for number, (label, facts) in enumerate(self.of.facts.items(), start=1):
            host = known.get(label)
            if host is not None:
                self.of.names.hosts[label] = host
                self._compare(host, facts)
            elif self._may_create_animal(label, facts):
                self.of.names.hosts[label] = Host(-number, label, facts.birth_date)
                self.of.names.new_animals.append(facts)

    def _hosts(self, name: InstrumentedAttribute[str]) -> Callable[[Sequence[str]], Executable]:
        """Give the statement that finds active animals by their id, or by a confirmed alias."""
        columns = select(name, Animal.id, Animal.code, Animal.birth_date, Animal.died_on)
        wanted = columns.where(Animal.project_id == self.of.project_id, Animal.status == RecordStatus.ACTIVE)
        if name is AnimalAlias.alias:
            same = and_(AnimalAlias.animal_id == Animal.id, AnimalAlias.status == RecordStatus.ACTIVE)
            wanted = wanted.join(AnimalAlias, same).where(AnimalAlias.project_id == self.of.project_id)
        return lambda some: wanted.where(name.in_(some))

    def _may_create_animal(self, label: str, facts: AnimalFacts) -> bool:
        named = ((label, "animal id", LONGEST), (facts.cage, "cage", LONGEST), (facts.strain, "strain", LONGEST_NAME))
        if [what for text, what, longest in named if not self.of.usable(text, what, facts, longest)]:
            return False
        if "animals" in self.of.allowed:
            return True
        self.of.find(
            "animal-unknown",
            f'Animal "{label}" is not in this project.',
            facts,
            column=self.animal_columns.get(facts.sheet),
            value=label,
            expected="an animal of this project, by id or by a confirmed alias",
            remedy="Say which one it is, correct the id, or let the import create what this file names.",
            option=f'--set "animal:{label}=CODE", or --create animals',
        )
        return False

    def _compare(self, host: Host, facts: AnimalFacts) -> None:
        if facts.birth_date and host.birth_date and facts.birth_date != host.birth_date:
            self.of.find(
                "birth-date-differs",
                f'Animal "{facts.label}" was born on {host.birth_date} by its record, on {facts.birth_date} by this file.',
                facts,
                severity=Severity.WARNING,
                value=str(facts.birth_date),
                expected=str(host.birth_date),
                remedy="The record stays as it is; correct it on the animal's page if the file is right.",
            )
