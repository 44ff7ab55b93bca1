"""Records the demo's studies: arms, animals, implants, who is in which arm, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.db import Database
from lims.demo.cohorts import WEIGHT_LOSS_LIMIT, Cohort, Mouse
from lims.demo.lineages import Passages, surgery
from lims.demo.people import Staff
from lims.domain.cohort_terms import FateReason
from lims.domain.colony_terms import Engraftment
from lims.domain.vocabulary import AnimalStatus, Sex, StudyKind, StudyStatus
from lims.models import Animal, AnimalProtocol, Implant, Study
from lims.records.colony import ANIMAL, CAGE
from lims.records.fates import record_fates as record_fates_of
from lims.records.implants import IMPLANT
from lims.records.nouns import change, record
from lims.records.studies import ARM, STUDY, enrol

AGE_AT_IMPLANTATION = timedelta(weeks=8)
ACCLIMATISATION = timedelta(days=10)
METHOD = "CO₂, then cervical dislocation"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A cohort with its study's id and its animals' ids by code."""

    cohort: Cohort
    study: int
    animals: Mapping[str, int]


def add_cohort(database: Database, staff: Staff, cohort: Cohort, passages: Passages) -> Recorded:
    """Record a cohort as it stands on the day of randomisation: the animals by the technician, the design by the director."""
    with database.transaction() as session:
        cages = _cages(session, staff.technician, staff.project, cohort)
        mice = [_animal(cohort, mouse, cages, passages.protocol) for mouse in cohort.mice]
        animals = record(session, staff.technician, ANIMAL, staff.project, mice)
    with database.transaction() as session:
        _implant(session, staff.scientist, staff.project, cohort, animals, passages)
    with database.transaction() as session:
        study = _design(session, staff.director, staff.project, cohort)
    ids = {animal.code: animal.id for animal in animals}
    with database.transaction() as session:
        _randomise(session, staff.director, session.get_one(Study, study), cohort, ids)
    return Recorded(cohort, study, ids)


def _cages(session: Session, actor: Actor, project: int, cohort: Cohort) -> dict[str, int]:
    """Record the cohort's cages in a rack of its own, from the top left on."""
    codes = sorted({mouse.cage for mouse in cohort.mice})
    rows = [
        {"code": code, "rack": f"RACK-{cohort.plan.prefix}-{code[:3]}", "rack_row": number // 5 + 1, "rack_column": number % 5 + 1}
        for number, code in enumerate(codes)
    ]
    return {cage.code: cage.id for cage in record(session, actor, CAGE, project, rows)}


def _animal(cohort: Cohort, mouse: Mouse, cages: Mapping[str, int], protocol: AnimalProtocol) -> dict[str, Any]:
    return {
        "code": mouse.code,
        "sex": Sex.FEMALE,
        "birth_date": cohort.implanted_on - AGE_AT_IMPLANTATION,
        "strain": cohort.plan.strain,
        "cage_id": cages[mouse.cage],
        "protocol_id": protocol.id,
        "ear_tag": mouse.code.rpartition("-")[2],
        "source": "synthetic",
        "arrived_on": cohort.implanted_on - ACCLIMATISATION,
        "state": AnimalStatus.ALIVE,
    }


def _implant(
    session: Session, actor: Actor, project: int, cohort: Cohort, animals: Sequence[Animal], passages: Passages
) -> list[Implant]:
    plan = cohort.plan
    same = surgery(plan.site, passages.models[plan.model], passages.vials[plan.model], cohort.implanted_on)
    engrafted = {"engraftment": Engraftment.ENGRAFTED, "engrafted_on": cohort.day_zero - timedelta(days=4)}
    return record(session, actor, IMPLANT, project, [{"animal_id": animal.id, **same, **engrafted} for animal in animals])


def _design(session: Session, actor: Actor, project: int, cohort: Cohort) -> int:
    plan = cohort.plan
    design = {
        "code": plan.code,
        "title": plan.title,
        "hypothesis": plan.hypothesis,
        "kind": StudyKind.EFFICACY,
        "state": StudyStatus.ACTIVE,
        "primary_outcome": _outcome(cohort),
        "day_zero_on": cohort.day_zero,
        "weight_loss_limit_percent": WEIGHT_LOSS_LIMIT,
    }
    (study,) = record(session, actor, STUDY, project, [design], reason="synthetic data for the demo")
    arms = [{"study_id": study.id, "code": a.code, "title": a.title, "role": a.role, "target_n": a.n} for a in plan.arms]
    record(session, actor, ARM, project, arms)
    return study.id


def _outcome(cohort: Cohort) -> str:
    if cohort.plan.brain:
        return "Growth rate of total flux from randomisation; survival to 20 % loss of body weight"
    return "Growth rate of tumour volume from randomisation"


def _randomise(session: Session, actor: Actor, study: Study, cohort: Cohort, ids: Mapping[str, int]) -> None:
    arms = {arm.code: arm.id for arm in study.arms}
    new = [
        {"arm_id": arms[mouse.arm], "animal_id": ids[mouse.code], "enrolled_on": cohort.day_zero}
        for mouse in cohort.enrolled()
        if mouse.arm
    ]
    enrol(session, actor, study, new, reason="randomised in blocks on the baseline")


def record_fates(database: Database, staff: Staff, recorded: Recorded) -> None:
    """Record the deaths of a cohort: each endpoint by the technician, the survivors of a closed study by the director."""
    cohort = recorded.cohort
    early = [mouse for mouse in cohort.mice if mouse.died is not None]
    for mouse in sorted(early, key=lambda one: (one.died, one.code)):
        on = cohort.on(mouse.died or 0)
        reason = FateReason.WEIGHT_ENDPOINT if cohort.plan.brain else FateReason.TUMOUR_BURDEN
        row = {"animal_id": recorded.animals[mouse.code], "died_on": on, "reason": reason, "method": METHOD, "note": mouse.reason}
        with database.transaction() as session:
            record_fates_of(session, staff.technician, staff.project, [row])
    if cohort.plan.state is not StudyStatus.CLOSED:
        return
    end = cohort.on(cohort.plan.last_day + 1)
    same = {"died_on": end, "reason": FateReason.SCHEDULED, "method": METHOD, "note": "end of the study, tissue harvested"}
    left = [{"animal_id": recorded.animals[mouse.code], **same} for mouse in cohort.mice if mouse.died is None]
    with database.transaction() as session:
        record_fates_of(session, staff.director, staff.project, left)
    with database.transaction() as session:
        study = session.scalars(select(Study).where(Study.id == recorded.study)).one()
        fields = {"state": StudyStatus.CLOSED}
        change(session, staff.director, STUDY, study, version=study.version, reason="last animal left the study", fields=fields)
