"""Everything that was made of a patient's tissue, as a list, and as what a withdrawal of consent reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row

from lims.audit.words import entity_word
from lims.domain.colony_terms import Engraftment
from lims.domain.tissue_terms import AliquotState
from lims.domain.vocabulary import AnimalStatus, ModelStatus
from lims.models import Patient
from lims.queries.derived import KINDS, Donor, derived_from, may_live
from lims.queries.series import AnySelect
from lims.views.addresses import page_of
from lims.views.listing import worded
from lims.views.tables import Cell, Column, Empty, Filter, Listing, day, one_of, search

LIVING = "living"
_TITLES = {"pdx_model": "PDX models", "cell_preparation": "Cell preparations", "implant": "Implants", "specimen": "Specimens"}


@dataclass(frozen=True, slots=True)
class Reached:
    """Part of what a withdrawal reaches, as a table of `macros/table.html`. pressing: what somebody has to decide about."""

    view: dict[str, Any]
    pressing: bool = False


def derived_listing(patient: Patient) -> tuple[Listing, AnySelect]:
    """Give the list of everything that was made of a patient's tissue, and the statement behind it."""
    rows = derived_from(patient.id)
    column = rows.selected_columns
    listing = Listing(
        noun="patient",
        caption=f"Derived from {patient.code}",
        columns=(
            Column("code", "Code", column.code, mono=True),
            Column("kind", "Kind", column.kind, show=entity_word),
            Column("what", "What", column.what),
            Column("source", "Made of", column.source, mono=True),
            Column("state", "State", column.state, show=_state),
            Column("place", "Kept in", column.place, mono=True),
            Column("made_on", "Since", column.made_on),
        ),
        filters=(
            search("q", "Code", column.code),
            one_of("kind", "Kind", column.kind, worded((kind, entity_word(kind)) for kind in KINDS)),
            _state_filter(column.kind, column.state),
            day("since", "Since", column.made_on),
        ),
        sort="-kind",
        key=column.id,
        page=lambda row: page_of(row.kind, row.key) or "",
        empty=Empty("Nothing was made of this patient's tissue yet."),
    )
    return listing, rows


def _state_filter(kind: Donor, state: Donor) -> Filter:
    terms = [str(term.value) for terms in (AnimalStatus, AliquotState, ModelStatus, Engraftment) for term in terms]
    options = [(code, code.replace("_", " ")) for code in dict.fromkeys(terms)]
    plain = one_of("state", "State", state, options)

    def condition(typed: str) -> ColumnElement[bool]:
        return may_live(kind, state) if typed == LIVING else plain.condition(typed)

    return Filter("state", "State", "select", condition, worded([(LIVING, "animal that may live"), *options]))


def _state(code: str | None) -> Cell:
    return {"text": code.replace("_", " "), "badge": code} if code else None


def reached(rows: Sequence[Row[Any]]) -> list[Reached]:
    """Part what a withdrawal reaches: animals that may be alive, aliquots that are kept, then the rest where there is any."""
    dead, kept = AnimalStatus.DEAD.value, AliquotState.AVAILABLE.value
    animals, aliquots = ([row for row in rows if row.kind == kind] for kind in ("animal", "aliquot"))
    mice = {"what": "Strain", "source": "Tumours"}
    living = _view("Animals that may be alive", (row for row in animals if row.state != dead), **mice)
    frozen = _view("Aliquots that are kept", (row for row in aliquots if row.state == kept))
    others = [
        *(_view(title, (row for row in rows if row.kind == kind)) for kind, title in _TITLES.items()),
        _view("Animals that are dead", (row for row in animals if row.state == dead), **mice),
        _view("Aliquots used up, shipped or discarded", (row for row in aliquots if row.state != kept)),
    ]
    parts = [Reached(frozen, pressing=True), *(Reached(view) for view in others)]
    return [Reached(living, pressing=True), *(part for part in parts if part.view["rows"])]


def _view(title: str, rows: Iterable[Row[Any]], *, what: str = "What", source: str = "Made of") -> dict[str, Any]:
    columns: list[dict[str, Any]] = [
        {"key": "code", "label": "Code", "mono": True},
        {"key": "what", "label": what},
        {"key": "source", "label": source, "mono": True},
        {"key": "state", "label": "State"},
        {"key": "place", "label": "Kept in", "mono": True},
        {"key": "made_on", "label": "Since"},
    ]
    told = [
        {
            "code": row.code,
            "what": row.what,
            "source": row.source,
            "state": _state(row.state),
            "place": row.place,
            "made_on": str(row.made_on) if row.made_on else None,
            "_url": page_of(row.kind, row.id),
        }
        for row in rows
    ]
    filled = [column for column in columns if any(row[column["key"]] for row in told)]
    return {"caption": title, "columns": filled, "rows": told}
