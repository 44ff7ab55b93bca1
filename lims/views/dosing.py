"""Dosing of a study: planned against given as a calendar, the table behind it, and the list that doses a cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import null

from lims.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from lims.domain.vocabulary import StudyStatus
from lims.models import Regimen, Study
from lims.queries.blinding import may_unblind
from lims.queries.doses import Dosing, dosing_of, weights_until
from lims.queries.scope import find
from lims.queries.studies import ArmOfStudy, arms_of_studies
from lims.queries.treatment import lots_named, regimens_where
from lims.records.doses import DOSE, record_doses
from lims.records.nouns import doubts
from lims.records.values import today
from lims.views.cells import arm_cell
from lims.views.dosing_calendar import calendar_of, dose_rows, window_of
from lims.views.dosing_form import DosingForm, Entry, entries_of, named_regimens, scanned_code, shared_lots
from lims.views.entry_cells import Cell
from lims.views.kept import kept_page
from lims.views.listing import Cell as Shown
from lims.views.listing import as_text
from lims.views.record_pages import confirmation, confirmed
from lims.views.regimens import regimens_table
from lims.views.support import current_account, current_actor, current_project, current_session, needs, render_form
from lims.views.tables import Column, send_rows, table_from_rows

pages = Blueprint("dosing", __name__, url_prefix="/p/<project_code>/studies/<int:study_id>/dosing")


def _study(study_id: int) -> Study:
    return find(current_session(), Study, current_project().id, study_id)


def _arms(study: Study) -> dict[int, ArmOfStudy]:
    unblinded = may_unblind(current_project().role)
    return {arm.id: arm for arm in arms_of_studies(current_session(), study.project_id, study.id, unblinded=unblinded)}


def _day(name: str, usual: date | None) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return usual


@pages.get("/")
@needs("project:read")
def show(study_id: int) -> ResponseReturnValue:
    """Show what each arm of a study is given, and leave room for the calendar, which the page fetches."""
    return kept_page("dosing/show.html", partial(_shown, study_id))


def _shown(study_id: int) -> dict[str, Any]:
    study = _study(study_id)
    return {
        "study": study,
        "regimens": regimens_table(_regimens(study)),
    }


def _regimens(study: Study) -> Sequence[Regimen]:
    return regimens_where(current_session(), Study.id == study.id, unblinded=may_unblind(current_project().role))


@pages.get("/calendar")
@needs("project:read")
def calendar(study_id: int) -> ResponseReturnValue:
    """Draw the doses of a study as a calendar: animals by arm, days, and what became of each; `?from=` another day."""
    return kept_page("parts/calendar.html", partial(_drawn_from, study_id))


def _drawn_from(study_id: int) -> dict[str, Any]:
    study, session = _study(study_id), current_session()
    now, arms = today(session), _arms(study)
    dosing = dosing_of(session, study, now)
    window = window_of(dosing, _day("from", None), now)
    named = named_regimens(_treated(dosing), arms)
    return {
        "study": study,
        "calendar": calendar_of(dosing, named, arms, study, window) if window else None,
        "window": window,
        "planned": not window and bool(_regimens(study)),
        "counts": dosing.counts(),
        "waiting": sorted({one.animal.code for one in dosing.unplanned}),
        "today": now,
    }


def _treated(dosing: Dosing) -> list[Any]:
    return [*(one.treated for one in dosing.courses), *dosing.unplanned]


COLUMNS = (
    *(("animal", "Animal", ""), ("arm", "Arm", ""), ("agent", "Agent", ""), ("due_on", "Due", ""), ("day", "Study day", "")),
    *(("nth", "Dose of the day", ""), ("standing", "Standing", ""), ("given_on", "Given", ""), ("volume_ul", "Volume", "µL")),
    *(("lot", "Lot", ""), ("reason", "Reason", ""), ("operator", "Operator", "")),
)


@pages.get("/table")
@needs("project:read")
def table(study_id: int) -> ResponseReturnValue:
    """List each dose of a study as planned and as given; with `?format=csv`, `xlsx` or `json` as a file."""
    study, session = _study(study_id), current_session()
    dosing = dosing_of(session, study, today(session))
    arms = _arms(study)
    rows = dose_rows(dosing, named_regimens(_treated(dosing), arms), arms, study)
    slots = {arm.name: arm.slot for arm in arms.values()}
    shows: dict[str, Callable[[Any], Shown]] = {"arm": partial(arm_cell, slots), "standing": _standing, "volume_ul": _volume}
    columns = tuple(
        Column(
            key,
            label,
            null(),
            unit,
            align="end" if key == "volume_ul" else "start",
            sortable=False,
            mono=key == "animal",
            show=shows.get(key, as_text),
        )
        for key, label, unit in COLUMNS
    )
    asked = request.args.get("format")
    if asked is not None:
        return send_rows("dose", f"Doses of {study.code}", columns, rows, asked, {"study": study.code})
    shown = tuple(column for column in columns if column.key not in ("nth", "lot", "operator", "day"))
    view = table_from_rows(f"Doses of {study.code}", shown, rows, "No dose is planned or recorded yet.")
    return render_template("dosing/table.html", study=study, view=view)


def _standing(standing: str) -> dict[str, str]:
    return {"text": standing, "badge": standing}


def _volume(volume: float | None) -> str | None:
    return None if volume is None else f"{volume:g}"


@pages.route("/list", methods=["GET", "POST"])
@needs("dose:create")
def cohort(study_id: int) -> ResponseReturnValue:
    """Dose a cohort: each dose that is due on a day as a row in the order of the cages, saved as a whole."""
    study, session = _study(study_id), current_session()
    now = today(session)
    day = _day("on", now) or now
    form = DosingForm()
    if not form.is_submitted():
        form.given_on.data, form.operator.data = day, current_account().name
    dosing = dosing_of(session, study, now)
    planned = dosing.between(day, day)
    named = named_regimens((one.treated for one in planned), _arms(study))
    weights = weights_until(session, (one.treated.animal.id for one in planned), day)
    entries = entries_of(planned, named, weights, request.form)
    lots = shared_lots(entries, request.form)
    if form.validate_on_submit() and (done := _saved(form, entries, lots)):
        return done
    overdue = Counter(late for one in dosing.courses for late in one.overdue(dosing.now) if late != day)
    open_ones = study.state is StudyStatus.ACTIVE and day <= now and any(one.planned.dose is None for one in entries)
    return render_form(
        "dosing/list.html",
        form,
        study=study,
        day=day,
        today=now,
        entries=entries,
        lots=lots,
        cells=[*lots.values(), *(cell for entry in entries for cell in entry.cells.values())],
        overdue=sorted(overdue.items()),
        open=open_ones,
        waiting=sorted({one.animal.code for one in dosing.unplanned}),
    )


def _saved(form: DosingForm, entries: Sequence[Entry], shared: Mapping[str, Cell]) -> ResponseReturnValue | None:
    """Record what was typed; gives the answer, or nothing where something is refused or in doubt."""
    filled = [entry for entry in entries if (entry.typed or form.rest.data) and (entry.planned.dose is None or entry.typed)]
    if not filled:
        form.form_errors.append("Nothing was typed: say of a row whether the dose was given, held or missed.")
        return None
    session, project = current_session(), current_project().id
    codes = {scanned_code(cell.text) for cell in (*shared.values(), *(entry.cells["lot"] for entry in filled))}
    lots = lots_named(session, project, codes - {""})
    rows = [entry.row(form, shared, lots) for entry in filled]
    if any(entry.errors for entry in filled) or any(cell.errors for cell in shared.values()):
        form.form_errors.append("Some rows are refused; each says why below its row.")
        return None
    try:
        if not confirmed(form, doubts(session, DOSE, project, rows)):
            return None
        made = record_doses(session, current_actor(), project, rows, reason=confirmation(form))
    except (Conflict, NotFound, NotAllowed):
        raise
    except DomainError as refused:
        session.rollback()
        _place(form, filled, refused)
        return None
    counted = Counter(dose.state.value for dose in made)
    flash(f"Recorded {', '.join(f'{number} {state}' for state, number in sorted(counted.items()))}.", "success")
    return redirect(request.full_path)


def _place(form: DosingForm, filled: Sequence[Entry], refused: DomainError) -> None:
    for one in refused.every:
        if one.row is None:
            form.form_errors.append(str(one))
        else:
            filled[one.row].take(one)
    form.form_errors.append("Nothing was recorded: some rows are refused, and each says why below its row.")
