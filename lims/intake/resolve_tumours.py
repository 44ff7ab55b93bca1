"""Finds the tumours that a file measures, and the models that they are of; what is not there is planned, or said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from importers.base import Reading
from lims.domain.implanting import ONLY_TUMOUR
from lims.domain.vocabulary import MeasurementKind, RecordStatus, Subject
from lims.intake.names import TumourKey
from lims.intake.resolving import Resolving
from lims.models import Implant, PdxModel
from lims.queries.chunks import in_chunks


class TumourResolver:
    """Resolves tumours by animal and label, once the animals are known."""

    def __init__(self, of: Resolving) -> None:
        self.of = of
        self.planned: dict[tuple[int, str], int] = {}

    def resolve(self) -> None:
        """Fill in tumours and models."""
        needed = _needed_tumours(self.of.reading, self.of.names.hosts, self.of.kinds)
        known: dict[int, dict[str, int]] = defaultdict(dict)
        rows = in_chunks(
            self.of.session,
            list(self.of.labels_by_id()),
            lambda some: select(Implant.animal_id, Implant.label, Implant.id).where(
                Implant.animal_id.in_(some), Implant.status == RecordStatus.ACTIVE
            ),
        )
        for animal_id, tumour, key in rows:
            known[animal_id][tumour] = key
        for label, tumour in needed:
            self._tumour(label, tumour, known[self.of.names.hosts[label].id])
        self._models()

    def _tumour(self, label: str, tumour: str | None, known: Mapping[str, int]) -> None:
        if tumour is None and len(known) == 1:
            (only,) = known
            self.of.names.tumours[label, None] = (known[only], only)
        elif tumour is not None and tumour in known:
            self.of.names.tumours[label, tumour] = (known[tumour], tumour)
        elif (tumour is None and known) or (known and "animals" not in self.of.allowed):
            self.of.find(
                "tumour-unknown",
                f'Animal "{label}" has the tumours {", ".join(sorted(known))}; this file '
                + ("does not say which one it measures." if tumour is None else f'measures "{tumour}".'),
                self.of.facts[label],
                tumour=(label, tumour),
                value=tumour or "",
                expected=" or ".join(sorted(known)),
                remedy="Add a tumour column that says which one.",
            )
        elif self.of.names.hosts[label].id < 0 or "animals" in self.of.allowed:
            self._plan_tumour(label, tumour)
        else:
            self.of.find(
                "tumour-unknown",
                f'No tumour is recorded in animal "{label}".',
                self.of.facts[label],
                tumour=(label, tumour),
                expected="an implant, to which the volume belongs",
                remedy="Record the implant, or let the import create what this file names.",
                option="--create animals",
            )

    def _plan_tumour(self, label: str, tumour: str | None) -> None:
        facts, name = self.of.facts[label], tumour or ONLY_TUMOUR
        if not (self.of.usable(name, "tumour label", facts) and self.of.usable(facts.model, "model code", facts)):
            return
        key = (self.of.names.hosts[label].id, name)
        if key not in self.planned:
            self.of.names.new_tumours.append((label, name, facts.model))
            self.planned[key] = -len(self.of.names.new_tumours)
        self.of.names.tumours[label, tumour] = (self.planned[key], name)

    def _models(self) -> None:
        named = {model for _, _, model in self.of.names.new_tumours if model}
        known = set(
            self.of.session.scalars(
                select(PdxModel.code).where(
                    PdxModel.project_id == self.of.project_id, PdxModel.code.in_(named), PdxModel.status == RecordStatus.ACTIVE
                )
            )
        )
        self.of.names.new_models.extend(sorted(named - known))


def _needed_tumours(reading: Reading, hosts: Iterable[str], kinds: Mapping[str, MeasurementKind]) -> list[TumourKey]:
    """Give each (animal, tumour label) that a reading of a tumour names, once, in the order of the file."""
    known = set(hosts)
    needed: dict[TumourKey, None] = {}
    for series in reading.series:
        if kinds[series.kind].subject is Subject.IMPLANT:
            tumours = series.tumours or [None] * len(series)
            needed.update(dict.fromkeys(zip(series.animals, tumours, strict=True)))
    return [key for key in needed if key[0] in known]
