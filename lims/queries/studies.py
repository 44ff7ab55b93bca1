"""Read models of studies: the list, the arms with their colours, the animals in them, the files that brought readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Row, bindparam, case, func, literal, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import AnimalStatus, ArmRole, RecordStatus
from lims.models import Animal, Arm, Enrolment, ImportBatch, Measurement, Study, User
from lims.plots import arm_styles
from lims.queries.blinding import shown_arm, shown_order
from lims.queries.chunks import read
from lims.queries.series import AnySelect, of_study


@lru_cache(maxsize=64)
def study_list(project_id: int) -> AnySelect:
    """Select the project's studies with their arms, animals, counted readings and the date of the last one."""
    arms = select(func.count()).where(Arm.study_id == Study.id, Arm.status == RecordStatus.ACTIVE).correlate(Study)
    animals = select(func.count()).where(Enrolment.study_id == Study.id, Enrolment.status == RecordStatus.ACTIVE).correlate(Study)
    of_one = of_study(select(func.count()), Study.id), of_study(select(func.max(Measurement.taken_on)), Study.id)
    readings, last_on = (one.correlate(Study).scalar_subquery() for one in of_one)
    return select(
        Study.id.label("id"),
        Study.code.label("code"),
        Study.title.label("title"),
        Study.state.label("state"),
        arms.scalar_subquery().label("arms"),
        animals.scalar_subquery().label("animals"),
        readings.label("readings"),
        last_on.label("last_on"),
        Study.day_zero_on.label("day_zero_on"),
    ).where(Study.project_id == project_id, Study.status == RecordStatus.ACTIVE)


_named = Study.__table__.c
_NAMES = (
    select(_named.id, _named.code)
    .where(_named.project_id == bindparam("project_id"), _named.status == RecordStatus.ACTIVE)
    .order_by(_named.code)
)


def study_names(session: Session, project_id: int) -> list[tuple[int, str]]:
    """List id and code of the project's studies."""
    return [(key, code) for key, code in read(session, _NAMES, project_id=project_id)]


@dataclass(frozen=True, slots=True)
class ArmOfStudy:
    """An arm as a person may see it, with its colour and how many animals are in it.

    key: what addresses and filters name it by. name: the title, with the code where two arms of the study share it.
    at_risk: animals neither recorded as dead nor excluded from analysis. All counts are 0 where nobody asked for them.
    hidden: its study is blinded for this person; its code stands for its name then, and role, colour and place among the
    others say nothing.
    """

    id: int
    key: str
    study_id: int
    study: str
    code: str
    title: str
    name: str
    role: ArmRole
    slot: str
    target_n: int | None
    enrolled: int
    at_risk: int
    excluded: int
    hidden: bool


def arms_of_studies(
    session: Session,
    project_id: int,
    study_id: int | None = None,
    *,
    unblinded: bool,
    count: bool = True,
    animals: Sequence[int] | None = None,
) -> list[ArmOfStudy]:
    """List the active arms of a study, or of all of the project's, as a person may see them, in one statement.

    count: look at the animals too, of which a project has thousands. animals: of those studies alone that some of them are in.
    """
    of = {"study_id": study_id, "animals": animals}
    asked = {name: value for name, value in of.items() if value is not None}
    statement = _arms(*asked, unblinded=unblinded, count=count)
    by_study: dict[int, list[Row[Any]]] = {}
    for row in read(session, statement, project_id=project_id, **asked):
        by_study.setdefault(row.study_id, []).append(row)
    return [arm for rows in by_study.values() for arm in _with_colours(rows, hidden=rows[0].blinded and not unblinded)]


@cache
def _arms(*of: str, unblinded: bool, count: bool) -> AnySelect:
    """Select the arms of the project, of its study or of the studies of animals where `of` names them; put together once."""
    statement = (
        select(Arm.id, Arm.study_id, Study.code.label("study"), Study.blinded, Arm.blind_code, Arm.role, Arm.target_n)
        .add_columns(shown_arm(unblinded=unblinded, column="code").label("code"), shown_arm(unblinded=unblinded).label("title"))
        .join(Study, Study.id == Arm.study_id)
        .where(Study.project_id == bindparam("project_id"), Arm.status == RecordStatus.ACTIVE)
        .order_by(Study.code, Arm.study_id, *shown_order(unblinded=unblinded))
    )
    if "study_id" in of:
        statement = statement.where(Arm.study_id == bindparam("study_id"))
    if "animals" in of:
        of_animals = Enrolment.animal_id.in_(bindparam("animals", expanding=True)), Enrolment.status == RecordStatus.ACTIVE
        statement = statement.where(Arm.study_id.in_(select(Enrolment.study_id).where(*of_animals)))
    return _counted(statement) if count else statement.add_columns(*(literal(0).label(name) for name in _COUNTS))


_COUNTS = ("enrolled", "at_risk", "excluded")


def _counted(statement: AnySelect) -> AnySelect:
    out = Enrolment.excluded_on.is_not(None)
    living = case((Animal.state == AnimalStatus.DEAD, None), (out, None), else_=Animal.id)
    counts = (func.count(Animal.id), func.count(living), func.count(case((out, Animal.id))))
    return (
        statement.add_columns(*(count.label(name) for name, count in zip(_COUNTS, counts, strict=True)))
        .outerjoin(Enrolment, (Enrolment.arm_id == Arm.id) & (Enrolment.status == RecordStatus.ACTIVE))
        .outerjoin(Animal, Animal.id == Enrolment.animal_id)
        .group_by(Arm.id, Study.id)
    )


def _with_colours(rows: Sequence[Row[Any]], *, hidden: bool) -> list[ArmOfStudy]:
    titles = [row.title for row in rows]
    names = [row.title if titles.count(row.title) == 1 else f"{row.title} ({row.code})" for row in rows]
    roles = [ArmRole.NOT_RECORDED if hidden else row.role for row in rows]
    styles = arm_styles(list(zip(names, roles, strict=True)))
    return [
        ArmOfStudy(
            id=row.id,
            key=f"{row.study}.{row.blind_code}" if hidden else str(row.id),
            study_id=row.study_id,
            study=row.study,
            code=row.code,
            title=row.title,
            name=name,
            role=role,
            slot=styles[name].slot,
            target_n=row.target_n,
            enrolled=row.enrolled,
            at_risk=row.at_risk,
            excluded=row.excluded,
            hidden=hidden,
        )
        for name, role, row in zip(names, roles, rows, strict=True)
    ]


@lru_cache(maxsize=64)
def study_files(study_id: int) -> AnySelect:
    """Select the batches that brought counted readings of the study's animals, latest first."""
    counts = select(Measurement.batch_id.label("batch_id"), func.count().label("readings"))
    brought = of_study(counts, study_id).where(Measurement.batch_id.is_not(None)).group_by(Measurement.batch_id).subquery()
    return (
        select(
            ImportBatch.id.label("id"),
            ImportBatch.file_name.label("file_name"),
            ImportBatch.importer.label("importer"),
            ImportBatch.state.label("state"),
            ImportBatch.committed_at.label("committed_at"),
            User.name.label("committed_by"),
            brought.c.readings.label("readings"),
        )
        .join(brought, brought.c.batch_id == ImportBatch.id)
        .outerjoin(User, User.id == ImportBatch.committed_by_id)
    )
