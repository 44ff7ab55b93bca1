"""The pages of exposure: the list of concentrations, and one with what it is compared with."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint
from sqlalchemy import select
from wtforms import BooleanField, StringField, TextAreaField

from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from lims.domain.exposure import SOURCE, figures
from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, Animal, Exposure, Specimen
from lims.queries.blinding import readable
from lims.queries.exposures import exposure_list, of_animal, sample_of
from lims.records.exposures import EXPOSURE
from lims.views.cells import badge
from lims.views.exposure_list import measure_exposure
from lims.views.filters import moment, term_words
from lims.views.form_fields import CodeField, IsoDateField, MomentField, NumberField, TermField
from lims.views.reading_forms import BenchNumberField
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.study_exposure import exposure
from lims.views.support import current_project, current_session, sees_arms
from lims.views.tables import Column, Empty, Listing, choice, day, search


class ExposureForm(RecordForm):
    """One concentration, to be changed. It is made on a list."""

    groups = (
        Group("Sample", ("matrix", "specimen_id", "collected_on", "collected_at", "hours_after_dose", "sample")),
        Group("Concentration", ("analyte", "concentration", "unit", "below_lloq", "lloq"), "Below the limit there is no number."),
        Group("How", ("method", "note")),
    )
    units: ClassVar = {"hours_after_dose": "h"}
    once: ClassVar = frozenset()

    matrix = TermField("Matrix", ExposureMatrix)
    specimen_id = CodeField("Specimen", Specimen, description="Where the sample has a record of its own.")
    collected_on = IsoDateField("Collected on")
    collected_at = MomentField("Time", description="The hours after the dose follow where the dose has its time.")
    hours_after_dose = NumberField("After the dose")
    sample = StringField("Name at the instrument")
    analyte = StringField("Analyte", description="Where it is not the agent itself: a payload or metabolite, such as DXd.")
    concentration = BenchNumberField("Concentration")
    unit = TermField("Unit", ConcentrationUnit)
    below_lloq = BooleanField("Below the limit of quantification")
    lloq = BenchNumberField("Limit of quantification (LLOQ)", description="In the same unit.")
    method = StringField("Method", description="Such as LC-MS/MS.")
    note = TextAreaField("Note")


def _amount(row: Any) -> str:
    if row.below_lloq:
        return f"< {row.lloq:g}" if row.lloq is not None else "below LLOQ"
    return figures(row.concentration, 3)


def _listing() -> tuple[Listing, Any]:
    project = current_project()
    rows = exposure_list(project.id, unblinded=sees_arms())
    column = rows.selected_columns
    listing = Listing(
        noun="exposure",
        caption="Exposure",
        columns=_columns(column),
        filters=(
            search("q", "Animal, agent or analyte", Animal.code, Agent.code, Exposure.analyte),
            choice("matrix", "Matrix", Exposure.matrix, ExposureMatrix),
            day("from", "From", Exposure.collected_on),
            day("to", "To", Exposure.collected_on, until=True),
            choice("status", "Record", Exposure.status, RecordStatus),
        ),
        sort="animal",
        key=Exposure.id,
        page="exposures.show",
        empty=Empty(
            "No concentration yet. Take the samples of a study to a list, and record what the assay found in them.",
            "Record concentrations",
            "exposures.new",
        ),
    )
    return listing, rows


def _columns(column: Any) -> tuple[Column, ...]:
    return (
        Column("animal", "Animal", column.animal, mono=True),
        Column("agent", "Agent", column.agent),
        Column("analyte", "Analyte", Exposure.analyte),
        Column("matrix", "Matrix", Exposure.matrix, show=term_words),
        Column("concentration", "Concentration", Exposure.concentration, align="end", of_row=True, show=_amount),
        Column("unit", "Unit", Exposure.unit),
        Column("hours_after_dose", "After the dose", Exposure.hours_after_dose, unit="h", align="end", show=_hours),
        Column("collected_on", "Collected", Exposure.collected_on),
        Column("below_lloq", "Below LLOQ", column.below, on_page=False),
        Column("lloq", "LLOQ", column.limit, on_page=False),
        Column("tumour", "Tumour", column.tumour, on_page=False),
        Column("collected_at", "Time", Exposure.collected_at, show=moment, on_page=False),
        Column("method", "Method", Exposure.method, on_page=False),
        Column("sample", "Name at the instrument", Exposure.sample, on_page=False),
        Column("note", "Note", Exposure.note, on_page=False),
        Column("status", "Record", Exposure.status, show=badge, on_page=False),
    )


def _hours(hours: float | None) -> str | None:
    return None if hours is None else f"{hours:g}"


def _shown(exposure: Exposure) -> bool:
    """Tell whether this person may read it: of a blinded study it would name the agent of an arm."""
    unblinded = sees_arms()
    wanted = select(Exposure.id).where(Exposure.id == exposure.id, readable(Exposure, unblinded=unblinded))
    return current_session().scalar(wanted) is not None


def _context(exposure: Exposure) -> dict[str, Any]:
    compared = of_animal(current_session(), exposure.animal_id, unblinded=sees_arms())
    found = next((one.found for one in compared if one.found.tissue.key == exposure.id), None)
    return {"sample": sample_of(exposure), "found": found, "source": SOURCE}


PAGES = RecordPages(
    pages=Blueprint("exposures", __name__, url_prefix="/p/<project_code>/exposures"),
    noun=EXPOSURE,
    form=ExposureForm,
    listing=_listing,
    template="exposures/show.html",
    context=_context,
    shown=_shown,
    makes=False,
    lead="Animal and agent are never changed: withdraw this one and record it anew.",
)
pages = install(PAGES)
pages.add_url_rule("/new", "new", measure_exposure, methods=["GET", "POST"])
pages.add_url_rule("/study/<int:study_id>", "of_study", exposure)
