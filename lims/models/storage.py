"""Where tissue is kept: the tree of places, the aliquots in them, and everything that happened to each (SPREC, MIABIS)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.tissue_terms import AliquotEventKind, AliquotMaterial, AliquotState, AmountUnit, PlaceKind
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.tissue import Specimen


class StoragePlace(InProject, Withdrawable, Versioned, Base):
    """A place of the storage tree: site, room, freezer, shelf, rack or box. A box has rows and columns."""

    __tablename__ = "storage_place"

    id: Mapped[Id]
    code: Mapped[Code]
    """Unique in the project: it is what a label on the door or lid says."""
    title: Mapped[Name | None]
    kind: Mapped[PlaceKind]
    parent_id: Mapped[int | None] = reference("storage_place")
    temperature_celsius: Mapped[float | None]
    box_rows: Mapped[int | None]
    box_columns: Mapped[int | None]

    parent: Mapped[StoragePlace | None] = relationship(remote_side="StoragePlace.id")

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("box_rows BETWEEN 1 AND 26", name="box_rows"),
        CheckConstraint("box_columns BETWEEN 1 AND 50", name="box_columns"),
        CheckConstraint("kind <> 'box' OR (box_rows IS NOT NULL AND box_columns IS NOT NULL)", name="box_has_a_grid"),
        Index(None, "parent_id"),
    )


class Aliquot(InProject, Withdrawable, Versioned, Base):
    """A vial, block or fragment of a specimen. `code` is its barcode. One aliquot stands in one position."""

    __tablename__ = "aliquot"

    id: Mapped[Id]
    code: Mapped[Code]
    specimen_id: Mapped[int] = reference("specimen")
    parent_id: Mapped[int | None] = reference("aliquot")
    """The aliquot it was split from."""
    material: Mapped[AliquotMaterial]
    amount: Mapped[float | None]
    unit: Mapped[AmountUnit | None]
    preserved_on: Mapped[date | None]
    thaw_count: Mapped[int] = mapped_column(default=0)
    state: Mapped[AliquotState] = mapped_column(default=AliquotState.AVAILABLE)
    place_id: Mapped[int | None] = reference("storage_place")
    box_row: Mapped[int | None]
    """1 is A."""
    box_column: Mapped[int | None]
    note: Mapped[Prose | None]

    specimen: Mapped[Specimen] = relationship()
    parent: Mapped[Aliquot | None] = relationship(remote_side="Aliquot.id")
    place: Mapped[StoragePlace | None] = relationship()

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        UniqueConstraint("place_id", "box_row", "box_column"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("amount IS NULL OR unit IS NOT NULL", name="amount_has_unit"),
        CheckConstraint("thaw_count >= 0", name="thaw_count"),
        CheckConstraint("(box_row IS NULL) = (box_column IS NULL)", name="whole_position"),
        CheckConstraint("box_row IS NULL OR place_id IS NOT NULL", name="position_has_box"),
        Index(None, "specimen_id"),
        Index(None, "parent_id"),
    )


class AliquotEvent(InProject, Withdrawable, Versioned, Base):
    """One thing that happened to an aliquot: put somewhere, moved, thawed, split, used, sent away."""

    __tablename__ = "aliquot_event"

    id: Mapped[Id]
    aliquot_id: Mapped[int] = reference("aliquot")
    kind: Mapped[AliquotEventKind]
    happened_on: Mapped[date]
    amount: Mapped[float | None]
    """In the aliquot's own unit: what was taken out or put in."""
    from_position: Mapped[Name | None]
    """As people read it: `FZ-1 / R2 / BX-03 A4`."""
    to_position: Mapped[Name | None]
    partner: Mapped[Name | None]
    """Who it was sent to or came from, with the courier's number if there is one."""
    note: Mapped[Prose | None]

    aliquot: Mapped[Aliquot] = relationship()

    __table_args__ = (Index(None, "aliquot_id"), Index(None, "project_id"))

    @property
    def audit_label(self) -> str:
        """Give kind and day."""
        return f"{self.kind.value.replace('_', ' ')} {self.happened_on}"
