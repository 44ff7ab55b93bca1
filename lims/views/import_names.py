"""Names in a file that nobody knows: what they mean is chosen, typed or scanned, for this file alone or for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response as BaseResponse

from importers.columns import in_words
from lims.domain.errors import Conflict, DomainError, NotAllowed, about_row, told
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
MEANS = "means-"
"""What a field is called in which a person says what a name means: this, the kind and the name (`means-animal:M7`)."""
FOR_GOOD = "always"
"""The boxes that keep a name as another name of its animal."""
SUGGEST = "suggest"
"""What the button says that asks for what reads alike, and saves nothing."""


@dataclass(slots=True)
class Answer:
    """What a person typed that a name means. code: of the record that it is, once that is found. error: why it is none."""

    kind: str
    name: str
    typed: str
    for_good: bool
    code: str = ""
    error: str = ""

    @property
    def key(self) -> str:
        """Give the name as answers of a file have it."""
        return f"{self.kind}:{self.name}"


@pages.get("/<int:batch_id>/names")
@needs("project:read")
def show(batch_id: int) -> ResponseReturnValue:
    """Show the names nobody knows, with a field for each; suggestions only where the person asks for them."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    return _page(batch, (), request.args.get("suggest", ""))


def _page(batch: ImportBatch, answers: Sequence[Answer], asked: str = "") -> str:
    require_unveiled(batch)
    known = cache(lambda kind: known_of(current_session(), batch, kind))
    unknown = _unknown(batch)
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
        answers={one.key: one for one in answers},
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
    """Keep what names mean, for good or for this file alone, all of them or none, and read the file again."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_idle(current_session(), batch)
    require_open(batch)
    answers = _typed()
    if request.form.get("do") == SUGGEST:
        return _page(batch, answers, "all")
    if not answers:
        return _refused(batch_id, DomainError("No name was answered.", remedy="Say of one at least what it means."))
    if not (_found(batch, answers) and _kept(batch, answers)):
        return _page(batch_of(current_session(), current_project().id, batch_id), answers), 422
    said = f'"{answers[0].name}" is read as {answers[0].kind} {answers[0].code}.' if len(answers) == 1 else ""
    flash(said or f"{len(answers)} names are read as said.", "success")
    begin(batch, JobKind.CHECK)
    left = _unknown(batch_of(current_session(), current_project().id, batch_id))
    return redirect(url_for(".show" if left else "imports.show", batch_id=batch_id))


def _typed() -> list[Answer]:
    """Read what was typed; a name without an answer waits for one."""
    for_good = set(request.form.getlist(FOR_GOOD))
    typed = {key.removeprefix(MEANS): text for key, text in request.form.items() if key.startswith(MEANS) and text.strip()}
    return [Answer(*key.partition(":")[::2], text, key in for_good) for key, text in typed.items()]


def _found(batch: ImportBatch, answers: Sequence[Answer]) -> bool:
    """Find the record of each answer; tells whether every one has its own."""
    for one in answers:
        try:
            one.code = _code_of(batch, one.kind, one.typed)
        except DomainError as refused:
            one.error = told(refused)
    return not any(one.error for one in answers)


def _kept(batch: ImportBatch, answers: Sequence[Answer]) -> bool:
    """Keep the answers in one event; tells whether no rule refuses one, and otherwise keeps none."""
    session, good = current_session(), [one for one in answers if one.for_good]
    choices = {one.key: one.code for one in answers if not one.for_good}
    try:
        if choices:
            run.take_answers(session, current_actor(), batch, choices=choices)
        if good:
            _keep(batch, good)
    except (Conflict, NotAllowed):
        raise
    except DomainError as refused:
        session.rollback()
        for one in refused.every:
            good[one.row or 0].error = told(one)
        return False
    return True


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


def _keep(batch: ImportBatch, answers: Sequence[Answer]) -> None:
    """Keep names as other names of their animals, for this file and all that follow."""
    require(current_project().role, "alias:create")
    for row, one in enumerate(answers):
        with about_row(row):
            if one.kind != "animal":
                raise DomainError("Only animals have other names.", remedy="Take it for this file alone.")
    animals = animals_known(current_session(), batch.project_id, [one.code for one in answers])
    rows = [{"animal_id": animals[one.code].id, "alias": one.name} for one in answers]
    record(current_session(), current_actor(), ALIAS, batch.project_id, rows, reason=f"named so in {batch.audit_label}")


def _refused(batch_id: int, refused: DomainError) -> BaseResponse:
    current_session().rollback()
    flash(told(refused), "error")
    return redirect(url_for(".show", batch_id=batch_id))
