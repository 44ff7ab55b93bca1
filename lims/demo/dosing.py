"""Records the demo's doses: as planned, but for those that were held or missed, and those that nobody has recorded yet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lims.demo.cohorts import Cohort, Mouse
from lims.demo.hands import Hands
from lims.demo.pharmacy import Pharmacy
from lims.demo.studies import Recorded
from lims.domain.cohort_terms import DoseState
from lims.models import Dose, Study
from lims.queries.doses import PlannedDose, dosing_of
from lims.records.doses import record_doses

HELD_FROM = 15.0
"""Percent of weight lost from which the veterinarian has a dose held."""
MISSED_DAY = 9
MISSED = "the cage was at the imaging suite until evening"
OPERATOR = "Tove Heron (demo)"


def add_doses(hands: Hands, recorded: Recorded, pharmacy: Pharmacy, today: date) -> list[Dose]:
    """Record every dose of a study up to yesterday, as one list; yesterday's of the last cage is overdue, today's are due."""
    cohort = recorded.cohort
    mice = {recorded.animals[mouse.code]: mouse for mouse in cohort.mice}
    last_cage, yesterday = max(mouse.cage for mouse in cohort.enrolled()), today - timedelta(days=1)
    with hands.database.transaction() as session:
        planned = dosing_of(session, session.get_one(Study, recorded.study), today).planned
        rows = [
            _row(one, cohort, mice[one.treated.animal.id], pharmacy)
            for one in planned
            if one.due_on < yesterday or (one.due_on == yesterday and mice[one.treated.animal.id].cage != last_cage)
        ]
        return record_doses(session, hands.actor, hands.project, rows)


def _row(one: PlannedDose, cohort: Cohort, mouse: Mouse, pharmacy: Pharmacy) -> dict[str, Any]:
    agent = one.treated.regimen.agent_id
    row = {
        "animal_id": one.treated.animal.id,
        "agent_id": agent,
        "regimen_id": one.treated.regimen.id,
        "due_on": one.due_on,
        "nth": one.nth,
        "operator": OPERATOR,
    }
    withheld = _withheld(cohort, mouse, (one.due_on - cohort.day_zero).days)
    if withheld is not None:
        return row | {"state": withheld[0], "reason": withheld[1]}
    return row | {"state": DoseState.GIVEN, "given_on": one.due_on, "lot_id": pharmacy.lot(agent, one.due_on).id}


def _withheld(cohort: Cohort, mouse: Mouse, day: int) -> tuple[DoseState, str] | None:
    """Say why a dose was not given, if it was not."""
    if mouse.lost(day) >= HELD_FROM:
        return DoseState.HELD, f"body weight {mouse.lost(day):.1f} % below baseline: held by the veterinarian"
    if day == MISSED_DAY and mouse.cage == next(one.cage for one in cohort.enrolled() if one.arm == "VEH"):
        return DoseState.MISSED, MISSED
    return None
