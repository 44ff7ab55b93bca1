"""Faults 17 and 18: no file that leaves the laboratory runs anything, and a number stays one."""

from __future__ import annotations

import csv
import io

import pytest
from openpyxl import load_workbook

from lims.models import Animal, Measurement, Study
from tests.faults.conftest import Lab
from tests.support import factories
from tests.support.pages import sent

LISTS = (
    "/p/HERE/animals/",
    "/p/HERE/measurements/",
    "/p/HERE/studies/",
    "/p/HERE/imports/",
    "/p/HERE/studies/{study}/animals",
    "/p/HERE/studies/{study}/files",
    "/p/HERE/studies/{study}/readings",
    "/p/HERE/animals/{animal}/measurements",
    "/projects/",
    "/p/HERE/audit/export",
)
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.fixture
def paths(lab: Lab) -> list[str]:
    """Give every address that gives a table as a file; the laboratory's texts are formulas (`conftest._records`)."""
    with factories.declared(lab.database) as session:
        study = session.get_one(Study, lab.first(Study))
        study.title = '=HYPERLINK("http://evil.test")'
        factories.measurement(session, session.get_one(Animal, lab.first(Animal)), value=-1.5, raw="-1.5")
    return [path.format(study=lab.first(Study), animal=lab.first(Animal)) for path in LISTS]


def number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_no_cell_of_any_csv_begins_a_formula(lab: Lab, paths: list[str]) -> None:
    quoted = 0
    for path in paths:
        rows = list(csv.reader(io.StringIO(lab.file(path, format="csv").data.decode("utf-8-sig"), newline="")))
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if cell.startswith(STARTS) and not number(cell)], path
        quoted += sum(cell.startswith("'") for cell in cells)
    assert quoted > 10, "nothing that had to be quoted was exported"


def test_no_cell_of_any_workbook_is_a_formula(lab: Lab, paths: list[str]) -> None:
    formulas = 0
    for path in paths:
        book = load_workbook(io.BytesIO(lab.file(path, format="xlsx").data))
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type != "f", (path, cell.coordinate, cell.value)
                    formulas += isinstance(cell.value, str) and cell.value.startswith("=")
    assert formulas > 5, "no text that looks like a formula was exported"


def test_a_negative_number_stays_one_in_every_format(lab: Lab, paths: list[str]) -> None:
    path = f"/p/HERE/animals/{lab.first(Animal)}/measurements"
    newest = {"sort": "value"}
    assert lab.file(path, format="json", **newest).json[0]["Value"] == -1.5
    table = csv.DictReader(io.StringIO(lab.file(path, format="csv", **newest).data.decode("utf-8-sig")))
    first = next(table)
    assert (first["Value"], first["Text in the file"]) == ("-1.5", "-1.5")
    sheet = load_workbook(io.BytesIO(lab.file(path, format="xlsx", **newest).data)).worksheets[0]
    (column,) = [cell.column for cell in sheet[1] if cell.value == "Value"]
    assert sheet.cell(2, column).value == -1.5


def test_the_names_of_files_and_types_are_ours(lab: Lab, paths: list[str]) -> None:
    hostile = 'ST"; filename="x.exe'
    with factories.declared(lab.database) as session:
        session.get_one(Study, lab.first(Study)).code = hostile
    for path in paths:
        answer = lab.file(path, format="csv")
        assert answer.mimetype == "text/csv"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        disposition = answer.headers["Content-Disposition"]
        assert disposition.replace('\\"', "").count('"') in (0, 2), disposition
    assert lab.of(Measurement)


def test_a_refused_row_that_goes_back_to_a_spreadsheet_runs_nothing(lab: Lab) -> None:
    texts = ["-2+3+cmd|' /C calc'!A0", "+1-1", "=1", "@x", "＝1", "-1.5", "+3", "-1,5", "-2e5"]
    content = "id,date,weight (g),note\n" + "".join(f'M-HERE,2026-03-16,nonsense,"{text}"\n' for text in texts)
    browser, path = lab.browser(), "/p/HERE/imports/new"
    file = (io.BytesIO(content.encode()), "refused.csv")
    page = browser.client.post(path, data=sent(browser.get(path), path) | {"file": file}).headers["Location"]
    rows = list(csv.reader(io.StringIO(lab.file(f"{page}/refused.csv").data.decode())))
    assert [row[3] for row in rows[1:]] == [*(f"'{text}" for text in texts[:5]), *texts[5:]]
