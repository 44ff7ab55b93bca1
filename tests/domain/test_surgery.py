"""What was done at an implanting."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain import surgery_limits as limits
from lims.domain.colony_terms import DepthReference, Hemisphere, ImplantMaterial, StereotacticOrigin
from lims.domain.errors import DomainError
from lims.domain.surgery import SurgicalRecord, analgesia_due, check_surgery
from lims.domain.vocabulary import ImplantSite
from lims.models import Implant

BRAIN, PAD, TAIL = ImplantSite.INTRACRANIAL, ImplantSite.MAMMARY_FAT_PAD, ImplantSite.TAIL_VEIN

USUAL = SurgicalRecord(
    hemisphere=Hemisphere.RIGHT,
    material=ImplantMaterial.CELLS,
    cell_count=100_000,
    viability_percent=92,
    vehicle="PBS",
    volume_ul=2,
    rate_ul_min=0.5,
    dwell_min=3,
    ap_mm=-1.0,
    ml_mm=2.0,
    dv_mm=3.0,
    coordinate_origin=StereotacticOrigin.BREGMA,
    depth_reference=DepthReference.DURA,
    angle_degrees=0,
    needle="26 G Hamilton",
    anaesthetic="isoflurane 2 %",
    analgesic="buprenorphine 0.1 mg/kg",
    analgesia_hours=12,
    analgesia_doses=4,
    surgeon="AB",
    weight_g=21.4,
)
PAD_USUAL = SurgicalRecord(
    hemisphere=Hemisphere.LEFT,
    material=ImplantMaterial.FRAGMENT,
    fragment_mm=2,
    anaesthetic="isoflurane",
    analgesic="carprofen",
    analgesia_hours=24,
    analgesia_doses=2,
    weight_g=20,
)


def test_what_is_usual_has_no_findings() -> None:
    assert check_surgery(BRAIN, USUAL) == []
    assert check_surgery(BRAIN, replace(USUAL, ml_mm=-2, hemisphere=Hemisphere.LEFT)) == []
    assert check_surgery(BRAIN, replace(USUAL, ml_mm=0, hemisphere=None)) == []
    assert check_surgery(BRAIN, replace(USUAL, ml_mm=-0.0, hemisphere=Hemisphere.MIDLINE)) == []
    assert check_surgery(PAD, PAD_USUAL) == []
    assert check_surgery(TAIL, SurgicalRecord()) == []
    assert check_surgery(ImplantSite.NOT_RECORDED, SurgicalRecord()) == []


def test_the_record_has_the_models_own_columns() -> None:
    assert {field.name for field in fields(SurgicalRecord)} <= set(Implant.__table__.columns.keys())


@pytest.mark.parametrize(
    ("site", "changed", "field", "words"),
    [
        (BRAIN, {"ap_mm": 10.1}, "ap_mm", "AP of 10.1 mm cannot be."),
        (BRAIN, {"ap_mm": -10.1}, "ap_mm", "AP of -10.1 mm cannot be."),
        (BRAIN, {"ml_mm": 6.1}, "ml_mm", "ML of 6.1 mm cannot be."),
        (BRAIN, {"dv_mm": 8.1}, "dv_mm", "DV of 8.1 mm cannot be."),
        (BRAIN, {"dv_mm": -3.0}, "dv_mm", "A depth (DV) of -3 mm lies above the surface."),
        (BRAIN, {"ap_mm": math.nan}, "ap_mm", "cannot be"),
        (BRAIN, {"volume_ul": math.inf}, "volume_ul", "cannot be"),
        (BRAIN, {"coordinate_origin": None}, "coordinate_origin", "have no origin"),
        (BRAIN, {"depth_reference": None}, "depth_reference", "has no reference"),
        (BRAIN, {"hemisphere": None}, "hemisphere", "has no side"),
        (BRAIN, {"hemisphere": None, "ml_mm": None}, "hemisphere", "has no side"),
        (BRAIN, {"ml_mm": -2}, "ml_mm", "ML -2 mm is on the animal's left, and the side says right."),
        (BRAIN, {"hemisphere": Hemisphere.LEFT}, "ml_mm", "ML 2 mm is on the animal's right, and the side says left."),
        (BRAIN, {"ml_mm": 0}, "ml_mm", "ML 0 mm is on the midline, and the side says right."),
        (BRAIN, {"hemisphere": Hemisphere.MIDLINE}, "ml_mm", "the side says midline"),
        (BRAIN, {"fragment_mm": 1}, "fragment_mm", "cannot be both"),
        (BRAIN, {"material": ImplantMaterial.FRAGMENT}, "cell_count", "A fragment has no number of cells."),
        (BRAIN, {"cell_count": None, "fragment_mm": 1}, "fragment_mm", "Cells have no edge"),
        (BRAIN, {"cell_count": 0}, "cell_count", "A count of 0 cells cannot be."),
        (BRAIN, {"volume_ul": 20.1}, "volume_ul", "20.1 µL cannot be given into the site intracranial."),
        (BRAIN, {"volume_ul": 0}, "volume_ul", "A volume of 0 µL cannot be."),
        (BRAIN, {"rate_ul_min": 10.1}, "rate_ul_min", "10.1 µL/min cannot be given into the site intracranial."),
        (BRAIN, {"dwell_min": -1}, "dwell_min", "A dwell time of -1 min cannot be."),
        (BRAIN, {"viability_percent": 101}, "viability_percent", "A viability of 101 % cannot be."),
        (BRAIN, {"angle_degrees": 91}, "angle_degrees", "An angle of 91° cannot be."),
        (BRAIN, {"weight_g": 214}, "weight_g", "A weight of 214 g cannot be."),
        (BRAIN, {"analgesia_hours": 0}, "analgesia_hours", "An interval between doses of 0 h cannot be."),
        (BRAIN, {"analgesia_doses": -1}, "analgesia_doses", "A plan of analgesia of -1 doses cannot be."),
        (BRAIN, {"analgesic": None}, "analgesic", "no analgesic is named"),
        (PAD, {}, "ap_mm", "Stereotactic coordinates do not go with the site mammary fat pad."),
        (TAIL, {"ap_mm": None, "ml_mm": None}, "dv_mm", "do not go with the site tail vein"),
    ],
)
def test_what_cannot_be(site: ImplantSite, changed: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_surgery(site, replace(USUAL, **changed))

    assert words in str(refused.value)
    assert refused.value.field == field
    assert refused.value.expected


def test_each_column_that_cannot_be_is_refused_in_the_same_go() -> None:
    wrong = {"dv_mm": -3.0, "weight_g": 214, "volume_ul": 5e3, "depth_reference": None, "material": ImplantMaterial.FRAGMENT}
    with pytest.raises(DomainError) as refused:
        check_surgery(BRAIN, replace(USUAL, **wrong))

    assert [one.field for one in refused.value.every] == ["dv_mm", "volume_ul", "weight_g", "depth_reference", "cell_count"]


def test_a_brain_without_coordinates_is_doubted() -> None:
    nowhere = replace(USUAL, ap_mm=None, ml_mm=None, dv_mm=None, coordinate_origin=None, depth_reference=None)
    (notice,) = check_surgery(BRAIN, nowhere)

    assert (notice.field, notice.severity) == ("ap_mm", "warning")
    assert notice.message.startswith("No coordinates are recorded")
    assert check_surgery(ImplantSite.INTRATHECAL, nowhere) == []


def test_a_depth_above_the_surface_is_explained() -> None:
    with pytest.raises(DomainError) as refused:
        check_surgery(BRAIN, replace(USUAL, dv_mm=-3.25))

    assert refused.value.expected == "a positive number: DV counts downwards from skull or dura"
    assert refused.value.remedy == "If the needle was 3.25 mm deep, write 3.25."


@pytest.mark.parametrize(
    ("site", "volume", "most"), [(site, amount.usual, amount.most) for site, amount in limits.VOLUMES_UL.items()]
)
def test_volumes_of_each_site(site: ImplantSite, volume: float, most: float) -> None:
    def found(volume_ul: float) -> list[str | None]:
        record = SurgicalRecord(hemisphere=Hemisphere.LEFT, material=ImplantMaterial.CELLS, volume_ul=volume_ul)
        return [notice.field for notice in check_surgery(site, record) if notice.field == "volume_ul"]

    assert found(volume) == []
    assert found(volume * 1.01) == ["volume_ul"]
    assert found(most) == ["volume_ul"]
    with pytest.raises(DomainError):
        found(most * 1.01)


@pytest.mark.parametrize(
    ("site", "changed", "field", "words"),
    [
        (BRAIN, {"volume_ul": 5.5}, "volume_ul", "5.5 µL is much for the site intracranial."),
        (BRAIN, {"rate_ul_min": 2}, "rate_ul_min", "2 µL/min is much"),
        (BRAIN, {"dwell_min": 0.5}, "dwell_min", "stayed 0.5 min"),
        (BRAIN, {"dwell_min": None}, "dwell_min", "is not recorded"),
        (BRAIN, {"needle": None}, "needle", "is not recorded"),
        (BRAIN, {"viability_percent": 79}, "viability_percent", "79 % of the cells live, which is few."),
        (BRAIN, {"viability_percent": 49}, "viability_percent", "Only 49 % of the cells live"),
        (BRAIN, {"cell_count": 1_000_001}, "cell_count", "1,000,001 cells are many"),
        (BRAIN, {"material": ImplantMaterial.FRAGMENT, "cell_count": None, "fragment_mm": 3}, "fragment_mm", "is large"),
        (BRAIN, {"ap_mm": 4.6}, "ap_mm", "AP 4.6 mm from bregma lies outside of the brain"),
        (BRAIN, {"ap_mm": -4.4, "coordinate_origin": StereotacticOrigin.LAMBDA}, "ap_mm", "from lambda lies outside"),
        (BRAIN, {"ml_mm": 4.6}, "ml_mm", "edge of the brain"),
        (BRAIN, {"dv_mm": 5.6}, "dv_mm", "base of the skull"),
        (BRAIN, {"angle_degrees": -31}, "angle_degrees", "steep"),
        (BRAIN, {"ap_mm": None}, "ap_mm", "AP is missing"),
        (BRAIN, {"anaesthetic": None}, "anaesthetic", "No anaesthetic"),
        (BRAIN, {"analgesic": None, "analgesia_hours": None, "analgesia_doses": None}, "analgesic", "No analgesic"),
        (BRAIN, {"analgesia_hours": None, "analgesia_doses": None}, "analgesia_hours", "No further dose"),
        (BRAIN, {"analgesia_doses": None}, "analgesia_doses", "No further dose"),
        (BRAIN, {"weight_g": 11}, "weight_g", "unusual"),
    ],
)
def test_what_is_unusual(site: ImplantSite, changed: dict[str, Any], field: str, words: str) -> None:
    (notice,) = check_surgery(site, replace(USUAL, **changed))

    assert notice.severity == "warning"
    assert notice.field == field
    assert words in notice.message
    assert notice.expected


def test_one_dose_at_surgery_is_a_plan() -> None:
    assert check_surgery(BRAIN, replace(USUAL, analgesia_hours=None, analgesia_doses=0)) == []


def test_a_fragment_needs_no_needle_and_a_tail_vein_no_analgesic() -> None:
    fragment = replace(
        USUAL, material=ImplantMaterial.FRAGMENT, cell_count=None, fragment_mm=1, needle=None, dwell_min=None, volume_ul=None
    )
    assert check_surgery(BRAIN, fragment) == []
    assert check_surgery(TAIL, SurgicalRecord(material=ImplantMaterial.CELLS, cell_count=500_000, volume_ul=100)) == []


NUMBERS = st.none() | st.floats() | st.integers(min_value=-100, max_value=100)


@given(
    st.sampled_from(ImplantSite),
    st.builds(
        SurgicalRecord,
        hemisphere=st.none() | st.sampled_from(Hemisphere),
        coordinate_origin=st.none() | st.sampled_from(StereotacticOrigin),
        volume_ul=NUMBERS,
        ap_mm=NUMBERS,
        ml_mm=NUMBERS,
        dv_mm=NUMBERS,
        weight_g=NUMBERS,
    ),
)
def test_any_record_is_refused_on_a_column_or_has_findings_on_columns(site: ImplantSite, record: SurgicalRecord) -> None:
    columns = {field.name for field in fields(SurgicalRecord)}
    try:
        notices = check_surgery(site, record)
    except DomainError as refused:
        assert refused.field in columns
        return
    assert {notice.field for notice in notices} <= columns


def test_analgesia_falls_due_after_the_end_of_surgery() -> None:
    end = datetime(2026, 3, 10, 11, 30, tzinfo=UTC)

    assert analgesia_due(end, 8, 3) == [end + timedelta(hours=hours) for hours in (8, 16, 24)]
    assert analgesia_due(end, 0.5 + 0.5, 1) == [end + timedelta(hours=1)]
    assert analgesia_due(end, 8, 0) == analgesia_due(end, None, 3) == analgesia_due(end, 8, None) == []


def test_hours_pass_also_where_the_clocks_change() -> None:
    amsterdam = ZoneInfo("Europe/Amsterdam")
    (due,) = analgesia_due(datetime(2026, 3, 28, 20, 0, tzinfo=amsterdam), 12, 1)

    assert due.isoformat() == "2026-03-29T09:00:00+02:00"


@pytest.mark.parametrize(
    ("hours", "doses", "field"),
    [(0, 3, "analgesia_hours"), (-8, 3, "analgesia_hours"), (math.nan, 3, "analgesia_hours"), (8, 31, "analgesia_doses")],
)
def test_no_such_plan(hours: float, doses: int, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        analgesia_due(datetime(2026, 3, 10, tzinfo=UTC), hours, doses)
    assert refused.value.field == field


def test_a_time_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        analgesia_due(datetime(2026, 3, 10), 8, 3)  # noqa: DTZ001  # the point of the test
