"""The form of a dosing list: what the session shares, and the inputs of each dose with what is said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from wtforms import SelectChoice, SelectField, StringField  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs

from lims.domain.cohort_terms import DoseState
from lims.domain.dosing import WEIGHT_HOLDS_DAYS, dose_volume_ul
from lims.domain.errors import DomainError, told
from lims.models import AgentLot
from lims.queries.doses import PlannedDose, Treated, latest_weight
from lims.queries.studies import ArmOfStudy
from lims.views.entry_cells import Cell
from lims.views.form_fields import IsoDateField, needed
from lims.views.record_forms import RecordForm, typed
from lims.views.regimens import dose_words

PARTS = {"state": "outcome", "volume": "volume given", "lot": "lot", "reason": "reason"}
_PART_OF = {"volume_ul": "volume", "lot_id": "lot", "reason": "reason"}
"""Which input a refused column belongs to; all others, to the outcome."""
STATES = tuple(state.value for state in DoseState)


class DosingForm(RecordForm):
    """What all doses of a session share."""

    once: ClassVar = frozenset()

    given_on = IsoDateField("Given on", [needed("The day is needed.")])
    operator = StringField("Given by")
    rest = SelectField(
        "Rows left blank",
        choices=[SelectChoice("", "Stay open"), SelectChoice("given", "Were given")],
        description="Mark what was held or missed, then let the others be recorded as given, with the computed volume.",
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What a person may read of an animal's regimen. key: of the input of its lot."""

    key: str
    arm: ArmOfStudy
    agent: str
    amount: str | None


def named_regimens(treated: Iterable[Treated], arms: Mapping[int, ArmOfStudy]) -> dict[tuple[int, int], Named]:
    """Name agent and dose of each animal's regimens; of a hidden arm by its code, and which of its agents it is.

    Ids of regimens tell the order in which arms were planned, and stand in no name.
    """
    of_animal: dict[int, dict[int, Treated]] = defaultdict(dict)
    for one in treated:
        of_animal[one.animal.id][one.regimen.id] = one
    found = {}
    for several in of_animal.values():
        for number, (_, one) in enumerate(sorted(several.items()), 1):
            arm = arms[one.animal.arm_id]
            if arm.hidden:
                agent = f"{arm.code} · {number}" if len(several) > 1 else arm.code
                named = Named(f"{arm.code}-{number}", arm, agent, None)
            else:
                named = Named(f"a{one.regimen.agent_id}", arm, one.regimen.agent.code, dose_words(one.regimen))
            found[one.animal.id, one.regimen.id] = named
    return found


@dataclass(slots=True)
class Entry:
    """One dose that is due: what is known of it, and its inputs."""

    planned: PlannedDose
    named: Named
    weight: tuple[date, float] | None
    cells: dict[str, Cell] = field(default_factory=dict)

    @property
    def computed(self) -> float | None:
        """Give the volume that follows from the weight."""
        return dose_volume_ul(self.planned.treated.regimen.volume_ml_kg, self.weight[1] if self.weight else None)

    @property
    def old(self) -> bool:
        """Tell whether the weight is too old to follow."""
        return self.weight is not None and (self.planned.due_on - self.weight[0]).days > WEIGHT_HOLDS_DAYS

    @property
    def typed(self) -> bool:
        """Tell whether anything was typed."""
        return any(cell.text.strip() for cell in self.cells.values())

    @property
    def errors(self) -> bool:
        """Tell whether anything is refused."""
        return any(cell.errors for cell in self.cells.values())

    def take(self, refused: DomainError) -> None:
        """Place a refusal beside the input that it is about."""
        self.cells[_PART_OF.get(refused.field or "", "state")].errors.append(told(refused))

    def row(self, form: DosingForm, shared: Mapping[str, Cell], lots: Mapping[tuple[str, int], AgentLot]) -> dict[str, Any]:
        """Give the dose as a row of columns; what cannot be read is said beside its input."""
        regimen, state = self.planned.treated.regimen, self.cells["state"].text or form.rest.data
        row = {
            "animal_id": self.planned.treated.animal.id,
            "agent_id": regimen.agent_id,
            "regimen_id": regimen.id,
            "due_on": self.planned.due_on,
            "nth": self.planned.nth,
            "reason": self.cells["reason"].text.strip() or None,
            "operator": typed(form.operator),
        }
        if state not in STATES:
            self.cells["state"].errors.append("Was it given, held or missed?")
            return row
        self.cells["volume"].take_number()
        volume = self.cells["volume"].read
        row |= {"state": DoseState(state), "volume_ul": volume.value if volume else None}
        given = state == DoseState.GIVEN.value
        own = self.cells["lot"]
        scanned = own if own.text.strip() or not given else shared[self.named.key]
        return row | {"given_on": form.given_on.data if given else None, "lot_id": _lot(scanned, regimen.agent_id, lots)}


def _lot(cell: Cell, agent_id: int, lots: Mapping[tuple[str, int], AgentLot]) -> int | None:
    """Find the lot that was scanned: of this agent, or of another one, which the rules then refuse."""
    code = scanned_code(cell.text)
    if not code:
        return None
    found = lots.get((code, agent_id)) or next((lot for (other, _), lot in lots.items() if other == code), None)
    if found is None:
        said = f'There is no lot "{code}" in this project.'
        cell.errors += [] if said in cell.errors else [said]
    return found.id if found else None


def scanned_code(text: str) -> str:
    """Give what was scanned, without the comma that some scanners add."""
    return text.strip().rstrip(",;").strip()


def entries_of(
    planned: Sequence[PlannedDose],
    named: Mapping[tuple[int, int], Named],
    weights: Mapping[int, Sequence[tuple[date, float]]],
    sent: Mapping[str, str],
) -> list[Entry]:
    """Give the doses of a day with what was typed, those that are recorded already among them."""
    entries = []
    for one in planned:
        animal = one.treated.animal
        entry = Entry(one, named[animal.id, one.treated.regimen.id], latest_weight(weights.get(animal.id, ()), one.due_on))
        key = f"{animal.id}-{entry.named.key}-{one.nth}"
        for part, what in PARTS.items():
            name = f"{key}-{part}"
            entry.cells[part] = Cell(name, f"{animal.code}, {entry.named.agent}, {what}", part, sent.get(name, ""))
        entries.append(entry)
    return entries


def shared_lots(entries: Iterable[Entry], sent: Mapping[str, str]) -> dict[str, Cell]:
    """Give an input for the lot of each agent, or of what a hidden arm is given; a row may have its own."""
    cells: dict[str, Cell] = {}
    for entry in entries:
        name = f"lot-{entry.named.key}"
        cells.setdefault(entry.named.key, Cell(name, f"Lot of {entry.named.agent}", "lot", sent.get(name, "")))
    return cells
