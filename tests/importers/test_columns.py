"""Tests of header aliases, units in headers and unread columns."""

from __future__ import annotations

import pytest

from importers.columns import ANIMAL, DATE, VOLUME, WEIGHT, data_rows, find_table, header, match, merged_down, unit_findings, uses
from importers.sheets import CellValue, Sheet


def sheet(*rows: list[CellValue], merged: tuple[tuple[int, int, int, int], ...] = ()) -> Sheet:
    return Sheet("S", 0, rows, merged=merged)


@pytest.mark.parametrize(
    ("text", "name", "unit"),
    [
        ("Volume (mm3)", "volume", "mm3"),
        ("Volume [mm³]", "volume", "mm3"),
        ("Volume_mm3", "volume", "mm3"),
        ("Weight g", "weight", "g"),
        ("Avg Radiance [p/s/cm²/sr]", "avgradiance", "p/s/cm2/sr"),
        ("Avg Radiance [p/s/cm_/sr]", "avgradiance", "p/s/cm2/sr"),
        ("Avg Radiance [p/sec/cm?/sr]", "avgradiance", "p/s/cm2/sr"),
        ("Mouse_ID", "mouseid", None),
        ("Staging", "staging", None),
    ],
)
def test_a_header_is_taken_apart_into_name_and_unit(text: str, name: str, unit: str | None) -> None:
    found = header(text, 1)

    assert (found.name, found.unit) == (name, unit)


def test_the_best_alias_wins_and_its_rival_is_named_as_unread() -> None:
    layout = match(sheet(["Tag", "Mouse ID", "Weight"], ["1", "M1", 20.0]), 1, (ANIMAL, WEIGHT))

    assert layout.found["animal"].text == "Mouse ID"
    assert layout.not_chosen() == {1: '"Mouse ID" is read instead'}


def test_every_column_is_listed_with_its_role_or_a_reason() -> None:
    table = sheet(["Mouse", "Mood", "", "Volume"], ["M1", "fine", "?", 12.0], ["M2", "", "", 13.0])
    layout = match(table, 1, (ANIMAL, VOLUME))

    assert [(use.column, use.header, use.role, use.reason) for use in uses(layout)] == [
        (1, "Mouse", "animal", ""),
        (2, "Mood", None, "not read by this importer"),
        (3, "", None, "no header"),
        (4, "Volume", "volume", ""),
    ]


def test_the_table_is_found_below_a_title() -> None:
    table = sheet(["Study 7, March"], [], ["Mouse", "Date", "Weight"], ["M1", "2024-01-01", 20.0])

    layout = find_table(table, (ANIMAL, DATE, WEIGHT), [("animal", "weight")])

    assert layout is not None
    assert layout.header_row == 3
    assert data_rows(table, layout.header_row) == [4]


def test_a_table_without_the_required_columns_is_not_found() -> None:
    assert find_table(sheet(["Mouse", "Mood"], ["M1", "fine"]), (ANIMAL, WEIGHT), [("animal", "weight")]) is None


def test_a_unit_that_the_role_cannot_have_is_an_error_with_its_place() -> None:
    layout = match(sheet(["Mouse", "Volume (inch3)"], ["M1", 1.0]), 1, (ANIMAL, VOLUME))

    (finding,) = unit_findings(layout, ["volume"])

    assert finding.address == "S!B1"
    assert "inch3" in finding.message
    assert "mm3" in (finding.expected or "")


def test_centimetres_are_converted_by_the_factor_of_the_header() -> None:
    layout = match(sheet(["Mouse", "Volume (cm3)"], ["M1", 1.0]), 1, (ANIMAL, VOLUME))

    assert layout.factor("volume") == 1000.0


def test_a_short_row_of_a_text_file_reads_as_blank() -> None:
    layout = match(sheet(["Mouse", "Volume"], ["M1"], ["M2", "5"]), 1, (ANIMAL, VOLUME))

    assert layout.cells("volume") == ["", "5"]


def test_a_merged_cell_counts_for_each_of_its_rows() -> None:
    table = sheet(["Cohort"], ["A"], [""], ["B"], merged=((2, 1, 3, 1),))

    assert merged_down(table, 1, 1) == ["A", "A", "B"]


def test_a_row_of_zeros_is_data() -> None:
    assert data_rows(sheet(["a", "b"], [0.0, 0.0], ["", ""]), 1) == [2]
