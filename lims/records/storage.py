"""Writes where tissue is kept, and what happens to each aliquot."""

from __future__ import annotations

from lims.models import Aliquot, AliquotEvent, Implant, StoragePlace
from lims.records.nouns import Noun

PLACE: Noun[StoragePlace] = Noun("place", StoragePlace, dependents=((Aliquot, "place_id"), (StoragePlace, "parent_id")))
ALIQUOT: Noun[Aliquot] = Noun(
    "aliquot",
    Aliquot,
    fixed=frozenset({"specimen_id", "parent_id"}),
    dependents=((Implant, "aliquot_id"), (Aliquot, "parent_id")),
)
ALIQUOT_EVENT: Noun[AliquotEvent] = Noun("aliquot", AliquotEvent, fixed=frozenset({"aliquot_id", "kind"}), key=())
