"""The flag on every record of the chain whose donor's consents do not allow xenografts today, and the filter by it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from lims.domain.consents import ConsentState
from lims.domain.errors import DomainError
from lims.models import Base
from lims.queries.derived import Donor, DonorConsent, donors_without_consent
from lims.queries.patients import consent_state_of
from lims.views.listing import worded
from lims.views.support import current_session
from lims.views.tables import Cell, Filter


@dataclass(frozen=True, slots=True)
class ConsentNotice:
    """Whose tissue a record is, or carries, although their consents do not allow xenografts: at least one patient."""

    donors: list[DonorConsent]


def consent_of(record: Base) -> ConsentNotice | None:
    """Give the notice for a patient, specimen, aliquot, model, implant or animal; None where all is well. One statement."""
    donors = donors_without_consent(current_session(), record)
    return ConsentNotice(donors) if donors else None


def consent_cell(state: str) -> Cell:
    """Show in a list what consents come to: a withdrawal is no quiet thing."""
    return {"text": state.replace("_", " "), "badge": "refused" if state == ConsentState.WITHDRAWN else state}


def consent_filter(donor: Donor) -> Filter:
    """Filter a list by what the consents of a record's donor come to today."""
    states = {str(state.value) for state in ConsentState}

    def condition(typed: str) -> ColumnElement[bool]:
        if typed not in states:
            raise DomainError(f"{typed!r} is no state of a consent.", expected=", ".join(sorted(states)))
        return consent_state_of(donor) == typed

    order = (ConsentState.GIVEN, ConsentState.WITHDRAWN, ConsentState.NOT_FOR_XENOGRAFT, ConsentState.NONE)
    return Filter("consent", "Consent", "select", condition, worded((one.value, one.value.replace("_", " ")) for one in order))
