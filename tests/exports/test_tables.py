"""Tables as files: values survive, formulas do not."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from lims.domain.formulas import harmless
from lims.domain.vocabulary import Sex
from lims.exports.tables import csv_blocks, json_blocks, xlsx_blocks

ROW: list[Any] = [-1.5, 0.1, 7, True, None, date(2026, 11, 2), datetime(2026, 11, 2, 14, 5, tzinfo=UTC), Sex.FEMALE, "Zoë, 2"]
HEADERS = [f"h{number}" for number in range(len(ROW))]


def test_csv_keeps_numbers_dates_and_terms() -> None:
    text = b"".join(csv_blocks(HEADERS, [ROW])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1] == [
        "-1.5", "0.1", "7", "True", "", "2026-11-02", "2026-11-02T14:05:00Z", "female", "Zoë, 2",
    ]  # fmt: skip


def test_json_keeps_types() -> None:
    [row] = json.loads(b"".join(json_blocks(HEADERS, [ROW])))
    assert list(row.values()) == [-1.5, 0.1, 7, True, None, "2026-11-02", "2026-11-02T14:05:00Z", "female", "Zoë, 2"]


def test_xlsx_keeps_types() -> None:
    sheet = load_workbook(io.BytesIO(b"".join(xlsx_blocks(HEADERS, [ROW])))).active
    assert sheet is not None
    values = [cell.value for cell in sheet[2]]
    assert values == [-1.5, 0.1, 7, True, None, "2026-11-02", "2026-11-02T14:05:00Z", "female", "Zoë, 2"]


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-2+3", "@x", "\t=1", "\r=1", "\n=1", "＝1", "=cmd|' /C'!A0", "+49 30 1"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    block = b"".join(csv_blocks(["=h"], [[text]])).decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(block, newline=""))
    assert header == ["'=h"]
    assert row == [f"'{text}"]
    sheet = load_workbook(io.BytesIO(b"".join(xlsx_blocks(["=h"], [[text]])))).active
    assert sheet is not None
    assert all(cell.data_type == "s" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("text", ["-1.5", "+3", "-1e5", "BM-12", "a=b", ""])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_control_characters_do_not_break_a_workbook() -> None:
    sheet = load_workbook(io.BytesIO(b"".join(xlsx_blocks(["h"], [["a\x01b"]])))).active
    assert sheet is not None
    assert sheet["A2"].value == "a\ufffdb"


@pytest.mark.parametrize(("write", "empty"), [(csv_blocks, "\ufeffh\r\n"), (json_blocks, "[\n]\n")])
def test_an_empty_table_is_a_whole_file(write: Any, empty: str) -> None:
    assert b"".join(write(["h"], [])).decode() == empty


@pytest.mark.parametrize("write", [csv_blocks, json_blocks])
def test_a_long_table_is_streamed(write: Any) -> None:
    tracemalloc.start()
    size = sum(len(block) for block in write(["text"], (["x" * 100] for _ in range(50_000))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 5_000_000
    assert peak < 1_500_000


def test_several_values_stand_in_one_cell_and_stay_a_list_in_json() -> None:
    rows: list[tuple[object, ...]] = [(["ERBB2", "EGFR"],)]
    assert b"".join(csv_blocks(["Targets"], rows)).decode("utf-8-sig").splitlines()[1] == "ERBB2; EGFR"
    sheet = load_workbook(io.BytesIO(b"".join(xlsx_blocks(["Targets"], rows)))).active
    assert sheet is not None
    assert sheet["A2"].value == "ERBB2; EGFR"
    assert json.loads(b"".join(json_blocks(["Targets"], rows))) == [{"Targets": ["ERBB2", "EGFR"]}]
