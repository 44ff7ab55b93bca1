"""The consent gate as services use it, and how a patient's own withdrawal is recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.consents import ConsentTerms, last_withdrawal, require_xenograft
from lims.domain.errors import DomainError
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
    codes: dict[int, str] = {}
    terms: dict[int, list[ConsentTerms]] = defaultdict(list)
    standing = and_(Consent.patient_id == Patient.id, Consent.status == RecordStatus.ACTIVE)
    for patient, consent in in_chunks(
        session,
        sorted(set(donor_ids)),
        lambda some: select(Patient, Consent).outerjoin(Consent, standing).where(Patient.id.in_(some)),
    ):
        codes[patient.id] = patient.code
        if consent is not None:
            terms[patient.id].append(terms_of(consent))
    for donor_id, code in sorted(codes.items(), key=lambda one: one[1]):
        require_xenograft(terms[donor_id], on, code)


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
        raise DomainError("When did the patient withdraw?", field="withdrawn_on", expected="the day")
    own = select(Consent).where(Consent.patient_id == patient.id, Consent.status == RecordStatus.ACTIVE)
    consents = session.scalars(own.order_by(Consent.given_on, Consent.id)).all()
    before = last_withdrawal([terms_of(consent) for consent in consents], on)
    standing = [one for one in consents if one.withdrawn_on is None and (before is None or one.given_on >= before)]
    if not standing:
        raise DomainError(
            f"No consent of {patient.code} is in force: there is none to withdraw.",
            remedy="Record the consent that was given first, then that it was withdrawn.",
        )
    ended = [consent for consent in standing if consent.given_on <= on]
    if not ended:
        raise DomainError(
            f"{patient.code} cannot have withdrawn on {on}: the consent was given on {standing[0].given_on}.",
            field="withdrawn_on",
            expected=f"{standing[0].given_on} or later",
        )
    return ended
