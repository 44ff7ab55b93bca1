"""Writes a plan: what has to be created first, then its new readings, then corrections; one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import compress
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from importers.base import AnimalFacts, Finding, Severity
from lims import progress
from lims.audit.record import Actor, declare
from lims.domain.cohort_terms import ActionState
from lims.domain.endpoints import SOURCE
from lims.domain.identifiers import LONGEST
from lims.domain.vocabulary import AnimalStatus, BatchState, Quality, RowFate, Sex, StudyStatus, VolumeFormula
from lims.intake.accepted import accepts_changes
from lims.intake.commit_events import record_events
from lims.intake.names import LONGEST_NAME, Names
from lims.intake.plan import Plan, Planned
from lims.models import Arm, ImportBatch, PdxModel, Project, Study
from lims.progress import Step
from lims.queries.welfare import Asked, asked_of_project
from lims.records.colony import ANIMAL, CAGE, cages_named
from lims.records.implants import IMPLANT
from lims.records.measurements import Correction, Readings, Reference, correct_measurements, record_measurements
from lims.records.nouns import record
from lims.records.pdx import MODEL
from lims.records.studies import ARM, STUDY, enrol
from lims.records.treatment import AGENT

_SEXES = {"f": Sex.FEMALE, "female": Sex.FEMALE, "m": Sex.MALE, "male": Sex.MALE}
USUAL_ROOM, MOST_ROOM = 5, 20
"""Animals in a cage, as its table has them (`lims.models.colony.Cage`)."""


def create_named(session: Session, actor: Actor, batch: ImportBatch, names: Names) -> None:
    """Create the studies, arms, models, cages, animals, tumours, enrolments and agents of a file that a person agreed to."""
    project = batch.project_id
    studies = {
        study.code: study
        for study in record(session, actor, STUDY, project, [_new_study(batch, names, code) for code in names.new_studies])
    }
    known = select(Study).where(Study.id.in_([place.id for place in names.studies.values() if place.id > 0]))
    studies |= {study.code: study for study in session.scalars(known)}
    made: dict[tuple[str, str], int] = {}
    for code, study in studies.items():
        wanted = [{"study_id": study.id, "code": title[:80], "title": title} for of, title in names.new_arms if of == code]
        if wanted:
            arms = record(session, actor, ARM, project, wanted)
            made |= {(code, str(new["title"])): arm.id for new, arm in zip(wanted, arms, strict=True)}
    if names.new_models:
        record(session, actor, MODEL, project, [{"code": code} for code in names.new_models])
    _create_cages(session, actor, project, names)
    names.cage_ids = cages_named(session, actor, project, names.cages)
    added = record(session, actor, ANIMAL, project, [_new_animal(facts, names) for facts in names.new_animals])
    for facts, animal in zip(names.new_animals, added, strict=True):
        names.hosts[facts.label].id = animal.id
    _create_tumours(session, actor, project, names)
    for label, place in names.studies.items():
        place.id = studies[place.code].id if label in names.hosts else place.id
    _enrol(session, actor, studies, names, made)
    _create_agents(session, actor, project, names)


def _new_study(batch: ImportBatch, names: Names, code: str) -> dict[str, Any]:
    """Give a study that a file names. It is active: the file has readings of the animals in it."""
    day_zero_on = next((place.day_zero_on for place in names.studies.values() if place.code == code), None)
    title = f"Imported from {batch.file_name}"[:LONGEST_NAME]
    return {"code": code, "title": title, "state": StudyStatus.ACTIVE, "day_zero_on": day_zero_on}


def _create_cages(session: Session, actor: Actor, project: int, names: Names) -> None:
    """Make cages with room for all that the file puts in them: where old logs say that animals were, they were."""
    new = [{"code": code, "capacity": min(max(USUAL_ROOM, animals), MOST_ROOM)} for code, animals in names.new_cages.items()]
    if new:
        record(session, actor, CAGE, project, new)


def _create_agents(session: Session, actor: Actor, project: int, names: Names) -> None:
    new = [{"code": one.code, "name": one.code, "agent_class": one.agent_class, "targets": []} for one in names.new_agents]
    made = {-number: agent.id for number, agent in enumerate(record(session, actor, AGENT, project, new), start=1)} if new else {}
    for agent in names.agents.values():
        agent.id = made.get(agent.id, agent.id)


def _new_animal(facts: AnimalFacts, names: Names) -> dict[str, Any]:
    return {
        "code": facts.label,
        "sex": _SEXES.get((facts.sex or "").strip().lower(), Sex.NOT_RECORDED),
        "birth_date": facts.birth_date,
        "strain": facts.strain,
        "cage_id": names.cage_ids.get(names.first_cages.get(facts.label, facts.cage)),
        "state": AnimalStatus.NOT_RECORDED,
    }


def _create_tumours(session: Session, actor: Actor, project: int, names: Names) -> None:
    if not names.new_tumours:
        return
    wanted = {model for _, _, model in names.new_tumours if model}
    models = {
        model.code: model.id
        for model in session.scalars(select(PdxModel).where(PdxModel.project_id == project, PdxModel.code.in_(wanted)))
    }
    new = [
        {"animal_id": names.hosts[label].id, "label": tumour, "model_id": models.get(model) if model else None}
        for label, tumour, model in names.new_tumours
    ]
    added = record(session, actor, IMPLANT, project, new)
    made = {-number: implant.id for number, implant in enumerate(added, start=1)}
    names.tumours = {key: (made.get(tumour, tumour), label) for key, (tumour, label) in names.tumours.items()}


def _enrol(session: Session, actor: Actor, studies: dict[str, Study], names: Names, made: Mapping[tuple[str, str], int]) -> None:
    """Enrol animals in arms by code or title; `made` has those that were just made, by study and as the file writes them."""
    for code, study in studies.items():
        wanted = [(label, title) for label, of, title in names.new_enrolments if of == code]
        if not wanted:
            continue
        arms = {
            name: arm.id for arm in session.scalars(select(Arm).where(Arm.study_id == study.id)) for name in (arm.title, arm.code)
        } | {title: key for (of, title), key in made.items() if of == code}
        enrol(session, actor, study, [{"arm_id": arms[title], "animal_id": names.hosts[label].id} for label, title in wanted])


def commit_plan(session: Session, actor: Actor, batch: ImportBatch, plan: Plan, *, reason: str = "") -> int:
    """Record a plan whose names all exist (`create_named`). Returns the number of new measurements.

    The batch is left committed, in the same transaction. Values that reached a humane endpoint are among the findings then.
    """
    declare(session, actor, "batch:commit", project=batch.project_id, reason=reason)
    project = session.get_one(Project, batch.project_id)
    before = {_what(one) for one in asked_of_project(session, project.id)}
    progress.begin(Step.WRITE, sum(len(one) - len(one.fates) for one in plan.entries))
    written = 0
    for planned in plan.planned:
        readings = _readings(planned, (project.id, project.code), batch)
        written += len(record_measurements(session, actor, readings))
    record_events(session, actor, batch, plan)
    accepted = [planned for planned in plan.planned if accepts_changes(batch.choices, planned.kind.code)]
    corrections = [one for planned in accepted for one in _corrections(planned)]
    if corrections:
        correct_measurements(session, actor, project.id, corrections, reason=reason or f"corrected by {batch.file_name}")
    after = [one for one in asked_of_project(session, project.id) if _what(one) not in before]
    plan.findings.extend(_asked(batch, plan, after))
    batch.state = BatchState.COMMITTED
    batch.committed_by_id = actor.id
    batch.committed_at = datetime.now(UTC)
    return written


def _what(asked: Asked) -> tuple[int, str, ActionState]:
    """Give what tells an action from itself before it was raised, moved or opened again."""
    return asked.line.id, asked.line.finding, asked.line.state


def _asked(batch: ImportBatch, plan: Plan, asked: Sequence[Asked]) -> list[Finding]:
    """Say which values reached a humane endpoint: new ones, corrected ones, and those whose baseline the file shifted."""
    rows = {
        planned.recorded[index].id: (planned.sheet, planned.series.rows[index])
        for planned in plan.planned
        for index in planned.indices(RowFate.CHANGED)
    }
    places = [
        (one.sheet, one.row) if one.batch_id == batch.id else rows.get(one.measurement_id or 0, (None, None)) for one in asked
    ]
    return [
        Finding(
            Severity.WARNING,
            f"endpoint-{one.line.level.value}",
            f"{one.line.animal}: {one.line.finding}.",
            sheet=sheet,
            row=row,
            remedy="It stands on the Today page: record the animal's fate, or defer it with a reason.",
            source=SOURCE,
        )
        for one, (sheet, row) in zip(asked, places, strict=True)
    ]


def _readings(planned: Planned, project: Reference, batch: ImportBatch) -> Readings:
    """Give the new readings of a series as columns."""
    series = planned.series
    keep = _keeper(planned)
    hosts = {label: (host.id, host.code) for label, host in dict(zip(series.animals, planned.hosts, strict=True)).items() if host}
    places = {id(place): (place.id, place.code) for place in set(planned.places) if place}
    days = planned.days
    return Readings(
        project=project,
        kind=planned.kind.code,
        animals=[hosts[label] for label in keep(series.animals)],
        implants=keep(planned.tumours) if planned.tumours else None,
        values=[value + 0.0 for value in keep(planned.values)],  # 0.0, where a file says -0
        slots=keep(planned.slots),
        taken_on=_iso(keep(planned.taken_on)),
        taken_at=keep(planned.taken_at) if planned.taken_at else None,
        relative_days=[day + 0.0 for day in keep(days)] if days is not None else None,
        studies=[place and places[id(place)] for place in keep(planned.places)] if days is not None else None,
        lengths=_floats(keep(series.lengths)) if series.lengths else None,
        widths=_floats(keep(series.widths)) if series.widths else None,
        heights=_floats(keep(series.heights)) if series.heights else None,
        formula=_formulas(planned, keep),
        occurrences=keep([planned.occurrences.get(index, 1) for index in range(len(planned))]) if planned.occurrences else 1,
        qualities=keep(_qualities(planned)) if series.suspect else None,
        quality_reasons=keep([series.suspect.get(index) for index in range(len(planned))]) if series.suspect else None,
        operators=keep(series.operators) if series.operators else None,
        devices=keep(series.devices) if series.devices else None,
        batch=(batch.id, batch.audit_label),
        sheet=planned.sheet[:LONGEST],
        rows=keep(series.rows),
        columns=series.columns if isinstance(series.columns, int) else keep(series.columns),
        raw=keep(series.raw),
    )


def _keeper(planned: Planned) -> Callable[[Sequence[Any]], list[Any]]:
    """Give a function that takes a column down to its new readings."""
    if not planned.fates:
        return list
    new = [index not in planned.fates for index in range(len(planned))]
    return lambda column: list(compress(column, new))


def _iso(dates: list[Any]) -> list[str | None]:
    text = {taken: taken.isoformat() for taken in set(dates) if taken is not None}
    return [text.get(taken) for taken in dates]


def _floats(column: list[Any]) -> list[float | None]:
    return [None if value is None else float(value) for value in column]


def _formulas(planned: Planned, keep: Callable[[Sequence[Any]], list[Any]]) -> list[VolumeFormula] | VolumeFormula | None:
    """Say how each new volume came about; one answer where all came about the same way."""
    if planned.kind.code != "caliper_volume":
        return None
    if planned.computed is None:
        return VolumeFormula.STATED
    if all(planned.computed):
        return VolumeFormula.HALF_L_W2
    return [VolumeFormula.HALF_L_W2 if computed else VolumeFormula.STATED for computed in keep(planned.computed)]


def _qualities(planned: Planned) -> list[Quality]:
    return [Quality.SUSPECT if index in planned.series.suspect else Quality.OK for index in range(len(planned))]


def _corrections(planned: Planned) -> list[Correction]:
    """Give the changed readings as corrections; the batch they came from first stays in the trail."""
    series = planned.series
    corrections = []
    for index in planned.indices(RowFate.CHANGED):
        old = planned.recorded[index]
        fields: dict[str, tuple[Any, Any]] = {"value": (old.value, float(planned.values[index] or 0.0))}
        if series.lengths and series.widths:
            fields["length_mm"] = (old.length, series.lengths[index])
            fields["width_mm"] = (old.width, series.widths[index])
        corrections.append(Correction(old.id, {name: pair for name, pair in fields.items() if pair[0] != pair[1]}))
    return corrections
