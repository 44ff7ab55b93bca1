"""Finds the studies that a file's animals are in, their days 0 and their arms; what is not there is planned, or said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import PurePath
from typing import Any

from sqlalchemy import func, select

from importers.base import Clock, Finding, Severity
from lims.domain.blinding import arm_word
from lims.domain.errors import DomainError
from lims.domain.studies import require_enrolling, require_room_in_arm
from lims.domain.vocabulary import RecordStatus
from lims.intake.names import LONGEST_NAME, Place
from lims.intake.resolving import Resolving
from lims.models import Arm, Enrolment, Study
from lims.queries.chunks import in_chunks

UNASSIGNED = "unassigned"
"""The arm of animals that a file puts in a study without naming an arm."""


class StudyResolver:
    """Resolves studies and arms, once the animals are known."""

    def __init__(self, of: Resolving) -> None:
        self.of = of

    def resolve(self) -> None:
        """Fill in studies, days 0, arms and enrolments."""
        self._studies()
        self._arms()

    def _studies(self) -> None:
        """Find each animal's study: the one the batch names, or the one the file names, or one named for the file."""
        needs_days = any(series.clock is Clock.DAY for series in self.of.reading.series)
        chosen = self.of.session.get(Study, self.of.batch.study_id) if self.of.batch.study_id else None
        wanted: dict[str, list[str]] = defaultdict(list)
        for label in self.of.names.hosts:
            facts = self.of.facts[label]
            code = chosen.code if chosen else (self.of.batch.choices.get("study") or facts.study)
            if code is None and (needs_days or (facts.arm and "study" in self.of.allowed)):
                code = study_code(self.of.batch.file_name)
            if code is not None:
                wanted[code].append(label)
        active = select(Study).where(Study.project_id == self.of.project_id, Study.status == RecordStatus.ACTIVE)
        known = {study.code: study for study in self.of.session.scalars(active.where(Study.code.in_(list(wanted))))}
        for number, (code, labels) in enumerate(wanted.items(), start=1):
            study = known.get(code)
            if study is not None:
                place = Place(study.id, study.code, study.day_zero_on)
            elif "study" in self.of.allowed:
                if not self.of.usable(code, "study code", self.of.facts[labels[0]]):
                    continue
                place = Place(-number, code, self._chosen_day_zero())
                self.of.names.new_studies.append(code)
            else:
                self._unknown_study(code, labels, needed=needs_days)
                continue
            for label in labels:
                self.of.names.studies[label] = place
                if place.day_zero_on:
                    self.of.names.day_zero[label] = place.day_zero_on
        self._own_day_zeros()

    def _chosen_day_zero(self) -> date | None:
        given = self.of.batch.choices.get("day0")
        if not given:
            return None
        try:
            return date.fromisoformat(given)
        except ValueError:
            self.of.names.findings.append(
                Finding(Severity.ERROR, "question-day0", f'"{given}" is no date.', value=given, expected="a date: 2026-11-02")
            )
            return None

    def _unknown_study(self, code: str, labels: list[str], *, needed: bool) -> None:
        self.of.find(
            "study-unknown",
            f'Study "{code}" is not in this project, and the file counts days from its day 0.'
            if needed
            else f'Study "{code}" is not in this project; its arms are not recorded.',
            self.of.facts[labels[0]],
            of=labels,
            severity=Severity.ERROR if needed else Severity.WARNING,
            value=code,
            expected="a study of this project",
            remedy="Choose the study, or let the import create it.",
            option="--study CODE, or --create study",
        )

    def _own_day_zeros(self) -> None:
        by_id = self.of.labels_by_id()
        places = {place.id for place in self.of.names.studies.values() if place.id > 0}
        if not places:
            return
        rows = in_chunks(
            self.of.session,
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
                if label in self.of.names.studies and self.of.names.studies[label].id == study_id:
                    self.of.names.day_zero[label] = day_zero

    def _arms(self) -> None:
        stated = {label: self.of.facts[label].arm or UNASSIGNED for label in self.of.names.studies}
        places = {place.id: place for place in self.of.names.studies.values()}
        known_arms = {
            (arm.study_id, title): arm
            for arm in self.of.session.scalars(select(Arm).where(Arm.study_id.in_(places), Arm.status == RecordStatus.ACTIVE))
            for title in (arm.code, arm.title)
        }
        enrolled = {
            (study_id, animal_id): (code, title)
            for study_id, animal_id, code, title in self.of.session.execute(
                select(Enrolment.study_id, Enrolment.animal_id, Arm.code, Arm.title)
                .join(Arm, Arm.id == Enrolment.arm_id)
                .where(Enrolment.study_id.in_(places), Enrolment.status == RecordStatus.ACTIVE)
            )
        }
        planned: set[tuple[str, str]] = set()
        placed: dict[tuple[int, str], str] = {}
        for label, title in stated.items():
            place = self.of.names.studies[label]
            current = enrolled.get((place.id, self.of.names.hosts[label].id))
            subject = (self.of.names.hosts[label].id, place.code)
            if current is not None or subject in placed:
                self._same_arm(label, title, current or (placed[subject], placed[subject]), place)
                continue
            if title == UNASSIGNED and "arms" not in self.of.allowed:
                continue
            if (place.id, title) not in known_arms and (place.code, title) not in planned:
                if "arms" not in self.of.allowed:
                    self._unknown_arm(label, title, place)
                    continue
                if not self.of.usable(title, "arm", self.of.facts[label], LONGEST_NAME):
                    continue
                planned.add((place.code, title))
                self.of.names.new_arms.append((place.code, title))
            self.of.names.arms[label] = placed[subject] = title
            self.of.names.new_enrolments.append((label, place.code, title))
        self._room(known_arms.values(), [key for key in places if key > 0])

    def _room(self, arms: Iterable[Arm], studies: Sequence[int]) -> None:
        """Ask of each study and arm that is there whether it takes the animals, by the rules that judge an enrolment by hand."""
        known = {study.code: study for study in self.of.session.scalars(select(Study).where(Study.id.in_(studies)))}
        named = {(arm.study_id, name): arm for arm in arms for name in (arm.code, arm.title)}
        inside = dict(
            self.of.session.execute(
                select(Enrolment.arm_id, func.count())
                .where(Enrolment.study_id.in_(studies), Enrolment.status == RecordStatus.ACTIVE)
                .group_by(Enrolment.arm_id)
            ).all()
        )
        coming: dict[tuple[str, str], list[str]] = defaultdict(list)
        for label, code, title in self.of.names.new_enrolments:
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
                self.of.find("enrolment-refused", str(refused), self.of.facts[labels[0]], of=labels, value=title, **more)

    def _same_arm(self, label: str, title: str, current: tuple[str, str], place: Place) -> None:
        self.of.names.arms[label] = current[1]
        if title not in (UNASSIGNED, *current):
            self.of.find(
                "animal-in-other-arm",
                f'Animal "{label}" is in arm "{current[1]}" of study {place.code}; this file puts it in "{title}".',
                self.of.facts[label],
                value=title,
                expected=current[1],
                remedy="Correct the file, or the enrolment on the study's page.",
            )

    def _unknown_arm(self, label: str, title: str, place: Place) -> None:
        self.of.find(
            "arm-unknown",
            f'Study {place.code} has no arm "{title}"; animal "{label}" is not put in an arm.',
            self.of.facts[label],
            severity=Severity.WARNING,
            value=title,
            expected="an arm of the study, by code or title",
            remedy="Let the import create the arms this file names.",
            option="--create arms",
        )


def study_code(file_name: str) -> str:
    """Name a study for the file it came in."""
    return PurePath(file_name).stem.strip()[:80] or "study"
