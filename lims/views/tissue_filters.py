"""Filters that lists of tissue share: by the model that it belongs to, and by its passage."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from lims.domain.errors import DomainError
from lims.models import Specimen
from lims.queries.alterations import model_codes, of_model
from lims.views.listing import Filter
from lims.views.support import current_project, current_session

PATIENT = "patient"


def model_filter() -> Filter:
    """Filter tissue by a model: what it was founded on, and what was harvested from its implants."""
    models = [(str(key), code) for key, code in model_codes(current_session(), current_project().id)]

    def condition(typed: str) -> ColumnElement[bool]:
        return of_model(int(typed) if typed in dict(models) else 0)

    return Filter("model", "Model", "select", condition, models)


def passage_filter() -> Filter:
    """Filter tissue by the passage that it grew at; `patient` is the patient's own."""
    return Filter("passage", "Passage", "search", _of_passage)


def _of_passage(typed: str) -> ColumnElement[bool]:
    if typed.lower() == PATIENT:
        return Specimen.source_implant_id.is_(None)
    number = typed.lower().removeprefix("p")
    if not (number.isascii() and number.isdecimal() and len(number) < 4):
        raise DomainError(f'"{typed[:20]}" is no passage.', expected="P0 for the first mouse, P1, P2, or patient")
    return Specimen.passage == int(number)
