"""The first tables, and the triggers that make the audit trail append-only."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from lims.audit.triggers import create_statements, drop_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CYCLE = "fk_specimen_source_implant_id_implant"
"""Specimens come from implants, of models, of specimens: SQLite takes this reference within the table, PostgreSQL after."""
KINDS = (
    "caliper_volume",
    "caliper_area",
    "bli_total_flux",
    "bli_radiance",
    "bli_rlu",
    "mri_volume",
    "body_weight",
    "neurological_score",
    "body_condition",
)


def one_of(name: str, *terms: str) -> sa.Enum:
    """A term out of a list, as text; `create_table` adds the CHECK."""
    return sa.Enum(*terms, name=name, native_enum=False, create_constraint=False, length=40)


def any_of(column: str, terms: Iterable[str]) -> str:
    """The condition that a column holds one of the terms; joined by OR, because SQLite builds a list for IN anew for each row."""
    return " OR ".join(f"{column} = '{term}'" for term in terms)


def create_table(name: str, *items: sa.schema.SchemaItem, **options: Any) -> None:
    """Create a table with a CHECK for each column that holds a term."""
    checks = [
        sa.CheckConstraint(any_of(item.name, item.type.enums), name=op.f(f"ck_{name}_{item.type.name}"))
        for item in items
        if isinstance(item, sa.Column) and isinstance(item.type, sa.Enum)
    ]
    op.create_table(name, *items, *checks, **options)


def _audit_change() -> None:
    create_table(
        "audit_change",
        sa.Column("event_seq", BIG, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("key", BIG, nullable=False),
        sa.Column("project_id", BIG, nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_seq", "position", name=op.f("pk_audit_change")),
    )
    op.create_index(op.f("ix_audit_change_entity_key"), "audit_change", ["entity", "key"])


def _audit_checkpoint() -> None:
    create_table(
        "audit_checkpoint",
        sa.Column("id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoint")),
    )


def _audit_event() -> None:
    create_table(
        "audit_event",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("request", sa.String(length=80), nullable=False),
        sa.Column("project_id", BIG, nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_project_id_seq"), "audit_event", ["project_id", "seq"])


def _project() -> None:
    create_table(
        "project",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("code", name=op.f("uq_project_code")),
    )


def _role() -> None:
    create_table(
        "role",
        sa.Column("id", BIG, nullable=False),
        sa.Column(
            "name", one_of("rolename", "administrator", "study_director", "scientist", "technician", "auditor"), nullable=False
        ),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )


def _stored_file() -> None:
    create_table(
        "stored_file",
        sa.Column("id", BIG, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("sha256", name=op.f("uq_stored_file_sha256")),
    )


def _user_account() -> None:
    create_table(
        "user_account",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("administrator", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("login_count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_user_account_fs_uniquifier")),
    )
    op.create_index("uq_user_account_email", "user_account", [sa.literal_column("lower(email)")], unique=True)


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
        sa.Column("cage", sa.String(length=80), nullable=True),
        sa.Column("state", one_of("animalstatus", "alive", "dead", "not_recorded"), nullable=False),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "died_on IS NULL OR birth_date IS NULL OR died_on >= birth_date", name=op.f("ck_animal_died_after_birth")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_animal_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_animal")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_animal_project_id_code")),
    )


def _membership() -> None:
    create_table(
        "membership",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("role_id", BIG, nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_membership_project_id_project")),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_membership_role_id_role")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_membership_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("user_id", "project_id", name=op.f("uq_membership_user_id_project_id")),
    )
    op.create_index(op.f("ix_membership_project_id"), "membership", ["project_id"])


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


def _study() -> None:
    create_table(
        "study",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("hypothesis", sa.Text(), nullable=True),
        sa.Column(
            "kind", one_of("studykind", "efficacy", "pharmacokinetics", "resistance", "engraftment", "survival"), nullable=False
        ),
        sa.Column("state", one_of("studystatus", "draft", "active", "closed", "locked"), nullable=False),
        sa.Column("primary_outcome", sa.Text(), nullable=True),
        sa.Column("inclusion_criteria", sa.Text(), nullable=True),
        sa.Column("exclusion_criteria", sa.Text(), nullable=True),
        sa.Column("experimental_unit", sa.String(length=200), nullable=True),
        sa.Column("blinding", sa.Text(), nullable=True),
        sa.Column("sample_size_reasoning", sa.Text(), nullable=True),
        sa.Column("day_zero", one_of("dayzero", "implantation", "randomisation", "first_dose"), nullable=False),
        sa.Column("day_zero_on", sa.Date(), nullable=True),
        sa.Column("weight_loss_limit_percent", sa.Float(precision=53), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("weight_loss_limit_percent BETWEEN 0 AND 100", name=op.f("ck_study_weight_loss_limit")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_study_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_study_project_id_code")),
    )


def _animal_alias() -> None:
    create_table(
        "animal_alias",
        sa.Column("id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("alias", sa.String(length=80), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_animal_alias_animal_id_animal")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_animal_alias_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_animal_alias")),
        sa.UniqueConstraint("project_id", "alias", name=op.f("uq_animal_alias_project_id_alias")),
    )
    op.create_index(op.f("ix_animal_alias_animal_id"), "animal_alias", ["animal_id"])


def _arm() -> None:
    create_table(
        "arm",
        sa.Column("id", BIG, nullable=False),
        sa.Column("study_id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column(
            "role", one_of("armrole", "vehicle", "untreated", "treatment", "sham", "satellite", "not_recorded"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("target_n", sa.Integer(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("target_n >= 0", name=op.f("ck_arm_target_n")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_arm_project_id_project")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_arm_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arm")),
        sa.UniqueConstraint("study_id", "code", name=op.f("uq_arm_study_id_code")),
        sa.UniqueConstraint("study_id", "position", name=op.f("uq_arm_study_id_position")),
    )
    op.create_index(op.f("ix_arm_project_id"), "arm", ["project_id"])


def _import_batch() -> None:
    create_table(
        "import_batch",
        sa.Column("id", BIG, nullable=False),
        sa.Column("file_id", BIG, nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("study_id", BIG, nullable=True),
        sa.Column(
            "state", one_of("batchstate", "stored", "checked", "refused", "committed", "withdrawn", "superseded"), nullable=False
        ),
        sa.Column("importer", sa.String(length=80), nullable=True),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("uploaded_by_id", BIG, nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_by_id", BIG, nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supersedes_id", BIG, nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["committed_by_id"], ["user_account.id"], name=op.f("fk_import_batch_committed_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_import_batch_file_id_stored_file")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_import_batch_project_id_project")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_import_batch_study_id_study")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["import_batch.id"], name=op.f("fk_import_batch_supersedes_id_import_batch")),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["user_account.id"], name=op.f("fk_import_batch_uploaded_by_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    op.create_index(op.f("ix_import_batch_project_id_id"), "import_batch", ["project_id", "id"])
    op.create_index(
        "uq_import_batch_live_file",
        "import_batch",
        ["project_id", "file_id"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('withdrawn', 'superseded')"),
        postgresql_where=sa.text("state NOT IN ('withdrawn', 'superseded')"),
    )


def _specimen() -> None:
    create_table(
        "specimen",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("patient_id", BIG, nullable=True),
        sa.Column("source_implant_id", BIG, nullable=True),
        sa.Column("kind", one_of("specimenkind", "tumour", "plasma", "csf", "brain_region", "organ"), nullable=False),
        sa.Column("collected_on", sa.Date(), nullable=True),
        sa.Column(
            "procedure",
            one_of("collectionprocedure", "craniotomy", "biopsy", "csf_tap", "resection", "autopsy", "necropsy", "not_recorded"),
            nullable=False,
        ),
        sa.Column("site", sa.String(length=200), nullable=True),
        sa.Column("site_uberon", sa.String(length=80), nullable=True),
        sa.Column("origin", one_of("tumourorigin", "primary", "metastatic", "recurrent", "not_recorded"), nullable=False),
        sa.Column("cold_ischaemia_minutes", sa.Integer(), nullable=True),
        sa.Column("tumour_content_percent", sa.Float(precision=53), nullable=True),
        sa.Column("necrosis_percent", sa.Float(precision=53), nullable=True),
        sa.Column("histology", sa.String(length=200), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(patient_id IS NULL) <> (source_implant_id IS NULL)", name=op.f("ck_specimen_one_source")),
        sa.CheckConstraint("grade BETWEEN 1 AND 3", name=op.f("ck_specimen_grade")),
        sa.CheckConstraint("necrosis_percent BETWEEN 0 AND 100", name=op.f("ck_specimen_necrosis_percent")),
        sa.CheckConstraint("tumour_content_percent BETWEEN 0 AND 100", name=op.f("ck_specimen_tumour_content_percent")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_specimen_patient_id_patient")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_specimen_project_id_project")),
        sa.ForeignKeyConstraint(
            ["source_implant_id"], ["implant.id"], name="fk_specimen_source_implant_id_implant", use_alter=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specimen")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_specimen_project_id_code")),
    )
    op.create_index(op.f("ix_specimen_patient_id"), "specimen", ["patient_id"])


def _enrolment() -> None:
    create_table(
        "enrolment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("study_id", BIG, nullable=False),
        sa.Column("arm_id", BIG, nullable=False),
        sa.Column("animal_id", BIG, nullable=False),
        sa.Column("enrolled_on", sa.Date(), nullable=True),
        sa.Column("day_zero_on", sa.Date(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_enrolment_animal_id_animal")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_enrolment_arm_id_arm")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_enrolment_project_id_project")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_enrolment_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("study_id", "animal_id", name=op.f("uq_enrolment_study_id_animal_id")),
    )
    op.create_index(op.f("ix_enrolment_animal_id"), "enrolment", ["animal_id"])
    op.create_index(op.f("ix_enrolment_arm_id"), "enrolment", ["arm_id"])


def _import_finding() -> None:
    create_table(
        "import_finding",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("sheet", sa.String(length=200), nullable=True),
        sa.Column("row_number", sa.Integer(), nullable=True),
        sa.Column("column_number", sa.Integer(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_finding_batch_id_import_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_finding")),
    )
    op.create_index(op.f("ix_import_finding_batch_id_id"), "import_finding", ["batch_id", "id"])


def _pdx_model() -> None:
    create_table(
        "pdx_model",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("founding_specimen_id", BIG, nullable=True),
        sa.Column("state", one_of("modelstatus", "attempted", "established", "failed", "retired"), nullable=False),
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
        sa.Column("model_id", BIG, nullable=True),
        sa.Column("implanted_on", sa.Date(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["animal_id"], ["animal.id"], name=op.f("fk_implant_animal_id_animal")),
        sa.ForeignKeyConstraint(["model_id"], ["pdx_model.id"], name=op.f("fk_implant_model_id_pdx_model")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_implant_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_implant")),
        sa.UniqueConstraint("animal_id", "label", name=op.f("uq_implant_animal_id_label")),
    )
    op.create_index(op.f("ix_implant_model_id"), "implant", ["model_id"])
    op.create_index(op.f("ix_implant_project_id"), "implant", ["project_id"])


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
        sa.CheckConstraint(any_of("kind", KINDS), name=op.f("ck_measurement_kind")),
        sa.CheckConstraint("occurrence >= 1", name=op.f("ck_measurement_occurrence")),
        sa.CheckConstraint(
            "taken_on IS NOT NULL OR (relative_day IS NOT NULL AND study_id IS NOT NULL)", name=op.f("ck_measurement_has_time")
        ),
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
    _audit_change,
    _audit_checkpoint,
    _audit_event,
    _project,
    _role,
    _stored_file,
    _user_account,
    _animal,
    _membership,
    _patient,
    _study,
    _animal_alias,
    _arm,
    _import_batch,
    _specimen,
    _enrolment,
    _import_finding,
    _pdx_model,
    _implant,
    _measurement,
)
"""In the order of their references."""


def upgrade() -> None:
    for create in TABLES:
        create()
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.create_foreign_key(CYCLE, "specimen", "implant", ["source_implant_id"], ["id"])
    for statement in create_statements(dialect):
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in drop_statements(dialect):
        op.execute(statement)
    if dialect == "postgresql":
        op.drop_constraint(CYCLE, "specimen", type_="foreignkey")
    for create in reversed(TABLES):
        op.drop_table(create.__name__.removeprefix("_"))
