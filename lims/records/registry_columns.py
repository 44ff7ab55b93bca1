"""The columns of a registry that people fill in as a workbook, derived from the noun.

Names, units, limits, terms and what is needed follow from the noun's table and `lims.audit.words`; what is declared of a
registry (`lims.records.registries`) is its title, an example of a filled-in line, and what no person fills in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer
from sqlalchemy import Enum as EnumType

from importers.template_format import ColumnKind, TemplateColumn, version_of
from lims.audit.words import entity_word, term_text, unit_of
from lims.models import Implant
from lims.models.base import Base, UtcDateTime
from lims.records.noun import Noun
from lims.records.references import refers_to
from lims.records.values import limits, table_of, word

FROM_FILES = frozenset({"batch_id", "source_sheet", "source_row", "source_column", "raw"})
"""Where an import found a record; an import fills them in, and no person does."""
POSITIONS = {("box_row", "box_column"): "position in the box", ("rack_row", "rack_column"): "position in the rack"}
"""Row and column of a position, which people write as one: `A4`."""
NAMING = ("code", "label")
"""The column by which people name a record that another one refers to."""


@dataclass(frozen=True, slots=True)
class Described:
    """A column with what stands about it on paper: what it is, what it may hold, and an example."""

    column: TemplateColumn
    about: str
    allowed: str
    example: Any = None
    span: tuple[float | None, float | None] = (None, None)
    """Lowest and highest value of a number."""
    target: type[Base] | None = None
    """What a reference refers to."""
    through: str | None = None
    """The reference of the table that leads to it, where the table has none of its own: the study of an arm."""

    @property
    def field(self) -> str:
        """Give the field that it fills, or the first of those."""
        return self.column.fields[0]


@dataclass(frozen=True)
class Registry:
    """One registry: a noun, its title, where its terms come from, and what an example of it holds, by field.

    left_out: columns that no person fills in. context: references by which others are found, and which are no columns of the
    table. extra: further columns that are no single column of the table.
    """

    noun: Noun[Any]
    title: str
    source: str
    examples: Mapping[str, Any]
    left_out: frozenset[str] = frozenset()
    extra: tuple[Described, ...] = ()
    context: tuple[Described, ...] = field(default=(), kw_only=True)
    only_extra: bool = field(default=False, kw_only=True)

    @property
    def name(self) -> str:
        """Name it as commands and addresses do."""
        return self.noun.name

    @cached_property
    def columns(self) -> tuple[Described, ...]:
        """Give its columns, in the order of the table."""
        return self.extra if self.only_extra else (*self.context, *_derived(self), *self.extra)

    @cached_property
    def version(self) -> str:
        """Give the version of templates with these columns."""
        return version_of(self.name, [one.column for one in self.columns])


def _derived(registry: Registry) -> list[Described]:
    noun, found = registry.noun, list[Described]()
    in_pairs = {name: (pair, told) for pair, told in POSITIONS.items() for name in pair}
    for column in table_of(noun.model).columns:
        if column.name not in noun.columns or column.name in registry.left_out | FROM_FILES:
            continue
        if column.name in in_pairs:
            pair, told = in_pairs[column.name]
            if column.name == pair[0]:
                made = TemplateColumn(told, ColumnKind.POSITION, pair)
                found.append(Described(made, f"Where it stands: row and column, {told}.", "such as A4", "A4"))
            continue
        described = _described(registry, column)
        if described is not None:
            found.append(described)
    return found


def _described(registry: Registry, column: Column[Any]) -> Described | None:
    """Describe a column; nothing of one that refers to records which have no name that a person could write."""
    noun = registry.noun
    model: type[Base] = noun.model
    target = refers_to(model, column.name) if column.foreign_keys else None
    if target is not None and naming_of(target) is None:
        return None
    kind, field_name = _kind(column), column.name.removesuffix("_id") if target is not None else column.name
    terms = tuple((term_text(code), code) for code in column.type.enums) if isinstance(column.type, EnumType) else ()
    unit = unit_of(str(model.__tablename__), column.name)
    named = noun.word if column.name == "code" else word(model, column.name)
    needed = not column.nullable and column.default is None and column.name != "code" and kind is not ColumnKind.SEVERAL
    header = f"{named} ({unit})" if unit else named
    made = TemplateColumn(header, kind, (field_name,), needed, terms)
    return Described(
        made,
        _about(noun, column, named),
        _allowed(model, column, kind, target, terms),
        _example(registry, field_name, kind, terms),
        span=limits(model).get(column.name, (None, None)),
        target=target,
    )


def _kind(column: Column[Any]) -> ColumnKind:
    if column.foreign_keys:
        return ColumnKind.REFERENCE
    kinds: tuple[tuple[type[Any], ColumnKind], ...] = (
        (EnumType, ColumnKind.TERM),
        (Boolean, ColumnKind.TRUTH),
        (JSON, ColumnKind.SEVERAL),
        (UtcDateTime, ColumnKind.MOMENT),
        (Date, ColumnKind.DATE),
        (Float, ColumnKind.NUMBER),
        (Integer, ColumnKind.WHOLE),
    )
    return next((kind for of, kind in kinds if isinstance(column.type, of)), ColumnKind.TEXT)


def _about(noun: Noun[Any], column: Column[Any], named: str) -> str:
    told = f"{named[:1].upper()}{named[1:]} of the {noun.word}."
    if column.name == "code":
        told = f"What the {noun.word} is called. Blank gives it the next free code."
    elif not column.nullable and column.default is None:
        told += " Needed."
    return f"{told} Never changed once it is recorded." if column.name in noun.fixed else told


def _allowed(
    model: type[Base], column: Column[Any], kind: ColumnKind, target: type[Base] | None, terms: tuple[tuple[str, str], ...]
) -> str:
    if target is not None:
        whose = "animal" if target is Implant and "animal_id" in table_of(model).columns else "project"
        return f"{entity_word(str(target.__tablename__))} that is there, by its {naming_of(target)}; of this {whose}"
    if terms:
        return ", ".join(told for told, _ in terms)
    lowest, highest = limits(model).get(column.name, (None, None))
    if highest is not None:
        return f"{kind.value}, {lowest:g} to {highest:g}"
    if lowest is not None:
        return f"{kind.value}, {lowest:g} or more"
    told = {ColumnKind.DATE: " such as 2026-11-02", ColumnKind.MOMENT: " such as 2026-11-02 14:30, the laboratory's time"}
    length = getattr(column.type, "length", None)
    return f"text, at most {length} characters" if kind is ColumnKind.TEXT and length else f"{kind.value}{told.get(kind, '')}"


def _example(registry: Registry, name: str, kind: ColumnKind, terms: tuple[tuple[str, str], ...]) -> Any:
    if name in registry.examples:
        return registry.examples[name]
    if kind is ColumnKind.TERM:
        return next((told for told, code in terms if not code.startswith(("not_", "unknown"))), None)
    return "yes" if kind is ColumnKind.TRUTH else None


def naming_of(model: type[Base]) -> str | None:
    """Give the column by which people name a record; nothing where a table has none."""
    return next((name for name in NAMING if name in table_of(model).columns), None)
