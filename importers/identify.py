"""Finds the one importer that a workbook belongs to. Never tries importers until one works."""

from __future__ import annotations

from importers.base import Claim, Refused
from importers.columns import HEADER_SEARCH_ROWS, headers_in, in_words
from importers.registry import IMPORTERS, by_key
from importers.sheets import Workbook

HEADERS_QUOTED = 12
"""How many headers a refusal quotes from each sheet."""

LIST_THEM = "see `lims importers` for what each importer reads"


def identify(book: Workbook, chosen: str | None = None) -> Claim:
    """Give the claim of the one importer that recognises the workbook, or of the one a person chose.

    Raises `Refused` where none or several claim it, or the chosen one does not find its columns, with the headers seen.
    """
    if chosen is not None:
        claim = by_key(chosen).claim(book)
        if claim is None:
            raise Refused(
                "format-not-this",
                f'"{book.name}" is not a {by_key(chosen).title}; {_seen(book)}',
                expected=by_key(chosen).reads,
                remedy="choose another format, or correct the headers and upload again",
                option=f"--as KEY ({LIST_THEM})",
            )
        return claim
    claims = [claim for importer in IMPORTERS if (claim := importer.claim(book)) is not None]
    claims = [claim for claim in claims if claim.certain] or claims
    if len(claims) == 1:
        return claims[0]
    if claims:
        titles = in_words([f"{by_key(claim.importer).title} ({'; '.join(claim.evidence)})" for claim in claims])
        options = " or ".join(f"--as {claim.importer}" for claim in claims)
        raise Refused(
            "format-ambiguous",
            f'"{book.name}" may be each of {titles}',
            expected="a file that only one importer recognises",
            remedy="choose the format",
            option=options,
        )
    raise Refused(
        "format-unknown",
        f'no importer recognises "{book.name}"; {_seen(book)}',
        expected="a file with the columns of one of the importers",
        remedy="map its columns, correct the headers and upload again, or choose the format",
        option=f"--as KEY ({LIST_THEM})",
    )


def _seen(book: Workbook) -> str:
    """Quote the fullest of each sheet's first rows, which most likely holds the headers."""
    sentences = []
    for sheet in book.sheets:
        rows = [headers_in(sheet, row) for row in range(1, min(len(sheet.rows), HEADER_SEARCH_ROWS) + 1)]
        fullest = max(rows, key=len, default=())
        if fullest:
            row = rows.index(fullest) + 1
            quoted = in_words([f'"{one.text}"' for one in fullest[:HEADERS_QUOTED]])
            more = f" and {len(fullest) - HEADERS_QUOTED} more" if len(fullest) > HEADERS_QUOTED else ""
            sentences.append(f'sheet "{sheet.name}" has in row {row} {quoted}{more}')
    return "; ".join(sentences) or "it has no cells"
