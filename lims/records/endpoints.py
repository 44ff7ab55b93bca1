"""Writes a protocol's humane endpoints, judges new and corrected values by them, and opens what they ask of people.

Judging is called from within `lims.records.measurements`, so that form, import and API are judged alike, in the event that
records the values. A constant number of statements, however many values; animals without endpoints cost one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from itertools import repeat
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, select
from sqlalchemy.orm import Session

from lims.audit.bulk import Column, insert_many, reserve_ids, update_many
from lims.audit.canon import canonical, text_of
from lims.audit.record import Actor, declare, field_name
from lims.domain.cohort_terms import ActionState, EndpointLevel, EndpointMeasure
from lims.domain.endpoints import (
    SOURCE,
    USUAL,
    WORDS,
    Course,
    Finding,
    Response,
    Rule,
    Standing,
    Step,
    Worst,
    judge,
    require_rule,
    respond,
)
from lims.domain.errors import DomainError, about_row
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, AnimalProtocol, EndpointAction, EndpointRule, Enrolment, Implant, Measurement, Project, Study
from lims.queries.chunks import KEYS, as_date, driver_rows, in_chunks, rows_of
from lims.queries.series import AnySelect, counted
from lims.records.noun import Draft, Noun
from lims.records.nouns import record
from lims.records.values import table_of

WEIGHT, NEUROLOGICAL, CONDITION = "body_weight", "neurological_score", "body_condition"
VOLUMES = ("caliper_volume", "mri_volume")
LOW = (WEIGHT, CONDITION)
"""Kinds of which the lowest value of a day is the worst."""
KINDS: dict[EndpointMeasure, frozenset[str]] = {
    EndpointMeasure.WEIGHT_LOSS: frozenset({WEIGHT}),
    EndpointMeasure.NEUROLOGICAL_SCORE: frozenset({NEUROLOGICAL}),
    EndpointMeasure.BODY_CONDITION: frozenset({CONDITION}),
    EndpointMeasure.TUMOUR_VOLUME: frozenset(VOLUMES),
    EndpointMeasure.TUMOUR_BURDEN: frozenset({WEIGHT, *VOLUMES}),
}
"""Kinds of measurement that each endpoint looks at."""
JUDGED = frozenset().union(*KINDS.values())
_TABLE = table_of(EndpointAction)
_FOUND = ("level", "value", "finding", "reached_on", "measurement_id")
_CHANGING = (*_FOUND, "state", "deferred_until", "answer", "answered_on", "note")

Touched = tuple[int, str, Any]
"""Animal, kind and day (ISO text or date; None where nobody dated it) of a value that is new, corrected or taken back."""


def rule_of(recorded: EndpointRule | Row[Any]) -> Rule:
    """Give a recorded endpoint as the domain judges by it."""
    return Rule(recorded.measure, recorded.act_at, recorded.watch_at, recorded.consecutive_days, recorded.baseline)


@dataclass(slots=True)
class _Known:
    """What it takes to judge: living animals under protocols with endpoints, with their rules, actions and courses."""

    animals: dict[int, Row[Any]] = field(default_factory=dict)
    rules: dict[int, dict[int, Rule]] = field(default_factory=lambda: defaultdict(dict))
    """By animal, then by the endpoint's id."""
    courses: dict[int, Course] = field(default_factory=dict)
    standing: dict[tuple[int, int], Row[Any]] = field(default_factory=dict)
    answered: dict[tuple[int, int], date] = field(default_factory=dict)


def judge_new(
    session: Session, actor: Actor, project_id: int, animals: Collection[int], touched: Callable[[], Iterable[Touched]]
) -> None:
    """Judge values of animals that were recorded, corrected or taken back; `touched` is asked where some have endpoints.

    Opens an action, raises one from watch to act, opens a deferred one again, or notes that its value no longer reaches
    the endpoint. Values of dead animals, and those that nobody dated, ask nothing of anybody.
    """
    known = _read(session, project_id, animals)
    if not known.animals:
        return
    days: dict[tuple[int, str], set[date]] = defaultdict(set)
    for animal, kind, on in touched():
        if on is not None and kind in JUDGED:
            days[animal, kind].add(date.fromisoformat(on) if isinstance(on, str) else on)
    if days:
        declare(session, actor, "action:create", project=project_id)
        _judge(session, project_id, known, days)


def judge_again(session: Session, project_id: int, rule: EndpointRule) -> None:
    """Judge the last day of each living animal under a protocol by a rule that is new or changed, within a declared action."""
    last = session.execute(_last_days(KINDS[rule.measure]).where(Animal.protocol_id == rule.protocol_id)).all()
    known = _read(session, project_id, {animal for animal, *_ in last})
    for of_animal in known.rules.values():
        for other in of_animal.keys() - {rule.id}:
            del of_animal[other]
    _judge_days(session, project_id, known, last)


def judge_last(session: Session, project_id: int, animals: Collection[int]) -> None:
    """Judge the last day of living animals by the protocol they are under now, within a declared action.

    For animals that came under another protocol, and for those that turn out to live: while they were dead nobody was asked.
    """
    known = _read(session, project_id, animals)
    last = in_chunks(session, sorted(known.animals), lambda some: _last_days(JUDGED).where(Animal.id.in_(some)))
    _judge_days(session, project_id, known, last)


_LIVES = Animal.status == RecordStatus.ACTIVE, Animal.state != AnimalStatus.DEAD, Animal.died_on.is_(None)
_DAY_ZERO = func.coalesce(Enrolment.day_zero_on, Study.day_zero_on)
_UNDER_ENDPOINTS = (
    select(
        Animal.id,
        Animal.code,
        select(func.min(Implant.implanted_on))
        .where(Implant.animal_id == Animal.id, Implant.status == RecordStatus.ACTIVE)
        .scalar_subquery()
        .label("implanted_on"),
        select(_DAY_ZERO)
        .join(Study, Study.id == Enrolment.study_id)
        .where(Enrolment.animal_id == Animal.id, Enrolment.status == RecordStatus.ACTIVE, _DAY_ZERO.is_not(None))
        .order_by(Enrolment.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("day_zero_on"),
        EndpointRule.id.label("rule_id"),
        *(getattr(EndpointRule, name) for name in ("measure", "act_at", "watch_at", "consecutive_days", "baseline")),
        _TABLE.c.id.label("action_id"),
        *(_TABLE.c[name] for name in _CHANGING),
    )
    .join(EndpointRule, and_(EndpointRule.protocol_id == Animal.protocol_id, EndpointRule.status == RecordStatus.ACTIVE))
    .outerjoin(
        _TABLE,
        and_(_TABLE.c.animal_id == Animal.id, _TABLE.c.rule_id == EndpointRule.id, _TABLE.c.status == RecordStatus.ACTIVE),
    )
    .where(Animal.id.in_(KEYS), EndpointRule.project_id == bindparam("project"), *_LIVES)
    .order_by(Animal.id, EndpointRule.id, _TABLE.c.id)
)
"""A row for each animal, endpoint and action; with the days that losses of weight are counted from: of the first implant,
and day 0 of the last study that has one."""
_READINGS = select(
    Measurement.animal_id, Measurement.kind, Measurement.taken_on, Measurement.value, Measurement.id, Measurement.implant_id
).where(
    Measurement.animal_id.in_(KEYS),
    Measurement.kind.in_(bindparam("kinds", expanding=True)),
    Measurement.taken_on.is_not(None),
    *counted(),
)


def _last_days(kinds: Collection[str]) -> AnySelect:
    return (
        select(Measurement.animal_id, Measurement.kind, func.max(Measurement.taken_on))
        .join(Animal, Animal.id == Measurement.animal_id)
        .where(Measurement.kind.in_(kinds), Measurement.taken_on.is_not(None), *_LIVES, *counted())
        .group_by(Measurement.animal_id, Measurement.kind)
    )


def _judge_days(session: Session, project_id: int, known: _Known, last: Iterable[Any]) -> None:
    days = {(animal, kind): {on} for animal, kind, on in last if on is not None}
    if days:
        _judge(session, project_id, known, days)


def _judge(session: Session, project_id: int, known: _Known, days: Mapping[tuple[int, str], Collection[date]]) -> None:
    _read_courses(session, known, days.keys())
    opened: list[tuple[Row[Any], int, Finding]] = []
    changed: list[tuple[Row[Any], Response]] = []
    for key, animal in known.animals.items():
        for rule_id, rule in known.rules[key].items():
            touched = {on for kind in KINDS[rule.measure] for on in days.get((key, kind), ())}
            if not touched:
                continue
            found, row = judge(rule, known.courses[key]), known.standing.get((key, rule_id))
            answer = respond(found, touched, _standing(row), known.answered.get((key, rule_id)))
            if answer is None:
                continue
            if row is None and answer.finding is not None:
                opened.append((animal, rule_id, answer.finding))
            elif row is not None:
                changed.append((row, answer))
    _open(session, project_id, opened)
    _change(session, project_id, changed)


def _standing(row: Row[Any] | None) -> Standing | None:
    return None if row is None else Standing(row.level, row.state, row.reached_on, row.deferred_until, row.note)


def _read(session: Session, project_id: int, keys: Collection[int]) -> _Known:
    """Read the living animals among these whose protocols have endpoints, with the endpoints and what they ask already."""
    known, rules = _Known(), dict[int, Rule]()
    for row in rows_of(session, _UNDER_ENDPOINTS, sorted(keys), project=project_id):
        pair = row.id, row.rule_id
        known.animals.setdefault(row.id, row)
        known.rules[row.id][row.rule_id] = rules.get(row.rule_id) or rules.setdefault(row.rule_id, rule_of(row))
        if row.action_id is not None and row.state is not ActionState.CLOSED:
            known.standing[pair] = row
        elif row.answered_on is not None:
            known.answered[pair] = max(row.answered_on, known.answered.get(pair, row.answered_on))
    return known


def _read_courses(session: Session, known: _Known, touched: Collection[tuple[int, str]]) -> None:
    """Read what was measured of the animals that were touched, of the kinds that endpoints see together with these."""
    seen = {kind for _, kind in touched}
    kinds = {
        kind
        for of_animal in known.rules.values()
        for rule in of_animal.values()
        if not KINDS[rule.measure].isdisjoint(seen)
        for kind in KINDS[rule.measure]
    }
    ids = sorted(known.animals.keys() & {animal for animal, _ in touched}) if kinds else []
    for key in ids:
        row = known.animals[key]
        known.courses[key] = Course(day_zero_on=row.day_zero_on, implanted_on=row.implanted_on)
    tumours: dict[tuple[int, date], dict[int | None, Worst]] = defaultdict(dict)
    day = cache(as_date)
    for animal, kind, told, value, key, implant in driver_rows(session, _READINGS, keys=ids, kinds=sorted(kinds)):
        on: Any = day(told)  # never None: the statement leaves those out
        course = known.courses[animal]
        values: dict[Any, Worst] = tumours[animal, on] if kind in VOLUMES else _values(course, kind)
        place = implant if kind in VOLUMES else on
        before = values.get(place)
        if before is None or (value < before.value if kind in LOW else value > before.value):
            values[place] = Worst(value, key)
    for (animal, on), each in tumours.items():
        largest = max(each.values(), key=lambda w: w.value)
        known.courses[animal].volumes[on] = Worst(sum(w.value for w in each.values()), largest.source, len(each))


def _values(course: Course, kind: str) -> dict[date, Worst]:
    if kind == WEIGHT:
        return course.weights
    return course.neurological if kind == NEUROLOGICAL else course.condition


def _open(session: Session, project_id: int, opened: Sequence[tuple[Row[Any], int, Finding]]) -> None:
    """Write new actions and their trail as columns, as an import writes its readings."""
    if not opened:
        return
    first = reserve_ids(session, _TABLE, len(opened))
    ids = range(first, first + len(opened))
    project = session.get_one(Project, project_id)
    begun = {"state": ActionState.OPEN, "status": RecordStatus.ACTIVE}
    rows = [{"animal_id": animal.id, "rule_id": rule_id, **_found(one), **begun} for animal, rule_id, one in opened]
    labels = {rule_id: session.get_one(EndpointRule, rule_id).audit_label for rule_id in {rule_id for _, rule_id, _ in opened}}
    columns: dict[str, Column] = {name: [_driver(row[name]) for row in rows] for name in rows[0]}
    columns |= {"id": ids, "project_id": repeat(project_id), "version": repeat(1)}
    told = [
        _told(row, {"animal_id": animal.code, "rule_id": labels[rule_id]}, (project.id, project.audit_label))
        for row, (animal, rule_id, _) in zip(rows, opened, strict=True)
    ]
    insert_many(session, _TABLE, columns, ids, project_id, told)


def _found(one: Finding) -> dict[str, Any]:
    return dict(zip(_FOUND, (one.level, one.amount + 0.0, one.said, one.on, one.source), strict=True))


def _told(row: Mapping[str, Any], names: Mapping[str, str], project: tuple[int, str]) -> bytes:
    """Write a new action as the trail has it: references by id and name."""
    fields = {name: [value, names[name]] if name in names else _side(name, value) for name, value in row.items()}
    fields["project_id"] = list(project)
    return canonical({field_name(name): [value] for name, value in fields.items()}).encode()


def _side(name: str, value: Any) -> Any:
    return [value, f"#{value}"] if name == "measurement_id" and value is not None else text_of(value)


def _driver(value: Any) -> Any:
    """Give a value as the driver takes it: terms by their code, days as ISO text."""
    if isinstance(value, EndpointLevel | ActionState | RecordStatus):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _change(session: Session, project_id: int, changed: Sequence[tuple[Row[Any], Response]]) -> None:
    rows, keys, told = [], [], []
    for old, answer in changed:
        before = {name: getattr(old, name) for name in _CHANGING}
        after = before | _fields(answer)
        differing = {
            name: [_side(name, before[name]), _side(name, after[name])] for name in _CHANGING if before[name] != after[name]
        }
        rows.append(tuple(_driver(after[name]) for name in _CHANGING))
        keys.append(old.action_id)
        told.append(canonical({field_name(name): sides for name, sides in differing.items()}))
    update_many(session, _TABLE, _CHANGING, rows, keys, project_id, told)


def _fields(answer: Response) -> dict[str, Any]:
    if answer.step is Step.NOTED or answer.finding is None:
        return {"note": answer.note}
    opened = {"state": ActionState.OPEN, "deferred_until": None, "answer": None, "answered_on": None, "note": None}
    return _found(answer.finding) | opened


# The endpoints of a protocol


def _check_rules(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse limits that cannot be, and two endpoints of a protocol that look at the same."""
    protocols = sorted({draft.values["protocol_id"] for draft in drafts})
    columns = EndpointRule.protocol_id, EndpointRule.measure, EndpointRule.baseline, EndpointRule.id
    active = select(*columns).where(EndpointRule.protocol_id.in_(protocols), EndpointRule.status == RecordStatus.ACTIVE)
    seen: dict[tuple[Any, ...], int | None] = {(protocol, *what): key for protocol, *what, key in session.execute(active)}
    for number, draft in enumerate(drafts):
        with about_row(number):
            values = draft.values
            rule = Rule(*(values[name] for name in ("measure", "act_at", "watch_at", "consecutive_days", "baseline")))
            require_rule(rule)
            own = draft.record.id if draft.record is not None else -number - 1
            if seen.setdefault((values["protocol_id"], rule.measure, rule.baseline), own) != own:
                raise DomainError(
                    f"The protocol has an endpoint of {WORDS[rule.measure]} already.",
                    field="measure",
                    expected="one endpoint for each measure and baseline",
                    remedy="Change the one that is there.",
                    source=SOURCE,
                )


def _follow_rules(session: Session, rules: Sequence[EndpointRule]) -> None:
    """Judge the living animals' last values by rules that are new or changed."""
    for rule in rules:
        if rule.status is RecordStatus.ACTIVE:
            judge_again(session, rule.project_id, rule)


ENDPOINT: Noun[EndpointRule] = Noun(
    "endpoint",
    EndpointRule,
    check=_check_rules,
    follow=_follow_rules,
    fixed=frozenset({"protocol_id", "measure"}),
    key=(),
)


def use_usual_rules(session: Session, actor: Actor, protocol: AnimalProtocol) -> list[EndpointRule]:
    """Record the usual endpoints of brain and mammary work for a protocol, but for measures that it has an endpoint of.

    Raises:
        DomainError: it has all of them.
    """
    of_protocol = EndpointRule.protocol_id == protocol.id, EndpointRule.status == RecordStatus.ACTIVE
    known = set(session.scalars(select(EndpointRule.measure).where(*of_protocol)))
    rows = [{"protocol_id": protocol.id, **asdict(rule)} for rule in USUAL if rule.measure not in known]
    if not rows:
        raise DomainError("The protocol has an endpoint of every usual measure.", expected="a measure without one")
    return record(session, actor, ENDPOINT, protocol.project_id, rows)
