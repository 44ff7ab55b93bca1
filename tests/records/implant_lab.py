"""A laboratory with tissue to implant and mice to implant it in, for the tests of implants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from lims.db import Database
from lims.domain.colony_terms import DepthReference, Hemisphere, StereotacticOrigin
from lims.domain.errors import DomainError
from lims.domain.tissue_terms import AmountUnit
from lims.domain.vocabulary import ImplantSite, SpecimenKind
from lims.models import Aliquot, AliquotEvent, Animal, Implant, Patient, PdxModel, Project, Specimen
from lims.records.implants import IMPLANT
from lims.records.nouns import doubts
from lims.records.surgery import TissueUsed, implant_animals, with_labels
from tests.support import factories
from tests.support.databases import kept

DAY = date(2026, 3, 2)
BRAIN: dict[str, Any] = {
    "site": ImplantSite.INTRACRANIAL,
    "hemisphere": Hemisphere.RIGHT,
    "ap_mm": 0.5,
    "ml_mm": 2,
    "dv_mm": 3,
    "coordinate_origin": StereotacticOrigin.BREGMA,
    "depth_reference": DepthReference.DURA,
    "implanted_on": DAY,
    "dwell_min": 2,
    "needle": "26 G",
    "anaesthetic": "isoflurane 2 %",
    "analgesic": "buprenorphine 0.1 mg/kg",
    "analgesia_hours": 8,
    "analgesia_doses": 3,
}
ELSEWHERE: dict[str, Any] = dict.fromkeys(
    ("ap_mm", "ml_mm", "dv_mm", "coordinate_origin", "depth_reference", "dwell_min", "needle", "hemisphere")
)
"""What a row of an operation on the skull says, and one elsewhere does not."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A patient with consent, the metastasis that BM-01 was founded from, one aliquot of it, and mice under a protocol."""

    project: Project
    patient: Patient
    specimen: Specimen
    model: PdxModel
    aliquot: Aliquot
    mice: list[Animal]

    def brains(self, count: int = 1, **columns: Any) -> list[dict[str, Any]]:
        """Give rows that implant so many mice intracranially."""
        return [{**BRAIN, "animal_id": mouse.id, "aliquot_id": self.aliquot.id, **columns} for mouse in self.mice[:count]]


@kept
def make_lab(database: Database) -> Lab:
    """Record them."""
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project, "BCBM-P01")
        factories.consent(session, patient)
        tissue = {"collected_on": date(2026, 1, 12), "site": "frontal lobe", "kind": SpecimenKind.TUMOUR}
        specimen = factories.specimen(session, patient, "SP-1", **tissue)
        model = factories.model(session, project, "BM-01", founding_specimen_id=specimen.id)
        amount = {"amount": 9.0, "unit": AmountUnit.FRAGMENTS, "preserved_on": date(2026, 1, 12)}
        aliquot = factories.aliquot(session, specimen, "AL-1", **amount)
        protocol = factories.protocol(session, project, "A-1")
        mice = [
            factories.animal(session, project, f"M{number}", protocol_id=protocol.id, arrived_on=date(2026, 2, 1))
            for number in range(1, 10)
        ]
    return Lab(project, patient, specimen, model, aliquot, mice)


def implant(database: Database, lab: Lab, rows: list[dict[str, Any]], **used: Any) -> list[Implant]:
    """Implant the rows, as a surgery list does."""
    with database.transaction() as session:
        return implant_animals(session, factories.actor(), lab.project.id, rows, used=TissueUsed(**used))


def refused(database: Database, lab: Lab, rows: list[dict[str, Any]], told: str, **used: Any) -> DomainError:
    """Give the refusal of the rows; nothing is recorded of them."""
    with pytest.raises(DomainError, match=told) as error:
        implant(database, lab, rows, **used)
    with database.reading() as session:
        assert session.query(Implant).count() == 0
        assert session.query(AliquotEvent).count() == 0
    return error.value


def doubted(database: Database, lab: Lab, rows: list[dict[str, Any]]) -> list[str]:
    """Give what a person is asked about the rows."""
    with database.reading() as session:
        return [one.message for one in doubts(session, IMPLANT, lab.project.id, with_labels(session, lab.project.id, rows))]
