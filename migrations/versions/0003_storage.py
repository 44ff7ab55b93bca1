"""Models, what was checked of them, and where aliquots are kept."""

import sqlalchemy as sa
from alembic import op

from lims.migration_tables import BIG, create, create_table, drop, one_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _pdx_model() -> None:
    create_table(
        "pdx_model",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("kind", one_of("modelkind", "xenograft", "organoid", "cell_culture"), nullable=False),
        sa.Column("founding_specimen_id", BIG, nullable=True),
        sa.Column("state", one_of("modelstatus", "attempted", "established", "failed", "retired"), nullable=False),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("luciferase_label", sa.String(length=200), nullable=True),
        sa.Column("passage_convention", one_of("passageconvention", "p0", "p1"), nullable=False),
        sa.Column("sharing_terms", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["founding_specimen_id"], ["specimen.id"], name=op.f("fk_pdx_model_founding_specimen_id_specimen")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_pdx_model_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pdx_model")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_pdx_model_project_id_code")),
    )
    op.create_index(op.f("ix_pdx_model_founding_specimen_id"), "pdx_model", ["founding_specimen_id"])


def _model_check() -> None:
    create_table(
        "model_check",
        sa.Column("id", BIG, nullable=False),
        sa.Column("model_id", BIG, nullable=False),
        sa.Column(
            "kind",
            one_of(
                "checkkind",
                "str_profile",
                "mycoplasma",
                "species_fraction",
                "lymphoma_exclusion",
                "histology_concordance",
                "her2_retained",
            ),
            nullable=False,
        ),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("specimen_id", BIG, nullable=True),
        sa.Column("result", one_of("checkresult", "passed", "failed", "inconclusive"), nullable=False),
        sa.Column("value_percent", sa.Float(precision=53), nullable=True),
        sa.Column("masters_percent", sa.Float(precision=53), nullable=True),
        sa.Column("profile_id", BIG, nullable=True),
        sa.Column("reference_profile_id", BIG, nullable=True),
        sa.Column("method", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("masters_percent BETWEEN 0 AND 100", name=op.f("ck_model_check_masters_percent")),
        sa.CheckConstraint("value_percent BETWEEN 0 AND 100", name=op.f("ck_model_check_value_percent")),
        sa.ForeignKeyConstraint(["model_id"], ["pdx_model.id"], name=op.f("fk_model_check_model_id_pdx_model")),
        sa.ForeignKeyConstraint(["profile_id"], ["str_profile.id"], name=op.f("fk_model_check_profile_id_str_profile")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_model_check_project_id_project")),
        sa.ForeignKeyConstraint(
            ["reference_profile_id"], ["str_profile.id"], name=op.f("fk_model_check_reference_profile_id_str_profile")
        ),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_model_check_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_check")),
    )
    op.create_index(op.f("ix_model_check_model_id"), "model_check", ["model_id"])
    op.create_index(op.f("ix_model_check_project_id"), "model_check", ["project_id"])


def _storage_place() -> None:
    create_table(
        "storage_place",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("kind", one_of("placekind", "site", "room", "freezer", "shelf", "rack", "box"), nullable=False),
        sa.Column("parent_id", BIG, nullable=True),
        sa.Column("temperature_celsius", sa.Float(precision=53), nullable=True),
        sa.Column("box_rows", sa.Integer(), nullable=True),
        sa.Column("box_columns", sa.Integer(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("box_columns BETWEEN 1 AND 50", name=op.f("ck_storage_place_box_columns")),
        sa.CheckConstraint(
            "kind <> 'box' OR (box_rows IS NOT NULL AND box_columns IS NOT NULL)", name=op.f("ck_storage_place_box_has_a_grid")
        ),
        sa.CheckConstraint("box_rows BETWEEN 1 AND 26", name=op.f("ck_storage_place_box_rows")),
        sa.ForeignKeyConstraint(["parent_id"], ["storage_place.id"], name=op.f("fk_storage_place_parent_id_storage_place")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_storage_place_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_storage_place")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_storage_place_project_id_code")),
    )
    op.create_index(op.f("ix_storage_place_parent_id"), "storage_place", ["parent_id"])


def _aliquot() -> None:
    create_table(
        "aliquot",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("specimen_id", BIG, nullable=False),
        sa.Column("parent_id", BIG, nullable=True),
        sa.Column(
            "material",
            one_of(
                "aliquotmaterial",
                "fresh_fragment",
                "viably_frozen",
                "snap_frozen",
                "ffpe",
                "oct",
                "cell_suspension",
                "organoid",
                "plasma",
                "csf",
                "lysate",
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.Float(precision=53), nullable=True),
        sa.Column("unit", one_of("amountunit", "fragments", "cells", "mg", "µL", "blocks", "sections"), nullable=True),
        sa.Column("preserved_on", sa.Date(), nullable=True),
        sa.Column("thaw_count", sa.Integer(), nullable=False),
        sa.Column("state", one_of("aliquotstate", "available", "used_up", "shipped", "discarded"), nullable=False),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("box_row", sa.Integer(), nullable=True),
        sa.Column("box_column", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_aliquot_amount")),
        sa.CheckConstraint("amount IS NULL OR unit IS NOT NULL", name=op.f("ck_aliquot_amount_has_unit")),
        sa.CheckConstraint("box_row IS NULL OR place_id IS NOT NULL", name=op.f("ck_aliquot_position_has_box")),
        sa.CheckConstraint("thaw_count >= 0", name=op.f("ck_aliquot_thaw_count")),
        sa.CheckConstraint("(box_row IS NULL) = (box_column IS NULL)", name=op.f("ck_aliquot_whole_position")),
        sa.ForeignKeyConstraint(["parent_id"], ["aliquot.id"], name=op.f("fk_aliquot_parent_id_aliquot")),
        sa.ForeignKeyConstraint(["place_id"], ["storage_place.id"], name=op.f("fk_aliquot_place_id_storage_place")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_aliquot_project_id_project")),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_aliquot_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aliquot")),
        sa.UniqueConstraint("place_id", "box_row", "box_column", name=op.f("uq_aliquot_place_id_box_row_box_column")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_aliquot_project_id_code")),
    )
    op.create_index(op.f("ix_aliquot_parent_id"), "aliquot", ["parent_id"])
    op.create_index(op.f("ix_aliquot_specimen_id"), "aliquot", ["specimen_id"])


def _aliquot_event() -> None:
    create_table(
        "aliquot_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("aliquot_id", BIG, nullable=False),
        sa.Column(
            "kind",
            one_of(
                "aliquoteventkind",
                "received",
                "stored",
                "moved",
                "taken_out",
                "thawed",
                "split",
                "used",
                "shipped",
                "returned",
                "discarded",
            ),
            nullable=False,
        ),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Float(precision=53), nullable=True),
        sa.Column("from_position", sa.String(length=200), nullable=True),
        sa.Column("to_position", sa.String(length=200), nullable=True),
        sa.Column("partner", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["aliquot_id"], ["aliquot.id"], name=op.f("fk_aliquot_event_aliquot_id_aliquot")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_aliquot_event_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aliquot_event")),
    )
    op.create_index(op.f("ix_aliquot_event_aliquot_id"), "aliquot_event", ["aliquot_id"])
    op.create_index(op.f("ix_aliquot_event_project_id"), "aliquot_event", ["project_id"])


def _cell_preparation() -> None:
    create_table(
        "cell_preparation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("sample", sa.String(length=200), nullable=False),
        sa.Column("count_name", sa.String(length=200), nullable=True),
        sa.Column("model_id", BIG, nullable=True),
        sa.Column("specimen_id", BIG, nullable=True),
        sa.Column("aliquot_id", BIG, nullable=True),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("viable_cells_per_ml", sa.Float(precision=53), nullable=False),
        sa.Column("total_cells_per_ml", sa.Float(precision=53), nullable=True),
        sa.Column("viability_percent", sa.Float(precision=53), nullable=True),
        sa.Column("mean_diameter_um", sa.Float(precision=53), nullable=True),
        sa.Column("dilution_factor", sa.Float(precision=53), nullable=True),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.Column("operator", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("dilution_factor BETWEEN 1 AND 10000", name=op.f("ck_cell_preparation_dilution_factor")),
        sa.CheckConstraint("mean_diameter_um BETWEEN 0.5 AND 200", name=op.f("ck_cell_preparation_mean_diameter_um")),
        sa.CheckConstraint("total_cells_per_ml BETWEEN 0 AND 1000000000", name=op.f("ck_cell_preparation_total_cells_per_ml")),
        sa.CheckConstraint("viability_percent BETWEEN 0 AND 100", name=op.f("ck_cell_preparation_viability_percent")),
        sa.CheckConstraint("viable_cells_per_ml BETWEEN 0 AND 1000000000", name=op.f("ck_cell_preparation_viable_cells_per_ml")),
        sa.ForeignKeyConstraint(["aliquot_id"], ["aliquot.id"], name=op.f("fk_cell_preparation_aliquot_id_aliquot")),
        sa.ForeignKeyConstraint(["model_id"], ["pdx_model.id"], name=op.f("fk_cell_preparation_model_id_pdx_model")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_cell_preparation_project_id_project")),
        sa.ForeignKeyConstraint(["specimen_id"], ["specimen.id"], name=op.f("fk_cell_preparation_specimen_id_specimen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cell_preparation")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_cell_preparation_project_id_code")),
    )
    op.create_index(op.f("ix_cell_preparation_aliquot_id"), "cell_preparation", ["aliquot_id"])
    op.create_index(op.f("ix_cell_preparation_model_id"), "cell_preparation", ["model_id"])
    op.create_index(op.f("ix_cell_preparation_project_id_counted_on"), "cell_preparation", ["project_id", "counted_on"])
    op.create_index(op.f("ix_cell_preparation_specimen_id"), "cell_preparation", ["specimen_id"])


TABLES = (
    _pdx_model,
    _model_check,
    _storage_place,
    _aliquot,
    _aliquot_event,
    _cell_preparation,
)
"""In the order of their references."""


def upgrade() -> None:
    create(TABLES)


def downgrade() -> None:
    drop(TABLES)
