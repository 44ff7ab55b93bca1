"""The kinds of measurement that a project knows: those of the vocabulary, and what the laboratory added to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal_column, select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError
from lims.domain.sources import CONSISTENT
from lims.domain.vocabulary import KIND_BY_CODE, MEASUREMENT_KINDS, MeasurementKind, RecordStatus
from lims.models import Enrolment, LabKind, Measurement
from lims.queries.chunks import read

_own = LabKind.__table__.c
_OWN = select(LabKind.__table__).where(_own.project_id == bindparam("project_id")).order_by(_own.title)


def kinds_of(session: Session, project_id: int, *, withdrawn: bool = False) -> dict[str, MeasurementKind]:
    """Give every kind of a project by its code, in the order they are offered; the laboratory's own ones by title.

    `withdrawn`: kinds that are not offered any more too, so that what was measured with them keeps its name.
    """
    own = [LabKind(**row._mapping) for row in read(session, _OWN, project_id=project_id)]
    return KIND_BY_CODE | {one.code: one.as_kind for one in own if withdrawn or one.status is RecordStatus.ACTIVE}


def measured_kinds() -> Select[str]:
    """Select the codes of what was measured in the animals of `study_id`; as the slot index tells, which reads no reading."""
    return (
        select(Measurement.kind)
        .join(Enrolment, Enrolment.animal_id == Measurement.animal_id)
        .where(Enrolment.study_id == bindparam("study_id"), Enrolment.status == RecordStatus.ACTIVE)
        .where(Measurement.status == literal_column(f"'{RecordStatus.ACTIVE.value}'"))
        .distinct()
    )


_MEASURED = measured_kinds()


def kinds_measured(session: Session, study_id: int) -> list[str]:
    """List the codes of what was measured in the animals of a study."""
    return list(read(session, _MEASURED, study_id=study_id).scalars())


def unknown_kind(code: str) -> DomainError:
    """Say that a project does not know a kind of measurement."""
    told = f'There is no kind "{code}" in this project.'
    return DomainError(told, field="kind", expected="a kind that is listed", source=CONSISTENT)


def unit_of_kind() -> ColumnElement[str]:
    """Give the unit of a reading's kind, as a column of a statement that selects from `Measurement`."""
    own = select(LabKind.unit).where(LabKind.project_id == Measurement.project_id, LabKind.code == Measurement.kind)
    known = case({kind.code: kind.unit for kind in MEASUREMENT_KINDS}, value=Measurement.kind)
    return func.coalesce(known, own.correlate(Measurement).scalar_subquery())


def lab_kinds(project_id: int) -> Select[*tuple[Any, ...]]:
    """Select a laboratory's own kinds with how many active readings each has."""
    readings = select(func.count()).where(
        Measurement.project_id == LabKind.project_id, Measurement.kind == LabKind.code, Measurement.status == RecordStatus.ACTIVE
    )
    return (
        select(readings.correlate(LabKind).scalar_subquery().label("readings"))
        .select_from(LabKind)
        .where(LabKind.project_id == project_id)
    )
