"""Writes how people answer actions on humane endpoints: a deferral or an end with its reason, or the animal's fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.domain.cohort_terms import ActionState, EndpointLevel
from lims.domain.endpoints import SOURCE
from lims.domain.errors import Conflict, DomainError
from lims.domain.fates import REASON_WORDS
from lims.domain.vocabulary import RecordStatus
from lims.models import EndpointAction, Fate
from lims.queries.chunks import in_chunks
from lims.records.accounts import require_reason
from lims.records.noun import Draft, Noun
from lims.records.nouns import change
from lims.records.values import today

LONGEST_DEFERRAL = timedelta(days=14)
"""An animal beyond its endpoint is looked at again within two weeks, by a rule of this system."""


def _check_actions(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a deferral to a day that is past, or too far."""
    now = today(session)
    for draft in drafts:
        until = draft.values["deferred_until"]
        if draft.values["state"] is ActionState.DEFERRED and draft.changes("state", "deferred_until"):
            _require_until(until, now)


def _require_until(until: date | None, now: date) -> None:
    if until is None or not now < until <= now + LONGEST_DEFERRAL:
        raise DomainError(
            "Until when is it deferred?" if until is None else f"It cannot be deferred until {until}: today is {now}.",
            field="deferred_until",
            expected=f"{now + timedelta(days=1)} to {now + LONGEST_DEFERRAL}",
            remedy="Choose the day on which somebody looks at the animal again.",
            source=SOURCE,
        )


ACTION: Noun[EndpointAction] = Noun(
    "action",
    EndpointAction,
    check=_check_actions,
    fixed=frozenset({"animal_id", "rule_id", "measurement_id", "level", "value", "finding", "reached_on"}),
    future=frozenset({"deferred_until"}),
    key=(),
)


def defer(session: Session, actor: Actor, action: EndpointAction, *, version: int, until: date | None, reason: str) -> None:
    """Defer an action until a day, with the reason; the next value after it that reaches the endpoint opens it again.

    Raises:
        DomainError: no reason is given, or the day is past or too far.
        Conflict: the action was answered meanwhile.
    """
    fields = {"state": ActionState.DEFERRED, "deferred_until": until}
    _answer(session, actor, action, fields, version=version, reason=reason)


def close(session: Session, actor: Actor, action: EndpointAction, *, version: int, reason: str) -> None:
    """Close an action without a fate: a watch, or one whose value no longer reaches the endpoint.

    Raises:
        DomainError: no reason is given, or the animal still reaches an endpoint to act at.
        Conflict: the action was answered meanwhile.
    """
    if not may_close(action):
        raise DomainError(
            f"{action.finding}. It is not closed while the animal reaches the endpoint.",
            expected="its fate, or a deferral with a reason",
            remedy="Record the fate, defer it, or correct the value if it is wrong.",
            source=SOURCE,
        )
    _answer(session, actor, action, {"state": ActionState.CLOSED, "deferred_until": None}, version=version, reason=reason)


def may_close(action: EndpointAction) -> bool:
    """Tell whether an action may end without a fate."""
    return action.level is EndpointLevel.WATCH or action.note is not None or action.rule.status is RecordStatus.WITHDRAWN


def _answer(
    session: Session, actor: Actor, action: EndpointAction, fields: Mapping[str, object], *, version: int, reason: str
) -> None:
    if action.state is ActionState.CLOSED:
        raise Conflict("This action was answered already.", remedy="Its page says how.")
    answer = {**fields, "answer": require_reason(reason), "answered_on": today(session)}
    change(session, actor, ACTION, action, version=version, reason=reason, fields=answer)


def answer_by_fates(session: Session, fates: Sequence[Fate]) -> None:
    """Close what is open of animals whose fate was recorded; what a withdrawn fate closed is open again."""
    by_animal = {fate.animal_id: fate for fate in fates}
    asked = or_(EndpointAction.state != ActionState.CLOSED, EndpointAction.fate_id.is_not(None))
    active = select(EndpointAction).where(EndpointAction.status == RecordStatus.ACTIVE, asked)
    for (action,) in in_chunks(session, sorted(by_animal), lambda some: active.where(EndpointAction.animal_id.in_(some))):
        fate = by_animal[action.animal_id]
        if fate.status is RecordStatus.ACTIVE and (action.state is not ActionState.CLOSED or action.fate_id == fate.id):
            action.state, action.fate_id, action.answered_on = ActionState.CLOSED, fate.id, fate.died_on
            action.answer = f"Fate: {REASON_WORDS[fate.reason]}, {fate.died_on}"
        elif fate.status is RecordStatus.WITHDRAWN and action.fate_id == fate.id:
            action.state, action.fate_id, action.answered_on, action.answer = ActionState.OPEN, None, None, None
            action.deferred_until = None
    session.flush()
