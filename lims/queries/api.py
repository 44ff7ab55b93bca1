"""What the JSON API reads: every kind of record, as its mapped table has it.

`RESOURCES` is the one table that the answers, their filters, the OpenAPI document and the page about the API are made
from; a new column is in all of them by itself. A reference is told as the record's id and what names it (`NAMING`), by a
join, so that a page of a list is one statement, and one more for each kind of rows that stand within its records.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import JSON, Boolean, ColumnElement, Date, Float, Integer, Select, Text, func, select
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import Alias
from sqlalchemy.types import TypeEngine

from lims.audit.words import entity_word
from lims.domain.errors import DomainError, NotFound
from lims.domain.vocabulary import RecordStatus
from lims.models import (
    Agent,
    AgentLot,
    Aliquot,
    AliquotEvent,
    Allocation,
    Alteration,
    Animal,
    AnimalProtocol,
    Arm,
    Cage,
    CageMove,
    CellPreparation,
    Consent,
    Dose,
    EndpointAction,
    EndpointRule,
    Enrolment,
    Exposure,
    Fate,
    Implant,
    ImportBatch,
    LabKind,
    Measurement,
    ModelCheck,
    Patient,
    PdxModel,
    Procedure,
    Randomisation,
    ReceptorAssay,
    Regimen,
    Specimen,
    StainRegion,
    StoragePlace,
    StrProfile,
    Study,
    TherapyAgent,
    TherapyLine,
)
from lims.models.base import UtcDateTime
from lims.queries.aliquots import position_of
from lims.queries.blinding import readable, shown_arm, shown_id
from lims.queries.kinds import unit_of_kind
from lims.queries.models import decided_of, engrafted_of, latency_of, take_rate_of
from lims.queries.scope import LARGEST_ID, scoped
from lims.queries.specimens import cohort_of

NAMING = ("code", "label", "name", "file_name", "sha256")
"""The column that names a record where another one refers to it: the first of these that its table has."""
ANY_STATUS = "any"
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Field:
    """One value of a record. name: in the answer. parameter: how a filter names it. target: what a reference points to.

    terms: what it can be, where that is one of a list. about: what it is, where it is no column that the trail has a word for.
    """

    name: str
    parameter: str
    source: ColumnElement[Any]
    nullable: bool
    target: Alias | None = None
    terms: tuple[str, ...] = ()
    about: str = ""

    @property
    def type(self) -> TypeEngine[Any]:
        """Give the column's type."""
        return self.source.type

    @property
    def naming(self) -> str | None:
        """Give the column that names what a reference points to; None for records that have no such column."""
        return None if self.target is None else next((name for name in NAMING if name in self.target.c), None)

    @property
    def is_arm(self) -> bool:
        """Tell whether it refers to an arm, which the reader may have to know by its blinded code alone."""
        return self.target is not None and self.target.element is Arm.__table__

    @property
    def filtered(self) -> bool:
        """Tell whether a list can be narrowed to one value of it: not by fractions, times, prose or lists."""
        return not isinstance(self.type, Float | UtcDateTime | Text | JSON)


@dataclass(frozen=True, slots=True)
class Follows:
    """A value that no column holds, because it follows from others. about: what it is, with its unit."""

    source: ColumnElement[Any]
    about: str
    nullable: bool = True


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind of record. plural: in its address. hidden: columns that are not given.

    parts: rows that stand within its records, as {name in the answer: (their table, the column that refers to the record)}.
    extra: values that follow from columns.
    """

    plural: str
    model: type[Any]
    hidden: frozenset[str] = frozenset()
    parts: Mapping[str, tuple[type[Any], str]] = field(default_factory=dict)
    extra: Mapping[str, Follows] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """Name a record of it."""
        return entity_word(str(self.model.__tablename__))

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Give its values in the order of the table."""
        extra = [Field(name, name, one.source, one.nullable, about=one.about) for name, one in self.extra.items()]
        return (*fields_of(self.model, self.hidden), *extra)

    @cached_property
    def filters(self) -> dict[str, Field]:
        """Give what its list can be narrowed by."""
        return {one.parameter: one for one in self.fields if one.filtered and one.name != "id"}

    @cached_property
    def nested(self) -> dict[str, tuple[Field, ...]]:
        """Give the values of the rows that stand within its records."""
        return {name: fields_of(model, frozenset({parent})) for name, (model, parent) in self.parts.items()}

    @property
    def can_be_withdrawn(self) -> bool:
        """Tell whether its records can be withdrawn; a list gives those that were when it is asked to."""
        return "status" in self.filters

    @property
    def related(self) -> list[tuple[str, str, str]]:
        """Give what refers to its records: name of the link, collection, filter."""
        found = [(other.plural, one) for other in RESOURCES.values() for one in other.fields if _refers(one, self.model)]
        several = [plural for plural, _ in found]
        return [(plural if several.count(plural) == 1 else f"{plural}:{one.name}", plural, one.parameter) for plural, one in found]


def _refers(one: Field, model: type[Any]) -> bool:
    return one.target is not None and one.target.element is model.__table__


def fields_of(model: type[Any], hidden: frozenset[str] = frozenset()) -> tuple[Field, ...]:
    """Give the values of a table's rows: all columns but the project, secrets, bookkeeping and what is hidden."""
    left_out = hidden | {"project_id"} | model.secret_columns | (model.unaudited_columns - {"version"})
    found = []
    for column in model.__table__.columns:
        if column.name in left_out:
            continue
        known = tuple(column.type.enums) if isinstance(column.type, EnumType) else ()
        refers = next(iter(column.foreign_keys), None)
        name = column.name.removesuffix("_id") if refers else column.name
        target = refers.column.table.alias(f"named_{name}") if refers else None
        found.append(Field(name, column.name, column, bool(column.nullable), target, known))
    return tuple(found)


RESOURCES: dict[str, Resource] = {
    one.plural: one
    for one in (
        Resource("patients", Patient),
        Resource("consents", Consent),
        Resource("therapy-lines", TherapyLine, parts={"agents": (TherapyAgent, "therapy_line_id")}),
        Resource(
            "specimens",
            Specimen,
            extra={
                "cohort": Follows(
                    cohort_of(), "DEBBRAH cohort (NCT04420598) that it mimics, 1 to 5; follows from CNS status and HER2"
                )
            },
        ),
        Resource("receptor-assays", ReceptorAssay),
        Resource("alterations", Alteration),
        Resource("stain-regions", StainRegion),
        Resource("str-profiles", StrProfile),
        Resource("aliquots", Aliquot, extra={"position": Follows(position_of(), "position in its box, such as A4")}),
        Resource("aliquot-events", AliquotEvent),
        Resource("storage-places", StoragePlace),
        Resource("cell-preparations", CellPreparation),
        Resource(
            "models",
            PdxModel,
            extra={
                "implants_engrafted": Follows(engrafted_of(), "implants that engrafted", nullable=False),
                "implants_decided": Follows(decided_of(), "implants that engrafted or failed", nullable=False),
                "take_rate_percent": Follows(take_rate_of(), "implants that engrafted of those that engrafted or failed, in %"),
                "latency_days": Follows(latency_of(), "median time from implanting to first sight of a tumour, in d"),
            },
        ),
        Resource("model-checks", ModelCheck),
        Resource("animals", Animal),
        Resource("cages", Cage),
        Resource("cage-moves", CageMove),
        Resource("protocols", AnimalProtocol),
        Resource("endpoints", EndpointRule),
        Resource("endpoint-actions", EndpointAction),
        Resource("fates", Fate),
        Resource("implants", Implant),
        Resource("studies", Study),
        Resource("arms", Arm),
        Resource("randomisations", Randomisation),
        Resource("allocations", Allocation),
        Resource("enrolments", Enrolment),
        Resource("agents", Agent),
        Resource("lots", AgentLot),
        Resource("regimens", Regimen),
        Resource("doses", Dose),
        Resource(
            "measurements",
            Measurement,
            extra={"unit": Follows(unit_of_kind(), "unit of the value", nullable=False)},
        ),
        Resource("kinds", LabKind),
        Resource("procedures", Procedure),
        Resource("exposures", Exposure),
        Resource("import-batches", ImportBatch, hidden=frozenset({"choices"})),
    )
}
"""Every kind of record that the API gives, by the word of its address."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. after: the id to go on after, where there is more. count: how many there are, where asked."""

    records: list[dict[str, Any]]
    after: int | None
    count: int | None


def resource_named(plural: str) -> Resource:
    """Give a kind of record by the word of its address; raises `NotFound`."""
    if plural not in RESOURCES:
        raise NotFound("The API knows no such records.", expected=", ".join(RESOURCES))
    return RESOURCES[plural]


def list_records(
    session: Session,
    resource: Resource,
    project_id: int,
    asked: Mapping[str, str],
    *,
    after: int,
    size: int,
    count: bool,
    unblinded: bool,
) -> Page:
    """Give a project's records by id, from the first one after `after`, narrowed to what is `asked` (parameter: value).

    `unblinded` is `lims.queries.blinding.may_unblind` of the reader's role.

    Records that were withdrawn are given where `status` asks for them. Ids only grow, so that a walk from page to page
    meets each record that was there at its beginning once, whatever is recorded meanwhile.

    Raises:
        DomainError: a filter is not known, or its value cannot be one of the column's.
    """
    key = resource.model.id
    chosen = _selected(resource, project_id, unblinded=unblinded).where(*_conditions(resource, asked, unblinded=unblinded))
    rows = session.execute(chosen.where(key > after).order_by(key).limit(size + 1)).all()
    records = [_record(resource.fields, row) for row in rows[:size]]
    _add_parts(session, resource, records, unblinded=unblinded)
    counted = session.scalar(select(func.count()).select_from(chosen.with_only_columns(key).subquery())) if count else None
    return Page(records, records[-1]["id"] if len(rows) > size else None, counted)


def find_record(session: Session, resource: Resource, project_id: int, record_id: int, *, unblinded: bool) -> dict[str, Any]:
    """Give one record of the project, a withdrawn one too.

    Raises:
        NotFound: there is none with this id, or it belongs to another project; the two cannot be told apart.
    """
    wanted = _selected(resource, project_id, unblinded=unblinded).where(resource.model.id == record_id)
    row = session.execute(wanted).first() if 0 < record_id <= LARGEST_ID else None
    if row is None:
        raise NotFound(f"There is no {resource.word} {record_id} in this project.")
    record = _record(resource.fields, row)
    _add_parts(session, resource, [record], unblinded=unblinded)
    return record


def _selected(resource: Resource, project_id: int, *, unblinded: bool) -> Select[Any]:
    rows = scoped(resource.model, project_id).where(readable(resource.model, unblinded=unblinded))
    statement, columns = _joined(rows, resource.fields, unblinded=unblinded)
    return statement.with_only_columns(*columns, maintain_column_froms=True)


def _joined(statement: Select[Any], fields: Iterable[Field], *, unblinded: bool) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """Join what the references name; gives the columns to select, a reference's name behind its id."""
    columns: list[ColumnElement[Any]] = []
    for one in fields:
        columns.append(one.source.label(one.name))
        if one.target is not None and one.naming is not None:
            name: ColumnElement[Any] = one.target.c[one.naming]
            if one.is_arm:
                columns[-1] = shown_id(one.target, unblinded=unblinded).label(one.name)
                name = shown_arm(unblinded=unblinded, arm=one.target, column=one.naming)
            columns.append(name.label(f"{one.name}.{one.naming}"))
            statement = statement.outerjoin(one.target, one.target.c.id == one.source)
    return statement, columns


def _record(fields: Sequence[Field], row: Sequence[Any]) -> dict[str, Any]:
    values = iter(row)
    told: dict[str, Any] = {}
    for one in fields:
        value = next(values)
        if one.target is not None:
            named = {} if one.naming is None else {one.naming: next(values)}
            value = None if value is None and not any(named.values()) else {"id": value, **named}
        told[one.name] = value
    return told


def _add_parts(session: Session, resource: Resource, records: Sequence[dict[str, Any]], *, unblinded: bool) -> None:
    """Put the rows within each record that count; one statement for each kind of them."""
    for name, (model, parent) in resource.parts.items():
        fields, refers = resource.nested[name], getattr(model, parent)
        of_records = select(model).where(refers.in_([one["id"] for one in records]), model.status == RecordStatus.ACTIVE)
        statement, columns = _joined(of_records, fields, unblinded=unblinded)
        rows = session.execute(statement.with_only_columns(refers, *columns, maintain_column_froms=True).order_by(model.id))
        found = defaultdict(list)
        for key, *row in rows:
            found[key].append(_record(fields, row))
        for one in records:
            one[name] = found[one["id"]]


def _conditions(resource: Resource, asked: Mapping[str, str], *, unblinded: bool) -> list[ColumnElement[bool]]:
    unknown = sorted(asked.keys() - resource.filters.keys())
    if unknown:
        raise DomainError(
            f'A list of {resource.plural} is not filtered by "{ascii(unknown[0][:40])[1:-1]}".',
            field=unknown[0],
            expected=", ".join(resource.filters),
        )
    wanted = dict(asked)
    if resource.can_be_withdrawn and wanted.setdefault("status", RecordStatus.ACTIVE.value) == ANY_STATUS:
        del wanted["status"]
    conditions = []
    for parameter, typed in wanted.items():
        one = resource.filters[parameter]
        source: Any = one.source
        if one.target is not None and one.is_arm:
            source = shown_id(one.target, unblinded=unblinded)
        conditions.append(source.is_(None) if typed == "" else source == _value(one, typed))
    return conditions


def _value(one: Field, typed: str) -> Any:
    """Read a filter's value as its column takes it."""
    expected, kind = "text that can be typed", one.type
    if one.terms:
        expected = ", ".join((*one.terms, *([ANY_STATUS] if one.name == "status" else [])))
        if typed in one.terms:
            return kind.enum_class(typed) if isinstance(kind, EnumType) and kind.enum_class else typed
    elif isinstance(kind, Boolean):
        expected = "true or false"
        if typed in _TRUTH:
            return _TRUTH[typed]
    elif isinstance(kind, Integer):
        expected = "a whole number"
        if _WHOLE.fullmatch(typed):
            return int(typed)
    elif isinstance(kind, Date):
        expected = "a date, such as 2026-11-02"
        if (day := _day(typed)) is not None:
            return day
    elif not any(unicodedata.category(character) == "Cc" for character in typed):
        return unicodedata.normalize("NFC", typed)
    raise DomainError(f'"{ascii(typed[:40])[1:-1]}" cannot be the {one.parameter}.', field=one.parameter, expected=expected)


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        return None
