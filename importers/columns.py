"""Which column of a table holds what: declared columns, header aliases, units in headers, and what stays unread.

Every importer declares the columns it knows as `Role`s, finds the header row by them, and gets a `Layout`: role → header,
with the columns nobody reads and why. Names are compared without case, blanks and punctuation, so that `Mouse_ID`,
`mouse id` and `MouseID` are one name; a unit in brackets or at the end (`Volume (mm3)`, `Weight_g`) is taken off first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from importers.base import ColumnUse, Finding, SetAside, Severity
from importers.sheets import CellValue, Sheet, Workbook
from lims.domain.cells import column_letter

HEADER_SEARCH_ROWS = 40
"""How many rows from the top may stand above a header row."""

LENGTH_UNITS: Mapping[str, float] = {"mm": 1.0, "cm": 10.0}
AREA_UNITS: Mapping[str, float] = {"mm2": 1.0, "cm2": 100.0}
VOLUME_UNITS: Mapping[str, float] = {"mm3": 1.0, "µl": 1.0, "ul": 1.0, "cm3": 1000.0, "cc": 1000.0, "ml": 1000.0}
WEIGHT_UNITS: Mapping[str, float] = {"g": 1.0, "gram": 1.0, "grams": 1.0, "kg": 1000.0, "mg": 0.001}

_BRACKETED = re.compile(r"^(?P<name>.*\S)\s*[\[(](?P<unit>[^\])]*)[\])]\s*$", re.DOTALL)
_TRAILING = re.compile(r"^(?P<name>.*[^\W\d_])[\s_,./-]+(?P<unit>mm[23^³²]?3?|cm[23^³²]?3?|g|kg|mg)$", re.IGNORECASE | re.DOTALL)
_LOST_SQUARE = re.compile(r"(?<=cm)[_?\ufffd](?=/sr)")


@dataclass(frozen=True, slots=True)
class Role:
    """One thing a column may hold, the names it goes by (best first), and the units it may be in.

    units: normalised unit → factor to the canonical unit. Empty: the column has no unit, and a bracket is only a remark.
    """

    key: str
    aliases: tuple[str, ...]
    units: Mapping[str, float] = field(default_factory=dict)

    def rank(self, header: Header) -> int | None:
        """Place of the header among the aliases, 0 the best; None where it is not one of them."""
        places = _places(self.aliases)
        return min((places[name] for name in (header.full, header.name) if name in places), default=None)


@dataclass(frozen=True, slots=True)
class Header:
    """A header cell. column: 1-based. text: as written. full: squashed whole; name: squashed without the unit."""

    column: int
    text: str
    full: str
    name: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns under one header row hold.

    found: role key → header. rivals: role key → further headers that would have been the same role.
    """

    sheet: Sheet
    header_row: int
    headers: tuple[Header, ...]
    found: Mapping[str, Header]
    rivals: Mapping[str, tuple[Header, ...]]
    roles: Mapping[str, Role]

    def has(self, *keys: str) -> bool:
        """Whether every one of these roles has a column."""
        return all(key in self.found for key in keys)

    def cells(self, key: str) -> list[CellValue]:
        """All cells under the role's header, one for each row below the header row."""
        return column_cells(self.sheet, self.found[key].column, self.header_row)

    def factor(self, key: str) -> float | None:
        """Factor from the header's unit to the canonical unit; None where the header states no unit or an unknown one."""
        unit = self.found[key].unit
        return None if unit is None else self.roles[key].units.get(unit)

    def not_chosen(self) -> dict[int, str]:
        """Columns that could have had a role which another column has, each with the reason why it is not read."""
        return {one.column: f'"{self.found[key].text}" is read instead' for key, others in self.rivals.items() for one in others}

    def quoted(self, *keys: str) -> str:
        """The headers of these roles as a phrase: `"Mouse_ID" and "Volume (mm3)"`."""
        return in_words([f'"{self.found[key].text}"' for key in keys if key in self.found])


def squash(text: str) -> str:
    """Reduce a name to lower-case letters and digits: `Mouse_ID` → `mouseid`, `cm²` → `cm2`."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


@cache
def _places(aliases: tuple[str, ...]) -> Mapping[str, int]:
    """Give squashed alias → its place; kept, because every cell of the first rows is compared with those of every role."""
    places: dict[str, int] = {}
    for place, alias in enumerate(aliases):
        places.setdefault(squash(alias), place)
    return places


def unit_name(text: str) -> str:
    """Reduce a unit to one spelling: `mm³`, `MM^3` → `mm3`; `p/sec/cm_/sr` → `p/s/cm2/sr`; `μL` → `µl`."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u03bc", "\u00b5")
    folded = _LOST_SQUARE.sub("2", folded)
    return re.sub(r"[\s^]", "", folded).replace("/sec", "/s").replace("photons/", "p/")


def header(cell: CellValue, column: int) -> Header:
    """Take a header cell apart into name and unit."""
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
    parts = _BRACKETED.match(text) or _TRAILING.match(text)
    if parts is None:
        return Header(column, text, squash(text), squash(text))
    return Header(column, text, squash(text), squash(parts["name"]), unit_name(parts["unit"]) or None)


def headers_in(sheet: Sheet, row: int) -> tuple[Header, ...]:
    """All non-blank header cells of a row (1-based)."""
    return tuple(header(cell, column) for column, cell in enumerate(sheet.rows[row - 1], 1) if not is_blank(cell))


def is_blank(cell: CellValue) -> bool:
    """Whether a cell holds nothing: the empty string, or blanks only."""
    return isinstance(cell, str) and not cell.strip()


def match(sheet: Sheet, header_row: int, roles: Sequence[Role]) -> Layout:
    """Give each role its column: best alias first, leftmost of equals; a column serves one role only."""
    headers = headers_in(sheet, header_row)
    taken: set[int] = set()
    found: dict[str, Header] = {}
    rivals: dict[str, tuple[Header, ...]] = {}
    for role in roles:
        ranked = [(rank, one.column, one) for one in headers if one.column not in taken and (rank := role.rank(one)) is not None]
        if ranked:
            ordered = [one for _, _, one in sorted(ranked, key=lambda entry: entry[:2])]
            found[role.key], rivals[role.key] = ordered[0], tuple(ordered[1:])
            taken.add(ordered[0].column)
    return Layout(sheet, header_row, headers, found, rivals, {role.key: role for role in roles})


def find_table(sheet: Sheet, roles: Sequence[Role], required: Sequence[Sequence[str]]) -> Layout | None:
    """Find the topmost row whose headers fill one of the `required` sets of role keys; None where there is none."""
    for row in range(1, min(len(sheet.rows), HEADER_SEARCH_ROWS) + 1):
        if sum(isinstance(cell, str) and bool(cell.strip()) for cell in sheet.rows[row - 1]) < min(map(len, required)):
            continue
        layout = match(sheet, row, roles)
        if any(layout.has(*keys) for keys in required):
            return layout
    return None


def column_cells(sheet: Sheet, column: int, header_row: int) -> list[CellValue]:
    """All cells of a column below the header row; where a text file's row is too short, blank."""
    place = column - 1
    below = sheet.rows[header_row:]
    try:
        return [row[place] for row in below]
    except IndexError:
        return [row[place] if place < len(row) else "" for row in below]


def merged_down(sheet: Sheet, column: int, header_row: int) -> list[CellValue]:
    """All cells of a column below the header row, with a merged cell's value in every row that it covers."""
    cells = column_cells(sheet, column, header_row)
    for top, left, bottom, right in sheet.merged:
        if left <= column <= right and top > header_row:
            for row in range(top, min(bottom, len(sheet.rows)) + 1):
                cells[row - header_row - 1] = sheet.rows[top - 1][left - 1]
    return cells


def data_rows(sheet: Sheet, header_row: int) -> list[int]:
    """Row numbers (1-based) below the header that hold anything. A row of zeros only is data too."""
    rows = sheet.rows[header_row:]
    if all(map(any, rows)):
        return list(range(header_row + 1, len(sheet.rows) + 1))
    below = enumerate(rows, header_row + 1)
    return [number for number, row in below if any(row) or any(cell != "" for cell in row)]


def uses(
    layout: Layout, unread: Mapping[int, str] | None = None, default: str = "not read by this importer"
) -> tuple[ColumnUse, ...]:
    """List every column of the table: its role, or why it was not read.

    unread: column number → reason, stronger than a role found. A column with data and no header is listed as such.
    """
    reasons = unread or {}
    role_of = {one.column: key for key, one in layout.found.items()}
    listed = [
        ColumnUse(layout.sheet.index, one.column, one.text, None, reasons[one.column])
        if one.column in reasons
        else ColumnUse(layout.sheet.index, one.column, one.text, role_of.get(one.column), "" if one.column in role_of else default)
        for one in layout.headers
    ]
    known = {one.column for one in layout.headers}
    width = max(map(len, layout.sheet.rows), default=0)
    listed.extend(
        ColumnUse(layout.sheet.index, column, "", None, reasons.get(column, "no header"))
        for column in range(1, width + 1)
        if column not in known and not all(map(is_blank, column_cells(layout.sheet, column, layout.header_row)))
    )
    return tuple(sorted(listed, key=lambda use: use.column))


def whole_sheet(sheet: Sheet, reason: str) -> SetAside | None:
    """Set a whole sheet aside; None where it is empty."""
    width = max(map(len, sheet.rows), default=0)
    return SetAside(sheet.index, 1, len(sheet.rows), 1, width, reason) if width else None


def other_sheets(book: Workbook, read: Iterable[int], reason: str = "not of this table") -> tuple[SetAside, ...]:
    """Set aside every sheet that holds anything and is not among the sheets read (0-based indices)."""
    indices = frozenset(read)
    regions = (whole_sheet(sheet, reason) for sheet in book.sheets if sheet.index not in indices)
    return tuple(region for region in regions if region is not None)


def above(layout: Layout, reason: str = "stands above the table") -> tuple[SetAside, ...]:
    """Set aside what stands above the header row."""
    rows = layout.sheet.rows[: layout.header_row - 1]
    width = max(map(len, rows), default=0)
    if not any(not is_blank(cell) for row in rows for cell in row):
        return ()
    return (SetAside(layout.sheet.index, 1, layout.header_row - 1, 1, width, reason),)


def without_values(layout: Layout, present: Sequence[bool], findings: Iterable[Finding]) -> tuple[SetAside, ...]:
    """Set aside the data rows that carry no value and stand in no finding, one region for each run of rows.

    present: for each row below the header, whether it carries a value.
    """
    if all(present):
        return ()
    told = {finding.row for finding in findings}
    rows = data_rows(layout.sheet, layout.header_row)
    blank = [row for row in rows if not present[row - layout.header_row - 1] and row not in told]
    starts = [row for row, before in zip(blank, [0, *blank], strict=False) if row != before + 1]
    ends = [row for row, after in zip(blank, [*blank[1:], 0], strict=False) if row + 1 != after]
    width = max(map(len, layout.sheet.rows))
    return tuple(
        SetAside(layout.sheet.index, start, end, 1, width, "no value in the row", row_fate=True)
        for start, end in zip(starts, ends, strict=True)
    )


def unit_findings(layout: Layout, keys: Sequence[str]) -> list[Finding]:
    """One error for each column whose header states a unit that its role cannot be in. Such a column must not be read."""
    return [
        Finding(
            Severity.ERROR,
            "unit-unknown",
            f'column {column_letter(found.column)} "{found.text}" is in "{found.unit}", which is not a unit of {key}',
            sheet=layout.sheet.name,
            row=layout.header_row,
            column=found.column,
            value=found.text,
            expected=f"one of {', '.join(layout.roles[key].units)}",
            remedy="convert the column, or correct the unit in its header",
        )
        for key in keys
        if (found := layout.found.get(key)) and found.unit and layout.roles[key].units and layout.factor(key) is None
    ]


def in_words(parts: Sequence[str]) -> str:
    """Join as people do: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


ANIMAL = Role(
    "animal",
    (
        *(
            "animal id",
            "animal number",
            "animal",
            "mouse id",
            "mouse number",
            "mouse no",
            "mouse",
            "mid",
            "id",
            "ear tag",
            "ear mark",
        ),
        *("tag", "subject id", "subject", "individual", "rat id", "sample"),
    ),
)
DATE = Role(
    "date",
    (
        *("date", "measurement date", "date measured", "date of measurement", "mass date", "weight date", "weighing date"),
        *("date and time", "date time", "datetime", "observation date", "measured on", "measured at"),
    ),
)
DAY = Role(
    "day",
    ("treatment day", "study day", "day", "days", "time", "times", "timepoint", "time days", "day post implantation"),
    {"d": 1.0, "day": 1.0, "days": 1.0},
)
VOLUME = Role(
    "volume",
    ("volume", "tumor volume", "tumour volume", "tv", "vol", "tumor vol", "tumour vol", "tumor size", "tumour size"),
    VOLUME_UNITS,
)
LENGTH = Role(
    "length", ("length", "l", "tumor length", "tumour length", "tumor l", "tumour l", "dmax", "long diameter", "d1"), LENGTH_UNITS
)
WIDTH = Role(
    "width", ("width", "w", "tumor width", "tumour width", "tumor w", "tumour w", "dmin", "short diameter", "d2"), LENGTH_UNITS
)
HEIGHT = Role("height", ("height", "h", "depth", "tumor height", "tumour height", "tumor h", "tumour h", "d3"), LENGTH_UNITS)
WEIGHT = Role("weight", ("body weight", "bodyweight", "weight", "bw", "mass", "body mass"), WEIGHT_UNITS)
RLU = Role("rlu", ("rlu", "relative light units", "bli rlu", "luminescence rlu"))
ARM = Role(
    "arm", ("arm", "arms", "treatment", "treatment group", "group", "grp", "cohort", "egp", "treatment group id", "group id")
)
CAGE = Role("cage", ("cage", "cage id", "cage number", "cage no"))
STUDY = Role("study", ("study", "study id", "experiment", "study code"))
MODEL = Role("model", ("model", "model id", "pdx", "pdx model", "cell line", "cell"))
TUMOUR = Role(
    "tumour",
    ("tumor location", "tumour location", "tumor", "tumour", "tumor id", "tumour id", "tumor label", "side", "site", "flank"),
)
OPERATOR = Role("operator", ("operator", "measured by", "technician", "initials", "user"))
DEVICE = Role("device", ("device", "caliper id", "instrument", "scale"))
SEX = Role("sex", ("sex", "gender"))
BIRTH = Role("birth", ("dob", "date of birth", "birth date", "birth", "born"))
STRAIN = Role("strain", ("strain", "mouse strain", "background"))
