"""The mapping page: what the columns of a table hold that no importer recognises, said once and kept as a profile if wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from importers.base import Refused
from importers.mapped_table import IMPORTER as MAPPED_TABLE
from importers.mapping import KEY, TableMapping
from importers.text import DECIMALS, DELIMITERS, ENCODINGS
from lims.domain.errors import Conflict
from lims.domain.permissions import require
from lims.domain.vocabulary import BatchState, JobKind, MeasurementKind
from lims.intake import run
from lims.intake.mapping import Seen, Wanted, look_at
from lims.intake.profiles import known_profiles
from lims.intake.upload import read_by
from lims.jobs.table import require_idle
from lims.models import ImportBatch, ImportProfileVersion
from lims.queries.import_profiles import known_animals
from lims.queries.imports import batch_of
from lims.queries.kinds import kinds_of
from lims.records.import_edits import OPEN_STATES
from lims.records.import_profiles import Content, change_profile, save_profile
from lims.views.import_file import require_unveiled
from lims.views.import_jobs import begin
from lims.views.mapping_form import (
    KEEP_FILE,
    KEEP_NEW,
    KEEP_VERSION,
    MappingForm,
    known_kinds,
    mapping_form,
    mapping_of,
    rows_of,
)
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    whole_number,
)
from lims.views.transaction import installation

pages = Blueprint("mapping", __name__, url_prefix="/p/<project_code>/imports/<int:batch_id>/mapping")

READER = {"encoding": ENCODINGS, "delimiter": {key: key for key in DELIMITERS}, "decimal": {key: key for key in DECIMALS}}
"""What may be said of how a text is written, with the answers and how they read."""


@pages.route("", methods=["GET", "POST"])
@needs("batch:check")
def show(batch_id: int) -> ResponseReturnValue:
    """Show a table with a proposal for each column, and keep what a person says of them."""
    session, project = current_session(), current_project()
    batch = batch_of(session, project.id, batch_id)
    if batch.state not in OPEN_STATES and request.method == "GET":
        state = "recorded already" if batch.state is BatchState.COMMITTED else batch.state.value
        flash(
            f"Batch {batch.id} is {state}, and stays as it was read. To read its file otherwise, take it back and upload it again.",
            "note",
        )
        return redirect(url_for("imports.show", batch_id=batch.id))
    if batch.state not in OPEN_STATES:
        raise Conflict(f"Batch {batch.id} is {batch.state.value} already.", remedy="Open its page to see what it recorded.")
    require_idle(session, batch)
    require_unveiled(batch)
    kinds = kinds_of(session, project.id)
    asked: Mapping[str, str] = request.form if request.method == "POST" else request.args
    try:
        seen = _look(batch, kinds, asked)
    except Refused as refused:
        return render_template("imports/unmappable.html", batch=batch, finding=refused.finding)
    texts = list(dict.fromkeys(text for one in seen.table.columns for text in one.different))
    animals = known_animals(session, project.id, texts)
    form = mapping_form(seen, kinds, animals, _start(batch, seen, asked))
    if form.validate_on_submit():
        mapping = mapping_of(form, seen.table, kinds)
        if mapping is not None:
            with refusing(form):
                _keep(batch, form, seen, mapping)
                begin(batch, JobKind.CHECK)
                return redirect(url_for("imports.show", batch_id=batch_id))
    rows, readers = rows_of(form, seen.table, animals), _reader_choices(seen, asked) if seen.table.kind == "text" else []
    return render_form("imports/mapping.html", form, batch=batch, seen=seen, table=seen.table, rows=rows, readers=readers)


def _look(batch: ImportBatch, kinds: Mapping[str, MeasurementKind], asked: Mapping[str, str]) -> Seen:
    given = {key: asked[key] for key in READER if asked.get(key)}
    profiles = tuple(known_profiles(current_session(), batch.project_id))
    wanted = Wanted(
        {**batch.choices, **given},
        known_kinds(kinds),
        whole_number(asked.get("sheet")),
        whole_number(asked.get("header_row")),
        bool(asked.get("apart")),
        profiles,
    )
    return look_at(installation().settings, batch, wanted)


def _start(batch: ImportBatch, seen: Seen, asked: Mapping[str, str]) -> dict[str, Any]:
    """Give what the form begins with, beside its columns."""
    table = seen.table
    place = {"sheet": str(table.sheet), "header_row": str(table.header_row), "apart": "y" if asked.get("apart") else ""}
    read = {key: asked.get(key) or batch.choices.get(key, "") for key in READER}
    return {
        **place,
        **read,
        "date_order": batch.choices.get("date_order"),
        "date": batch.choices.get("date"),
        "keep": KEEP_VERSION if seen.near else KEEP_FILE,
        "of_study": True,
    }


def _reader_choices(seen: Seen, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give how the text is read, to look again with other answers."""
    questions = {question.key: question for question in seen.table.questions}
    return [
        {
            "key": key,
            "label": key.capitalize() if key != "decimal" else "Decimal mark",
            "options": [("", "as the file shows"), *options.items()],
            "value": asked.get(key) or (questions[key].answer if key in questions else ""),
            "evidence": questions[key].evidence if key in questions else "",
            "samples": questions[key].samples if key in questions else (),
        }
        for key, options in READER.items()
    ]


def _keep(batch: ImportBatch, form: MappingForm, seen: Seen, mapping: TableMapping) -> None:
    """Keep the mapping with the batch, and as a profile or its new version where that is wanted."""
    session, actor = current_session(), current_actor()
    date_order = form.date_order.data if seen.table.open_dates else None
    choices = {KEY: mapping.to_text(), "date_order": date_order or "", "date": str(form.date.data or "")}
    choices |= {key: form[key].data or "" for key in READER}
    run.take_answers(session, actor, batch, importer=MAPPED_TABLE.key, choices=choices)
    version = _saved(batch, form, seen)
    read_by(batch, version.id if version else None)


def _saved(batch: ImportBatch, form: MappingForm, seen: Seen) -> ImportProfileVersion | None:
    session, actor = current_session(), current_actor()
    study_id = batch.study_id if form.of_study.data else None
    content = Content(MAPPED_TABLE.key, batch.choices, seen.table.signature, study_id)
    if form.keep.data == KEEP_NEW or (seen.near is None and (form.name.data or "").strip()):
        require(current_project().role, "import-profile:create")
        version = save_profile(session, actor, batch.project_id, name=form.name.data or "", content=content)
    elif form.keep.data == KEEP_VERSION and seen.near is not None:
        require(current_project().role, "import-profile:change")
        profile = session.get_one(ImportProfileVersion, seen.near.id).profile
        version = change_profile(session, actor, profile, version=profile.version, content=content, reason=form.reason.data or "")
    else:
        return None
    flash(f"The next file with these headers is read by the profile “{version.profile.name}”.", "success")
    return version
