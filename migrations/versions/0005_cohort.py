"""Cohorts: allocation and enrolment, treatment and doses."""

import sqlalchemy as sa
from alembic import op

from lims.migration_tables import BIG, create, create_table, drop, one_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _randomisation() -> None:
    create_table(
        "randomisation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("study_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("method", one_of("allocationmethod", "stratified_blocks", "minimisation"), nullable=False),
        sa.Column("algorithm", sa.String(length=80), nullable=False),
        sa.Column("seed", sa.String(length=80), nullable=False),
        sa.Column("baseline_kind", sa.String(length=40), nullable=True),
        sa.Column("baseline_on", sa.Date(), nullable=True),
        sa.Column("strata", sa.JSON(), nullable=False),
        sa.Column("block_size", sa.Integer(), nullable=True),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("block_size >= 1", name=op.f("ck_randomisation_block_size")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_randomisation_number")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_randomisation_project_id_project")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_randomisation_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_randomisation")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_randomisation_study_id_number")),
    )
    op.create_index(op.f("ix_randomisation_project_id"), "randomisation", ["project_id"])


def _allocation() -> None:
    create_table(
        "allocation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("randomisation_id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("arm_id", BIG, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stratum", sa.String(length=200), nullable=True),
        sa.Column("baseline_value", sa.Float(precision=53), nullable=True),
        sa.Column("exclusion_reason", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(arm_id IS NULL) = (exclusion_reason IS NOT NULL)", name=op.f("ck_allocation_arm_or_reason")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_allocation_animal_id_animal")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_allocation_arm_id_arm")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_allocation_project_id_project")),
        sa.ForeignKeyConstraint(
            ["randomisation_id"], ["randomisation.id"], name=op.f("fk_allocation_randomisation_id_randomisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint("randomisation_id", "animal_id", name=op.f("uq_allocation_randomisation_id_animal_id")),
    )
    op.create_index(op.f("ix_allocation_animal_id"), "allocation", ["animal_id"])
    op.create_index(op.f("ix_allocation_project_id"), "allocation", ["project_id"])


def _enrolment() -> None:
    create_table(
        "enrolment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("study_id", BIG, nullable=False),
        sa.Column("arm_id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("enrolled_on", sa.Date(), nullable=True),
        sa.Column("day_zero_on", sa.Date(), nullable=True),
        sa.Column("randomisation_id", BIG, nullable=True),
        sa.Column("excluded_on", sa.Date(), nullable=True),
        sa.Column("exclusion_reason", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(excluded_on IS NULL) = (exclusion_reason IS NULL)", name=op.f("ck_enrolment_exclusion")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_enrolment_animal_id_animal")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_enrolment_arm_id_arm")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_enrolment_project_id_project")),
        sa.ForeignKeyConstraint(
            ["randomisation_id"], ["randomisation.id"], name=op.f("fk_enrolment_randomisation_id_randomisation")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_enrolment_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("study_id", "animal_id", name=op.f("uq_enrolment_study_id_animal_id")),
    )
    op.create_index(op.f("ix_enrolment_animal_id"), "enrolment", ["animal_id"])
    op.create_index(op.f("ix_enrolment_arm_id"), "enrolment", ["arm_id"])
    op.create_index(op.f("ix_enrolment_randomisation_id"), "enrolment", ["randomisation_id"])


def _agent() -> None:
    create_table(
        "agent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
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
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("pathway", sa.String(length=200), nullable=True),
        sa.Column("molecular_weight", sa.Float(precision=53), nullable=True),
        sa.Column("fraction_unbound_plasma", sa.Float(precision=53), nullable=True),
        sa.Column("fraction_unbound_brain", sa.Float(precision=53), nullable=True),
        sa.Column("abcb1_substrate", one_of("known", "yes", "no", "unknown"), nullable=False),
        sa.Column("abcg2_substrate", one_of("known", "yes", "no", "unknown"), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("fraction_unbound_brain BETWEEN 0 AND 1", name=op.f("ck_agent_fraction_unbound_brain")),
        sa.CheckConstraint("fraction_unbound_plasma BETWEEN 0 AND 1", name=op.f("ck_agent_fraction_unbound_plasma")),
        sa.CheckConstraint("molecular_weight >= 0", name=op.f("ck_agent_molecular_weight")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_agent_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_agent_project_id_code")),
    )


def _agent_lot() -> None:
    create_table(
        "agent_lot",
        sa.Column("id", BIG, nullable=False),
        sa.Column("agent_id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("supplier", sa.String(length=200), nullable=True),
        sa.Column("catalogue", sa.String(length=200), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("concentration_mg_ml", sa.Float(precision=53), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("concentration_mg_ml >= 0", name=op.f("ck_agent_lot_concentration_mg_ml")),
        sa.CheckConstraint(
            "received_on IS NULL OR expires_on IS NULL OR expires_on >= received_on",
            name=op.f("ck_agent_lot_expires_after_receipt"),
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_agent_lot_agent_id_agent")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_agent_lot_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_lot")),
        sa.UniqueConstraint("agent_id", "code", name=op.f("uq_agent_lot_agent_id_code")),
    )
    op.create_index(op.f("ix_agent_lot_project_id"), "agent_lot", ["project_id"])


def _regimen() -> None:
    create_table(
        "regimen",
        sa.Column("id", BIG, nullable=False),
        sa.Column("arm_id", BIG, nullable=False),
        sa.Column("agent_id", BIG, nullable=False),
        sa.Column("dose", sa.Float(precision=53), nullable=True),
        sa.Column("dose_unit", one_of("doseunit", "mg/kg", "mg", "Gy"), nullable=False),
        sa.Column(
            "route",
            one_of(
                "doseroute",
                "oral_gavage",
                "intravenous",
                "intraperitoneal",
                "subcutaneous",
                "intramuscular",
                "intrathecal",
                "intracerebroventricular",
                "in_diet",
                "in_water",
                "irradiation",
            ),
            nullable=False,
        ),
        sa.Column("volume_ml_kg", sa.Float(precision=53), nullable=True),
        sa.Column("schedule", sa.String(length=80), nullable=False),
        sa.Column("start", one_of("regimenstart", "study_day", "trigger"), nullable=False),
        sa.Column("start_day", sa.Integer(), nullable=True),
        sa.Column("trigger_kind", sa.String(length=40), nullable=True),
        sa.Column("trigger_above", sa.Float(precision=53), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("dose >= 0", name=op.f("ck_regimen_dose")),
        sa.CheckConstraint("volume_ml_kg >= 0", name=op.f("ck_regimen_volume_ml_kg")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_regimen_agent_id_agent")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_regimen_arm_id_arm")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_regimen_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regimen")),
    )
    op.create_index(op.f("ix_regimen_agent_id"), "regimen", ["agent_id"])
    op.create_index(op.f("ix_regimen_arm_id"), "regimen", ["arm_id"])
    op.create_index(op.f("ix_regimen_project_id"), "regimen", ["project_id"])


def _dose() -> None:
    create_table(
        "dose",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("agent_id", BIG, nullable=False),
        sa.Column("study_id", BIG, nullable=True),
        sa.Column("regimen_id", BIG, nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("state", one_of("dosestate", "given", "held", "missed"), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dose", sa.Float(precision=53), nullable=True),
        sa.Column("dose_unit", one_of("doseunit", "mg/kg", "mg", "Gy"), nullable=False),
        sa.Column(
            "route",
            one_of(
                "doseroute",
                "oral_gavage",
                "intravenous",
                "intraperitoneal",
                "subcutaneous",
                "intramuscular",
                "intrathecal",
                "intracerebroventricular",
                "in_diet",
                "in_water",
                "irradiation",
            ),
            nullable=True,
        ),
        sa.Column("weight_g", sa.Float(precision=53), nullable=True),
        sa.Column("weight_on", sa.Date(), nullable=True),
        sa.Column("computed_volume_ul", sa.Float(precision=53), nullable=True),
        sa.Column("volume_ul", sa.Float(precision=53), nullable=True),
        sa.Column("lot_id", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("operator", sa.String(length=200), nullable=True),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("source_sheet", sa.String(length=80), nullable=True),
        sa.Column("source_row", sa.Integer(), nullable=True),
        sa.Column("source_column", sa.Integer(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state <> 'given' OR given_on IS NOT NULL", name=op.f("ck_dose_given_on")),
        sa.CheckConstraint("due_on IS NOT NULL OR given_on IS NOT NULL", name=op.f("ck_dose_has_day")),
        sa.CheckConstraint("nth >= 1", name=op.f("ck_dose_nth")),
        sa.CheckConstraint("state = 'given' OR reason IS NOT NULL", name=op.f("ck_dose_reason")),
        sa.CheckConstraint("volume_ul >= 0", name=op.f("ck_dose_volume_ul")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_dose_agent_id_agent")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_dose_animal_id_animal")),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_dose_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["lot_id"], ["agent_lot.id"], name=op.f("fk_dose_lot_id_agent_lot")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_dose_project_id_project")),
        sa.ForeignKeyConstraint(["regimen_id"], ["regimen.id"], name=op.f("fk_dose_regimen_id_regimen")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_dose_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dose")),
    )
    op.create_index(op.f("ix_dose_animal_id"), "dose", ["animal_id"])
    op.create_index(op.f("ix_dose_batch_id"), "dose", ["batch_id"])
    op.create_index(op.f("ix_dose_project_id_id"), "dose", ["project_id", "id"])
    op.create_index(op.f("ix_dose_regimen_id_due_on"), "dose", ["regimen_id", "due_on"])
    op.create_index(op.f("ix_dose_study_id"), "dose", ["study_id"])
    op.create_index(
        "uq_dose_beside_plan",
        "dose",
        ["animal_id", "agent_id", sa.literal_column("coalesce(due_on, given_on)"), "nth"],
        unique=True,
        sqlite_where=sa.text("status = 'active' AND regimen_id IS NULL"),
        postgresql_where=sa.text("status = 'active' AND regimen_id IS NULL"),
    )
    op.create_index(
        "uq_dose_of_regimen",
        "dose",
        ["animal_id", "regimen_id", "due_on", "nth"],
        unique=True,
        sqlite_where=sa.text("status = 'active' AND regimen_id IS NOT NULL"),
        postgresql_where=sa.text("status = 'active' AND regimen_id IS NOT NULL"),
    )


TABLES = (
    _randomisation,
    _allocation,
    _enrolment,
    _agent,
    _agent_lot,
    _regimen,
    _dose,
)
"""In the order of their references."""


def upgrade() -> None:
    create(TABLES)


def downgrade() -> None:
    drop(TABLES)
