"""Writes studies, arms and enrolments, and what a study's state, its arms and an animal's life allow (ARRIVE 2.0 items 1 to 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.audit.record import Actor, declare
from lims.audit.words import field_word
from lims.domain.blinding import arm_word, new_blind_codes
from lims.domain.errors import Conflict, DomainError
from lims.domain.events_order import Fact, Life, require_enrolment, require_order
from lims.domain.notices import Notice
from lims.domain.studies import (
    ARRIVE,
    amended,
    doubt_enrolled,
    doubt_own_zero,
    missing_items,
    require_activation,
    require_changeable,
    require_enrolling,
    require_event_reasons,
    require_room_in_arm,
    require_step,
    require_unlocked,
)
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Animal, Arm, Dose, Enrolment, Fate, Measurement, Randomisation, Regimen, Study
from lims.queries.chunks import by_id, in_chunks
from lims.queries.colony import living
from lims.queries.implants import first_implanted
from lims.records.accounts import require_reason
from lims.records.noun import Draft, Noun, judge_each
from lims.records.nouns import apply, begin_change, record
from lims.records.values import today
from lims.records.versions import check_version

NAMED = 5
"""Animals that a sentence names; more are counted."""


def _count_by(session: Session, column: InstrumentedAttribute[int], keys: Iterable[int]) -> Counter[int]:
    """Count the active records that refer to each of the keys."""
    rows = in_chunks(
        session,
        sorted(set(keys)),
        lambda some: (
            select(column, func.count()).where(column.in_(some), column.class_.status == RecordStatus.ACTIVE).group_by(column)
        ),
    )
    return Counter(dict(rows))


# Studies


def _check_studies(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a state out of turn, a beginning without arm, outcome or event rule, and changes of what is over."""
    begun = [draft.record.id for draft in drafts if not draft.comes and draft.changes("state")]
    arms = _count_by(session, Arm.study_id, begun)
    for draft in drafts:
        values, was = draft.values, draft.record
        values["event_reasons"] = require_event_reasons(values["event_reasons"])
        if draft.comes:
            # What a file brings of a study that runs, or ran, begins as active: its animals are in it already.
            if draft.changes("state") and values["state"] not in (StudyStatus.DRAFT, StudyStatus.ACTIVE):
                require_step(values["code"], StudyStatus.DRAFT, values["state"])
            continue
        require_changeable(values["code"], was.state, [name for name in STUDY_FIELDS - {"state"} if draft.changes(name)])
        if draft.changes("state"):
            require_step(values["code"], was.state, values["state"])
            if was.state is StudyStatus.DRAFT:
                require_activation(values["code"], values, arms[was.id])


def _doubt_studies(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt a beginning with gaps in what ARRIVE asks, an end while animals live, and amendments of what was planned."""
    _check_studies(session, project_id, drafts)  # what is refused anyway is not asked about
    notices: list[Notice] = []
    for draft in drafts:
        values, was = draft.values, draft.record
        if was is None:
            continue
        if draft.changes("state") and was.state is StudyStatus.DRAFT:
            notices += [
                Notice("warning", item.column, f"The study does not say {item.what}.", source=item.source)
                for item in missing_items(values)
            ]
        if draft.changes("state") and values["state"] is StudyStatus.CLOSED:
            notices += _still_living(session, was)
        notices += [
            Notice(
                "warning",
                name,
                f"The {field_word('study', name)} was planned before the study began; changing it now is an amendment.",
                source=f"{ARRIVE}, item 19",
            )
            for name in amended(was.state, {name: getattr(was, name) for name in values}, values)
        ]
    return notices


def _still_living(session: Session, study: Study) -> list[Notice]:
    fate = select(Fate.id).where(Fate.animal_id == Animal.id, Fate.status == RecordStatus.ACTIVE)
    codes = session.scalars(
        select(Animal.code)
        .join(Enrolment, Enrolment.animal_id == Animal.id)
        .where(Enrolment.study_id == study.id, Enrolment.status == RecordStatus.ACTIVE, *living(), ~fate.exists())
        .order_by(Animal.code)
    ).all()
    if not codes:
        return []
    named = ", ".join(codes[:NAMED]) + (f" and {len(codes) - NAMED} more" if len(codes) > NAMED else "")
    told = f"{len(codes)} animal{'s' if len(codes) > 1 else ''} of the study live{'' if len(codes) > 1 else 's'} without a fate"
    return [Notice("warning", "state", f"{told}: {named}.", "a fate for every animal, scheduled ones too")]


def _stay_study(session: Session, study: Study) -> None:
    require_unlocked(study.code, study.state)


STUDY: Noun[Study] = Noun(
    "study",
    Study,
    check=_check_studies,
    doubt=_doubt_studies,
    stay=_stay_study,
    fixed=frozenset({"code"}),
    derived=frozenset({"blinded"}),
    future=frozenset({"day_zero_on"}),
    dependents=tuple((model, "study_id") for model in (Arm, Enrolment, Randomisation, Measurement, Dose)),
)
STUDY_FIELDS = STUDY.columns | STUDY.derived


def blind(session: Session, actor: Actor, study: Study, *, version: int, reason: str) -> None:
    """Hide from now on which arm is which from everybody who may not unblind (ARRIVE 2.0 item 5).

    Raises:
        DomainError: no reason is given, it is blinded already, or the study is over.
    """
    begin_change(session, actor, STUDY, study, version=version, reason=reason)
    require_enrolling(study.code, study.state)
    _turn(session, study, to=True)


def unblind(session: Session, actor: Actor, study: Study, *, version: int, reason: str) -> None:
    """Show to everybody from now on which arm is which. It is a change of the study, in whatever state it is.

    Raises:
        DomainError: no reason is given, or the study is not blinded.
    """
    declare(session, actor, "study:unblind", reason=require_reason(reason), project=study.project_id)
    check_version(study, version)
    _turn(session, study, to=False)


def _turn(session: Session, study: Study, *, to: bool) -> None:
    if study.blinded is to:
        raise DomainError(f"Study {study.code} is {'blinded already' if to else 'not blinded'}.", field="blinded")
    apply(session, STUDY, study, {"blinded": to})


# Arms


def _check_arms(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse arms of a study that is over, two of one title, and fewer animals than are in it; give place and blinded code."""
    keys = {draft.values["study_id"] for draft in drafts}
    studies = by_id(session, Study, keys)
    standing = [arm for (arm,) in in_chunks(session, sorted(keys), lambda some: select(Arm).where(Arm.study_id.in_(some)))]
    enrolled = _count_by(session, Enrolment.arm_id, (draft.record.id for draft in drafts if draft.record))
    for key, study in studies.items():
        own = [draft for draft in drafts if draft.values["study_id"] == key]
        of_study = [arm for arm in standing if arm.study_id == key]
        require_enrolling(study.code, study.state)
        _require_titles(study, own, of_study)
        _place(own, of_study)

    def judge(draft: Draft) -> None:
        target, inside = draft.values["target_n"], enrolled[draft.record.id] if draft.record else 0
        if target is not None and target < inside:
            raise DomainError(
                f"{inside} animals are in this arm already, so it cannot be planned for {target}.",
                field="target_n",
                expected=f"{inside} or more",
                remedy="Withdraw enrolments first, or plan for those that are in it.",
                source=f"{ARRIVE}, item 2a",
            )

    judge_each(drafts, judge)


def _require_titles(study: Study, drafts: Sequence[Draft], standing: Sequence[Arm]) -> None:
    """Two arms of one title could not be told apart on a plot."""
    judged = {draft.record.id for draft in drafts if draft.record}
    taken = {arm.title for arm in standing if arm.id not in judged and arm.status is RecordStatus.ACTIVE}
    for draft in drafts:
        title = draft.values["title"]
        if title in taken:
            raise DomainError(
                f'Study {study.code} has an arm called "{title}" already.',
                field="title",
                expected="a title that no other arm of the study has",
            )
        taken.add(title)


def _place(drafts: Sequence[Draft], standing: Sequence[Arm]) -> None:
    """Put new arms behind those that the study has, and draw their blinded codes by chance."""
    position = max((arm.position for arm in standing), default=-1)
    codes = new_blind_codes({arm.blind_code for arm in standing})
    for draft in drafts:
        if draft.record is None:
            position += 1
            draft.values |= {"position": position, "blind_code": next(codes)}


def _doubt_arms(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt an arm that comes when the study runs already: nobody was allocated to it."""
    late = [draft for draft in drafts if draft.comes]
    studies = by_id(session, Study, (draft.values["study_id"] for draft in late))
    told = "Study {} is active: an arm that is added now had no part in its randomisation."
    return [
        Notice("warning", "study_id", told.format(study.code), "arms that are planned in the draft", f"{ARRIVE}, item 4a")
        for study in studies.values()
        if study.state is StudyStatus.ACTIVE
    ]


def _stay_in_study(session: Session, left: Arm | Enrolment) -> None:
    study = session.get_one(Study, left.study_id)
    require_enrolling(study.code, study.state)


ARM: Noun[Arm] = Noun(
    "arm",
    Arm,
    check=_check_arms,
    doubt=_doubt_arms,
    stay=_stay_in_study,
    fixed=frozenset({"study_id", "code"}),
    derived=frozenset({"position", "blind_code"}),
    key=("study_id", "code"),
    dependents=((Enrolment, "arm_id"), (Regimen, "arm_id")),
)


# Enrolments


def _check_enrolments(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse animals in a study that is over or in a full arm, outside their life, and another arm without a withdrawal."""
    studies = by_id(session, Study, (draft.values["study_id"] for draft in drafts))
    arms = by_id(session, Arm, (draft.values["arm_id"] for draft in drafts))
    animals = by_id(session, Animal, (draft.values["animal_id"] for draft in drafts))
    implanted = first_implanted(session, sorted(animals))
    now = today(session)
    for study in studies.values():
        require_enrolling(study.code, study.state)

    def judge(draft: Draft) -> None:
        values = draft.values
        animal = animals[values["animal_id"]]
        _check_arm(draft, animal, studies[values["study_id"]], arms[values["arm_id"]])
        life = Life(animal.code, animal.birth_date, animal.arrived_on, animal.died_on)
        if draft.changes("enrolled_on"):
            require_enrolment(values["enrolled_on"], implanted.get(animal.id), life, now)
        _check_exclusion(draft, animal)

    judge_each(drafts, judge)
    coming = Counter(draft.values["arm_id"] for draft in drafts if draft.comes)
    enrolled = _count_by(session, Enrolment.arm_id, coming)
    for key, number in coming.items():
        arm, study = arms[key], studies[arms[key].study_id]
        name = arm_word(arm.title, arm.blind_code, blinded=study.blinded)
        require_room_in_arm(name, study.code, arm.target_n, enrolled[key], number)


def _check_arm(draft: Draft, animal: Animal, study: Study, arm: Arm) -> None:
    was = draft.record
    if arm.study_id != study.id:
        raise DomainError(f"This arm is none of study {study.code}.", field="arm_id", expected=f"an arm of study {study.code}")
    if was is None or not draft.changes("arm_id"):
        return
    if was.status is RecordStatus.ACTIVE:
        raise DomainError(
            f"Animal {animal.code} does not change its arm of study {study.code}: its readings would change sides with it.",
            field="arm_id",
            expected="the arm it was put in",
            remedy="Withdraw this enrolment with the reason, then enrol the animal in the other arm.",
            source=f"{ARRIVE}, item 4",
        )
    if not draft.changes("excluded_on"):  # it comes back to another arm: what was excluded there is not excluded here
        draft.values |= {"excluded_on": None, "exclusion_reason": None}


def _check_exclusion(draft: Draft, animal: Animal) -> None:
    on, why = draft.values["excluded_on"], draft.values["exclusion_reason"]
    if (on is None) != (why is None):
        raise DomainError(
            "An exclusion has a date and a reason.",
            field="excluded_on" if on is None else "exclusion_reason",
            expected="both, or neither",
            source=f"{ARRIVE}, item 3b",
        )
    enrolled = Fact(f"the enrolment of {animal.code}", draft.values["enrolled_on"])
    require_order(enrolled, Fact(f"the exclusion of {animal.code}", on), field="excluded_on")


def _doubt_enrolments(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt an animal that is dead on a day that was not recorded, and days that contradict doses which were given."""
    coming = by_id(session, Animal, (draft.values["animal_id"] for draft in drafts if draft.comes))
    dead = sorted(one.code for one in coming.values() if one.state is AnimalStatus.DEAD and one.died_on is None)
    notices = [Notice("warning", "animal_id", f"Animal {code} is dead, on a day that is not recorded.") for code in dead]
    return notices + [notice for draft in drafts if not draft.comes for notice in _doubt_days(session, draft)]


def _doubt_days(session: Session, draft: Draft) -> Iterator[Notice]:
    """Doubt an enrolment that moves behind the first dose, and a day 0 that moves away from doses that were planned by it."""
    was: Enrolment = draft.record
    if not draft.changes("enrolled_on", "day_zero_on"):
        return
    recorded = select(func.count(), func.min(Dose.given_on)).where(
        Dose.animal_id == was.animal_id, Dose.study_id == was.study_id, Dose.status == RecordStatus.ACTIVE
    )
    doses, first = session.execute(recorded).one()
    if draft.changes("enrolled_on"):
        yield from doubt_enrolled(was.animal.code, draft.values["enrolled_on"], first)
    if draft.changes("day_zero_on"):
        yield from doubt_own_zero(was.animal.code, doses)


def _stay_enrolled(session: Session, enrolment: Enrolment) -> None:
    _stay_in_study(session, enrolment)
    given = select(func.count()).where(
        Dose.animal_id == enrolment.animal_id, Dose.study_id == enrolment.study_id, Dose.status == RecordStatus.ACTIVE
    )
    if doses := session.scalar(given):
        raise Conflict(
            f"{doses} dose{'s' if doses > 1 else ''} of this study are recorded of the animal.",
            remedy="Withdraw them first, or exclude the animal from analysis: its data stay then.",
        )


ENROLMENT: Noun[Enrolment] = Noun(
    "enrolment",
    Enrolment,
    check=_check_enrolments,
    doubt=_doubt_enrolments,
    stay=_stay_enrolled,
    fixed=frozenset({"study_id", "animal_id"}),
    key=("animal_id", "study_id"),
)


def enrol(session: Session, actor: Actor, study: Study, rows: Sequence[Mapping[str, Any]], *, reason: str = "") -> list[Enrolment]:
    """Put animals in arms of a study: rows of `ENROLMENT` without the study.

    Raises:
        DomainError: an animal is in this study already, or a rule refuses.
    """
    declare(session, actor, "enrolment:create", reason=reason, project=study.project_id)
    _refuse_twice(session, study, [row["animal_id"] for row in rows])
    return record(session, actor, ENROLMENT, study.project_id, [{**row, "study_id": study.id} for row in rows], reason=reason)


def _refuse_twice(session: Session, study: Study, animals: Sequence[int]) -> None:
    """An animal is in one arm of a study (product rules; ARRIVE 2.0 item 1b: it is one experimental unit)."""
    enrolled = in_chunks(
        session,
        sorted(set(animals)),
        lambda some: select(Enrolment).where(
            Enrolment.study_id == study.id, Enrolment.animal_id.in_(some), Enrolment.status == RecordStatus.ACTIVE
        ),
    )
    for (one,) in enrolled:
        name = arm_word(one.arm.title, one.arm.blind_code, blinded=study.blinded)
        raise DomainError(
            f'Animal {one.animal.code} is in arm "{name}" of study {study.code} already.',
            field="animal_id",
            expected="one arm of a study for each animal",
            remedy="Leave it out, or withdraw that enrolment first.",
            source=f"{ARRIVE}, item 1b",
        )
    twice = next((key for key, times in Counter(animals).items() if times > 1), None)
    if twice is not None:
        code = session.scalar(select(Animal.code).where(Animal.id == twice))
        raise DomainError(f"Animal {code} stands twice in this list.", field="animal_id", expected="each animal once")
