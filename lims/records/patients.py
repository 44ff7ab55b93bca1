"""Writes patients, what they consented to, and how they were treated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.consents import GATE_SOURCE, USES, WITHDRAWAL_SOURCE
from lims.domain.errors import ChangedMeanwhile, DomainError
from lims.domain.notices import Notice
from lims.domain.pseudonyms import clean_patient_code, doubt_patient_code, refuse_identifying, words_in
from lims.domain.sources import CLINICAL, NCIT, NEVER_TWICE, ORDER_OF_EVENTS
from lims.domain.tissue_terms import AgentClass, StopReason
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, Patient, Project, Specimen, Study, TherapyAgent, TherapyLine
from lims.queries.chunks import by_id, in_chunks
from lims.queries.derived import implants_since, specimens_since
from lims.records.noun import Draft, Noun, doubt_each, judge_each
from lims.records.nouns import apply, begin_change, record
from lims.records.values import clean, today

_NCIT = re.compile(r"C\d{1,7}")


def _check_patients(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse what identifies a person, and years that contradict each other, what happened since, or lie ahead."""
    year = today(session).year

    def judge(draft: Draft) -> None:
        values = draft.values
        born, age, ncit = values["birth_year"], values["age_at_diagnosis"], values["diagnosis_ncit"]
        if draft.changes("code"):
            values["code"] = clean_patient_code(values["code"])
        refuse_identifying(values["ethnicity"], "ethnicity", "Ethnicity")
        refuse_identifying(values["diagnosis"], "diagnosis", "The diagnosis")
        if ncit is not None and not _NCIT.fullmatch(ncit):
            raise DomainError(f'"{ncit}" is no NCI Thesaurus code.', field="diagnosis_ncit", expected="such as C53556", source=NCIT)
        if born is not None and born > year:
            raise DomainError(
                f"Year of birth {born} lies in the future.",
                field="birth_year",
                expected=f"{year} or earlier",
                source=ORDER_OF_EVENTS,
            )
        if born is not None and age is not None and born + age > year:
            raise DomainError(
                f"Born in {born}, nobody is {age} years old in {year}.",
                field="age_at_diagnosis",
                expected=f"at most {year - born}",
                source=ORDER_OF_EVENTS,
            )
        if born is not None and draft.record is not None and draft.changes("birth_year"):
            _refuse_birth_after(session, draft.record.id, born)

    judge_each(drafts, judge)


def _refuse_birth_after(session: Session, patient_id: int, born: int) -> None:
    """Refuse a year of birth after something that happened to the patient."""
    for what, column in (
        ("consent was given", Consent.given_on),
        ("a line of therapy began", TherapyLine.started_on),
        ("tissue was collected", Specimen.collected_on),
    ):
        table = column.class_
        first = session.scalar(select(func.min(column)).where(table.patient_id == patient_id, table.status == RecordStatus.ACTIVE))
        if first is not None and first.year < born:
            raise DomainError(
                f"Nobody born in {born} can be the patient: {what} on {first}.",
                field="birth_year",
                expected=f"{first.year} or earlier",
                remedy="Correct the year of birth, or that record first.",
                source=ORDER_OF_EVENTS,
            )


def _doubt_patients(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about a new code that could be a name; words of the project, its studies and its patients' codes are none."""
    new = {
        number: clean_patient_code(draft.values["code"])
        for number, draft in enumerate(drafts)
        if draft.record is None and draft.values.get("code")
    }
    if not any(doubt_patient_code(code) for code in new.values()):
        return []
    named = union_all(
        select(Project.code).where(Project.id == project_id),
        select(Study.code).where(Study.project_id == project_id),
        select(Patient.code).where(Patient.project_id == project_id),
    )
    known = {word for code in session.scalars(named) for word in words_in(code)}
    return [replace(one, rows=(number,)) for number, code in new.items() for one in doubt_patient_code(code, known)]


PATIENT = Noun(
    "patient",
    Patient,
    check=_check_patients,
    doubt=_doubt_patients,
    fixed=frozenset({"code"}),
    dependents=((Specimen, "patient_id"),),
)


def _check_consents(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a consent that allows nothing, was withdrawn before it was given, is older than the patient, or known already."""
    patients = _patients_of(session, drafts)

    def judge(draft: Draft) -> None:
        values = draft.values
        given, withdrawn = values["given_on"], values["withdrawn_on"]
        if not any(values[use] for use in USES):
            raise DomainError(
                "This consent allows nothing.",
                field="research",
                expected="at least one permitted use",
                remedy="Tick what was allowed.",
                source=GATE_SOURCE,
            )
        if withdrawn is not None and withdrawn < given:
            raise DomainError(
                f"It cannot have been withdrawn on {withdrawn}, before it was given on {given}.",
                field="withdrawn_on",
                expected=f"{given} or later",
                source=GATE_SOURCE,
            )
        refuse_identifying(values["note"], "note", "The note")
        _refuse_before_birth(patients[values["patient_id"]], given, "given_on", "Consent cannot have been given")

    judge_each(drafts, judge)
    _refuse_same(
        session,
        Consent,
        drafts,
        ("protocol", "protocol_version", "given_on"),
        "{patient} has consented to {protocol} {protocol_version} of {given_on} already.",
    )


def _doubt_consents(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about a withdrawal that is older than specimens and implants of the patient's tissue."""

    def doubt(draft: Draft) -> list[Notice]:
        withdrawn, patient_id = draft.values["withdrawn_on"], draft.values["patient_id"]
        if withdrawn is None or withdrawn < draft.values["given_on"] or not draft.changes("withdrawn_on"):
            return []
        return [
            *_done_since("specimen of this patient", specimens_since(session, patient_id, withdrawn), withdrawn),
            *_done_since("implant of this patient's tissue", implants_since(session, patient_id, withdrawn), withdrawn),
        ]

    return doubt_each(drafts, doubt)


def _done_since(what: str, count: int, withdrawn: date) -> list[Notice]:
    if not count:
        return []
    noun, _, whose = what.partition(" ")
    told = f"{count} {noun}{'s' if count > 1 else ''} {whose} {'are' if count > 1 else 'is'} dated {withdrawn} or later"
    expected = f"no {noun} after a withdrawal; report it to who is responsible for consents"
    return [Notice("warning", "withdrawn_on", f"{told}: tissue was used after the consent ended.", expected, WITHDRAWAL_SOURCE)]


CONSENT = Noun("consent", Consent, check=_check_consents, doubt=_doubt_consents, fixed=frozenset({"patient_id"}), key=())


def _check_lines(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a line that ended before it began, goes on and has ended, is older than the patient, or has another's number."""
    patients = _patients_of(session, drafts)

    def judge(draft: Draft) -> None:
        started, stopped = draft.values["started_on"], draft.values["stopped_on"]
        if started is not None and stopped is not None and stopped < started:
            raise DomainError(
                f"A line that began on {started} cannot have ended on {stopped}.",
                field="stopped_on",
                expected=f"{started} or later",
                source=ORDER_OF_EVENTS,
            )
        if stopped is not None and draft.values["stop_reason"] is StopReason.ONGOING:
            raise DomainError(
                f"A line that ended on {stopped} does not go on.",
                field="stop_reason",
                expected="why it ended",
                remedy="Choose the reason, or leave the date blank.",
                source=ORDER_OF_EVENTS,
            )
        refuse_identifying(draft.values["note"], "note", "The note")
        for field in ("started_on", "stopped_on"):
            _refuse_before_birth(patients[draft.values["patient_id"]], draft.values[field], field, "Treatment cannot have been")

    judge_each(drafts, judge)
    _refuse_same(session, TherapyLine, drafts, ("line_number",), "{patient} has a line {line_number} already.")


def _doubt_lines(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about treatment that began before the diagnosis."""
    patients = _patients_of(session, drafts)

    def doubt(draft: Draft) -> Iterator[Notice]:
        patient, started = patients[draft.values["patient_id"]], draft.values["started_on"]
        born, age = patient.birth_year, patient.age_at_diagnosis
        if started is None or born is None or age is None or not draft.changes("started_on") or started.year >= born + age:
            return
        told = f"This line began in {started.year}, but {patient.code} was diagnosed at {age}, in {born + age} or {born + age + 1}."
        yield Notice("warning", "started_on", told, expected="treatment after the diagnosis", source=ORDER_OF_EVENTS)

    return doubt_each(drafts, doubt)


THERAPY_LINE = Noun("therapy", TherapyLine, check=_check_lines, doubt=_doubt_lines, fixed=frozenset({"patient_id"}), key=())
THERAPY_AGENT = Noun("therapy", TherapyAgent, fixed=frozenset({"therapy_line_id"}), key=())


def _patients_of(session: Session, drafts: Sequence[Draft]) -> dict[int, Patient]:
    return by_id(session, Patient, (draft.values["patient_id"] for draft in drafts))


def _refuse_before_birth(patient: Patient, on: date | None, field: str, told: str) -> None:
    if on is not None and patient.birth_year is not None and on.year < patient.birth_year:
        raise DomainError(
            f"{told} on {on}: patient {patient.code} was born in {patient.birth_year}.",
            field=field,
            expected=f"{patient.birth_year} or later",
            source=ORDER_OF_EVENTS,
        )


def _refuse_same(
    session: Session, model: type[Consent] | type[TherapyLine], drafts: Sequence[Draft], names: tuple[str, ...], told: str
) -> None:
    """Refuse a second active record of one patient that agrees in these columns; `told` is the sentence."""
    patients = sorted({draft.values["patient_id"] for draft in drafts})
    columns = [getattr(model, name) for name in ("patient_id", *names)]
    rows = in_chunks(
        session,
        patients,
        lambda some: select(model.id, *columns).where(model.patient_id.in_(some), model.status == RecordStatus.ACTIVE),
    )
    judged = {draft.record.id for draft in drafts if draft.record is not None}
    taken = {tuple(row[1:]) for row in rows if row.id not in judged}

    def judge(draft: Draft) -> None:
        key = tuple(draft.values[name] for name in ("patient_id", *names))
        if key in taken:
            code = session.get_one(Patient, draft.values["patient_id"]).code
            raise DomainError(
                told.format(patient=code, **draft.values),
                field=names[-1],
                expected="one that is not recorded yet",
                remedy="Change that record instead.",
                source=NEVER_TWICE,
            )
        taken.add(key)

    judge_each(drafts, judge)


def set_agents(session: Session, actor: Actor, line: TherapyLine, agents: Sequence[tuple[str, AgentClass]]) -> bool:
    """Let a line of therapy have these agents and no others; gives whether anything changed.

    What is no longer among them is withdrawn, and comes back if it is named again. Blank names do not count.

    Raises:
        DomainError: no agent is named.
    """
    declare(session, actor, "therapy:change", project=line.project_id)
    wanted = dict.fromkeys(
        (clean(session, TherapyAgent, {"name": name}, future=frozenset())["name"], kind) for name, kind in agents if name.strip()
    )
    if not wanted:
        raise DomainError(
            "A line of therapy needs at least one agent.", field="agents", expected="a name and its class", source=CLINICAL
        )
    standing = {(agent.name, agent.agent_class): agent for agent in line.agents}
    changed = False
    for key, agent in standing.items():
        status = RecordStatus.ACTIVE if key in wanted else RecordStatus.WITHDRAWN
        changed = changed or agent.status is not status
        agent.status = status
    new = [{"therapy_line_id": line.id, "name": name, "agent_class": kind} for name, kind in wanted if (name, kind) not in standing]
    record(session, actor, THERAPY_AGENT, line.project_id, new)
    session.refresh(line, ["agents"])
    return changed or bool(new)


def add_therapy_line(
    session: Session,
    actor: Actor,
    project_id: int,
    values: dict[str, Any],
    agents: Sequence[tuple[str, AgentClass]],
    *,
    reason: str = "",
) -> TherapyLine:
    """Record a line of therapy with its agents.

    Raises:
        DomainError: no agent is named, or a value does not fit.
    """
    declare(session, actor, "therapy:create", reason=reason, project=project_id)
    (line,) = record(session, actor, THERAPY_LINE, project_id, [values])
    set_agents(session, actor, line, agents)
    return line


def change_therapy_line(
    session: Session,
    actor: Actor,
    line: TherapyLine,
    *,
    seen: tuple[int, int],
    reason: str,
    fields: Mapping[str, Any],
    agents: Sequence[tuple[str, AgentClass]],
) -> None:
    """Change a line of therapy, its agents, or both. `seen` are its version and that of its agents as they were shown.

    Raises:
        DomainError: no reason is given, nothing differs, no agent is named, or a value does not fit.
        Conflict: somebody else changed the line or its agents meanwhile, or it was withdrawn.
    """
    version, agents_version = seen
    begin_change(session, actor, THERAPY_LINE, line, version=version, reason=reason)
    if line.agents_version != agents_version:
        raise ChangedMeanwhile(line, "the agents of this line")
    changed = apply(session, THERAPY_LINE, line, clean(session, TherapyLine, fields, future=THERAPY_LINE.future))
    if not set_agents(session, actor, line, agents) and not changed:
        raise DomainError("Nothing differs from what is recorded.", remedy="Change a field, or leave the page.")
