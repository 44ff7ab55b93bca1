"""Measuring: one animal or a cohort as a list, a row each in the order of the cages, judged row by row and saved as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lims.domain.errors import DomainError, NotFound, told
from lims.domain.events_order import Fact, require_not_future
from lims.domain.notices import Notice
from lims.domain.readings import CALIPER_KINDS
from lims.domain.vocabulary import MeasurementKind, Subject, VolumeFormula
from lims.models import Animal, Implant, Study
from lims.queries.animals import animals_named
from lims.queries.kinds import kinds_of
from lims.queries.measurements import last_before
from lims.queries.measuring import MOST_ROWS, Measured, read_by_hand, to_measure, tumour_sites
from lims.queries.scope import find
from lims.queries.studies import arms_of_studies, study_names
from lims.records.readings import judge_readings, record_readings
from lims.records.values import today
from lims.views.actions import tell_actions
from lims.views.measuring_form import CELL, FORMULAS, Entry, MeasureForm, can_have, entries_of
from lims.views.record_pages import confirmation, confirmed
from lims.views.support import (
    current_account,
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    sees_arms,
    whole_number,
)

MOST_KINDS = 5
"""In one list: with animal, cage and arm they fill a laptop's width."""
USUAL = ("body_weight", "caliper_volume")
"""What a session begins with beside what was last read by hand in a study; the second where a caliper reaches a tumour."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: whose readings, of which kinds, on which day."""

    study: Study | None
    implant: Implant | None
    animals: Sequence[Animal]
    kinds: Sequence[MeasurementKind]
    day: date

    @property
    def named(self) -> str:
        """Name the study, or the one animal."""
        if self.study is not None:
            return self.study.code
        return self.animals[0].code if len(self.animals) == 1 else ""

    @property
    def title(self) -> str:
        """Name the session."""
        return f"Measure {self.named}".strip()

    @property
    def back(self) -> str:
        """Give the page that it was begun from."""
        if self.study is not None:
            return url_for("studies.show", study_id=self.study.id)
        if self.implant is not None:
            return url_for("implants.show", record_id=self.implant.id)
        if len(self.animals) == 1:
            return url_for("animals.show", animal_id=self.animals[0].id)
        return url_for("measurements.index")


@needs("measurement:create")
def measure() -> ResponseReturnValue:
    """Measure a study's cohort, or animals: `?study=3&kind=body_weight&on=2026-11-02`, `?animal=M0017`, `?implant=5`."""
    form = MeasureForm()
    asked = _asked()
    if not form.is_submitted():
        form.taken_on.data, form.operator.data = asked.day, current_account().name
        form.formula.data = request.args.get("formula") or VolumeFormula.HALF_L_W2.value
    rows = _rows(asked, form.taken_on.data or asked.day)
    if not rows:
        return render_template("measurements/begin.html", asked=asked, **_choices(asked))
    table = _table(asked, rows, form)
    if form.validate_on_submit():
        entries = [entry for entry in chain.from_iterable(table) if entry is not None and entry.typed]
        if _judged(form, entries, asked):
            with refusing(form):
                return _recorded(form, entries, asked)
    return render_form(
        "measurements/measure.html", form, asked=asked, table=table, rows=rows, slots=_slots(asked), **_choices(asked)
    )


def _asked() -> Asked:
    session, project = current_session(), current_project()
    study_id, implant_id = whole_number(request.args.get("study")), whole_number(request.args.get("implant"))
    study = find(session, Study, project.id, study_id) if study_id else None
    implant = find(session, Implant, project.id, implant_id) if implant_id else None
    codes = [code for text in request.args.getlist("animal") for code in text.replace(",", " ").split()]
    try:
        animals = animals_named(session, project.id, codes) if codes else []
    except DomainError as unknown:
        raise NotFound(str(unknown), expected=unknown.expected) from unknown
    animals += [implant.animal] if implant is not None and not animals else []
    return Asked(study, implant, animals, _kinds(study, animals), _day())


def _day() -> date:
    try:
        return date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return today(current_session())


def _kinds(study: Study | None, animals: Sequence[Animal]) -> list[MeasurementKind]:
    """Give the kinds that the address names, in the order of the list; the usual ones where it names none."""
    known = kinds_of(current_session(), current_project().id)
    wanted = set(request.args.getlist("kind")) or _usual(study, animals, known)
    return [kind for code, kind in known.items() if code in wanted][:MOST_KINDS]


def _usual(study: Study | None, animals: Sequence[Animal], known: Mapping[str, MeasurementKind]) -> set[str]:
    """Give weight, volume by caliper, and what was last read by hand in the study, without what none of its animals can have."""
    session, study_id = current_session(), study.id if study is not None else None
    wanted = set(USUAL) | (read_by_hand(session, study_id) if study_id else set())
    if study_id is None and not animals:
        return wanted
    sites = tumour_sites(session, study_id=study_id, animals=[animal.id for animal in animals])
    return {code for code in wanted if code in known and can_have(known[code], sites)}


def _rows(asked: Asked, day: date) -> list[Measured]:
    """Give the rows of the session; an animal for which something was typed stays in it whatever became of it meanwhile."""
    sent = {int(match[1]) for name, text in request.form.items() if text.strip() and (match := CELL.fullmatch(name))}
    named = sorted({animal.id for animal in asked.animals} | sent)
    tumours = any(kind.subject is Subject.IMPLANT for kind in asked.kinds)
    study_id = asked.study.id if asked.study is not None else None
    unblinded = sees_arms()
    rows = to_measure(
        current_session(), current_project().id, day, study_id=study_id, animals=named, tumours=tumours, unblinded=unblinded
    )
    return [row for row in rows if asked.implant is None or row.implant_id in (None, asked.implant.id)]


def _slots(asked: Asked) -> dict[str, str]:
    """Give the colour of each arm of the study, by its title as this person sees it."""
    if asked.study is None:
        return {}
    arms = arms_of_studies(current_session(), current_project().id, asked.study.id, unblinded=sees_arms(), count=False)
    return {arm.title: arm.slot for arm in arms}


def _table(asked: Asked, rows: Sequence[Measured], form: MeasureForm) -> list[list[Entry | None]]:
    codes = [kind.code for kind in asked.kinds]
    day = form.taken_on.data or asked.day
    before = last_before(current_session(), sorted({row.animal_id for row in rows}), codes, day)
    height = form.formula.term is VolumeFormula.ELLIPSOID_LWH
    return entries_of(rows, asked.kinds, before, request.form, height=height)


def _judged(form: MeasureForm, entries: Sequence[Entry], asked: Asked) -> bool:
    """Judge what was typed; tells whether nothing is refused, and nothing in doubt that was not confirmed."""
    session, study_id = current_session(), asked.study.id if asked.study is not None else None
    if not entries:
        form.form_errors.append("Nothing was typed: one value in any row is enough.")
        return False
    try:
        require_not_future(Fact("this session", form.taken_on.data), today(session), field="taken_on")
    except DomainError as refused:
        form.taken_on.errors = [*form.taken_on.errors, told(refused)]
        return False
    for entry in entries:
        entry.read()
    whole = [entry for entry in entries if not any(cell.errors for cell in entry.cells)]
    judged = judge_readings(session, current_project().id, [entry.reading(form, study_id) for entry in whole])
    for entry, one in zip(whole, judged, strict=True):
        entry.take(one)
    cells = [cell for entry in entries for cell in entry.cells]
    wrong = sum(bool(cell.errors) for cell in cells)
    if wrong:
        form.form_errors.append(f"{wrong} {'value is' if wrong == 1 else 'values are'} refused; each says why below its row.")
        return False
    return confirmed(form, [Notice("warning", None, doubt) for entry in entries for doubt in entry.doubts])


def _recorded(form: MeasureForm, entries: Sequence[Entry], asked: Asked) -> ResponseReturnValue:
    study_id = asked.study.id if asked.study is not None else None
    readings = [entry.reading(form, study_id) for entry in entries]
    ids = record_readings(current_session(), current_actor(), current_project().id, readings, reason=confirmation(form))
    animals = len({entry.of.animal_id for entry in entries})
    counted = f"{len(ids)} measurement{'' if len(ids) == 1 else 's'} of {animals} animal{'' if animals == 1 else 's'}"
    flash(f"Recorded {counted}.", "success")
    tell_actions(ids)
    return redirect(asked.back)


def _choices(asked: Asked) -> dict[str, Any]:
    known = kinds_of(current_session(), current_project().id)
    return {
        "known": list(known.values()),
        "formulas": [(formula.value, words) for formula, words in FORMULAS.items() if formula is not VolumeFormula.STATED],
        "studies": study_names(current_session(), current_project().id),
        "calipers": CALIPER_KINDS,
        "chosen": {kind.code for kind in asked.kinds},
        "most": MOST_KINDS,
        "most_rows": MOST_ROWS,
    }
