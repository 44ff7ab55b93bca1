"""What was collected, and what was found in it: specimens, receptor assays, alterations, STR profiles (PDX-MI, MIABIS)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.tissue_terms import AlterationKind, CnsStatus, Compartment, Her2Ihc, Her2Label, Her2Result, IshProbe
from lims.domain.vocabulary import CollectionProcedure, SpecimenKind, TumourOrigin
from lims.models.base import BIG_INTEGER, Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.patients import Patient


class Specimen(InProject, Withdrawable, Versioned, Base):
    """What was collected, from a patient or from an implant in an animal.

    `donor_id` and `passage` follow from the source, which never changes once recorded: the patient it comes from in the
    end, and for tissue of a xenograft the passage of the implant it grew in. HER2 result and label follow from the
    specimen's assays (`lims.domain.her2`) and are written with them.
    """

    __tablename__ = "specimen"

    id: Mapped[Id]
    code: Mapped[Code]
    patient_id: Mapped[int | None] = reference("patient")
    source_implant_id: Mapped[int | None] = mapped_column(
        BIG_INTEGER, ForeignKey("implant.id", use_alter=True, name="fk_specimen_source_implant_id_implant")
    )
    source_animal_id: Mapped[int | None] = mapped_column(
        BIG_INTEGER, ForeignKey("animal.id", use_alter=True, name="fk_specimen_source_animal_id_animal")
    )
    """Of plasma, CSF, brain or an organ: what is no tumour of one implant."""
    donor_id: Mapped[int | None] = reference("patient")
    passage: Mapped[int | None]
    """Counted from 0 for the first mouse, whatever the model's convention calls it; none for a patient's own tissue."""
    kind: Mapped[SpecimenKind]
    collected_on: Mapped[date | None]
    procedure: Mapped[CollectionProcedure] = mapped_column(default=CollectionProcedure.NOT_RECORDED)
    site: Mapped[Name | None]
    site_uberon: Mapped[Code | None]
    """UBERON code of the anatomical site, such as UBERON:0000956 for cerebral cortex."""
    origin: Mapped[TumourOrigin] = mapped_column(default=TumourOrigin.NOT_RECORDED)
    cns_status: Mapped[CnsStatus] = mapped_column(default=CnsStatus.NOT_RECORDED)
    on_steroids: Mapped[bool | None]
    warm_ischaemia_minutes: Mapped[int | None]
    """Minutes from interrupted blood supply to removal (SPREC 3.0 element 4)."""
    cold_ischaemia_minutes: Mapped[int | None]
    """Minutes from removal to preservation (SPREC 3.0 element 5)."""
    tumour_content_percent: Mapped[float | None]
    necrosis_percent: Mapped[float | None]
    histology: Mapped[Name | None]
    grade: Mapped[int | None]
    """Nottingham grade 1 to 3."""
    pathologist: Mapped[Name | None]
    her2_result: Mapped[Her2Result] = mapped_column(default=Her2Result.NOT_ASSESSED)
    her2_label: Mapped[Her2Label | None]

    patient: Mapped[Patient | None] = relationship(foreign_keys=[patient_id])
    donor: Mapped[Patient | None] = relationship(foreign_keys=[donor_id])

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint(
            "(patient_id IS NOT NULL AND source_implant_id IS NULL AND source_animal_id IS NULL)"
            " OR (patient_id IS NULL AND source_implant_id IS NOT NULL AND source_animal_id IS NULL)"
            " OR (patient_id IS NULL AND source_implant_id IS NULL AND source_animal_id IS NOT NULL)",
            name="one_source",
        ),
        CheckConstraint("warm_ischaemia_minutes >= 0", name="warm_ischaemia"),
        CheckConstraint("cold_ischaemia_minutes >= 0", name="cold_ischaemia"),
        CheckConstraint("tumour_content_percent BETWEEN 0 AND 100", name="tumour_content_percent"),
        CheckConstraint("necrosis_percent BETWEEN 0 AND 100", name="necrosis_percent"),
        CheckConstraint("grade BETWEEN 1 AND 3", name="grade"),
        Index(None, "patient_id"),
        Index(None, "donor_id"),
        Index(None, "source_implant_id"),
        Index(None, "source_animal_id"),
    )


class ReceptorAssay(InProject, Withdrawable, Versioned, Base):
    """One report on receptors of a specimen, as it was written; what it means is derived (ASCO/CAP)."""

    __tablename__ = "receptor_assay"

    id: Mapped[Id]
    specimen_id: Mapped[int] = reference("specimen")
    assayed_on: Mapped[date | None]
    er_percent: Mapped[float | None]
    pr_percent: Mapped[float | None]
    ki67_percent: Mapped[float | None]
    her2_ihc: Mapped[Her2Ihc | None]
    ish_probe: Mapped[IshProbe | None]
    her2_copies: Mapped[float | None]
    """Mean HER2 signals per cell."""
    her2_cep17_ratio: Mapped[float | None]
    antibody: Mapped[Name | None]
    laboratory: Mapped[Name | None]
    note: Mapped[Prose | None]

    specimen: Mapped[Specimen] = relationship()

    __table_args__ = (
        CheckConstraint("er_percent BETWEEN 0 AND 100", name="er_percent"),
        CheckConstraint("pr_percent BETWEEN 0 AND 100", name="pr_percent"),
        CheckConstraint("ki67_percent BETWEEN 0 AND 100", name="ki67_percent"),
        CheckConstraint("her2_copies BETWEEN 0 AND 200", name="her2_copies"),
        CheckConstraint("her2_cep17_ratio BETWEEN 0 AND 100", name="her2_cep17_ratio"),
        Index(None, "specimen_id"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give the day and the score, which is how people name a report."""
        return " ".join(str(part) for part in (self.assayed_on, self.her2_ihc and f"IHC {self.her2_ihc.value}") if part) or "report"


class Alteration(InProject, Withdrawable, Versioned, Base):
    """One finding in one gene of a specimen, in the tumour or in its host."""

    __tablename__ = "alteration"

    id: Mapped[Id]
    specimen_id: Mapped[int] = reference("specimen")
    gene: Mapped[Code]
    """HGNC symbol, or MGI symbol for the mouse host, of the pinned list (`lims.domain.genes`)."""
    kind: Mapped[AlterationKind]
    compartment: Mapped[Compartment] = mapped_column(default=Compartment.HUMAN_TUMOUR)
    hgvs: Mapped[Name | None]
    """Protein or coding change, such as p.His1047Arg."""
    vaf_percent: Mapped[float | None]
    copies: Mapped[float | None]
    log2_ratio: Mapped[float | None]
    calibrator: Mapped[Name | None]
    """What the log2 ratio of an expression is relative to, where it is a sample."""
    delta_cq: Mapped[float | None]
    """Cycles: mean Cq of the gene less the mean Cq of the reference genes; the higher, the less is expressed (MIQE)."""
    delta_cq_sd: Mapped[float | None]
    """Of the technical replicates of the gene and of its references, propagated."""
    reference_genes: Mapped[Name | None]
    """What Cq was normalised to: symbols apart by commas."""
    h_score: Mapped[float | None]
    platform: Mapped[Name | None]
    found_on: Mapped[date | None]
    note: Mapped[Prose | None]

    specimen: Mapped[Specimen] = relationship()

    __table_args__ = (
        CheckConstraint("vaf_percent BETWEEN 0 AND 100", name="vaf_percent"),
        CheckConstraint("copies >= 0", name="copies"),
        CheckConstraint("h_score BETWEEN 0 AND 300", name="h_score"),
        CheckConstraint("delta_cq BETWEEN -50 AND 50", name="delta_cq"),
        CheckConstraint("delta_cq_sd >= 0", name="delta_cq_sd"),
        Index(None, "specimen_id"),
        Index(None, "project_id", "gene"),
    )

    @property
    def audit_label(self) -> str:
        """Give gene and change."""
        return f"{self.gene} {self.hgvs or self.kind.value.replace('_', ' ')}"


class StrProfile(InProject, Withdrawable, Versioned, Base):
    """Short tandem repeats of a specimen: who it comes from, as alleles by locus (ANSI/ATCC ASN-0002)."""

    __tablename__ = "str_profile"

    id: Mapped[Id]
    specimen_id: Mapped[int] = reference("specimen")
    typed_on: Mapped[date | None]
    kit: Mapped[Name | None]
    alleles: Mapped[list[str]] = mapped_column(JSON)
    """One text a locus: `D5S818: 11, 12`."""

    specimen: Mapped[Specimen] = relationship()

    __table_args__ = (Index(None, "specimen_id"), Index(None, "project_id"))

    @property
    def audit_label(self) -> str:
        """Give the day it was typed."""
        return f"STR profile {self.typed_on or ''}".strip()
