"""The form of a surgery list: what all animals share, then one row for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm.exc import StaleDataError
from wtforms import BooleanField, FieldList, Form, FormField, StringField

from lims.domain.errors import Conflict, DomainError, NotAllowed, NotFound, told
from lims.domain.vocabulary import ImplantSite
from lims.models import Aliquot, Animal
from lims.queries.animals import animals_known
from lims.records.implant_doubts import SURGERY
from lims.records.surgery import MOST_ANIMALS, TissueUsed
from lims.records.values import today
from lims.views.form_fields import CodeField, IsoDateField, NumberField, TermField, needed
from lims.views.implant_forms import CARE, STEREOTACTIC, WHAT_WENT_IN, ClockField, SurgeryFields
from lims.views.record_forms import Group, typed
from lims.views.support import current_account, current_project, current_session
from lims.views.transaction import installation

_MEANWHILE = (
    "Somebody else used the aliquot, or changed one of these animals, while you saved, so nothing was recorded. "
    "Look at what is left of the aliquot, then record the list again."
)
BLANK_ROWS = 20
_OF_ROW = {"animal_id": "animal", "label": "label", "weight_g": "weight_g", "implanted_at": "ended_at", "note": "note"}
"""Columns that a row has a field for."""
_OF_ALL = frozenset(SURGERY) - _OF_ROW.keys() | {"site", "region"}
"""Columns typed once: what is wrong with one is wrong with all."""


class AnimalRow(Form):
    """One animal on the list."""

    animal = StringField("Animal", render_kw={"autocomplete": "off", "list": "animals", "spellcheck": "false"})
    label = StringField("Label", render_kw={"autocomplete": "off"})
    weight_g = NumberField("Weight")
    ended_at = ClockField("End of surgery")
    note = StringField("Note", render_kw={"autocomplete": "off"})

    @property
    def code(self) -> str:
        """Give what was scanned, without the comma that some scanners add."""
        return (self.animal.data or "").strip().rstrip(",;").strip()

    @property
    def blank(self) -> bool:
        """Tell whether nothing was typed."""
        return not self.code and not any((field.raw_data or [""])[0].strip() for field in self if field.name != self.animal.name)


def _named(number: int, row: AnimalRow) -> str:
    return f"Row {number} ({row.code})" if row.code else f"Row {number}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error with the field it belongs to."""

    anchor: str
    label: str
    text: str


class SurgeryForm(SurgeryFields):
    """Several animals in one go."""

    groups = (
        Group(
            "Surgery",
            ("aliquot_id", "amount", "all_of_it", "model_id", "implanted_on", "ended_at", "surgeon", "label"),
            "Typed once for all animals below. Consent, protocols, dates and lineage are asked before anything is recorded.",
        ),
        Group("Site", ("site", "region", "hemisphere")),
        WHAT_WENT_IN,
        STEREOTACTIC,
        CARE,
    )
    beside: ClassVar = frozenset({"amount", "all_of_it", "ended_at", "label"})
    """Fields that are no columns of an implant, or that a row may say otherwise."""

    aliquot_id = CodeField("Aliquot", Aliquot, description="Scan the vial or type its code.", render_kw={"autofocus": True})
    site = TermField(
        "Site",
        [one for one in ImplantSite if one is not ImplantSite.NOT_RECORDED],
        blank="Choose the site",
        validators=[needed("The site is needed: the animals' protocol is asked for it.")],
    )
    implanted_on = IsoDateField("Day of surgery", [needed("The day of surgery is needed.")])
    amount = NumberField("Taken from it", description="In all, in its own unit; blank where it is not recorded what it holds.")
    all_of_it = BooleanField("The aliquot is used up")
    ended_at = ClockField("End of surgery", description="A row may have its own.")
    label = StringField("Label", description="Blank: the next free one of each animal.")
    rows = FieldList(FormField(AnimalRow), min_entries=BLANK_ROWS)

    def begin(self, codes: list[str]) -> None:
        """Begin a fresh list with today's date, the person who types it, and the animals that the address names."""
        self.implanted_on.data = self.implanted_on.data or today(current_session())
        self.surgeon.data = self.surgeon.data or current_account().name
        while len(self.rows) < min(len(codes), MOST_ANIMALS):
            self.rows.append_entry()
        for entry, code in zip(self.rows, codes, strict=False):
            entry.form.animal.data = code

    @property
    def filled(self) -> list[tuple[int, AnimalRow]]:
        """Give the rows in which something was typed, with the number that the page shows."""
        return [(number, entry.form) for number, entry in enumerate(self.rows, start=1) if not entry.form.blank]

    def implants(self) -> list[dict[str, Any]]:
        """Give a row of columns for each animal; raises `DomainError` for animals that are not found."""
        aliquot = self.aliquot_id.look_up()
        counted = aliquot is not None and aliquot.amount is not None
        if counted and self.amount.data is None and not self.all_of_it.data:
            raise DomainError(
                "How much of the aliquot was taken?", field="amount", expected="an amount, or the tick that it is used up"
            )
        same = {name: value for name, value in self.values().items() if name not in self.beside}
        found = animals_known(current_session(), current_project().id, [row.code for _, row in self.filled])
        return [same | self._own(number, row, found.get(row.code)) for number, (_, row) in enumerate(self.filled)]

    def _own(self, number: int, row: AnimalRow, animal: Animal | None) -> dict[str, Any]:
        if animal is None:
            message = f'There is no animal "{row.code}" in this project.' if row.code else "Which animal?"
            refused = DomainError(message, field="animal_id", expected="the code or the RFID of an animal")
            refused.row = number
            raise refused
        clock, on = row.ended_at.data or self.ended_at.data, self.implanted_on.data
        return {
            "animal_id": animal.id,
            "label": typed(row.label) or typed(self.label),
            "weight_g": row.weight_g.data,
            "implanted_at": datetime.combine(on, clock, installation().settings.zone) if clock and on else None,
            "note": typed(row.note),
        }

    def used(self) -> TissueUsed:
        """Give what was taken from the aliquot."""
        return TissueUsed(self.amount.data, bool(self.all_of_it.data))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Turn what the records refuse into errors that name their rows, all at once; nothing is recorded then."""
        try:
            yield
        except (NotFound, NotAllowed):
            raise
        except StaleDataError:
            current_session().rollback()
            self.conflict = True
            self.form_errors.append(_MEANWHILE)
        except DomainError as refused:
            current_session().rollback()
            self.conflict = isinstance(refused, Conflict)
            for one in refused.every:
                self._place(one)

    def _place(self, refused: DomainError) -> None:
        said = told(refused)
        if refused.row is not None and refused.field not in _OF_ALL:
            number, row = self.filled[refused.row]
            own = row._fields.get(_OF_ROW.get(refused.field or "", ""))
            if own is not None:
                own.errors = [*own.errors, said]
                self.rows.errors = [*self.rows.errors, said]
                return
            said = f"{_named(number, row)}: {said}"
        field = self._fields.get(refused.field or "")
        if field is None or field is self.rows:
            self.form_errors.append(said)
        elif said not in field.errors:  # what all rows share is wrong once
            field.errors = [*field.errors, said]

    def problems(self) -> list[Problem]:
        """List every error with its field, those of rows with their number."""
        shared = [Problem(field.id, field.label.text, error) for field in self if field is not self.rows for error in field.errors]
        of_rows = [
            Problem(field.id, f"{_named(number, row)}, {field.label.text.lower()}", error)
            for number, row in self.filled
            for field in row
            for error in field.errors
        ]
        return [*(Problem("", "", error) for error in self.form_errors), *shared, *of_rows]
