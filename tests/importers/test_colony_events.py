from __future__ import annotations

from datetime import date, datetime

import pytest

from importers.base import Clock, Severity
from importers.colony_log import IMPORTER
from tests.importers.tables_support import errors, excel_book, findings, proposals, read
from tests.importers.test_colony_log import BEFORE, HEADER, MORNING, event, log

NOON = datetime.fromisoformat("2025-06-23 12:00:00")


def doses_of(reading):
    return list(zip(reading.doses.rows, reading.doses.compounds, reading.doses.amounts, reading.doses.units, strict=True))


def test_a_dose_says_what_how_much_and_when():
    reading = read(IMPORTER, log(event(weight=21.3, compound="Tamoxifen (45mg/kg)"), event(compound="Castor oil", when=BEFORE)))
    doses = reading.doses
    assert (doses.clock, doses.rows, doses.columns, doses.animals) == (Clock.DATETIME, [2, 3], 10, ["2539034"] * 2)
    assert (doses.when, doses.volumes, doses.weights) == ([MORNING, BEFORE], [213.0, 213.0], [21.3, None])
    assert doses_of(reading) == [(2, "Tamoxifen", 45.0, "mg/kg"), (3, "Castor oil", None, None)]
    assert doses.raw == ["Tamoxifen (45mg/kg) · 213", "Castor oil · 213"]
    assert proposals(reading)["dose_volume_unit"] == "µl"


@pytest.mark.parametrize(
    ("text", "compound", "amount", "unit"),
    [
        ("T-DXd 10 mg/kg", "T-DXd", 10.0, "mg/kg"),
        ("AZD 6244, 25mg/kg", "AZD 6244", 25.0, "mg/kg"),
        ("Drug [2.5 mg]", "Drug", 2.5, "mg"),
        ("Drug (4,5 mpk)", "Drug", 4.5, "mg/kg"),
        ("Drug (500 µg/kg)", "Drug", 0.5, "mg/kg"),
        ("WBRT 3 Gy", "WBRT", 3.0, "Gy"),
        ("Tamoxifen (4-OHT)", "Tamoxifen (4-OHT)", None, None),
        ("BKM120", "BKM120", None, None),
    ],
)
def test_a_dose_beside_the_name_is_taken_off_it(text, compound, amount, unit):
    reading = read(IMPORTER, log(event(compound=text)))
    assert doses_of(reading) == [(2, compound, amount, unit)]
    assert reading.findings == ()


def test_a_dose_beside_the_name_that_cannot_be_read_is_a_warning():
    reading = read(IMPORTER, log(event(compound="Tamoxifen (1,000 mg/kg)"), event(compound="Tamoxifen (1,000 mg/kg)", when=BEFORE)))
    (warning,) = reading.findings
    assert (warning.severity, warning.code, warning.address) == (Severity.WARNING, "dose-unreadable", "Export!J2")
    assert doses_of(reading) == [(2, "Tamoxifen", None, None), (3, "Tamoxifen", None, None)]


def test_volumes_in_ml_become_microlitres():
    header = [name.replace("Injection volume", "Injection volume (mL)") for name in HEADER]
    reading = read(IMPORTER, log(event(compound="Water", given=0.2), header=header))
    assert reading.doses.volumes == [200.0]
    assert "dose_volume_unit" not in proposals(reading)


def test_a_volume_that_is_no_number_is_an_error_and_its_dose_is_left_out():
    reading = read(IMPORTER, log(event(weight=21, compound="Water", given="some"), event(compound="Water", when=BEFORE)))
    (error,) = reading.findings
    assert (error.severity, error.code, error.address, error.value) == (Severity.ERROR, "number-unreadable", "Export!K2", "some")
    assert reading.doses.rows == [3]


def test_a_volume_in_an_unknown_unit_keeps_the_doses_out():
    header = [name.replace("Injection volume", "Injection volume (drops)") for name in HEADER]
    reading = IMPORTER.read(book := log(event(weight=21, compound="Water"), header=header), IMPORTER.claim(book), {})
    assert errors(reading) == ["unit-unknown"]
    assert reading.doses is None


def test_a_dose_without_compound_animal_or_date_is_an_error_said_once():
    reading = read(
        IMPORTER,
        log(event(given=200), event(animal=None, compound="Water", weight=20), event(when=None, compound="Water", weight=20)),
    )
    assert sorted((finding.code, finding.row) for finding in reading.findings) == [
        ("animal-missing", 3),
        ("compound-missing", 2),
        ("date-missing", 4),
    ]
    assert reading.doses is None


def test_a_compound_twice_on_a_day_is_asked_about():
    book = log(event(compound="Water"), event(compound="Water", when=NOON, weight=21), event(2, compound="Water", when=NOON))
    reading = read(IMPORTER, book)
    assert reading.doses.rows == [2, 3, 4]
    (warning,) = reading.findings
    assert (warning.severity, warning.code, warning.address) == (Severity.WARNING, "dose-repeated", "Export!J3")
    assert proposals(reading)["dose_twice"] == "again"
    once = read(IMPORTER, book, dose_twice="once")
    assert once.doses.rows == [2, 4]
    (region,) = [one for one in once.set_aside if "written again" in one.reason]
    assert (region.first_row, region.first_column, region.last_column, region.row_fate) == (3, 10, 11, False)
    assert read(IMPORTER, book, dose_twice="again").findings == ()


def test_doses_need_dates():
    header = ("Mouse", "Date", "Weight (g)", "Location", "L (mm)", "W (mm)", "Drug")
    rows = [header, ["M1", 3, 20.1, "left", 5, 4, None], ["M1", 4, None, None, None, None, "T-DM1"]]
    reading = read(IMPORTER, excel_book({"Log": rows}), date_numbers="day")
    (warning,) = reading.findings
    assert (warning.severity, warning.code, warning.row) == (Severity.WARNING, "dose-undated", 3)
    assert reading.doses is None


def test_doses_of_a_column_of_their_own_ask_for_their_unit():
    header = ("Mouse", "Date", "Weight (g)", "Location", "L (mm)", "W (mm)", "Drug", "Dose")
    rows = [
        header,
        ["M1", date(2025, 5, 1), 20.1, "left", 5, 4, "T-DM1", 10],
        ["M2", date(2025, 5, 1), *[None] * 4, "T-DM1", "3 mg"],
    ]
    book = excel_book({"Log": rows})
    assert errors(IMPORTER.read(book, IMPORTER.claim(book), {})) == ["question-dose_unit"]
    reading = read(IMPORTER, book, dose_unit="mg/kg")
    assert doses_of(reading) == [(2, "T-DM1", 10.0, "mg/kg"), (3, "T-DM1", 3.0, "mg")]


def test_a_death_has_a_day_a_reason_and_a_remark():
    reading = read(IMPORTER, log(event(when=None, dead=date(2025, 6, 10), why="Bodyweight Loss"), event(2, dead=MORNING)))
    deaths = reading.deaths
    assert (deaths.rows, deaths.columns, deaths.animals) == ([2, 3], 13, ["2539034", "2"])
    assert (deaths.when, deaths.reasons) == ([date(2025, 6, 10), date(2025, 6, 23)], ["Bodyweight Loss", None])
    assert deaths.raw[0] == "2025-06-10 · Bodyweight Loss"


def test_a_reason_without_a_date_is_a_warning_and_no_death():
    reading = read(IMPORTER, log(event(when=None, cage="C-1", why="End Of Experiment")))
    (warning,) = reading.findings
    assert (warning.severity, warning.code, warning.address, warning.value) == (
        *(Severity.WARNING, "death-undated", "Export!M2", "End Of Experiment"),
    )
    assert reading.deaths is None


def test_a_date_of_death_that_cannot_be_read_is_an_error():
    reading = read(IMPORTER, log(event(when=None, dead="in June"), event(animal=None, dead=date(2025, 6, 10))))
    assert [(finding.code, finding.address) for finding in reading.findings] == [
        ("date-unreadable", "Export!M2"),
        ("animal-missing", "Export!A3"),
    ]
    assert reading.deaths is None


def test_cages_are_read_with_the_day_that_names_them_and_the_last_one_is_the_animals():
    reading = read(
        IMPORTER, log(event(cage="C-2", weight=20), event(cage="C-1", when=BEFORE, weight=20), event(2, when=None, cage="C-3"))
    )
    stays = reading.stays
    assert list(zip(stays.rows, stays.animals, stays.when, stays.cages, strict=True)) == [
        (2, "2539034", MORNING.date(), "C-2"),
        (3, "2539034", BEFORE.date(), "C-1"),
        (4, "2", None, "C-3"),
    ]
    assert (reading.animals["2539034"].cage, reading.animals["2"].cage) == ("C-2", "C-3")
    assert findings(reading, "facts-contradict") == []
