"""Animals, their cages and the protocol they live under (ARRIVE 2.0 items 8 and 9)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.positions import position_label
from lims.domain.vocabulary import AnimalStatus, Sex
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference

if TYPE_CHECKING:
    from lims.models.implants import Implant


class AnimalProtocol(InProject, Withdrawable, Versioned, Base):
    """What an ethics committee allowed: how many animals, which procedures, until when (ARRIVE 2.0 item 14)."""

    __tablename__ = "animal_protocol"

    id: Mapped[Id]
    code: Mapped[Code]
    """The committee's own number."""
    title: Mapped[Name]
    approved_on: Mapped[date | None]
    expires_on: Mapped[date]
    animals_allowed: Mapped[int]
    procedures: Mapped[list[str]] = mapped_column(JSON)
    """Codes of `ProtocolProcedure`."""
    note: Mapped[Prose | None]

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("animals_allowed >= 0", name="animals_allowed"),
        CheckConstraint("approved_on IS NULL OR expires_on >= approved_on", name="expires_after_approval"),
    )


class Cage(InProject, Withdrawable, Versioned, Base):
    """A cage by its card, and where it stands."""

    __tablename__ = "cage"

    id: Mapped[Id]
    code: Mapped[Code]
    rack: Mapped[Code | None]
    rack_row: Mapped[int | None]
    """1 is A, from the top."""
    rack_column: Mapped[int | None]
    capacity: Mapped[int] = mapped_column(default=5)
    note: Mapped[Prose | None]

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("capacity BETWEEN 1 AND 20", name="capacity"),
        CheckConstraint("rack_row BETWEEN 1 AND 26", name="rack_row"),
        CheckConstraint("rack_column BETWEEN 1 AND 50", name="rack_column"),
        Index(None, "project_id", "rack"),
    )

    @property
    def position(self) -> str | None:
        """Give where it stands in its rack, such as B3."""
        return position_label(self.rack_row, self.rack_column) if self.rack_row and self.rack_column else None


class Animal(InProject, Withdrawable, Versioned, Base):
    """One mouse. `code` is its id in the colony, unique in the project and never given to another."""

    __tablename__ = "animal"

    id: Mapped[Id]
    code: Mapped[Code]
    ear_tag: Mapped[Code | None]
    rfid: Mapped[Code | None]
    strain: Mapped[Name | None]
    """Official nomenclature, such as NOD.Cg-Prkdc<scid> Il2rg<tm1Wjl>/SzJ."""
    genotype: Mapped[Name | None]
    sex: Mapped[Sex] = mapped_column(default=Sex.NOT_RECORDED)
    birth_date: Mapped[date | None]
    source: Mapped[Name | None]
    arrived_on: Mapped[date | None]
    cage_id: Mapped[int | None] = reference("cage")
    protocol_id: Mapped[int | None] = reference("animal_protocol")
    state: Mapped[AnimalStatus] = mapped_column(default=AnimalStatus.NOT_RECORDED)
    died_on: Mapped[date | None]

    cage: Mapped[Cage | None] = relationship()
    protocol: Mapped[AnimalProtocol | None] = relationship()
    implants: Mapped[list[Implant]] = relationship(back_populates="animal")

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("died_on IS NULL OR birth_date IS NULL OR died_on >= birth_date", name="died_after_birth"),
        # The last one tells the living from the dead, thousands of them, without a look at each.
        Index(None, "cage_id"),
        Index(None, "protocol_id"),
        Index(None, "project_id", "status", "state", "died_on"),
    )


class CageMove(InProject, Withdrawable, Versioned, Base):
    """An animal went from one cage to another."""

    __tablename__ = "cage_move"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    from_cage_id: Mapped[int | None] = reference("cage")
    to_cage_id: Mapped[int | None] = reference("cage")
    moved_on: Mapped[date]
    note: Mapped[Prose | None]

    animal: Mapped[Animal] = relationship()
    from_cage: Mapped[Cage | None] = relationship(foreign_keys=[from_cage_id])
    to_cage: Mapped[Cage | None] = relationship(foreign_keys=[to_cage_id])

    __table_args__ = (Index(None, "animal_id"), Index(None, "project_id"))

    @property
    def audit_label(self) -> str:
        """Give the day."""
        return f"move {self.moved_on}"


class AnimalAlias(InProject, Withdrawable, Versioned, Base):
    """Another name under which files know an animal (`M07` within a study), confirmed by a person once."""

    __tablename__ = "animal_alias"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    alias: Mapped[Code]

    animal: Mapped[Animal] = relationship()

    __table_args__ = (UniqueConstraint("project_id", "alias"), Index(None, "animal_id"))

    @property
    def audit_label(self) -> str:
        """Give the alias."""
        return self.alias
