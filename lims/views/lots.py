"""The pages of lots: the list with what has expired, and one delivery or preparation of an agent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from flask import Blueprint, url_for
from wtforms import StringField, TextAreaField

from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, AgentLot
from lims.queries.treatment import given_of, lot_list
from lims.records.treatment import LOT
from lims.records.values import today
from lims.views.cells import badge
from lims.views.form_fields import CodeField, IsoDateField, NumberField, needed
from lims.views.listing import worded
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Column, Empty, Listing, choice, day, one_of, search


class LotForm(RecordForm):
    """One delivery or preparation of an agent."""

    groups = (
        Group("Lot", ("agent_id", "code", "supplier", "catalogue")),
        Group("Keeping", ("received_on", "expires_on", "concentration_mg_ml"), "No dose is given from a lot that has expired."),
        Group("Note", ("note",)),
    )
    once: ClassVar = frozenset({"agent_id", "code"})
    units: ClassVar = {"concentration_mg_ml": "mg/mL"}

    agent_id = CodeField("Agent", Agent, [needed("An agent is needed: type its short name.")])
    code = StringField(
        "Lot number", [needed("The lot number on the vial is needed.")], description="As on the vial: it is scanned at dosing."
    )
    supplier = StringField("Supplier")
    catalogue = StringField("Catalogue number")
    received_on = IsoDateField("Received or prepared on")
    expires_on = IsoDateField("Expires on", description="Its last day.")
    concentration_mg_ml = NumberField("Concentration", description="As it is given.")
    note = TextAreaField("Note", description="Such as formulation, storage, or what it was diluted from.")


STATES = (("usable", "usable"), ("expired", "expired"))


def _listing() -> tuple[Listing, Any]:
    rows = lot_list(current_project().id, today(current_session()))
    state = rows.selected_columns.state
    listing = Listing(
        noun="lot",
        caption="Lots",
        columns=(
            Column("code", "Lot", AgentLot.code, mono=True),
            Column("agent", "Agent", Agent.code, mono=True),
            Column("state", "State", state, show=state_cell),
            Column("expires_on", "Expires", AgentLot.expires_on),
            Column("received_on", "Received", AgentLot.received_on),
            Column("concentration", "Concentration", AgentLot.concentration_mg_ml, unit="mg/mL", align="end"),
            Column("supplier", "Supplier", AgentLot.supplier, roomy=True),
            Column("catalogue", "Catalogue", AgentLot.catalogue, roomy=True),
            Column("note", "Note", AgentLot.note, on_page=False),
            Column("status", "Record", AgentLot.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Lot or agent", AgentLot.code, Agent.code, AgentLot.supplier),
            one_of("state", "State", state, worded(STATES)),
            day("until", "Expires by", AgentLot.expires_on, until=True),
            choice("status", "Record", AgentLot.status, RecordStatus),
        ),
        sort="-expires_on",
        key=AgentLot.id,
        page="lots.show",
        empty=Empty("No lot yet. Record each delivery or preparation: it is scanned at dosing.", "Record a lot", "lots.new"),
    )
    return listing, rows


def state_cell(state: str) -> dict[str, str]:
    """Show whether a lot may be used."""
    return {"text": state, "badge": "expired" if state == "expired" else "available"}


def state_of(lot: AgentLot, now: date) -> str:
    """Say whether a lot may be used on a day; its last day counts."""
    return "expired" if lot.expires_on is not None and lot.expires_on < now else "usable"


def lots_table(lots: Sequence[AgentLot], now: date) -> dict[str, Any]:
    """Give the lots of an agent as a small table."""
    columns = [
        {"key": "code", "label": "Lot", "mono": True},
        {"key": "state", "label": "State"},
        {"key": "expires", "label": "Expires"},
        {"key": "concentration", "label": "Concentration", "unit": "mg/mL", "align": "end"},
        {"key": "supplier", "label": "Supplier"},
    ]
    rows = [
        {
            "_url": url_for("lots.show", record_id=lot.id),
            "code": lot.code,
            "state": state_cell(state_of(lot, now)),
            "expires": str(lot.expires_on or ""),
            "concentration": None if lot.concentration_mg_ml is None else f"{lot.concentration_mg_ml:g}",
            "supplier": lot.supplier,
        }
        for lot in lots
    ]
    return {"caption": "Lots", "columns": columns, "rows": rows}


def _context(lot: AgentLot) -> dict[str, Any]:
    session = current_session()
    return {"state": state_cell(state_of(lot, today(session))), "given": given_of(session, lot_id=lot.id)}


PAGES = RecordPages(
    pages=Blueprint("lots", __name__, url_prefix="/p/<project_code>/lots"),
    noun=LOT,
    form=LotForm,
    listing=_listing,
    template="lots/show.html",
    context=_context,
)
pages = install(PAGES)
