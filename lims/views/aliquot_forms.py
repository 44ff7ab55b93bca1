"""The forms of aliquots: what stands on a label, what is frozen together, what happens later; filled by scan or keyboard."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, ClassVar

from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, StopValidation

from lims.domain.positions import MOST_COLUMNS, MOST_ROWS, Position, parse_position
from lims.domain.tissue_terms import AliquotMaterial, AmountUnit
from lims.models import Aliquot, Specimen, StoragePlace
from lims.queries.aliquots import named
from lims.views.form_fields import CodeField, IsoDateField, NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.support import current_project, current_session

_ACRONYMS = {"ffpe": "FFPE", "oct": "OCT", "csf": "CSF"}


def in_words(term: Enum | None) -> str:
    """Write a term in the middle of a sentence; acronyms keep their capitals."""
    return "" if term is None else _ACRONYMS.get(str(term.value), str(term.value).replace("_", " "))


def codes_in(text: str | None) -> list[str]:
    """Give the barcodes in a text, one a line or parted by commas; what was scanned twice counts once."""
    parts = (part.strip() for part in re.split(r"[\r\n,;\t]+", text or ""))
    return list(dict.fromkeys(part for part in parts if part))


class AliquotsField(TextAreaField):
    """Aliquots of the project by their barcodes, one a line; `records` are those that were named, in order."""

    def __init__(self, label: str, **settings: Any) -> None:
        super().__init__(
            label, [InputRequired("Scan or type at least one barcode.")], render_kw={"rows": 4, "autofocus": True}, **settings
        )
        self.records: list[Aliquot] = []

    def pre_validate(self, form: Any) -> None:
        """Find them in one statement; another project's are not found."""
        codes = codes_in(self.data)
        found = named(current_session(), current_project().id, codes)
        missing = [code for code in codes if code not in found]
        if missing:
            listed = ", ".join(f'"{code}"' for code in missing[:5]) + (" and others" if len(missing) > 5 else "")
            raise StopValidation(f"There is no aliquot {listed} in this project.")
        self.records = [found[code] for code in codes]


class PositionsField(StringField):
    """Positions in a box, such as `A4` or `A4 A5 B1`; blank for the next free ones."""

    def __init__(self, label: str, **settings: Any) -> None:
        settings.setdefault("description", "Such as A4, or A4 A5 B1 for three; blank: the next free ones, row by row.")
        super().__init__(label, render_kw={"autocomplete": "off"}, **settings)

    def read(self, place: StoragePlace | None) -> list[Position]:
        """Give the positions, judged by the grid of their box.

        Raises:
            DomainError: one of them cannot be read, or lies outside of the box.
        """
        rows, columns = (place and place.box_rows) or MOST_ROWS, (place and place.box_columns) or MOST_COLUMNS
        return [parse_position(part, rows, columns) for part in re.split(r"[\s,;]+", self.data or "") if part]


WHEN = Group("When", ("happened_on", "note"))
WHERE_TO = Group(
    "Where to",
    ("place_id", "box_row"),
    "The scan of the box sends the form: positions that were not typed are its next free ones.",
)


class AliquotForm(RecordForm):
    """What stands on an aliquot's label; what happens to it is recorded by its steps."""

    groups: ClassVar[tuple[Group, ...]] = (
        Group("What it is", ("material", "amount", "unit", "preserved_on"), "As stored (SPREC 3.0, MIABIS material types)."),
        Group("Note", ("note",)),
    )
    once: ClassVar = frozenset[str]()

    material = TermField("Material", AliquotMaterial, default=AliquotMaterial.VIABLY_FROZEN)
    amount = NumberField("Amount of each", description="2e6 is a usual way to write a number of cells.")
    unit = TermField("Unit", AmountUnit, blank="None")
    preserved_on = IsoDateField("Preserved on")
    note = StringField("Note")


class FreezeForm(AliquotForm):
    """Several aliquots of one specimen, alike, put away together. The scan of the box sends the form."""

    groups = (
        Group("What it is", ("specimen_id", "material", "amount", "unit", "preserved_on"), AliquotForm.groups[0].explanation),
        Group("How many", ("count", "code", "note"), "Codes are generated, unless the tubes carry barcodes of their own."),
        WHERE_TO,
    )

    specimen_id = CodeField("Specimen", Specimen, [needed("Name the specimen.")], description="Type or scan the code.")
    count = WholeNumberField("Number of aliquots", description="Blank: one, or as many as barcodes are listed.")
    code = TextAreaField("Barcodes on the tubes", render_kw={"rows": 2}, description="One a line, in the order of the positions.")
    place_id = CodeField("Box or place", StoragePlace, description="Type or scan its code; blank: not put away yet.")
    box_row = PositionsField("Positions")


class StepForm(RecordForm):
    """When it happened, and what there is to say of it."""

    happened_on = IsoDateField("On", [needed("Say when it happened.")])
    note = StringField("Note")


class ManyForm(StepForm):
    """A step with one aliquot or many."""

    groups: ClassVar[tuple[Group, ...]] = (Group("Which", ("aliquots",)), WHEN)

    aliquots = AliquotsField("Aliquots", description="Scan them one after the other: one barcode a line.")


class MoveForm(ManyForm):
    """Into another place."""

    groups = (*ManyForm.groups, WHERE_TO)

    place_id = CodeField("Box or place", StoragePlace, [needed("Name the box or place.")], description="Type or scan its code.")
    box_row = PositionsField("Positions")


class ReturnForm(ManyForm):
    """Back from a partner."""

    groups = (Group("Which", ("aliquots", "partner")), WHEN, WHERE_TO)

    partner = StringField("From", description="Who sent them back.")
    place_id = CodeField("Box or place", StoragePlace, description="Type or scan its code; blank: not put away yet.")
    box_row = PositionsField("Positions")


class ThawForm(ManyForm):
    """One more thaw."""

    groups = (*ManyForm.groups, Group("Afterwards", ("put_back",)))

    put_back = BooleanField("They go back to their positions", description="Otherwise their positions are free from now on.")


class ShipForm(ManyForm):
    """To a partner."""

    groups = (ManyForm.groups[0], Group("To whom", ("partner", "tracking")), WHEN)

    partner = StringField("Partner", [needed("Say who receives them.")])
    tracking = StringField("Tracking number", description="The courier's.")


class DiscardForm(ManyForm):
    """Away, for a reason."""

    groups = (ManyForm.groups[0], Group("Why and when", ("reason", "happened_on")))

    reason = StringField("Reason", [needed("A reason is needed: it stands in the audit trail.")])


class UseForm(StepForm):
    """Some of one aliquot, or all of it."""

    groups = (Group("How much", ("amount", "all_of_it")), WHEN)

    amount = NumberField("Amount", render_kw={"autofocus": True}, description="Blank: nobody measured it.")
    all_of_it = BooleanField("Nothing is left of it", description="It is used up then, and its position is free.")
    version = HiddenField()


class SplitForm(StepForm):
    """One aliquot into parts."""

    groups = (
        Group("Parts", ("parts", "amount", "unit", "material", "code"), "They have the parent's specimen, date and thaws."),
        Group("The parent", ("all_of_it",)),
        WHEN,
        WHERE_TO,
    )

    parts = WholeNumberField("Number of parts", [needed("Say how many.")], render_kw={"autofocus": True})
    amount = NumberField("Amount of each", description="Blank: all there is, in equal shares.")
    unit = TermField(
        "Unit",
        AmountUnit,
        blank="As the parent",
        description="Another one, such as sections of a block, leaves the parent's amount.",
    )
    material = TermField("Material", AliquotMaterial, blank="As the parent")
    code = TextAreaField("Barcodes on the tubes", render_kw={"rows": 2}, description="One a line; blank: codes are generated.")
    all_of_it = BooleanField("Nothing is left of the parent")
    place_id = CodeField("Box or place", StoragePlace, description="Type or scan its code; blank: not put away yet.")
    box_row = PositionsField("Positions")
    version = HiddenField()
