"""A project with a study of two arms that the page tests look at, and people of four roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.vocabulary import Quality, RoleName
from lims.models import Project
from lims.records.colony import ANIMAL, cages_named
from lims.records.implants import IMPLANT
from lims.records.measurements import Readings, record_measurements
from lims.records.nouns import record
from lims.records.studies import ARM, STUDY, enrol
from tests.support import factories as make
from tests.support.databases import kept
from tests.support.pages import COMMAND_LINE, add_person, add_project

DAY_ZERO = date(2026, 3, 2)
FLUX = (1.2e6, 4.5e6, 2.1e7)


@dataclass(frozen=True, slots=True)
class Cohort:
    """What was recorded: ids of the study, its animals in order of id, the batch, and the flux and weight readings."""

    study: int
    animals: list[int]
    codes: list[str]
    arms: list[int]
    batch: int
    flux: range
    weights: range


@kept
def add_people(database: Database) -> None:
    """Add projects BCBM and OTHER, with a person of each role in the first and a stranger in the second."""
    for code in ("BCBM", "OTHER"):
        add_project(database, code)
    for name, role in (("Ines", RoleName.AUDITOR), ("Tom", RoleName.TECHNICIAN), ("Sara", RoleName.SCIENTIST)):
        add_person(database, name, BCBM=role)
    add_person(database, "Olga", OTHER=RoleName.SCIENTIST)


@kept
def add_cohort(
    database: Database, code: str = "BM-014", *, animals: int = 2, project: str = "BCBM", by: Actor = COMMAND_LINE
) -> Cohort:
    """Record a study with `animals` in each of two arms, read for flux and weight on days 0, 7 and 14."""
    with database.transaction() as session:
        home = session.query(Project).filter_by(code=project).one()
        design = {"code": code, "title": f"Title of {code}", "day_zero_on": DAY_ZERO, "weight_loss_limit_percent": 20}
        (study,) = record(session, by, STUDY, home.id, [design])
        named = [
            {"code": "V", "title": "Vehicle", "role": make.ArmRole.VEHICLE, "study_id": study.id},
            {"code": "T", "title": "Tucatinib", "study_id": study.id},
        ]
        arms = record(session, by, ARM, home.id, named)
        cage = cages_named(session, by, home.id, ["C7"])["C7"]
        codes = [f"{code}-M{n:02}" for n in range(1, 2 * animals + 1)]
        mice = record(session, by, ANIMAL, home.id, [{"code": one, "cage_id": cage} for one in codes])
        record(session, by, IMPLANT, home.id, [{"animal_id": mouse.id, "label": "brain"} for mouse in mice])
        enrol(session, by, study, [{"arm_id": arms[n % 2].id, "animal_id": mouse.id} for n, mouse in enumerate(mice)])
        batch = make.batch(session, home, file_name=f"{code}.xlsx", committed_by_id=by.id)
        hosts = [(mouse.id, mouse.code) for mouse in mice for _ in FLUX]
        days = [(DAY_ZERO + timedelta(days=7 * n)).isoformat() for _ in mice for n in range(len(FLUX))]
        common = {
            "project": (home.id, home.code),
            "animals": hosts,
            "implants": None,
            "slots": days,
            "taken_on": days,
            "batch": (batch.id, f"batch {batch.id}"),
            "sheet": "Sheet1",
            "rows": range(2, 2 + len(hosts)),
        }
        flux = [FLUX[n % 3] for n in range(len(hosts))]
        read = record_measurements(
            session,
            by,
            Readings(kind="bli_total_flux", values=flux, columns=3, raw=[f"{value:.3g}" for value in flux], **common),  # type: ignore[arg-type]  # keywords of several types
        )
        weights = [21.0 - n % 3 for n in range(len(hosts))]
        weighed = record_measurements(session, by, Readings(kind="body_weight", values=weights, **common))  # type: ignore[arg-type]  # keywords of several types
        return Cohort(
            study.id, [one.id for one in mice], [one.code for one in mice], [arm.id for arm in arms], batch.id, read, weighed
        )


def add_reading(
    database: Database, cohort: Cohort, value: float, quality: Quality = Quality.OK, kind: str = "bli_total_flux"
) -> int:
    """Record one more reading of the first animal, on day 21."""
    with make.declared(database) as session:
        first = session.get_one(make.Animal, cohort.animals[0])
        return make.measurement(session, first, kind, value, taken_on=DAY_ZERO + timedelta(days=21), quality=quality).id
