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
from lims.views.tables import Cell, Column, Empty, Filter, Listing, day, one_of, search

LIVING = "living"
_TITLES = {"aliquot": "Aliquots", "pdx_model": "PDX models", "implant": "Implants", "specimen": "Specimens"}


@dataclass(frozen=True, slots=True)
class Reached:
    """One kind of what a withdrawal reaches, as a table of `macros/table.html`. living: animals that may be alive."""

    view: dict[str, Any]
    living: bool = False


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
            one_of("kind", "Kind", column.kind, [(kind, entity_word(kind)) for kind in KINDS]),
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

    return Filter("state", "State", "select", condition, [(LIVING, "animal that may live"), *options])


def _state(code: str | None) -> Cell:
    return {"text": code.replace("_", " "), "badge": code} if code else None


def reached(rows: Sequence[Row[Any]]) -> list[Reached]:
    """Part what a withdrawal reaches by kind, the animals that may be alive first; other kinds where there is any."""
    dead = AnimalStatus.DEAD.value
    animals = [row for row in rows if row.kind == "animal"]
    living = _view("Animals that may be alive", (row for row in animals if row.state != dead))
    gone = _view("Animals that are dead", (row for row in animals if row.state == dead))
    others = [_view(title, (row for row in rows if row.kind == kind)) for kind, title in _TITLES.items()]
    return [Reached(living, living=True), *(Reached(view) for view in (*others, gone) if view["rows"])]


def _view(title: str, rows: Iterable[Row[Any]]) -> dict[str, Any]:
    columns = [
        {"key": "code", "label": "Code", "mono": True},
        {"key": "what", "label": "What"},
        {"key": "source", "label": "Made of", "mono": True},
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
    return {"caption": title, "columns": columns, "rows": told}
