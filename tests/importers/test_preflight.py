from __future__ import annotations

import re
import zipfile
from datetime import date

import pytest

from importers import preflight
from importers.base import Refused
from importers.workbook import open_workbook
from tests.importers import hostile
from tests.importers.hostile import cell, row, sheet, xlsx


def refusal(content: bytes, name: str = "readings.xlsx") -> Refused:
    with pytest.raises(Refused) as caught:
        open_workbook(content, name)
    finding = caught.value.finding
    assert re.match(r"[A-Z].*\.$", finding.message), "a sentence"
    assert finding.expected
    assert finding.remedy
    return caught.value


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        pytest.param(hostile.zip_bomb, "zip-bomb", "200 times", id="zip bomb"),
        pytest.param(lambda: hostile.two_far_cells("XFD1048576"), "too-many-rows", "row 1,048,576", id="XFD1048576"),
        pytest.param(lambda: hostile.two_far_cells("XFD2"), "too-many-columns", "column XFD", id="XFD2"),
        pytest.param(lambda: hostile.two_far_cells("ZZ200000"), "too-many-cells", "200,000 rows by 702 columns", id="ZZ200000"),
        pytest.param(hostile.million_empty_rows, "too-many-rows", "row 200,001", id="a million empty rows"),
        pytest.param(hostile.billion_laughs, "xml-entities", "entities", id="billion laughs"),
        pytest.param(hostile.quadratic_blow_up, "xml-entities", "entities", id="quadratic blow-up"),
        pytest.param(hostile.external_entity, "xml-entities", "entities", id="external entity"),
        pytest.param(hostile.plain_document_type, "xml-entities", "document type", id="document type"),
    ],
)
def test_a_hostile_workbook_is_refused_before_the_reader_sees_it(content, code, says, monkeypatch):
    def reader(*_args):
        raise AssertionError("the reader was called")

    monkeypatch.setattr("importers.workbook._open_spreadsheet", reader)
    caught = refusal(content())
    assert caught.finding.code == code
    assert says in caught.finding.message


@pytest.mark.parametrize(
    "far",
    [
        "<c r='XFD1048576'><v>1</v></c>",
        '<c s="1" r="XFD1048576"><v>1</v></c>',
        '<c\n r="XFD1048576"><v>1</v></c>',
        '<c a=">" r="XFD1048576"><v>1</v></c>',
        '<c r="xfd1048576"><v>1</v></c>',
        '<c r="&#88;FD1048576"><v>1</v></c>',
        '<x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="XFD1048576"><v>1</v></x:c>',
        "<c><v>1</v></c>" * 1_001,
    ],
)
def test_a_far_cell_is_found_however_it_is_written(far):
    content = xlsx(f'<row r="1">{cell("A1", 1)}</row><row r="2">{far}</row>')
    assert refusal(content).finding.code in {"too-many-rows", "too-many-columns"}


def test_a_far_cell_is_found_where_the_reading_in_pieces_cuts(monkeypatch):
    content = hostile.two_far_cells("XFD1048576")
    for size in range(200, 260):
        monkeypatch.setattr(preflight, "_CHUNK", size)
        assert refusal(content).finding.code == "too-many-rows"


def test_the_sheet_of_a_far_cell_is_named_by_its_tab():
    content = xlsx(row(1, "a"), f'<row r="1">{cell("A1", 1)}{cell("XFD1", 1)}</row>', names=("Weights", "Tumours"))
    assert "Sheet `Tumours` reaches column XFD" in str(refusal(content))


def test_a_format_without_a_value_far_out_does_no_harm():
    book = open_workbook(xlsx('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="1"/></row>'), "a.xlsx")
    assert book.sheets[0].rows == [[1.0]]


def test_the_directory_of_the_zip_is_not_believed():
    content = xlsx(row(1, "a"), parts={"xl/media/image1.bin": b"\0" * 5_000_000})
    assert open_workbook(content, "a.xlsx").sheets[0].rows == [["a"]]
    assert refusal(hostile.lying_directory(content, b"xl/media/image1.bin", 10)).finding.code == "file-damaged"


def test_what_the_workbook_unpacks_to_is_limited_as_a_whole(monkeypatch):
    content = xlsx(row(1, "a"), parts={f"xl/media/image{n}.bin": bytes(range(256)) * 400 for n in range(10)})
    monkeypatch.setattr(preflight, "MAX_INFLATED_BYTES", 900_000)
    assert "unpacked" in str(refusal(content))


def test_too_many_members_are_refused(monkeypatch):
    monkeypatch.setattr(preflight, "MAX_MEMBERS", 5)
    assert "holds 6 files" in str(refusal(xlsx(row(1, "a"))))


def test_the_sheets_together_are_limited(monkeypatch):
    monkeypatch.setattr(preflight, "MAX_CELLS", 5)
    assert open_workbook(xlsx(row(1, 1, 2, 3)), "a.xlsx").sheets[0].rows == [[1.0, 2.0, 3.0]]
    assert "6 cells together" in str(refusal(xlsx(row(1, 1, 2, 3), row(1, 1, 2, 3))))


def test_xml_in_utf_16_is_refused_because_a_document_type_would_go_unseen():
    part = sheet(row(1, "a")).replace("UTF-8", "UTF-16").encode("utf-16")
    assert refusal(xlsx(row(1, "a"), parts={"xl/worksheets/sheet1.xml": part})).finding.code == "xml-entities"


def test_repeated_cells_of_an_opendocument_table_count_as_often_as_they_repeat():
    assert refusal(_ods('<table:table-row table:number-rows-repeated="1000000">' + _ods_cell() + "</table:table-row>"), "a.ods")
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    empty = f'<table:table-row table:number-rows-repeated="1048576">{blank}</table:table-row>'
    book = open_workbook(_ods(f"<table:table-row>{_ods_cell()}</table:table-row>{empty}"), "a.ods")
    assert book.kind == "ods"
    assert book.sheets[0].rows == [[1.0]]


def _ods_cell() -> str:
    return '<table:table-cell office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell>'


def _ods(rows: str) -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{space}:office:1.0" xmlns:table="{space}:table:1.0" '
        f'xmlns:text="{space}:text:1.0"><office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    entry = f'<m:file-entry m:full-path="/" m:media-type="{mime}"/>'
    manifest = f'<?xml version="1.0"?><m:manifest xmlns:m="{space}:manifest:1.0">{entry}</m:manifest>'
    members: dict[str, str | bytes] = {"mimetype": mime, "content.xml": content, "META-INF/manifest.xml": manifest}
    return hostile.archive(members, zipfile.ZIP_STORED)


def test_oversize_and_empty_files_are_refused(monkeypatch):
    for content in (b"", b"\r\n \t\r\n", b"\xef\xbb\xbf", b"\0" * 100):
        assert refusal(content, "a.csv").finding.code == "empty-file"
    monkeypatch.setattr(preflight, "MAX_UPLOAD_BYTES", 1024 * 1024)
    assert str(refusal(b"a,b\n" * 600_000, "a.csv")) == "The file has 2 MB."


def test_text_keeps_to_the_same_grid():
    assert "row 200,001" in str(refusal(b"1\t2\n" * 200_001, "a.tsv"))
    assert "1,001" in str(refusal(b"1\t" * 1_000 + b"1\n", "a.tsv"))


def test_a_tall_and_a_wide_table_within_the_limits_are_read():
    tall = xlsx("".join(f'<row r="{n}"><c r="CV{n}"><v>1</v></c></row>' for n in (1, 200_000)))
    assert preflight.check_zip(tall).sheets == {}
    wide = open_workbook(xlsx('<row r="1"><c r="ALL1"><v>1</v></c></row>'), "a.xlsx")
    assert len(wide.sheets[0].rows[0]) == preflight.MAX_COLUMNS


def test_dates_of_1904_are_read_as_such_and_noted():
    rows = '<row r="1"><c r="A1" s="1"><v>43784</v></c></row>'
    book = open_workbook(xlsx(rows, properties='<workbookPr date1904="1"/>'), "a.xlsx")
    assert book.sheets[0].rows[0][0] == date(2023, 11, 16)
    assert [finding.code for finding in book.findings] == ["dates-from-1904"]
    assert open_workbook(xlsx(rows.replace("43784", "45246")), "a.xlsx").sheets[0].rows[0][0] == date(2023, 11, 16)
