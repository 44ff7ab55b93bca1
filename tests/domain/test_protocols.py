"""What an animal protocol allows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import DomainError
from lims.domain.protocols import ProtocolState, procedure_words, protocol_state, require_protocol


def ask(**changed: Any) -> None:
    asked = {
        "code": "A-12",
        "expires_on": date(2027, 6, 30),
        "approved_on": date(2024, 7, 1),
        "animals_allowed": 18,
        "animals_used": 0,
        "wanted": 1,
        "on": date(2026, 3, 10),
        "procedure": ProtocolProcedure.INTRACRANIAL,
        "procedures": ["intracranial", "imaging"],
    }
    require_protocol(**{**asked, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"wanted": 18},
        {"animals_used": 17},
        {"animals_used": 20, "wanted": 0},  # too many already, and no more asked for
        {"on": date(2027, 6, 30)},  # the last day
        {"on": date(2024, 7, 1)},  # the first
        {"approved_on": None, "on": date(2001, 1, 1)},
        {"procedure": None, "procedures": []},
        {"procedure": ProtocolProcedure.IMAGING, "wanted": 0},
    ],
)
def test_what_is_allowed(changed: dict[str, Any]) -> None:
    ask(**changed)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"wanted": 20}, "Protocol A-12 allows 18 animals; 0 are used and 20 were asked for: 2 too many."),
        ({"animals_used": 18}, "Protocol A-12 allows 18 animals; 18 are used and 1 was asked for: 1 too many."),
        (
            {"animals_allowed": 1, "animals_used": 1, "wanted": 2},
            "Protocol A-12 allows 1 animal; 1 is used and 2 were asked for: 2 too many.",
        ),
        ({"on": date(2027, 7, 1)}, "Protocol A-12 expired on 2027-06-30, before 2027-07-01."),
        ({"on": date(2024, 6, 30)}, "Protocol A-12 was approved on 2024-07-01, after 2024-06-30."),
        ({"procedure": ProtocolProcedure.MAMMARY_FAT_PAD}, "Protocol A-12 does not allow implanting into the mammary fat pad."),
        ({"procedures": []}, "Protocol A-12 does not allow intracranial implanting."),
        ({"wanted": -1}, "-1 animals cannot be asked for."),
    ],
)
def test_what_is_refused(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DomainError) as refused:
        ask(**changed)

    assert str(refused.value) == sentence
    assert refused.value.field == "protocol_id"
    assert refused.value.expected


def test_what_is_expected_names_what_is_left() -> None:
    with pytest.raises(DomainError) as refused:
        ask(animals_used=15, wanted=5)
    assert refused.value.expected == "at most 3 animals more"

    with pytest.raises(DomainError) as refused:
        ask(procedure=ProtocolProcedure.NECROPSY)
    assert refused.value.expected == "one of the procedures it allows: intracranial implanting, imaging"


def test_every_procedure_has_words() -> None:
    words = {procedure_words(one) for one in ProtocolProcedure}

    assert len(words) == len(ProtocolProcedure)
    assert not any("_" in one for one in words)


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (date(2025, 12, 31), ProtocolState.NOT_YET_APPROVED),
        (date(2026, 1, 1), ProtocolState.HOLDS),
        (date(2026, 9, 1), ProtocolState.HOLDS),
        (date(2026, 9, 2), ProtocolState.EXPIRING),
        (date(2026, 11, 30), ProtocolState.EXPIRING),
        (date(2026, 12, 1), ProtocolState.EXPIRED),
    ],
)
def test_a_protocol_holds_to_its_last_day_and_warns_before(on: date, state: ProtocolState) -> None:
    assert protocol_state(date(2026, 11, 30), date(2026, 1, 1), on) is state


def test_a_protocol_without_a_day_of_approval_holds() -> None:
    assert protocol_state(date(2026, 11, 30), None, date(1999, 1, 1)) is ProtocolState.HOLDS
