"""Protocols, cages, animals and their tumours, and what was measured of them."""

import sqlalchemy as sa
from alembic import op

from lims.migration_tables import BIG, create, create_table, drop, one_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CYCLES = {
    "fk_specimen_source_implant_id_implant": ("source_implant_id", "implant"),
    "fk_specimen_source_animal_id_animal": ("source_animal_id", "animal"),
}
"""Specimens come from implants and animals, of models, of specimens: SQLite takes this within the table, PostgreSQL after."""


def _animal_protocol() -> None:
    create_table(
        "animal_protocol",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("animals_allowed", sa.Integer(), nullable=False),
        sa.Column("procedures", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("animals_allowed >= 0", name=op.f("ck_animal_protocol_animals_allowed")),
        sa.CheckConstraint(
            "approved_on IS NULL OR expires_on >= approved_on", name=op.f("ck_animal_protocol_expires_after_approval")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_animal_protocol_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_animal_protocol")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_animal_protocol_project_id_code")),
    )


def _cage() -> None:
    create_table(
        "cage",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("rack", sa.String(length=80), nullable=True),
        sa.Column("rack_row", sa.Integer(), nullable=True),
        sa.Column("rack_column", sa.Integer(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity BETWEEN 1 AND 20", name=op.f("ck_cage_capacity")),
        sa.CheckConstraint("rack_column BETWEEN 1 AND 50", name=op.f("ck_cage_rack_column")),
        sa.CheckConstraint("rack_row BETWEEN 1 AND 26", name=op.f("ck_cage_rack_row")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_cage_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cage")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_cage_project_id_code")),
    )
    op.create_index(op.f("ix_cage_project_id_rack"), "cage", ["project_id", "rack"])


def _animal() -> None:
    create_table(
        "animal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("ear_tag", sa.String(length=80), nullable=True),
        sa.Column("rfid", sa.String(length=80), nullable=True),
        sa.Column("strain", sa.String(length=200), nullable=True),
        sa.Column("genotype", sa.String(length=200), nullable=True),
        sa.Column("sex", one_of("sex", "female", "male", "not_recorded"), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("arrived_on", sa.Date(), nullable=True),
        sa.Column("cage_id", BIG, nullable=True),
        sa.Column("protocol_id", BIG, nullable=True),
        sa.Column("state", one_of("animalstatus", "alive", "dead", "not_recorded"), nullable=False),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "died_on IS NULL OR birth_date IS NULL OR died_on >= birth_date", name=op.f("ck_animal_died_after_birth")
        ),
        sa.ForeignKeyConstraint(["cage_id"], ["cage.id"], name=op.f("fk_animal_cage_id_cage")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_animal_project_id_project")),
        sa.ForeignKeyConstraint(["protocol_id"], ["animal_protocol.id"], name=op.f("fk_animal_protocol_id_animal_protocol")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_animal")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_animal_project_id_code")),
    )
    op.create_index(op.f("ix_animal_cage_id"), "animal", ["cage_id"])
    op.create_index(op.f("ix_animal_protocol_id"), "animal", ["protocol_id"])
    columns = ["project_id", "status", "state", "died_on"]
    op.create_index(op.f("ix_animal_project_id_status_state_died_on"), "animal", columns)


def _cage_move() -> None:
    create_table(
        "cage_move",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("from_cage_id", BIG, nullable=True),
        sa.Column("to_cage_id", BIG, nullable=True),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_cage_move_animal_id_animal")),
        sa.ForeignKeyConstraint(["from_cage_id"], ["cage.id"], name=op.f("fk_cage_move_from_cage_id_cage")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_cage_move_project_id_project")),
        sa.ForeignKeyConstraint(["to_cage_id"], ["cage.id"], name=op.f("fk_cage_move_to_cage_id_cage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cage_move")),
    )
    op.create_index(op.f("ix_cage_move_animal_id"), "cage_move", ["animal_id"])
    op.create_index(op.f("ix_cage_move_project_id"), "cage_move", ["project_id"])


def _animal_alias() -> None:
    create_table(
        "animal_alias",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("alias", sa.String(length=80), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_animal_alias_animal_id_animal")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_animal_alias_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_animal_alias")),
        sa.UniqueConstraint("project_id", "alias", name=op.f("uq_animal_alias_project_id_alias")),
    )
    op.create_index(op.f("ix_animal_alias_animal_id"), "animal_alias", ["animal_id"])


def _implant() -> None:
    create_table(
        "implant",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column(
            "site",
            one_of(
                "implantsite",
                "intracranial",
                "intracarotid",
                "intracardiac",
                "intrathecal",
                "mammary_fat_pad",
                "subcutaneous",
                "tail_vein",
                "not_recorded",
            ),
            nullable=False,
        ),
        sa.Column("region", sa.String(length=200), nullable=True),
        sa.Column("hemisphere", one_of("hemisphere", "left", "right", "midline"), nullable=True),
        sa.Column("model_id", BIG, nullable=True),
        sa.Column("aliquot_id", BIG, nullable=True),
        sa.Column("preparation_id", BIG, nullable=True),
        sa.Column("donor_id", BIG, nullable=True),
        sa.Column("passage", sa.Integer(), nullable=True),
        sa.Column("implanted_on", sa.Date(), nullable=True),
        sa.Column("implanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("material", one_of("implantmaterial", "cells", "fragment"), nullable=True),
        sa.Column("cell_count", sa.Integer(), nullable=True),
        sa.Column("fragment_mm", sa.Float(precision=53), nullable=True),
        sa.Column("viability_percent", sa.Float(precision=53), nullable=True),
        sa.Column("vehicle", sa.String(length=200), nullable=True),
        sa.Column("volume_ul", sa.Float(precision=53), nullable=True),
        sa.Column("rate_ul_min", sa.Float(precision=53), nullable=True),
        sa.Column("dwell_min", sa.Float(precision=53), nullable=True),
        sa.Column("ap_mm", sa.Float(precision=53), nullable=True),
        sa.Column("ml_mm", sa.Float(precision=53), nullable=True),
        sa.Column("dv_mm", sa.Float(precision=53), nullable=True),
        sa.Column("coordinate_origin", one_of("stereotacticorigin", "bregma", "lambda"), nullable=True),
        sa.Column("depth_reference", one_of("depthreference", "skull", "dura"), nullable=True),
        sa.Column("angle_degrees", sa.Float(precision=53), nullable=True),
        sa.Column("needle", sa.String(length=200), nullable=True),
        sa.Column("anaesthetic", sa.String(length=200), nullable=True),
        sa.Column("analgesic", sa.String(length=200), nullable=True),
        sa.Column("analgesia_hours", sa.Float(precision=53), nullable=True),
        sa.Column("analgesia_doses", sa.Integer(), nullable=True),
        sa.Column("surgeon", sa.String(length=200), nullable=True),
        sa.Column("weight_g", sa.Float(precision=53), nullable=True),
        sa.Column("orthotopic_to_collection", one_of("orthotopic", "yes", "no", "unknown"), nullable=False),
        sa.Column("orthotopic_to_primary", one_of("orthotopic", "yes", "no", "unknown"), nullable=False),
        sa.Column("engraftment", one_of("engraftment", "pending", "engrafted", "failed"), nullable=False),
        sa.Column("engrafted_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("cell_count >= 0", name=op.f("ck_implant_cell_count")),
        sa.CheckConstraint(
            "engrafted_on IS NULL OR implanted_on IS NULL OR engrafted_on >= implanted_on",
            name=op.f("ck_implant_engrafted_after_implanted"),
        ),
        sa.CheckConstraint("passage >= 0", name=op.f("ck_implant_passage")),
        sa.CheckConstraint("viability_percent BETWEEN 0 AND 100", name=op.f("ck_implant_viability_percent")),
        sa.ForeignKeyConstraint(["aliquot_id"], ["aliquot.id"], name=op.f("fk_implant_aliquot_id_aliquot")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_implant_animal_id_animal")),
        sa.ForeignKeyConstraint(["donor_id"], ["patient.id"], name=op.f("fk_implant_donor_id_patient")),
        sa.ForeignKeyConstraint(["model_id"], ["pdx_model.id"], name=op.f("fk_implant_model_id_pdx_model")),
        sa.ForeignKeyConstraint(
            ["preparation_id"], ["cell_preparation.id"], name=op.f("fk_implant_preparation_id_cell_preparation")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_implant_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_implant")),
        sa.UniqueConstraint("animal_id", "label", name=op.f("uq_implant_animal_id_label")),
    )
    op.create_index(op.f("ix_implant_aliquot_id"), "implant", ["aliquot_id"])
    op.create_index(op.f("ix_implant_donor_id"), "implant", ["donor_id"])
    op.create_index(op.f("ix_implant_model_id"), "implant", ["model_id"])
    op.create_index(op.f("ix_implant_preparation_id"), "implant", ["preparation_id"])
    op.create_index(op.f("ix_implant_project_id"), "implant", ["project_id"])


def _lab_kind() -> None:
    create_table(
        "lab_kind",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("subject", one_of("subject", "animal", "implant"), nullable=False),
        sa.Column("hard_min", sa.Float(precision=53), nullable=False),
        sa.Column("hard_max", sa.Float(precision=53), nullable=False),
        sa.Column("soft_min", sa.Float(precision=53), nullable=True),
        sa.Column("soft_max", sa.Float(precision=53), nullable=True),
        sa.Column("decimals", sa.Integer(), nullable=True),
        sa.Column("log_axis", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("decimals BETWEEN 0 AND 6", name=op.f("ck_lab_kind_decimals")),
        sa.CheckConstraint("hard_max > hard_min", name=op.f("ck_lab_kind_hard_limits")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_lab_kind_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_kind")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_lab_kind_project_id_code")),
    )


def _measurement() -> None:
    create_table(
        "measurement",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("implant_id", BIG, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.Column("length_mm", sa.Float(precision=53), nullable=True),
        sa.Column("width_mm", sa.Float(precision=53), nullable=True),
        sa.Column("height_mm", sa.Float(precision=53), nullable=True),
        sa.Column("formula", one_of("volumeformula", "half_l_w2", "ellipsoid_lwh", "ellipsoid_lw2", "stated"), nullable=True),
        sa.Column("taken_on", sa.Date(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("relative_day", sa.Float(precision=53), nullable=True),
        sa.Column("study_id", BIG, nullable=True),
        sa.Column("slot", sa.String(length=40), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("quality", one_of("quality", "ok", "suspect", "excluded"), nullable=False),
        sa.Column("quality_reason", sa.Text(), nullable=True),
        sa.Column("operator", sa.String(length=200), nullable=True),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("source_sheet", sa.String(length=80), nullable=True),
        sa.Column("source_row", sa.Integer(), nullable=True),
        sa.Column("source_column", sa.Integer(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "taken_on IS NOT NULL OR (relative_day IS NOT NULL AND study_id IS NOT NULL)", name=op.f("ck_measurement_has_time")
        ),
        sa.CheckConstraint("occurrence >= 1", name=op.f("ck_measurement_occurrence")),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_measurement_animal_id_animal")),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_measurement_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["implant_id"], ["implant.id"], name=op.f("fk_measurement_implant_id_implant")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_measurement_project_id_project")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_measurement_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
    )
    op.create_index(op.f("ix_measurement_batch_id"), "measurement", ["batch_id"])
    op.create_index(op.f("ix_measurement_project_id_id"), "measurement", ["project_id", "id"])
    op.create_index(
        "uq_measurement_slot",
        "measurement",
        ["animal_id", sa.literal_column("coalesce(implant_id, 0)"), "kind", "slot", "occurrence"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )


TABLES = (
    _animal_protocol,
    _cage,
    _animal,
    _cage_move,
    _animal_alias,
    _implant,
    _lab_kind,
    _measurement,
)
"""In the order of their references."""


def upgrade() -> None:
    create(TABLES)
    if op.get_bind().dialect.name == "postgresql":
        for name, (column, table) in CYCLES.items():
            op.create_foreign_key(name, "specimen", table, [column], ["id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in CYCLES:
            op.drop_constraint(name, "specimen", type_="foreignkey")
    drop(TABLES)
