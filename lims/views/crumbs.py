"""The crumb on the pages of the chain: patient → specimen → aliquot → implant → …, up to the record itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for

from lims.models import Aliquot, Animal, Implant, Patient, PdxModel, Specimen
from lims.queries.lineage import Step, chain_of, chains_of
from lims.views.addresses import page_of
from lims.views.support import current_session

OF_LINEAGES: dict[str, Any] = {str(one.__tablename__): one for one in (Patient, Specimen, Aliquot, Implant, PdxModel, Animal)}
"""What has a lineage, by table."""


@dataclass(frozen=True, slots=True)
class CrumbStep:
    """One step, with its page; the record itself has none."""

    word: str
    code: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Crumb:
    """The steps that lead to a record, and the page that draws all of its lineage."""

    steps: list[CrumbStep]
    lineage: str


def crumb_of(record: Any) -> Crumb | None:
    """Give the crumb of a record; None for what is no tissue, such as a cage. One statement."""
    if str(record.__tablename__) not in OF_LINEAGES:
        return None
    return _crumb(record, chain_of(current_session(), record))


def crumbs_of_animal(animal: Animal) -> list[Crumb]:
    """Give the crumb of each of an animal's tumours, whose last step is a link too. One statement."""
    chains = chains_of(current_session(), animal).values()
    return [_crumb(animal, chain, ends_here=False) for chain in chains]


def _crumb(record: Any, chain: list[Step], *, ends_here: bool = True) -> Crumb:
    own = len(chain) - 1 if ends_here else len(chain)
    steps = [CrumbStep(step.word, step.code, page_of(step.kind, step.id) if n != own else None) for n, step in enumerate(chain)]
    return Crumb(steps, url_for("lineage.show", entity=record.__tablename__, key=record.id))
