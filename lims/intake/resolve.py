"""Turns the names in a file into this project's records: exactly, by a confirmed alias, or not at all.

What is not there is listed, and planned to be created only where a person said so (`create` among the batch's choices).
Planned records have negative ids until they exist.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import PurePath
from typing import Any

from sqlalchemy import Executable, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from importers.base import AnimalFacts, Clock, Finding, Reading, Severity
from importers.workbook import Workbook
from lims.domain.blinding import arm_word
from lims.domain.errors import DomainError
from lims.domain.identifiers import LONGEST, clean_identifier
from lims.domain.implanting import ONLY_TUMOUR
from lims.domain.studies import require_enrolling, require_room_in_arm
from lims.domain.vocabulary import MeasurementKind, RecordStatus, Subject
from lims.intake.names import LONGEST_NAME, Host, Names, Place, TumourKey
from lims.intake.resolve_events import EventResolver
from lims.models import Animal, AnimalAlias, Arm, Enrolment, Implant, ImportBatch, PdxModel, Study
from lims.queries.chunks import in_chunks

CREATABLE = ("animals", "arms", "study", "agents", "cages")
"""What a person may let a file create: `animals` with their cages and tumours, `arms` with the agents that they are given."""
UNASSIGNED = "unassigned"
"""The arm of animals that a file puts in a study without naming an arm."""


class Resolver:
    """Resolves one reading against one project."""

    def __init__(
        self, session: Session, batch: ImportBatch, book: Workbook, reading: Reading, kinds: Mapping[str, MeasurementKind]
    ) -> None:
        self.session = session
        self.batch = batch
        self.book = book
        self.reading = reading
        self.kinds = kinds
        self.project_id = batch.project_id
        self.allowed = {one.strip() for one in batch.choices.get("create", "").split(",")} & set(CREATABLE)
        self.facts = _all_facts(reading)
        self.animal_columns = {one.sheet: one.column for one in reversed(reading.columns) if one.role == "animal"}
        self.names = Names()
        self.planned_tumours: dict[tuple[int, str], int] = {}

    def resolve(self) -> Names:
        """Give the meaning of every name, or a finding for each that has none."""
        self._animals()
        self._studies()
        self._arms()
        self._tumours()
        EventResolver(self.session, self.batch, self.book, self.reading, self.allowed).resolve(self.names)
        return self.names

    def _find(self, code: str, message: str, facts: AnimalFacts, *, severity: Severity = Severity.ERROR, **more: Any) -> None:
        sheet = self.book.sheets[facts.sheet].name
        self.names.findings.append(Finding(severity, code, message, sheet=sheet, row=facts.row, **more))

    def _animals(self) -> None:
        labels = list(self.facts)
        known = {code: Host(*row) for code, *row in in_chunks(self.session, labels, self._hosts(Animal.code))}
        others = [label for label in labels if label not in known]
        aliased = in_chunks(self.session, others, self._hosts(AnimalAlias.alias))
        known |= {alias: Host(*row) for alias, *row in aliased}
        for number, (label, facts) in enumerate(self.facts.items(), start=1):
            host = known.get(label)
            if host is not None:
                self.names.hosts[label] = host
                self._compare(host, facts)
            elif self._may_create_animal(label, facts):
                self.names.hosts[label] = Host(-number, label, facts.birth_date)
                self.names.new_animals.append(facts)

    def _hosts(self, name: InstrumentedAttribute[str]) -> Callable[[Sequence[str]], Executable]:
        """Give the statement that finds active animals by their id, or by a confirmed alias."""
        columns = select(name, Animal.id, Animal.code, Animal.birth_date, Animal.died_on)
        wanted = columns.where(Animal.project_id == self.project_id, Animal.status == RecordStatus.ACTIVE)
        if name is AnimalAlias.alias:
            same = and_(AnimalAlias.animal_id == Animal.id, AnimalAlias.status == RecordStatus.ACTIVE)
            wanted = wanted.join(AnimalAlias, same).where(AnimalAlias.project_id == self.project_id)
        return lambda some: wanted.where(name.in_(some))

    def _usable(self, text: str | None, what: str, facts: AnimalFacts, longest: int = LONGEST) -> bool:
        """Tell whether a name can be recorded, or say why not."""
        try:
            if text is not None:
                clean_identifier(text, what=what, longest=longest)
        except DomainError as problem:
            more: dict[str, Any] = {"expected": problem.expected, "remedy": problem.remedy, "source": problem.source}
            self._find("name-unusable", str(problem), facts, value=text, **more)
            return False
        return True

    def _may_create_animal(self, label: str, facts: AnimalFacts) -> bool:
        named = ((label, "animal id", LONGEST), (facts.cage, "cage", LONGEST), (facts.strain, "strain", LONGEST_NAME))
        if [what for text, what, longest in named if not self._usable(text, what, facts, longest)]:
            return False
        if "animals" in self.allowed:
            return True
        self._find(
            "animal-unknown",
            f'Animal "{label}" is not in this project.',
            facts,
            column=self.animal_columns.get(facts.sheet),
            value=label,
            expected="an animal of this project, by id or by a confirmed alias",
            remedy="Say which one it is, correct the id, or let the import create what this file names.",
            option=f'--set "animal:{label}=CODE", or --create animals',
        )
        return False

    def _compare(self, host: Host, facts: AnimalFacts) -> None:
        if facts.birth_date and host.birth_date and facts.birth_date != host.birth_date:
            self._find(
                "birth-date-differs",
                f'Animal "{facts.label}" was born on {host.birth_date} by its record, on {facts.birth_date} by this file.',
                facts,
                severity=Severity.WARNING,
                value=str(facts.birth_date),
                expected=str(host.birth_date),
                remedy="The record stays as it is; correct it on the animal's page if the file is right.",
            )

    def _studies(self) -> None:
        """Find each animal's study: the one the batch names, or the one the file names, or one named for the file."""
        needs_days = any(series.clock is Clock.DAY for series in self.reading.series)
        chosen = self.session.get(Study, self.batch.study_id) if self.batch.study_id else None
        wanted: dict[str, list[str]] = defaultdict(list)
        for label in self.names.hosts:
            facts = self.facts[label]
            code = chosen.code if chosen else (self.batch.choices.get("study") or facts.study)
            if code is None and (needs_days or (facts.arm and "study" in self.allowed)):
                code = study_code(self.batch.file_name)
            if code is not None:
                wanted[code].append(label)
        active = select(Study).where(Study.project_id == self.project_id, Study.status == RecordStatus.ACTIVE)
        known = {study.code: study for study in self.session.scalars(active.where(Study.code.in_(list(wanted))))}
        for number, (code, labels) in enumerate(wanted.items(), start=1):
            study = known.get(code)
            if study is not None:
                place = Place(study.id, study.code, study.day_zero_on)
            elif "study" in self.allowed:
                if not self._usable(code, "study code", self.facts[labels[0]]):
                    continue
                place = Place(-number, code, self._chosen_day_zero())
                self.names.new_studies.append(code)
            else:
                self._unknown_study(code, labels, needed=needs_days)
                continue
            for label in labels:
                self.names.studies[label] = place
                if place.day_zero_on:
                    self.names.day_zero[label] = place.day_zero_on
        self._own_day_zeros()

    def _chosen_day_zero(self) -> date | None:
        given = self.batch.choices.get("day0")
        if not given:
            return None
        try:
            return date.fromisoformat(given)
        except ValueError:
            self.names.findings.append(
                Finding(Severity.ERROR, "question-day0", f'"{given}" is no date.', value=given, expected="a date: 2026-11-02")
            )
            return None

    def _unknown_study(self, code: str, labels: list[str], *, needed: bool) -> None:
        self._find(
            "study-unknown",
            f'Study "{code}" is not in this project, and the file counts days from its day 0.'
            if needed
            else f'Study "{code}" is not in this project; its arms are not recorded.',
            self.facts[labels[0]],
            severity=Severity.ERROR if needed else Severity.WARNING,
            value=code,
            expected="a study of this project",
            remedy="Choose the study, or let the import create it.",
            option="--study CODE, or --create study",
        )

    def _own_day_zeros(self) -> None:
        by_id = self._labels_by_id()
        places = {place.id for place in self.names.studies.values() if place.id > 0}
        if not places:
            return
        rows = in_chunks(
            self.session,
            list(by_id),
            lambda some: select(Enrolment.animal_id, Enrolment.study_id, Enrolment.day_zero_on).where(
                Enrolment.animal_id.in_(some),
                Enrolment.study_id.in_(places),
                Enrolment.day_zero_on.is_not(None),
                Enrolment.status == RecordStatus.ACTIVE,
            ),
        )
        for animal_id, study_id, day_zero in rows:
            for label in by_id[animal_id]:
                if label in self.names.studies and self.names.studies[label].id == study_id:
                    self.names.day_zero[label] = day_zero

    def _labels_by_id(self) -> dict[int, list[str]]:
        """Give animal → the names by which the file calls it, for animals that are there; an alias may stand beside the id."""
        labels: dict[int, list[str]] = defaultdict(list)
        for label, host in self.names.hosts.items():
            if host.id > 0:
                labels[host.id].append(label)
        return labels

    def _arms(self) -> None:
        stated = {label: self.facts[label].arm or UNASSIGNED for label in self.names.studies}
        places = {place.id: place for place in self.names.studies.values()}
        known_arms = {
            (arm.study_id, title): arm
            for arm in self.session.scalars(select(Arm).where(Arm.study_id.in_(places), Arm.status == RecordStatus.ACTIVE))
            for title in (arm.code, arm.title)
        }
        enrolled = {
            (study_id, animal_id): (code, title)
            for study_id, animal_id, code, title in self.session.execute(
                select(Enrolment.study_id, Enrolment.animal_id, Arm.code, Arm.title)
                .join(Arm, Arm.id == Enrolment.arm_id)
                .where(Enrolment.study_id.in_(places), Enrolment.status == RecordStatus.ACTIVE)
            )
        }
        planned: set[tuple[str, str]] = set()
        placed: dict[tuple[int, str], str] = {}
        for label, title in stated.items():
            place = self.names.studies[label]
            current = enrolled.get((place.id, self.names.hosts[label].id))
            subject = (self.names.hosts[label].id, place.code)
            if current is not None or subject in placed:
                self._same_arm(label, title, current or (placed[subject], placed[subject]), place)
                continue
            if title == UNASSIGNED and "arms" not in self.allowed:
                continue
            if (place.id, title) not in known_arms and (place.code, title) not in planned:
                if "arms" not in self.allowed:
                    self._unknown_arm(label, title, place)
                    continue
                if not self._usable(title, "arm", self.facts[label], LONGEST_NAME):
                    continue
                planned.add((place.code, title))
                self.names.new_arms.append((place.code, title))
            self.names.arms[label] = placed[subject] = title
            self.names.new_enrolments.append((label, place.code, title))
        self._room(known_arms.values(), [key for key in places if key > 0])

    def _room(self, arms: Iterable[Arm], studies: Sequence[int]) -> None:
        """Ask of each study and arm that is there whether it takes the animals, by the rules that judge an enrolment by hand."""
        known = {study.code: study for study in self.session.scalars(select(Study).where(Study.id.in_(studies)))}
        named = {(arm.study_id, name): arm for arm in arms for name in (arm.code, arm.title)}
        inside = dict(
            self.session.execute(
                select(Enrolment.arm_id, func.count())
                .where(Enrolment.study_id.in_(studies), Enrolment.status == RecordStatus.ACTIVE)
                .group_by(Enrolment.arm_id)
            ).all()
        )
        coming: dict[tuple[str, str], list[str]] = defaultdict(list)
        for label, code, title in self.names.new_enrolments:
            coming[code, title].append(label)
        for (code, title), labels in coming.items():
            study = known.get(code)
            arm = named.get((study.id, title)) if study else None
            try:
                if study:
                    require_enrolling(study.code, study.state)
                if study and arm:
                    name = arm_word(arm.title, arm.blind_code, blinded=study.blinded)
                    require_room_in_arm(name, study.code, arm.target_n, inside.get(arm.id, 0), len(labels))
            except DomainError as refused:
                more: dict[str, Any] = {"expected": refused.expected, "remedy": refused.remedy, "source": refused.source}
                self._find("enrolment-refused", str(refused), self.facts[labels[0]], value=title, **more)

    def _same_arm(self, label: str, title: str, current: tuple[str, str], place: Place) -> None:
        self.names.arms[label] = current[1]
        if title not in (UNASSIGNED, *current):
            self._find(
                "animal-in-other-arm",
                f'Animal "{label}" is in arm "{current[1]}" of study {place.code}; this file puts it in "{title}".',
                self.facts[label],
                value=title,
                expected=current[1],
                remedy="Correct the file, or the enrolment on the study's page.",
            )

    def _unknown_arm(self, label: str, title: str, place: Place) -> None:
        self._find(
            "arm-unknown",
            f'Study {place.code} has no arm "{title}"; animal "{label}" is not put in an arm.',
            self.facts[label],
            severity=Severity.WARNING,
            value=title,
            expected="an arm of the study, by code or title",
            remedy="Let the import create the arms this file names.",
            option="--create arms",
        )

    def _tumours(self) -> None:
        needed = _needed_tumours(self.reading, self.names.hosts, self.kinds)
        known: dict[int, dict[str, int]] = defaultdict(dict)
        rows = in_chunks(
            self.session,
            list(self._labels_by_id()),
            lambda some: select(Implant.animal_id, Implant.label, Implant.id).where(
                Implant.animal_id.in_(some), Implant.status == RecordStatus.ACTIVE
            ),
        )
        for animal_id, tumour, key in rows:
            known[animal_id][tumour] = key
        for label, tumour in needed:
            self._tumour(label, tumour, known[self.names.hosts[label].id])
        self._models()

    def _tumour(self, label: str, tumour: str | None, known: Mapping[str, int]) -> None:
        if tumour is None and len(known) == 1:
            (only,) = known
            self.names.tumours[label, None] = (known[only], only)
        elif tumour is not None and tumour in known:
            self.names.tumours[label, tumour] = (known[tumour], tumour)
        elif (tumour is None and known) or (known and "animals" not in self.allowed):
            self._find(
                "tumour-unknown",
                f'Animal "{label}" has the tumours {", ".join(sorted(known))}; this file '
                + ("does not say which one it measures." if tumour is None else f'measures "{tumour}".'),
                self.facts[label],
                value=tumour or "",
                expected=" or ".join(sorted(known)),
                remedy="Add a tumour column that says which one.",
            )
        elif self.names.hosts[label].id < 0 or "animals" in self.allowed:
            self._plan_tumour(label, tumour)
        else:
            self._find(
                "tumour-unknown",
                f'No tumour is recorded in animal "{label}".',
                self.facts[label],
                expected="an implant, to which the volume belongs",
                remedy="Record the implant, or let the import create what this file names.",
                option="--create animals",
            )

    def _plan_tumour(self, label: str, tumour: str | None) -> None:
        facts, name = self.facts[label], tumour or ONLY_TUMOUR
        if not (self._usable(name, "tumour label", facts) and self._usable(facts.model, "model code", facts)):
            return
        key = (self.names.hosts[label].id, name)
        if key not in self.planned_tumours:
            self.names.new_tumours.append((label, name, facts.model))
            self.planned_tumours[key] = -len(self.names.new_tumours)
        self.names.tumours[label, tumour] = (self.planned_tumours[key], name)

    def _models(self) -> None:
        named = {model for _, _, model in self.names.new_tumours if model}
        known = set(
            self.session.scalars(
                select(PdxModel.code).where(
                    PdxModel.project_id == self.project_id, PdxModel.code.in_(named), PdxModel.status == RecordStatus.ACTIVE
                )
            )
        )
        self.names.new_models.extend(sorted(named - known))


def study_code(file_name: str) -> str:
    """Name a study for the file it came in."""
    return PurePath(file_name).stem.strip()[:80] or "study"


def _all_facts(reading: Reading) -> dict[str, AnimalFacts]:
    """Give every animal a reading names, in the order of the file, with what is known of it."""
    facts: dict[str, AnimalFacts] = {}
    events = (reading.doses, reading.deaths, reading.stays)
    for source in (*reading.series, *(one for one in events if one is not None)):
        # Backwards, so that the first row that names an animal is the one that stays.
        first_rows = dict(zip(reversed(source.animals), reversed(source.rows), strict=True))
        for label in dict.fromkeys(source.animals):
            if label not in facts:
                facts[label] = reading.animals.get(label) or AnimalFacts(label, source.sheet, first_rows[label])
    return facts


def _needed_tumours(reading: Reading, hosts: Iterable[str], kinds: Mapping[str, MeasurementKind]) -> list[TumourKey]:
    """Give each (animal, tumour label) that a reading of a tumour names, once, in the order of the file."""
    known = set(hosts)
    needed: dict[TumourKey, None] = {}
    for series in reading.series:
        if kinds[series.kind].subject is Subject.IMPLANT:
            tumours = series.tumours or [None] * len(series)
            needed.update(dict.fromkeys(zip(series.animals, tumours, strict=True)))
    return [key for key in needed if key[0] in known]
