"""Read models of patients: the list with the state of their consent, and what one patient has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from lims.domain.consents import ConsentState
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, Patient, PdxModel, Specimen, TherapyAgent, TherapyLine
from lims.queries.series import AnySelect


def consent_state_of(patient_id: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[str]:
    """Give the state of a patient's consents today, as `lims.domain.consents.consent_state` judges it.

    It needs no date: no consent is recorded before it is given, and no withdrawal either (`lims.records.values`).
    """
    withdrawn = last_withdrawal_of(patient_id)
    standing = (
        Consent.patient_id == patient_id,
        Consent.status == RecordStatus.ACTIVE,
        Consent.withdrawn_on.is_(None),
        Consent.given_on >= func.coalesce(withdrawn, Consent.given_on),
    )
    return case(
        (
            select(Consent.id).where(*standing, Consent.xenograft).correlate_except(Consent).exists(),
            literal(ConsentState.GIVEN.value),
        ),
        (select(Consent.id).where(*standing).correlate_except(Consent).exists(), literal(ConsentState.NOT_FOR_XENOGRAFT.value)),
        (withdrawn.is_not(None), literal(ConsentState.WITHDRAWN.value)),
        else_=literal(ConsentState.NONE.value),
    )


def last_withdrawal_of(patient_id: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """Give the newest day on which a patient withdrew a consent, or nothing."""
    own = (Consent.patient_id == patient_id, Consent.status == RecordStatus.ACTIVE)
    return select(func.max(Consent.withdrawn_on)).where(*own).correlate_except(Consent).scalar_subquery()


def patient_list(project_id: int) -> AnySelect:
    """Select the project's patients with consent, and how many specimens and models come from each."""
    specimens = select(func.count()).where(Specimen.donor_id == Patient.id, Specimen.status == RecordStatus.ACTIVE)
    models = (
        select(func.count())
        .select_from(PdxModel)
        .join(Specimen, Specimen.id == PdxModel.founding_specimen_id)
        .where(Specimen.donor_id == Patient.id, PdxModel.status == RecordStatus.ACTIVE)
    )
    return select(
        Patient.code.label("code"),
        Patient.sex.label("sex"),
        Patient.birth_year.label("birth_year"),
        Patient.diagnosis.label("diagnosis"),
        consent_state_of(Patient.id).label("consent"),
        specimens.correlate(Patient).scalar_subquery().label("specimens"),
        models.correlate(Patient).scalar_subquery().label("models"),
    ).where(Patient.project_id == project_id)


def consents_of(session: Session, patient_id: int) -> Sequence[Consent]:
    """List a patient's consents, the newest first."""
    return session.scalars(
        select(Consent).where(Consent.patient_id == patient_id).order_by(Consent.given_on.desc(), Consent.id.desc())
    ).all()


def therapy_of(session: Session, patient_id: int) -> Sequence[TherapyLine]:
    """List a patient's lines of therapy in their order, with their agents."""
    lines = select(TherapyLine).where(TherapyLine.patient_id == patient_id, TherapyLine.status == RecordStatus.ACTIVE)
    return session.scalars(lines.order_by(TherapyLine.line_number, TherapyLine.id).options(selectinload(TherapyLine.agents))).all()


def agents_used(session: Session, project_id: int) -> list[str]:
    """List the agents that lines of therapy of the project name, for suggesting them."""
    used = select(TherapyAgent.name).where(TherapyAgent.project_id == project_id, TherapyAgent.status == RecordStatus.ACTIVE)
    return list(session.scalars(used.distinct().order_by(TherapyAgent.name)))


def specimens_of(session: Session, patient_id: int) -> Sequence[Specimen]:
    """List what was collected from the patient, the oldest first."""
    own = select(Specimen).where(Specimen.patient_id == patient_id, Specimen.status == RecordStatus.ACTIVE)
    return session.scalars(own.order_by(Specimen.collected_on, Specimen.id)).all()
