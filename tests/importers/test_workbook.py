from __future__ import annotations

import csv
from datetime import date
from io import StringIO

import pytest

from importers.base import Refused, Severity
from importers.workbook import open_workbook
from tests.conftest import SAMPLES
from tests.importers import hostile
from tests.importers.hostile import cell, compound_file, row, xlsx


def refused(content: bytes, name: str) -> Refused:
    with pytest.raises(Refused) as caught:
        open_workbook(content, name)
    assert caught.value.finding.remedy
    return caught.value


def test_addresses_are_the_sheets_own():
    book = open_workbook(xlsx(f'<row r="3">{cell("B3", "Mouse")}</row><row r="5">{cell("C5", 12)}</row>'), "a.xlsx")
    assert book.kind == "xlsx"
    assert book.sheets[0].rows[2][1] == "Mouse"
    assert book.sheets[0].rows[4][2] == 12.0
    assert type(book.sheets[0].rows[4][2]) is float
    assert book.sheets[0].rows[0] == ["", "", ""]


def test_error_cells_and_formulas_never_calculated_are_kept_with_their_address():
    cells = (
        '<c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B1"><f>A1*2</f></c><c r="C1"><f>A1*3</f><v/></c>'
        '<c r="D1"><f>2*2</f><v>4</v></c><c r="E1" t="str"><f>""</f><v></v></c><c r="F1"><f t="shared" si="0"/></c>'
    )
    sheet = open_workbook(xlsx(row(1, "a"), f'<row r="1">{cells}</row>'), "a.xlsx").sheets[1]
    assert sheet.problems == {
        (1, 1): "#DIV/0!",
        (1, 2): "formula without a stored result: =A1*2",
        (1, 3): "formula without a stored result: =A1*3",
        (1, 6): "formula without a stored result",
    }
    assert sheet.rows[0][:5] == ["", "", "", 4.0, ""]


@pytest.mark.parametrize("attributes", ['t="e"', 's="1" t="e"', 't="e" s="1"'])
def test_an_error_cell_is_found_without_a_formula(attributes):
    content = xlsx(row(1, "a", "b") + f'<row r="2"><c r="A2" {attributes}><v>#N/A</v></c></row>')
    assert open_workbook(content, "a.xlsx").sheets[0].problems == {(2, 1): "#N/A"}


def test_hidden_sheets_and_rows_are_read_and_named():
    content = xlsx(row(1, "a"), f'<row r="2" hidden="1">{cell("A2", 1)}</row>', names=("Open", "Secret"), states=("", "veryHidden"))
    book = open_workbook(content, "a.xlsx")
    assert [sheet.visible for sheet in book.sheets] == [True, False]
    assert book.sheets[1].hidden_rows == {2}
    assert {(finding.severity, finding.code, finding.sheet) for finding in book.findings} == {
        (Severity.WARNING, "hidden-sheet", "Secret"),
        (Severity.WARNING, "hidden-rows", "Secret"),
    }
    assert any("hidden rows: 2." in finding.message for finding in book.findings)


def test_macros_are_ignored_and_said_to_be():
    book = open_workbook(xlsx(row(1, "a"), parts={"xl/vbaProject.bin": b"Sub Auto_Open()"}), "a.xlsm")
    assert [(finding.severity, finding.code) for finding in book.findings] == [(Severity.NOTE, "macros-ignored")]
    assert book.sheets[0].rows == [["a"]]


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (xlsx(row(1, "a")), "results.xls", "xlsx"),
        (b"a\tb\n1\t2\n", "results.xls", "text"),
        (xlsx(row(1, "a")), "results.csv", "xlsx"),
    ],
)
def test_a_wrong_extension_is_noted_and_the_content_read(content, name, kind):
    book = open_workbook(content, name)
    assert book.kind == kind
    assert book.sheets[0].rows[0][0] == "a"
    assert [finding.code for finding in book.findings] == ["extension-differs"]
    assert name[-4:] in book.findings[0].message


@pytest.mark.parametrize("content", [compound_file("EncryptedPackage"), compound_file("EncryptionInfo", "EncryptedPackage")])
def test_an_encrypted_workbook_says_how_to_remove_the_password(content):
    caught = refused(content, "a.xlsx")
    assert str(caught) == "The file is password-protected: open it in Excel, remove the password, save, upload again."


def test_an_encrypted_zip_counts_as_password_protected():
    content = bytearray(xlsx(row(1, "a")))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(content), "a.xlsx").finding.code == "password-protected"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_refused(share):
    content = xlsx("".join(row(n, n, f"M{n}") for n in range(1, 500)))
    assert refused(content[: int(len(content) * share)], "a.xlsx").finding.code == "file-damaged"


def test_a_truncated_old_workbook_is_refused():
    whole = compound_file("Root Entry", "Workbook")
    assert refused(whole, "a.xls").finding.code == "file-damaged"
    assert refused(whole[:600], "a.xls").finding.code == "file-damaged"


def test_broken_xml_is_refused():
    content = xlsx(row(1, "a"), parts={"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row r='1'>"})
    assert refused(content, "a.xlsx").finding.code == "file-damaged"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\0\0", "an image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "an image"),
        (b"MZ\x90\0\x03\0\0\0", "a program"),
        (b"\x7fELF\x02\x01", "a program"),
        (b"\x1f\x8b\x08\0", "a compressed archive"),
        (b"{\\rtf1\\ansi", "a rich-text document"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "a web page or XML"),
        (b"\0" * 128 + b"DICM" + b"\1" * 9, "a DICOM image"),
        (hostile.archive({"word/document.xml": "<w/>"}), "a Word document"),
        (hostile.archive({"a.csv": "1,2"}), "a zip archive of other files"),
        (compound_file("WordDocument"), "an older Office document"),
    ],
)
def test_what_is_no_table_is_refused_by_name(content, what):
    caught = refused(content, "readings.xlsx")
    assert caught.finding.code == "not-a-table"
    assert what in str(caught)


def test_binary_data_is_refused():
    assert "binary" in str(refused(bytes(range(256)) * 20, "a.csv"))


@pytest.mark.parametrize("first", ["PK study", "MZ", "BM"])
def test_text_that_starts_like_a_signature_is_text(first):
    book = open_workbook(f"{first},Value\nM1,2\nM2,3\n".encode(), "a.csv")
    assert book.sheets[0].rows[0] == [first, "Value"]


def test_values_from_other_workbooks_are_refused():
    caught = refused(xlsx(row(1, "a"), parts={"xl/externalLinks/externalLink1.xml": "<externalLink/>"}), "a.xlsx")
    assert caught.finding.code == "external-links"


def test_a_workbook_without_a_cell_is_empty():
    assert refused(xlsx(""), "a.xlsx").finding.code == "empty-file"


def test_text_numbers_in_a_workbook_raise_the_decimal_question():
    book = open_workbook(xlsx(row(1, "Volume", "12,5") + row(2, 3, "7,25")), "a.xlsx")
    assert [(question.key, question.proposed) for question in book.questions] == [("decimal", "comma")]
    assert book.decimal == ","


@pytest.fixture
def samples() -> list[tuple[str, bytes]]:
    if not SAMPLES.is_dir():
        pytest.skip("the folder of sample files is not here")
    return [(path.name, path.read_bytes()) for path in sorted(SAMPLES.glob("*/*"))]


def test_every_sample_opens(samples):
    for name, content in samples:
        book = open_workbook(content, name)
        assert sum(len(sheet.rows) for sheet in book.sheets) > 1, name


def test_a_truncated_sample_is_refused_or_stays_text(samples):
    for name, content in samples:
        if content.startswith(hostile.OLE2):
            assert refused(content[: len(content) * 2 // 3], name).finding.code == "file-damaged"


def test_workbook_and_csv_of_the_same_table_agree():
    table = [["Mouse", "Date", "Volume"], ["M1", "2024-01-05", "12.5"], ["M2", "2024-01-05", "x, see note"]]
    written = StringIO()
    csv.writer(written).writerows(table)
    assert open_workbook(written.getvalue().encode(), "a.csv").sheets[0].rows == table
    assert open_workbook(xlsx("".join(row(n, *cells) for n, cells in enumerate(table, 1))), "a.xlsx").sheets[0].rows == table


def test_cells_formatted_as_dates_come_as_dates():
    book = open_workbook(xlsx('<row r="1"><c r="A1" s="1"><v>45246</v></c></row>'), "a.xlsx")
    assert book.sheets[0].rows[0][0] == date(2023, 11, 16)
