"""The volume that follows for a dose while its form is filled in: of mL/kg and the latest weight, as recording it computes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lims.domain.dosing import dose_volume_ul, doubt_weight
from lims.domain.identifiers import as_scanned
from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, Animal, Enrolment, Regimen
from lims.queries.animals import animals_known
from lims.queries.blinding import may_unblind
from lims.queries.doses import latest_weight, weights_until
from lims.queries.treatment import regimens_where
from lims.views.support import current_project, current_session, needs, whole_number

pages = Blueprint("dose_volume", __name__, url_prefix="/p/<project_code>/doses")


@pages.get("/volume")
@needs("dose:create")
def volume() -> ResponseReturnValue:
    """Say which volume follows for `?animal=M7&agent=TUC&on=2026-03-02`; nothing where none does."""
    animal = next(iter(animals_known(current_session(), current_project().id, as_scanned(_asked("animal"))).values()), None)
    try:
        on = date.fromisoformat(_asked("on"))
    except ValueError:
        on = None
    rates = {one.volume_ml_kg for one in _regimens(animal)} if animal is not None else set()
    if animal is None or on is None or len(rates) != 1 or None in rates:
        return "", HTTPStatus.NO_CONTENT
    return _told(animal, on, rates.pop() or 0), {"Content-Type": "text/plain; charset=utf-8"}


def _asked(name: str) -> str:
    return request.args.get(name, "").strip()


def _regimens(animal: Animal) -> Sequence[Regimen]:
    """Give the regimens that a dose may be of: the one that is named, or those of the agent in the arms that the animal is in.

    Of an arm that is hidden from who asks there is none.
    """
    arms = select(Enrolment.arm_id).where(Enrolment.animal_id == animal.id, Enrolment.status == RecordStatus.ACTIVE)
    own = Regimen.project_id == current_project().id, Regimen.arm_id.in_(arms)
    agents = select(Agent.id).where(Agent.project_id == current_project().id, Agent.code == _asked("agent"))
    named = Regimen.id == whole_number(_asked("regimen")) if _asked("regimen") else Regimen.agent_id.in_(agents)
    return regimens_where(current_session(), *own, named, unblinded=may_unblind(current_project().role))


def _told(animal: Animal, on: date, ml_kg: float) -> str:
    weighed = latest_weight(weights_until(current_session(), [animal.id], on).get(animal.id, ()), on)
    doubt = doubt_weight(weighed[0] if weighed else None, on)
    said = "" if doubt is None else f" {doubt.message}"
    if weighed is None:
        return said.strip()
    weighed_on, grams = weighed
    follows = f"{dose_volume_ul(ml_kg, grams):g} µL follows: {ml_kg:g} mL/kg"
    return f"{follows}, and {animal.code} weighed {grams:g} g on {weighed_on}.{said}"
