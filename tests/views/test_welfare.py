"""What endpoints ask on the Today page, how people answer it, and fates by form: of one animal, of many, and with a harvest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select
from werkzeug.test import TestResponse

from lims.db import Database
from lims.domain.cohort_terms import ActionState, EndpointMeasure
from lims.domain.colony_terms import Engraftment
from lims.domain.vocabulary import RoleName
from lims.models import EndpointAction, EndpointRule, Fate
from lims.views import actions, today
from lims.views.transaction import Application
from tests.records.welfare import Ward
from tests.support import factories
from tests.support.pages import Browser, add_person, add_project, as_read, message, only
from tests.support.statements import statements

HERE = "/p/WARD"
NOW = datetime.now(UTC).date()


@pytest.fixture
def ward(sqlite_database: Database) -> Ward:
    """Give M1 at 20 % of weight lost, M2 at 15 %, M3 well; Sara is the scientist, Tom the technician."""
    ward = Ward.open(sqlite_database, 3)
    ward.rule()
    for name, role in (("Tom", RoleName.TECHNICIAN), ("Sara", RoleName.SCIENTIST), ("Ines", RoleName.AUDITOR)):
        add_person(sqlite_database, name, WARD=role)
    add_project(sqlite_database, "OTHER")
    add_person(sqlite_database, "Olga", OTHER=RoleName.SCIENTIST)
    for code, weight in (("M1", 17.1), ("M2", 18.0), ("M3", 21.0)):
        ward.measure(code, "2026-02-20", 21.4)
        ward.measure(code, "2026-03-20", weight)
    return ward


@pytest.fixture
def bench(app: Application, ward: Ward) -> Browser:
    """Give the technician's browser."""
    return Browser(app).sign_in("Tom")


@pytest.fixture
def scientist(app: Application, ward: Ward) -> Browser:
    """Give the scientist's browser."""
    return Browser(app).sign_in("Sara")


def asks(page: BeautifulSoup | TestResponse) -> list[str]:
    return [as_read(one) for one in only(page, "html").select(".ask-what")]


def fates(ward: Ward) -> list[tuple[int, date, str]]:
    with ward.database.reading() as session:
        return [(one.animal_id, one.died_on, one.reason.value) for one in session.scalars(select(Fate).order_by(Fate.id))]


# Open actions


def test_the_today_page_shows_acts_first_and_leads_to_the_fate(bench: Browser, ward: Ward) -> None:
    page = bench.get(f"{HERE}/", heading="Today in WARD")
    act, watch = asks(page)
    assert act.startswith(
        "Act M1 Weight 17.1 g on 2026-03-20 is 20.1 % below the weight of implant day, 21.4 g on 2026-02-20: act at 20 %."
    )
    assert watch.startswith("Watch M2")
    steps = [link.text for link in page.select(".ask:first-child .ask-steps a")]
    assert steps == ["Record its fate", "Details of the action of M1"]  # deferring takes a scientist
    form = bench.get(str(page.select_one(".ask-steps a")["href"]), heading="Record a fate")
    assert form.select_one("#animal_id")["value"] == "M1"
    assert form.select_one("#reason option[selected]")["value"] == "weight_endpoint"


def test_the_animal_and_its_study_show_it_too(scientist: Browser, ward: Ward) -> None:
    with factories.declared(ward.database) as session:
        rule = session.scalars(select(EndpointRule)).one()
        study = factories.study(session, rule.protocol)
        arm = factories.arm(session, study)
        study.project_id = arm.project_id = ward.project[0]
        key = study.id
        for code in ("M1", "M3"):
            columns = {"project_id": ward.project[0], "study_id": key, "arm_id": arm.id, "animal_id": ward.animals[code]}
            session.add(factories.Enrolment(**columns))
    assert [one[:6] for one in asks(scientist.get(f"{HERE}/animals/{ward.animals['M1']}"))] == ["Act We"]
    assert asks(scientist.get(f"{HERE}/animals/{ward.animals['M3']}")) == []
    assert [one[:6] for one in asks(scientist.get(f"{HERE}/studies/{key}"))] == ["Act M1"]
    assert "less urgent" not in message(scientist.get(f"{HERE}/studies/{key}"))
    elsewhere = scientist.get(f"{HERE}/studies/{key}/animals")
    assert asks(elsewhere) == []
    (line,) = elsewhere.select(".asks-line a")
    assert line.get_text() == "1 to act on"
    assert len(scientist.get(str(line["href"])).select("tbody tr")) == 1


def test_a_study_shows_the_most_urgent_of_very_many_and_leads_to_all(
    scientist: Browser, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_ACTIONS", 3)
    for number in range(4):
        ward.house(f"N{number}")
        ward.measure(f"N{number}", "2026-02-20", 21.4)
        ward.measure(f"N{number}", "2026-03-20", 17.0 if number % 2 else 18.0)
    with factories.declared(ward.database) as session:
        study = factories.study(session, session.scalars(select(EndpointRule)).one().protocol)
        arm = factories.arm(session, study)
        study.project_id = arm.project_id = ward.project[0]
        columns = {"project_id": ward.project[0], "study_id": study.id, "arm_id": arm.id}
        for action in session.scalars(select(EndpointAction)).all():
            session.add(factories.Enrolment(**columns, animal_id=action.animal_id))
        last = session.scalars(select(EndpointAction).order_by(EndpointAction.id.desc())).first()
        assert last is not None
        last.state, last.deferred_until, last.answer = ActionState.DEFERRED, NOW + timedelta(2), "wet food"
        key = study.id
    page = scientist.get(f"{HERE}/studies/{key}")
    assert [one.split()[0] for one in asks(page)] == ["Act", "Act", "Watch"]
    assert only(page, ".asks-fold > summary").get_text(strip=True) == "3 to watch"
    assert "1 deferred to a later day" in message(page)
    (more,) = [one for one in page.select("main p > a") if one.text == "And 2 more, less urgent"]
    assert len(scientist.get(str(more["href"])).select("table.data tbody tr")) == 6
    (line,) = scientist.get(f"{HERE}/studies/{key}/animals").select(".asks-line a")
    assert line.text == "2 to act on, 3 to watch, 1 deferred"


def test_the_list_opens_on_what_is_open_and_is_downloaded(scientist: Browser, ward: Ward) -> None:
    scientist.submit(scientist.get(f"{HERE}/actions/2/close"), f"{HERE}/actions/2/close", reason="eats again")
    assert len(scientist.get(f"{HERE}/actions/", heading="Actions").select("tbody tr")) == 1
    assert len(scientist.get(f"{HERE}/actions/?state=any").select("tbody tr")) == 2
    assert scientist.get(f"{HERE}/actions/?state=closed&level=act").select("tbody tr") == []
    assert "is no state of an action" in scientist.client.get(f"{HERE}/actions/?state=merry").text
    rows = scientist.client.get(f"{HERE}/actions/?state=any&format=csv").text.splitlines()
    assert "Animal,Level,What was found" in rows[0]
    assert len(rows) == 3


def test_a_scientist_defers_with_a_day_and_a_reason_and_a_technician_does_not(
    scientist: Browser, app: Application, ward: Ward
) -> None:
    place = f"{HERE}/actions/1/defer"
    page = scientist.submit(scientist.get(place, heading="Defer the action of M1"), place, 422, reason="")
    assert "A reason is needed" in message(page)
    far = scientist.submit(scientist.get(place), place, 422, reason="later", deferred_until=str(NOW + timedelta(90)))
    assert f"Expected: {NOW + timedelta(1)} to {NOW + timedelta(14)}" in message(far)
    wrong = scientist.submit(scientist.get(place), place, 422, reason="later", deferred_until="soon")
    assert '"soon" is no date' in message(wrong)
    made = scientist.submit(scientist.get(place), place, reason="wet food", deferred_until=str(NOW + timedelta(2)))
    told = message(scientist.get(made.location))
    assert f"Deferred until {NOW + timedelta(2)}" in told
    assert "Sara" in told
    today = scientist.get(f"{HERE}/")
    assert [one[:8] for one in asks(today)] == ["Watch M2"]
    assert "1 deferred to a later day" in message(today)
    for name in ("Tom", "Ines"):
        Browser(app).sign_in(name).get(place, 403)
    Browser(app).sign_in("Olga").get("/p/OTHER/actions/1", 404)


def test_what_is_deferred_is_back_on_its_day(scientist: Browser, ward: Ward) -> None:
    with factories.declared(ward.database) as session:
        action = session.get_one(EndpointAction, 1)
        action.state, action.deferred_until, action.answer = ActionState.DEFERRED, NOW, "wet food"
    assert [one[:8] for one in asks(scientist.get(f"{HERE}/"))] == ["Watch M2", "Act M1 W"]


def test_an_act_is_not_closed_while_the_animal_reaches_it(scientist: Browser, ward: Ward) -> None:
    assert "It is not closed while the animal reaches the endpoint" in message(scientist.get(f"{HERE}/actions/1"))
    place = f"{HERE}/actions/1/close"
    page = scientist.submit(scientist.get(place), place, 422, reason="looks fine")
    assert "Expected: its fate, or a deferral with a reason" in message(page)
    ward.measure("M1", "2026-03-21", 21.0)
    assert "it no longer reaches the endpoint" in message(scientist.get(f"{HERE}/actions/1"))
    scientist.submit(scientist.get(place), place, reason="recovered")
    again = scientist.submit(scientist.get(place), place, 409, reason="recovered twice")
    assert "answered already" in message(again)


def test_the_today_page_costs_the_same_however_much_is_open(scientist: Browser, ward: Ward) -> None:
    scientist.get(f"{HERE}/")
    ward.house("N99")  # what was drawn before is not kept
    with statements(ward.database.engine) as few:
        scientist.get(f"{HERE}/")
    ward.house(*(f"N{number}" for number in range(12)))
    for number in range(12):
        ward.measure(f"N{number}", "2026-02-20", 21.4)
        ward.measure(f"N{number}", "2026-03-20", 17.0)
    with statements(ward.database.engine) as many:
        assert len(asks(scientist.get(f"{HERE}/"))) == 14
    assert len(many) == len(few)


def test_the_today_page_shows_the_most_urgent_of_very_many(scientist: Browser, ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(today, "MOST_ACTIONS", 2)
    for number in range(4):
        ward.house(f"N{number}")
        ward.measure(f"N{number}", "2026-02-20", 21.4)
        ward.measure(f"N{number}", "2026-03-20", 17.0 if number % 2 else 18.0)
    page = scientist.get(f"{HERE}/")
    assert [one.split()[0] for one in asks(page)] == ["Act", "Act"]
    assert only(page, "#today-actions").get_text(" ", strip=True).endswith("Open actions 6")
    more = only(page, 'section[aria-labelledby="today-actions"] > p > a')
    assert more.text == "And 4 more, less urgent"
    assert len(scientist.get(str(more["href"])).select("table.data tbody tr")) == 6


# Endpoints of a protocol


def test_the_protocols_page_lists_adds_changes_and_withdraws_endpoints(scientist: Browser, ward: Ward) -> None:
    home = f"{HERE}/protocols/{ward.protocol}"
    usual = f"{HERE}/endpoints/usual/{ward.protocol}"
    scientist.submit(scientist.get(home), usual)
    page = scientist.get(home)
    rows = [[" ".join(cell.get_text(" ").split()) for cell in row.select("td")[:3]] for row in page.select("#endpoints tbody tr")]
    assert rows[0] == ["Weight loss since day of implanting", "from 15 %", "at 20 %"]
    assert ["Body-condition score", "from 2 or less", "at 1 or less"] in rows
    assert len(rows) == 5
    assert page.find("form", action=usual) is None
    new = f"{HERE}/endpoints/new?protocol_id=A-1"
    twice = scientist.submit(scientist.get(new), new, 422, measure="neurological_score", act_at="3")
    assert "has an endpoint of neurological score already" in message(twice)
    with ward.database.reading() as session:
        score = select(EndpointRule).where(EndpointRule.measure == EndpointMeasure.NEUROLOGICAL_SCORE)
        key = session.scalars(score).one().id
    change = f"{HERE}/endpoints/{key}/change"
    bad = scientist.submit(scientist.get(change), change, 422, watch_at="4", reason="amendment")
    assert "begins no earlier than acting" in message(bad)
    done = scientist.submit(scientist.get(change), change, act_at="4", reason="amendment 2")
    assert done.location == f"{home}#endpoints"
    away = f"{HERE}/endpoints/{key}/withdraw"
    scientist.submit(scientist.get(away), away, reason="not of this protocol")
    assert "Neurological score" not in message(scientist.get(home))


def test_endpoints_take_a_scientist(bench: Browser, ward: Ward) -> None:
    assert bench.get(f"{HERE}/protocols/{ward.protocol}").find("form", action=f"{HERE}/endpoints/usual/{ward.protocol}") is None
    bench.get(f"{HERE}/endpoints/new", 403)


# Fates


def test_a_technician_records_a_fate_and_a_scientist_takes_it_back(bench: Browser, scientist: Browser, ward: Ward) -> None:
    place = f"{HERE}/fates/new?animal_id=M1"
    page = bench.submit(bench.get(place), place, 422, reason="")
    assert "Why it died is needed." in message(page)
    page = bench.submit(bench.get(place), place, 422, reason="weight_endpoint", died_on="2026-03-19")
    assert "comes before the last measurement of M1 on 2026-03-20" in message(page)
    made = bench.submit(bench.get(place), place, reason="weight_endpoint", method="CO₂", died_on="2026-03-20")
    told = message(bench.get(made.location))
    assert "Died 2026-03-20 Fate weight endpoint Method CO₂" in told
    assert "Fate of M1 (2026-03-20 weight endpoint) was recorded." in told
    assert fates(ward) == [(ward.animals["M1"], date(2026, 3, 20), "weight_endpoint")]
    assert [one[:8] for one in asks(bench.get(f"{HERE}/"))] == ["Watch M2"]
    gone = bench.submit(bench.get(place), place, 422, reason="weight_endpoint")
    assert 'There is no animal "M1" in this project that could stand here' in message(gone)
    bench.get(f"{HERE}/fates/1/withdraw", 403)
    back = f"{HERE}/fates/1/withdraw"
    scientist.submit(scientist.get(back), back, reason="wrong mouse")
    assert "Record its fate" in message(scientist.get(f"{HERE}/animals/{ward.animals['M1']}"))
    assert len(asks(scientist.get(f"{HERE}/"))) == 2


def test_several_animals_have_their_fates_at_once(bench: Browser, ward: Ward) -> None:
    place = f"{HERE}/fates/several?animal=M1&animal=M2"
    unknown = bench.submit(bench.get(place), place, 422, codes="M1\r\nM9", reason="scheduled")
    assert 'There is no animal "M9" in this project' in message(unknown)
    early = bench.submit(bench.get(place), place, 422, reason="scheduled", died_on="2026-03-01")
    assert "The death of M1 on 2026-03-01 comes before" in message(early)
    assert fates(ward) == []
    made = bench.submit(bench.get(place), place, reason="scheduled", codes="M1\r\nM2,\r\nM1")
    assert "The fates of M1 and M2 were recorded." in message(bench.get(made.location))
    assert [one[0] for one in fates(ward)] == [ward.animals["M1"], ward.animals["M2"]]
    assert bench.client.get(f"{HERE}/fates/1").location == f"{HERE}/animals/{ward.animals['M1']}"
    listed = bench.client.get(f"{HERE}/fates/?reason=scheduled&format=json").get_json()
    assert len(listed) == 2


def test_a_harvest_records_the_fate_in_the_same_step(scientist: Browser, ward: Ward) -> None:
    with factories.declared(ward.database) as session:
        patient = factories.patient(session, session.get_one(factories.Project, ward.project[0]))
        factories.consent(session, patient)
        implant = session.scalars(select(factories.Implant).where(factories.Implant.animal_id == ward.animals["M1"])).one()
        implant.donor_id, implant.passage, implant.engraftment = patient.id, 0, Engraftment.ENGRAFTED
        place = f"{HERE}/implants/{implant.id}/harvest"
    page = scientist.get(place)
    asked = scientist.submit(page, place, 422, collected_on="2026-03-20")
    assert "M1 is not recorded as dead, and this is a necropsy" in message(asked)
    scientist.submit(page, place, collected_on="2026-03-20", killed="y")
    assert fates(ward) == [(ward.animals["M1"], date(2026, 3, 20), "tissue_harvest")]
    assert scientist.get(place).select_one("#killed") is None
