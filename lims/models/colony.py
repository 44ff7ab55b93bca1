"""Animals and the tumours in them (ARRIVE 2.0 items 8 and 9)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import AnimalStatus, ImplantSite, Sex
from lims.models.base import Base, Code, Id, InProject, Name, Versioned, Withdrawable, reference
from lims.models.tissue import PdxModel


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
    cage: Mapped[Code | None]
    state: Mapped[AnimalStatus] = mapped_column(default=AnimalStatus.NOT_RECORDED)
    died_on: Mapped[date | None]

    implants: Mapped[list[Implant]] = relationship(back_populates="animal")

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("died_on IS NULL OR birth_date IS NULL OR died_on >= birth_date", name="died_after_birth"),
    )


class Implant(InProject, Withdrawable, Versioned, Base):
    """One tumour in one site of one animal. Two sites in one mouse are two implants.

    `label` is what the lab calls it within the animal (`MG R4`, `brain`); where an old spreadsheet names only the
    tumour, site and date stay not recorded.
    """

    __tablename__ = "implant"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    label: Mapped[Code]
    site: Mapped[ImplantSite] = mapped_column(default=ImplantSite.NOT_RECORDED)
    region: Mapped[Name | None]
    model_id: Mapped[int | None] = reference("pdx_model")
    implanted_on: Mapped[date | None]

    animal: Mapped[Animal] = relationship(back_populates="implants")
    model: Mapped[PdxModel | None] = relationship()

    __table_args__ = (UniqueConstraint("animal_id", "label"), Index(None, "project_id"), Index(None, "model_id"))

    @property
    def audit_label(self) -> str:
        """Give the tumour's label; the animal stands beside it."""
        return self.label


class AnimalAlias(InProject, Withdrawable, Base):
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
