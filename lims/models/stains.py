"""What was counted in regions of stained slides."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.tissue_terms import Compartment
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.tissue import Specimen


class StainRegion(InProject, Withdrawable, Versioned, Base):
    """One marker in one region of one image of a specimen, counted by one means."""

    __tablename__ = "stain_region"

    id: Mapped[Id]
    specimen_id: Mapped[int] = reference("specimen")
    marker: Mapped[Code]
    """HGNC or MGI symbol of the pinned list, or the stain's own name, such as H&E (`lims.domain.stains`)."""
    compartment: Mapped[Compartment] = mapped_column(default=Compartment.HUMAN_TUMOUR)
    image: Mapped[Name]
    region: Mapped[Name]
    """The annotation or analysis region as the program names it, with the class of cells where only one was counted."""
    software: Mapped[Name]
    """Program and algorithm, or by eye."""
    cells: Mapped[int | None]
    positive_cells: Mapped[int | None]
    positive_percent: Mapped[float | None]
    h_score: Mapped[float | None]
    area_mm2: Mapped[float | None]
    analysed_on: Mapped[date | None]
    note: Mapped[Prose | None]

    specimen: Mapped[Specimen] = relationship()

    __table_args__ = (
        Index(
            "uq_stain_region_standing",
            *("specimen_id", "marker", "compartment", "image", "region", "software"),
            unique=True,
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
        CheckConstraint("cells >= 0", name="cells"),
        CheckConstraint("positive_cells >= 0", name="positive_cells"),
        CheckConstraint("positive_percent BETWEEN 0 AND 100", name="positive_percent"),
        CheckConstraint("h_score BETWEEN 0 AND 300", name="h_score"),
        CheckConstraint("area_mm2 > 0", name="area_mm2"),
        Index(None, "project_id", "marker"),
    )

    @property
    def audit_label(self) -> str:
        """Give marker and region; the specimen stands beside them."""
        return f"{self.marker} in {self.region}"
