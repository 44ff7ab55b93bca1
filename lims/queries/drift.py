"""HER2 along the way of a patient's tissue: from the primary over the metastasis to each passage in mice.

For the page of a specimen, a patient or a model::

    {"drift": her2_drift(session, project_id, donor_id)}

and in its template `{% from "specimens/_drift.html" import drift_timeline %}{{ drift_timeline(drift) }}`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from lims.domain.her2 import AssayReport, Her2Finding, combine, deciding
from lims.domain.passage import passage_label
from lims.domain.tissue_terms import Her2Label, Her2Result
from lims.domain.vocabulary import PassageConvention, RecordStatus, TumourOrigin
from lims.models import Animal, Implant, PdxModel, ReceptorAssay, Specimen
from lims.queries.specimens import as_report


class Her2Class(StrEnum):
    """What is compared along the way; the value is its word."""

    POSITIVE = "HER2-positive"
    LOW = "HER2-low"
    ZERO = "HER2-0"
    NEGATIVE = "HER2-negative"
    EQUIVOCAL = "equivocal"


DECIDED = frozenset(Her2Class) - {Her2Class.EQUIVOCAL}


@dataclass(frozen=True, slots=True)
class DriftPoint:
    """One specimen on the way. `changed_from` is the class decided before it, where its own is another."""

    specimen_id: int
    code: str
    where: str
    collected_on: date | None
    passage: str | None
    animal: str | None
    ihc: str | None
    ish: str | None
    her2: Her2Class
    rule: str
    changed_from: Her2Class | None


@dataclass(frozen=True, slots=True)
class Drift:
    """The way of one patient's tissue; `unassessed` counts specimens of tumour on it that nobody has stained."""

    points: tuple[DriftPoint, ...]
    unassessed: int

    @property
    def changes(self) -> list[DriftPoint]:
        """Give the points at which the class is another than before."""
        return [point for point in self.points if point.changed_from is not None]


def her2_class(result: Her2Result, label: Her2Label | None) -> Her2Class | None:
    """Give the class of a result with its label; none where nothing was assessed."""
    if label is not None:
        return Her2Class.LOW if label is Her2Label.HER2_LOW else Her2Class.ZERO
    plain = {
        Her2Result.POSITIVE: Her2Class.POSITIVE,
        Her2Result.NEGATIVE: Her2Class.NEGATIVE,
        Her2Result.EQUIVOCAL: Her2Class.EQUIVOCAL,
    }
    return plain.get(result)


def her2_drift(session: Session, project_id: int, donor_id: int | None) -> Drift:
    """Follow HER2 through a patient's tissue: what was taken from the patient by date, then xenografts by passage and date.

    Two statements, whatever the number of specimens.
    """
    if donor_id is None:
        return Drift((), 0)
    rows = session.execute(_way(project_id, donor_id)).all()
    reports = _reports(session, project_id, donor_id)
    points: list[DriftPoint] = []
    before: Her2Class | None = None
    for row in sorted(rows, key=_order):
        her2 = her2_class(row.her2_result, row.her2_label)
        if her2 is None:
            continue
        changed = her2 in DECIDED and before is not None and her2 is not before
        points.append(_point(row, reports.get(row.id, []), her2, before if changed else None))
        before = her2 if her2 in DECIDED else before
    return Drift(tuple(points), sum(row.her2_result is Her2Result.NOT_ASSESSED for row in rows))


def _way(project_id: int, donor_id: int) -> Any:
    return (
        select(
            Specimen.id,
            Specimen.code,
            Specimen.kind,
            Specimen.origin,
            Specimen.site,
            Specimen.collected_on,
            Specimen.passage,
            Specimen.source_implant_id,
            Specimen.her2_result,
            Specimen.her2_label,
            Animal.code.label("animal"),
            PdxModel.passage_convention.label("convention"),
        )
        .select_from(Specimen)
        .outerjoin(Implant, Implant.id == Specimen.source_implant_id)
        .outerjoin(Animal, Animal.id == Implant.animal_id)
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .where(Specimen.project_id == project_id, Specimen.donor_id == donor_id, Specimen.status == RecordStatus.ACTIVE)
    )


def _order(row: Row[Any]) -> tuple[bool, int, date, int]:
    """The patient's own first; what has no passage or date last among its like."""
    grown = row.source_implant_id is not None
    unknown = 1_000_000
    return grown, (unknown if row.passage is None else row.passage) if grown else 0, row.collected_on or date.max, row.id


def _reports(session: Session, project_id: int, donor_id: int) -> Mapping[int, list[AssayReport]]:
    wanted = (
        select(ReceptorAssay)
        .join(Specimen, Specimen.id == ReceptorAssay.specimen_id)
        .where(Specimen.project_id == project_id, Specimen.donor_id == donor_id, ReceptorAssay.status == RecordStatus.ACTIVE)
        .order_by(ReceptorAssay.id)
    )
    found: dict[int, list[AssayReport]] = defaultdict(list)
    for assay in session.scalars(wanted):
        found[assay.specimen_id].append(as_report(assay))
    return found


def _point(row: Row[Any], reports: Sequence[AssayReport], her2: Her2Class, changed_from: Her2Class | None) -> DriftPoint:
    finding: Her2Finding = combine(reports)
    scored, counted = deciding(reports)
    score = None if scored is None else reports[scored].ihc
    return DriftPoint(
        specimen_id=row.id,
        code=row.code,
        where=_where(row),
        collected_on=row.collected_on,
        passage=passage_label(row.passage, row.convention or PassageConvention.FIRST_IS_P0),
        animal=row.animal,
        ihc=score.value if score else None,
        ish=None if counted is None else ish_words(reports[counted]),
        her2=her2,
        rule=finding.rule,
        changed_from=changed_from,
    )


def _where(row: Row[Any]) -> str:
    """Say what was taken where: `metastasis, frontal lobe`, `xenograft`."""
    origins = {TumourOrigin.PRIMARY: "primary", TumourOrigin.METASTATIC: "metastasis", TumourOrigin.RECURRENT: "recurrence"}
    kind = str(row.kind.value).replace("_", " ").replace("csf", "CSF")
    what = "xenograft" if row.source_implant_id is not None else origins.get(row.origin, kind)
    return f"{what}, {row.site}" if row.site else what


def ish_words(report: AssayReport) -> str:
    """Write an ISH as people read it: `ratio 2.4, 5.1 copies`."""
    parts = [
        f"ratio {report.ratio:g}" if report.ratio is not None else "",
        f"{report.copies:g} copies" if report.copies is not None else "",
    ]
    return ", ".join(part for part in parts if part)
