"""The form of a measuring session: what all readings share, and the inputs of each row with what is said of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from wtforms import StringField

from lims.domain.errors import told
from lims.domain.readings import CALIPER_KINDS, OUT_OF_REACH, Before, Diameters
from lims.domain.vocabulary import ImplantSite, MeasurementKind, Subject, VolumeFormula
from lims.plots import shown
from lims.queries.measurements import Key
from lims.queries.measuring import Measured
from lims.records.readings import Judged, NewReading
from lims.views.entry_cells import Cell
from lims.views.form_fields import IsoDateField, TermField, needed
from lims.views.implant_forms import ClockField
from lims.views.record_forms import RecordForm, typed
from lims.views.transaction import installation

FORMULAS = {
    VolumeFormula.HALF_L_W2: "½ · L · W²",
    VolumeFormula.ELLIPSOID_LWH: "π/6 · L · W · H",
    VolumeFormula.ELLIPSOID_LW2: "π/6 · L · W²",
    VolumeFormula.STATED: "stated by the file",
}
_PARTS = {"length_mm": "L", "width_mm": "W", "height_mm": "H"}
CELL = re.compile(r"(\d{1,18})-(\d{1,18})-([a-z][a-z0-9_]*)-(value|length_mm|width_mm|height_mm)", re.ASCII)


@dataclass(slots=True)
class Entry:
    """One kind in one row: its inputs, the reading before, and what the typed ones amount to."""

    of: Measured
    kind: MeasurementKind
    cells: list[Cell]
    before: Before | None
    value: float | None = None

    @property
    def typed(self) -> bool:
        """Tell whether anything was typed."""
        return any(cell.text.strip() for cell in self.cells)

    @property
    def key(self) -> Key:
        """Give what its reading is of."""
        return self.of.animal_id, self.implant_id or 0, self.kind.code

    @property
    def implant_id(self) -> int | None:
        """Give the tumour, for the kinds that are of one."""
        return self.of.implant_id if self.kind.subject is Subject.IMPLANT else None

    @property
    def last(self) -> str:
        """Say what was read before, when and by whom."""
        if self.before is None:
            return "first reading"
        hand = f", {self.before.operator}" if self.before.operator else ""
        return f"last {shown(self.before.value, self.kind.decimals)} on {self.before.on}{hand}"

    @property
    def change(self) -> str:
        """Say what the typed values amount to, and how far that is from the reading before."""
        if self.value is None:
            return ""
        amount = f"{shown(self.value, self.kind.decimals)} {self.kind.unit}"
        if self.before is None or self.before.value <= 0:
            return amount
        percent = 100 * (self.value / self.before.value - 1)
        return f"{amount}, {percent:+.0f} %".replace("-", "\N{MINUS SIGN}")

    @property
    def doubts(self) -> list[str]:
        """Give what is in doubt, each naming whose value it is."""
        said = [(cell.label, doubt) for cell in self.cells for doubt in cell.doubts]
        return [doubt if self.of.animal in doubt else f"{label}: {doubt}" for label, doubt in said]

    def read(self) -> None:
        """Read the numbers; what is none says so beside itself."""
        for cell in self.cells:
            cell.take_number()

    def take(self, judged: Judged) -> None:
        """Take over what was found of the reading: its value, and each refusal and doubt beside its input."""
        self.value = judged.value
        for refused in judged.refusals:
            self.at(refused.field).errors.append(told(refused))
        for doubt in judged.doubts:
            self.at(doubt.field).doubts.append(doubt.message)

    def at(self, part: str | None) -> Cell:
        """Give the input that a finding belongs to, or the first one."""
        return next((cell for cell in self.cells if cell.part == part), self.cells[0])

    def reading(self, form: MeasureForm, study_id: int | None) -> NewReading:
        """Give what was typed as a reading."""
        numbers = {cell.part: cell.read.value for cell in self.cells if cell.read is not None}
        of = Diameters(numbers.get("length_mm"), numbers.get("width_mm"), numbers.get("height_mm"))
        return NewReading(
            self.of.animal_id,
            self.kind.code,
            typed(form.taken_on),
            numbers.get("value"),
            of,
            form.formula.term,
            self.implant_id,
            form.taken_at,
            typed(form.operator),
            typed(form.device),
            study_id,
        )


class MeasureForm(RecordForm):
    """What all readings of a session share."""

    once: ClassVar = frozenset()

    taken_on = IsoDateField("Measured on", [needed("The day of measuring is needed.")])
    clock = ClockField("Time", description="Only where a second reading of the day has to be told apart.")
    formula = TermField(
        "Volume", [one for one in VolumeFormula if one is not VolumeFormula.STATED], words=lambda one: FORMULAS[one]
    )
    operator = StringField("Measured by")
    device = StringField("Device")

    @property
    def taken_at(self) -> datetime | None:
        """Give the time of the laboratory, where one was typed."""
        if self.clock.data is None or self.taken_on.data is None:
            return None
        return datetime.combine(self.taken_on.data, self.clock.data, installation().settings.zone)


def can_have(kind: MeasurementKind, sites: Collection[ImplantSite | None]) -> bool:
    """Tell whether animals with tumours at these sites can have a reading of the kind: of a tumour, and one within reach."""
    if kind.code in CALIPER_KINDS:
        return not OUT_OF_REACH.issuperset(sites)
    return bool(sites) or kind.subject is not Subject.IMPLANT


def entries_of(
    rows: Sequence[Measured],
    kinds: Sequence[MeasurementKind],
    before: Mapping[Key, Before],
    sent: Mapping[str, str],
    *,
    height: bool,
) -> list[list[Entry | None]]:
    """Give the inputs of each row, kind by kind, with what was typed; nothing where a row has no subject of the kind."""
    seen: set[Key] = set()
    table = []
    for of in rows:
        line: list[Entry | None] = []
        for kind in kinds:
            entry = Entry(of, kind, [], None)
            there = can_have(kind, [of.site] if of.implant_id is not None else [])
            if not there or entry.key in seen:
                line.append(None)
                continue
            seen.add(entry.key)
            entry.before = before.get(entry.key)
            entry.cells = [_cell(entry, part, sent) for part in _parts(kind, height=height)]
            line.append(entry)
        table.append(line)
    return table


def _parts(kind: MeasurementKind, *, height: bool) -> list[str]:
    if kind.code not in CALIPER_KINDS:
        return ["value"]
    return [part for part in _PARTS if part != "height_mm" or (height and kind.code == "caliper_volume")]


def _cell(entry: Entry, part: str, sent: Mapping[str, str]) -> Cell:
    animal, implant, code = entry.key
    name = f"{animal}-{implant}-{code}-{part}"
    title = entry.kind.title
    what = part.removesuffix("_mm") if part in _PARTS else title[:1].lower() + title[1:]
    return Cell(name, f"{entry.of.name}, {what}", part, sent.get(name, ""))
