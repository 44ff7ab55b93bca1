"""The pages of studies: the list, the study with its plots, its animals, files, history and readings, and its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false

from lims.domain.cohort_terms import FateReason
from lims.domain.studies import ITEMS, missing_items
from lims.domain.vocabulary import MeasurementKind, RecordStatus, StudyStatus
from lims.models import Enrolment, Study
from lims.queries.animals import study_animals
from lims.queries.kinds import kinds_measured
from lims.queries.scope import find
from lims.queries.series import day_count, study_readings
from lims.queries.studies import ArmOfStudy, arms_of_studies, study_files, study_list
from lims.records.studies import STUDY
from lims.views.animal_columns import sex_words, weight
from lims.views.cells import badge, doubt, kind_titles, values
from lims.views.filters import format_title, moment, term_words
from lims.views.kept import kept_page
from lims.views.listing import worded
from lims.views.project_kinds import kind_choices
from lims.views.record_pages import RecordPages, install
from lims.views.study_forms import FIELDS, StudyForm
from lims.views.study_plots import StudyData, overview, place_of_last
from lims.views.support import current_project, current_session, needs, sees_arms
from lims.views.tables import Cell, Column, Empty, Filter, Listing, answer, choice, one_of, search


def _listing() -> tuple[Listing, Any]:
    rows = study_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="study",
        caption="Studies",
        columns=(
            Column("code", "Study", column.code, mono=True),
            Column("title", "Title", column.title),
            Column("state", "State", column.state, show=badge),
            Column("arms", "Arms", column.arms, align="end"),
            Column("animals", "Animals", column.animals, align="end"),
            Column("kind", "Kind", Study.kind, show=term_words),
            Column("day_zero_on", "Day 0", column.day_zero_on),
            # Counted where somebody asks: a project may have a million.
            Column("readings", "Readings", column.readings, align="end", show="{:,}".format, on_page=False),
            Column("last_on", "Last reading", column.last_on, on_page=False),
            Column("blinded", "Blinded", Study.blinded, show=lambda blinded: "yes" if blinded else None, on_page=False),
            Column("status", "Record", Study.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Code or title", Study.code, Study.title),
            choice("state", "State", Study.state, StudyStatus),
            choice("status", "Record", Study.status, RecordStatus),
        ),
        sort="code",
        key=Study.id,
        page="studies.show",
        empty=Empty("No study yet. Import a file that names one, or start one here.", "Start a study", "studies.new"),
    )
    return listing, rows


def _overview(study: Study) -> dict[str, Any]:
    """Give the arms of a study, and what its plots are, which its page fetches."""
    data = StudyData(current_session(), study, unblinded=sees_arms(), count=True)
    kind = data.chosen(request.args.get("kind"))
    return {
        "kinds": list(data.read.values()),
        "kind": kind,
        "parts": overview(data, kind),
        "arms": _arms_table(data.arms, study, kind),
        "animals": sum(arm.enrolled for arm in data.arms),
    }


PAGES = RecordPages(
    pages=Blueprint("studies", __name__, url_prefix="/p/<project_code>/studies"),
    noun=STUDY,
    form=StudyForm,
    listing=_listing,
    index_template="studies/index.html",
    template="studies/show.html",
    form_template="studies/form.html",
    history_template="studies/history.html",
    context=_overview,
    keeps=True,
    parameter="study_id",
    lead="It begins as a draft: add its arms, enrol or randomise animals, then activate it.",
)
pages = install(PAGES)


def _study(study_id: int) -> Study:
    return find(current_session(), Study, current_project().id, study_id)


@pages.get("/<int:study_id>/design")
@needs("project:read")
def design(study_id: int) -> ResponseReturnValue:
    """Show what a study says of itself, item by item of ARRIVE 2.0."""
    return kept_page("studies/design.html", partial(_design, study_id))


def _design(study_id: int) -> dict[str, Any]:
    study = _study(study_id)
    said = [{"label": f"{FIELDS[item.column]} ({item.number})", "value": getattr(study, item.column)} for item in ITEMS]
    events = [term_words(FateReason(code)) for code in study.event_reasons]
    return {"study": study, "said": said, "events": events, "missing": missing_items(vars(study))}


@dataclass(frozen=True, slots=True)
class _ArmsTable:
    """What `rows_table` draws of a study's arms."""

    caption: str
    columns: list[dict[str, str]]
    rows: list[dict[str, Any]]


def _arms_table(arms: Sequence[ArmOfStudy], study: Study, kind: MeasurementKind | None) -> _ArmsTable:
    """Make the table of a study's arms; the last values of what is drawn come with the plot of its means."""
    columns = [
        {"key": "arm", "label": "Arm"},
        {"key": "enrolled", "label": "n", "align": "end"},
        {"key": "at_risk", "label": "At risk", "align": "end"},
    ]
    if kind is not None:
        columns.append({"key": "last", "label": "Last value", "unit": kind.unit, "align": "end"})
    if any(arm.excluded for arm in arms):
        columns.append({"key": "excluded", "label": "Excluded", "align": "end"})
    rows = [
        {
            "_url": url_for("studies.animals", study_id=study.id, arm=arm.key),
            "arm": {"text": arm.name, "arm": arm.slot},
            "enrolled": str(arm.enrolled) if arm.target_n in (None, arm.enrolled) else f"{arm.enrolled} of {arm.target_n}",
            "at_risk": str(arm.at_risk),
            "last": {"text": "…", "place": place_of_last(arm)},
            "excluded": str(arm.excluded),
        }
        for arm in arms
    ]
    return _ArmsTable("Arms", columns, rows)


@pages.get("/<int:study_id>/animals")
@needs("project:read")
def animals(study_id: int) -> ResponseReturnValue:
    """List the animals of a study with their arm and last readings."""
    study = cache(partial(_study, study_id))
    return answer(lambda: _animals(study()), "studies/animals.html", lambda: {"study": study()})


def _animals(study: Study) -> tuple[Listing, Any]:
    unblinded = sees_arms()
    arms = arms_of_studies(current_session(), study.project_id, study.id, unblinded=unblinded)
    shown = {arm.title: arm for arm in arms}
    rows = study_animals(study.id, unblinded=unblinded)
    column = rows.selected_columns
    listing = Listing(
        noun="animal",
        caption=f"Animals of {study.code}",
        columns=(
            Column("code", "Animal", column.code, mono=True),
            Column("arm", "Arm", column.arm, show=lambda title: _arm_cell(shown.get(title), title)),
            Column("sex", "Sex", column.sex, show=sex_words),
            Column("cage", "Cage", column.cage, mono=True),
            Column("state", "State", column.state, show=badge),
            Column("weight", "Last weight", column.weight, unit="g", align="end", show=weight),
            Column("last_on", "Last reading", column.last_on),
            Column("enrolment", "Enrolment", column.enrolment, of_row=("excluded_on",), show=_enrolment_cell, sortable=False),
            Column("readings", "Readings", column.readings, align="end", show="{:,}".format, on_page=False),
            Column("enrolled_on", "Enrolled on", column.enrolled_on, on_page=False),
            Column("day_zero_on", "Day 0", column.day_zero_on, on_page=False),
            Column("excluded_on", "Excluded from", column.excluded_on, on_page=False),
            Column("exclusion_reason", "Why excluded", column.exclusion_reason, on_page=False),
        ),
        filters=(
            search("q", "Animal", column.code),
            _by_arm(arms),
            Filter("analysis", "Analysis", "select", _in_analysis, worded([("in", "in analysis"), ("out", "excluded")])),
        ),
        sort="code",
        key=column.id,
        page="animals.show",
        empty=Empty("No animal is enrolled in this study yet. Enrol them by hand, or import a file that names its arms."),
        keys_first=True,
    )
    return listing, rows


def _by_arm(arms: Sequence[ArmOfStudy]) -> Filter:
    ids, options = {arm.key: arm.id for arm in arms}, [(arm.key, arm.name) for arm in arms]
    return Filter("arm", "Arm", "select", lambda typed: Enrolment.arm_id == ids[typed] if typed in ids else false(), options)


def _in_analysis(typed: str) -> ColumnElement[bool]:
    return Enrolment.excluded_on.is_not(None) if typed == "out" else Enrolment.excluded_on.is_(None)


def _arm_cell(arm: ArmOfStudy | None, title: str) -> Cell:
    return {"text": arm.name, "arm": arm.slot} if arm else title


def _enrolment_cell(row: Any) -> Cell:
    url = url_for("enrolments.show", record_id=row.enrolment)
    out = row.excluded_on
    return {"text": f"excluded from {out}", "tone": "warning", "url": url} if out else {"text": "enrolled", "url": url}


@pages.get("/<int:study_id>/files")
@needs("project:read")
def files(study_id: int) -> ResponseReturnValue:
    """List the files that brought readings of the study's animals."""
    study = cache(partial(_study, study_id))
    return answer(lambda: _files(study()), "studies/files.html", lambda: {"study": study()})


def _files(study: Study) -> tuple[Listing, Any]:
    rows = study_files(study.id)
    column = rows.selected_columns
    listing = Listing(
        noun="batch",
        caption=f"Files of {study.code}",
        columns=(
            Column("id", "Batch", column.id, mono=True),
            Column("file_name", "File", column.file_name),
            Column("importer", "Format", column.importer, show=format_title),
            Column("state", "State", column.state, show=badge),
            Column("readings", "Readings here", column.readings, align="end", show="{:,}".format),
            Column("committed_at", "Recorded", column.committed_at, show=moment),
            Column("committed_by", "By", column.committed_by, show=lambda name: name or "command line"),
        ),
        sort="-id",
        key=column.id,
        page="imports.show",
        empty=Empty("No file brought readings of this study's animals yet.", "Import a file", "imports.upload"),
    )
    return listing, rows


@pages.get("/<int:study_id>/readings")
@needs("project:read")
def readings(study_id: int) -> ResponseReturnValue:
    """List the readings behind the study's plots, one line each: the tidy table."""
    study = cache(partial(_study, study_id))
    return answer(lambda: _readings(study()), "studies/readings.html", lambda: {"study": study()})


def _readings(study: Study) -> tuple[Listing, Any]:
    measured = kinds_measured(current_session(), study.id)
    rows = study_readings(study.id, day_count(current_session(), study), unblinded=sees_arms())
    arms = arms_of_studies(current_session(), study.project_id, study.id, unblinded=sees_arms(), count=False)
    shown = {arm.title: arm for arm in arms}
    column = rows.selected_columns
    listing = Listing(
        noun="measurement",
        caption=f"Readings of {study.code}",
        columns=(
            Column("animal", "Animal", column.animal, mono=True),
            Column("tumour", "Tumour", column.tumour),
            Column("arm", "Arm", column.arm, show=lambda title: _arm_cell(shown.get(title), title)),
            Column("kind", "Kind", column.kind, show_of=kind_titles),
            Column("day", "Day", column.day, align="end", show="d{:g}".format),
            Column("taken_on", "Date", column.taken_on),
            Column(
                "value",
                "Value",
                column.value,
                align="end",
                of_row=("kind",),
                show_of=values,
            ),
            Column("quality", "Quality", column.quality, show=doubt),
            Column("excluded_on", "Animal excluded from", column.excluded_on, on_page=False),
            Column("exclusion_reason", "Why excluded", column.exclusion_reason, on_page=False),
        ),
        filters=(
            one_of("kind", "Kind", column.kind, [(code, title) for code, title in kind_choices() if code in measured]),
            search("q", "Animal", column.animal),
        ),
        sort="animal",
        key=column.id,
        page="measurements.show",
        empty=Empty("This study's animals have no readings yet."),
        keys_first=True,
    )
    return listing, rows
