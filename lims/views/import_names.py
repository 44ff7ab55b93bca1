"""Names in a file that nobody knows: what they mean is chosen, typed or scanned, for this file alone or for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response as BaseResponse

from importers.columns import in_words
from lims.domain.errors import Conflict, DomainError, NotAllowed, told
from lims.domain.identifiers import as_scanned
from lims.domain.permissions import allowed, require
from lims.domain.vocabulary import JobKind
from lims.intake import run
from lims.jobs.table import require_idle
from lims.models import ImportBatch
from lims.queries.animals import animals_known
from lims.queries.import_names import NAMED, Known, UnknownName, codes_meant, known_like, known_of, suggestions, unknown_names
from lims.queries.imports import batch_of
from lims.records.aliases import ALIAS
from lims.records.import_edits import require_open
from lims.records.nouns import record
from lims.views.import_file import require_unveiled
from lims.views.import_jobs import begin
from lims.views.support import current_actor, current_project, current_session, needs, sees_arms
from lims.views.tables import Column, table_from_rows

pages = Blueprint("import_names", __name__, url_prefix="/p/<project_code>/imports")
_NOT_OF_TABLES: Any = None
COLUMNS = (
    Column("kind", "Of", _NOT_OF_TABLES, sortable=False),
    Column("name", "In the file", _NOT_OF_TABLES, mono=True, sortable=False),
    Column("where", "First", _NOT_OF_TABLES, mono=True, sortable=False),
)
FOR_GOOD = "alias"
"""What the button says that keeps a name as another name of its animal."""


@pages.get("/<int:batch_id>/names")
@needs("project:read")
def show(batch_id: int) -> ResponseReturnValue:
    """Show the names nobody knows, with a field for each; suggestions only where the person asks for them."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_unveiled(batch)
    known = cache(lambda kind: known_of(current_session(), batch, kind))
    unknown = _unknown(batch)
    asked = request.args.get("suggest", "")
    view = table_from_rows(
        "Names nobody knows",
        COLUMNS,
        [{"kind": one.kind, "name": one.name, "where": one.where} for one in unknown],
        "Every name of this file is known.",
    )
    kinds = {row["kind"] for row in view.rows}
    return render_template(
        "imports/names.html",
        batch=batch,
        view=replace(view, filed=False),
        choices={kind: _choices(known(kind)) for kind in sorted(kinds)},
        suggested=_suggested(batch, view.rows, asked, known),
        meant=_meant(batch),
        may_alias=allowed(current_project().role, "alias:create"),
    )


def _unknown(batch: ImportBatch) -> list[UnknownName]:
    """List the names nobody knows; arms only to those who may know which is which."""
    return [one for one in unknown_names(current_session(), batch) if one.kind != "arm" or sees_arms()]


def _choices(known: Sequence[Known]) -> dict[str, str]:
    """Give code → what else its record is called, to choose from."""
    choices: dict[str, list[str]] = {one.code: [] for one in known}
    for one in known:
        if one.what:
            choices[one.code].append(f"{one.what} {one.name}")
    return {code: ", ".join(others) for code, others in choices.items()}


def _suggested(
    batch: ImportBatch, rows: Sequence[Mapping[str, Any]], asked: str, known: Callable[[str], Sequence[Known]]
) -> Mapping[tuple[str, str], Sequence[Known]]:
    """Give what reads alike: of the name that was asked for, or of all of them."""
    return {
        (kind, name): suggestions(name, known(kind) or known_like(current_session(), batch, kind, name))
        for kind, name in ((row["kind"], row["name"]) for row in rows)
        if asked in ("all", f"{kind}:{name}")
    }


def _meant(batch: ImportBatch) -> list[tuple[str, str, str]]:
    """List what names of this file were said to mean."""
    said = [(*key.partition(":")[::2], answer) for key, answer in sorted(batch.choices.items())]
    return [(kind, name, answer) for kind, name, answer in said if kind in NAMED and name]


@pages.post("/<int:batch_id>/names")
@needs("batch:check")
def say(batch_id: int) -> ResponseReturnValue:
    """Keep what a name means, for good or for this file alone, and read the file again."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_idle(current_session(), batch)
    require_open(batch)
    kind, name = request.form.get("kind", ""), request.form.get("name", "")
    try:
        code = _code_of(batch, kind, request.form.get("meaning", ""))
        if request.form.get("do") == FOR_GOOD:
            _keep(batch, kind, name, code)
        else:
            run.take_answers(current_session(), current_actor(), batch, choices={f"{kind}:{name}": code})
    except (Conflict, NotAllowed):
        raise
    except DomainError as refused:
        return _refused(batch_id, refused)
    flash(f'"{name}" is read as {kind} {code}.', "success")
    begin(batch, JobKind.CHECK)
    left = _unknown(batch_of(current_session(), current_project().id, batch_id))
    return redirect(url_for(".show" if left else "imports.show", batch_id=batch_id))


@pages.post("/<int:batch_id>/names/withdraw")
@needs("batch:check")
def unsay(batch_id: int) -> ResponseReturnValue:
    """Let a name mean nothing again in this file."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_idle(current_session(), batch)
    require_open(batch)
    key = request.form.get("key", "")
    if key.partition(":")[0] not in NAMED or key not in batch.choices:
        raise DomainError("Nothing was said of this name.", remedy="Look at the names of the file again.")
    run.take_answers(current_session(), current_actor(), batch, choices={key: ""})
    begin(batch, JobKind.CHECK)
    return redirect(url_for(".show", batch_id=batch_id))


def _code_of(batch: ImportBatch, kind: str, typed: str) -> str:
    """Give the code of the record that a person chose, typed or scanned: exactly, animals also by chip, ear tag or other name."""
    if kind not in NAMED or (kind == "arm" and not sees_arms()):
        raise DomainError("A name of this kind cannot be said to mean another.", expected=", ".join(NAMED))
    candidates = as_scanned(typed)
    if not candidates:
        raise DomainError(f"Say which {kind} it is.", field="meaning", expected=f"the code of an {kind} of this project")
    known = animals_known(current_session(), batch.project_id, candidates) if kind == "animal" else {}
    codes = [known[one].code for one in candidates if one in known] or codes_meant(current_session(), batch, kind, candidates)
    if len(codes) > 1 and not known:
        raise DomainError(
            f'"{candidates[0]}" is an ear tag of {len(codes)} animals: {in_words(codes[:5])}.',
            field="meaning",
            expected=f"the code of one {kind}",
        )
    if not codes:
        raise DomainError(
            f'There is no {kind} "{candidates[0]}" in this project.',
            field="meaning",
            expected=f"the code of a recorded {kind}",
            remedy="Choose one of the list, or create what the file names.",
        )
    return codes[0]


def _keep(batch: ImportBatch, kind: str, name: str, code: str) -> None:
    """Keep a name as another name of its animal, for this file and all that follow."""
    require(current_project().role, "alias:create")
    if kind != "animal":
        raise DomainError("Only animals have other names.", remedy="Take it for this file alone.")
    animal = animals_known(current_session(), batch.project_id, [code])[code]
    row = {"animal_id": animal.id, "alias": name}
    record(current_session(), current_actor(), ALIAS, batch.project_id, [row], reason=f"named so in {batch.audit_label}")


def _refused(batch_id: int, refused: DomainError) -> BaseResponse:
    current_session().rollback()
    flash(told(refused), "error")
    return redirect(url_for(".show", batch_id=batch_id))
