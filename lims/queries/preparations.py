"""Read models of cell preparations: the list, and the implants that were made of one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, CellPreparation, Implant, PdxModel, Specimen
from lims.queries.series import AnySelect


def preparation_list(project_id: int) -> AnySelect:
    """Select the project's counts with what they were made of, and how many implants name them."""
    named = select(func.count()).where(Implant.preparation_id == CellPreparation.id, Implant.status == RecordStatus.ACTIVE)
    return (
        select(
            PdxModel.code.label("model"),
            Specimen.code.label("specimen"),
            Aliquot.code.label("aliquot"),
            named.correlate(CellPreparation).scalar_subquery().label("implants"),
        )
        .select_from(CellPreparation)
        .outerjoin(PdxModel, PdxModel.id == CellPreparation.model_id)
        .outerjoin(Specimen, Specimen.id == CellPreparation.specimen_id)
        .outerjoin(Aliquot, Aliquot.id == CellPreparation.aliquot_id)
        .where(CellPreparation.project_id == project_id)
    )


def implants_of_preparation(session: Session, preparation_id: int) -> Sequence[Implant]:
    """List the active implants that name a count."""
    wanted = select(Implant).where(Implant.preparation_id == preparation_id, Implant.status == RecordStatus.ACTIVE)
    return session.scalars(wanted.options(joinedload(Implant.animal)).order_by(Implant.id)).all()


def counts_of_sample(session: Session, of: CellPreparation) -> Sequence[CellPreparation]:
    """List the other active counts of a sample's name on its day, in the order they were made."""
    same = (CellPreparation.project_id == of.project_id, CellPreparation.sample == of.sample)
    wanted = select(CellPreparation).where(*same, CellPreparation.counted_on == of.counted_on, CellPreparation.id != of.id)
    return session.scalars(
        wanted.where(CellPreparation.status == RecordStatus.ACTIVE).order_by(CellPreparation.counted_at, CellPreparation.id)
    ).all()
