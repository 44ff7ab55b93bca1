"""The pages of import profiles: the list, one with its versions, a new one from an import, and its next version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, HiddenField, RadioField, SelectChoice, SelectField, StringField, TextAreaField  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs
from wtforms.validators import InputRequired

from importers.base import Refused
from importers.columns import in_words
from importers.mapping import KEY, UNREAD, MappedColumn, TableMapping, mapping_in
from lims.domain.errors import DomainError
from lims.domain.vocabulary import MeasurementKind, RecordStatus
from lims.intake.mapping import headers_of
from lims.intake.upload import read_by
from lims.models import ImportBatch, ImportProfile, ImportProfileVersion, Study, User
from lims.queries.blinding import veil
from lims.queries.import_profiles import batches_by, profile_list, versions_of
from lims.queries.imports import active_studies
from lims.queries.kinds import kinds_of
from lims.queries.scope import find
from lims.records.import_profiles import EVERY_FILE, IMPORT_PROFILE, Content, change_profile, save_profile
from lims.views.cells import badge
from lims.views.filters import format_title, moment
from lims.views.form_fields import needed
from lims.views.import_file import require_unveiled
from lims.views.import_forms import study_choices
from lims.views.mapping_form import ABOUT, SIDES, WHO, chosen_columns, column_fields
from lims.views.once import OnceForm
from lims.views.record_forms import REASON, Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    seen_version,
    sees_arms,
    whole_number,
)
from lims.views.tables import Column, Empty, Listing, choice, search
from lims.views.transaction import installation

RECENT = 10
ANSWER = "answer-"


class ProfileForm(RecordForm):
    """What a profile is called."""

    groups = (Group("Profile", ("name", "note")),)
    once = frozenset()

    name = StringField("Name", [needed("A profile needs a name.")], description="Such as “Weekly sheet of the barn”.")
    note = TextAreaField("Note", description="Such as who writes these files, and when.")


class KeepForm(OnceForm):
    """How an import was read, to be kept under a name."""

    name = StringField("Name", [needed("A profile needs a name.")], description="Such as “Weekly sheet of the barn”.")
    note = TextAreaField("Note", description="Such as who writes these files, and when.")
    known_by = RadioField(
        "It reads",
        choices=[
            SelectChoice("headers", "files with the same headers"),
            SelectChoice("format", "every file of this format, whatever its headers"),
        ],
        default="headers",
        validate_choice=False,
        description="The second is for formats whose headers name samples or compounds.",
    )
    of_study = BooleanField("Its files belong to the study of this import")


class VersionForm(OnceForm):
    """The next version of a profile; a field for each column and answer is added."""

    study = SelectField("Study", default="", description="Where all files of this source belong to one.")
    reason = StringField("Reason", [InputRequired(REASON)], description="It stands beside the version, and in the audit trail.")
    version = HiddenField()


def _listing() -> tuple[Listing, Any]:
    rows = profile_list(current_project().id)
    listing = Listing(
        noun="import-profile",
        caption="Import profiles",
        columns=(
            Column("name", "Profile", ImportProfile.name),
            Column("importer", "Format", ImportProfileVersion.importer, show=format_title),
            Column("number", "Version", ImportProfile.number, align="end"),
            Column("reason", "Why this version", ImportProfileVersion.reason, roomy=True),
            Column("made_at", "Since", ImportProfileVersion.made_at, show=moment),
            Column("made_by", "By", User.name, roomy=True),
            Column("files", "Files recorded", rows.selected_columns.files, align="end", show="{:,}".format),
            Column("note", "Note", ImportProfile.note, on_page=False),
            Column("status", "Record", ImportProfile.status, show=badge, on_page=False),
        ),
        filters=(search("q", "Name", ImportProfile.name), choice("status", "Record", ImportProfile.status, RecordStatus)),
        sort="name",
        key=ImportProfile.id,
        page="import_profiles.show",
        empty=Empty(
            "No profile yet. Import a file and say how it is read; saved as a profile, that reads the next one without a question.",
            "Import a file",
            "imports.upload",
        ),
    )
    return listing, rows


def _context(profile: ImportProfile) -> dict[str, Any]:
    """Show one version, the latest unless the address names another, and how it came to it."""
    session = current_session()
    versions = versions_of(session, profile)
    wanted = whole_number(request.args.get("version")) or profile.number
    shown = next((one for one in versions if one.number == wanted), versions[0])
    kinds = kinds_of(session, profile.project_id, withdrawn=True)
    hide = veil(session, profile.project_id, unblinded=sees_arms())
    told: dict[str, Any] = {
        "columns": _columns_table(_mapping(shown), kinds),
        "place": _place(_mapping(shown)),
        "answers": _answers(shown.choices),
        "headers": ["every file of this format"] if shown.signature == [EVERY_FILE] else [f"“{one}”" for one in shown.signature],
        "versions": _versions_table(profile, versions, kinds),
        "batches": _batches_table(batches_by(session, profile, RECENT)),
    }
    return {**hide.within(told), "shown": shown}


def _answers(choices: Mapping[str, str]) -> list[dict[str, str]]:
    """Give what is answered beside the mapping, as labelled pairs."""
    return [{"label": key.replace("_", " ").capitalize(), "value": value} for key, value in choices.items() if key != KEY]


def _mapping(version: ImportProfileVersion) -> TableMapping | None:
    try:
        return mapping_in(version.choices)
    except Refused:  # one that came by --set and was never read
        return None


def _place(mapping: TableMapping | None) -> str | None:
    return f"row {mapping.header_row} of sheet “{mapping.sheet}”, or wherever they stand" if mapping else None


def holds_words(column: MappedColumn, kinds: Mapping[str, MeasurementKind]) -> str:
    """Say what a column holds: `Body weight, in g`."""
    if column.role == UNREAD:
        return f"not read: {column.reason}"
    if column.kind:
        title = kinds[column.kind].title if column.kind in kinds else column.kind
        return f"{title}, in {column.unit}"
    title = {**WHO, **ABOUT, **SIDES}[column.role]
    return f"{title}, in {column.unit}" if column.unit else title


def _columns_table(mapping: TableMapping | None, kinds: Mapping[str, MeasurementKind]) -> dict[str, Any] | None:
    if mapping is None:
        return None
    columns = [{"key": "header", "label": "Header"}, {"key": "holds", "label": "What it holds"}]
    rows = [{"header": one.title, "holds": holds_words(one, kinds)} for one in mapping.columns]
    return {"caption": "Columns", "columns": columns, "rows": rows}


def _versions_table(profile: ImportProfile, versions: Any, kinds: Mapping[str, MeasurementKind]) -> dict[str, Any]:
    columns = [
        {"key": "number", "label": "Version"},
        {"key": "reason", "label": "Why"},
        {"key": "changed", "label": "What changed"},
        {"key": "by", "label": "By"},
        {"key": "at", "label": "When"},
    ]
    rows = [
        {
            "_url": url_for("import_profiles.show", record_id=profile.id, version=one.number),
            "number": str(one.number),
            "reason": one.reason,
            "changed": _changed(before, one, kinds) if before else "",
            "by": one.made_by.name if one.made_by else "command line",
            "at": moment(one.made_at),
        }
        for one, before in zip(versions, [*versions[1:], None], strict=True)
    ]
    return {"caption": "Versions", "columns": columns, "rows": rows}


def _changed(before: ImportProfileVersion, after: ImportProfileVersion, kinds: Mapping[str, MeasurementKind]) -> str:
    """Say what a version changed: columns by their headers, answers by their keys."""
    old, new = (
        {**_said_of_columns(_mapping(one), kinds), **{key: value for key, value in one.choices.items() if key != KEY}}
        for one in (before, after)
    )
    told = [f"{name}: {old[name]} → {new[name]}" for name in new if name in old and old[name] != new[name]]
    added, gone = [name for name in new if name not in old], [name for name in old if name not in new]
    told += [f"{in_words(added)} added"] if added else []
    told += [f"{in_words(gone)} no longer there"] if gone else []
    if before.importer != after.importer:
        told.append(f"{format_title(before.importer)} → {format_title(after.importer)}")
    if before.study_id != after.study_id:
        told.append("another study" if after.study_id else "no study any more")
    return "; ".join(told) or "the headers"


def _said_of_columns(mapping: TableMapping | None, kinds: Mapping[str, MeasurementKind]) -> dict[str, str]:
    return {f"“{one.title}”": holds_words(one, kinds) for one in mapping.columns} if mapping else {}


def _batches_table(batches: Any) -> dict[str, Any]:
    columns = [
        {"key": "file", "label": "File"},
        {"key": "state", "label": "State"},
        {"key": "version", "label": "Version", "align": "end"},
    ]
    rows = [
        {
            "_url": url_for("imports.show", batch_id=one.id),
            "file": one.file_name,
            "state": {"text": one.state.value, "badge": one.state.value},
            "version": str(one.profile_version.number),
        }
        for one in batches
    ]
    return {"caption": "Files it read", "columns": columns, "rows": rows}


PAGES = RecordPages(
    pages=Blueprint("import_profiles", __name__, url_prefix="/p/<project_code>/import-profiles"),
    noun=IMPORT_PROFILE,
    form=ProfileForm,
    listing=_listing,
    template="import_profiles/show.html",
    context=_context,
    index_template="import_profiles/index.html",
    makes=False,
)
pages = install(PAGES)


@pages.get("/versions/<int:version_id>")
@needs("project:read")
def of_version(version_id: int) -> ResponseReturnValue:
    """Lead to the profile of a version, as it was then."""
    version = find(current_session(), ImportProfileVersion, current_project().id, version_id)
    return redirect(url_for(".show", record_id=version.profile_id, version=version.number))


@pages.route("/new", methods=["GET", "POST"])
@needs("import-profile:create")
def new() -> ResponseReturnValue:
    """Keep how an import was read as a profile, for the next file of that source."""
    session, project = current_session(), current_project()
    batch = find(session, ImportBatch, project.id, whole_number(request.args.get("batch")) or 0)
    require_unveiled(batch)
    headers = _headers(batch)
    form = KeepForm()
    mapped = KEY in batch.choices
    signature = [EVERY_FILE] if not mapped and (not headers or form.known_by.data == "format") else headers
    content = Content(batch.importer or "", batch.choices, signature, batch.study_id if form.of_study.data else None)
    if form.validate_on_submit():
        with refusing(form):
            version = save_profile(
                session, current_actor(), project.id, name=form.name.data or "", note=form.note.data or None, content=content
            )
            read_by(batch, version.id)
            which = "of this format" if signature == [EVERY_FILE] else "with these headers"
            flash(f"The next file {which} is read by the profile “{version.profile.name}”.", "success")
            return redirect(url_for("imports.show", batch_id=batch.id))
    told = {"answers": _answers(content.kept), "mapped": mapped}
    return render_form("import_profiles/new.html", form, batch=batch, headers=headers, **told)


def _headers(batch: ImportBatch) -> list[str]:
    try:
        return headers_of(installation().settings, batch)
    except Refused as refused:
        told = refused.finding
        raise DomainError(f"This file cannot be read yet: {told.message}", expected=told.expected, remedy=told.remedy) from refused


@pages.route("/<int:record_id>/edit", methods=["GET", "POST"])
@needs("import-profile:change")
def edit(record_id: int) -> ResponseReturnValue:
    """Change what a profile says: its next version, with a reason."""
    session, project = current_session(), current_project()
    profile = find(session, ImportProfile, project.id, record_id)
    latest = versions_of(session, profile)[0]
    kinds = kinds_of(session, project.id)
    mapping = _mapping(latest)
    form = _version_form(profile, latest, mapping, kinds)
    if form.validate_on_submit():
        columns = chosen_columns(form, mapping.columns, kinds) if mapping else ()
        if columns is not None:
            with refusing(form):
                change_profile(
                    session,
                    current_actor(),
                    profile,
                    version=seen_version(form),
                    content=_content(form, latest, mapping, columns),
                    reason=form.reason.data or "",
                )
                flash(f"Profile “{profile.name}” has version {profile.number} now.", "success")
                return redirect(url_for(".show", record_id=profile.id))
    answers = [one for one in form if one.name.startswith(ANSWER)]
    columns_shown = (
        [(one, form[f"c{place}"], form[f"why{place}"]) for place, one in enumerate(mapping.columns, 1)] if mapping else []
    )
    return render_form("import_profiles/edit.html", form, record=profile, latest=latest, rows=columns_shown, answers=answers)


def _version_form(
    profile: ImportProfile, latest: ImportProfileVersion, mapping: TableMapping | None, kinds: Mapping[str, MeasurementKind]
) -> VersionForm:
    fields: dict[str, Any] = {}
    for place, one in enumerate(mapping.columns if mapping else (), 1):
        fields |= column_fields(place, one.title, one, kinds, spread=one.spread)
    for key, value in latest.choices.items():
        if key != KEY:
            fields[ANSWER + key] = StringField(key.replace("_", " "), default=value)
    form: VersionForm = type("VersionOfProfile", (VersionForm,), fields)(
        obj=profile, data={"study": str(latest.study_id or ""), "version": str(profile.version)}
    )
    form.study.choices = study_choices(active_studies(current_session(), profile.project_id))
    return form


def _content(
    form: VersionForm, latest: ImportProfileVersion, mapping: TableMapping | None, columns: tuple[MappedColumn, ...]
) -> Content:
    choices = {one.name.removeprefix(ANSWER): str(one.data or "").strip() for one in form if one.name.startswith(ANSWER)}
    if mapping is not None:
        choices[KEY] = TableMapping(mapping.sheet, mapping.header_row, columns).to_text()
    study = find(current_session(), Study, latest.project_id, int(form.study.data)) if form.study.data else None
    return Content(latest.importer, choices, latest.signature, study.id if study else None)
