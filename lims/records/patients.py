"""Writes patients, what they consented to, and how they were treated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.pseudonyms import clean_patient_code
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, Patient, Specimen, TherapyAgent, TherapyLine
from lims.records.nouns import Draft, Noun, record
from lims.records.values import clean, today


def _check_patients(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse codes that identify, and years that contradict each other or lie ahead."""
    year = today(session).year
    for draft in drafts:
        born, age = draft.values["birth_year"], draft.values["age_at_diagnosis"]
        if draft.changes("code"):
            draft.values["code"] = clean_patient_code(draft.values["code"])
        if born is not None and born > year:
            raise DomainError(f"Year of birth {born} lies in the future.", field="birth_year", expected=f"{year} or earlier")
        if born is not None and age is not None and born + age > year:
            raise DomainError(
                f"Born in {born}, nobody is {age} years old in {year}.", field="age_at_diagnosis", expected=f"at most {year - born}"
            )


PATIENT = Noun("patient", Patient, check=_check_patients, fixed=frozenset({"code"}), dependents=((Specimen, "patient_id"),))


def _check_consents(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a consent that allows nothing, or was withdrawn before it was given."""
    for draft in drafts:
        values = draft.values
        if not any(values[use] for use in ("research", "xenograft", "commercial", "sharing")):
            raise DomainError(
                "This consent allows nothing.",
                field="research",
                expected="at least one permitted use",
                remedy="Tick what was allowed.",
            )
        if values["withdrawn_on"] is not None and values["withdrawn_on"] < values["given_on"]:
            raise DomainError(
                f"It cannot have been withdrawn on {values['withdrawn_on']}, before it was given on {values['given_on']}.",
                field="withdrawn_on",
                expected=f"{values['given_on']} or later",
            )


CONSENT = Noun("consent", Consent, check=_check_consents, fixed=frozenset({"patient_id"}), key=())


def _check_lines(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a line that ended before it began."""
    for draft in drafts:
        started, stopped = draft.values["started_on"], draft.values["stopped_on"]
        if started is not None and stopped is not None and stopped < started:
            raise DomainError(
                f"A line that began on {started} cannot have ended on {stopped}.",
                field="stopped_on",
                expected=f"{started} or later",
            )


THERAPY_LINE = Noun("therapy", TherapyLine, check=_check_lines, fixed=frozenset({"patient_id"}), key=())
THERAPY_AGENT = Noun("therapy", TherapyAgent, fixed=frozenset({"therapy_line_id"}), key=())


def set_agents(session: Session, actor: Actor, line: TherapyLine, agents: Sequence[tuple[str, AgentClass]]) -> bool:
    """Let a line of therapy have these agents and no others; gives whether anything changed.

    What is no longer among them is withdrawn, and comes back if it is named again.
    """
    declare(session, actor, "therapy:change", project=line.project_id)
    wanted = {
        (str(clean(session, TherapyAgent, {"name": name}, future=frozenset())["name"]), kind)
        for name, kind in agents
        if name.strip()
    }
    standing = {(agent.name, agent.agent_class): agent for agent in line.agents}
    changed = False
    for key, agent in standing.items():
        status = RecordStatus.ACTIVE if key in wanted else RecordStatus.WITHDRAWN
        changed = changed or agent.status is not status
        agent.status = status
    new: list[dict[str, Any]] = [
        {"therapy_line_id": line.id, "name": name, "agent_class": kind}
        for name, kind in dict.fromkeys((name.strip(), kind) for name, kind in agents)
        if (name, kind) in wanted and (name, kind) not in standing
    ]
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
    if not any(name.strip() for name, _ in agents):
        raise DomainError("A line of therapy needs at least one agent.", field="agents", expected="a name and its class")
    (line,) = record(session, actor, THERAPY_LINE, project_id, [values])
    set_agents(session, actor, line, agents)
    return line
