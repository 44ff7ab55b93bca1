"""The forms by which animals move between cages."""

from __future__ import annotations

from wtforms import StringField

from lims.models import Animal, Cage
from lims.queries.animals import animals_named
from lims.records.values import today
from lims.views.form_fields import CodeField, IsoDateField, LinesField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.support import current_project, current_session


class _Moving(RecordForm):
    """When and why. A date that was not typed is today's: the form begins with it."""

    moved_on = IsoDateField("Moved on", [needed("The day of the move is needed.")])
    note = StringField("Reason", description="Such as fighting, or a new cage card. It stands with the move.")

    def begin(self) -> None:
        """Begin a fresh form with today's date."""
        if not self.is_submitted():
            self.moved_on.data = today(current_session())


class MoveForm(_Moving):
    """One animal, to a cage."""

    groups = (Group("Move", ("to_cage_id", "moved_on", "note")),)

    to_cage_id = CodeField("To cage", Cage, [needed("Scan the card of the cage it goes to.")], render_kw={"autofocus": True})


class MoveInForm(_Moving):
    """Animals by their codes, into one cage."""

    groups = (Group("Animals", ("codes",)), Group("Move", ("moved_on", "note")))

    codes = LinesField(
        "Codes or RFIDs",
        [needed("Scan at least one animal.")],
        description="One a line, typed or scanned. One that is scanned twice moves once.",
    )

    def animals(self) -> list[Animal]:
        """Give the animals that were named."""
        return animals_named(current_session(), current_project().id, scanned(self.codes.data))


def scanned(lines: list[str] | None) -> list[str]:
    """Give the codes of a list that was typed or scanned: without blanks, and without the comma that some scanners add."""
    return [code for line in lines or [] if (code := line.strip().rstrip(",;").strip())]
