"""Signs: a study as it is locked and after, amendments of what is locked, reviews of the trail.

Whoever calls these has made sure who signs (`lims.views.signing`): the actor is the person that gave the password. A
signature is a record of the event that it is made by, and nothing changes it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.audit.bulk import place_of
from lims.audit.canon import canonical
from lims.audit.record import Actor, current, declare
from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.signatures import SignatureAct, SignatureMeaning, require_signer, require_unchanged
from lims.domain.studies import require_locked, require_signed_step
from lims.domain.vocabulary import AnimalStatus, Quality, RecordStatus, StudyStatus
from lims.models import Animal, Enrolment, Fate, Measurement, Signature, Study
from lims.queries.signed import Content, digest, hash_of
from lims.records.accounts import require_reason
from lims.records.fates import FATE
from lims.records.locked import amending
from lims.records.nouns import change
from lims.records.readings import MEASUREMENT, NewReading, record_readings
from lims.records.versions import check_version


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says by signing: in which sense, and why."""

    meaning: SignatureMeaning
    statement: str


def lock(session: Session, actor: Actor, study: Study, said: Said, *, version: int, seen: str) -> Signature:
    """Lock a closed study by a signature of what it is now. version, seen: of the study, and of its content, as the person saw it.

    Raises:
        DomainError: it is not closed, or its content is not what was seen; or no reason is given.
        Conflict: somebody else changed the study meanwhile.
    """
    declare(session, actor, "study:lock", reason=require_reason(said.statement), project=study.project_id)
    check_version(study, version)
    require_signed_step(study.code, study.state, StudyStatus.LOCKED)
    study.state = StudyStatus.LOCKED
    session.flush()
    return _sign_study(session, actor, study, SignatureAct.LOCK, said, seen=seen)


def doubts_of_lock(session: Session, study: Study) -> list[Notice]:
    """Doubt a lock while animals live: what is recorded of them later is no part of what is signed.

    Raises:
        DomainError: it cannot be locked anyway.
    """
    require_signed_step(study.code, study.state, StudyStatus.LOCKED)
    living = session.scalar(
        select(func.count())
        .select_from(Enrolment)
        .join(Animal, Animal.id == Enrolment.animal_id)
        .where(Enrolment.study_id == study.id, Enrolment.status == RecordStatus.ACTIVE)
        .where(Animal.state != AnimalStatus.DEAD, Animal.died_on.is_(None))
    )
    if not living:
        return []
    told = f"{living} animals of the study live" if living > 1 else "1 animal of the study lives"
    told += ": what is recorded later is not signed."
    return [Notice("warning", "state", told, "a fate for every animal")]


def countersign(session: Session, actor: Actor, study: Study, said: Said, *, seen: str) -> Signature:
    """Sign a locked study beside whoever locked it.

    Raises:
        DomainError: it is not locked, its content is not what was seen, or no reason is given.
    """
    declare(session, actor, "study:sign", reason=require_reason(said.statement), project=study.project_id)
    require_locked(study.code, study.state, "This signature")
    return _sign_study(session, actor, study, SignatureAct.COUNTERSIGN, said, seen=seen)


def note(session: Session, actor: Actor, study: Study, said: Said, *, seen: str) -> Signature:
    """Add a signed note to a locked study: an amendment that corrects no record.

    Raises:
        DomainError: it is not locked, its content is not what was seen, or nothing is said.
    """
    declare(session, actor, "study:amend", reason=require_reason(said.statement), project=study.project_id)
    require_locked(study.code, study.state, "An amendment")
    return _sign_study(session, actor, study, SignatureAct.AMENDMENT, said, seen=seen)


def amend_reading(
    session: Session, actor: Actor, study: Study, reading: Measurement, said: Said, *, version: int, right: NewReading | None = None
) -> Signature:
    """Correct a reading of a locked study: it is excluded, with the right one beside it where that is known, or counts again.

    An excluded reading counts again where no right one is given. What other locked studies say of the animal changes with it,
    and their signatures show it.

    Raises:
        DomainError: the study is not locked or does not count this reading, no reason is given, or a rule of readings refuses.
        Conflict: somebody else changed the reading meanwhile.
    """
    statement = require_reason(said.statement)
    declare(session, actor, "study:amend", reason=statement, project=study.project_id)
    require_locked(study.code, study.state, "An amendment")
    require_counted(session, study, reading)
    excluded = reading.quality is Quality.EXCLUDED
    counts_again = excluded and right is None
    fields = (
        {"quality": Quality.OK, "quality_reason": None}
        if counts_again
        else {"quality": Quality.EXCLUDED, "quality_reason": statement}
    )
    with amending(session):
        if counts_again or not excluded:
            change(session, actor, MEASUREMENT, reading, version=version, reason=statement, fields=fields)
        if right is not None:
            record_readings(session, actor, study.project_id, [right], reason=statement)
    return _sign_study(session, actor, study, SignatureAct.AMENDMENT, said)


def amend_fate(
    session: Session, actor: Actor, study: Study, fate: Fate, said: Said, *, version: int, fields: Mapping[str, Any]
) -> Signature:
    """Correct the fate of an animal of a locked study: day, reason, method or note. The animal's day of death follows.

    Raises:
        DomainError: the study is not locked or the animal none of its, no reason is given, nothing differs, or a rule refuses.
        Conflict: somebody else changed the fate meanwhile.
    """
    statement = require_reason(said.statement)
    declare(session, actor, "study:amend", reason=statement, project=study.project_id)
    require_locked(study.code, study.state, "An amendment")
    require_ended(session, study, fate)
    with amending(session):
        change(session, actor, FATE, fate, version=version, reason=statement, fields=fields)
    return _sign_study(session, actor, study, SignatureAct.AMENDMENT, said)


def require_ended(session: Session, study: Study, fate: Fate) -> None:
    """Refuse a fate that is of none of a study's animals.

    Raises:
        DomainError: its animal is not in the study, or it is withdrawn.
    """
    if fate.status is not RecordStatus.ACTIVE or not _enrolled(session, study, fate.animal_id):
        raise DomainError(f"Study {study.code} does not count this fate.", expected="the fate of one of its animals")


def _enrolled(session: Session, study: Study, animal_id: int) -> bool:
    enrolled = select(Enrolment.id).where(
        Enrolment.study_id == study.id, Enrolment.animal_id == animal_id, Enrolment.status == RecordStatus.ACTIVE
    )
    return session.scalar(enrolled) is not None


def require_counted(session: Session, study: Study, reading: Measurement) -> None:
    """Refuse a reading that is none of a study.

    Raises:
        DomainError: its animal is not in the study, or it is withdrawn, or of another study.
    """
    counts = reading.status is RecordStatus.ACTIVE and reading.study_id in (None, study.id)
    if not counts or not _enrolled(session, study, reading.animal_id):
        raise DomainError(f"Study {study.code} does not count this reading.", expected="a reading of one of its animals")


def sign_review(session: Session, actor: Actor, project_id: int, *, up_to: int, event_hash: str, statement: str) -> Signature:
    """Sign that one has reviewed the trail up to an event, which the signature names by its hash; inside a declared action."""
    content = canonical({"hash": event_hash, "up_to": up_to})
    said = Said(SignatureMeaning.REVIEWED, statement)
    return _sign(session, actor, project_id, ("audit_event", up_to), SignatureAct.REVIEW, said, content)


def _sign_study(
    session: Session, actor: Actor, study: Study, act: SignatureAct, said: Said, *, seen: str | None = None
) -> Signature:
    session.flush()
    content = Content(session, study.id).told()
    if seen is not None:
        require_unchanged(seen, digest(content))
    return _sign(session, actor, study.project_id, ("study", study.id), act, said, content)


def _sign(
    session: Session,
    actor: Actor,
    project_id: int,
    of: tuple[str, int],
    act: SignatureAct,
    said: Said,
    content: str,
) -> Signature:
    signature = Signature(
        entity=of[0],
        key=of[1],
        act=act,
        meaning=said.meaning,
        person_id=require_signer(actor.id),
        name=actor.name,
        signed_at=datetime.now(UTC),
        statement=require_reason(said.statement),
        event_seq=place_of(session.connection(), current(session))[0],
        content=content,
        project_id=project_id,
    )
    signature.sha256 = hash_of(signature)
    session.add(signature)
    session.flush()
    return signature
