"""Writes studies, arms and enrolments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.blinding import new_blind_codes
from lims.domain.cohort_terms import USUAL_EVENTS
from lims.domain.errors import DomainError
from lims.domain.identifiers import clean_identifier
from lims.domain.vocabulary import ArmRole, DayZero, RecordStatus, StudyKind, StudyStatus
from lims.models import Arm, Enrolment, Study
from lims.queries.chunks import in_chunks
from lims.records.accounts import clean_name, require_reason
from lims.records.common import add_or_reinstate
from lims.records.versions import check_version


@dataclass(frozen=True, slots=True)
class NewStudy:
    """A study to record."""

    code: str
    title: str
    hypothesis: str | None = None
    kind: StudyKind = StudyKind.EFFICACY
    state: StudyStatus = StudyStatus.DRAFT
    primary_outcome: str | None = None
    day_zero: DayZero = DayZero.RANDOMISATION
    day_zero_on: date | None = None
    weight_loss_limit_percent: float | None = None


@dataclass(frozen=True, slots=True)
class NewArm:
    """An arm to add to a study; its place in the list gives its colour."""

    code: str
    title: str
    role: ArmRole = ArmRole.NOT_RECORDED
    target_n: int | None = None


@dataclass(frozen=True, slots=True)
class NewEnrolment:
    """An animal to put in an arm."""

    arm_id: int
    animal_id: int
    enrolled_on: date | None = None
    day_zero_on: date | None = None


def add_study(session: Session, actor: Actor, project_id: int, new: NewStudy, *, reason: str = "") -> Study:
    """Record a study.

    Raises:
        DomainError: the code is taken by another study of the project.
    """
    declare(session, actor, "study:create", reason=reason, project=project_id)
    code = clean_identifier(new.code, what="study code")
    known = session.scalar(select(Study).where(Study.project_id == project_id, Study.code == code))
    if known is not None and known.status is RecordStatus.ACTIVE:
        raise DomainError(f'Study "{code}" exists already.', field="code", expected="a code no other study of the project has")
    values = {
        "project_id": project_id,
        "code": code,
        "title": clean_name(new.title.strip() or code, field="title"),
        "hypothesis": new.hypothesis,
        "kind": new.kind,
        "state": new.state,
        "primary_outcome": new.primary_outcome,
        "day_zero": new.day_zero,
        "day_zero_on": new.day_zero_on,
        "weight_loss_limit_percent": new.weight_loss_limit_percent,
        "event_reasons": [reason.value for reason in USUAL_EVENTS],
    }
    return add_or_reinstate(session, {code: known} if known else {}, [(code, values)], Study)[0]


CHANGEABLE = frozenset(
    {
        "title",
        "hypothesis",
        "kind",
        "state",
        "primary_outcome",
        "day_zero",
        "day_zero_on",
        "weight_loss_limit_percent",
    }
)
"""Fields of a study that `change_study` takes. A code is never changed: files and labels carry it."""


def change_study(
    session: Session, actor: Actor, study: Study, *, version: int, reason: str, **fields: Any
) -> dict[str, tuple[Any, Any]]:
    """Change fields of a study, by the names in `CHANGEABLE`; gives `{field: (old, new)}` for those that differ.

    `version` is the version of the study that the person was shown.

    Raises:
        DomainError: no reason is given, nothing differs, or the study is locked.
        Conflict: somebody else changed the study after the person opened it.
    """
    declare(session, actor, "study:change", reason=require_reason(reason), project=study.project_id)
    check_version(study, version)
    if study.state is StudyStatus.LOCKED:
        raise DomainError(f"Study {study.code} is locked by a signature.", expected="a study that is draft, active or closed")
    unknown = sorted(fields.keys() - CHANGEABLE)
    if unknown:
        raise TypeError(f"not changeable: {', '.join(unknown)}")
    if "title" in fields:
        fields["title"] = clean_name(fields["title"], field="title")
    changed = {name: (getattr(study, name), new) for name, new in fields.items() if getattr(study, name) != new}
    if not changed:
        raise DomainError("Nothing differs from what is recorded.", remedy="Change a field, or leave the page.")
    for name, (_, new) in changed.items():
        setattr(study, name, new)
    session.flush()
    return changed


def add_arms(session: Session, actor: Actor, study: Study, arms: Sequence[NewArm], *, reason: str = "") -> list[Arm]:
    """Add arms behind those that the study has."""
    declare(session, actor, "arm:create", reason=reason, project=study.project_id)
    existing = {arm.code: arm for arm in session.scalars(select(Arm).where(Arm.study_id == study.id))}
    position = max((arm.position for arm in existing.values()), default=-1) + 1
    blind = new_blind_codes({arm.blind_code for arm in existing.values()})
    wanted = []
    for one in arms:
        code = clean_identifier(one.code, what="arm code")
        values = {"project_id": study.project_id, "study_id": study.id, "code": code, "title": one.title, "role": one.role}
        if code not in existing:
            values["position"], position = position, position + 1
            values["blind_code"] = next(blind)
        wanted.append((code, values | {"target_n": one.target_n}))
    return add_or_reinstate(session, existing, wanted, Arm)


def enrol(session: Session, actor: Actor, study: Study, enrolments: Sequence[NewEnrolment], *, reason: str = "") -> list[Enrolment]:
    """Put animals in arms of a study.

    Raises:
        DomainError: an animal is in another arm of this study already.
    """
    declare(session, actor, "enrolment:create", reason=reason, project=study.project_id)
    animals = [one.animal_id for one in enrolments]
    known = in_chunks(
        session, animals, lambda some: select(Enrolment).where(Enrolment.study_id == study.id, Enrolment.animal_id.in_(some))
    )
    existing = {enrolment.animal_id: enrolment for (enrolment,) in known}
    for one in enrolments:
        other = existing.get(one.animal_id)
        if other is not None and other.status is RecordStatus.ACTIVE and other.arm_id != one.arm_id:
            raise DomainError(
                f'Animal {other.animal.code} is in arm "{other.arm.title}" of study {study.code} already.',
                field="arm",
                expected="one arm of a study for each animal",
            )
    wanted = [
        (
            one.animal_id,
            {
                "project_id": study.project_id,
                "study_id": study.id,
                "arm_id": one.arm_id,
                "animal_id": one.animal_id,
                "enrolled_on": one.enrolled_on,
                "day_zero_on": one.day_zero_on,
            },
        )
        for one in enrolments
    ]
    return add_or_reinstate(session, existing, wanted, Enrolment)
