"""The arms of a study: its tab, and the forms to plan, change and withdraw one."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, request, url_for

from lims.domain.errors import NotAllowed
from lims.domain.vocabulary import RecordStatus
from lims.models import Arm, Study
from lims.queries.blinding import hides_arms
from lims.queries.scope import find
from lims.queries.studies import arms_of_studies
from lims.records.noun import Noun
from lims.records.nouns import record
from lims.records.studies import ARM
from lims.views.filters import may, term_words
from lims.views.kept import kept_page
from lims.views.record_forms import RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.study_forms import ArmForm
from lims.views.support import current_actor, current_project, current_session, needs, sees_arms


def _require_sight(study: Study) -> None:
    """Let arms of a blinded study be planned and read about by those who may know them."""
    if hides_arms(study, unblinded=sees_arms()):
        raise NotAllowed(
            f"Study {study.code} is blinded: your role does not see which arm is which.",
            remedy="Ask an administrator or a study director of the project.",
        )


def _make(form: RecordForm, noun: Noun[Any], reason: str) -> Any:
    values = form.values()
    _require_sight(find(current_session(), Study, current_project().id, values["study_id"]))
    (made,) = record(current_session(), current_actor(), noun, current_project().id, [values], reason=reason)
    return made


PAGES = RecordPages(
    pages=Blueprint("arms", __name__, url_prefix="/p/<project_code>/arms"),
    noun=ARM,
    form=ArmForm,
    home=lambda arm: url_for("arms.of_study", study_id=arm.study_id),
    make=_make,
    lead="Its place among the arms gives its colour, on every page and plot.",
)
pages = install(PAGES)


@pages.before_request
def _guard() -> None:
    number = (request.view_args or {}).get(PAGES.parameter)
    if number is not None:
        found = find(current_session(), Arm, current_project().id, number)
        _require_sight(current_session().get_one(Study, found.study_id))


@pages.get("/of/<int:study_id>")
@needs("project:read")
def of_study(study_id: int) -> str:
    """Show the arms of a study: role, planned and enrolled animals."""
    return kept_page("studies/arms.html", partial(_of_study, study_id))


def _of_study(study_id: int) -> dict[str, Any]:
    study = find(current_session(), Study, current_project().id, study_id)
    unblinded = sees_arms()
    arms = arms_of_studies(current_session(), study.project_id, study.id, unblinded=unblinded)
    hidden = hides_arms(study, unblinded=unblinded)
    columns = [
        {"key": "arm", "label": "Arm"},
        *([] if hidden else [{"key": "code", "label": "Code", "mono": True}, {"key": "role", "label": "Role"}]),
        {"key": "target_n", "label": "Planned", "align": "end"},
        {"key": "enrolled", "label": "Enrolled", "align": "end"},
        {"key": "at_risk", "label": "At risk", "align": "end"},
    ]
    rows: list[dict[str, Any]] = [
        {
            "arm": {"text": arm.name, "arm": arm.slot},
            "code": arm.code,
            "role": term_words(arm.role),
            "target_n": "–" if arm.target_n is None else str(arm.target_n),
            "enrolled": str(arm.enrolled),
            "at_risk": str(arm.at_risk),
        }
        for arm in arms
    ]
    changeable = not hidden and may("arm:change") and study.status is RecordStatus.ACTIVE
    for row, arm in zip(rows, arms, strict=True) if changeable else ():
        row["step"] = {"text": "Change", "url": url_for("arms.change", record_id=arm.id)}
        row["out"] = {"text": "Withdraw", "url": url_for("arms.withdraw", record_id=arm.id)} if may("arm:withdraw") else None
    if changeable:
        columns += [{"key": "step", "label": "Change"}, {"key": "out", "label": "Withdraw"}]
    table = {"caption": f"Arms of {study.code}", "columns": columns, "rows": rows}
    return {"study": study, "table": table, "hidden": hidden}
