"""Records the demo's studies: animals, implants, design, randomisation, and what became of everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.db import Database
from lims.demo.cohorts import METHOD, WEIGHT_LOSS_LIMIT, Cohort, Mouse
from lims.demo.desk import DemoIncomplete
from lims.demo.hands import Hands
from lims.demo.lineages import Passages, surgery
from lims.demo.people import Staff
from lims.demo.pharmacy import Pharmacy, prescribe
from lims.domain.cohort_terms import FateReason
from lims.domain.colony_terms import Engraftment
from lims.domain.signatures import SignatureMeaning
from lims.domain.vocabulary import KIND_BY_CODE, AnimalStatus, Sex, StudyKind, StudyStatus
from lims.models import Animal, AnimalProtocol, Enrolment, Implant, Study
from lims.queries.signed import Content, digest
from lims.records.colony import ANIMAL, CAGE
from lims.records.fates import record_fates
from lims.records.implants import IMPLANT
from lims.records.nouns import change, record
from lims.records.randomisations import Wish, randomise
from lims.records.signatures import Said, countersign, lock
from lims.records.studies import ARM, ENROLMENT, STUDY, blind

AGE_AT_IMPLANTATION = timedelta(weeks=8)
ACCLIMATISATION = timedelta(days=10)
EUTHANASIA = "CO₂, then cervical dislocation"
NO_TAKE = "no tumour on the day of randomisation"
EXCLUDED_DAY = 28


@dataclass(frozen=True, slots=True)
class Recorded:
    """A cohort with its study's id, and the ids of its animals and their tumours by the animal's code."""

    cohort: Cohort
    study: int
    animals: Mapping[str, int]
    tumours: Mapping[str, int]


def add_cohort(database: Database, staff: Staff, cohort: Cohort, passages: Passages, pharmacy: Pharmacy) -> Recorded:
    """Record a cohort before its randomisation: the animals by the technician, the design with what is given by the director."""
    with database.transaction() as session:
        cages = _cages(session, staff.technician, staff.project, cohort)
        mice = [_animal(cohort, mouse, cages, passages.protocol) for mouse in cohort.mice]
        animals = record(session, staff.technician, ANIMAL, staff.project, mice)
    with database.transaction() as session:
        implants = _implant(session, staff.scientist, staff.project, cohort, animals, passages)
    director = Hands(database, staff.director, staff.project)
    (study,) = director.record(STUDY, _design(cohort), reason="synthetic data for the demo")
    arms = [{"study_id": study.id, "code": a.code, "title": a.title, "role": a.role, "target_n": a.n} for a in cohort.plan.arms]
    prescribe(director, pharmacy, director.record(ARM, *arms), masked=cohort.plan.blinded)
    tumours = {animal.code: implant.id for animal, implant in zip(animals, implants, strict=True)}
    return Recorded(cohort, study.id, {animal.code: animal.id for animal in animals}, tumours)


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


def _design(cohort: Cohort) -> dict[str, Any]:
    plan = cohort.plan
    return {
        "code": plan.code,
        "title": plan.title,
        "hypothesis": plan.hypothesis,
        "kind": StudyKind.EFFICACY,
        "state": StudyStatus.DRAFT,
        "primary_outcome": _outcome(cohort),
        "experimental_unit": "the animal",
        "sample_size_reasoning": "to see a difference of a third in growth rate with 80 % power (two-sided 5 %)",
        "inclusion_criteria": "a tumour that is measured on the day of randomisation",
        "exclusion_criteria": "no tumour on that day; tumour outside its site at necropsy",
        "blinding": "whoever measures and weighs sees codes; the director knows the arms",
        "statistical_methods": "growth rates by arm; survival by Kaplan-Meier and log-rank",
        "day_zero_on": cohort.day_zero,
        "weight_loss_limit_percent": WEIGHT_LOSS_LIMIT,
    }


def _outcome(cohort: Cohort) -> str:
    if cohort.plan.brain:
        return "Growth rate of total flux from randomisation; survival to 20 % loss of body weight"
    return "Growth rate of tumour volume from randomisation"


def begin(database: Database, staff: Staff, recorded: Recorded) -> None:
    """Randomise on what was measured on day 0, blind where that is planned, and activate the study.

    Raises:
        DemoIncomplete: chance did not put the animals where the generator has them.
    """
    plan, director = recorded.cohort.plan, staff.director
    with database.transaction() as session:
        study = session.get_one(Study, recorded.study)
        run = randomise(session, director, study, _wish(recorded))
        arms = {arm.id: arm.code for arm in study.arms}
        drawn = {one.animal_id: arms.get(one.arm_id or 0) for one in run.allocations}
        if drawn != {recorded.animals[mouse.code]: mouse.arm for mouse in recorded.cohort.mice}:
            raise DemoIncomplete(f"The randomisation of {plan.code} is not that of the generator.")
        if plan.blinded:
            blind(session, director, study, version=study.version, reason="readers and carers do not know the treatment")
    with database.transaction() as session:
        study = session.get_one(Study, recorded.study)
        fields = {"state": StudyStatus.ACTIVE}
        change(session, director, STUDY, study, version=study.version, reason="randomised, first doses today", fields=fields)


def _wish(recorded: Recorded) -> Wish:
    cohort = recorded.cohort
    kind = KIND_BY_CODE["bli_total_flux" if cohort.plan.brain else "caliper_volume"]
    return Wish(
        method=METHOD,
        animals=[recorded.animals[mouse.code] for mouse in cohort.enrolled()],
        left_out={recorded.animals[mouse.code]: NO_TAKE for mouse in cohort.mice if mouse.arm is None},
        kind=kind,
        baseline_on=cohort.day_zero,
        seed=cohort.plan.seed,
        on=cohort.day_zero,
    )


def leave(database: Database, staff: Staff, recorded: Recorded) -> None:
    """Record what became of a cohort: each early death by the technician, the survivors of a finished study by the director.

    Of the running study those that reached an endpoint today are not answered yet.
    """
    cohort = recorded.cohort
    running = cohort.plan.state is not StudyStatus.CLOSED
    early = [
        mouse for mouse in cohort.enrolled() if mouse.died is not None and not (running and mouse.died == cohort.plan.last_day)
    ]
    rows = [
        {"animal_id": recorded.animals[mouse.code], "died_on": cohort.on(mouse.died), "reason": mouse.fate, "note": mouse.reason}
        for mouse in sorted(early, key=lambda one: (one.died, one.code))
        if mouse.died is not None
    ]
    with database.transaction() as session:
        record_fates(session, staff.technician, staff.project, [{**row, "method": EUTHANASIA} for row in rows])
    if running:
        return
    end = cohort.on(cohort.plan.last_day + 1)
    same = {"died_on": end, "reason": FateReason.SCHEDULED, "method": EUTHANASIA, "note": "end of the study, tissue harvested"}
    left = [{"animal_id": recorded.animals[mouse.code], **same} for mouse in cohort.mice if mouse.died is None]
    with database.transaction() as session:
        record_fates(session, staff.director, staff.project, left)


def exclude(database: Database, staff: Staff, recorded: Recorded) -> None:
    """Leave an animal of the study in the brain out of analysis, with the reason."""
    mouse = [one for one in recorded.cohort.enrolled() if one.arm == "VEH"][-1]
    found = select(Enrolment).where(Enrolment.study_id == recorded.study, Enrolment.animal_id == recorded.animals[mouse.code])
    why = "tumour grew through the burr hole, outside the brain"
    with database.transaction() as session:
        enrolment = session.scalars(found).one()
        fields = {"excluded_on": recorded.cohort.on(EXCLUDED_DAY), "exclusion_reason": why}
        change(session, staff.director, ENROLMENT, enrolment, version=enrolment.version, reason=f"excluded: {why}", fields=fields)


def close(database: Database, staff: Staff, recorded: Recorded) -> None:
    """Close a finished study."""
    with database.transaction() as session:
        study = session.get_one(Study, recorded.study)
        fields = {"state": StudyStatus.CLOSED}
        change(session, staff.director, STUDY, study, version=study.version, reason="last animal left the study", fields=fields)


def sign(database: Database, staff: Staff, recorded: Recorded) -> None:
    """Lock a closed study by the director's signature, and let the scientist sign beside it."""
    with database.transaction() as session:
        study = session.get_one(Study, recorded.study)
        said = Said(SignatureMeaning.APPROVED, "every reading compared with its file; the result is final")
        seen = digest(Content(session, study.id).told())
        lock(session, staff.director, study, said, version=study.version, seen=seen)
    with database.transaction() as session:
        said = Said(SignatureMeaning.REVIEWED, "analysis repeated from the exported tables")
        countersign(session, staff.scientist, session.get_one(Study, recorded.study), said, seen=seen)
