"""The signatures of a study: who signed it, whether that still stands, and the forms that lock, countersign and amend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lims.audit.words import entity_word, plural
from lims.domain.fates import REASON_WORDS
from lims.domain.permissions import allowed
from lims.domain.signatures import ACT_WORDS, STANDING_WORDS, Standing
from lims.domain.studies import require_locked
from lims.domain.vocabulary import StudyStatus
from lims.models import Signature, Study
from lims.queries.audit import labels_of
from lims.queries.blinding import veil
from lims.queries.scope import find
from lims.queries.signed import Content, Judged, changed_records, digest, fates_of, judge_study
from lims.records.signatures import countersign, doubts_of_lock, lock, note
from lims.views.kept import recorded_last
from lims.views.record_forms import Step
from lims.views.record_pages import confirmation, confirmed
from lims.views.signing import SignForm, asks_password, signs
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    seen_version,
    sees_arms,
)
from lims.views.transaction import installation

pages = Blueprint("signatures", __name__, url_prefix="/p/<project_code>/studies/<int:study_id>")

BOTH = ["GET", "POST"]
TONES = {
    Standing.VALID: "good",
    Standing.SUPERSEDED: "quiet",
    Standing.CHANGED: "warning",
    Standing.BROKEN: "error",
    Standing.MISSING: "error",
}
ICONS = {
    Standing.VALID: "check-circle",
    Standing.SUPERSEDED: "slash-circle",
    Standing.CHANGED: "exclamation-triangle-fill",
    Standing.BROKEN: "exclamation-octagon-fill",
    Standing.MISSING: "exclamation-octagon-fill",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A signature as pages show it."""

    name: str
    at: str
    meaning: str
    did: str
    statement: str
    standing: str
    tone: str
    icon: str
    changed: str
    later: str
    records: tuple[tuple[str, str | None], ...]
    """What changed since: names with the addresses of their histories."""
    event: int
    sha256: str
    by: str
    """The amendment that superseded it."""


def moment_utc(signature: Signature) -> str:
    """Give when it was signed, in UTC as the trail has it."""
    return f"{signature.signed_at:%Y-%m-%d %H:%M:%S} UTC"


def signatures_shown(study: Study, *, anew: bool = False) -> list[Shown]:
    """Give the signatures of a study, the newest first; what it was made of is read once for as long as no record changes.

    anew: read it in any case. What was changed behind the application shows then, and pages drawn before are drawn again.
    """
    shelf, head = installation().shelf, recorded_last()
    key = ("signatures", request.script_root, study.project_id, study.id)
    before: list[Shown] | None = shelf.take(key, head)
    found = None if anew else before
    if found is None:
        found = [_shown(one) for one in reversed(judge_study(current_session(), study))]
        if before not in (None, found):
            shelf.clear()
        shelf.put(key, head, found, sum(len(one.statement) + 500 for one in found))
    hide = veil(current_session(), study.project_id, unblinded=sees_arms())
    return [replace(one, statement=hide.text(one.statement)) for one in found]


def _shown(one: Judged) -> Shown:
    signature, references = one.signature, changed_records(current_session(), one)
    labels = labels_of(current_session(), references)
    history = partial(url_for, "audit.record")
    return Shown(
        name=signature.name,
        at=moment_utc(signature),
        meaning=signature.meaning.value,
        did=ACT_WORDS[signature.act],
        statement=signature.statement,
        standing=STANDING_WORDS[one.standing],
        tone=TONES[one.standing],
        icon=ICONS[one.standing],
        changed=", ".join(_difference(table, number) for table, number in one.changed.items()),
        later=", ".join(_counted(table, number) for table, number in one.later.items()),
        records=tuple((labels[entity, key].text, history(entity=entity, key=key)) for entity, key in references),
        event=signature.event_seq,
        sha256=signature.sha256,
        by=f"{one.by.name}, {moment_utc(one.by)}" if one.by else "",
    )


def _counted(table: str, number: int) -> str:
    word = entity_word(table)
    return f"{number:,} {word if number == 1 else plural(word)}"


def _difference(table: str, number: int) -> str:
    if number:
        return f"{_counted(table, abs(number))} {'more' if number > 0 else 'fewer'}"
    word = entity_word(table)
    return f"the {word if table == 'study' else plural(word)}"


@pages.get("/signatures")
@needs("project:read")
def of_study(study_id: int) -> ResponseReturnValue:
    """Show who signed the study, when, in which sense, and whether what they signed is what there is at this moment."""
    study = study_of(study_id)
    signatures_shown(study, anew=True)
    return render_template("studies/signatures.html", **_drawn_from(study))


def _drawn_from(study: Study) -> dict[str, Any]:
    amended = study.state is StudyStatus.LOCKED and allowed(current_project().role, "study:amend")
    fates = fates_of(current_session(), study.id) if amended else []
    return {"study": study, "fates": [(one.id, one.animal, one.died_on, REASON_WORDS[one.reason]) for one in fates]}


def study_of(study_id: int) -> Study:
    """Give the study of the address."""
    return find(current_session(), Study, current_project().id, study_id)


@pages.route("/lock", methods=BOTH)
@needs("study:lock")
@asks_password
def lock_study(study_id: int) -> ResponseReturnValue:
    """Lock a closed study by a signature."""
    lead = "Nothing of it changes from then on, and nothing unlocks it. What has to be corrected later is a signed amendment."

    def look(study: Study, form: SignForm) -> bool:
        return confirmed(form, doubts_of_lock(current_session(), study))

    def step(study: Study, form: SignForm) -> bool:
        if not look(study, form):
            return False
        said = form.said()
        told = confirmation(form)
        said = replace(said, statement=f"{said.statement} ({told})") if told else said
        lock(current_session(), current_actor(), study, said, version=seen_version(form), seen=form.seen.data or "")
        return True

    return _page(study_id, "Lock", "Sign and lock the study", lead, "is locked by your signature.", step, look)


@pages.route("/sign", methods=BOTH)
@needs("study:sign")
@asks_password
def sign(study_id: int) -> ResponseReturnValue:
    """Sign a locked study beside whoever locked it."""
    lead = "Your signature stands beside those that are there, over what the study is now."

    def step(study: Study, form: SignForm) -> bool:
        countersign(current_session(), current_actor(), study, form.said(), seen=form.seen.data or "")
        return True

    return _page(study_id, "Sign", "Sign the study", lead, "has your signature.", step, _look)


@pages.route("/amend", methods=BOTH)
@needs("study:amend")
@asks_password
def amend(study_id: int) -> ResponseReturnValue:
    """Add a signed note to a locked study."""
    lead = "A note that stands with the study for good and changes no record. To correct a reading, open it and choose Amend."

    def step(study: Study, form: SignForm) -> bool:
        note(current_session(), current_actor(), study, form.said(), seen=form.seen.data or "")
        return True

    return _page(study_id, "Amend", "Sign the note", lead, "has your signed note.", step, _look)


def _look(study: Study, form: SignForm) -> bool:
    require_locked(study.code, study.state, "This signature")
    return True


def _page(
    study_id: int,
    verb: str,
    button: str,
    lead: str,
    done: str,
    step: Callable[[Study, SignForm], bool],
    look: Callable[[Study, SignForm], bool],
) -> ResponseReturnValue:
    study, back = study_of(study_id), url_for(".of_study", study_id=study_id)
    content = Content(current_session(), study.id)
    form = SignForm(data={"version": study.version, "seen": digest(content.told())})
    if form.validate_on_submit() and signs(form):
        with refusing(form):
            if step(study, form):
                flash(f"Study {study.code} {done}", "success")
                return redirect(back)
    elif not form.is_submitted():
        with refusing(form):
            look(study, form)
    page = Step(f"{verb} study", button, back, study.code, lead)
    return answer_form(form, page, content)


def answer_form(form: SignForm, step: Step, content: Content | None = None) -> ResponseReturnValue:
    """Show a form that signs, with what is signed by it."""
    parts = []
    for table, part in content.counted().items() if content else ():
        word, number = entity_word(table), part["count"]
        if number:
            parts.append((word if number == 1 else plural(word), number))
    if not form.is_submitted():  # what is missing is shown at once; nothing was refused to a person who only looks
        return render_template("studies/sign.html", form=form, step=step, parts=parts)
    return render_form("studies/sign.html", form, step=step, parts=parts)


pages.add_app_template_global(signatures_shown)
