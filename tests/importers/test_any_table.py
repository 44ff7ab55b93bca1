"""Whatever stands in a table: it is read with books that balance, or refused with a sentence that says what to do."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from importers.base import Refused, Severity
from importers.identify import identify
from importers.registry import by_key
from importers.workbook import open_workbook
from tests.importers.tables_support import rows_without_fate, unaccounted

HEADERS = (
    *("Mouse", "Animal ID", "id", "Date", "date", "Day", "Time", "Treatment", "Group", "Cage", "Sex", "Remark", "", "x"),
    *("Body weight (g)", "mass", "Length (mm)", "Width (mm)", "Volume (mm3)", "LxW_2024-01-05", "0", "7", "2024-03-01"),
    *("Image Number", "ROI", "ROI Label", "Total Flux [p/s]", "Sample Name", "Sample Type", "Calculated Concentration (ng/mL)"),
    *("Control", "Control", "Drug", "Filename", "Well", "Target Name", "CT", "Sample ID", "Viability (%)"),
)
CELLS = (
    *("", " ", "M1", "M2", "007", "2024-03-01", "01.03.2024", "03/04/24", "45352", "5.1", "4,0", "1,234", "1*", "N/A", "NaN"),
    *("-0", "1e400", "x", "MEAN", "SD", "4.5x3.2", "dead", "=1+1", "Undetermined", "Unknown", "\u00a0", "\u202eM1", "µ", "a" * 300),
)
cells = st.one_of(st.sampled_from(CELLS), st.text(st.characters(blacklist_categories=("Cs",)), max_size=8))
KNOWN = (
    ("id", "date", "mass"),
    ("Mouse", "Date", "Volume (mm3)", "Treatment"),
    ("Cage", "Mouse", "Treatment", "Date", "Length (mm)", "Width (mm)"),
    ("Mouse", "LxW_2024-01-05", "LxW_2024-01-09"),
    ("Time", "Control", "Control", "", "Drug", "Drug"),
    ("Image Number", "ROI", "Total Flux [p/s]", "ROI Label"),
    ("", "Sample Name", "Sample Type", "Use Record", "Calculated Concentration (ng/mL)"),
    ("Molecule Name", "Replicate Name", "Sample Type", "Calculated Concentration", "Area"),
)
heads = st.one_of(st.sampled_from(KNOWN), st.lists(st.sampled_from(HEADERS), min_size=2, max_size=7))
Table = tuple[Sequence[str], list[list[str]], str, str]
tables = st.tuples(
    heads,
    st.lists(st.lists(cells, max_size=8), max_size=6),
    st.sampled_from(",;\t"),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16")),
)


@settings(max_examples=150)
@given(tables)
def test_a_table_is_read_with_balanced_books_or_refused_with_what_to_do(
    table: tuple[Sequence[str], list[list[str]], str, str],
) -> None:
    head, rows, delimiter, encoding = table
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([head, *rows])
    try:
        book = open_workbook(text.getvalue().encode(encoding), "table.csv")
        claim = identify(book)
        reading = by_key(claim.importer).read(book, claim, {})
    except Refused as refused:
        assert refused.finding.expected
        assert refused.finding.remedy
        return
    assert unaccounted(book, reading) == []
    assert rows_without_fate(reading) == []
    for finding in reading.findings:
        assert finding.message
        assert finding.severity is not Severity.ERROR or finding.expected or finding.remedy
