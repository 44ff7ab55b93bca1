"""Amendments of a locked study's records, each signed: a reading that is left out or set right, and a fate."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField

from lims.domain.errors import DomainError
from lims.domain.readings import Diameters
from lims.domain.studies import require_locked
from lims.domain.vocabulary import Quality, VolumeFormula
from lims.models import Fate, Measurement, Study
from lims.queries.scope import find
from lims.records.readings import NewReading
from lims.records.signatures import amend_fate, amend_reading, require_counted, require_ended
from lims.views.fates import ENDING, EXPLAINED, Ending
from lims.views.form_fields import needed
from lims.views.project_kinds import project_kinds
from lims.views.reading_forms import BenchNumberField, named
from lims.views.record_forms import Group, Step, typed
from lims.views.signatures import BOTH, answer_form, pages, study_of
from lims.views.signing import SignForm, asks_password, signs
from lims.views.support import current_actor, current_project, current_session, needs, refusing, seen_version

_DIAMETERS = ("length_mm", "width_mm", "height_mm")


class AmendReadingForm(SignForm):
    """A signed correction of a reading: it is left out, or counts again, or the right one stands beside it."""

    groups: ClassVar = (Group("Right reading", ("value", *_DIAMETERS), "It is recorded beside this one."), *SignForm.groups)
    units: ClassVar = dict.fromkeys(_DIAMETERS, "mm")

    value = BenchNumberField("Right value", description="Left blank, the reading is left out and nothing takes its place.")
    length_mm = BenchNumberField("Right length")
    width_mm = BenchNumberField("Right width")
    height_mm = BenchNumberField("Right height")

    def of(self, reading: Measurement) -> None:
        """Ask for the value, or for the diameters that the reading was made of."""
        made_of = [name for name in _DIAMETERS if getattr(reading, name) is not None]
        for name in ("value", *_DIAMETERS):
            if name not in (made_of or ["value"]):
                del self._fields[name]
        if "value" in self._fields:
            self.value.description = f"In {project_kinds()[reading.kind].unit}. {self.value.description}"

    def right(self, reading: Measurement) -> NewReading | None:
        """Give the right reading of the same moment, if one was typed.

        Raises:
            DomainError: the moment has no date, so that nothing can stand beside it.
        """
        typed = {name: self._fields[name].data for name in ("value", *_DIAMETERS) if name in self._fields}
        if all(one is None for one in typed.values()):
            return None
        if reading.taken_on is None:
            raise DomainError("This reading has no date: nothing can be recorded beside it.", field=next(iter(typed)))
        return NewReading(
            animal_id=reading.animal_id,
            kind=reading.kind,
            taken_on=reading.taken_on,
            value=typed.get("value"),
            of=Diameters(typed.get("length_mm"), typed.get("width_mm"), typed.get("height_mm")),
            formula=reading.formula or VolumeFormula.HALF_L_W2,
            implant_id=reading.implant_id,
            taken_at=reading.taken_at,
            operator=reading.operator,
            device=reading.device,
            study_id=reading.study_id,
        )


@pages.route("/amend/reading/<int:measurement_id>", methods=BOTH)
@needs("study:amend")
@asks_password
def amend_one_reading(study_id: int, measurement_id: int) -> ResponseReturnValue:
    """Correct a reading of a locked study by a signed amendment."""
    session, study = current_session(), study_of(study_id)
    reading = find(session, Measurement, current_project().id, measurement_id)
    form, back = AmendReadingForm(data={"version": reading.version}), url_for("measurements.show", measurement_id=reading.id)
    form.of(reading)

    def amend() -> None:
        said, right = form.said(), form.right(reading)
        amend_reading(session, current_actor(), study, reading, said, version=seen_version(form), right=right)

    again = reading.quality is Quality.EXCLUDED
    lead = "It is excluded. It counts again, unless the right value is typed." if again else "It stays, excluded with the reason."
    step = Step(f"Amend study {study.code}: {named(reading)},", "Sign the amendment", back, f"#{reading.id}", lead)
    return _amended(study, form, step, lambda: require_counted(session, study, reading), amend)


class AmendFateForm(SignForm, Ending):
    """A signed correction of a fate."""

    groups: ClassVar = (Group("Right fate", ENDING, EXPLAINED), *SignForm.groups)

    statement = TextAreaField("Why it is corrected", [needed("Say why: it stands with the signature and in the audit trail.")])


@pages.route("/amend/fate/<int:fate_id>", methods=BOTH)
@needs("study:amend")
@asks_password
def amend_one_fate(study_id: int, fate_id: int) -> ResponseReturnValue:
    """Correct the fate of an animal of a locked study by a signed amendment."""
    session, study = current_session(), study_of(study_id)
    fate = find(session, Fate, current_project().id, fate_id)
    form, animal = AmendFateForm(obj=fate), fate.animal.code

    def amend() -> None:
        said, fields = form.said(), {name: typed(form._fields[name]) for name in ENDING}
        amend_fate(session, current_actor(), study, fate, said, version=seen_version(form), fields=fields)

    lead = "What it was stays in its history. The animal is dead since the day that is typed here, in every study."
    back = url_for("animals.show", animal_id=fate.animal_id)
    step = Step(f"Amend study {study.code}: fate of", "Sign the amendment", back, animal, lead)
    return _amended(study, form, step, lambda: require_ended(session, study, fate), amend)


def _amended(study: Study, form: SignForm, step: Step, look: Callable[[], None], amend: Callable[[], None]) -> ResponseReturnValue:
    """Amend a locked study once it is signed; `look` refuses what is none of it, and says so before anybody signs."""
    if form.validate_on_submit() and signs(form):
        with refusing(form):
            amend()
            flash(f"Study {study.code} is amended by your signature.", "success")
            return redirect(url_for(".of_study", study_id=study.id))
    elif not form.is_submitted():
        with refusing(form):
            require_locked(study.code, study.state, "An amendment")
            look()
    return answer_form(form, step)
