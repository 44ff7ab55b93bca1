"""Records what the demo's people measure and do by hand: scores, a kind of their own, imaging, and answers to endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from lims.demo.cohorts import Cohort, Mouse
from lims.demo.desk import DemoIncomplete
from lims.demo.hands import Hands
from lims.demo.studies import Recorded
from lims.domain.cohort_terms import EndpointLevel, EndpointMeasure, ProcedureKind
from lims.domain.vocabulary import Subject
from lims.models import AnimalProtocol, EndpointAction
from lims.queries.welfare import open_actions
from lims.records.actions import defer
from lims.records.endpoints import use_usual_rules
from lims.records.kinds import KIND
from lims.records.procedures import PROCEDURE
from lims.records.readings import NewReading, record_readings

ROTAROD: dict[str, Any] = {
    "code": "rotarod_latency",
    "title": "Rotarod, latency to fall",
    "unit": "s",
    "subject": Subject.ANIMAL,
    "hard_min": 0,
    "hard_max": 600,
    "soft_min": 5,
    "soft_max": 300,
    "decimals": 0,
    "note": "4 to 40 rpm in 300 s; best of three runs",
}
ROTAROD_DAYS = (0, 7, 14)
SCAN_DAY = 14
SCANNED = 3
"""Animals of each arm that are scanned by MRI."""
TECHNICIAN = "Tove Heron (demo)"


def prepare(hands: Hands, protocol: AnimalProtocol) -> None:
    """Record the protocol's humane endpoints, and the laboratory's own kind of measurement."""
    with hands.database.transaction() as session:
        use_usual_rules(session, hands.actor, session.get_one(AnimalProtocol, protocol.id))
    hands.record(KIND, ROTAROD)


def add_scores(hands: Hands, recorded: Recorded) -> None:
    """Record the neurological scores of a cohort in the brain, at every second weighing and when the animal is ill."""
    cohort = recorded.cohort
    days = set(cohort.plan.weighings()[::2])
    _record(
        hands,
        recorded,
        (
            (mouse, "neurological_score", day, score)
            for mouse in cohort.enrolled()
            for day, score in mouse.scores.items()
            if day in days or score > 1
        ),
    )


def add_rotarod(hands: Hands, recorded: Recorded) -> None:
    """Record the running study's rotarod: the weaker the animal, the sooner it falls."""
    _record(
        hands,
        recorded,
        (
            (mouse, ROTAROD["code"], day, round(180 + 7 * (number % 5) - 6 * max(mouse.lost(day), 0)))
            for number, mouse in enumerate(recorded.cohort.enrolled())
            for day in ROTAROD_DAYS
            if mouse.alive(day)
        ),
    )


def _record(hands: Hands, recorded: Recorded, values: Iterable[tuple[Mouse, str, int, float]]) -> None:
    readings = [
        NewReading(recorded.animals[mouse.code], kind, recorded.cohort.on(day), value, operator=TECHNICIAN, study_id=recorded.study)
        for mouse, kind, day, value in values
    ]
    with hands.database.transaction() as session:
        record_readings(session, hands.actor, hands.project, readings)


def add_scans(hands: Hands, recorded: Recorded) -> None:
    """Record an MRI of some animals of each arm: how large the lesion is, and how leaky its barrier."""
    cohort, on = recorded.cohort, recorded.cohort.on(SCAN_DAY)
    mice = [mouse for arm in cohort.plan.arms for mouse in cohort.enrolled() if mouse.arm == arm.code][
        :: cohort.plan.arms[0].n // SCANNED
    ]
    same = {"kind": ProcedureKind.MRI, "done_on": on, "device": "7 T", "anaesthetic": "isoflurane 2 %", "operator": TECHNICIAN}
    hands.record(PROCEDURE, *({"animal_id": recorded.animals[mouse.code], **same} for mouse in mice))
    readings = [
        NewReading(
            recorded.animals[mouse.code],
            kind,
            on,
            value,
            implant_id=recorded.tumours[mouse.code],
            device="7 T",
            study_id=recorded.study,
        )
        for number, mouse in enumerate(mice)
        for kind, value in (
            ("mri_volume", round(mouse.flux[SCAN_DAY] * 4e-7, 2)),
            ("contrast_enhancement", round(1.35 + 0.07 * (number % 6), 2)),
        )
    ]
    with hands.database.transaction() as session:
        record_readings(session, hands.actor, hands.project, readings)


def add_imaging(hands: Hands, recorded: Recorded) -> None:
    """Record the imaging sessions of a cohort as what was done to its animals."""
    cohort: Cohort = recorded.cohort
    same = {"kind": ProcedureKind.BIOLUMINESCENCE, "device": "IVIS", "anaesthetic": "isoflurane 2 %", "operator": TECHNICIAN}
    sessions = [(mouse, day) for day in cohort.plan.sessions() for mouse in cohort.enrolled() if day in mouse.flux]
    rows = ({"animal_id": recorded.animals[mouse.code], "done_on": cohort.on(day), **same} for mouse, day in sessions)
    hands.record(PROCEDURE, *rows)


def defer_a_watch(hands: Hands, recorded: Recorded, today: date) -> None:
    """Defer what asks for one animal of the running study to be watched; everything else waits on the first page.

    Raises:
        DemoIncomplete: no animal is to be watched, or none has to be acted for.
    """
    with hands.database.transaction() as session:
        lines = open_actions(session, hands.project, study_id=recorded.study)
        watches = [one for one in lines if (one.measure, one.level) == (EndpointMeasure.WEIGHT_LOSS, EndpointLevel.WATCH)]
        if not watches or all(one.level is EndpointLevel.WATCH for one in lines):
            raise DemoIncomplete("The running study has no open action of each level.")
        action = session.get_one(EndpointAction, watches[0].id)
        reason = "eats and walks as usual; wet food given, weighed again tomorrow"
        defer(session, hands.actor, action, version=action.version, until=today + timedelta(days=1), reason=reason)
