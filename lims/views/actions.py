"""The pages of actions on humane endpoints: the list, one action, and how people answer it: deferred, or closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false, true
from wtforms import HiddenField, StringField

from lims.domain.cohort_terms import ActionState, EndpointLevel, EndpointMeasure, FateReason
from lims.domain.errors import DomainError
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, EndpointAction
from lims.queries.animals import enrolled_in
from lims.queries.scope import find
from lims.queries.studies import study_names
from lims.queries.welfare import ActionLine, Waiting, action_list, actions_of_readings, fate_of, open_actions, waiting_actions
from lims.records.actions import LONGEST_DEFERRAL, close, defer, may_close
from lims.records.values import today
from lims.views.cells import badge
from lims.views.filters import dated
from lims.views.form_fields import IsoDateField, needed
from lims.views.listing import worded
from lims.views.record_forms import REASON, Group, RecordForm, Step
from lims.views.record_history import history_of
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    seen_version,
    whole_number,
)
from lims.views.tables import EVERYTHING, Column, Empty, Filter, Listing, answer, choice, day, search

pages = Blueprint("actions", __name__, url_prefix="/p/<project_code>/actions")

FATES = {
    EndpointMeasure.WEIGHT_LOSS: FateReason.WEIGHT_ENDPOINT,
    EndpointMeasure.NEUROLOGICAL_SCORE: FateReason.NEUROLOGICAL_ENDPOINT,
    EndpointMeasure.BODY_CONDITION: FateReason.CONDITION_ENDPOINT,
    EndpointMeasure.TUMOUR_VOLUME: FateReason.TUMOUR_BURDEN,
    EndpointMeasure.TUMOUR_BURDEN: FateReason.TUMOUR_BURDEN,
}
"""The reason that a fate begins with when it answers an endpoint of this measure."""
MOST_ACTIONS = 50
"""On a page of a project or a study, the most urgent ones; their list has all."""
UNANSWERED = "unanswered"
_STATES = worded([(UNANSWERED, "open and deferred"), (EVERYTHING, "all"), *((one.value, one.value) for one in ActionState)])


def _in_state(typed: str) -> ColumnElement[bool]:
    if typed not in dict(_STATES):
        raise DomainError(f"{typed!r} is no state of an action.", expected=", ".join(dict(_STATES)))
    if typed == UNANSWERED:
        return EndpointAction.state != ActionState.CLOSED
    return true() if typed == EVERYTHING else EndpointAction.state == ActionState(typed)


def _in_study(typed: str) -> ColumnElement[bool]:
    number = whole_number(typed)
    return false() if number is None else enrolled_in(study_id=number)


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """List what endpoints ask, the open ones unless the address says otherwise."""
    return answer(_listing, "actions/index.html")


def _listing() -> tuple[Listing, Any]:
    rows = action_list(current_project().id)
    studies = [(str(key), code) for key, code in study_names(current_session(), current_project().id)]
    column = rows.selected_columns
    listing = Listing(
        noun="action",
        caption="Actions on humane endpoints",
        columns=(
            Column("animal", "Animal", column.animal, mono=True),
            Column("level", "Level", column.level, show=badge),
            Column("finding", "What was found", column.finding, show=dated),
            Column("cage", "Cage", column.cage, mono=True),
            Column("state", "State", column.state, show=badge),
            Column("reached_on", "Since", column.reached_on),
            Column("deferred_until", "Deferred until", column.deferred_until, roomy=True),
            Column("answer", "Answer", column.answer, show=lambda answer: answer and dated(answer), roomy=True),
            Column("answered_on", "Answered", column.answered_on, on_page=False),
            Column("protocol", "Protocol", column.protocol, on_page=False),
            Column("measure", "Endpoint", column.measure, on_page=False),
        ),
        filters=(
            search("q", "Animal or cage", column.animal, column.cage),
            Filter("state", "State", "select", _in_state, _STATES, default=UNANSWERED),
            choice("level", "Level", EndpointAction.level, EndpointLevel),
            Filter("study", "Study", "select", _in_study, studies),
            day("from", "Since", EndpointAction.reached_on),
        ),
        sort="-reached_on",
        key=EndpointAction.id,
        page="actions.show",
        empty=Empty("No value has reached a humane endpoint. Endpoints stand on the page of an animal protocol."),
    )
    return listing, rows.where(EndpointAction.status == RecordStatus.ACTIVE)


def _action(action_id: int) -> EndpointAction:
    return find(current_session(), EndpointAction, current_project().id, action_id)


@pages.get("/<int:action_id>")
@needs("project:read")
def show(action_id: int) -> str:
    """Show what was found, what was answered, and by whom."""
    action = _action(action_id)
    return render_template(
        "actions/show.html",
        action=action,
        reason=FATES[action.rule.measure].value,
        closable=may_close(action),
        history=history_of("endpoint_action", action.id),
    )


class AnswerForm(RecordForm):
    """Why an action is answered so."""

    groups = (Group("Answer", ("reason",)),)
    once: ClassVar = frozenset()

    reason = StringField("Reason", [needed(REASON)], description="It stands with the action, and in the audit trail.")
    version = HiddenField()


class DeferForm(AnswerForm):
    """Until when it is deferred, and why."""

    groups = (
        Group(
            "Deferral",
            ("deferred_until", "reason"),
            "The next value after that day that reaches the endpoint opens it again; so does anything worse, at once.",
        ),
    )

    deferred_until = IsoDateField("Deferred until", [needed("The day until which it is deferred is needed.")])


@pages.route("/<int:action_id>/defer", methods=["GET", "POST"])
@needs("action:change")
def deferral(action_id: int) -> ResponseReturnValue:
    """Defer an action until a day, with the reason."""
    action = _action(action_id)
    form = DeferForm(data={"version": action.version, "deferred_until": today(current_session()) + timedelta(days=1)})
    if form.validate_on_submit():
        with refusing(form):
            until, reason = form.deferred_until.data, form.reason.data or ""
            defer(current_session(), current_actor(), action, version=seen_version(form), until=until, reason=reason)
            flash(f"The action of {action.animal.code} is deferred until {until}.", "success")
            return redirect(url_for(".show", action_id=action.id))
    lead = f"{action.finding}. At most {LONGEST_DEFERRAL.days} days."
    return _step(form, action, Step("Defer the action of", "Defer it", "", action.animal.code, lead))


@pages.route("/<int:action_id>/close", methods=["GET", "POST"])
@needs("action:change")
def closing(action_id: int) -> ResponseReturnValue:
    """Close an action whose animal no longer reaches an endpoint to act at."""
    action = _action(action_id)
    form = AnswerForm(data={"version": action.version})
    if form.validate_on_submit():
        with refusing(form):
            close(current_session(), current_actor(), action, version=seen_version(form), reason=form.reason.data or "")
            flash(f"The action of {action.animal.code} is closed.", "success")
            return redirect(url_for(".show", action_id=action.id))
    return _step(form, action, Step("Close the action of", "Close it", "", action.animal.code, action.note or f"{action.finding}."))


def _step(form: AnswerForm, action: EndpointAction, step: Step) -> ResponseReturnValue:
    back = url_for(".show", action_id=action.id)
    return render_form("records/step.html", form, step=Step(step.title, step.button, back, step.code, step.lead))


def tell_actions(measurement_ids: Iterable[int]) -> None:
    """Say on the next page which actions readings that were just saved ask for."""
    tell(actions_of_readings(current_session(), list(measurement_ids)))


def tell(actions: Sequence[ActionLine]) -> None:
    """Say on the next page what waits for an answer; of many the first, and how many more."""
    for one in actions[:5]:
        flash(f"{one.level.value.capitalize()}: {one.animal}. {one.finding}.", "endpoint")
    if len(actions) > 5:
        flash(f"{len(actions) - 5} more actions on humane endpoints are open; they stand on the Today page.", "endpoint")


@dataclass(frozen=True, slots=True)
class Asks:
    """What endpoints ask of a study's animals: the most urgent of it, and how much there is."""

    waiting: Waiting

    @property
    def act(self) -> list[ActionLine]:
        """Give what is to act on, of the most urgent."""
        return [one for one in self.waiting.first if one.level is EndpointLevel.ACT]

    @property
    def watch(self) -> list[ActionLine]:
        """Give what is to watch, of the most urgent."""
        return [one for one in self.waiting.first if one.level is not EndpointLevel.ACT]

    @property
    def watched(self) -> int:
        """Count what is to watch."""
        return self.waiting.count - self.waiting.acts

    @property
    def words(self) -> str:
        """Say how many of each: `3 to act on, 6 to watch`."""
        of = self.waiting
        counted = (of.acts, "to act on"), (self.watched, "to watch"), (of.deferred, "deferred")
        return ", ".join(f"{number:,} {words}" for number, words in counted if number)


def asks_of(study_id: int, most: int | None = None) -> Asks:
    """Give what endpoints ask of a study's animals today, for its pages. most: of how many the page shows more than the number."""
    most = MOST_ACTIONS if most is None else most
    return Asks(waiting_actions(current_session(), current_project().id, today(current_session()), most, study_id=study_id))


def actions_open(animal_id: int) -> list[ActionLine]:
    """Give what is open of an animal, for the banner on its page."""
    return open_actions(current_session(), current_project().id, animal_id=animal_id)


def _fate_of(animal: Animal) -> Any:
    return fate_of(current_session(), animal.id)


pages.add_app_template_global(actions_open)
pages.add_app_template_global(asks_of)
pages.add_app_template_global(_fate_of, "fate_of")
pages.add_app_template_global({measure: reason.value for measure, reason in FATES.items()}.get, "fate_for")
