"""Names in a file that nobody knows, and what of the project they may mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, Animal, AnimalAlias, Arm, Cage, ImportBatch, ImportFinding, Patient, PdxModel, Specimen, Study
from lims.queries.imports import place_in

UNKNOWN = "-unknown"
"""Findings about a name that nobody knows have codes that end so; before it stands what the name is of."""
NAMED: Mapping[str, type[Any]] = {
    "animal": Animal,
    "arm": Arm,
    "agent": Agent,
    "cage": Cage,
    "model": PdxModel,
    "patient": Patient,
    "specimen": Specimen,
    "study": Study,
}
"""What a name may be of: the records that have a code."""
MOST_CHOICES = 1_000
"""Codes to choose from; of more, a person types or scans one."""
SUGGESTED = 3
_ALIKE = 0.6
_PARTS = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name nobody knows: what it is of, how often it was found, and where first."""

    kind: str
    name: str
    number: int
    where: str


def kind_of(code: str) -> str | None:
    """Give what the name of a finding is of; `None` for findings about something else."""
    kind = code.removesuffix(UNKNOWN)
    return kind if code.endswith(UNKNOWN) and kind in NAMED else None


def unknown_names(session: Session, batch: ImportBatch) -> list[UnknownName]:
    """List the names of a file that nobody knows, kind after kind, in the order of the file."""
    first = func.min(ImportFinding.id)
    found = (
        select(
            ImportFinding.code, ImportFinding.value, func.count(), func.min(ImportFinding.sheet), func.min(ImportFinding.row_number)
        )
        .where(
            ImportFinding.batch_id == batch.id,
            ImportFinding.code.in_([f"{kind}{UNKNOWN}" for kind in NAMED]),
            ImportFinding.value.is_not(None),
        )
        .group_by(ImportFinding.code, ImportFinding.value)
        .order_by(ImportFinding.code, first)
    )
    return [
        UnknownName(code.removesuffix(UNKNOWN), name or "", number, place_in(batch, sheet, row, None))
        for code, name, number, sheet, row in session.execute(found)
    ]


class Known(NamedTuple):
    """What a record is called: a name, its code, and what the name is where it is not the code (`ear tag`)."""

    name: str
    code: str
    what: str = ""


def known_of(session: Session, batch: ImportBatch, kind: str) -> Sequence[Known]:
    """Give what the records are called that a name of this kind may mean, or nothing where there are too many to choose from."""
    known: list[Known] = []
    for what, name, rows in _called(batch, kind):
        found = session.execute(rows.order_by(name).limit(MOST_CHOICES + 1)).all()
        if len(found) > MOST_CHOICES:
            return ()
        known += [Known(called, code, what) for called, code in found]
    return known


def known_like(session: Session, batch: ImportBatch, kind: str, name: str) -> Sequence[Known]:
    """Give those in whose names the longest number of this one stands, or its longest word: of a colony, what may read alike."""
    parts = _plain(name)
    part = max(parts, key=lambda one: (one.isdigit(), len(one)), default=name)
    return [
        Known(called, code, what)
        for what, column, rows in _called(batch, kind)
        for called, code in session.execute(
            rows.where(column.icontains(part, autoescape=True)).order_by(column).limit(MOST_CHOICES)
        )
    ]


def codes_meant(session: Session, batch: ImportBatch, kind: str, names: Sequence[str]) -> list[str]:
    """Give the codes of the records that are called exactly so; one that has it as its code is meant alone."""
    for _, column, rows in _called(batch, kind):
        codes = sorted({code for _, code in session.execute(rows.where(column.in_(names)))})
        if codes:
            return codes
    return []


def _called(batch: ImportBatch, kind: str) -> list[tuple[str, Any, Select[Any]]]:
    """Give the ways in which records of a kind are called, the code first: the column, and the statement of name and code."""
    model = NAMED[kind]
    wanted = select(model.code, model.code).where(model.status == RecordStatus.ACTIVE).distinct()
    if kind == "arm":
        wanted = wanted.join(Study, Study.id == Arm.study_id).where(Study.project_id == batch.project_id)
        wanted = wanted if batch.study_id is None else wanted.where(Study.id == batch.study_id)
    else:
        wanted = wanted.where(model.project_id == batch.project_id)
    if kind != "animal":
        return [("", model.code, wanted)]
    tagged = wanted.with_only_columns(Animal.ear_tag, Animal.code).where(Animal.ear_tag.is_not(None))
    aliased = wanted.with_only_columns(AnimalAlias.alias, Animal.code).join(AnimalAlias, AnimalAlias.animal_id == Animal.id)
    aliased = aliased.where(AnimalAlias.status == RecordStatus.ACTIVE)
    return [("", Animal.code, wanted), ("ear tag", Animal.ear_tag, tagged), ("other name", AnimalAlias.alias, aliased)]


def suggestions(name: str, known: Sequence[Known]) -> list[Known]:
    """Give records that are called alike, the most alike first: for a person to choose from, never to be taken by itself.

    Names that differ in nothing but zeros, case and punctuation come first: `m7`, `M-007`.
    """
    plain = _plain(name)
    same = [one for one in known if _plain(one.name) == plain]
    names = dict.fromkeys(one.name.casefold() for one in known)
    # Numbers with a digit in common are no more alike than others.
    close = [] if len(plain) == 1 and plain[0].isdigit() else get_close_matches(name.casefold(), names, n=SUGGESTED, cutoff=_ALIKE)
    alike = [one for called in close for one in known if one.name.casefold() == called]
    return list({one.code: one for one in reversed([*same, *alike])}.values())[::-1][:SUGGESTED]


def _plain(name: str) -> tuple[str, ...]:
    return tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in _PARTS.findall(name.casefold()))
