"""Implants: the unit that has a passage number and a tumour (PDX-MI model creation module, ARRIVE 2.0 item 9)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.colony_terms import (
    DepthReference,
    Engraftment,
    Hemisphere,
    ImplantMaterial,
    Orthotopic,
    StereotacticOrigin,
)
from lims.domain.vocabulary import ImplantSite
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.colony import Animal
from lims.models.patients import Patient
from lims.models.pdx import PdxModel
from lims.models.preparations import CellPreparation
from lims.models.storage import Aliquot


class Implant(InProject, Withdrawable, Versioned, Base):
    """One tumour in one site of one animal. Two sites in one mouse are two implants.

    `label` is what the lab calls it within the animal (`MG R4`, `brain`); where an old spreadsheet names only the
    tumour, site and date stay not recorded. `donor_id` and `passage` follow from the aliquot, which never changes once
    recorded.
    """

    __tablename__ = "implant"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    label: Mapped[Code]
    site: Mapped[ImplantSite] = mapped_column(default=ImplantSite.NOT_RECORDED)
    region: Mapped[Name | None]
    hemisphere: Mapped[Hemisphere | None]
    model_id: Mapped[int | None] = reference("pdx_model")
    aliquot_id: Mapped[int | None] = reference("aliquot")
    preparation_id: Mapped[int | None] = reference("cell_preparation")
    """The count of the suspension that was implanted."""
    donor_id: Mapped[int | None] = reference("patient")
    passage: Mapped[int | None]
    """Counted from 0 for the first mouse, whatever the model's convention calls it."""
    implanted_on: Mapped[date | None]
    implanted_at: Mapped[datetime | None]
    """The end of surgery, from which analgesia is due."""
    material: Mapped[ImplantMaterial | None]
    cell_count: Mapped[int | None] = mapped_column()
    fragment_mm: Mapped[float | None]
    """Longest edge."""
    viability_percent: Mapped[float | None]
    vehicle: Mapped[Name | None]
    volume_ul: Mapped[float | None]
    rate_ul_min: Mapped[float | None]
    dwell_min: Mapped[float | None]
    """Minutes the needle stayed before it was drawn back."""
    ap_mm: Mapped[float | None]
    ml_mm: Mapped[float | None]
    dv_mm: Mapped[float | None]
    coordinate_origin: Mapped[StereotacticOrigin | None]
    depth_reference: Mapped[DepthReference | None]
    angle_degrees: Mapped[float | None]
    needle: Mapped[Name | None]
    anaesthetic: Mapped[Name | None]
    analgesic: Mapped[Name | None]
    analgesia_hours: Mapped[float | None]
    """Hours between two doses."""
    analgesia_doses: Mapped[int | None]
    """Doses after the one given at surgery."""
    surgeon: Mapped[Name | None]
    weight_g: Mapped[float | None]
    orthotopic_to_collection: Mapped[Orthotopic] = mapped_column(default=Orthotopic.UNKNOWN)
    orthotopic_to_primary: Mapped[Orthotopic] = mapped_column(default=Orthotopic.UNKNOWN)
    engraftment: Mapped[Engraftment] = mapped_column(default=Engraftment.PENDING)
    engrafted_on: Mapped[date | None]
    """The day the tumour was first seen or felt."""
    note: Mapped[Prose | None]

    animal: Mapped[Animal] = relationship(back_populates="implants")
    model: Mapped[PdxModel | None] = relationship()
    aliquot: Mapped[Aliquot | None] = relationship()
    preparation: Mapped[CellPreparation | None] = relationship()
    donor: Mapped[Patient | None] = relationship()

    __table_args__ = (
        UniqueConstraint("animal_id", "label"),
        CheckConstraint("passage >= 0", name="passage"),
        CheckConstraint("cell_count >= 0", name="cell_count"),
        CheckConstraint("viability_percent BETWEEN 0 AND 100", name="viability_percent"),
        CheckConstraint(
            "engrafted_on IS NULL OR implanted_on IS NULL OR engrafted_on >= implanted_on", name="engrafted_after_implanted"
        ),
        Index(None, "project_id"),
        Index(None, "model_id"),
        Index(None, "aliquot_id"),
        Index(None, "preparation_id"),
        Index(None, "donor_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give the tumour's label; the animal stands beside it."""
        return self.label
