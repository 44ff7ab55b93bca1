"""Records the demo's freezers: a site with one room, two freezers, racks and boxes."""

from __future__ import annotations

from lims.demo.hands import Hands
from lims.domain.tissue_terms import PlaceKind
from lims.models import StoragePlace
from lims.records.storage import PLACE

ROWS = COLUMNS = 9


class Freezers:
    """The places: a box a model for what is frozen alive, and one for what is snap-frozen."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        site = self._add("DEMO-SITE", PlaceKind.SITE, "Synthetic laboratory")
        room = self._add("R-014", PlaceKind.ROOM, "Freezer room", site)
        nitrogen = self._add("LN-1", PlaceKind.FREEZER, "Vapour-phase nitrogen", room, -150)
        cold = self._add("FZ-1", PlaceKind.FREEZER, "Ultra-low freezer", room, -80)
        self._rack = self._add("LN-1-R1", PlaceKind.RACK, "Viable tissue", nitrogen)
        self.snap = self._box("FZ-1-R1-B1", "Snap-frozen tissue", self._add("FZ-1-R1", PlaceKind.RACK, "Snap-frozen tissue", cold))
        self._alive: dict[str, StoragePlace] = {}

    def alive(self, model: str) -> StoragePlace:
        """Give the box of a model's viable tissue."""
        if model not in self._alive:
            self._alive[model] = self._box(f"LN-1-R1-B{len(self._alive) + 1}", f"{model}, viable tissue", self._rack)
        return self._alive[model]

    def _add(
        self, code: str, kind: PlaceKind, title: str, parent: StoragePlace | None = None, celsius: float | None = None
    ) -> StoragePlace:
        row = {"code": code, "kind": kind, "title": title, "parent_id": parent.id if parent else None}
        return self._place({**row, "temperature_celsius": celsius})

    def _box(self, code: str, title: str, parent: StoragePlace) -> StoragePlace:
        row = {"code": code, "kind": PlaceKind.BOX, "title": title, "parent_id": parent.id}
        return self._place({**row, "box_rows": ROWS, "box_columns": COLUMNS})

    def _place(self, row: dict[str, object]) -> StoragePlace:
        (place,) = self._hands.record(PLACE, row)
        assert isinstance(place, StoragePlace)  # noqa: S101  # narrows what any noun gives
        return place
