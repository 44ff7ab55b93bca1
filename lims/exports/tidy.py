"""The tidy tables of a study: one row an observation, one column a variable, each column documented.

A person sees in them what the pages show: the arms of a blinded study by their codes, nothing of what they are given, and
texts that people wrote without the arms' names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import FateReason
from lims.domain.fates import outcome
from lims.domain.vocabulary import KIND_BY_CODE, RecordStatus
from lims.models import (
    Agent,
    AgentLot,
    Allocation,
    Animal,
    Arm,
    Cage,
    Dose,
    EndpointAction,
    EndpointRule,
    Enrolment,
    Exposure,
    Fate,
    Implant,
    Measurement,
    Randomisation,
    Study,
)
from lims.plots import percent_of_baseline
from lims.queries.blinding import Veil, hides_arms, readable, shown_arm, veil
from lims.queries.kinds import kinds_of
from lims.queries.series import AnySelect, DayCount, active, day_count, study_series
from lims.queries.signed import judge_study
from lims.queries.studies import arms_of_studies
from lims.queries.survival import follow_up

READ_AT_ONCE = 2_000


class Source:
    """A study as one person reads it, on one day."""

    def __init__(self, session: Session, study: Study, today: date, *, unblinded: bool) -> None:
        self.session, self.study, self.today, self.unblinded = session, study, today, unblinded

    @cached_property
    def days(self) -> DayCount:
        """Say where days count from."""
        return day_count(self.session, self.study)

    @cached_property
    def veil(self) -> Veil:
        """Give what takes the names of hidden arms out of texts."""
        return veil(self.session, self.study.project_id, unblinded=self.unblinded)

    @property
    def arm(self) -> Any:
        """Give the column of an arm's name."""
        return shown_arm(unblinded=self.unblinded)

    def rows(self, statement: AnySelect) -> Iterator[tuple[Any, ...]]:
        """Read rows in parts, without the names of hidden arms."""
        hide = self.veil
        for row in self.session.execute(statement.execution_options(yield_per=READ_AT_ONCE)):
            yield tuple(hide.text(value) if isinstance(value, str) else value for value in row)


@dataclass(frozen=True, slots=True)
class Tidy:
    """A table: what one row is, its columns with what they hold, and how it is read. secret: not there while arms are hidden."""

    name: str
    row_is: str
    columns: dict[str, str]
    read: Callable[[Source], Iterable[tuple[Any, ...]]]
    secret: bool = False

    def hidden(self, study: Study, *, unblinded: bool) -> bool:
        """Tell whether a person may not see it, because it would say what an arm is given."""
        return self.secret and hides_arms(study, unblinded=unblinded)

    def rows(self, source: Source) -> Iterable[tuple[Any, ...]]:
        """Read the rows that a person may see."""
        return () if self.hidden(source.study, unblinded=source.unblinded) else self.read(source)


_ANIMAL = {"animal": "code of the animal", "arm": "the arm's title, or its code while the study is blinded"}


def _enrolled(source: Source, *columns: Any) -> AnySelect:
    """Select from a study's animals, their code and arm first."""
    return (
        select(Animal.code, source.arm, *columns)
        .select_from(Enrolment)
        .join(Animal, Animal.id == Enrolment.animal_id)
        .join(Arm, Arm.id == Enrolment.arm_id)
        .where(Enrolment.study_id == source.study.id, Enrolment.status == RecordStatus.ACTIVE)
    )


def _animals(source: Source) -> Iterator[tuple[Any, ...]]:
    ends = {end.animal_id: end for end in follow_up(source.session, source.study, source.days, source.today).ends}
    columns = (Animal.sex, Animal.strain, Animal.birth_date, Cage.code, Enrolment.enrolled_on, Enrolment.day_zero_on)
    left_out = (Enrolment.excluded_on, Enrolment.exclusion_reason)
    fate = (Animal.state, Fate.died_on, Fate.reason, Fate.method)
    wanted = _enrolled(source, *columns, *left_out, *fate, Animal.id).outerjoin(Cage, Cage.id == Animal.cage_id)
    wanted = wanted.outerjoin(Fate, (Fate.animal_id == Animal.id) & (Fate.status == RecordStatus.ACTIVE)).order_by(Animal.code)
    for *row, died_on, reason, method, key in source.rows(wanted):
        met = outcome(FateReason(reason), source.study.event_reasons) if died_on else None
        end = ends.get(key)
        yield (*row, died_on, reason, method, met, end.days if end else None, int(end.event) if end else None)


def _readings(source: Source) -> Iterator[tuple[Any, ...]]:
    units = {code: kind.unit for code, kind in kinds_of(source.session, source.study.project_id, withdrawn=True).items()}
    when = (source.days.column(), Measurement.taken_on, Measurement.taken_at)
    raw = (Measurement.length_mm, Measurement.width_mm, Measurement.height_mm, Measurement.formula)
    how = (Measurement.quality, Measurement.quality_reason, Enrolment.excluded_on, Measurement.operator, Measurement.device)
    where = (Measurement.batch_id, Measurement.source_sheet, Measurement.source_row, Measurement.id)
    wanted = (
        _enrolled(source, Implant.label, Measurement.kind, Measurement.value, *when, *raw, *how, *where)
        .join(Measurement, Measurement.animal_id == Animal.id)
        .outerjoin(Implant, Implant.id == Measurement.implant_id)
        .where(active(), or_(Measurement.study_id.is_(None), Measurement.study_id == source.study.id))
        .order_by(Animal.code, Measurement.kind, Measurement.slot, Measurement.id)
    )
    for animal, arm, tumour, kind, value, *rest in source.rows(wanted):
        yield (animal, arm, tumour, kind, value, units.get(kind), *rest)


def _weights(source: Source) -> Iterator[tuple[Any, ...]]:
    arms = arms_of_studies(source.session, source.study.project_id, source.study.id, unblinded=source.unblinded)
    names = {arm.id: arm.title for arm in arms}
    series = study_series(source.session, source.study, KIND_BY_CODE["body_weight"], source.days, names)
    more = [{"on": on, "out": out} for on, out in zip(series.taken_on, series.excluded, strict=True)]
    points = [point | told for point, told in zip(series.points(), more, strict=True)]
    for row in percent_of_baseline(points):
        quality = "suspect" if row["suspect"] else "ok"
        yield row["animal"], row["arm"], row["day"], row["on"], row["raw"], row["value"], quality, row["out"]


def _doses(source: Source) -> Iterator[tuple[Any, ...]]:
    plan = (Agent.code, Dose.state, Dose.due_on, Dose.nth, Dose.given_on, Dose.given_at)
    amount = (Dose.dose, Dose.dose_unit, Dose.route, Dose.weight_g, Dose.weight_on, Dose.computed_volume_ul, Dose.volume_ul)
    return source.rows(
        _enrolled(source, *plan, *amount, AgentLot.code, Dose.reason, Dose.operator, Dose.batch_id, Dose.id)
        .join(Dose, Dose.animal_id == Animal.id)
        .join(Agent, Agent.id == Dose.agent_id)
        .outerjoin(AgentLot, AgentLot.id == Dose.lot_id)
        .where(Dose.status == RecordStatus.ACTIVE, or_(Dose.study_id.is_(None), Dose.study_id == source.study.id))
        .where(readable(Dose, unblinded=source.unblinded))
        .order_by(Animal.code, Dose.id)
    )


def _exposures(source: Source) -> Iterator[tuple[Any, ...]]:
    sample = (Exposure.matrix, Implant.label, Exposure.collected_on, Exposure.hours_after_dose)
    found = (Exposure.concentration, Exposure.unit, Exposure.below_lloq, Exposure.lloq, Exposure.id)
    return source.rows(
        _enrolled(source, Agent.code, Exposure.analyte, *sample, *found)
        .join(Exposure, Exposure.animal_id == Animal.id)
        .join(Agent, Agent.id == Exposure.agent_id)
        .outerjoin(Implant, Implant.id == Exposure.implant_id)
        .where(Exposure.status == RecordStatus.ACTIVE, readable(Exposure, unblinded=source.unblinded))
        .order_by(Animal.code, Exposure.id)
    )


def _actions(source: Source) -> Iterator[tuple[Any, ...]]:
    asked = (EndpointRule.measure, EndpointAction.level, EndpointAction.value, EndpointAction.finding, EndpointAction.reached_on)
    answered = (EndpointAction.state, EndpointAction.deferred_until, EndpointAction.answer, EndpointAction.answered_on)
    return source.rows(
        _enrolled(source, *asked, *answered, EndpointAction.measurement_id)
        .join(EndpointAction, EndpointAction.animal_id == Animal.id)
        .join(EndpointRule, EndpointRule.id == EndpointAction.rule_id)
        .where(EndpointAction.status == RecordStatus.ACTIVE)
        .order_by(EndpointAction.reached_on, Animal.code)
    )


def _randomisation(source: Source) -> Iterator[tuple[Any, ...]]:
    run = (Randomisation.number, Randomisation.method, Randomisation.algorithm, Randomisation.baseline_kind)
    one = (Allocation.position, Allocation.stratum, Allocation.baseline_value, Allocation.exclusion_reason)
    return source.rows(
        select(Animal.code, source.arm, *run, Randomisation.baseline_on, Randomisation.made_on, *one)
        .select_from(Allocation)
        .join(Randomisation, Randomisation.id == Allocation.randomisation_id)
        .join(Animal, Animal.id == Allocation.animal_id)
        .outerjoin(Arm, Arm.id == Allocation.arm_id)
        .where(Randomisation.study_id == source.study.id, Randomisation.status == RecordStatus.ACTIVE)
        .where(readable(Allocation, unblinded=source.unblinded))
        .order_by(Randomisation.number, Allocation.position)
    )


def _signatures(source: Source) -> Iterator[tuple[Any, ...]]:
    for one in judge_study(source.session, source.study):
        by = one.signature
        said = (by.name, by.signed_at, by.meaning, by.act, source.veil.text(by.statement))
        yield (*said, one.standing, by.event_seq, by.sha256)


TABLES = {
    table.name: table
    for table in (
        Tidy(
            "animals",
            "an animal of the study, with what became of it",
            _ANIMAL
            | {
                "sex": "female, male or not_recorded",
                "strain": "nomenclature of the strain",
                "birth_date": "date of birth",
                "cage": "the cage it is in now",
                "enrolled_on": "day of its enrolment",
                "day_zero_on": "its own day 0; the study's where empty",
                "excluded_on": "day from which on it is left out of analysis",
                "exclusion_reason": "why (ARRIVE 2.0 item 3b)",
                "state": "alive, dead or not_recorded",
                "died_on": "day of its fate",
                "fate": "reason of its fate",
                "fate_method": "method of killing",
                "outcome": "what its fate is by the study's rule: event, censored or missing; empty of the living",
                "followed_days": "days from day 0 to its fate, exclusion, or the last day it was followed; as survival is computed",
                "event": "1 where that ended with an event, 0 where censored; empty where it is not in the analysis of survival",
            },
            _animals,
        ),
        Tidy(
            "readings",
            "a reading of any kind, excluded ones too",
            _ANIMAL
            | {
                "tumour": "label of the tumour; empty where the reading is of the animal",
                "kind": "code of the kind of measurement",
                "value": "in `unit`",
                "unit": "the kind's unit",
                "day": "study day",
                "taken_on": "date; empty where the file gave a study day only",
                "taken_at": "time, UTC, where the source gave one",
                "length_mm": "length as measured, mm",
                "width_mm": "width as measured, mm",
                "height_mm": "height as measured, mm",
                "formula": "formula of the volume",
                "quality": "ok, suspect or excluded; excluded readings count nowhere",
                "quality_reason": "why it is suspect or excluded",
                "animal_excluded_on": "day from which on its animal is left out of analysis",
                "operator": "who measured",
                "device": "with what",
                "batch": "number of the import that brought it; empty where it was typed",
                "sheet": "sheet of that file",
                "row": "row of that sheet",
                "reading": "number of the reading",
            },
            _readings,
        ),
        Tidy(
            "weights",
            "a body weight that counts",
            _ANIMAL
            | {
                "day": "study day",
                "taken_on": "date",
                "weight_g": "g",
                "percent_of_baseline": "of the animal's last weight on or before day 0, or its first one",
                "quality": "ok or suspect",
                "animal_excluded": "whether its animal was left out of analysis by then",
            },
            _weights,
        ),
        Tidy(
            "doses",
            "a recorded dose: given, held or missed",
            _ANIMAL
            | {
                "agent": "code of the agent",
                "state": "given, held or missed",
                "due_on": "day on which the regimen plans it; empty beside a plan",
                "nth": "which dose of that day",
                "given_on": "day on which it was given",
                "given_at": "time, UTC",
                "dose": "as planned, in `dose_unit`",
                "dose_unit": "mg/kg, mg or Gy",
                "route": "how it got into the animal",
                "weight_g": "weight that the volume was computed from, g",
                "weight_on": "day of that weight",
                "computed_volume_ul": "mL/kg × weight, µL",
                "volume_ul": "as given, µL",
                "lot": "number of the lot",
                "reason": "why it was held or missed, or given outside the plan",
                "operator": "who gave it",
                "batch": "number of the import that brought it",
                "id": "number of the dose",
            },
            _doses,
            secret=True,
        ),
        Tidy(
            "exposures",
            "a concentration in one sample",
            _ANIMAL
            | {
                "agent": "code of the agent",
                "analyte": "what of it was measured; empty of the agent itself",
                "matrix": "where: plasma, CSF, a lesion's core or rim, brain, tumour",
                "tumour": "label of the tumour",
                "collected_on": "day of the sample",
                "hours_after_dose": "hours since the last dose",
                "concentration": "in `unit`; empty below the limit of quantification",
                "unit": "ng/mL, ng/g or nM",
                "below_lloq": "whether it is below the limit of quantification",
                "lloq": "that limit, in `unit`",
                "id": "number of the concentration",
            },
            _exposures,
            secret=True,
        ),
        Tidy(
            "actions",
            "what a humane endpoint asked for",
            _ANIMAL
            | {
                "measure": "what the endpoint looks at",
                "level": "watch or act",
                "value": "in the endpoint's unit: % lost, score, mm³ or % of weight",
                "finding": "the sentence with value, baseline and limit",
                "reached_on": "day on which it was reached",
                "state": "open, deferred or closed",
                "deferred_until": "day until which it is deferred",
                "answer": "why it was deferred, or what closed it",
                "answered_on": "day of that answer",
                "reading": "number of the reading that reached it",
            },
            _actions,
        ),
        Tidy(
            "randomisation",
            "an animal in a run of the randomisation",
            _ANIMAL
            | {
                "run": "number of the run; the last one counts",
                "method": "stratified_blocks or minimisation",
                "algorithm": "name and version of the procedure",
                "baseline_kind": "kind of measurement it was balanced on",
                "baseline_on": "day of that baseline",
                "made_on": "day of the run",
                "position": "place in the order of allocation",
                "stratum": "what it was balanced by beside the baseline",
                "baseline": "the animal's baseline, in the kind's unit",
                "exclusion_reason": "why it was left out of the run",
            },
            _randomisation,
            secret=True,
        ),
        Tidy(
            "signatures",
            "a signature of the study",
            {
                "name": "printed name of who signed",
                "signed_at": "time, UTC",
                "meaning": "approved, reviewed or responsible",
                "act": "lock, countersign or amendment",
                "statement": "the reason that was given",
                "standing": "valid; superseded by an amendment; changed since; broken: not the signature that was given; "
                "missing: the audit trail alone tells of it",
                "event": "number of the event in the audit trail",
                "sha256": "over all that the signature says, and what it is bound to",
            },
            _signatures,
        ),
    )
}
"""Every table by its name."""

DICTIONARY = ("table", "column", "what it holds")


def dictionary() -> list[tuple[str, str, str]]:
    """Describe every column of every table."""
    return [(table.name, column, words) for table in TABLES.values() for column, words in table.columns.items()]
