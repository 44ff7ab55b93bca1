"""Patients, what was collected from them, and what was found in it."""

import sqlalchemy as sa
from alembic import op

from lims.migration_tables import BIG, create, create_table, drop, one_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _patient() -> None:
    create_table(
        "patient",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("sex", one_of("sex", "female", "male", "not_recorded"), nullable=False),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("ethnicity", sa.String(length=200), nullable=True),
        sa.Column("diagnosis", sa.String(length=200), nullable=True),
        sa.Column("diagnosis_ncit", sa.String(length=80), nullable=True),
        sa.Column("age_at_diagnosis", sa.Integer(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("age_at_diagnosis BETWEEN 0 AND 120", name=op.f("ck_patient_age_plausible")),
        sa.CheckConstraint("birth_year BETWEEN 1900 AND 2100", name=op.f("ck_patient_birth_year_plausible")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_patient_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_patient_project_id_code")),
    )


def _consent() -> None:
    create_table(
        "consent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("patient_id", BIG, nullable=False),
        sa.Column("protocol", sa.String(length=200), nullable=False),
        sa.Column("protocol_version", sa.String(length=80), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("research", sa.Boolean(), nullable=False),
        sa.Column("xenograft", sa.Boolean(), nullable=False),
        sa.Column("commercial", sa.Boolean(), nullable=False),
        sa.Column("sharing", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("withdrawn_on IS NULL OR withdrawn_on >= given_on", name=op.f("ck_consent_withdrawn_after_given")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_consent_patient_id_patient")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_consent_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_patient_id"), "consent", ["patient_id"])
    op.create_index(op.f("ix_consent_project_id"), "consent", ["project_id"])


def _therapy_line() -> None:
    create_table(
        "therapy_line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("patient_id", BIG, nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("stopped_on", sa.Date(), nullable=True),
        sa.Column(
            "best_response",
            one_of(
                "bestresponse",
                "complete_response",
                "partial_response",
                "stable_disease",
                "progressive_disease",
                "not_evaluable",
                "not_recorded",
            ),
            nullable=False,
        ),
        sa.Column(
            "stop_reason",
            one_of(
                "stopreason",
                "progression_cns",
                "progression_extracranial",
                "toxicity",
                "completed",
                "patient_choice",
                "death",
                "ongoing",
                "not_recorded",
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("line_number >= 0", name=op.f("ck_therapy_line_line_number")),
        sa.CheckConstraint(
            "stopped_on IS NULL OR started_on IS NULL OR stopped_on >= started_on",
            name=op.f("ck_therapy_line_stopped_after_started"),
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_therapy_line_patient_id_patient")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_therapy_line_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_therapy_line")),
    )
    op.create_index(op.f("ix_therapy_line_patient_id"), "therapy_line", ["patient_id"])
    op.create_index(op.f("ix_therapy_line_project_id"), "therapy_line", ["project_id"])


def _therapy_agent() -> None:
    create_table(
        "therapy_agent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("therapy_line_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "agent_class",
            one_of(
                "agentclass",
                "monoclonal_antibody",
                "antibody_drug_conjugate",
                "tyrosine_kinase_inhibitor",
                "cdk4_6_inhibitor",
                "pi3k_akt_mtor_inhibitor",
                "endocrine",
                "chemotherapy",
                "whole_brain_radiotherapy",
                "stereotactic_radiosurgery",
                "radiotherapy_other",
                "surgery",
                "vehicle",
                "other",
            ),
            nullable=False,
        ),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_therapy_agent_project_id_project")),
        sa.ForeignKeyConstraint(
            ["therapy_line_id"], ["therapy_line.id"], name=op.f("fk_therapy_agent_therapy_line_id_therapy_line")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_therapy_agent")),
    )
    op.create_index(op.f("ix_therapy_agent_project_id"), "therapy_agent", ["project_id"])
    op.create_index(op.f("ix_therapy_agent_therapy_line_id"), "therapy_agent", ["therapy_line_id"])


def _specimen() -> None:
    create_table(
        "specimen",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("patient_id", BIG, nullable=True),
        sa.Column("source_implant_id", BIG, nullable=True),
        sa.Column("source_animal_id", BIG, nullable=True),
        sa.Column("donor_id", BIG, nullable=True),
        sa.Column("passage", sa.Integer(), nullable=True),
        sa.Column("kind", one_of("specimenkind", "tumour", "blood", "plasma", "csf", "brain_region", "organ"), nullable=False),
        sa.Column("collected_on", sa.Date(), nullable=True),
        sa.Column(
            "procedure",
            one_of("collectionprocedure", "craniotomy", "biopsy", "csf_tap", "resection", "autopsy", "necropsy", "not_recorded"),
            nullable=False,
        ),
        sa.Column("site", sa.String(length=200), nullable=True),
        sa.Column("site_uberon", sa.String(length=80), nullable=True),
        sa.Column("origin", one_of("tumourorigin", "primary", "metastatic", "recurrent", "not_recorded"), nullable=False),
        sa.Column(
            "cns_status",
            one_of(
                "cnsstatus",
                "untreated_asymptomatic",
                "stable_after_local_therapy",
                "progressing_after_local_therapy",
                "leptomeningeal",
                "none_known",
                "not_recorded",
            ),
            nullable=False,
        ),
        sa.Column("on_steroids", sa.Boolean(), nullable=True),
        sa.Column("warm_ischaemia_minutes", sa.Integer(), nullable=True),
        sa.Column("cold_ischaemia_minutes", sa.Integer(), nullable=True),
        sa.Column("tumour_content_percent", sa.Float(precision=53), nullable=True),
        sa.Column("necrosis_percent", sa.Float(precision=53), nullable=True),
        sa.Column("histology", sa.String(length=200), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("pathologist", sa.String(length=200), nullable=True),
        sa.Column("her2_result", one_of("her2result", "positive", "negative", "equivocal", "not_assessed"), nullable=False),
        sa.Column("her2_label", one_of("her2label", "her2_low", "her2_0"), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("cold_ischaemia_minutes >= 0", name=op.f("ck_specimen_cold_ischaemia")),
        sa.CheckConstraint("grade BETWEEN 1 AND 3", name=op.f("ck_specimen_grade")),
        sa.CheckConstraint("necrosis_percent BETWEEN 0 AND 100", name=op.f("ck_specimen_necrosis_percent")),
        sa.CheckConstraint(
            "(patient_id IS NOT NULL AND source_implant_id IS NULL AND source_animal_id IS NULL)"
            " OR (patient_id IS NULL AND source_implant_id IS NOT NULL AND source_animal_id IS NULL)"
            " OR (patient_id IS NULL AND source_implant_id IS NULL AND source_animal_id IS NOT NULL)",
            name=op.f("ck_specimen_one_source"),
        ),
        sa.CheckConstraint("tumour_content_percent BETWEEN 0 AND 100", name=op.f("ck_specimen_tumour_content_percent")),
        sa.CheckConstraint("warm_ischaemia_minutes >= 0", name=op.f("ck_specimen_warm_ischaemia")),
        sa.ForeignKeyConstraint(["donor_id"], ["patient.id"], name=op.f("fk_specimen_donor_id_patient")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_specimen_patient_id_patient")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_specimen_project_id_project")),
        sa.ForeignKeyConstraint(["source_animal_id"], ["animal.id"], name="fk_specimen_source_animal_id_animal", use_alter=True),
        sa.ForeignKeyConstraint(
            ["source_implant_id"], ["implant.id"], name="fk_specimen_source_implant_id_implant", use_alter=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specimen")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_specimen_project_id_code")),
    )
    op.create_index(op.f("ix_specimen_donor_id"), "specimen", ["donor_id"])
    op.create_index(op.f("ix_specimen_patient_id"), "specimen", ["patient_id"])
    op.create_index(op.f("ix_specimen_source_animal_id"), "specimen", ["source_animal_id"])
    op.create_index(op.f("ix_specimen_source_implant_id"), "specimen", ["source_implant_id"])


def _receptor_assay() -> None:
    create_table(
        "receptor_assay",
        sa.Column("id", BIG, nullable=False),
        sa.Column("specimen_id", BIG, nullable=False),
        sa.Column("assayed_on", sa.Date(), nullable=True),
        sa.Column("er_percent", sa.Float(precision=53), nullable=True),
        sa.Column("pr_percent", sa.Float(precision=53), nullable=True),
        sa.Column("ki67_percent", sa.Float(precision=53), nullable=True),
        sa.Column("her2_ihc", one_of("her2ihc", "0", "1+", "2+", "3+"), nullable=True),
        sa.Column("ish_probe", one_of("ishprobe", "single", "dual"), nullable=True),
        sa.Column("her2_copies", sa.Float(precision=53), nullable=True),
        sa.Column("her2_cep17_ratio", sa.Float(precision=53), nullable=True),
        sa.Column("antibody", sa.String(length=200), nullable=True),
        sa.Column("laboratory", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("er_percent BETWEEN 0 AND 100", name=op.f("ck_receptor_assay_er_percent")),
        sa.CheckConstraint("her2_cep17_ratio BETWEEN 0 AND 100", name=op.f("ck_receptor_assay_her2_cep17_ratio")),
        sa.CheckConstraint("her2_copies BETWEEN 0 AND 200", name=op.f("ck_receptor_assay_her2_copies")),
        sa.CheckConstraint("ki67_percent BETWEEN 0 AND 100", name=op.f("ck_receptor_assay_ki67_percent")),
        sa.CheckConstraint("pr_percent BETWEEN 0 AND 100", name=op.f("ck_receptor_assay_pr_percent")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_receptor_assay_project_id_project")),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_receptor_assay_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receptor_assay")),
    )
    op.create_index(op.f("ix_receptor_assay_project_id"), "receptor_assay", ["project_id"])
    op.create_index(op.f("ix_receptor_assay_specimen_id"), "receptor_assay", ["specimen_id"])


def _alteration() -> None:
    create_table(
        "alteration",
        sa.Column("id", BIG, nullable=False),
        sa.Column("specimen_id", BIG, nullable=False),
        sa.Column("gene", sa.String(length=80), nullable=False),
        sa.Column("kind", one_of("alterationkind", "mutation", "copy_number", "fusion", "expression", "protein"), nullable=False),
        sa.Column("compartment", one_of("compartment", "human_tumour", "mouse_host"), nullable=False),
        sa.Column("hgvs", sa.String(length=200), nullable=True),
        sa.Column("vaf_percent", sa.Float(precision=53), nullable=True),
        sa.Column("copies", sa.Float(precision=53), nullable=True),
        sa.Column("log2_ratio", sa.Float(precision=53), nullable=True),
        sa.Column("calibrator", sa.String(length=200), nullable=True),
        sa.Column("delta_cq", sa.Float(precision=53), nullable=True),
        sa.Column("delta_cq_sd", sa.Float(precision=53), nullable=True),
        sa.Column("reference_genes", sa.String(length=200), nullable=True),
        sa.Column("h_score", sa.Float(precision=53), nullable=True),
        sa.Column("platform", sa.String(length=200), nullable=True),
        sa.Column("found_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("copies >= 0", name=op.f("ck_alteration_copies")),
        sa.CheckConstraint("delta_cq BETWEEN -50 AND 50", name=op.f("ck_alteration_delta_cq")),
        sa.CheckConstraint("delta_cq_sd >= 0", name=op.f("ck_alteration_delta_cq_sd")),
        sa.CheckConstraint("h_score BETWEEN 0 AND 300", name=op.f("ck_alteration_h_score")),
        sa.CheckConstraint("vaf_percent BETWEEN 0 AND 100", name=op.f("ck_alteration_vaf_percent")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_alteration_project_id_project")),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_alteration_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alteration")),
    )
    op.create_index(op.f("ix_alteration_project_id_gene"), "alteration", ["project_id", "gene"])
    op.create_index(op.f("ix_alteration_specimen_id"), "alteration", ["specimen_id"])


def _stain_region() -> None:
    create_table(
        "stain_region",
        sa.Column("id", BIG, nullable=False),
        sa.Column("specimen_id", BIG, nullable=False),
        sa.Column("marker", sa.String(length=80), nullable=False),
        sa.Column("compartment", one_of("compartment", "human_tumour", "mouse_host"), nullable=False),
        sa.Column("image", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=200), nullable=False),
        sa.Column("software", sa.String(length=200), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=True),
        sa.Column("positive_cells", sa.Integer(), nullable=True),
        sa.Column("positive_percent", sa.Float(precision=53), nullable=True),
        sa.Column("h_score", sa.Float(precision=53), nullable=True),
        sa.Column("area_mm2", sa.Float(precision=53), nullable=True),
        sa.Column("analysed_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("area_mm2 > 0", name=op.f("ck_stain_region_area_mm2")),
        sa.CheckConstraint("cells >= 0", name=op.f("ck_stain_region_cells")),
        sa.CheckConstraint("h_score BETWEEN 0 AND 300", name=op.f("ck_stain_region_h_score")),
        sa.CheckConstraint("positive_cells >= 0", name=op.f("ck_stain_region_positive_cells")),
        sa.CheckConstraint("positive_percent BETWEEN 0 AND 100", name=op.f("ck_stain_region_positive_percent")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_stain_region_project_id_project")),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_stain_region_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stain_region")),
    )
    op.create_index(op.f("ix_stain_region_project_id_marker"), "stain_region", ["project_id", "marker"])
    op.create_index(
        "uq_stain_region_standing",
        "stain_region",
        ["specimen_id", "marker", "compartment", "image", "region", "software"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )


def _str_profile() -> None:
    create_table(
        "str_profile",
        sa.Column("id", BIG, nullable=False),
        sa.Column("specimen_id", BIG, nullable=False),
        sa.Column("typed_on", sa.Date(), nullable=True),
        sa.Column("kit", sa.String(length=200), nullable=True),
        sa.Column("alleles", sa.JSON(), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_str_profile_project_id_project")),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_str_profile_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_str_profile")),
    )
    op.create_index(op.f("ix_str_profile_project_id"), "str_profile", ["project_id"])
    op.create_index(op.f("ix_str_profile_specimen_id"), "str_profile", ["specimen_id"])


TABLES = (
    _patient,
    _consent,
    _therapy_line,
    _therapy_agent,
    _specimen,
    _receptor_assay,
    _alteration,
    _stain_region,
    _str_profile,
)
"""In the order of their references."""


def upgrade() -> None:
    create(TABLES)


def downgrade() -> None:
    drop(TABLES)
