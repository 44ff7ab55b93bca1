"""The pages of measurements: the list with its sources, and one reading with its provenance and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false

from lims.domain.errors import DomainError
from lims.domain.vocabulary import Quality
from lims.models import Animal, ImportEdit, Measurement
from lims.plots import shown
from lims.queries.import_edits import edits_of_record
from lims.queries.kinds import unit_of_kind
from lims.queries.measurements import every_measurement, find_measurement, in_study, measurement_list
from lims.queries.studies import study_names
from lims.records.locked import locks_of, says
from lims.records.readings import MEASUREMENT
from lims.views.addresses import numbered
from lims.views.cells import digits, doubt, kind_titles, source, when
from lims.views.kept import kept_page
from lims.views.list_tabs import tabs_of
from lims.views.measuring import measure
from lims.views.measuring_form import FORMULAS
from lims.views.project_kinds import kind_choices, project_kinds
from lims.views.reading_forms import ReadingForm, quality, steps_of
from lims.views.record_history import SHORT, history_of
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session, needs, whole_number
from lims.views.tables import Column, Empty, Filter, Listing, answer, choice, day, one_of, search

PAGES = RecordPages(
    pages=Blueprint("measurements", __name__, url_prefix="/p/<project_code>/measurements"),
    noun=MEASUREMENT,
    form=ReadingForm,
    form_template="measurements/form.html",
    makes=False,
    parameter="measurement_id",
    lead="The value is computed and judged anew; what it was stays in its history.",
)
pages = install(PAGES)
pages.add_url_rule("/measure", "measure", measure, methods=["GET", "POST"])
pages.add_url_rule("/<int:measurement_id>/quality", "quality", quality, methods=["GET", "POST"])


@cache
def columns_of(*, of_one_animal: bool = False) -> tuple[Column, ...]:
    """Give the columns of a list of readings; files have the unit, sheet, row, column and raw text as columns of their own."""
    column = every_measurement().selected_columns
    subject = () if of_one_animal else (Column("animal", "Animal", column.animal, mono=True),)
    return (
        Column("taken_on", "When", column.taken_on, of_row=("taken_at", "relative_day"), show=when),
        *subject,
        Column("tumour", "Tumour", column.tumour),
        Column("kind", "Kind", column.kind, show_of=kind_titles),
        Column("value", "Value", column.value, align="end", of_row=("kind",), show_of=_values),
        Column("unit", "Unit", unit_of_kind(), on_page=False),
        Column("quality", "Quality", column.quality, show=doubt),
        Column("batch_id", "Source", column.batch_id, of_row=("sheet", "row", "column", "raw"), show_of=_sources),
        Column("sheet", "Sheet", column.sheet, on_page=False),
        Column("row", "Row", column.row, on_page=False),
        Column("column", "Column", column.column, on_page=False),
        Column("raw", "Text in the file", column.raw, on_page=False),
        Column("recorded_by", "Recorded by", column.recorded_by, sortable=False, on_page=not of_one_animal),
        Column("taken_at", "Time", column.taken_at, on_page=False),
        Column("relative_day", "Study day in the file", column.relative_day, on_page=False),
        Column("quality_reason", "Reason of the quality", column.quality_reason, on_page=False),
        Column("id", "Record number", column.id, on_page=False),
    )


def _values(_: Sequence[Any]) -> Callable[[Any], str]:
    kinds = project_kinds()
    return lambda row: f"{shown(row.value, kinds[row.kind].decimals)} {kinds[row.kind].unit}"


def _sources(_: Sequence[Any]) -> Callable[[Any], dict[str, Any]]:
    """Give what shows where a reading comes from, with the text of its cell."""
    batch = numbered("imports.show")

    def show(row: Any) -> dict[str, Any]:
        place = {"text": source(row.batch_id, row.sheet, row.row, row.column), "url": batch(row.batch_id) if row.batch_id else None}
        return place | {"title": f"The file says: {row.raw}"} if row.raw else place

    return show


def _batch(typed: str) -> ColumnElement[bool]:
    number = whole_number(typed)
    if number is None:
        raise DomainError(f'"{typed}" is no batch.', expected="the number of a batch, such as 12")
    return Measurement.batch_id == number


def _study(typed: str) -> ColumnElement[bool]:
    number = whole_number(typed)
    return false() if number is None else in_study(number)


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """List the measurements, the latest recorded first."""
    return answer(_listing, "measurements/index.html", lambda: {"tabs": tabs_of("measurements")})


def _listing() -> tuple[Listing, Any]:
    project = current_project()
    rows = measurement_list(project.id)
    studies = [(str(key), code) for key, code in study_names(current_session(), project.id)]
    listing = Listing(
        noun="measurement",
        caption="Measurements",
        columns=columns_of(),
        filters=(
            search("q", "Animal", Animal.code),
            one_of("kind", "Kind", Measurement.kind, kind_choices()),
            Filter("study", "Study", "select", _study, studies),
            choice("quality", "Quality", Measurement.quality, Quality),
            Filter("batch", "Batch", "search", _batch),
            day("from", "From", Measurement.taken_on),
            day("to", "To", Measurement.taken_on, until=True),
        ),
        sort="-id",
        key=Measurement.id,
        page="measurements.show",
        empty=Empty("No measurement yet. Import the first file that an instrument wrote.", "Import a file", "imports.upload"),
    )
    return listing, rows


@pages.get("/<int:measurement_id>")
@needs("project:read")
def show(measurement_id: int) -> ResponseReturnValue:
    """Show one reading: what it is, where it comes from, and who changed it when and why."""
    return kept_page("measurements/show.html", partial(_drawn_from, measurement_id))


def _drawn_from(measurement_id: int) -> dict[str, Any]:
    found = find_measurement(current_session(), current_project().id, measurement_id)
    reading = found.Measurement
    return {
        "found": found,
        "reading": reading,
        "kind": project_kinds()[reading.kind],
        "value": digits(reading.value, reading.kind),
        "formula": FORMULAS.get(reading.formula),
        "steps": steps_of(reading),
        "locks": [
            one for one in locks_of(current_session(), [reading.animal_id])[reading.animal_id] if says(one, reading.study_id)
        ],
        "when": when(reading),
        "source": source(reading.batch_id, reading.source_sheet, reading.source_row, reading.source_column),
        "corrected": _corrected(reading),
        "history": history_of("measurement", reading.id, SHORT),
    }


def _corrected(reading: Measurement) -> ImportEdit | None:
    """Give how the reading's own cell was corrected before its file was recorded."""
    edits = edits_of_record(current_session(), "measurement", reading.id) if reading.batch_id else ()
    return next((edit for edit in edits if edit.column_number == reading.source_column), None)
