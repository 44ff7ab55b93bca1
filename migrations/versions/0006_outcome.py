"""What comes of cohorts: procedures and exposure, humane endpoints and fates."""

import sqlalchemy as sa
from alembic import op

from lims.migration_tables import BIG, create, create_table, drop, one_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


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
