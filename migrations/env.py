"""Alembic's entry: runs on the connection that `lims.migrate` hands over, inside its transaction."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from lims.models import Base
from lims.models.base import UtcDateTime


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write our own types as the plain ones beneath, so that a migration says the same for ever."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    # SQLite changes a table by making it anew; PostgreSQL is not touched by it.
    render_as_batch=True,
    transactional_ddl=True,
    compare_server_default=True,
)
context.run_migrations()
