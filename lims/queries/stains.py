"""Read models of stained regions: the list, and those of one specimen."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Float, case, cast, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import RecordStatus
from lims.models import Patient, Specimen, StainRegion
from lims.queries.series import AnySelect


def stain_list(project_id: int) -> AnySelect:
    """Select what was counted in regions of the project's active specimens, with the patient and the density of positive cells."""
    density = case((StainRegion.area_mm2 > 0, cast(StainRegion.positive_cells, Float) / StainRegion.area_mm2))
    return (
        select(Specimen.code.label("specimen"), Patient.code.label("patient"), density.label("density"))
        .select_from(StainRegion)
        .join(Specimen, Specimen.id == StainRegion.specimen_id)
        .outerjoin(Patient, Patient.id == Specimen.donor_id)
        .where(StainRegion.project_id == project_id, Specimen.status == RecordStatus.ACTIVE)
    )


def stains_of(session: Session, specimen_id: int) -> Sequence[StainRegion]:
    """List a specimen's active regions by marker, image and region."""
    wanted = select(StainRegion).where(StainRegion.specimen_id == specimen_id, StainRegion.status == RecordStatus.ACTIVE)
    order = (StainRegion.marker, StainRegion.compartment, StainRegion.image, StainRegion.region, StainRegion.id)
    return session.scalars(wanted.order_by(*order)).all()
