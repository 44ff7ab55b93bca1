"""The first tables: people, the audit trail and signatures, files and studies; and the triggers that make both append-only."""

import sqlalchemy as sa
from alembic import op

from lims.audit.triggers import create_statements, drop_statements
from lims.migration_tables import BIG, create, create_table, drop, one_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


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


def _saved_view() -> None:
    create_table(
        "saved_view",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("endpoint", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_saved_view_project_id_project")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_saved_view_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "user_id", "project_id", "endpoint", "name", name=op.f("uq_saved_view_user_id_project_id_endpoint_name")
        ),
    )
    op.create_index(op.f("ix_saved_view_project_id"), "saved_view", ["project_id"])


def _api_token() -> None:
    create_table(
        "api_token",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("scope", one_of("tokenscope", "read", "import"), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_api_token_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token_token_sha256")),
    )
    op.create_index(op.f("ix_api_token_user_id"), "api_token", ["user_id"])


def _identifier_pattern() -> None:
    create_table(
        "identifier_pattern",
        sa.Column("id", BIG, nullable=False),
        sa.Column("noun", sa.String(length=80), nullable=False),
        sa.Column("pattern", sa.String(length=200), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("last_number >= 0", name=op.f("ck_identifier_pattern_last_number")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_identifier_pattern_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identifier_pattern")),
        sa.UniqueConstraint("project_id", "noun", name=op.f("uq_identifier_pattern_project_id_noun")),
    )


def _form_submission() -> None:
    create_table(
        "form_submission",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_form_submission_user_id_user_account")),
        sa.PrimaryKeyConstraint("user_id", "token", name=op.f("pk_form_submission")),
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
        sa.Column("blinded", sa.Boolean(), nullable=False),
        sa.Column("blinding", sa.Text(), nullable=True),
        sa.Column("sample_size_reasoning", sa.Text(), nullable=True),
        sa.Column("statistical_methods", sa.Text(), nullable=True),
        sa.Column("event_reasons", sa.JSON(), nullable=False),
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
        sa.Column("blind_code", sa.String(length=80), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("target_n >= 0", name=op.f("ck_arm_target_n")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_arm_project_id_project")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_arm_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arm")),
        sa.UniqueConstraint("study_id", "blind_code", name=op.f("uq_arm_study_id_blind_code")),
        sa.UniqueConstraint("study_id", "code", name=op.f("uq_arm_study_id_code")),
        sa.UniqueConstraint("study_id", "position", name=op.f("uq_arm_study_id_position")),
    )
    op.create_index(op.f("ix_arm_project_id"), "arm", ["project_id"])


def _import_profile() -> None:
    create_table(
        "import_profile",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_import_profile_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_profile")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_import_profile_project_id_name")),
    )


def _import_profile_version() -> None:
    create_table(
        "import_profile_version",
        sa.Column("id", BIG, nullable=False),
        sa.Column("profile_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("importer", sa.String(length=80), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("signature", sa.JSON(), nullable=False),
        sa.Column("study_id", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by_id", BIG, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user_account.id"], name=op.f("fk_import_profile_version_made_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["import_profile.id"], name=op.f("fk_import_profile_version_profile_id_import_profile")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_import_profile_version_project_id_project")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_import_profile_version_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_profile_version")),
        sa.UniqueConstraint("profile_id", "number", name=op.f("uq_import_profile_version_profile_id_number")),
    )


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
        sa.Column("profile_version_id", BIG, nullable=True),
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
        sa.ForeignKeyConstraint(
            ["profile_version_id"],
            ["import_profile_version.id"],
            name=op.f("fk_import_batch_profile_version_id_import_profile_version"),
        ),
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
        sa.Column("source", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_finding_batch_id_import_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_finding")),
    )
    op.create_index(op.f("ix_import_finding_batch_id_id"), "import_finding", ["batch_id", "id"])


def _record_source() -> None:
    create_table(
        "record_source",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("record_id", BIG, nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("source_sheet", sa.String(length=80), nullable=False),
        sa.Column("source_row", sa.Integer(), nullable=False),
        sa.Column("source_column", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_record_source_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_record_source_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_source")),
    )
    op.create_index(op.f("ix_record_source_batch_id"), "record_source", ["batch_id"])
    op.create_index(op.f("ix_record_source_entity_record_id"), "record_source", ["entity", "record_id"])
    op.create_index(op.f("ix_record_source_project_id"), "record_source", ["project_id"])


def _signature() -> None:
    create_table(
        "signature",
        sa.Column("id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("key", BIG, nullable=False),
        sa.Column("act", one_of("signatureact", "lock", "countersign", "amendment", "review"), nullable=False),
        sa.Column("meaning", one_of("signaturemeaning", "approved", "reviewed", "responsible"), nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("event_seq", BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["user_account.id"], name=op.f("fk_signature_person_id_user_account")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_signature_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
    )
    op.create_index(op.f("ix_signature_entity_key"), "signature", ["entity", "key"])
    op.create_index(op.f("ix_signature_person_id"), "signature", ["person_id"])
    op.create_index(op.f("ix_signature_project_id"), "signature", ["project_id"])


TABLES = (
    _audit_change,
    _audit_checkpoint,
    _audit_event,
    _project,
    _role,
    _stored_file,
    _user_account,
    _signature,
    _membership,
    _saved_view,
    _api_token,
    _identifier_pattern,
    _form_submission,
    _study,
    _arm,
    _import_profile,
    _import_profile_version,
    _import_batch,
    _import_finding,
    _record_source,
)
"""In the order of their references."""


def upgrade() -> None:
    create(TABLES)
    for statement in create_statements(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for statement in drop_statements(op.get_bind().dialect.name):
        op.execute(statement)
    drop(TABLES)
