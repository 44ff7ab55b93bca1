"""The pages of animal protocols: the list with what is used of each, and one protocol with its animals."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from wtforms import StringField, TextAreaField

from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.protocols import ProtocolState, procedure_words, protocol_state
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, AnimalProtocol
from lims.queries.animals import animal_list
from lims.queries.colony import protocol_list, used_of
from lims.records.colony import PROTOCOL
from lims.records.values import today
from lims.views.animal_columns import animal_columns
from lims.views.cells import badge
from lims.views.filters import sentence
from lims.views.form_fields import IsoDateField, TermsField, WholeNumberField, needed
from lims.views.listing import worded
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Cell, Column, Empty, Listing, choice, one_of, search, table_from_query


class ProtocolForm(RecordForm):
    """What an ethics committee allowed."""

    groups = (
        Group("Approval", ("code", "title", "approved_on", "expires_on"), "As on the committee's letter (ARRIVE 2.0, item 14)."),
        Group("Animals", ("animals_allowed",), "Animals that would be one too many are refused when they arrive."),
        Group("Procedures", ("procedures",), "A procedure that is not ticked is refused on its animals (Directive 2010/63/EU)."),
        Group("Note", ("note",)),
    )
    code = StringField("Number", [needed("The committee's own number is needed.")], description="The committee's own.")
    title = StringField("Title", [needed("A title is needed.")])
    approved_on = IsoDateField("Approved on")
    expires_on = IsoDateField("Holds until", [needed("The last day on which it holds is needed.")])
    animals_allowed = WholeNumberField("Animals allowed", [needed("How many animals it allows is needed.")])
    procedures = TermsField("Procedures allowed", ProtocolProcedure, words=procedure_words)
    note = TextAreaField("Note")


def _used(row: Any) -> Cell:
    return {"text": f"{row.used} of {row.allowed}", "part": (row.used, row.allowed)}


def _listing() -> tuple[Listing, Any]:
    rows = protocol_list(current_project().id, today(current_session()))
    column = rows.selected_columns
    listing = Listing(
        noun="protocol",
        caption="Animal protocols",
        columns=(
            Column("code", "Protocol", column.code, mono=True),
            Column("title", "Title", column.title),
            Column("state", "State", column.state, show=lambda state: badge(ProtocolState(state))),
            Column("approved_on", "Approved", column.approved_on),
            Column("expires_on", "Holds until", column.expires_on),
            Column("used", "Animals used", column.used, show=_used, of_row=True),
            Column("allowed", "Animals allowed", column.allowed, on_page=False),
            Column("status", "Record", AnimalProtocol.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Number or title", AnimalProtocol.code, AnimalProtocol.title),
            one_of("state", "State", column.state, worded((one.value, one.value.replace("_", " ")) for one in ProtocolState)),
            choice("status", "Record", AnimalProtocol.status, RecordStatus),
        ),
        sort="code",
        key=AnimalProtocol.id,
        page="protocols.show",
        empty=Empty(
            "No animal protocol yet. Record the committee's approval first: animals arrive under it.",
            "Record an animal protocol",
            "protocols.new",
        ),
    )
    return listing, rows


def _animals(protocol: AnimalProtocol) -> tuple[Listing, Any]:
    every = animal_list(protocol.project_id, unblinded=False)  # arms are not shown here
    rows = every.where(Animal.protocol_id == protocol.id, Animal.status == RecordStatus.ACTIVE)
    listing = Listing(
        noun="animal",
        caption=f"Animals under {protocol.code}",
        columns=animal_columns(every, "code", "sex", "arrived_on", "cage", "state"),
        sort="code",
        key=Animal.id,
        page="animals.show",
    )
    return listing, rows


def _context(protocol: AnimalProtocol) -> dict[str, Any]:
    session = current_session()
    now = today(session)
    state = protocol_state(protocol.expires_on, protocol.approved_on, now)
    return {
        "state": state,
        "days": (protocol.expires_on - now).days,
        "used": used_of(session, protocol.id),
        "procedures": [sentence(procedure_words(one)) for one in ProtocolProcedure if one.value in protocol.procedures],
        "view": table_from_query(session, *_animals(protocol)),
    }


PAGES = RecordPages(
    pages=Blueprint("protocols", __name__, url_prefix="/p/<project_code>/protocols"),
    noun=PROTOCOL,
    form=ProtocolForm,
    listing=_listing,
    template="protocols/show.html",
    context=_context,
)
pages = install(PAGES)
