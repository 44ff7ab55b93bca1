"""Writes implants: which tissue went where in which animal, and what came of it."""

from __future__ import annotations

from lims.models import Implant, Specimen
from lims.records.nouns import Noun

IMPLANT: Noun[Implant] = Noun(
    "implant",
    Implant,
    fixed=frozenset({"animal_id", "aliquot_id"}),
    derived=frozenset({"donor_id", "passage"}),
    key=("animal_id", "label"),
    dependents=((Specimen, "source_implant_id"),),
)
