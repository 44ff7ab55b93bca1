"""Cohorts: allocation, treatment and doses, procedures and exposure, humane endpoints and fates."""

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


def _procedure() -> None:
    create_table(
        "procedure",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column(
            "kind",
            one_of("procedurekind", "bioluminescence", "mri", "ct", "pet", "irradiation", "blood_draw", "csf_tap", "surgery"),
            nullable=False,
        ),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.Column("anaesthetic", sa.String(length=200), nullable=True),
        sa.Column("volume_ul", sa.Float(precision=53), nullable=True),
        sa.Column("operator", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("volume_ul >= 0", name=op.f("ck_procedure_volume_ul")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_procedure_animal_id_animal")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_procedure_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure")),
    )
    op.create_index(op.f("ix_procedure_animal_id"), "procedure", ["animal_id"])
    op.create_index(op.f("ix_procedure_project_id_id"), "procedure", ["project_id", "id"])


def _exposure() -> None:
    create_table(
        "exposure",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("implant_id", BIG, nullable=True),
        sa.Column("specimen_id", BIG, nullable=True),
        sa.Column("agent_id", BIG, nullable=False),
        sa.Column("analyte", sa.String(length=200), nullable=True),
        sa.Column(
            "matrix",
            one_of(
                "exposurematrix",
                "plasma",
                "lesion_core",
                "lesion_rim",
                "micrometastasis",
                "adjacent_brain",
                "contralateral_brain",
                "extracranial_tumour",
                "csf",
            ),
            nullable=False,
        ),
        sa.Column("concentration", sa.Float(precision=53), nullable=True),
        sa.Column("unit", one_of("concentrationunit", "ng/mL", "ng/g", "nM"), nullable=False),
        sa.Column("below_lloq", sa.Boolean(), nullable=False),
        sa.Column("lloq", sa.Float(precision=53), nullable=True),
        sa.Column("collected_on", sa.Date(), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dose_id", BIG, nullable=True),
        sa.Column("hours_after_dose", sa.Float(precision=53), nullable=True),
        sa.Column("sample", sa.String(length=200), nullable=True),
        sa.Column("method", sa.String(length=200), nullable=True),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("concentration >= 0", name=op.f("ck_exposure_concentration")),
        sa.CheckConstraint("concentration IS NOT NULL OR below_lloq", name=op.f("ck_exposure_has_value")),
        sa.CheckConstraint("hours_after_dose >= 0", name=op.f("ck_exposure_hours_after_dose")),
        sa.CheckConstraint("lloq >= 0", name=op.f("ck_exposure_lloq")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_exposure_agent_id_agent")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_exposure_animal_id_animal")),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_exposure_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_exposure_dose_id_dose")),
        sa.ForeignKeyConstraint(["implant_id"], ["implant.id"], name=op.f("fk_exposure_implant_id_implant")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_exposure_project_id_project")),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_exposure_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposure")),
    )
    op.create_index(op.f("ix_exposure_agent_id"), "exposure", ["agent_id"])
    op.create_index(op.f("ix_exposure_animal_id"), "exposure", ["animal_id"])
    op.create_index(op.f("ix_exposure_batch_id"), "exposure", ["batch_id"])
    op.create_index(op.f("ix_exposure_project_id_id"), "exposure", ["project_id", "id"])


def _endpoint_rule() -> None:
    create_table(
        "endpoint_rule",
        sa.Column("id", BIG, nullable=False),
        sa.Column("protocol_id", BIG, nullable=False),
        sa.Column(
            "measure",
            one_of("endpointmeasure", "weight_loss", "neurological_score", "body_condition", "tumour_volume", "tumour_burden"),
            nullable=False,
        ),
        sa.Column("baseline", one_of("weightbaseline", "day_zero", "implant_day", "peak"), nullable=True),
        sa.Column("watch_at", sa.Float(precision=53), nullable=True),
        sa.Column("act_at", sa.Float(precision=53), nullable=False),
        sa.Column("consecutive_days", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("act_at >= 0", name=op.f("ck_endpoint_rule_act_at")),
        sa.CheckConstraint("consecutive_days BETWEEN 1 AND 30", name=op.f("ck_endpoint_rule_consecutive_days")),
        sa.CheckConstraint("watch_at >= 0", name=op.f("ck_endpoint_rule_watch_at")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_endpoint_rule_project_id_project")),
        sa.ForeignKeyConstraint(["protocol_id"], ["animal_protocol.id"], name=op.f("fk_endpoint_rule_protocol_id_animal_protocol")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_rule")),
    )
    op.create_index(op.f("ix_endpoint_rule_project_id"), "endpoint_rule", ["project_id"])
    op.create_index(op.f("ix_endpoint_rule_protocol_id"), "endpoint_rule", ["protocol_id"])


def _fate() -> None:
    create_table(
        "fate",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("died_on", sa.Date(), nullable=False),
        sa.Column(
            "reason",
            one_of(
                "fatereason",
                "neurological_endpoint",
                "weight_endpoint",
                "tumour_burden",
                "condition_endpoint",
                "found_dead",
                "scheduled",
                "tissue_harvest",
                "unrelated",
                "technical",
                "not_recorded",
            ),
            nullable=False,
        ),
        sa.Column("method", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("source_sheet", sa.String(length=80), nullable=True),
        sa.Column("source_row", sa.Integer(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_fate_animal_id_animal")),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_fate_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_fate_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fate")),
    )
    op.create_index(op.f("ix_fate_animal_id"), "fate", ["animal_id"])
    op.create_index(op.f("ix_fate_batch_id"), "fate", ["batch_id"])
    op.create_index(op.f("ix_fate_project_id"), "fate", ["project_id"])
    op.create_index(
        "uq_fate_of_animal",
        "fate",
        ["animal_id"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )


def _endpoint_action() -> None:
    create_table(
        "endpoint_action",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("rule_id", BIG, nullable=False),
        sa.Column("measurement_id", BIG, nullable=True),
        sa.Column("level", one_of("endpointlevel", "watch", "act"), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("reached_on", sa.Date(), nullable=False),
        sa.Column("state", one_of("actionstate", "open", "deferred", "closed"), nullable=False),
        sa.Column("deferred_until", sa.Date(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("fate_id", BIG, nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state = 'open' OR answer IS NOT NULL", name=op.f("ck_endpoint_action_answer")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_endpoint_action_animal_id_animal")),
        sa.ForeignKeyConstraint(["fate_id"], ["fate.id"], name=op.f("fk_endpoint_action_fate_id_fate")),
        sa.ForeignKeyConstraint(["measurement_id"], ["measurement.id"], name=op.f("fk_endpoint_action_measurement_id_measurement")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_endpoint_action_project_id_project")),
        sa.ForeignKeyConstraint(["rule_id"], ["endpoint_rule.id"], name=op.f("fk_endpoint_action_rule_id_endpoint_rule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_action")),
    )
    op.create_index(op.f("ix_endpoint_action_animal_id"), "endpoint_action", ["animal_id"])
    op.create_index(op.f("ix_endpoint_action_measurement_id"), "endpoint_action", ["measurement_id"])
    op.create_index(op.f("ix_endpoint_action_project_id_state"), "endpoint_action", ["project_id", "state"])
    op.create_index(
        "uq_endpoint_action_unanswered",
        "endpoint_action",
        ["animal_id", "rule_id"],
        unique=True,
        sqlite_where=sa.text("status = 'active' AND state <> 'closed'"),
        postgresql_where=sa.text("status = 'active' AND state <> 'closed'"),
    )


TABLES = (
    _randomisation,
    _allocation,
    _enrolment,
    _agent,
    _agent_lot,
    _regimen,
    _dose,
    _procedure,
    _exposure,
    _endpoint_rule,
    _fate,
    _endpoint_action,
)
"""In the order of their references."""


def upgrade() -> None:
    create(TABLES)


def downgrade() -> None:
    drop(TABLES)
