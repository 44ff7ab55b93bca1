"""The gate between a patient's tissue and the animal room."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.consents import (
    GATE_SOURCE,
    WITHDRAWAL_SOURCE,
    ConsentState,
    ConsentTerms,
    consent_state,
    doubt_withdrawn,
    in_force,
    require_not_withdrawn,
    require_xenograft,
    withdrawn_from,
)
from lims.domain.errors import DomainError


def day(number: int) -> date:
    return date(2026, 3, number)


def given_on(number: int, withdrawn: int | None = None, *, xenograft: bool = True) -> ConsentTerms:
    return ConsentTerms(day(number), None if withdrawn is None else day(withdrawn), research=True, xenograft=xenograft)


@pytest.mark.parametrize(
    ("consents", "on", "state"),
    [
        ([], 10, ConsentState.NONE),
        ([given_on(11)], 10, ConsentState.NONE),
        ([given_on(10)], 10, ConsentState.GIVEN),
        ([given_on(1, 20)], 10, ConsentState.GIVEN),  # withdrawn later
        ([given_on(1, 10)], 10, ConsentState.WITHDRAWN),  # the day itself counts
        ([given_on(1, 10)], 9, ConsentState.GIVEN),
        ([given_on(1, 1)], 1, ConsentState.WITHDRAWN),
        ([given_on(1, xenograft=False)], 10, ConsentState.NOT_FOR_XENOGRAFT),
        ([given_on(1), given_on(5, xenograft=False)], 10, ConsentState.GIVEN),  # each permits what it permits
        ([given_on(1), given_on(3, 5)], 10, ConsentState.WITHDRAWN),  # a withdrawal ends the older ones too
        ([given_on(3, 5), given_on(6)], 10, ConsentState.GIVEN),
        ([given_on(3, 5), given_on(6)], 5, ConsentState.WITHDRAWN),
        ([given_on(3, 5), given_on(5)], 5, ConsentState.GIVEN),  # one version for another, on one day
        ([given_on(3, 5), given_on(6, xenograft=False)], 10, ConsentState.NOT_FOR_XENOGRAFT),
        ([given_on(3, 5), given_on(6, 8)], 10, ConsentState.WITHDRAWN),
    ],
)
def test_what_consents_come_to(consents: list[ConsentTerms], on: int, state: ConsentState) -> None:
    assert consent_state(consents, day(on)) is state
    assert consent_state(consents[::-1], day(on)) is state


@pytest.mark.parametrize(
    ("consents", "sentence"),
    [
        ([], "No consent of patient BCBM-P01 is recorded."),
        ([given_on(11)], "Patient BCBM-P01 gave consent on 2026-03-11, which is after 2026-03-10."),
        ([given_on(1, 4), given_on(2, 5)], "Patient BCBM-P01 withdrew consent on 2026-03-05: nothing new is made of this tissue."),
        ([given_on(2, xenograft=False)], "The consent of patient BCBM-P01 of 2026-03-02 does not permit xenografts."),
    ],
)
def test_implanting_is_refused_with_what_is_missing(consents: list[ConsentTerms], sentence: str) -> None:
    with pytest.raises(DomainError) as refused:
        require_xenograft(consents, day(10), "BCBM-P01")

    assert str(refused.value) == sentence
    assert refused.value.field == "aliquot_id"
    assert refused.value.expected
    assert refused.value.remedy
    assert refused.value.source == (WITHDRAWAL_SOURCE if "withdrew" in sentence else GATE_SOURCE)


@pytest.mark.parametrize(
    ("consents", "use", "since"),
    [
        ([], None, None),
        ([given_on(1)], None, None),
        ([given_on(1, 10)], None, 10),  # the day itself counts
        ([given_on(1, 11)], None, None),
        ([given_on(1, 5), given_on(6)], None, None),  # a new consent counts again
        ([given_on(1, 5), given_on(6, xenograft=False)], None, None),
        ([given_on(1, 5), given_on(6, xenograft=False)], "xenograft", 5),
        ([given_on(1, 5, xenograft=False)], "xenograft", None),  # what was never permitted is not withdrawn
        ([given_on(1), given_on(3, 5, xenograft=False)], "xenograft", 5),  # a withdrawal ends the older ones too
    ],
)
def test_since_when_a_use_is_withdrawn(consents: list[ConsentTerms], use: str | None, since: int | None) -> None:
    ended = None if since is None else day(since)
    assert withdrawn_from(consents, day(10), use) == ended
    notices = doubt_withdrawn(consents, day(10), "BCBM-P01", field="specimen_id") if use is None else []
    assert [(one.field, one.source) for one in notices] == ([("specimen_id", WITHDRAWAL_SOURCE)] if ended and use is None else [])
    if ended is None:
        require_not_withdrawn(consents, day(10), "BCBM-P01", use=use, field="patient_id", new="specimen is received")
        return
    with pytest.raises(DomainError) as refused:
        require_not_withdrawn(consents, day(10), "BCBM-P01", use=use, field="patient_id", new="specimen is received")
    assert str(refused.value) == f"Patient BCBM-P01 withdrew consent on {ended}: no new specimen is received after that."
    assert (refused.value.field, refused.value.source) == ("patient_id", WITHDRAWAL_SOURCE)
    assert refused.value.expected
    assert refused.value.remedy


def test_implanting_with_consent() -> None:
    require_xenograft([given_on(1)], day(10), "BCBM-P01")


DAYS = st.integers(min_value=0, max_value=30)


@given(st.lists(st.tuples(DAYS, st.none() | DAYS, st.booleans())), DAYS)
def test_nothing_is_in_force_that_was_withdrawn(terms: list[tuple[int, int | None, bool]], on: int) -> None:
    start = date(2026, 1, 1)
    consents = [
        ConsentTerms(start + timedelta(first), None if last is None else start + timedelta(first + last), xenograft=xenograft)
        for first, last, xenograft in terms
    ]
    today = start + timedelta(on)
    current = in_force(consents, today)

    assert all(one.given_on <= today and (one.withdrawn_on is None or one.withdrawn_on > today) for one in current)
    assert (consent_state(consents, today) is ConsentState.GIVEN) == any(one.xenograft for one in current)
    withdrawn = ConsentTerms(start, today, xenograft=True)
    assert not [one for one in in_force([*consents, withdrawn], today) if one.given_on < today]
