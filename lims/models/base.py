"""The declarative base: constraint names, column types as `Annotated` aliases, enums by value with a CHECK."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from lims.domain.vocabulary import RecordStatus

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC date-time; SQLite, which has no time zones, keeps it as naive UTC text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive value; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: the database holds UTC only")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give an aware UTC value."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BIG_INTEGER = BigInteger().with_variant(Integer, "sqlite")

Id = Annotated[int, mapped_column(BIG_INTEGER, primary_key=True)]
Code = Annotated[str, mapped_column(String(80))]
Name = Annotated[str, mapped_column(String(200))]
Prose = Annotated[str, mapped_column(Text)]
Sha256 = Annotated[str, mapped_column(String(64))]


def reference(table: str) -> Any:
    """Annotate a foreign key to `table.id`, indexed by whoever needs it."""
    return mapped_column(BIG_INTEGER, ForeignKey(f"{table}.id"))


def any_of(column: str, terms: Iterable[str]) -> str:
    """Give the SQL condition that a column holds one of the terms.

    Joined by OR, because SQLite builds the list of an IN anew for every row, which doubles the time of an import.
    """
    return " OR ".join(f"{column} = '{term}'" for term in terms)


class _Terms(EnumType.Comparator):
    """Writes a term that a column is compared with into the statement, where other values are bound.

    SQLite prepares a statement anew whenever it is given a value that decides whether a partial index may serve, such as a
    status: that takes longer than the statement itself.
    """

    def operate(self, op: Any, *other: Any, **options: Any) -> Any:
        """Compare with a term as it is written."""
        written = [text(f"'{one.value}'") if isinstance(one, Enum) else one for one in other]
        return super().operate(op, *written, **options)


def set_up_terms(metadata: MetaData) -> None:
    """Give every column that holds a term a named CHECK, and its way of being compared."""
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, EnumType):
                column.type.comparator_factory = _Terms
                table.append_constraint(CheckConstraint(any_of(column.name, column.type.enums), name=column.name))


class Base(DeclarativeBase):
    """Every table. `audited` tables change only through `lims.records`, inside a declared action."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        date: Date,
        float: Float(53),
        Enum: EnumType(
            Enum, native_enum=False, create_constraint=False, length=40, values_callable=lambda members: [m.value for m in members]
        ),
    }
    audited: ClassVar[bool] = True
    unaudited_columns: ClassVar[frozenset[str]] = frozenset({"version"})
    """Bookkeeping that is not part of the record: row versions, sign-in counters."""
    secret_columns: ClassVar[frozenset[str]] = frozenset()
    """Audited by their SHA-256 only: the trail is exported and read by many."""

    @property
    def audit_label(self) -> str:
        """Name this record as people do: the second half of a reference in the audit trail."""
        return str(getattr(self, "code", None) or getattr(self, "name", None) or f"#{getattr(self, 'id', '?')}")


class Versioned:
    """Two editors: the second one to save gets a conflict, never a lost update."""

    version: Mapped[int] = mapped_column(Integer, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  # a class-level attribute: SQLAlchemy passes the class
        """Let the unit of work compare and count up the row's version."""
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]  # set by the declarative base


class Withdrawable:
    """Nothing is deleted: a record is withdrawn with a reason, which stands in the audit trail."""

    status: Mapped[RecordStatus] = mapped_column(default=RecordStatus.ACTIVE)


class InProject:
    """Belongs to one project: the access boundary."""

    project_id: Mapped[int] = reference("project")
