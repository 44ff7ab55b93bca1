"""What imports need beside their records: jobs, and the requests of programs."""

import sqlalchemy as sa
from alembic import op

from lims.migration_tables import BIG, create, create_table, drop, one_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _job() -> None:
    create_table(
        "job",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("kind", one_of("jobkind", "check", "commit"), nullable=False),
        sa.Column("state", one_of("jobstate", "queued", "running", "done", "failed"), nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("request", sa.String(length=80), nullable=False),
        sa.Column("expect", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accept", sa.JSON(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("project_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_job_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_job_project_id_project")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_job_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_batch_id_id"), "job", ["batch_id", "id"])
    op.create_index(op.f("ix_job_state_id"), "job", ["state", "id"])
    op.create_index(
        "uq_job_of_batch",
        "job",
        ["batch_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )


def _import_request() -> None:
    create_table(
        "import_request",
        sa.Column("id", BIG, nullable=False),
        sa.Column("token_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_request_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_import_request_project_id_project")),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name=op.f("fk_import_request_token_id_api_token")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_request")),
        sa.UniqueConstraint("token_id", "project_id", "key", name=op.f("uq_import_request_token_id_project_id_key")),
    )


def _import_edit() -> None:
    create_table(
        "import_edit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("sheet", sa.String(length=200), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("column_number", sa.Integer(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by_id", BIG, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("status", one_of("recordstatus", "active", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("column_number >= 1", name=op.f("ck_import_edit_column_number")),
        sa.CheckConstraint("row_number >= 1", name=op.f("ck_import_edit_row_number")),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_edit_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user_account.id"], name=op.f("fk_import_edit_made_by_id_user_account")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_import_edit_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_edit")),
    )
    op.create_index(op.f("ix_import_edit_batch_id_sheet_row_number"), "import_edit", ["batch_id", "sheet", "row_number"])
    op.create_index(op.f("ix_import_edit_project_id"), "import_edit", ["project_id"])


def _import_acceptance() -> None:
    create_table(
        "import_acceptance",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("accepted_by_id", BIG, nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["user_account.id"], name=op.f("fk_import_acceptance_accepted_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_acceptance_batch_id_import_batch")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_import_acceptance_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_acceptance")),
        sa.UniqueConstraint("batch_id", "code", name=op.f("uq_import_acceptance_batch_id_code")),
    )
    op.create_index(op.f("ix_import_acceptance_project_id"), "import_acceptance", ["project_id"])


TABLES = (
    _job,
    _import_request,
    _import_edit,
    _import_acceptance,
)
"""In the order of their references."""


def upgrade() -> None:
    create(TABLES)


def downgrade() -> None:
    drop(TABLES)
