"""Records that a program sent as JSON: as a table, with the books in balance; and JSON that is none of ours."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from importers.base import Clock, Reading, Refused
from importers.identify import identify
from importers.json_rows import read_rows
from importers.registry import by_key
from importers.sheets import Workbook
from importers.workbook import open_workbook
from tests.importers import tables_support


def opened(noun: str, rows: Any) -> Workbook:
    return open_workbook(json.dumps({"noun": noun, "rows": rows}).encode(), "sent.json")


def read(noun: str, rows: Any) -> Reading:
    book = opened(noun, rows)
    claim = identify(book)
    assert claim.importer == "json_records"
    return tables_support.read(by_key(claim.importer), book)


def test_rows_become_records_field_by_field() -> None:
    reading = read("agent", [{"code": "T-DXd", "targets": ["ERBB2", "TOP1"]}, {}, {"code": "A1", "active": True, "note": None}])
    (records,) = reading.records
    assert (records.noun, records.rows, records.raw) == ("agent", [2, 4], ["T-DXd · ERBB2; TOP1", "A1 · TRUE"])
    assert records.fields == {
        "code": ["T-DXd", "A1"],
        "targets": ["ERBB2; TOP1", None],
        "active": [None, True],
        "note": [None, None],
    }
    assert records.columns == {"code": 1, "targets": 2, "active": 3, "note": 4}


def test_measurements_are_readings_by_kind_and_clock() -> None:
    reading = read(
        "measurement",
        [
            {"animal": "M1", "kind": "body_weight", "date": "2026-03-09", "value": 21.4, "operator": "Ada"},
            {"animal": "M2", "kind": "body_weight", "day": 7, "value": "20,1"},
            {"animal": "M2", "kind": "caliper_volume", "tumour": "left", "date": "2026-03-09 14:05", "value": 120},
            {"animal": "M3", "kind": "body_weight", "value": 20},
            {"animal": "M4", "kind": "body_weight", "date": "soon", "value": "1*"},
        ],
    )
    dated, timed = reading.series
    assert (dated.kind, dated.clock, dated.when, dated.values, dated.operators) == (
        "body_weight",
        Clock.DATE,
        [date(2026, 3, 9)],
        [21.4],
        ["Ada"],
    )
    assert (timed.kind, timed.clock, timed.when, timed.tumours) == (
        "caliper_volume",
        Clock.DATETIME,
        [datetime.fromisoformat("2026-03-09 14:05")],
        ["left"],
    )
    assert {(one.row, one.code) for one in reading.findings} == {
        (3, "decimal-mark"),
        (5, "reading-incomplete"),
        (6, "number-unreadable"),
        (6, "date-unreadable"),
    }


def test_a_measurement_has_the_fields_it_has() -> None:
    with pytest.raises(Refused) as refused:
        read("measurement", [{"animal": "M1", "sort": "body_weight", "value": 1}])
    assert 'no field "sort"' in refused.value.finding.message
    assert '"kind" is missing' in refused.value.finding.message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"noun": "animal"}', "not one"),
        ('{"noun": 1, "rows": []}', "not one"),
        ('{"noun": "animal", "rows": [], "more": 1}', "not one"),
        ('{"noun": "animal", "rows": [{"code": 1, "code": 2}]}', '"code" stands twice'),
        ('{"noun": "animal", "rows": [{"code": NaN}]}', "NaN is no number"),
        ('{"noun": "animal", "rows": [{"code": [[1]]}]}', "neither one value"),
        ('{"noun": "animal", "rows": [{"code": ["a,b"]}]}', "neither one value"),
        ('{"noun": "animal", "rows": [{"code": "\\ud800"}]}', "half a character"),
        ('{"noun": "animal", "rows": [{"\\udfff": "x"}]}', "half a character"),
        ('{"noun": "\\u0000", "rows": []}', "noun is none"),
        ('{"noun": "animal", "rows": [{"code": 1' + "0" * 5000 + "}]}", "number that is none"),
        ('{"noun": "animal", "rows": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    ],
)
def test_json_of_another_shape_is_refused(text: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        read_rows(text.encode())
    assert why in refused.value.finding.message
    assert refused.value.finding.expected


def test_what_is_no_json_is_left_to_others() -> None:
    for content in (b"id,date\n", b"{broken", b'{"noun": "animal"', b"\xff\xfe{", b""):
        assert read_rows(content) is None
    assert read_rows(b'\xef\xbb\xbf {"noun": "a", "rows": [{"b": 1}]}') == ("a", [["b"], [1]])


def test_too_many_rows_are_refused_before_they_are_a_table() -> None:
    with pytest.raises(Refused, match="row 200,001"):
        read_rows(json.dumps({"noun": "animal", "rows": [{"code": 1}] * 200_000}).encode())
