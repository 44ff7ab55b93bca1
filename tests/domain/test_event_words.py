"""What words of logs mean: reasons of death, vehicles, routes."""

from __future__ import annotations

import pytest

from lims.domain.cohort_terms import DoseRoute, FateReason
from lims.domain.dose_words import is_vehicle, route_of
from lims.domain.fate_words import understood


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("End Of Experiment", FateReason.SCHEDULED),
        ("end of the study", FateReason.SCHEDULED),
        ("Bodyweight Loss", FateReason.WEIGHT_ENDPOINT),
        ("weight loss > 20 %", FateReason.WEIGHT_ENDPOINT),
        ("Dead In Cage", FateReason.FOUND_DEAD),
        ("found dead", FateReason.FOUND_DEAD),
        ("Died After Injection", FateReason.TECHNICAL),
        ("died under anaesthesia", FateReason.TECHNICAL),
        ("died during anesthesia", FateReason.TECHNICAL),
        ("Neurological signs, seizures", FateReason.NEUROLOGICAL_ENDPOINT),
        ("tumour size", FateReason.TUMOUR_BURDEN),
        ("ulcerated tumor", FateReason.TUMOUR_BURDEN),
        ("poor body condition", FateReason.CONDITION_ENDPOINT),
        ("tissue harvest", FateReason.TISSUE_HARVEST),
        ("fight wounds", FateReason.UNRELATED),
    ],
)
def test_usual_words_are_understood(words: str, reason: FateReason) -> None:
    assert understood(words) is reason


@pytest.mark.parametrize("words", ["", "cat", "weight loss and seizure", "no weight loss", "not found dead", "skill", "Tag 12"])
def test_words_that_name_none_or_several_or_say_what_it_was_not_are_not_understood(words: str) -> None:
    assert understood(words) is None


@pytest.mark.parametrize("name", ["Water", "Castor oil", "0.9 % NaCl", "vehicle", "PEG400", "10% DMSO in saline"])
def test_a_vehicle_is_known_by_its_name(name: str) -> None:
    assert is_vehicle(name)


@pytest.mark.parametrize("name", ["Tamoxifen", "Tucatinib", "salinomycin", "18F-fluorodeoxyglucose", "Bintrafusp"])
def test_a_drug_is_no_vehicle(name: str) -> None:
    assert not is_vehicle(name)


@pytest.mark.parametrize(
    ("words", "route"),
    [
        ("i.p.", DoseRoute.INTRAPERITONEAL),
        ("IV", DoseRoute.INTRAVENOUS),
        ("oral gavage", DoseRoute.ORAL_GAVAGE),
        ("p.o.", DoseRoute.ORAL_GAVAGE),
        ("Subcutaneous", DoseRoute.SUBCUTANEOUS),
        ("by ear", None),
        ("", None),
    ],
)
def test_a_route_is_known_whatever_its_points_and_case(words: str, route: DoseRoute | None) -> None:
    assert route_of(words) is route
