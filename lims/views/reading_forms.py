"""The forms of one reading: its value, where a person typed it, and its quality; and what its page offers to do."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, StringField

from lims.domain.errors import DomainError, told
from lims.domain.numbers import read_number
from lims.domain.vocabulary import Quality, VolumeFormula
from lims.models import Measurement
from lims.plots import shown
from lims.queries.scope import find
from lims.records.nouns import change
from lims.records.readings import MEASUREMENT
from lims.views.cells import when
from lims.views.form_fields import IsoDateField, NumberField, TermField, needed
from lims.views.measuring_form import FORMULAS
from lims.views.project_kinds import project_kinds
from lims.views.record_forms import REASON, Group, RecordForm, Step, typed
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form, seen_version

_DIAMETERS = frozenset({"length_mm", "width_mm", "height_mm", "formula"})
_OF_ITS_FILE = _DIAMETERS | {"value", "taken_on"}
"""What an imported reading keeps as its file says it."""
STEPS = {
    Quality.SUSPECT: ("Mark as suspect", "Mark the reading as suspect", "It counts, and is ringed in plots."),
    Quality.EXCLUDED: (
        "Exclude",
        "Exclude the reading",
        "It stays with its reason, and does not count any more: not in plots, means or endpoints.",
    ),
    Quality.OK: ("Include again", "Include the reading again", "It counts again as it was recorded."),
}


class BenchNumberField(NumberField):
    """A number of a measurement: a comma is refused with what it may mean, never read in silence."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read `21.4`."""
        self.data = None
        try:
            read = read_number(valuelist[0] if valuelist else "")
        except DomainError as refused:
            raise ValueError(told(refused)) from refused
        if read is not None and read.doubts:
            raise ValueError(f"{read.doubts[0].message} Type it with a point.")
        self.data = None if read is None else read.value


class ReadingForm(RecordForm):
    """What a person typed of a reading: the value, or the diameters that it is made of; of an imported one, by whom it was read."""

    groups = (
        Group("Reading", ("value", "length_mm", "width_mm", "height_mm", "formula", "taken_on")),
        Group("By whom", ("operator", "device")),
    )
    units: ClassVar = {"length_mm": "mm", "width_mm": "mm", "height_mm": "mm"}
    once: ClassVar = frozenset()

    value = BenchNumberField("Value")
    length_mm = BenchNumberField("Length")
    width_mm = BenchNumberField("Width")
    height_mm = BenchNumberField("Height")
    formula = TermField(
        "Formula",
        [one for one in VolumeFormula if one is not VolumeFormula.STATED],
        words=lambda one: FORMULAS[one],
        validate_choice=False,  # it is not asked for where nothing is computed
    )
    taken_on = IsoDateField("Date", [needed("The day is needed.")])
    operator = StringField("Measured by")
    device = StringField("Device")

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        if self.shows is not None:
            self.value.description = f"In {project_kinds()[self.shows.kind].unit}."
            for name in _OF_ITS_FILE if self.shows.batch_id is not None else ():
                del self[name]

    def columns(self, *, changing: bool) -> list[str]:
        """Name the value, or the diameters and the formula, whichever the reading was made of."""
        reading: Measurement | None = self.shows
        left_out = _DIAMETERS
        if reading is not None and reading.length_mm is not None:
            area = reading.formula is None
            left_out = frozenset({"value", "height_mm", "formula"} if area else {"value"})
        return [name for name in super().columns(changing=changing) if name in self and name not in left_out]


class QualityForm(RecordForm):
    """Why a reading does or does not count."""

    groups = (Group("Reason", ("reason",), "It stands with the reading and in the audit trail."),)

    version = HiddenField()
    reason = StringField("Reason", [needed(REASON)])


@needs("measurement:change")
def quality(measurement_id: int) -> ResponseReturnValue:
    """Mark a reading as suspect, exclude it, or include it again: `?as=excluded`."""
    session = current_session()
    reading = find(session, Measurement, current_project().id, measurement_id)
    wanted = next((one for one in Quality if one.value == request.args.get("as")), Quality.EXCLUDED)
    title, button, lead = STEPS[wanted]
    form, back = QualityForm(obj=reading), url_for(".show", measurement_id=reading.id)
    if form.validate_on_submit():
        with refusing(form):
            reason, version = typed(form.reason) or "", seen_version(form)
            fields = {"quality": wanted, "quality_reason": None if wanted is Quality.OK else reason}
            change(session, current_actor(), MEASUREMENT, reading, version=version, reason=reason, fields=fields)
            flash(f"{named(reading)} is {'included again' if wanted is Quality.OK else wanted.value}.", "success")
            return redirect(back)
    step = Step(f"{title}: {named(reading)},", button, back, f"#{reading.id}", lead)
    return render_form("records/step.html", form, step=step)


def named(reading: Measurement) -> str:
    """Name a reading in a sentence, with its animal and day."""
    kind = project_kinds()[reading.kind]
    return f"{kind.title} {shown(reading.value, kind.decimals)} {kind.unit} of {reading.animal.code} on {when(reading)}"


def steps_of(reading: Measurement) -> list[tuple[str, str]]:
    """Give what may be done about a reading's quality: words and address."""
    address = url_for(".quality", measurement_id=reading.id)
    return [(title, f"{address}?as={one.value}") for one, (title, *_) in STEPS.items() if one is not reading.quality]
