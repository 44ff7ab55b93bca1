"""The books balance: every row has a fate, every cell is accounted for, in our own files and in real ones."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from importers.identify import identify
from importers.registry import by_key
from importers.workbook import open_workbook
from lims.domain.cells import column_letter
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.models import Animal, Measurement
from tests.intake.desk import EVERYTHING, Desk, balanced, weights, workbook

WIDE = workbook(
    ["Group", "Mouse", date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)],
    ["Vehicle", "M1", 100, 150, 210],
    [None, "M2", 90, "x", 180],
    [None, "MEAN", 95, 150, 195],
    ["Drug", "M3", 101, 90, None],
    [None, "M4", "too small", 60, 50],
)
OWN = {
    "weights.csv": weights(("M1", "2026-03-02", 20), ("M2", "2026-03-02", "sac"), ("", "", "")).encode(),
    "long.csv": b"Mouse,Date,Volume (mm3),Weight (g),Remark\nM1,2026-03-02,120,20,calm\nM2,2026-03-02,,21,\nM3,2026-03-02,99,,\n",
    "wide.xlsx": WIDE,
    "two sheets.xlsx": workbook(["id", "date", "weight (g)", "by"], ["M1", date(2026, 3, 2), 20, "Ada"]),
}
REAL = {
    "ivis_living_image/2024-02-16.csv": {"bli_total_flux": 25, "bli_radiance": 25},
    "body_weight/raw_mass.csv": {},
    "caliper_csv/TestLong.tsv": {},
    "caliper_csv/TestOS.tsv": {},
    "caliper_csv/KOLB2008.tsv": {},
    "caliper_csv/example.csv": {},
    "caliper_csv/example_import_TVms.csv": {},
    "caliper_csv/Control_caliper_Tumor_LxW_values.csv": {},
    "lab_excel_tumour/U87MG.xlsx": {},
    "lab_excel_tumour/mousedata.xlsx": {},
    "lab_excel_tumour/Tumor Sizes.xlsx": {},
    "lab_excel_tumour/MAS98.06_Her_Trast.xlsx": {},
}
ILES = "lab_excel_tumour/20250623 Catrin Lutz EGP 11636 FINAL iLes export (1).xlsx"


def unaccounted(content: bytes, name: str, outcome: run.Outcome, choices: dict[str, str]) -> list[str]:
    """List the cells, by brute force, that are in no listed column, no region set aside, no header and no finding."""
    book = open_workbook(content, name, choices)
    columns = {(one["sheet"], one["column"]) for one in outcome.report["columns"]}
    regions = outcome.report["set_aside"]
    reading = by_key(outcome.importer or "").read(book, identify(book), choices)
    headers = {(book.sheets[sheet].name, row) for sheet, rows in reading.header_rows.items() for row in rows}
    rows = headers | {(finding.sheet, finding.row) for finding in outcome.findings}
    missing = []
    for sheet in book.sheets:
        for number, row in enumerate(sheet.rows, 1):
            for column, cell in enumerate(row, 1):
                if cell == "":
                    continue
                listed = (sheet.name, column) in columns or (sheet.name, number) in rows
                aside = any(
                    one["sheet"] == sheet.name
                    and one["rows"][0] <= number <= one["rows"][1]
                    and one["columns"][0] <= column <= one["columns"][1]
                    for one in regions
                )
                if not listed and not aside:
                    missing.append(f"{sheet.name}!{column_letter(column)}{number} = {cell!r}")
    return missing


def answered(desk: Desk, content: bytes, name: str) -> tuple[run.Outcome, dict[str, str]]:
    """Check a file, answering what it leaves open: a proposal where there is one, otherwise the first answer allowed."""
    outcome = desk.check(content, name, create=EVERYTHING, leave_out="refused")
    choices: dict[str, str] = {}
    for _ in range(4):
        waiting = [one for one in outcome.report["questions"] if one["answer"] is None and one["options"]]
        if not waiting:
            break
        choices |= {one["key"]: one["options"][0][0] for one in waiting}
        outcome = desk.check(content, name, create=EVERYTHING, leave_out="refused", **choices)
    return outcome, choices


@pytest.mark.child
@pytest.mark.parametrize("name", OWN)
def test_the_books_of_our_own_files_balance(desk: Desk, name: str) -> None:
    outcome, choices = answered(desk, OWN[name], name)

    balanced(outcome)
    assert unaccounted(OWN[name], name, outcome, choices) == []
    assert all(column["reason"] for column in outcome.report["columns"] if column["role"] is None)


def test_the_fate_of_each_row_of_a_wide_table(desk: Desk) -> None:
    outcome, _ = answered(desk, OWN["wide.xlsx"], "wide.xlsx")
    recorded = desk.commit(outcome.batch_id)

    assert recorded.state is BatchState.COMMITTED
    rows = balanced(recorded)
    assert (rows["read"], rows["skipped"]) == (5, 1)
    assert Counter(animal for animal, *_ in desk.readings()) == {"M1": 3, "M2": 2, "M3": 2, "M4": 2}
    assert {finding.address for finding in recorded.findings} >= {"Sheet1!D3", "Sheet1!C6"}


@pytest.mark.child
@pytest.mark.parametrize("name", REAL)
def test_the_books_of_real_files_balance(desk: Desk, samples: Path, name: str) -> None:
    path = samples / name
    content = path.read_bytes()
    outcome, choices = answered(desk, content, path.name)

    recorded = desk.commit(outcome.batch_id)

    assert recorded.state is BatchState.COMMITTED, [one.message for one in recorded.findings if one.severity == "error"][:5]
    assert balanced(recorded)["read"] > 0
    assert unaccounted(content, path.name, recorded, choices) == []
    kinds = Counter(kind for _, kind, _, _ in desk.readings())
    assert sum(kinds.values()) == recorded.report["records"]["measurement"] > 0
    assert REAL[name].items() <= kinds.items()
    if path.suffix != ".xlsx":
        again = desk.record(content + b"\n", path.name, leave_out="refused", **choices)
        assert again.report["records"] == {"measurement": 0}
        assert len(desk.readings()) == sum(kinds.values())
    desk.sound()


def test_a_year_of_a_colonys_log(desk: Desk, samples: Path) -> None:
    path = samples / ILES
    outcome, choices = answered(desk, path.read_bytes(), path.name)

    recorded = desk.commit(outcome.batch_id)

    assert recorded.state is BatchState.COMMITTED
    assert len(desk.codes(Animal)) == 40
    kinds = Counter(one.kind for one in desk.records(Measurement))
    readings = recorded.report["readings"]
    assert kinds == {kind: fates["new"] for kind, fates in readings.items() if fates.get("new")}
    addresses = Counter((f.sheet, f.row, f.column) for f in recorded.findings if f.row)
    assert sum(readings["body_weight"].values()) <= 4646 <= sum(readings["body_weight"].values()) + len(addresses)
    assert any(finding.value == "MG L40.2" or "MG L40.2" in finding.message for finding in recorded.findings)
    assert unaccounted(path.read_bytes(), path.name, recorded, choices) == []
    desk.sound()
