"""The consent gate as services use it, and how a patient's own withdrawal is recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.consents import (
    GATE_SOURCE,
    WITHDRAWAL_SOURCE,
    ConsentTerms,
    doubt_withdrawn,
    in_force,
    last_withdrawal,
    require_not_withdrawn,
    require_xenograft,
)
from lims.domain.errors import DomainError, about_row, refuse_together
from lims.domain.notices import Notice
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, Patient
from lims.queries.chunks import in_chunks
from lims.records.accounts import require_reason
from lims.records.nouns import apply_all, doubts
from lims.records.patients import CONSENT
from lims.records.values import clean


def require_xenograft_consent(session: Session, donor_ids: Collection[int], on: date) -> None:
    """Let tissue of these patients into an animal on a day: each has to have a consent for xenografts in force then.

    Raises:
        DomainError: a patient has none, whichever way; `field` is `aliquot_id`, which brought the tissue.
    """
    for code, terms in _given_by(session, donor_ids):
        require_xenograft(terms, on, code)


def require_consent_kept(
    session: Session, donor_ids: Collection[int], on: date, *, use: str | None = None, field: str, new: str
) -> None:
    """Refuse something new made of these patients' tissue on a day when one of them has withdrawn, as `require_not_withdrawn`.

    Raises:
        DomainError: on the column `field`.
    """
    for code, terms in _given_by(session, donor_ids):
        require_not_withdrawn(terms, on, code, use=use, field=field, new=new)


def ask_by_day(asked: Mapping[date, Mapping[int, Sequence[int]]], require: Callable[[Collection[int], date], None]) -> None:
    """Ask of all donors of a day at once (day → donor → places in a list of records); what is refused says which records it is of.

    Raises:
        DomainError: `require` refuses one; `row` says which of the list it is of, and `others` what else is refused.
    """
    refused: list[DomainError] = []
    for on, donors in sorted(asked.items()):
        try:
            require(set(donors), on)
        except DomainError:
            for donor, numbers in donors.items():
                refused += [one for number in numbers for one in _refusals(require, donor, on, number)]
    refuse_together(refused)


def _refusals(require: Callable[[Collection[int], date], None], donor: int, on: date, number: int) -> list[DomainError]:
    try:
        with about_row(number):
            require({donor}, on)
    except DomainError as refused:
        return [refused]
    return []


def doubts_of_withdrawn(session: Session, donor_ids: Collection[int], on: date, *, field: str) -> list[Notice]:
    """Doubt that more is made of what exists of these patients' tissue, where one of them has withdrawn by that day."""
    return [one for code, terms in _given_by(session, donor_ids) for one in doubt_withdrawn(terms, on, code, field=field)]


def doubts_of_sharing(session: Session, donor_ids: Collection[int], on: date) -> list[Notice]:
    """Doubt sending tissue of patients away whose consents in force on that day do not permit sharing (MIABIS)."""
    return [
        Notice(
            "warning",
            "aliquots",
            f"No consent of patient {code} in force on {on} permits sharing.",
            "one that permits sharing",
            GATE_SOURCE,
        )
        for code, terms in _given_by(session, donor_ids)
        if not any(consent.sharing for consent in in_force(terms, on))
    ]


def _given_by(session: Session, donor_ids: Collection[int]) -> list[tuple[str, list[ConsentTerms]]]:
    """Give each patient's code with the consents on record, by code: one statement for all."""
    given: dict[str, list[ConsentTerms]] = defaultdict(list)
    standing = and_(Consent.patient_id == Patient.id, Consent.status == RecordStatus.ACTIVE)
    for code, consent in in_chunks(
        session,
        sorted(set(donor_ids)),
        lambda some: select(Patient.code, Consent).outerjoin(Consent, standing).where(Patient.id.in_(some)),
    ):
        given[code] += [] if consent is None else [terms_of(consent)]
    return sorted(given.items())


def terms_of(consent: Consent) -> ConsentTerms:
    """Give a recorded consent as the rules judge it."""
    return ConsentTerms(
        consent.given_on, consent.withdrawn_on, consent.research, consent.xenograft, consent.commercial, consent.sharing
    )


def end_consents(session: Session, actor: Actor, patient: Patient, on: date | None, *, reason: str) -> list[Consent]:
    """Record that a patient withdrew: every consent given up to that day, and not withdrawn before, ends on it.

    The records of the consents stand: they were given, and what was done meanwhile was allowed.

    Raises:
        DomainError: no reason or date is given, the date does not fit, or no consent was in force then.
    """
    declare(session, actor, "consent:change", reason=require_reason(reason), project=patient.project_id)
    fields = clean(session, Consent, {"withdrawn_on": on}, future=CONSENT.future)
    ended = _in_force(session, patient, fields["withdrawn_on"])
    apply_all(session, CONSENT, [(consent, fields) for consent in ended])
    return ended


def doubts_of_end(session: Session, patient: Patient, on: date | None) -> list[Notice]:
    """Give what is unusual about a patient's withdrawal; nothing is recorded.

    Raises:
        DomainError: as `end_consents` does.
    """
    consent = _in_force(session, patient, on)[0]
    return doubts(session, CONSENT, patient.project_id, [{"withdrawn_on": on}], consent)


def _in_force(session: Session, patient: Patient, on: date | None) -> list[Consent]:
    """Give the consents that a withdrawal on that day ends."""
    if on is None:
        raise DomainError("When did the patient withdraw?", field="withdrawn_on", expected="the day", source=WITHDRAWAL_SOURCE)
    own = select(Consent).where(Consent.patient_id == patient.id, Consent.status == RecordStatus.ACTIVE)
    consents = session.scalars(own.order_by(Consent.given_on, Consent.id)).all()
    before = last_withdrawal([terms_of(consent) for consent in consents], on)
    standing = [one for one in consents if one.withdrawn_on is None and (before is None or one.given_on >= before)]
    if not standing:
        raise DomainError(
            f"No consent of {patient.code} is in force: there is none to withdraw.",
            remedy="Record the consent that was given first, then that it was withdrawn.",
            source=WITHDRAWAL_SOURCE,
        )
    ended = [consent for consent in standing if consent.given_on <= on]
    if not ended:
        raise DomainError(
            f"{patient.code} cannot have withdrawn on {on}: the consent was given on {standing[0].given_on}.",
            field="withdrawn_on",
            expected=f"{standing[0].given_on} or later",
            source=WITHDRAWAL_SOURCE,
        )
    return ended
