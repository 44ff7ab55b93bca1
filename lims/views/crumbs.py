"""The crumb on the pages of the chain: patient → specimen → aliquot → implant → …, up to the record itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for

from lims.models import Aliquot, Animal, Implant, Patient, PdxModel, Specimen
from lims.queries.lineage import Step, chains_of
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
    """The chains that lead to a record, an animal's one for each tumour, and the page that draws all of its lineage."""

    chains: list[list[CrumbStep]]
    lineage: str


def crumb_of(record: Any) -> Crumb | None:
    """Give the crumb of a record; None for what is no tissue and bears none, such as a cage. One statement."""
    if str(record.__tablename__) not in OF_LINEAGES:
        return None
    chains = [_steps(chain, record) for chain in chains_of(current_session(), record).values()]
    return Crumb(chains, url_for("lineage.show", entity=record.__tablename__, key=record.id)) if chains else None


def _steps(chain: list[Step], record: Any) -> list[CrumbStep]:
    own = (record.__tablename__, record.id)
    return [CrumbStep(step.word, step.code, None if (step.kind, step.id) == own else page_of(step.kind, step.id)) for step in chain]
