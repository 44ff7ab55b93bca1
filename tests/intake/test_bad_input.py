"""Bad files and bad cells: each a refusal or a finding with place, value and expectation; nothing recorded, nothing lost."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from sqlalchemy import func, select

from importers.base import Severity
from importers.overlay import PROBLEM_COLUMN
from importers.preflight import MAX_UPLOAD_BYTES
from lims.domain.errors import DomainError
from lims.domain.vocabulary import BatchState
from lims.exports.own_layout import own_csv
from lims.intake import run
from lims.models import Animal, ImportFinding
from tests.importers import hostile
from tests.intake.desk import EVERYTHING, Desk, balanced, codes, found, weights, workbook

GOOD = workbook(["id", "date", "weight (g)"], ["M1", date(2026, 3, 2), 20.5])


@pytest.mark.child
@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"%PDF-1.7\n1 0 obj\x00\xff", "weights.csv", "not-a-table"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "weights.xlsx", None),
        (GOOD[:-200], "weights.xlsx", "file-damaged"),
        (hostile.compound_file("EncryptionInfo", "EncryptedPackage"), "weights.xlsx", "password-protected"),
        (b"   \r\n\t", "weights.csv", "empty-file"),
        (b"id,date,weight (g)\n", "weights.csv", None),
        (b"name;colour\nx;red\n", "weights.csv", "format-unknown"),
        (hostile.two_far_cells("XFD1048576"), "weights.xlsx", None),
        (hostile.billion_laughs(), "weights.xlsx", "xml-entities"),
    ],
    ids=["pdf", "png", "truncated", "encrypted", "blank", "header-only", "unknown", "far-cells", "entities"],
)
def test_what_is_no_table_is_refused_with_a_sentence_and_kept(desk: Desk, content: bytes, name: str, code: str | None) -> None:
    outcome = desk.record(content, name)

    if outcome.state is BatchState.COMMITTED:  # a header alone: nothing to record, and nothing wrong
        assert (balanced(outcome), desk.readings()) == ({}, [])
        return
    finding = next(one for one in outcome.findings if one.severity is Severity.ERROR)
    assert outcome.state is BatchState.REFUSED
    assert len(finding.message) > 15
    assert finding.expected
    assert finding.remedy
    if code not in (None, "not-a-table"):
        assert finding.code == code
    assert balanced(outcome) == {}
    stored = [path for path in desk.settings.file_dir.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in stored] == [content]
    desk.sound()


def test_an_empty_file_is_refused_before_it_is_stored(desk: Desk) -> None:
    with pytest.raises(DomainError, match="is empty"):
        desk.drop(b"")


def test_an_oversize_file_is_refused(desk: Desk) -> None:
    outcome = desk.record(b"id,date,weight (g)\n" + b"M1,2026-03-02,20.5\n" * (MAX_UPLOAD_BYTES // 19 + 1))

    assert (outcome.state, codes(outcome)) == (BatchState.REFUSED, ["too-large"])


def test_macros_are_ignored_and_said_to_be(desk: Desk) -> None:
    rows = hostile.row(1, "id", "date", "weight (g)") + hostile.row(2, "M1", "2026-03-02", 20.5)

    outcome = desk.record(hostile.xlsx(rows, parts={"xl/vbaProject.bin": b"Sub Auto_Open()"}), "weights.xlsm")

    assert outcome.state is BatchState.COMMITTED
    assert any("acro" in finding.message for finding in outcome.findings)


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("1*", "C2"),
        ("sac 9/13", "C2"),
        ("too small to measure", "C2"),
        ("20,5.1", "C2"),
        ("nan", "C2"),
        ("1e999", "C2"),
        ("-", None),
    ],
)
def test_text_in_a_number_cell_is_found_at_the_cell(desk: Desk, cell: str, place: str | None) -> None:
    outcome = desk.record(f'id,date,weight (g)\nM1,2026-03-02,"{cell}"\nM2,2026-03-02,20\n')

    told = [finding for finding in outcome.findings if finding.row == 2]
    assert told or place is None
    for finding in told:
        assert finding.address == f"file!{place or 'C2'}"
        assert finding.value == cell
        assert cell in finding.message
    assert sum(balanced(outcome).values()) == 2 * outcome.report["rows"]["read"] == 4
    assert "M1" not in [animal for animal, *_ in desk.readings()]


def test_impossible_and_unusual_values(desk: Desk) -> None:
    outcome = desk.record(
        weights(("M1", "2026-03-02", 4.9), ("M2", "2026-03-02", 205), ("M3", "2026-03-02", 11), ("M4", "2026-03-02", 20)),
        weight_unit="g",
    )

    assert balanced(outcome) == {"read": 4, "new": 2, "refused": 2}
    told = {(one.code, one.row, one.severity.value) for one in outcome.findings}
    assert told == {("value-impossible", 2, "error"), ("value-impossible", 3, "error"), ("value-unusual", 4, "warning")}
    assert {one.expected for one in outcome.findings} == {"5 to 80 g", "12 to 50 g"}


def test_a_tumour_many_times_as_long_as_wide_is_a_warning_at_its_row(desk: Desk) -> None:
    sizes = "id,date,length (mm),width (mm)\nM1,2026-03-02,40,2\nM2,2026-03-02,4.0,2\nM3,2026-03-02,8,2\nM4,2026-03-02,2,8.1\n"
    outcome = desk.record(sizes)

    assert outcome.state is BatchState.COMMITTED
    odd = [one for one in outcome.findings if one.code == "diameters-unusual"]
    assert [(one.row, one.severity.value) for one in odd] == [(2, "warning"), (5, "warning")]
    assert "measures 40 × 2 mm: a decimal point missing in one of the two?" in odd[0].message
    assert odd[0].expected == "less than 4 times as long as wide"


def test_a_value_that_jumps_is_a_warning(desk: Desk) -> None:
    outcome = desk.record(weights(("M1", "2026-03-02", 20), ("M1", "2026-03-09", 26)))

    assert (outcome.state, codes(outcome)) == (BatchState.COMMITTED, ["value-jumps"])
    assert "1.3 times the value before (20)" in found(outcome, "value-jumps").message


def test_a_missing_unit_is_asked_for_and_never_guessed(desk: Desk) -> None:
    content = "id,date,weight\nM1,2026-03-02,0.021\n"
    outcome = desk.record(content)

    assert (outcome.state, codes(outcome)) == (BatchState.REFUSED, ["question-weight_unit"])
    assert desk.record(content, weight_unit="kg").state is BatchState.COMMITTED
    assert [value for *_, value in desk.readings()] == [21.0]


def test_an_ambiguous_number_waits_for_an_answer(desk: Desk) -> None:
    content = 'Mouse,Date,Volume (mm3)\nM1,2026-03-02,"1,234"\n'
    waiting = desk.record(content)
    assert (waiting.state, desk.readings()) == (BatchState.REFUSED, [])
    (question,) = [one for one in waiting.report["questions"] if one["answer"] is None]

    desk.record(content, **{question["key"]: "comma"})

    assert [value for *_, value in desk.readings()] == [1.234]


def test_formulas_without_a_value_and_error_cells_are_found(desk: Desk) -> None:
    formula = '<c r="C2"><f>A1*2</f></c>'
    error = '<c r="C3" t="e"><v>#DIV/0!</v></c>'
    rows = hostile.row(1, "id", "date", "weight (g)") + "".join(
        f'<row r="{n}">{hostile.cell(f"A{n}", f"M{n}")}{hostile.cell(f"B{n}", "2026-03-02")}{cell}</row>'
        for n, cell in ((2, formula), (3, error), (4, hostile.cell("C4", 20.5)))
    )

    outcome = desk.record(hostile.xlsx(rows), "weights.xlsx", leave_out="refused")

    assert {finding.address for finding in outcome.findings} >= {"Sheet1!C2", "Sheet1!C3"}
    assert outcome.report["rows"]["read"] == 3
    assert balanced(outcome)["new"] == 1
    assert [animal for animal, *_ in desk.readings()] == ["M4"]


def test_every_problem_is_told_in_one_pass(desk: Desk) -> None:
    outcome = desk.check(
        weights(("M1", "2026-03-02", "x"), ("M2", "02.03.26", 20), ("", "2026-03-02", 20), ("M4", "2099-01-01", 20), ("M5", "", 20))
    )

    assert {finding.row for finding in outcome.findings if finding.severity is Severity.ERROR} >= {2, 3, 4, 5, 6} - {2}
    assert balanced(outcome)["read"] == 5
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportFinding)) == len(outcome.findings)


def test_refused_rows_are_left_out_downloaded_corrected_and_only_they_land(desk_on_each: Desk) -> None:
    desk = desk_on_each
    unknown = (("M9", "2026-03-02", 21), ("M9", "2026-03-09", 22))
    content = weights(("M1", "2026-03-02", 20), ("M2", "2026-03-02", 205), *unknown, ("M1", "2026-03-09", 21))
    desk.record(weights(("M1", "2026-02-02", 20), ("M2", "2026-02-02", 20)), "before.csv")
    assert desk.record(content, create="").state is BatchState.REFUSED

    outcome = desk.record(content, create="", leave_out="refused")

    assert outcome.state is BatchState.COMMITTED
    assert balanced(outcome) == {"read": 5, "new": 2, "refused": 3}
    left = own_csv(run.refused_rows(desk.settings, desk.settings.url, outcome.batch_id, desk.actor)).decode()
    head, heavy, *rest = csv.reader(io.StringIO(left))
    assert (head[:3], head[3]) == (["id", "date", "weight (g)"], PROBLEM_COLUMN)
    assert heavy[:3] == ["M2", "2026-03-02", "205"]
    assert "205 g of M2 is above 80 g" in heavy[3]
    assert [row[:3] for row in rest] == [["M9", "2026-03-02", "21"], ["M9", "2026-03-09", "22"]]
    assert rest[0][3] == 'Animal "M9" is not in this project.'

    corrected = desk.record(left.replace("205", "20.5"), "corrected.csv", create=EVERYTHING)

    assert balanced(corrected) == {"read": 3, "new": 3}
    assert len(desk.readings()) == 7
    ((sheet, still),) = run.refused_rows(desk.settings, desk.settings.url, outcome.batch_id, desk.actor)
    assert (sheet, [row[:3] for row in still]) == ("file", [["id", "date", "weight (g)"], ["M2", "2026-03-02", "205"]])
    desk.sound()


def test_the_download_of_refused_rows_runs_no_formula_and_leaves_numbers_alone(desk: Desk) -> None:
    outcome = desk.record(
        'id,date,weight (g),Remark\nM1,2026-03-02,=1+1,@SUM(A1)\nM2,2026-03-02,-1.5,-x\nM3,2026-03-02,"-1,5",+31\n'
    )

    left = own_csv(run.refused_rows(desk.settings, desk.settings.url, outcome.batch_id, desk.actor)).decode()

    assert [row[:4] for row in csv.reader(io.StringIO(left))][1:] == [
        ["M1", "2026-03-02", "'=1+1", "'@SUM(A1)"],
        ["M2", "2026-03-02", "-1.5", "'-x"],
        ["M3", "2026-03-02", "-1,5", "+31"],
    ]


def test_nothing_is_created_by_a_file_that_is_refused(desk: Desk) -> None:
    outcome = desk.record(weights(("M1", "2026-03-02", 20), ("M2", "2026-03-02", 205)))

    assert (outcome.state, desk.records(Animal), desk.readings()) == (BatchState.REFUSED, [], [])
    assert desk.events()[-1] == "batch:check"
    desk.sound()
