"""Fills an empty database with the demo, by the same services that people's work goes through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import Enum

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.config import Settings
from lims.db import Database
from lims.demo.bench import add_imaging, add_rotarod, add_scans, add_scores, defer_a_watch, prepare
from lims.demo.cohorts import BRAIN, FAT_PAD, RUNNING, STUDIES, grow
from lims.demo.desk import Desk
from lims.demo.dosing import add_doses
from lims.demo.exposures import add_exposures
from lims.demo.hands import Hands
from lims.demo.imports import brain_files, fat_pad_files, running_files, screening
from lims.demo.lineages import LINES, Passages
from lims.demo.people import add_people
from lims.demo.pharmacy import stock
from lims.demo.studies import Recorded, add_cohort, begin, close, exclude, leave, sign
from lims.demo.tissue import add_other_tissue, add_tissue, withdraw_consent
from lims.models import AuditEvent, Project, Specimen, User

SEED = 20
FILES = {BRAIN.code: brain_files, FAT_PAD.code: fat_pad_files, RUNNING.code: running_files}
COMPLETE = "the demo is complete"
"""Reason of the last event of seeding: a database without it is not a demo, or one that was interrupted."""


class Contents(Enum):
    """What a database holds, as far as the demo asks."""

    NOTHING = "nothing"
    DEMO = "a demo"
    OTHER = "other data"


def contents(session: Session) -> Contents:
    """Tell whether a database is empty, without tables even, or holds a complete demo, or anything else."""
    tables = set(inspect(session.connection()).get_table_names())
    if not tables >= {Project.__tablename__, User.__tablename__, AuditEvent.__tablename__}:
        return Contents.OTHER if tables else Contents.NOTHING
    if session.scalar(select(Project.id).limit(1)) is None and session.scalar(select(User.id).limit(1)) is None:
        return Contents.NOTHING
    complete = select(AuditEvent.seq).where(AuditEvent.action == "system:set-up", AuditEvent.reason == COMPLETE)
    return Contents.OTHER if session.scalar(complete.limit(1)) is None else Contents.DEMO


def seed(settings: Settings, database: Database, actor: Actor, today: date, say: Callable[[str], None]) -> None:
    """Fill an empty, migrated database with the demo as of `today`; `say` hears of the progress.

    Everything but times and hashes is the same for the same `today`.
    """
    say("People, projects and tissue …")
    with database.transaction() as session:
        staff = add_people(session, actor, settings.password_memory_kib)
    with database.transaction() as session:
        metastases = add_tissue(session, staff.scientist, staff.project, today)
    scientist, technician = (Hands(database, actor, staff.project) for actor in (staff.scientist, staff.technician))
    passages = _grow_models(Passages(scientist, technician, today), metastases, today, say)
    with database.transaction() as session:
        add_other_tissue(session, actor, staff.other_project)
    prepare(scientist, passages.protocol)
    pharmacy = stock(scientist, today)
    desk = Desk(settings, database, staff.project)
    for plan in STUDIES:
        say(f"Study {plan.code}: animals, arms, files, doses …")
        recorded = add_cohort(database, staff, grow(plan, today, SEED), passages, pharmacy)
        screening(desk, staff, recorded)
        begin(database, staff, recorded)
        FILES[plan.code](desk, staff, recorded)
        if plan.brain:
            add_scores(technician, recorded)
        leave(database, staff, recorded)
        if plan is BRAIN:
            add_scans(technician, recorded)
            exclude(database, staff, recorded)
        doses = add_doses(technician, recorded, pharmacy, today)
        if plan is RUNNING:
            _go_on(scientist, technician, recorded, today)
        else:
            add_exposures(scientist, recorded, pharmacy, doses)
            close(database, staff, recorded)
        if plan is FAT_PAD:
            sign(database, staff, recorded)
    withdraw_consent(scientist, today)
    with database.transaction() as session:
        declare(session, actor, "system:set-up", reason=COMPLETE, project=staff.project, detail={"today": today})


def _grow_models(passages: Passages, metastases: Mapping[str, Specimen], today: date, say: Callable[[str], None]) -> Passages:
    """Implant each patient's tissue and go on from passage to passage."""
    for line in LINES:
        say(f"Model {line.model}: from tissue to its last passage …")
        passages.grow(line, metastases[line.donor])
    passages.add_culture(metastases["BCBM-P01"])
    passages.send("BM-01", today - timedelta(days=40))
    return passages


def _go_on(scientist: Hands, technician: Hands, recorded: Recorded, today: date) -> None:
    """Record what a study that still runs has: a latency of the laboratory's own, images, and a watch that was put off."""
    add_rotarod(technician, recorded)
    add_imaging(technician, recorded)
    defer_a_watch(scientist, recorded, today)
