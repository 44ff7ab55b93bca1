"""Counted suspensions: what a cell counter said of the cells that implants are made of (PDX-MI model creation module)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.pdx import PdxModel
from lims.models.storage import Aliquot
from lims.models.tissue import Specimen


class CellPreparation(InProject, Withdrawable, Versioned, Base):
    """One count of one suspension. Counted again, a suspension has another record: repeats are no duplicates.

    `specimen_id` follows from the aliquot where that is named. `counted_at` is missing where the counter's file has only the day.
    """

    __tablename__ = "cell_preparation"

    id: Mapped[Id]
    code: Mapped[Code]
    sample: Mapped[Name]
    """The sample's name at the counter."""
    count_name: Mapped[Name | None]
    """What the counter calls this count: its image or file."""
    model_id: Mapped[int | None] = reference("pdx_model")
    specimen_id: Mapped[int | None] = reference("specimen")
    aliquot_id: Mapped[int | None] = reference("aliquot")
    counted_on: Mapped[date] = mapped_column()
    counted_at: Mapped[datetime | None]
    viable_cells_per_ml: Mapped[float]
    """Of the suspension before it was diluted for the counter."""
    total_cells_per_ml: Mapped[float | None]
    viability_percent: Mapped[float | None]
    mean_diameter_um: Mapped[float | None]
    dilution_factor: Mapped[float | None]
    """How many times the suspension was diluted for the counter, which the concentrations take into account."""
    device: Mapped[Name | None]
    operator: Mapped[Name | None]
    note: Mapped[Prose | None]

    model: Mapped[PdxModel | None] = relationship()
    specimen: Mapped[Specimen | None] = relationship()
    aliquot: Mapped[Aliquot | None] = relationship()

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("viable_cells_per_ml BETWEEN 0 AND 1000000000", name="viable_cells_per_ml"),
        CheckConstraint("total_cells_per_ml BETWEEN 0 AND 1000000000", name="total_cells_per_ml"),
        CheckConstraint("viability_percent BETWEEN 0 AND 100", name="viability_percent"),
        CheckConstraint("mean_diameter_um BETWEEN 0.5 AND 200", name="mean_diameter_um"),
        CheckConstraint("dilution_factor BETWEEN 1 AND 10000", name="dilution_factor"),
        Index(None, "project_id", "counted_on"),
        Index(None, "model_id"),
        Index(None, "specimen_id"),
        Index(None, "aliquot_id"),
    )
