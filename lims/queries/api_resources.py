"""What the JSON API gives: every kind of record, as its mapped table has it.

`RESOURCES` is the one table that the answers, their filters, the OpenAPI document and the page about the API are made
from; a new column is in all of them by itself. A reference is told as the record's id and what names it (`NAMING`), by a
join, so that a page of a list is one statement, and one more for each kind of rows that stand within its records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import JSON, ColumnElement, Float, Text
from sqlalchemy import Enum as EnumType
from sqlalchemy.sql.selectable import Alias
from sqlalchemy.types import TypeEngine

from lims.audit.words import entity_word
from lims.domain.errors import NotFound
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
    Signature,
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
from lims.queries.kinds import unit_of_kind
from lims.queries.models import decided_of, engrafted_of, latency_of, take_rate_of
from lims.queries.specimens import cohort_of

NAMING = ("code", "label", "name", "file_name", "sha256")
"""The column that names a record where another one refers to it: the first of these that its table has."""


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


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that stand within the records of another kind. parent: the column that refers to the record. counts: which of them."""

    model: type[Any]
    parent: str
    counts: ColumnElement[bool]
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind of record. plural: in its address. hidden: columns that are not given.

    parts: rows that stand within its records, by their name in the answer.
    extra: values that follow from columns.
    """

    plural: str
    model: type[Any]
    hidden: frozenset[str] = frozenset()
    parts: Mapping[str, Part] = field(default_factory=dict)
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
        return {name: fields_of(one.model, one.hidden | {one.parent}) for name, one in self.parts.items()}

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


_THERAPY_AGENTS = Part(TherapyAgent, "therapy_line_id", TherapyAgent.status == RecordStatus.ACTIVE)
_SIGNATURES = Part(Signature, "key", Signature.entity == Study.__tablename__, frozenset({"entity", "content", "statement"}))
"""The reason of a signature is prose, which may name arms: pages veil it."""

RESOURCES: dict[str, Resource] = {
    one.plural: one
    for one in (
        Resource("patients", Patient),
        Resource("consents", Consent),
        Resource("therapy-lines", TherapyLine, parts={"agents": _THERAPY_AGENTS}),
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
        Resource("studies", Study, parts={"signatures": _SIGNATURES}),
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


def resource_named(plural: str) -> Resource:
    """Give a kind of record by the word of its address; raises `NotFound`."""
    if plural not in RESOURCES:
        raise NotFound("The API knows no such records.", expected=", ".join(RESOURCES))
    return RESOURCES[plural]
