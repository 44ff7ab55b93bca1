"""Read models of treatment: agents, their lots, and the regimens of arms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from lims.domain.vocabulary import RecordStatus, StudyStatus
from lims.models import Agent, AgentLot, Arm, Dose, Regimen, Study
from lims.queries.blinding import readable, shown_arm, shown_order
from lims.queries.series import AnySelect

PLANNABLE = (StudyStatus.DRAFT, StudyStatus.ACTIVE)
"""States of a study in which regimens are planned."""


def agent_list(project_id: int, today: date) -> AnySelect:
    """Select the project's agents with how many lots of each are there that have not expired."""
    lots = select(func.count()).where(
        AgentLot.agent_id == Agent.id,
        AgentLot.status == RecordStatus.ACTIVE,
        func.coalesce(AgentLot.expires_on, today) >= today,
    )
    return select(lots.correlate(Agent).scalar_subquery().label("lots")).select_from(Agent).where(Agent.project_id == project_id)


def lot_list(project_id: int, today: date) -> AnySelect:
    """Select the project's lots with their agents, and whether they have expired."""
    expired = case((AgentLot.expires_on < today, "expired"), else_="usable")
    return select(expired.label("state")).select_from(AgentLot).join(Agent).where(AgentLot.project_id == project_id)


def regimen_list(project_id: int, *, unblinded: bool) -> AnySelect:
    """Select the regimens that a person may read, with arm, study, agent and how many doses are recorded."""
    doses = select(func.count()).where(Dose.regimen_id == Regimen.id, Dose.status == RecordStatus.ACTIVE)
    return (
        select(doses.correlate(Regimen).scalar_subquery().label("doses"), Study.code.label("study"), Arm.title.label("arm"))
        .select_from(Regimen)
        .join(Arm, Arm.id == Regimen.arm_id)
        .join(Study, Study.id == Arm.study_id)
        .join(Agent, Agent.id == Regimen.agent_id)
        .where(Regimen.project_id == project_id, readable(Regimen, unblinded=unblinded))
    )


def arms_to_plan(session: Session, project_id: int, study_id: int | None, *, unblinded: bool) -> list[tuple[int, str]]:
    """List id and name of the arms that may be given a regimen: of studies that are draft or active, or of one, and readable."""
    of = () if study_id is None else (Study.id == study_id,)
    rows = session.execute(
        select(Arm.id, Study.code, shown_arm(unblinded=unblinded).label("arm"))
        .join(Study, Study.id == Arm.study_id)
        .where(Arm.project_id == project_id, Arm.status == RecordStatus.ACTIVE, readable(Arm, unblinded=unblinded))
        .where(Study.state.in_(PLANNABLE), Study.status == RecordStatus.ACTIVE, *of)
        .order_by(Study.code, *shown_order(unblinded=unblinded))
    )
    return [(key, f"{study} · {arm}") for key, study, arm in rows]


def regimens_where(session: Session, *where: ColumnElement[bool], unblinded: bool) -> Sequence[Regimen]:
    """List the active regimens that a person may read, in the order of studies and arms; one statement.

    `where` narrows a statement that has `Regimen`, `Arm` and `Study`.
    """
    wanted = (
        select(Regimen)
        .join(Arm, Arm.id == Regimen.arm_id)
        .join(Study, Study.id == Arm.study_id)
        .where(Regimen.status == RecordStatus.ACTIVE, Arm.status == RecordStatus.ACTIVE, *where)
        .where(readable(Regimen, unblinded=unblinded))
        .options(contains_eager(Regimen.arm).contains_eager(Arm.study), joinedload(Regimen.agent))
        .order_by(Study.code, Arm.position, Regimen.id)
    )
    return session.scalars(wanted).all()


def lots_of(session: Session, agent_id: int) -> Sequence[AgentLot]:
    """List an agent's active lots, those that expire first behind."""
    own = select(AgentLot).where(AgentLot.agent_id == agent_id, AgentLot.status == RecordStatus.ACTIVE)
    return session.scalars(own.order_by(AgentLot.expires_on.desc().nulls_first(), AgentLot.id.desc())).all()


def lots_named(session: Session, project_id: int, codes: set[str]) -> dict[tuple[str, int], AgentLot]:
    """Find active lots by the code on the vial and the agent; the same code may be of several agents."""
    named = select(AgentLot).where(AgentLot.project_id == project_id, AgentLot.code.in_(sorted(codes)))
    return {(one.code, one.agent_id): one for one in session.scalars(named.where(AgentLot.status == RecordStatus.ACTIVE))}


def given_of(session: Session, **which: Any) -> tuple[int, date | None]:
    """Count the recorded doses of an agent, a lot or a regimen (`agent_id=…`), and give the day of the last one given."""
    counts = select(func.count(), func.max(Dose.given_on)).where(Dose.status == RecordStatus.ACTIVE)
    count, last = session.execute(counts.filter_by(**which)).one()
    return count, last
