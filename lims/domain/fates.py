"""What an animal's fate says in a survival analysis: an event, or censored, by the rule that the study declares.

Source: ARRIVE 2.0 items 3 and 6 (who is left out, what is an outcome). A study names the reasons that count as an event; the
animal leaves the risk set either way on the day it died.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from lims.domain.cohort_terms import FateReason
from lims.domain.errors import DomainError

SOURCE = "ARRIVE 2.0, items 3 and 16; Directive 2010/63/EU, article 6 and annex IV"


class Outcome(StrEnum):
    """What survival analysis makes of a fate; a missing one has to be asked for, and is never guessed."""

    EVENT = "event"
    CENSORED = "censored"
    MISSING = "missing"


REASON_WORDS: dict[FateReason, str] = {
    FateReason.NEUROLOGICAL_ENDPOINT: "neurological endpoint",
    FateReason.WEIGHT_ENDPOINT: "weight endpoint",
    FateReason.TUMOUR_BURDEN: "tumour burden",
    FateReason.CONDITION_ENDPOINT: "body-condition endpoint",
    FateReason.FOUND_DEAD: "found dead",
    FateReason.SCHEDULED: "scheduled end of the study",
    FateReason.TISSUE_HARVEST: "tissue harvest",
    FateReason.UNRELATED: "unrelated to the study",
    FateReason.TECHNICAL: "technical: surgery, dosing or anaesthesia",
    FateReason.NOT_RECORDED: "not recorded",
}


def outcome(reason: FateReason | None, event_reasons: Collection[str]) -> Outcome:
    """Say what a dead animal's fate is in a study; without a reason (None, not recorded) it is missing."""
    if reason is None or reason is FateReason.NOT_RECORDED:
        return Outcome.MISSING
    return Outcome.EVENT if reason.value in event_reasons else Outcome.CENSORED


def require_method(code: str, reason: FateReason, method: str | None) -> None:
    """Refuse a method of killing of an animal that was found dead.

    Raises:
        DomainError: on `method`.
    """
    if reason is FateReason.FOUND_DEAD and method:
        raise DomainError(
            f'Animal {code} was found dead, so it was not killed by "{method}".',
            field="method",
            expected="no method, or another reason",
            source=SOURCE,
        )
