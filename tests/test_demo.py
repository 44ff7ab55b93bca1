"""The demo: made by the command on each engine, whole, verified, and open to its people only as their roles allow."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.audit.verify import verify
from lims.cli import main
from lims.commands.demo import demo_settings
from lims.config import Settings
from lims.db import Database
from lims.demo.bench import ROTAROD
from lims.demo.cohorts import BRAIN, FAT_PAD, RUNNING, STUDIES, WEIGHT_LOSS_LIMIT, StudyPlan, grow
from lims.demo.donors import DONORS
from lims.demo.files import body_weights, caliper_wide, living_image
from lims.demo.people import OTHER_PROJECT, PEOPLE, Person
from lims.demo.pharmacy import ANTIBODY, INHIBITOR, PI3K
from lims.demo.seed import SEED, Contents, contents
from lims.domain.cohort_terms import ActionState, DoseState, EndpointLevel, ExposureMatrix, FateReason, ProcedureKind
from lims.domain.dosing import DoseStanding
from lims.domain.signatures import SignatureAct, Standing
from lims.domain.synthetic import DEMO_PROJECT, DEMO_TITLE
from lims.domain.vocabulary import AnimalStatus, BatchState, ModelStatus, Quality, RecordStatus, RoleName, StudyStatus
from lims.intake.store import FileStore
from lims.models import (
    Agent,
    AgentLot,
    Allocation,
    Animal,
    Dose,
    Enrolment,
    Fate,
    ImportBatch,
    LabKind,
    Measurement,
    Patient,
    PdxModel,
    Procedure,
    Project,
    Study,
    User,
)
from lims.queries.doses import dosing_of
from lims.queries.exposures import of_study
from lims.queries.signed import judge_study
from lims.queries.welfare import open_actions
from tests.support.databases import PostgresqlServer
from tests.support.pages import MEMORY_KIB, Browser, application, message

DAY = date(2026, 1, 15)


def invoke(data: Path, *words: str, url: str | None = None) -> Result:
    """Run `lims --data DATA WORDS…`."""
    environment = {"LIMS_PASSWORD_MEMORY_KIB": str(MEMORY_KIB), "LIMS_DATABASE_URL": url}
    return CliRunner().invoke(main, ["--data", str(data), *words], env=environment)


Made = tuple[Settings, Result]


@pytest.fixture(scope="session")
def making(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Make the demo once on each engine, by the command; what one test changes of it, no other asks."""
    made: dict[str, Made] = {}

    def make(dialect: str) -> Made:
        if dialect not in made:
            data, url = tmp_path_factory.mktemp("demo"), None
            if dialect == "postgresql":
                server: PostgresqlServer = request.getfixturevalue("postgresql_server")
                url = server.create(template="template1")
            result = invoke(data, "demo", "--no-serve", url=url)
            made[dialect] = Settings(data_dir=data, database_url=url, password_memory_kib=MEMORY_KIB), result
        return made[dialect]

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, making: Callable[[str], Made]) -> Made:
    """Give the demo on each engine in turn."""
    return making(request.param)


@pytest.fixture
def demo(made: Made) -> Iterator[Database]:
    """Open the demo's database."""
    opened = Database(made[0].url)
    yield opened
    opened.close()


def test_command_prints_address_and_a_login_for_every_role(made: Made) -> None:
    _, result = made
    assert result.exit_code == 0, result.output
    assert "Address: http://127.0.0.1:5000" in result.output
    assert {person.role for person in PEOPLE} == set(RoleName)
    for person in PEOPLE:
        assert re.search(rf"{person.email} +{person.password}", result.output)
    assert "for the demo only" in result.output


def test_trail_and_files_verify(made: Made, demo: Database) -> None:
    report = verify(demo, files=FileStore(made[0].file_dir))
    assert report.ok, report.problems
    assert report.events > 100


def test_everything_the_story_needs_is_there(demo: Database) -> None:
    with demo.reading() as session:
        project = session.scalars(select(Project).where(Project.code == DEMO_PROJECT)).one()
        assert project.title == DEMO_TITLE
        states = Counter(session.scalars(select(ImportBatch.state).where(ImportBatch.project_id == project.id)))
        assert {state: states[state] for state in BatchState if state is not BatchState.COMMITTED} == {
            BatchState.STORED: 0,
            BatchState.CHECKED: 1,
            BatchState.REFUSED: 1,
            BatchState.WITHDRAWN: 1,
            BatchState.SUPERSEDED: 1,
        }
        assert states[BatchState.COMMITTED] > 20
        importers = set(session.scalars(select(ImportBatch.importer)))
        assert importers == {"living_image", "body_weight", "caliper_long", "caliper_wide"}
        grown = [report["rows"] for report in session.scalars(select(ImportBatch.report)) if report["rows"].get("same")]
        assert len(grown) == 2
        assert all(rows["new"] for rows in grown)
        assert dict(session.execute(select(Study.code, Study.state)).all()) == {
            BRAIN.code: StudyStatus.CLOSED,
            FAT_PAD.code: StudyStatus.LOCKED,
            RUNNING.code: StudyStatus.ACTIVE,
        }
        locked = session.scalars(select(Study).where(Study.code == FAT_PAD.code)).one()
        signed = [(one.signature.name, one.signature.act, one.standing) for one in judge_study(session, locked)]
        assert signed == [
            ("Dina Plover (demo)", SignatureAct.LOCK, Standing.VALID),
            ("Sami Wren (demo)", SignatureAct.COUNTERSIGN, Standing.VALID),
        ]
        assert session.scalar(select(func.count()).select_from(Patient).where(Patient.project_id == project.id)) == len(DONORS)
        assert set(session.scalars(select(PdxModel.state).where(PdxModel.project_id == project.id))) == {
            ModelStatus.ESTABLISHED,
            ModelStatus.ATTEMPTED,
            ModelStatus.FAILED,
        }
        qualities = Counter(session.scalars(select(Measurement.quality)))
        assert qualities[Quality.SUSPECT] == qualities[Quality.EXCLUDED] == 2  # flux and radiance of one region each
        enrolled = session.scalar(select(func.count()).select_from(Enrolment))
        assert enrolled == sum(arm.n for plan in STUDIES for arm in plan.arms)


def test_second_half_of_the_record_is_there(demo: Database) -> None:
    with demo.reading() as session:
        assert _counted(session, Dose.state) >= Counter({DoseState.GIVEN: 1_500, DoseState.HELD: 10, DoseState.MISSED: 5})
        assert session.scalars(select(Dose.id).where(Dose.state != DoseState.GIVEN, Dose.reason.is_(None))).all() == []
        fates = _counted(session, Fate.reason)
        assert (
            min(fates[one] for one in (FateReason.WEIGHT_ENDPOINT, FateReason.NEUROLOGICAL_ENDPOINT, FateReason.TUMOUR_BURDEN)) > 1
        )
        assert fates[FateReason.TECHNICAL] == 1
        excluded = session.execute(
            select(Enrolment.excluded_on, Enrolment.exclusion_reason).where(Enrolment.excluded_on.is_not(None))
        )
        assert [bool(why) for _, why in excluded] == [True]
        left_out = select(func.count()).select_from(Allocation).where(Allocation.arm_id.is_(None))
        assert session.scalar(left_out) == sum(plan.spare for plan in STUDIES)
        assert session.scalars(select(Study.code).where(Study.blinded)).all() == [RUNNING.code]
        expired = select(AgentLot.id).where(AgentLot.expires_on < datetime.now(UTC).date())
        assert len(session.scalars(expired).all()) == session.scalar(select(func.count()).select_from(Agent))
        assert session.scalars(select(LabKind.code)).all() == [ROTAROD["code"]]
        assert set(session.scalars(select(Procedure.kind))) >= {ProcedureKind.MRI, ProcedureKind.BLOOD_DRAW}


def _counted(session: Session, column: InstrumentedAttribute[Any]) -> Counter[Any]:
    return Counter(dict(session.execute(select(column, func.count()).group_by(column)).all()))


def test_one_drug_does_not_reach_the_brain_and_another_does(demo: Database) -> None:
    with demo.reading() as session:
        study = session.scalars(select(Study.id).where(Study.code == BRAIN.code)).one()
        found = of_study(session, study, unblinded=True)
    core: dict[str, list[float]] = {code: [] for code in (ANTIBODY, INHIBITOR, PI3K)}
    for one in found:
        if one.found.tissue.matrix is ExposureMatrix.LESION_CORE and one.found.kp_uu is not None:
            core[one.agent].append(one.found.kp_uu.value)
    assert max(core[ANTIBODY]) < 0.1
    assert min(*core[INHIBITOR], *core[PI3K]) > 0.3


def test_first_page_asks_for_everything_that_is_due(made: Made, demo: Database) -> None:
    with demo.reading() as session:
        project = session.scalars(select(Project.id).where(Project.code == DEMO_PROJECT)).one()
        running = session.scalars(select(Study).where(Study.code == RUNNING.code)).one()
        now = running.day_zero_on + timedelta(days=RUNNING.started_days_ago)
        asked = {(line.level, line.state) for line in open_actions(session, project)}
        standing = Counter(one.standing for one in dosing_of(session, running, now).planned)
    assert asked == {
        (EndpointLevel.ACT, ActionState.OPEN),
        (EndpointLevel.WATCH, ActionState.OPEN),
        (EndpointLevel.WATCH, ActionState.DEFERRED),
    }
    assert min(standing[one] for one in (DoseStanding.DUE, DoseStanding.OVERDUE, DoseStanding.PLANNED)) > 0


def test_numbers_are_those_the_generator_makes_for_the_day(demo: Database) -> None:
    with demo.reading() as session:
        day_zero = session.scalars(select(Study.day_zero_on).where(Study.code == BRAIN.code)).one()
        assert day_zero is not None
        cohort = grow(BRAIN, date.fromordinal(day_zero.toordinal() + BRAIN.started_days_ago), SEED)
        weights = session.execute(
            select(Animal.code, Measurement.taken_on, Measurement.value)
            .join(Animal, Animal.id == Measurement.animal_id)
            .where(
                Measurement.kind == "body_weight",
                Measurement.status == RecordStatus.ACTIVE,
                Animal.code.in_([mouse.code for mouse in cohort.mice]),
            )
        ).all()
    assert {(code, taken): value for code, taken, value in weights} == {
        (mouse.code, cohort.on(day)): weight for mouse in cohort.mice for day, weight in mouse.weights.items()
    }


def test_nothing_lies_in_the_future_or_after_a_death(demo: Database) -> None:
    today = datetime.now(UTC).date()
    with demo.reading() as session:
        assert session.scalars(select(Measurement.id).where(Measurement.taken_on > today)).all() == []
        late = select(Measurement.id).join(Animal, Animal.id == Measurement.animal_id).where(Measurement.taken_on > Animal.died_on)
        assert session.scalars(late).all() == []
        dead = session.scalars(select(Animal).where(Animal.died_on.is_not(None))).all()
    assert dead
    assert all(animal.state is AnimalStatus.DEAD for animal in dead)


def test_second_run_keeps_what_people_did(made: Made, demo: Database) -> None:
    settings, _ = made
    with demo.reading() as session:
        assert contents(session) is Contents.DEMO
        before = session.scalar(select(func.count()).select_from(Measurement))
    again = invoke(settings.data_dir, "demo", "--no-serve", url=settings.database_url)
    assert again.exit_code == 0, again.output
    assert "there already" in again.output
    with demo.reading() as session:
        assert session.scalar(select(func.count()).select_from(Measurement)) == before


# What a role sees is no matter of the engine: on the second, the pages of who may do least are enough.
READERS = [("sqlite", person) for person in PEOPLE] + [("postgresql", PEOPLE[-1])]


@pytest.mark.parametrize(("made", "person"), READERS, ids=lambda one: getattr(one, "role", one), indirect=["made"])
def test_story_leads_everybody_to_pages_that_are_there(made: Made, demo: Database, person: Person) -> None:
    browser = Browser(application(made[0], demo))
    browser.submit(browser.get("/login"), "/login", email=person.email, password=person.password)
    home = browser.get("/")
    assert home.find("a", href=f"/p/{DEMO_PROJECT}/story/")
    story = browser.get(f"/p/{DEMO_PROJECT}/story/", heading="The story in five minutes")
    assert "BCBM-P01-BM" in message(story)
    links = {str(link["href"]) for link in story.select("main a")}
    assert len(links) >= 5
    for link in sorted(links):
        browser.get(link)


def test_other_project_is_the_administrators_alone(made: Made, demo: Database) -> None:
    for person in PEOPLE:
        browser = Browser(application(made[0], demo))
        browser.submit(browser.get("/login"), "/login", email=person.email, password=person.password)
        browser.get(f"/p/{OTHER_PROJECT}/", status=200 if person.role is RoleName.ADMINISTRATOR else 404)
        # It is no demo of its own: it has no story.
        browser.get(f"/p/{OTHER_PROJECT}/story/", status=404)


def test_refuses_a_database_with_data(tmp_path: Path) -> None:
    assert invoke(tmp_path, "init", "--project", "REAL").exit_code == 0
    refused = invoke(tmp_path, "demo", "--no-serve")
    assert refused.exit_code == 1
    assert "holds data that is not the demo" in refused.output
    opened = Database(f"sqlite:///{tmp_path / 'lims.db'}")
    with opened.reading() as session:
        assert session.scalars(select(Project.code)).all() == ["REAL"]
        assert session.scalars(select(User.id)).all() == []
    opened.close()


def test_refuses_somebody_elses_tables(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "lims.db") as other:
        other.execute("CREATE TABLE freezer (id INTEGER)")
    other.close()
    refused = invoke(tmp_path, "demo", "--no-serve")
    assert refused.exit_code == 1
    assert "nothing was changed" in refused.output


def test_has_a_data_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = Settings(data_dir=tmp_path)
    assert demo_settings(named) is named
    monkeypatch.delenv("LIMS_DATA_DIR")
    assert demo_settings(Settings()).data_dir != Settings().data_dir


@pytest.mark.parametrize("plan", STUDIES, ids=lambda plan: plan.code)
def test_cohorts_and_files_are_the_same_for_the_same_day(plan: StudyPlan) -> None:
    first, second, other = grow(plan, DAY, 1), grow(plan, DAY, 1), grow(plan, DAY, 2)
    assert first == second
    assert first != other
    if plan.brain:
        assert living_image(first, 0, first.enrolled()) == living_image(second, 0, second.enrolled())
        assert "[p/s/cm²/sr]".encode("cp1252") in living_image(first, 0, first.enrolled())
    else:
        assert caliper_wide(first, (-7, 0)) == caliper_wide(second, (-7, 0))
        assert re.search(rb";\d+,\d\r\n", caliper_wide(first, (-7, 0)))


def test_treatment_fails_in_the_brain_and_works_outside() -> None:
    brain, outside = grow(BRAIN, DAY, SEED), grow(FAT_PAD, DAY, SEED)
    early = Counter(mouse.arm for mouse in brain.mice if mouse.died is not None)
    assert min(early["VEH"], early["TRAS"], early["TUC"]) >= 6
    assert early["TUC+PAX"] == 0
    last = {
        arm.code: max(mouse.volume(max(mouse.diameters)) for mouse in outside.mice if mouse.arm == arm.code) for arm in FAT_PAD.arms
    }
    assert last["TRAS"] < last["TUC"] < last["VEH"]
    assert last["TUC+PAX"] < 130


def test_animals_leave_at_the_weight_limit_and_are_not_weighed_after() -> None:
    cohort = grow(BRAIN, DAY, SEED)
    for mouse in cohort.enrolled():
        lost = {day: 100 * (1 - weight / mouse.weights[0]) for day, weight in mouse.weights.items()}
        heavy = mouse.died if mouse.fate is FateReason.WEIGHT_ENDPOINT else None
        assert [day for day, percent in lost.items() if percent >= WEIGHT_LOSS_LIMIT] == ([heavy] if heavy else [])
        assert max(mouse.weights) == (mouse.died or max(BRAIN.weighings()))
    assert body_weights(cohort, [0, 39]) != body_weights(cohort, [0, 36])
