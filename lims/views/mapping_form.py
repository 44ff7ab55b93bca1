"""The form of the mapping page: one row for each column of the table, filled with what is proposed or was said before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectChoice, SelectField, StringField  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs

from importers.columns import AREA_UNITS, LENGTH_UNITS, unit_name
from importers.mapping import NOT_NEEDED, UNREAD, VALUE, MappedColumn, TableMapping, problems
from importers.mapping_look import ColumnLook, KnownKind, TableLook
from importers.table_columns import DATE_ORDERS
from lims.domain.vocabulary import MeasurementKind
from lims.intake.mapping import Seen
from lims.views.form_fields import IsoDateField
from lims.views.once import OnceForm

UNITS: dict[str, dict[str, float]] = {
    "mm³": {"mm³": 1.0, "cm³": 1000.0, "µL": 1.0, "mL": 1000.0},
    "mm²": {"mm²": AREA_UNITS["mm2"], "cm²": AREA_UNITS["cm2"]},
    "g": {"g": 1.0, "mg": 0.001, "kg": 1000.0},
}
"""Canonical unit of a kind → the units that a file may have it in, with the factor; any other kind is in its own unit only."""
SIDES = {"length": "Tumour length", "width": "Tumour width", "height": "Tumour height"}
WHO = {
    "animal": "Animal, by any of its names",
    "date": "Date, or date and time",
    "day": "Study day",
    "tumour": "Which tumour of the animal",
    "operator": "Who measured",
    "device": "Device",
}
ABOUT = {
    "arm": "Group (arm)",
    "cage": "Cage",
    "sex": "Sex",
    "birth": "Date of birth",
    "strain": "Strain",
    "study": "Study",
    "model": "Model",
}
KEEP_FILE, KEEP_NEW, KEEP_VERSION = "file", "new", "version"
_LEAST_KNOWN = 0.5
"""Share of a column's values that must be animals of the project for it to be proposed as the animal."""


@dataclass(frozen=True, slots=True)
class Holds:
    """What a column may hold: as the form sends it, as people read it, and as the mapping keeps it."""

    code: str
    label: str
    column: MappedColumn


def options_of(kinds: Iterable[MeasurementKind], *, spread: bool) -> dict[str, list[Holds]]:
    """Give what a column may hold, in groups; columns of dates and days hold values only."""
    values = [
        Holds(
            f"value|{kind.code}|{unit}",
            f"{kind.title}, in {unit}",
            MappedColumn("", VALUE, kind=kind.code, unit=unit, factor=factor),
        )
        for kind in kinds
        for unit, factor in UNITS.get(kind.unit, {kind.unit: 1.0}).items()
    ]
    sides = [
        Holds(f"{role}|{unit}", f"{title}, in {unit}", MappedColumn("", role, unit=unit, factor=factor))
        for role, title in SIDES.items()
        for unit, factor in LENGTH_UNITS.items()
    ]
    unread = {"Not read": [Holds(UNREAD, "Not read", MappedColumn("", UNREAD))]}
    if spread:
        return {"Measurement": values, **unread}
    plain = {
        "Who and when": [Holds(role, title, MappedColumn("", role)) for role, title in WHO.items()],
        "Measurement": [*values, *sides],
        "About the animal": [Holds(role, title, MappedColumn("", role)) for role, title in ABOUT.items()],
    }
    return plain | unread


class MappingForm(OnceForm):
    """What a person says of a table; `mapping_form` adds two fields for each column."""

    sheet = HiddenField()
    header_row = HiddenField()
    apart = HiddenField()
    encoding = HiddenField()
    delimiter = HiddenField()
    decimal = HiddenField()
    date_order = RadioField("Dates such as {} have", choices=[], validate_choice=False)
    date = IsoDateField("Date of all rows", description="Only where no column or header says when.")
    keep = RadioField("Keep it", choices=[], default=KEEP_FILE, validate_choice=False)
    name = StringField(
        "Name of the profile", description="Such as “Weekly sheet of the barn”. The next file with these headers is read by it."
    )
    of_study = BooleanField("All files of this source belong to the study of this import")
    reason = StringField("Reason", description="Why the profile changes; it stands in its history.")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the form: a column, its two fields, and why something is proposed."""

    look: ColumnLook
    holds: Any
    reason: Any
    evidence: str


def mapping_form(seen: Seen, kinds: Mapping[str, MeasurementKind], animals: set[str], start: Mapping[str, Any]) -> MappingForm:
    """Make the form for a table. animals: those of its texts that the project knows. start: what the other fields begin with."""
    table = seen.table
    fields: dict[str, Any] = {}
    rows = [_proposed(one, table, kinds, animals) for one in table.columns]
    best = _animal_column(table, animals)
    known_roles = {one.role for one in table.known.values()}
    for place, (one, proposed) in enumerate(zip(table.columns, rows, strict=True), 1):
        said = MappedColumn(one.header, "animal") if one is best and "animal" not in known_roles else proposed
        fields |= column_fields(place, one.title, said, kinds, spread=one.spread)
    form: MappingForm = type("MappingOfTable", (MappingForm,), fields)(data=start)
    _offer(form, seen)
    return form


def column_fields(
    number: int, title: str, said: MappedColumn | None, kinds: Mapping[str, MeasurementKind], *, spread: bool
) -> dict[str, Any]:
    """Give the two fields of a column, named by its place in the form: what it holds, and why it is not read."""
    options = options_of(kinds.values(), spread=spread)
    code = _code(said, [holds for group in options.values() for holds in group])
    choices = [SelectChoice("", "Choose…")]
    choices += [SelectChoice(one.code, one.label, optgroup=group) for group, ones in options.items() for one in ones]
    why: dict[str, Any] = {"default": said.reason if said else "", "render_kw": {"placeholder": NOT_NEEDED}}
    return {
        f"c{number}": SelectField(title, choices=choices, default=code, validate_choice=False),
        f"why{number}": StringField(f"Why “{title}” is not read", **why),
    }


def _offer(form: MappingForm, seen: Seen) -> None:
    dates = seen.table.open_dates
    form.date_order.label.text = f"Dates such as {', '.join(dates)} have" if dates else "Dates have"
    form.date_order.choices = [SelectChoice(one.value, one.label) for one in DATE_ORDERS] if dates else []
    if form.date_order.data is None and dates:
        form.date_order.data = seen.table.proposed_order
    form.keep.choices = [SelectChoice(KEEP_FILE, "for this file only"), SelectChoice(KEEP_NEW, "as a new profile")]
    if seen.near is not None:
        form.keep.choices.append(SelectChoice(KEEP_VERSION, f"as a new version of the profile “{seen.near.name}”"))


def rows_of(form: MappingForm, table: TableLook, animals: set[str]) -> list[Row]:
    """Give the rows of the form, with the evidence for each proposal."""
    return [
        Row(one, form._fields[f"c{place}"], form._fields[f"why{place}"], _evidence(one, animals))
        for place, one in enumerate(table.columns, 1)
    ]


def _evidence(one: ColumnLook, animals: set[str]) -> str:
    known = sum(text in animals for text in one.different)
    if not known:
        return one.evidence
    return f"{known} of {len(one.different)} different values are animals of this project. {one.evidence}"


def _animal_column(table: TableLook, animals: set[str]) -> ColumnLook | None:
    """Give the column most of whose values are animals of the project."""
    counted = [(sum(text in animals for text in one.different), one) for one in table.columns if one.different]
    enough = [(known, one) for known, one in counted if known >= _LEAST_KNOWN * len(one.different)]
    return max(enough, key=lambda entry: entry[0])[1] if enough else None


def _proposed(one: ColumnLook, table: TableLook, kinds: Mapping[str, MeasurementKind], animals: set[str]) -> MappedColumn | None:
    """Give what was said of a column before, else what it seems to hold; a unit that its header leaves out, by the values."""
    if table.known:
        return table.known.get(one.column)
    best = _animal_column(table, animals)
    if one.proposed is None or (best is not None and one is not best and one.proposed.role == "animal"):
        return None
    if one.proposed.role != VALUE or one.proposed.unit:
        return one.proposed
    kind = kinds.get(one.proposed.kind)
    return replace(one.proposed, unit=_likely_unit(kind, one.middle)) if kind else None


def _likely_unit(kind: MeasurementKind, middle: float | None) -> str:
    """Give the one unit in which half of a column's values would be usual ones of the kind; nothing where several would."""
    units = UNITS.get(kind.unit, {kind.unit: 1.0})
    if len(units) == 1:
        return kind.unit
    likely = [
        unit for unit, factor in units.items() if middle and kind.soft_min <= middle * factor <= kind.soft_max and middle * factor
    ]
    return likely[0] if len(likely) == 1 else ""


def _code(proposed: MappedColumn | None, options: Sequence[Holds]) -> str:
    if proposed is None:
        return ""
    same = [one for one in options if one.column.role == proposed.role and one.column.kind == proposed.kind]
    if proposed.role in (VALUE, *SIDES):
        same = [one for one in same if proposed.unit and unit_name(one.column.unit) == unit_name(proposed.unit)]
    return same[0].code if len(same) == 1 else ""


def mapping_of(form: MappingForm, table: TableLook, kinds: Mapping[str, MeasurementKind]) -> TableMapping | None:
    """Give what was said of a table, or `None` with errors on the form."""
    asked = [MappedColumn(one.header, "", one.nth, spread=one.spread) for one in table.columns]
    columns = chosen_columns(form, asked, kinds)
    return None if columns is None else TableMapping(table.sheets[table.sheet][0], table.header_row, columns)


def chosen_columns(
    form: OnceForm, asked: Sequence[MappedColumn], kinds: Mapping[str, MeasurementKind]
) -> tuple[MappedColumn, ...] | None:
    """Give what was said of columns; `None` with an error at each of which nothing, or something impossible, was said."""
    fields, reasons = ([form._fields[f"{name}{place}"] for place, _ in enumerate(asked, 1)] for name in ("c", "why"))
    columns = []
    for one, field, why in zip(asked, fields, reasons, strict=True):
        options = {holds.code: holds for group in options_of(kinds.values(), spread=one.spread).values() for holds in group}
        chosen = options.get(field.data or "")
        if chosen is None:
            field.errors = [*field.errors, "Say what it holds, or that it is not read."]
            continue
        reason = (why.data or "").strip() or NOT_NEEDED if chosen.code == UNREAD else ""
        columns.append(replace(chosen.column, header=one.header, nth=one.nth, spread=one.spread, reason=reason))
    if len(columns) < len(asked):
        return None
    found = problems(TableMapping("", 1, tuple(columns)))
    for index, said in found:
        if index is None:
            form.form_errors.append(f"{said[0].upper()}{said[1:]}.")
        else:
            fields[index].errors = [*fields[index].errors, f"{said[0].upper()}{said[1:]}."]
    return None if found else tuple(columns)


def known_kinds(kinds: Mapping[str, MeasurementKind]) -> tuple[KnownKind, ...]:
    """Give the kinds as a look takes them."""
    return tuple(KnownKind(kind.code, kind.title, kind.unit) for kind in kinds.values())
