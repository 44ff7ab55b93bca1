"""Event, censored or missing: by the study's own rule."""

from __future__ import annotations

import pytest

from lims.domain.cohort_terms import USUAL_EVENTS, FateReason
from lims.domain.errors import DomainError
from lims.domain.fates import REASON_WORDS, Outcome, outcome, require_method

USUAL = [reason.value for reason in USUAL_EVENTS]


@pytest.mark.parametrize(
    ("reason", "events", "expected"),
    [
        *((reason, USUAL, Outcome.EVENT) for reason in USUAL_EVENTS),
        (FateReason.SCHEDULED, USUAL, Outcome.CENSORED),
        (FateReason.TISSUE_HARVEST, USUAL, Outcome.CENSORED),
        (FateReason.UNRELATED, USUAL, Outcome.CENSORED),
        (FateReason.TECHNICAL, USUAL, Outcome.CENSORED),
        (FateReason.FOUND_DEAD, ["neurological_endpoint"], Outcome.CENSORED),
        (FateReason.TISSUE_HARVEST, ["tissue_harvest"], Outcome.EVENT),
        (FateReason.WEIGHT_ENDPOINT, [], Outcome.CENSORED),
        (FateReason.NOT_RECORDED, USUAL, Outcome.MISSING),
        (FateReason.NOT_RECORDED, ["not_recorded"], Outcome.MISSING),
        (None, USUAL, Outcome.MISSING),
    ],
)
def test_the_study_says_what_is_an_event(reason: FateReason | None, events: list[str], expected: Outcome) -> None:
    assert outcome(reason, events) is expected


def test_what_was_found_dead_was_not_killed() -> None:
    require_method("M1", FateReason.FOUND_DEAD, None)
    require_method("M1", FateReason.SCHEDULED, "CO₂")
    with pytest.raises(DomainError, match='M1 was found dead, so it was not killed by "CO₂"') as refused:
        require_method("M1", FateReason.FOUND_DEAD, "CO₂")
    assert refused.value.field == "method"


def test_every_reason_has_its_words() -> None:
    assert REASON_WORDS.keys() == set(FateReason)
