"""Records how much of each agent arrived where, at the necropsies of the finished studies. All numbers are made up.

The antibody hardly gets past the blood-brain barrier; both inhibitors do. What lies below the limit of quantification is
recorded as such.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from lims.demo.cohorts import Mouse
from lims.demo.hands import Hands
from lims.demo.pharmacy import ANTIBODY, INHIBITOR, PI3K, Pharmacy
from lims.demo.studies import Recorded
from lims.domain.cohort_terms import DoseState, ExposureMatrix, FateReason, ProcedureKind
from lims.domain.exposure import unit_for
from lims.models import Dose
from lims.records.exposures import EXPOSURE
from lims.records.procedures import PROCEDURE

Matrix = ExposureMatrix
SAMPLED = 4
"""Animals of each arm."""
TERMINAL_BLOOD_UL = 500
OF_LESION = frozenset({Matrix.LESION_CORE, Matrix.LESION_RIM, Matrix.ADJACENT_BRAIN, Matrix.EXTRACRANIAL_TUMOUR})
_HOURS_OF_DAY = 24


@dataclass(frozen=True, slots=True)
class _Kinetics:
    """Plasma (ng/mL) a day after a dose, its half-life in hours, the limit of quantification, and Kp of each matrix."""

    plasma: float
    half_life: float
    lloq: float
    method: str
    kp: Mapping[ExposureMatrix, float]


_KINETICS = {
    ANTIBODY: _Kinetics(
        90_000,
        200,
        100,
        "ELISA",
        {
            Matrix.LESION_CORE: 0.018,
            Matrix.LESION_RIM: 0.005,
            Matrix.ADJACENT_BRAIN: 0.002,
            Matrix.CONTRALATERAL_BRAIN: 0.0008,
            Matrix.CSF: 0.0005,
            Matrix.EXTRACRANIAL_TUMOUR: 0.38,
        },
    ),
    INHIBITOR: _Kinetics(
        140,
        20,
        1,
        "LC-MS/MS",
        {
            Matrix.LESION_CORE: 1.1,
            Matrix.LESION_RIM: 0.92,
            Matrix.ADJACENT_BRAIN: 0.64,
            Matrix.CONTRALATERAL_BRAIN: 0.48,
            Matrix.CSF: 0.02,
            Matrix.EXTRACRANIAL_TUMOUR: 1.6,
        },
    ),
    PI3K: _Kinetics(
        60,
        20,
        1,
        "LC-MS/MS",
        {
            Matrix.LESION_CORE: 2.0,
            Matrix.LESION_RIM: 1.9,
            Matrix.ADJACENT_BRAIN: 1.7,
            Matrix.CONTRALATERAL_BRAIN: 1.6,
            Matrix.CSF: 0.22,
            Matrix.EXTRACRANIAL_TUMOUR: 1.8,
        },
    ),
}


def add_exposures(hands: Hands, recorded: Recorded, pharmacy: Pharmacy, doses: Sequence[Dose]) -> None:
    """Record terminal blood draws, and the concentrations that the assay found in what was taken then."""
    plan, random = recorded.cohort.plan, Random(f"exposure of {recorded.cohort.plan.code}")  # noqa: S311  # made up
    sampled = [
        mouse
        for arm in plan.arms
        for mouse in [one for one in recorded.cohort.enrolled() if one.arm == arm.code and one.fate is not FateReason.TECHNICAL][
            :SAMPLED
        ]
    ]
    last: dict[tuple[int, int], date] = {}
    for dose in doses:
        if dose.state is DoseState.GIVEN and dose.given_on is not None:
            key = dose.animal_id, dose.agent_id
            last[key] = max(dose.given_on, last.get(key, dose.given_on))
    draw = {"kind": ProcedureKind.BLOOD_DRAW, "volume_ul": TERMINAL_BLOOD_UL, "note": "terminal"}
    hands.record(PROCEDURE, *({"animal_id": recorded.animals[one.code], "done_on": _end(recorded, one), **draw} for one in sampled))
    agents = {pharmacy.agents[code]: code for code in _KINETICS}
    rows = [
        row
        for mouse in sampled
        for agent, code in agents.items()
        if (recorded.animals[mouse.code], agent) in last
        for row in _samples(random, recorded, mouse, (agent, code), last[recorded.animals[mouse.code], agent])
    ]
    hands.record(EXPOSURE, *rows)


def _end(recorded: Recorded, mouse: Mouse) -> date:
    return recorded.cohort.on(recorded.cohort.plan.last_day + 1 if mouse.died is None else mouse.died)


def _samples(random: Random, recorded: Recorded, mouse: Mouse, agent: tuple[int, str], dosed: date) -> Iterator[dict[str, Any]]:
    known, on = _KINETICS[agent[1]], _end(recorded, mouse)
    hours = _HOURS_OF_DAY * (on - dosed).days
    plasma = known.plasma * math.exp(random.gauss(0, 0.2) - math.log(2) * max(hours - _HOURS_OF_DAY, 0) / known.half_life)
    brain = recorded.cohort.plan.brain
    matrices = [one for one in known.kp if brain is (one is not Matrix.EXTRACRANIAL_TUMOUR) or one is Matrix.CONTRALATERAL_BRAIN]
    for matrix in (Matrix.PLASMA, *matrices):
        amount = plasma if matrix is Matrix.PLASMA else plasma * known.kp[matrix] * math.exp(random.gauss(0, 0.15))
        below = amount < known.lloq
        yield {
            "animal_id": recorded.animals[mouse.code],
            "implant_id": recorded.tumours[mouse.code] if matrix in OF_LESION else None,
            "agent_id": agent[0],
            "matrix": matrix,
            "concentration": None if below else float(f"{amount:.3g}"),
            "unit": unit_for(matrix, molar=False),
            "below_lloq": below,
            "lloq": known.lloq,
            "collected_on": on,
            "hours_after_dose": hours,
            "method": known.method,
            "note": "synthetic",
        }
