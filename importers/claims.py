"""Claims a file by a table that one of its sheets has."""

from __future__ import annotations

from collections.abc import Callable

from importers.base import Claim
from importers.columns import Layout
from importers.sheets import Sheet, Workbook


def claim_table(importer: str, book: Workbook, find: Callable[[Sheet], Layout | None], *shown: str) -> Claim | None:
    """Claim the first sheet on which `find` finds a table. shown: roles whose headers are the evidence, where it has them."""
    for sheet in book.sheets:
        layout = find(sheet)
        if layout is not None:
            place = f"header row {layout.header_row}" + (f' of sheet "{sheet.name}"' if len(book.sheets) > 1 else "")
            return Claim(importer, (f"{place} has {layout.quoted(*shown)}",), sheet.index, layout.header_row)
    return None
