"""The consent gate as services use it: whose tissue may go into an animal on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lims.domain.consents import ConsentTerms, require_xenograft
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, Patient
from lims.queries.chunks import in_chunks


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
