"""A person at the import desk: drops files in, checks, records, withdraws, and looks at what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import openpyxl
from sqlalchemy import select, text

from lims.audit.record import Actor
from lims.audit.verify import verify
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import RecordStatus
from lims.intake import run
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.intake.withdraw import withdraw
from lims.models import Animal, Base, ImportBatch, Measurement, Project, Study
from lims.records.projects import create_project

EVERYTHING = "animals,arms,study"


@dataclass
class Desk:
    """One project of one installation, and somebody who imports into it."""

    settings: Settings
    database: Database
    actor: Actor
    project: int

    @classmethod
    def open(cls, settings: Settings, database: Database, actor: Actor, code: str = "BCBM") -> Desk:
        with database.transaction() as session:
            return cls(settings, database, actor, create_project(session, actor, code=code, title=code).id)

    def other_project(self, code: str) -> Desk:
        with self.database.transaction() as session:
            return replace(self, project=create_project(session, self.actor, code=code, title=code).id)

    def drop(self, content: str | bytes, name: str = "file.csv", *, study: str | None = None, **more: Any) -> int:
        """Store a file; gives its batch."""
        content = content.encode() if isinstance(content, str) else content
        with self.database.transaction() as session:
            of = session.get_one(Project, self.project)
            into = session.scalar(select(Study).where(Study.code == study)) if study else None
            if "supersedes" in more:
                more["supersedes"] = session.get_one(ImportBatch, more["supersedes"])
            batch, _ = receive(session, self.actor, FileStore(self.settings.file_dir), of, name, content, study=into, **more)
            return batch.id

    def check(self, content: str | bytes, name: str = "file.csv", *, create: str = "", study: str | None = None, **choices: str):
        """Drop and check."""
        return self.look(self.drop(content, name, study=study, choices={"create": create, **choices}))

    def look(self, batch: int) -> run.Outcome:
        return run.check(self.settings, self.settings.url, batch, self.actor)

    def record(
        self,
        content: str | bytes,
        name: str = "file.csv",
        *,
        create: str = EVERYTHING,
        study: str | None = None,
        reason: str = "",
        supersedes: int | None = None,
        **choices: str,
    ) -> run.Outcome:
        """Drop and commit."""
        more = {} if supersedes is None else {"supersedes": supersedes}
        batch = self.drop(content, name, study=study, choices={"create": create, **choices}, **more)
        return self.commit(batch, reason=reason)

    def commit(self, batch: int, *, expect: str | None = None, reason: str = "") -> run.Outcome:
        return run.commit(self.settings, self.settings.url, batch, self.actor, expect=expect, reason=reason)

    def withdraw(self, batch: int, reason: str = "wrong animal") -> int:
        with self.database.transaction() as session:
            return withdraw(session, self.actor, session.get_one(ImportBatch, batch), reason=reason)

    def readings(self) -> list[tuple[str, str, str, float]]:
        """Give every reading that counts: animal, kind, slot and value."""
        with self.database.reading() as session:
            rows = session.execute(
                select(Animal.code, Measurement.kind, Measurement.slot, Measurement.value)
                .join(Animal, Animal.id == Measurement.animal_id)
                .where(Measurement.status == RecordStatus.ACTIVE, Measurement.project_id == self.project)
                .order_by(Animal.code, Measurement.kind, Measurement.slot, Measurement.occurrence)
            )
            return [tuple(row) for row in rows]

    def records(self, model: type[Base]) -> list[Any]:
        """Give the active records of a table, in the order of their ids."""
        with self.database.reading() as session:
            return list(session.scalars(select(model).where(model.status == RecordStatus.ACTIVE).order_by(model.id)))

    def codes(self, model: type[Base]) -> list[str]:
        return [record.code for record in self.records(model)]

    def events(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(text("SELECT action FROM audit_event ORDER BY seq")))

    def sound(self) -> None:
        """Check that the trail proves all there is, stored files included."""
        report = verify(self.database, files=FileStore(self.settings.file_dir))
        assert report.problems == [], report.problems


def balanced(outcome: run.Outcome) -> dict[str, int]:
    """Give the counts of rows that are not nought, after checking that they add up."""
    rows = outcome.report["rows"]
    assert rows["read"] == sum(number for fate, number in rows.items() if fate != "read"), rows
    return {fate: number for fate, number in rows.items() if number}


def codes(outcome: run.Outcome) -> list[str]:
    """Give the findings' codes, notes left out."""
    return [finding.code for finding in outcome.findings if finding.severity.value != "note"]


def found(outcome: run.Outcome, code: str) -> Any:
    """Give the one finding of a code."""
    (finding,) = [finding for finding in outcome.findings if finding.code == code]
    return finding


def weights(*rows: Sequence[object], head: str = "id,date,weight (g)") -> str:
    """Write a table of body weights."""
    return "\n".join([head, *(",".join(map(str, row)) for row in rows), ""])


def workbook(*rows: Sequence[object], title: str = "Sheet1") -> bytes:
    """Save rows as an Excel workbook."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    content = BytesIO()
    book.save(content)
    return content.getvalue()
