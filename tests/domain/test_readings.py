"""One reading, judged: numbers as they are typed, diameters, limits, jumps and days."""

from __future__ import annotations

from datetime import date

import pytest

from lims.domain.errors import DomainError, told
from lims.domain.events_order import Life
from lims.domain.numbers import read_number
from lims.domain.readings import Before, Diameters, Subject, computed, doubts_of, refuse_day, refuse_value
from lims.domain.vocabulary import KIND_BY_CODE, MeasurementKind, VolumeFormula

WEIGHT, VOLUME, AREA = (KIND_BY_CODE[code] for code in ("body_weight", "caliper_volume", "caliper_area"))
FLUX = KIND_BY_CODE["bli_total_flux"]
ON = date(2026, 3, 9)
NOBODY = Diameters()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("21.4", 21.4),
        (" 21.4 ", 21.4),
        ("1.26e6", 1.26e6),
        ("1.26E+06", 1.26e6),
        (".5", 0.5),
        ("-3", -3),
        ("\u22123", -3),
        ("7.", 7),
    ],
)
def test_a_number_with_a_point_is_read_without_a_doubt(text: str, value: float) -> None:
    read = read_number(text)
    assert read is not None
    assert (read.value, read.below, read.doubts) == (value, False, ())


@pytest.mark.parametrize(
    ("text", "value"), [("1,26", 1.26), ("21,4", 21.4), ("1,26e6", 1.26e6), ("0,125", 0.125), ("1,2600", 1.26)]
)
def test_a_decimal_comma_is_read_and_doubted(text: str, value: float) -> None:
    read = read_number(text)
    assert read is not None
    assert read.value == value
    assert [notice.message for notice in read.doubts] == [f'"{text}": did you mean {text.replace(",", ".")}?']


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,260", '"1,260" can be read as 1260 or as 1.260.'),
        ("1,260,000", '"1,260,000" has commas in it.'),
        ("1,260.5", '"1,260.5" has commas in it.'),
        ("1.260,5", '"1.260,5" is no number.'),
        ("PDX-0012", '"PDX-0012" is no number.'),
        ("21.4 g", '"21.4 g" is no number.'),
        ("1e999", '"1e999" is no number.'),
        ("nan", '"nan" is no number.'),
        ("٣", '"٣" is no number.'),
        ("<0.5", '"<0.5" is no number.'),
    ],
)
def test_what_is_no_number_or_could_be_two_is_refused(text: str, said: str) -> None:
    with pytest.raises(DomainError) as refused:
        read_number(text, field="length_mm")
    assert str(refused.value) == said
    assert refused.value.field == "length_mm"
    assert refused.value.expected


def test_a_value_below_a_limit_is_read_where_limits_are_usual() -> None:
    read = read_number("< 0.5", limits=True)
    assert read is not None
    assert (read.value, read.below) == (0.5, True)
    assert read_number("  ") is None


@pytest.mark.parametrize(
    ("formula", "of", "volume"),
    [
        (VolumeFormula.HALF_L_W2, Diameters(10, 6), 180),
        (VolumeFormula.HALF_L_W2, Diameters(6, 10), 180),
        (VolumeFormula.ELLIPSOID_LW2, Diameters(10, 6), 188.496),
        (VolumeFormula.ELLIPSOID_LWH, Diameters(10, 6, 5), 157.08),
        (VolumeFormula.HALF_L_W2, Diameters(0, 0), 0),
    ],
)
def test_a_volume_is_made_of_diameters(formula: VolumeFormula, of: Diameters, volume: float) -> None:
    assert computed(VOLUME, of, formula) == pytest.approx(volume, abs=1e-3)


def test_an_area_is_length_times_width() -> None:
    assert computed(AREA, Diameters(10, 6), VolumeFormula.HALF_L_W2) == 60


@pytest.mark.parametrize(
    ("of", "field"), [(Diameters(None, 6), "length_mm"), (Diameters(10, None), "width_mm"), (Diameters(10, 600), "width_mm")]
)
def test_a_diameter_that_is_missing_or_cannot_be_is_refused_beside_it(of: Diameters, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        computed(VOLUME, of, VolumeFormula.HALF_L_W2)
    assert refused.value.field == field


def test_a_height_is_asked_for_by_its_formula() -> None:
    with pytest.raises(DomainError, match="height is missing"):
        computed(VOLUME, Diameters(10, 6), VolumeFormula.ELLIPSOID_LWH)


def test_a_weight_of_two_grams_is_a_decimal_point_in_the_wrong_place() -> None:
    with pytest.raises(DomainError) as refused:
        refuse_value(WEIGHT, 2.14, "M001")
    assert "Body weight 2.14 g of M001 is below 5 g: a decimal point in the wrong place" in told(refused.value)
    refuse_value(WEIGHT, 5, "M001")


def doubts(
    value: float,
    before: Before | None = None,
    of: Diameters = NOBODY,
    *,
    kind: MeasurementKind = WEIGHT,
    enrolled: date | None = None,
    operator: str | None = None,
) -> list[str]:
    subject = Subject("M001", Life("M001"), before=before, enrolled=enrolled)
    return [one.message for one in doubts_of(kind, value, ON, subject, of, operator)]


def test_what_is_usual_is_not_doubted() -> None:
    assert doubts(21.4, Before(21.0, date(2026, 3, 6), "Kim"), operator="Lee") == []
    assert doubts(180, Before(150), Diameters(10, 6), kind=VOLUME) == []


def test_a_tumour_of_forty_times_two_is_doubted() -> None:
    assert doubts(80, None, Diameters(40, 2), kind=VOLUME) == [
        "M001 measures 40 × 2 mm: a decimal point missing in one of the two?"
    ]


def test_a_length_shorter_than_the_width_is_doubted() -> None:
    (said,) = doubts(180, None, Diameters(6, 10), kind=VOLUME)
    assert said.endswith("the other way round?")


def test_a_jump_a_soft_limit_and_another_hand_are_doubted() -> None:
    assert "1.4 times the value before (15)" in doubts(21.4, Before(15))[0]
    assert "is above 50 g" in doubts(55)[0]
    assert doubts(150, Before(140, ON, "Kim"), Diameters(8, 6), kind=VOLUME, operator="Lee") == [
        "M001 was measured by Kim last time, and now by Lee."
    ]


def test_a_reading_before_the_enrolment_is_doubted() -> None:
    assert doubts(21.4, enrolled=date(2026, 3, 10)) == ["M001 was enrolled on 2026-03-10, after this day."]
    assert doubts(21.4, enrolled=ON) == []


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (date(2026, 4, 2), "today is 2026-04-01"),
        (date(2026, 1, 1), "the birth of M001"),
        (date(2026, 1, 20), "the arrival of M001"),
        (date(2026, 2, 3), "the implanting of M001"),
        (date(2026, 3, 20), "the death of M001"),
    ],
)
def test_a_day_outside_the_life_of_animal_and_tumour_is_refused(on: date, said: str) -> None:
    life = Life("M001", date(2026, 1, 5), date(2026, 2, 1), date(2026, 3, 15))
    with pytest.raises(DomainError) as refused:
        refuse_day(WEIGHT, on, Subject("M001", life, implanted=date(2026, 2, 10)), date(2026, 4, 1))
    assert said in str(refused.value)
    assert refused.value.field == "taken_on"
