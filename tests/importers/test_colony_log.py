from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import pytest

from importers.base import Clock, Severity
from importers.colony_log import IMPORTER
from importers.sheets import Workbook
from tests.conftest import SAMPLES
from tests.importers.tables_support import errors, excel_book, file_book, findings, proposals, read

HEADER = (
    *("AnimalId", "EGP", "Date", "Treatment day", "Body weight", "Tumor (Location)", "Tumor (L)", "Tumor (W)", "Tumor size"),
    *("Compound", "Injection volume", "Cage", "Date deceased", "Sacrifice reason", "Gender"),
)
MORNING = datetime.fromisoformat("2025-06-23 08:18:20")
BEFORE = datetime.fromisoformat("2025-04-01 09:00:00")


def event(animal=2539034, when=MORNING, arm="7.1", weight=None, tumour=None, length=None, width=None, size=None, **rest):
    return [
        *(animal, arm, when, 26 if when else None, weight, tumour, length, width, size),
        *(rest.get("compound"), rest.get("given", 213 if rest.get("compound") else None)),
        *(rest.get("cage"), rest.get("dead"), rest.get("why"), rest.get("sex")),
    ]


def log(*rows, header=HEADER, before=True) -> Workbook:
    usual = [event(1, tumour=f"MG {side}{number}", length=8, width=3, size=36) for side in "RL" for number in (4, 5)] * 5
    return excel_book(
        {
            "Tumor volumes": [[], ["Max of Tumor size", "Column Labels"], ["Row Labels", 0, 1], [2539034, 33, 40]],
            "Groups": [["AnimalTreatmentGroup"], ["EGP Name", "Description"], ["7.1", "Control group"], ["7.5", "Induction group"]],
            "Export": [list(header), *rows, *(usual if before else [])],
        }
    )


def series_of(reading, kind):
    return next(series for series in reading.series if series.kind == kind)


def of_animal(series, animal):
    return [index for index, label in enumerate(series.animals) if label == animal]


def test_weights_and_tumours_come_from_one_log():
    reading = read(
        IMPORTER,
        log(
            event(weight=21.3, compound="Castor oil"),
            event(weight=21.3, tumour="MG R4", length=0, width=0, size=0),
            event(tumour="MG L4", length=7.9, width=2.9, size=33),
        ),
    )
    weights, tumours = series_of(reading, "body_weight"), series_of(reading, "caliper_volume")
    assert (weights.clock, weights.repeats, tumours.repeats) == (Clock.DATETIME, False, False)
    assert list(zip(weights.rows, weights.animals, weights.when, weights.values, strict=True)) == [
        (2, "2539034", MORNING, 21.3),
        (3, "2539034", MORNING, 21.3),
    ]
    zero, grown = of_animal(tumours, "2539034")
    assert (tumours.lengths[zero], tumours.widths[zero], tumours.stated[zero], tumours.values[zero]) == (0.0, 0.0, 0.0, None)
    assert (tumours.tumours[grown], tumours.lengths[grown], tumours.widths[grown], tumours.stated[grown]) == (
        "MG L4",
        7.9,
        2.9,
        33.0,
    )
    assert tumours.raw[grown] == "7.9 × 2.9"
    assert reading.findings == ()
    assert proposals(reading) == {"weight_unit": "g", "length_unit": "mm", "dose_volume_unit": "µl"}
    assert reading.animals["2539034"].tumours == ("MG L4", "MG R4")


def test_every_other_column_and_sheet_says_why_it_is_unread():
    reading = read(IMPORTER, log(event(weight=21.3)))
    reasons = {use.header: use.reason for use in reading.columns if use.role is None}
    assert reasons["Treatment day"] == "derived from the study's day 0"
    assert set(reasons) == {"Treatment day"}
    sheets = {region.sheet: region.reason for region in reading.set_aside}
    assert sheets[0] == "a pivot of the log"
    assert "groups" in sheets[1]


def test_rows_of_facts_and_rows_of_sessions_are_skipped_with_the_reason():
    reading = read(
        IMPORTER,
        log(event(), event(when=None, sex="Female"), event(when=None, cage="C-2138"), event(compound="Water")),
    )
    skipped = {(region.first_row, region.last_row): region.reason for region in reading.set_aside if region.row_fate}
    assert "without a weight" in skipped[2, 2]
    assert "facts" in skipped[3, 3]
    assert set(skipped) == {(2, 2), (3, 3)}
    facts = reading.animals["2539034"]
    assert (facts.sex, facts.cage, facts.arm) == ("Female", "C-2138", "7.1 Control group")


def test_an_animal_that_changed_group_is_asked_about():
    book = log(event(weight=21.3), event(weight=19.3, when=BEFORE, arm="7.5"), before=False)
    reading = read(IMPORTER, book)
    assert reading.animals["2539034"].arm == "7.1 Control group"
    assert proposals(reading)["arm_of"] == "latest"
    assert read(IMPORTER, book, arm_of="first").animals["2539034"].arm == "7.5 Induction group"
    assert findings(reading, "facts-contradict") == []


def test_a_label_no_tumour_has_is_left_out_until_a_person_says_which():
    book = log(
        event(tumour="MG R4", length=5, width=4, size=40),
        event(tumour="MG L4", length=5, width=4, size=40, when=BEFORE),
        event(tumour="MG L40.2", length=11.8, width=4, size=94),
    )
    reading = read(IMPORTER, book)
    (warning,) = reading.findings
    assert (warning.severity, warning.code, warning.address, warning.value) == (
        *(Severity.WARNING, "tumour-unknown", "Export!F4", "MG L40.2"),
    )
    assert "MG L4 and MG R4" in warning.expected
    assert '--set "tumour:MG L40.2=MG L4"' in (warning.option or "")
    assert 4 not in series_of(reading, "caliper_volume").rows
    assert [(region.first_row, region.first_column, region.last_column) for region in reading.set_aside if region.sheet == 2] == [
        (4, 6, 9)
    ]
    mapped = read(IMPORTER, book, **{"tumour:MG L40.2": "MG L4"})
    tumours = series_of(mapped, "caliper_volume")
    place = list(tumours.rows).index(4)
    assert (tumours.tumours[place], tumours.lengths[place]) == ("MG L4", 11.8)
    assert mapped.findings == ()


def test_a_label_is_mapped_only_to_a_tumour_of_the_animal():
    book = log(event(tumour="MG L4", length=5, width=4), event(tumour="MG L40.2", length=11.8, width=4))
    reading = read(IMPORTER, book, **{"tumour:MG L40.2": "MG R9"})
    assert errors(reading) == ["question-tumour:MG L40.2"]
    assert '"MG R9"' in findings(reading, "question-tumour:MG L40.2")[0].message
    assert 3 not in series_of(reading, "caliper_volume").rows


def test_a_size_without_a_label_is_left_out_where_the_animal_has_tumours():
    book = log(event(tumour="MG L4", length=5, width=4), event(length=6, width=4, weight=20), event(9, length=6, width=4))
    reading = read(IMPORTER, book)
    (warning,) = findings(reading, "tumour-missing")
    assert (warning.severity, warning.row) == (Severity.WARNING, 3)
    tumours = series_of(reading, "caliper_volume")
    assert 3 not in tumours.rows
    assert 3 in series_of(reading, "body_weight").rows
    assert tumours.tumours[list(tumours.rows).index(4)] is None
    mapped = read(IMPORTER, book, **{"tumour:row 3": "MG L4"})
    assert 3 in series_of(mapped, "caliper_volume").rows


@pytest.mark.parametrize(
    ("sizes", "code", "address"),
    [
        ({"width": 2}, "diameter-missing", "Export!H2"),
        ({"length": 2}, "diameter-missing", "Export!G2"),
        ({"size": 40}, "size-without-diameters", "Export!I2"),
    ],
)
def test_an_incomplete_size_is_warned_of_and_left_out(sizes, code, address):
    reading = read(IMPORTER, log(event(weight=20.8, tumour="MG R4", **sizes)))
    assert [(finding.severity, finding.code, finding.address) for finding in reading.findings] == [
        (Severity.WARNING, code, address)
    ]
    assert 2 not in series_of(reading, "caliper_volume").rows
    assert 2 in series_of(reading, "body_weight").rows


def test_a_length_below_the_width_is_kept_as_written_and_warned_of_once():
    rows = [event(tumour="MG R4", length=3, width=4, size=18), event(tumour="MG L4", length=2, width=4, size=8)]
    reading = read(IMPORTER, log(*rows))
    (warning,) = reading.findings
    assert (warning.severity, warning.code) == (Severity.WARNING, "length-below-width")
    assert "2 rows: 2 and 3" in warning.message
    tumours = series_of(reading, "caliper_volume")
    assert (tumours.lengths[0], tumours.widths[0]) == (3.0, 4.0)


def test_stated_sizes_that_differ_are_counted_and_kept():
    rows = [event(tumour="MG R4", length=10, width=4, size=size) for size in (80, 80.9, 85, 70)]
    reading = read(IMPORTER, log(*rows))
    (note,) = reading.findings
    assert (note.severity, note.code) == (Severity.NOTE, "stated-size-differs")
    assert "2 rows: 4 and 5" in note.message
    assert list(series_of(reading, "caliper_volume").stated[:4]) == [80.0, 80.9, 85.0, 70.0]


def test_a_weight_without_a_date_or_animal_is_an_error():
    reading = read(IMPORTER, log(event(when=None, weight=21.3), event(animal=None, weight=21.3)))
    assert sorted((finding.severity, finding.code, finding.row) for finding in reading.findings) == [
        (Severity.ERROR, "animal-missing", 3),
        (Severity.ERROR, "date-missing", 2),
    ]
    assert [series.kind for series in reading.series] == ["caliper_volume"]


def test_text_in_a_number_is_an_error_and_the_rest_of_the_row_is_read():
    rows = [event(weight="21*", tumour="MG R4", length=5, width=4), event(weight=20, tumour="MG R4", length="tiny", width=4)]
    reading = read(IMPORTER, log(*rows))
    assert [(finding.severity, finding.address, finding.value) for finding in reading.findings] == [
        (Severity.ERROR, "Export!E2", "21*"),
        (Severity.ERROR, "Export!G3", "tiny"),
    ]
    assert 2 in series_of(reading, "caliper_volume").rows
    assert 3 in series_of(reading, "body_weight").rows


def test_another_labs_headers_are_recognised():
    header = ("Mouse", "Group", "Date", "Body weight (g)", "Location", "(L)", "(W)", "Drug")
    rows = [
        header,
        ["M1", "A", date(2025, 5, 1), 20.1, "left", 5, 4, None],
        ["M1", "A", date(2025, 5, 2), 20.2, None, None, None, "T-DM1"],
    ]
    reading = read(IMPORTER, excel_book({"Log": rows}))
    assert series_of(reading, "body_weight").clock is Clock.DATE
    assert list(series_of(reading, "caliper_volume").tumours) == ["left"]
    assert reading.animals["M1"].arm == "A"
    assert reading.findings == ()


@pytest.mark.parametrize("missing", ["Body weight", "Tumor (Location)", "Tumor (W)", "Date", "AnimalId"])
def test_a_sheet_without_a_needed_column_is_not_claimed(missing):
    header = [f"was {name}" if name == missing else name for name in HEADER]
    assert IMPORTER.claim(log(event(weight=20), header=header)) is None


def test_a_table_of_measurements_without_doses_or_deaths_is_no_log():
    assert IMPORTER.claim(log(header=(*HEADER[:9], "a", "b", "c", "d", "e"))) is None


def test_the_published_log_is_read():
    path = next((SAMPLES / "lab_excel_tumour").glob("*iLes export*.xlsx"), None)
    if path is None:
        pytest.skip("the sample files are not here")
    reading = read(IMPORTER, file_book(path))
    weights, tumours = series_of(reading, "body_weight"), series_of(reading, "caliper_volume")
    assert len(weights) == 4646
    assert len(set(zip(weights.animals, weights.when, weights.values, strict=True))) == 4611
    assert len(tumours) == 3820
    assert set(tumours.tumours) == {"MG R3", "MG R4", "MG R5", "MG L4", "MG L5"}
    assert len(reading.animals) == 40
    assert {facts.arm.split(" ", 1)[1] for facts in reading.animals.values()} == {
        *("Control group", "Tamoxifen group", "Dexamethasone group", "Tamoxifen + Dexamethasone group"),
    }
    assert {finding.row for finding in findings(reading, "tumour-unknown")} == {21}
    assert {finding.row for finding in findings(reading, "tumour-missing")} == {1884, 4288}
    assert {finding.row for finding in findings(reading, "diameter-missing")} == {5957}
    assert {finding.row for finding in findings(reading, "size-without-diameters")} == {3829, 5212}
    assert Counter(reading.doses.compounds) == {"Tamoxifen": 765, "Dexamethasone": 429, "Castor oil": 427, "Water": 215}
    assert Counter(zip(reading.doses.amounts, reading.doses.units, strict=True)) == {
        (45.0, "mg/kg"): 765,
        (4.0, "mg/kg"): 429,
        (None, None): 642,
    }
    assert (min(reading.doses.volumes), max(reading.doses.volumes)) == (156, 253)
    assert len(findings(reading, "dose-repeated")) == 8
    assert Counter(reading.deaths.reasons) == {
        "End Of Experiment": 12,
        "Bodyweight Loss": 6,
        "Dead In Cage": 2,
        "Died After Injection": 1,
    }
    assert [finding.row for finding in findings(reading, "death-undated")] == [6712]
    assert (len(reading.stays), len(set(reading.stays.cages))) == (40, 8)
    assert sum(one.last_row - one.first_row + 1 for one in reading.set_aside if one.row_fate) == 54
    assert "7 rows" in findings(reading, "length-below-width")[0].message
    assert errors(reading) == []
