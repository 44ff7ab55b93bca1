"""Builds workbooks in memory, part by part: good ones to compare with, and ones made to harm whoever reads them."""

from __future__ import annotations

import zipfile
from io import BytesIO
from itertools import zip_longest

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_CONTENT_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_MIME}.sheet.main+xml"/></Types>'
)
_ROOT_RELATIONS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sheet(rows: str, *, before: str = "") -> str:
    """Wrap the XML of rows into a sheet part; `before` stands between the declaration and the root."""
    return f'{_XML}{before}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def xlsx(
    *rows: str,
    parts: dict[str, str | bytes] | None = None,
    names: tuple[str, ...] = (),
    states: tuple[str, ...] = (),
    properties: str = "",
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Build a workbook of one sheet for each entry of `rows` (their XML); `parts` adds members or replaces them."""
    tabs = "".join(
        f'<sheet name="{name}" sheetId="{number}" state="{state or "visible"}" r:id="rId{number}"/>'
        for number, _, name, state in zip_longest(range(1, len(rows) + 1), rows, names or _numbered(len(rows)), states)
    )
    links = "".join(
        f'<Relationship Id="rId{n + 1}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n + 1}.xml"/>' for n in range(len(rows))
    )
    styles = f'<Relationship Id="rIdS" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _ROOT_RELATIONS,
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{properties}<sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{links}{styles}</Relationships>',
        "xl/styles.xml": _STYLES,
    }
    members |= {f"xl/worksheets/sheet{n}.xml": sheet(xml) for n, xml in enumerate(rows, 1)}
    return archive(members | (parts or {}), method)


def _numbered(count: int) -> list[str]:
    return [f"Sheet{number}" for number in range(1, count + 1)]


def archive(members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Zip the members."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return buffer.getvalue()


def cell(reference: str, value: object) -> str:
    """Write one cell: a number as such, anything else as inline text."""
    if isinstance(value, int | float):
        return f'<c r="{reference}"><v>{value}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def row(number: int, *values: object) -> str:
    """Write one row from column A on."""
    cells = "".join(cell(f"{chr(ord('A') + n)}{number}", value) for n, value in enumerate(values))
    return f'<row r="{number}">{cells}</row>'


def two_far_cells(reference: str) -> bytes:
    """Build a kilobyte with a value in A1 and one at the reference: the reader would lay out every cell between."""
    number = "".join(filter(str.isdigit, reference))
    return xlsx(f'<row r="1">{cell("A1", 1)}</row><row r="{number}">{cell(reference, 1)}</row>')


def zip_bomb(megabytes: int = 400) -> bytes:
    """Build about 400 kB that unpack to 400 MB of blanks in the shared strings."""
    return xlsx(row(1, "a"), parts={"xl/sharedStrings.xml": b" " * (megabytes * 1024 * 1024)})


def lying_directory(content: bytes, member: bytes, size: int) -> bytes:
    """Rewrite the directory's uncompressed size of one member."""
    patched = bytearray(content)
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(member))
    patched[place + 24 : place + 28] = size.to_bytes(4, "little")
    return bytes(patched)


def million_empty_rows() -> bytes:
    """Build a few kilobytes with a million rows and no cell."""
    return xlsx("<row/>" * 1_000_000)


def _with_document_type(document_type: str, text: str) -> bytes:
    rows = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>'
    return xlsx(row(1, "a"), parts={"xl/worksheets/sheet1.xml": sheet(rows, before=document_type)})


def billion_laughs() -> bytes:
    """Build entities that double nine times tenfold."""
    entities = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return _with_document_type(f"<!DOCTYPE x [{entities}]>", "&l9;")


def quadratic_blow_up() -> bytes:
    """Build one long entity that is named many times."""
    return _with_document_type(f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 10_000)


def external_entity() -> bytes:
    """Build an entity that asks for a file of the machine."""
    return _with_document_type('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>', "&f;")


def plain_document_type() -> bytes:
    """Build a document type that fetches its definition from elsewhere."""
    return _with_document_type('<!DOCTYPE worksheet SYSTEM "http://example.org/worksheet.dtd">', "a")


def compound_file(*streams: str) -> bytes:
    """Build the outline of an OLE2 file (old Office, encrypted Office) whose directory names the streams."""
    header = bytearray(512)
    header[:8] = OLE2
    header[30:32] = (9).to_bytes(2, "little")
    directory = b"".join(stream.encode("utf-16-le").ljust(128, b"\x00") for stream in streams)
    return bytes(header) + directory.ljust(1024, b"\x00")
