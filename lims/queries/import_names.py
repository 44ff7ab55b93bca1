"""Names in a file that nobody knows, and what of the project they may mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.cells import cell_address
from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, Animal, Arm, Cage, ImportBatch, ImportFinding, Patient, PdxModel, Specimen, Study

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
        UnknownName(code.removesuffix(UNKNOWN), name or "", number, cell_address(sheet, row, None))
        for code, name, number, sheet, row in session.execute(found)
    ]


def codes_of(session: Session, batch: ImportBatch, kind: str) -> Sequence[str]:
    """Give the codes that a name of this kind may mean, or none where there are too many to choose from."""
    model = NAMED[kind]
    wanted = select(model.code).where(model.status == RecordStatus.ACTIVE)
    if kind == "arm":
        wanted = wanted.join(Study, Study.id == Arm.study_id).where(Study.project_id == batch.project_id)
        wanted = wanted if batch.study_id is None else wanted.where(Study.id == batch.study_id)
    else:
        wanted = wanted.where(model.project_id == batch.project_id)
    codes = session.scalars(wanted.distinct().order_by(model.code).limit(MOST_CHOICES + 1)).all()
    return codes if len(codes) <= MOST_CHOICES else ()


def suggestions(name: str, codes: Sequence[str]) -> list[str]:
    """Give codes that read alike, the most alike first: for a person to choose from, never to be taken by itself.

    Those that differ in nothing but zeros, case and punctuation come first: `m7`, `M-007`.
    """
    plain = _plain(name)
    same = [code for code in codes if _plain(code) == plain]
    close = get_close_matches(name.casefold(), [code.casefold() for code in codes], n=SUGGESTED, cutoff=_ALIKE)
    by_case = {code.casefold(): code for code in codes}
    return list(dict.fromkeys([*same, *(by_case[one] for one in close)]))[:SUGGESTED]


def _plain(name: str) -> tuple[str, ...]:
    return tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in _PARTS.findall(name.casefold()))
