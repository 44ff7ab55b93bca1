"""The pages of consents; each is shown on its patient's page too. Withdrawing a record is not the patient's own withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from flask import Blueprint, url_for
from sqlalchemy import ColumnElement
from wtforms import BooleanField, StringField, TextAreaField

from lims.domain.consents import USES, in_force, last_withdrawal
from lims.domain.errors import DomainError
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, Patient
from lims.queries.patients import consents_of
from lims.queries.tissue_lists import CONSENT_STATES, IN_FORCE, consent_list, consent_state, permitted
from lims.records.consents import terms_of
from lims.records.patients import CONSENT
from lims.records.values import today
from lims.views.cells import badge
from lims.views.form_fields import CodeField, IsoDateField, needed
from lims.views.listing import worded
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Cell, Column, Empty, Filter, Listing, choice, day, one_of, search

USE_WORDS = {"research": "research", "xenograft": "xenografts", "commercial": "commercial use", "sharing": "sharing"}
"""Permitted uses as a page lists them."""


class ConsentForm(RecordForm):
    """What a patient signed."""

    groups = (
        Group("Signed form", ("patient_id", "protocol", "protocol_version", "given_on")),
        Group(
            "Permitted uses",
            USES,
            "As ticked on the signed form (MIABIS 2.0). Tissue is implanted only under a consent that permits xenografts.",
        ),
        Group(
            "The patient's own withdrawal",
            ("withdrawn_on",),
            "Only where the patient took the consent back. A consent recorded by mistake is another thing: withdraw its record.",
        ),
        Group("Note", ("note",)),
    )
    once: ClassVar = frozenset({"patient_id"})

    patient_id = CodeField("Patient", Patient, [needed("Name the patient who consented.")])
    protocol = StringField("Protocol", [needed("Name the protocol that was consented to.")], description="Of the biobank or study.")
    protocol_version = StringField("Version of the form", [needed("Give the version of the form that was signed.")])
    given_on = IsoDateField("Signed on", [needed("Give the day of the signature.")])
    research = BooleanField("Research")
    xenograft = BooleanField("Xenografts: implanting the tissue in animals")
    commercial = BooleanField("Commercial use")
    sharing = BooleanField("Sharing with other institutions")
    withdrawn_on = IsoDateField(
        "Patient withdrew the consent on",
        description="From that day on nothing new is made of the tissue. It ends every consent given before it.",
    )
    note = TextAreaField("Note", description="No name, date of birth or hospital number.")


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A consent as its patient's page lists it.

    state: a code of the badges, and the word for it. why and since: what made it so, and when.
    """

    consent: Consent
    uses: list[str]
    state: str
    word: str
    why: str = ""
    since: date | None = None


def consent_rows(consents: Sequence[Consent], on: date) -> list[ConsentRow]:
    """Say of each of a patient's consents whether it counts on a day, and why not."""
    terms = [terms_of(one) for one in consents if one.status is RecordStatus.ACTIVE]
    counting, ended = in_force(terms, on), last_withdrawal(terms, on)
    rows = []
    for consent in consents:
        uses = [USE_WORDS[use] for use in USES if getattr(consent, use)]
        if consent.status is RecordStatus.WITHDRAWN:
            rows.append(ConsentRow(consent, uses, "skipped", "record withdrawn"))
        elif consent.withdrawn_on is not None:
            rows.append(ConsentRow(consent, uses, "refused", "withdrawn", "by the patient on", consent.withdrawn_on))
        elif terms_of(consent) in counting:
            rows.append(ConsentRow(consent, uses, "given", "in force"))
        else:
            rows.append(ConsentRow(consent, uses, "refused", "ended", "by the withdrawal of", ended))
    return rows


def _listing() -> tuple[Listing, Any]:
    rows, state = consent_list(current_project().id), consent_state()
    listing = Listing(
        noun="consent",
        caption="Consents",
        columns=(
            Column("protocol", "Protocol", Consent.protocol, of_row=True, show=lambda row: f"{row.protocol} {row.version}"),
            Column("version", "Version of the form", Consent.protocol_version, on_page=False),
            Column("patient", "Patient", Patient.code, mono=True),
            Column("given_on", "Signed", Consent.given_on),
            Column("permits", "Permits", permitted(USE_WORDS)),
            Column("state", "State", state, show=_state_cell),
            Column("withdrawn_on", "Withdrawn", Consent.withdrawn_on),
            Column("note", "Note", Consent.note, on_page=False),
            Column("status", "Record", Consent.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Patient or protocol", Patient.code, Consent.protocol),
            one_of("state", "State", state, worded((one, one) for one in CONSENT_STATES)),
            Filter("use", "Permits", "select", _permitting, worded(USE_WORDS.items())),
            day("from", "Signed from", Consent.given_on),
            day("to", "To", Consent.given_on, until=True),
            choice("status", "Record", Consent.status, RecordStatus),
        ),
        sort="-given_on",
        key=Consent.id,
        page="consents.show",
        empty=Empty(
            "No consent yet. Tissue is implanted only under one that permits xenografts.", "Record a consent", "consents.new"
        ),
    )
    return listing, rows


def _state_cell(state: str) -> Cell:
    return {"text": state, "badge": "given" if state == IN_FORCE else "refused"}


def _permitting(typed: str) -> ColumnElement[bool]:
    if typed not in USE_WORDS:
        raise DomainError(f"{typed!r} is no use that a consent permits.", expected=", ".join(USE_WORDS))
    permits: ColumnElement[bool] = getattr(Consent, typed).is_(True)
    return permits


def _context(consent: Consent) -> dict[str, Any]:
    session = current_session()
    rows = consent_rows(consents_of(session, consent.patient_id), today(session))
    return {"row": next(row for row in rows if row.consent.id == consent.id)}


def _home(consent: Consent) -> str:
    return url_for("patients.show", record_id=consent.patient_id, _anchor="consents")


PAGES = RecordPages(
    pages=Blueprint("consents", __name__, url_prefix="/p/<project_code>/consents"),
    noun=CONSENT,
    form=ConsentForm,
    listing=_listing,
    template="consents/show.html",
    context=_context,
    home=_home,
    withdraw_template="patients/withdraw_record.html",
    lead="What the patient allowed, under which version of which form.",
)
pages = install(PAGES)
