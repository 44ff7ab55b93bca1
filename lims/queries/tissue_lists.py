"""Lists of what is recorded beside patients, specimens and models: consents, treatment, assays, STR profiles, checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.consents import USES
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, ModelCheck, Patient, PdxModel, ReceptorAssay, Specimen, StrProfile, TherapyAgent, TherapyLine
from lims.queries.patients import last_withdrawal_of
from lims.queries.series import AnySelect

IN_FORCE, WITHDRAWN, ENDED = "in force", "withdrawn", "ended"
CONSENT_STATES = (IN_FORCE, WITHDRAWN, ENDED)
"""What one consent comes to today: the patient took it back, or it ended with another that was taken back."""


def consent_state() -> ColumnElement[str]:
    """Give what a consent comes to today, as `lims.domain.consents.in_force` judges it; its patient is joined."""
    return case(
        (Consent.withdrawn_on.is_not(None), literal(WITHDRAWN)),
        (Consent.given_on < last_withdrawal_of(Patient.id), literal(ENDED)),
        else_=literal(IN_FORCE),
    )


def permitted(words: dict[str, str]) -> ColumnElement[str]:
    """Write what a consent permits: `research, xenografts`."""
    every: Any = literal("")
    for use in USES:
        every = every + case((getattr(Consent, use), f", {words[use]}"), else_="")
    return func.substr(every, 3)


def consent_list(project_id: int) -> AnySelect:
    """Select the project's consents with their patients."""
    rows = select(Patient.code.label("patient")).select_from(Consent).join(Patient, Patient.id == Consent.patient_id)
    return rows.where(Consent.project_id == project_id)


def _agents(line_id: Any) -> AnySelect:
    return select(TherapyAgent.id).where(TherapyAgent.therapy_line_id == line_id, TherapyAgent.status == RecordStatus.ACTIVE)


def with_class(kind: AgentClass) -> ColumnElement[bool]:
    """Give the condition that a line of therapy has an agent of a class."""
    return _agents(TherapyLine.id).where(TherapyAgent.agent_class == kind).correlate(TherapyLine).exists()


def with_agent(name: str) -> ColumnElement[bool]:
    """Give the condition that a line of therapy has an agent whose name contains this."""
    return _agents(TherapyLine.id).where(TherapyAgent.name.icontains(name, autoescape=True)).correlate(TherapyLine).exists()


def therapy_list(project_id: int) -> AnySelect:
    """Select the project's lines of therapy with their patients, and their agents by name."""
    named = _agents(TherapyLine.id).with_only_columns(func.aggregate_strings(TherapyAgent.name, ", "))
    rows = select(Patient.code.label("patient"), named.correlate(TherapyLine).scalar_subquery().label("agents"))
    joined = rows.select_from(TherapyLine).join(Patient, Patient.id == TherapyLine.patient_id)
    return joined.where(TherapyLine.project_id == project_id)


def assay_list(project_id: int) -> AnySelect:
    """Select the receptor assays of the project's active specimens, with the patient they come from in the end."""
    return _of_specimens(ReceptorAssay, project_id)


def profile_list(project_id: int) -> AnySelect:
    """Select the STR profiles of the project's active specimens, with how many loci are typed, and the alleles as text."""
    loci, alleles = func.json_array_length(StrProfile.alleles), cast(StrProfile.alleles, String)
    return _of_specimens(StrProfile, project_id).add_columns(loci.label("loci"), alleles.label("alleles"))


def _of_specimens(model: type[ReceptorAssay] | type[StrProfile], project_id: int) -> AnySelect:
    rows = select(Specimen.code.label("specimen"), Patient.code.label("patient")).select_from(model)
    joined = rows.join(Specimen, Specimen.id == model.specimen_id).outerjoin(Patient, Patient.id == Specimen.donor_id)
    return joined.where(model.project_id == project_id, Specimen.status == RecordStatus.ACTIVE)


def check_list(project_id: int) -> AnySelect:
    """Select the checks of the project's active models, with the tissue that was checked."""
    rows = select(PdxModel.code.label("model"), Specimen.code.label("specimen")).select_from(ModelCheck)
    joined = rows.join(PdxModel, PdxModel.id == ModelCheck.model_id).outerjoin(Specimen, Specimen.id == ModelCheck.specimen_id)
    return joined.where(ModelCheck.project_id == project_id, PdxModel.status == RecordStatus.ACTIVE)


def checks_with(session: Session, profile_id: int) -> Sequence[ModelCheck]:
    """List the active checks that compare an STR profile, on either side, the newest first, with their models."""
    compared = or_(ModelCheck.profile_id == profile_id, ModelCheck.reference_profile_id == profile_id)
    rows = select(ModelCheck).where(compared, ModelCheck.status == RecordStatus.ACTIVE).options(joinedload(ModelCheck.model))
    return session.scalars(rows.order_by(ModelCheck.checked_on.desc(), ModelCheck.id.desc())).all()
