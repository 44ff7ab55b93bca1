"""The kinds of measurement of the project that a page belongs to: asked once a request."""

from __future__ import annotations

from flask import g

from lims.domain.vocabulary import MeasurementKind
from lims.queries.kinds import kinds_of
from lims.views.support import current_project
from lims.views.transaction import current_session


def project_kinds() -> dict[str, MeasurementKind]:
    """Give the project's kinds by code, those that are not offered any more too: their readings are shown."""
    if "kinds" not in g:
        g.kinds = kinds_of(current_session(), current_project().id, withdrawn=True)
    kinds: dict[str, MeasurementKind] = g.kinds
    return kinds


def kind_choices() -> list[tuple[str, str]]:
    """Give the project's kinds as a filter offers them: code and title."""
    return [(code, kind.title) for code, kind in project_kinds().items()]
