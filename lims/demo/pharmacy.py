"""Records what the demo's arms are given: agents with lots, and a regimen for each agent of an arm. Their numbers are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lims.demo.hands import Hands
from lims.domain.cohort_terms import DoseRoute, Known
from lims.domain.tissue_terms import AgentClass
from lims.models import AgentLot, Arm
from lims.records.treatment import AGENT, LOT, REGIMEN

VEHICLE, SECOND_VEHICLE, ANTIBODY, INHIBITOR, PI3K = "VEH-PO", "VEH-PAX", "TRAS", "TUC", "PAX"
WEEKDAYS, WEEKLY = "5on/2off x6", "QWx6"
MADE_UP = "Synthetic values for the demo; look nothing up here."

AGENTS: tuple[dict[str, Any], ...] = (
    {"code": VEHICLE, "name": "0.5 % methylcellulose", "agent_class": AgentClass.VEHICLE, "targets": []},
    {"code": SECOND_VEHICLE, "name": "vehicle of paxalisib", "agent_class": AgentClass.VEHICLE, "targets": []},
    {
        "code": ANTIBODY,
        "name": "trastuzumab",
        "agent_class": AgentClass.MONOCLONAL_ANTIBODY,
        "targets": ["ERBB2"],
        "pathway": "HER family",
        "molecular_weight": 145_532,
        "fraction_unbound_plasma": 1,
        "fraction_unbound_brain": 1,
        "abcb1_substrate": Known.NO,
        "abcg2_substrate": Known.NO,
    },
    {
        "code": INHIBITOR,
        "name": "tucatinib",
        "agent_class": AgentClass.TYROSINE_KINASE_INHIBITOR,
        "targets": ["ERBB2"],
        "pathway": "HER family",
        "molecular_weight": 480.5,
        "fraction_unbound_plasma": 0.029,
        "fraction_unbound_brain": 0.022,
        "abcb1_substrate": Known.YES,
        "abcg2_substrate": Known.YES,
    },
    {
        "code": PI3K,
        "name": "paxalisib",
        "agent_class": AgentClass.PI3K_AKT_MTOR_INHIBITOR,
        "targets": ["PIK3CA", "MTOR"],
        "pathway": "PI3K–AKT–mTOR",
        "molecular_weight": 382.4,
        "fraction_unbound_plasma": 0.3,
        "fraction_unbound_brain": 0.12,
        "abcb1_substrate": Known.NO,
        "abcg2_substrate": Known.NO,
    },
)

_GAVAGE = {"route": DoseRoute.ORAL_GAVAGE, "schedule": WEEKDAYS}
_GIVEN: dict[str, dict[str, Any]] = {
    VEHICLE: {**_GAVAGE, "volume_ml_kg": 10},
    SECOND_VEHICLE: {**_GAVAGE, "volume_ml_kg": 5},
    ANTIBODY: {"dose": 10, "route": DoseRoute.INTRAPERITONEAL, "volume_ml_kg": 10, "schedule": WEEKLY},
    INHIBITOR: {**_GAVAGE, "dose": 50, "volume_ml_kg": 10},
    PI3K: {**_GAVAGE, "dose": 10, "volume_ml_kg": 5},
}
OF_ARM = {"VEH": (VEHICLE,), "TRAS": (ANTIBODY,), "TUC": (INHIBITOR,), "TUC+PAX": (INHIBITOR, PI3K)}
"""What each arm is given, by its code."""


@dataclass(frozen=True, slots=True)
class Pharmacy:
    """The agents by code, and the lots of each by id of the agent, the older one first."""

    agents: Mapping[str, int]
    lots: Mapping[int, Sequence[AgentLot]]

    def lot(self, agent: int, on: date) -> AgentLot:
        """Give the lot that an agent was taken from on a day: the newest that was there."""
        return [lot for lot in self.lots[agent] if lot.received_on is not None and lot.received_on <= on][-1]


def stock(hands: Hands, today: date) -> Pharmacy:
    """Record the agents and two lots of each; the first ones have expired since."""
    agents = hands.record(AGENT, *({**one, "note": MADE_UP} for one in AGENTS))

    def delivered(code: str, number: int, received: int, expires: int) -> dict[str, Any]:
        dates = {"received_on": today - timedelta(days=received), "expires_on": today - timedelta(days=expires)}
        return {"code": f"{code}-{number}", "supplier": "synthetic", **dates}

    rows = [
        {"agent_id": agent.id, **delivered(agent.code, *batch)} for agent in agents for batch in ((2311, 120, 16), (2402, 40, -300))
    ]
    lots: dict[int, list[AgentLot]] = {agent.id: [] for agent in agents}
    for lot in hands.record(LOT, *rows):
        lots[lot.agent_id].append(lot)
    return Pharmacy({agent.code: agent.id for agent in agents}, lots)


def prescribe(hands: Hands, pharmacy: Pharmacy, arms: Sequence[Arm], *, masked: bool) -> None:
    """Record what each arm of a study is given; where treatment is masked, every animal is given as much as the combination's."""
    given = [
        (arm, code)
        for arm in arms
        for code in (OF_ARM[arm.code] + ((SECOND_VEHICLE,) if masked and len(OF_ARM[arm.code]) == 1 else ()))
    ]
    hands.record(REGIMEN, *({"arm_id": arm.id, "agent_id": pharmacy.agents[code], **_GIVEN[code]} for arm, code in given))
