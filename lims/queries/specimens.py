"""Read models of specimens: the list with HER2 and the cohort each mimics, and what stands on one specimen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.cohorts import ClinicalCohort, conditions
from lims.domain.her2 import AssayReport
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, Alteration, Animal, Implant, Patient, PdxModel, ReceptorAssay, Specimen, StrProfile
from lims.queries.chunks import read
from lims.queries.series import AnySelect


def in_cohort(cohort: ClinicalCohort, specimen: Any = Specimen) -> ColumnElement[bool]:
    """Give the condition that a specimen mimics a cohort of DEBBRAH, made of the table in `lims.domain.cohorts`.

    `specimen` is the mapped class or an alias of it, such as that of a model's founding specimen.
    """
    return or_(
        *(
            and_(
                specimen.cns_status == one.cns_status,
                specimen.her2_result == one.her2_result,
                specimen.her2_label.is_(None) if one.her2_label is None else specimen.her2_label == one.her2_label,
            )
            for one in conditions(cohort)
        )
    )


def cohort_of(specimen: Any = Specimen) -> ColumnElement[int | None]:
    """Give the number of the cohort that a specimen mimics, or nothing."""
    return case(*((in_cohort(cohort, specimen), int(cohort)) for cohort in ClinicalCohort))


def specimen_list(project_id: int) -> AnySelect:
    """Select the project's specimens with the patient they come from in the end, the animal and the model."""
    return (
        select(
            Specimen.code.label("code"),
            Patient.code.label("patient"),
            Specimen.passage.label("passage"),
            PdxModel.passage_convention.label("convention"),
            PdxModel.code.label("model"),
            Animal.code.label("animal"),
            Specimen.source_animal_id.is_not(None).label("of_animal"),
            cohort_of().label("cohort"),
        )
        .select_from(Specimen)
        .outerjoin(Patient, Patient.id == Specimen.donor_id)
        .outerjoin(Implant, Implant.id == Specimen.source_implant_id)
        .outerjoin(Animal, Animal.id == func.coalesce(Implant.animal_id, Specimen.source_animal_id))
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .where(Specimen.project_id == project_id)
    )


def donor_codes(session: Session, project_id: int) -> Sequence[str]:
    """List the patients that the project's specimens come from."""
    donors = select(Specimen.donor_id).where(Specimen.project_id == project_id)
    return session.scalars(select(Patient.code).where(Patient.id.in_(donors)).order_by(Patient.code)).all()


def source_implant(session: Session, specimen: Specimen) -> Implant | None:
    """Give the tumour that a specimen was harvested from, with its animal and model; none for a patient's own tissue."""
    if specimen.source_implant_id is None:
        return None
    wanted = select(Implant).where(Implant.id == specimen.source_implant_id)
    return session.scalar(wanted.options(joinedload(Implant.animal), joinedload(Implant.model)))


def source_animal(session: Session, specimen: Specimen) -> Animal | None:
    """Give the animal that a sample such as plasma or brain was taken from; none for tissue of a patient or a tumour."""
    return None if specimen.source_animal_id is None else session.get(Animal, specimen.source_animal_id)


_specimen = Specimen.__table__.c
_SAMPLES = (
    select(Specimen.__table__)
    .where(_specimen.source_animal_id == bindparam("animal_id"), _specimen.status == RecordStatus.ACTIVE)
    .order_by(_specimen.collected_on.desc().nulls_last(), _specimen.code)
)


def samples_of(session: Session, animal_id: int) -> Sequence[Row[Any]]:
    """List the active samples of an animal that are no tumour of its, the latest first, as their columns."""
    return read(session, _SAMPLES, animal_id=animal_id).all()


def assays_of(session: Session, specimen_id: int) -> Sequence[ReceptorAssay]:
    """List a specimen's receptor assays, withdrawn ones too, the oldest first; one without a date is the oldest."""
    wanted = select(ReceptorAssay).where(ReceptorAssay.specimen_id == specimen_id)
    return session.scalars(wanted.order_by(ReceptorAssay.assayed_on.nulls_first(), ReceptorAssay.id)).all()


def as_report(assay: ReceptorAssay) -> AssayReport:
    """Give the HER2 part of an assay as the guideline's rules take it."""
    return AssayReport(assay.assayed_on, assay.her2_ihc, assay.ish_probe, assay.her2_copies, assay.her2_cep17_ratio)


def alterations_of(session: Session, specimen_id: int) -> Sequence[Alteration]:
    """List a specimen's active alterations by compartment and gene."""
    wanted = select(Alteration).where(Alteration.specimen_id == specimen_id, Alteration.status == RecordStatus.ACTIVE)
    return session.scalars(wanted.order_by(Alteration.compartment, Alteration.gene, Alteration.id)).all()


def profiles_of(session: Session, specimen_id: int) -> Sequence[StrProfile]:
    """List a specimen's STR profiles, withdrawn ones too, the newest first."""
    wanted = select(StrProfile).where(StrProfile.specimen_id == specimen_id)
    return session.scalars(wanted.order_by(StrProfile.typed_on.desc().nulls_last(), StrProfile.id.desc())).all()


def aliquots_of(session: Session, specimen_id: int) -> Sequence[Aliquot]:
    """List a specimen's active aliquots with where each is kept."""
    wanted = select(Aliquot).where(Aliquot.specimen_id == specimen_id, Aliquot.status == RecordStatus.ACTIVE)
    return session.scalars(wanted.order_by(Aliquot.code).options(joinedload(Aliquot.place))).all()


def models_founded_on(session: Session, specimen_id: int) -> Sequence[PdxModel]:
    """List the active models that were founded from a specimen."""
    wanted = select(PdxModel).where(PdxModel.founding_specimen_id == specimen_id, PdxModel.status == RecordStatus.ACTIVE)
    return session.scalars(wanted.order_by(PdxModel.code)).all()
