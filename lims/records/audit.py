"""What is recorded about the trail itself: that somebody reviewed it, and that it was verified."""

from __future__ import annotations

from sqlalchemy.orm import Session

from lims.audit.problems import Problem, Report
from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.queries.audit import last_noted, newest_event, reviewed_up_to
from lims.queries.signed import hash_of_event
from lims.records.accounts import require_reason
from lims.records.signatures import sign_review

REVIEW = "audit:review"
CHECK = "audit:check"
TOLD_IN_EVENT = 20
"""Problems that the event of a check quotes; all of them are told when it is run again."""


def record_review(session: Session, actor: Actor, project_id: int, *, up_to: int, comment: str) -> None:
    """Record, signed, that a person looked at the project's trail up to an event.

    Raises:
        DomainError: no comment, nothing new up to that event, or no person who could sign.
    """
    declared = declare(session, actor, REVIEW, reason=require_reason(comment), project=project_id)
    after = reviewed_up_to(session, project_id, last_noted(session, project_id, REVIEW, actor.id))
    newest = newest_event(session, project_id)
    if not after < up_to <= newest:
        raise DomainError(
            f"Event {up_to} cannot be the end of a review.",
            expected=f"an event after {after}, up to which you reviewed already, and not after {newest}, the newest one",
            remedy="Open the audit trail again and review what it shows.",
        )
    declared.detail |= {"after": after, "up_to": up_to}
    sign_review(session, actor, project_id, up_to=up_to, event_hash=hash_of_event(session, up_to), statement=comment)


def record_check(session: Session, actor: Actor, project_id: int, report: Report, own: list[Problem]) -> None:
    """Record that the trail was verified, and what came of it; `own` are the problems that the project may read about."""
    detail = {
        "events": report.events,
        "changes": report.changes,
        "records": report.records,
        "checkpoints": report.checkpoints,
        "problems": len(report.problems) + report.more_problems,
        "found": [problem.sentence for problem in own[:TOLD_IN_EVENT]],
    }
    declare(session, actor, CHECK, project=project_id, detail=detail)
