"""What a report says of the events of a file: doses by compound, fates and cages, each with what becomes of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lims.domain.vocabulary import RowFate
from lims.intake.plan import Plan

FATES_SHOWN = 200
"""Fates listed one by one; of more, the counts say how many."""


def event_counts(plan: Plan) -> dict[str, dict[str, int]]:
    """Give noun → fate → number of entries."""
    nouns = {"dose": plan.doses, "fate": plan.deaths, "cage": plan.stays}
    counts = {
        noun: Counter(entries.fate(index).value for index in range(len(entries))) for noun, entries in nouns.items() if entries
    }
    return {noun: dict(of_noun) for noun, of_noun in counts.items()}


def event_digest(plan: Plan) -> list[Any]:
    """Give what would be recorded of events, to be hashed."""
    doses, deaths, stays = plan.doses, plan.deaths, plan.stays
    agents = sorted((compound, agent.id) for compound, agent in plan.names.agents.items())
    return [
        doses and [agents, doses.source, sorted(doses.fates.items()), sorted(doses.nth.items()), sorted(doses.recorded.items())],
        deaths and [deaths.source, deaths.reasons, sorted(deaths.fates.items()), sorted(deaths.recorded.items())],
        stays and [stays.source, sorted(stays.fates.items()), stays.settled, stays.moves],
    ]


def doses_by_compound(plan: Plan) -> list[dict[str, Any]]:
    """Give each compound as the file names it: its agent, its doses and animals, from when to when, and what becomes of them."""
    doses = plan.doses
    if doses is None:
        return []
    created = {one.code for one in plan.names.new_agents}
    found: dict[str, dict[str, Any]] = {}
    animals: dict[str, set[str]] = {}
    for index, compound in enumerate(doses.source.compounds):
        agent = doses.agents[index]
        told = found.setdefault(
            compound,
            {
                "compound": compound,
                "agent": agent.code if agent else None,
                "new_agent": agent is not None and agent.code in created,
                "doses": 0,
                "first": str(doses.taken_on[index]),
                "last": str(doses.taken_on[index]),
                "fates": Counter(),
            },
        )
        told["doses"] += 1
        told["first"], told["last"] = min(told["first"], on := str(doses.taken_on[index])), max(told["last"], on)
        told["fates"][doses.fate(index).value] += 1
        animals.setdefault(compound, set()).add(doses.source.animals[index])
    return [told | {"animals": len(animals[compound]), "fates": dict(told["fates"])} for compound, told in found.items()]


def fates_told(plan: Plan) -> list[dict[str, Any]]:
    """Give each death: animal, day, the file's words, what was understood, and what becomes of it."""
    deaths = plan.deaths
    if deaths is None:
        return []
    source = deaths.source
    return [
        {
            "animal": source.animals[index],
            "on": str(source.when[index]),
            "words": source.reasons[index],
            "reason": deaths.reasons[index].value,
            "remark": source.remarks[index],
            "row": source.rows[index],
            "fate": deaths.fate(index).value,
        }
        for index in range(min(len(deaths), FATES_SHOWN))
    ]


def cages_told(plan: Plan) -> list[dict[str, Any]]:
    """Give each cage: whether it is new, how many of the file's animals it names, and how many come to it by a move."""
    stays = plan.stays
    if stays is None:
        return []
    animals: dict[str, set[str]] = {}
    for animal, cage in zip(stays.source.animals, stays.source.cages, strict=True):
        animals.setdefault(cage, set()).add(animal)
    moved = Counter(stays.source.cages[index] for index in stays.moves if stays.fate(index) is RowFate.NEW)
    new = set(plan.names.new_cages)
    return [
        {"cage": cage, "new": cage in new, "animals": len(inside), "moves": moved[cage]} for cage, inside in sorted(animals.items())
    ]
