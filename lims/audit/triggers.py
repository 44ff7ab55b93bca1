"""Guard rails inside the database: whatever the program, the audit tables and signatures take new rows and nothing else.

They stop accidents and honest mistakes. Whoever may alter tables can drop a trigger; that is what the hash chain, the
checkpoints and the replay are for (`lims.audit.verify`).
"""

from __future__ import annotations

APPEND_ONLY = {
    "audit_event": ("seq",),
    "audit_change": ("event_seq", "position"),
    "audit_checkpoint": ("id",),
    "signature": ("id",),
}
"""Append-only tables with the columns of their primary key."""

REFUSAL = "the audit trail is append-only"
"""How the database's error message begins."""

_FUNCTION = "audit_refuse"


def create_statements(dialect: str) -> list[str]:
    """Give the DDL that makes the audit tables append-only, for `sqlite` or `postgresql`, in order."""
    if dialect == "sqlite":
        return [statement for table, key in APPEND_ONLY.items() for statement in _create_sqlite(table, key)]
    return [_CREATE_FUNCTION, *(statement for table in APPEND_ONLY for statement in _create_postgresql(table))]


def drop_statements(dialect: str) -> list[str]:
    """Give the DDL that undoes `create_statements`."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for table in APPEND_ONLY for verb in ("update", "delete", "replace")]
    return [
        *(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}" for table in APPEND_ONLY),
        f"DROP FUNCTION IF EXISTS {_FUNCTION}()",
    ]


def _create_sqlite(table: str, key: tuple[str, ...]) -> list[str]:
    refused = [
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}: {verb.upper()} on {table} is refused'); END"
        for verb in ("update", "delete")
    ]
    # INSERT OR REPLACE deletes without firing a delete trigger, unless the connection asks for recursive triggers.
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    return [
        *refused,
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608  # names of this module, no one's input
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}: REPLACE on {table} is refused'); END",
    ]


_CREATE_FUNCTION = f"""CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{REFUSAL}: % on % is refused', TG_OP, TG_TABLE_NAME;
END
$$"""


def _create_postgresql(table: str) -> list[str]:
    # A statement trigger fires on TRUNCATE and on ON CONFLICT DO UPDATE too; ALWAYS, so that a session which calls itself
    # a replica does not walk past it.
    return [
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only",
    ]
