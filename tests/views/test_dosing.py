"""Dosing in the browser: agents, lots and regimens by form; a cohort dosed from its list; the calendar of what was planned."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from lims.db import Database
from lims.domain.cohort_terms import DoseState
from lims.domain.vocabulary import AnimalStatus, RoleName, StudyStatus
from lims.models import Agent, Animal, Dose, Regimen, Study
from lims.views.transaction import Application
from tests.records.dosing_lab import DoseLab, day, give, make_lab, planned
from tests.support import factories
from tests.support.cases import each
from tests.support.pages import Browser, add_person, fields, message, only, redirect
from tests.support.statements import statements

LIST = "/p/BCBM/studies/1/dosing/list?on=2026-03-02"


@pytest.fixture
def lab(sqlite_database: Database, app: Application) -> DoseLab:
    return _lab(sqlite_database)


def _lab(database: Database) -> DoseLab:
    made = make_lab(database)
    for name, role in (("Ada", RoleName.ADMINISTRATOR), ("Tom", RoleName.TECHNICIAN), ("Ines", RoleName.AUDITOR)):
        add_person(database, name, BCBM=role)
    return made


@pytest.fixture
def ada(browser: Browser, lab: DoseLab) -> Browser:
    return browser.sign_in("Ada")


def test_an_agent_its_lot_and_a_regimen_are_recorded_by_form(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    form = ada.get("/p/BCBM/agents/new", heading="Record an agent")
    typed = {"code": "TUC", "name": "tucatinib", "agent_class": "tyrosine_kinase_inhibitor", "fraction_unbound_brain": "0,02"}
    refused = ada.submit(form, "/p/BCBM/agents/new", status=422, **typed, targets="HER2, NOGENE")
    assert '"NOGENE" is no gene of the list' in message(refused)
    assert only(refused, "#name")["value"] == "tucatinib"
    made = ada.submit(form, "/p/BCBM/agents/new", **typed, targets="her2; EGFR")
    page = ada.get(redirect(made))
    assert "ERBB2, EGFR" in message(page)

    new_lot = "/p/BCBM/lots/new?agent_id=TUC"
    said = {"code": "TU-88", "received_on": "2026-02-01"}
    assert "comes before the receipt" in message(ada.submit(ada.get(new_lot), new_lot, 422, **said, expires_on="2026-01-01"))
    doubted = ada.submit(ada.get(new_lot), new_lot, 422, **said, expires_on="2026-02-02")
    assert "no dose is given from it any more" in message(doubted)
    shown = ada.get(redirect(ada.submit(doubted, new_lot, **said, expires_on="2026-02-02", confirmed="y")))
    assert "expired" in message(shown)

    new = "/p/BCBM/regimens/new"
    typed = {"arm_id": str(lab.arms[0].id), "agent_id": "TUC", "dose": "50", "route": "oral_gavage", "volume_ml_kg": "10"}
    typed |= {"note": "added after the pilot"}
    refused = ada.submit(ada.get(new), new, 422, **typed, schedule="every now and then")
    assert '"every now and then" cannot be read as a schedule' in message(refused)
    assert "QDx21" in message(refused)
    doubted = ada.submit(refused, new, 422, **typed, schedule="qd × 21")
    assert "Study BM-014 is running" in message(doubted)
    page = ada.get(redirect(ada.submit(doubted, new, **typed, schedule="qd × 21", confirmed="y")))
    assert "once a day for 21 days: 21 doses on d0–d20" in message(page)
    assert "5 mg/mL" in message(page)


def test_from_the_dosing_of_a_study_its_own_arms_are_planned(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    with factories.declared(sqlite_database) as session:
        other = factories.study(session, lab.project, "EMPTY-1", state=StudyStatus.DRAFT)
        arm = factories.arm(session, other, "later", 1)
    dosing = f"/p/BCBM/studies/{other.id}/dosing/"
    assert "Say what each arm is given and when" in message(ada.whole(dosing))
    new = only(ada.get(dosing), "a[href*='regimens/new']")
    assert [one["value"] for one in ada.get(str(new["href"])).select("#arm_id option")] == ["", str(arm.id)]
    assert len(ada.get("/p/BCBM/regimens/new").select("#arm_id option")) == 4
    with factories.declared(sqlite_database) as session:
        factories.regimen(session, session.merge(arm), session.merge(lab.drug))
    empty = ada.whole(dosing)
    assert "no animal is in an arm yet" in message(empty)
    assert only(empty, ".empty a.btn")["href"] == f"/p/BCBM/studies/{other.id}/randomise"


def _inputs(page: BeautifulSoup, animal: str, agent: str = "T-DXd") -> dict[str, str]:
    """Give the names of a row's inputs by what they are for."""
    labels = {"outcome": "state", "volume given": "volume", "lot": "lot", "reason": "reason"}
    return {part: str(only(page, f"[aria-label='{animal}, {agent}, {what}']")["name"]) for what, part in labels.items()}


def _send(browser: Browser, page: BeautifulSoup, status: int = 302, path: str = LIST, **values: Any) -> Any:
    form = only(page, "form.record-form[method=post]")
    response = browser.client.post(path, data=fields(form) | values)
    assert response.status_code == status, response.text[:3000]
    return response if status == 302 else browser.check(response)


def test_an_animals_page_lists_its_doses_and_leads_to_them_alone(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    page = ada.get(LIST)
    held = _inputs(page, "M01")
    _send(ada, page, **{held["state"]: "held", held["reason"]: "weight loss", "lot-a1": "L-1", "rest": "given"})
    with sqlite_database.reading() as session:
        ids = {animal.code: animal.id for animal in session.query(Animal)}
    shown = ada.get(f"/p/BCBM/animals/{ids['M01']}")
    assert [" ".join(row.get_text(" ").split()) for row in _doses_on(shown)] == ["2026-03-02 T-DXd held BM-014 weight loss"]
    listed = ada.get(str(only(shown, "a[href*='/doses/?animal=M01']")["href"]))
    assert [only(row, "td").text.strip() for row in listed.select("tbody tr")] == ["M01"]
    assert only(listed, "select[name=animal] option[selected]").text == "M01 alone"
    assert ada.get("/p/BCBM/doses/?animal=M0").select("tbody tr td a") == []
    with factories.declared(sqlite_database) as session:
        session.query(Study).one().blinded = True
    told = Browser(ada.client.application).sign_in("Tom").get(f"/p/BCBM/animals/{ids['M01']}")
    assert _doses_on(told) == []


def _doses_on(page: BeautifulSoup) -> list[Tag]:
    captions = [one for one in page.find_all("caption") if one.text.startswith("Doses of")]
    return [row for caption in captions for row in caption.parent.select("tbody tr")]


def test_a_cohort_is_dosed_from_its_list(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    page = ada.get(LIST, heading="Dose BM-014 on 2026-03-02")
    assert "computed 100" in message(page)
    held = _inputs(page, "M01")

    _send(ada, page, **{held["state"]: "held", held["reason"]: "weight loss", "lot-a1": "L-1", "rest": "given"})

    with sqlite_database.reading() as session:
        doses = session.query(Dose).order_by(Dose.animal_id).all()
        assert [dose.state for dose in doses] == [DoseState.GIVEN, DoseState.HELD, DoseState.GIVEN, DoseState.GIVEN]
        assert [dose.volume_ul for dose in doses] == [100, None, 100, 100]
        assert [dose.lot_id for dose in doses] == [lab.lot.id, None, None, None]
        assert {dose.operator for dose in doses} == {"Ada"}
    page = ada.get(LIST)
    assert page.find("select", attrs={"aria-label": "M00, T-DXd, outcome"}) is None
    assert "weight loss" in message(page)


def test_what_is_refused_is_said_beside_its_row_and_keeps_what_was_typed(
    ada: Browser, sqlite_database: Database, lab: DoseLab
) -> None:
    with factories.declared(sqlite_database) as session:
        factories.lot(session, lab.vehicle, "V-1")
        factories.lot(session, lab.drug, "L-OLD", expires_on=day(-1))
    page = ada.get(LIST)
    one, other = _inputs(page, "M00"), _inputs(page, "M01")
    typed = {one["state"]: "given", one["lot"]: "L-OLD", one["volume"]: "9o", other["state"]: "missed", other["reason"]: ""}

    page = _send(ada, page, 422, **typed)
    assert "is no number" in message(page)
    page = _send(ada, page, 422, **typed | {one["volume"]: "100"})
    assert "Lot L-OLD expired on 2026-03-01" in message(page)
    assert "Why was the dose missed?" in message(page)
    assert page.find(attrs={"name": one["lot"]})["value"] == "L-OLD"
    page = _send(ada, page, 422, **typed | {one["volume"]: "100", one["lot"]: "V-1", other["reason"]: "no staff"})
    assert "V-1 is of another agent" in message(page)
    page = _send(ada, page, 422, **typed | {one["volume"]: "100", one["lot"]: "NONE", other["reason"]: "no staff"})
    assert 'There is no lot "NONE"' in message(page)
    page = _send(ada, page, 422, **typed | {one["volume"]: "2000", one["lot"]: "L-1", other["reason"]: "no staff"})
    assert "more than a mouse takes" in message(page)
    with sqlite_database.reading() as session:
        assert session.query(Dose).count() == 0

    page = _send(ada, page, 422, **typed | {one["volume"]: "150", one["lot"]: "L-1,", other["reason"]: "no staff"})
    assert "50 % more than the computed" in message(page)
    sure = typed | {one["volume"]: "150", one["lot"]: "L-1,", other["reason"]: "no staff", "confirmed": "y"}
    _send(ada, page, **sure)
    with sqlite_database.reading() as session:
        assert sorted(dose.state.value for dose in session.query(Dose)) == ["given", "missed"]


def test_an_empty_list_and_one_that_lies_ahead_record_nothing(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    assert "No dose is due on 2026-05-01" in message(ada.get("/p/BCBM/studies/1/dosing/list?on=2026-05-01"))
    assert "Nothing was typed" in message(_send(ada, ada.get(LIST), 422))
    with factories.declared(sqlite_database) as session:
        session.get_one(Regimen, lab.regimen.id).schedule = "QDx900"
    ahead = f"/p/BCBM/studies/1/dosing/list?on={date.today() + timedelta(days=3)}"  # noqa: DTZ011  # days ahead in any zone
    page = ada.get(ahead)
    assert "This day lies ahead" in message(page)
    assert page.find("select") is None


def test_two_people_at_one_list_record_each_dose_once(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    page = ada.get(LIST)
    inputs = _inputs(page, "M00")
    give(sqlite_database, lab, planned(lab))

    again = _send(ada, page, 422, **{inputs["state"]: "given"})

    assert "recorded already, as given" in message(again)


def test_a_combination_and_a_trigger_are_drawn(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    with factories.declared(sqlite_database) as session:
        mouse = session.get_one(Animal, lab.mice[2].id)
        assert mouse.died_on is None
        mouse.state, mouse.died_on = AnimalStatus.DEAD, day(2)
        other = factories.agent(session, lab.project, "TUC")
        start = {"start": "trigger", "start_day": None, "trigger_kind": "bli_total_flux", "trigger_above": 1e7}
        factories.regimen(session, lab.arms[0], other, "QDx2", **start)
        factories.measurement(session, lab.mice[0], "bli_total_flux", 9e6, taken_on=day(1), slot="d1")
        factories.measurement(session, lab.mice[0], "bli_total_flux", 2e7, taken_on=day(2), slot="d2")
        factories.measurement(session, lab.mice[0], "bli_total_flux", 3e7, taken_on=day(3), slot="d3")
    give(sqlite_database, lab, planned(lab), planned(lab, on=1, state=DoseState.HELD, given_on=None, reason="weak"))

    page = ada.whole("/p/BCBM/studies/1/dosing/", heading="Dosing of BM-014")

    told = [cell["title"] for cell in page.select("td.dose")]
    assert told[:4] == [
        "M00, 2026-03-02: T-DXd given",
        "M00, 2026-03-03: T-DXd held",
        "M00, 2026-03-04: T-DXd overdue",
        "M00, 2026-03-05: T-DXd overdue; TUC overdue",
    ]
    assert "M02 died on 2026-03-04" in told
    assert not any("M02, 2026-03-05" in one for one in told)
    assert "No first day yet for M01" in message(page)
    csv = ada.client.get("/p/BCBM/studies/1/dosing/table?format=csv").text.lstrip("\ufeff").splitlines()
    assert csv[0].split(",")[:5] == ["Animal", "Arm", "Agent", "Due", "Study day"]
    assert len(csv) == 1 + 5 + 2 + 5 + 2 + 5  # each of four animals under QDx5, one dead from d2 on, and the trigger's two
    ada.get("/p/BCBM/studies/1/dosing/table")


def test_a_blinded_technician_sees_codes_only(sqlite_database: Database, app: Application, lab: DoseLab) -> None:
    with factories.declared(sqlite_database) as session:
        session.get_one(Study, lab.study.id).blinded = True
        codes = [session.get_one(type(arm), arm.id).blind_code for arm in lab.arms]
    (made,) = give(sqlite_database, lab, planned(lab))
    tom = Browser(app).sign_in("Tom")

    for path in (LIST, "/p/BCBM/studies/1/dosing/", "/p/BCBM/studies/1/dosing/table"):
        page = tom.whole(path)
        main = str(page.find("main"))
        assert all(code in main for code in codes), path
        assert "T-DXd" not in main
        assert "Vehicle" not in main
        assert f"/doses/{made.id}" not in main
    assert "T-DXd" not in tom.client.get("/p/BCBM/studies/1/dosing/table?format=csv").text
    tom.get(f"/p/BCBM/doses/{made.id}", status=404)
    tom.get(f"/p/BCBM/regimens/{lab.regimen.id}", status=404)
    assert "No dose yet" in message(tom.get("/p/BCBM/doses/"))
    page = tom.get(LIST)
    row = _inputs(page, "M02", codes[1])
    _send(tom, page, **{row["state"]: "given"})
    assert Browser(app).sign_in("Ada").get(f"/p/BCBM/doses/{made.id}")
    new = "/p/BCBM/doses/new"
    typed = {"animal_id": "M02", "agent_id": "T-DXd", "study_id": "BM-014", "given_on": "2026-03-02", "dose": "5"}
    answer = tom.submit(tom.get(new), new, **typed, route="intravenous", volume_ul="80")
    assert "was recorded" in message(tom.get(answer.location))  # type: ignore[union-attr]  # a page without it fails the test


@pytest.mark.parametrize("regimen", ["hidden", "of another project", "999", "x"])
def test_no_refusal_of_a_dose_tells_what_a_regimen_gives(
    sqlite_database: Database, app: Application, lab: DoseLab, regimen: str
) -> None:
    with factories.declared(sqlite_database) as session:
        session.get_one(Study, lab.study.id).blinded = True
        arm = factories.arm(session, factories.study(session, factories.project(session, "ELSE"), "S"), "drug", 0)
        agent = factories.agent(session, session.get_one(type(lab.project), arm.project_id))
        elsewhere = factories.regimen(session, arm, agent, "QDx5")
    named = {"hidden": str(lab.regimen.id), "of another project": str(elsewhere.id)}.get(regimen, regimen)
    tom, new = Browser(app).sign_in("Tom"), "/p/BCBM/doses/new"
    typed = {"animal_id": "M02", "agent_id": "T-DXd", "regimen_id": named, "given_on": "2026-03-02"}

    answer = tom.client.post(new, data=fields(only(tom.get(new), "form.record-form")) | typed)

    assert answer.status_code == 404
    assert "arm" not in message(tom.check(answer))


def test_a_single_dose_is_recorded_changed_and_withdrawn(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    new = "/p/BCBM/doses/new"
    typed = {"animal_id": "M00", "agent_id": "T-DXd", "study_id": "BM-014", "given_on": "2026-03-20", "dose": "5"}
    typed |= {"route": "intravenous", "volume_ul": "80"}
    page = ada.get(redirect(ada.submit(ada.get(new), new, **typed)))
    assert "beside the plan" in message(page)
    url = "/p/BCBM/doses/1"
    ada.submit(ada.get(f"{url}/change"), f"{url}/change", volume_ul="82", reason="misread the syringe")
    assert "misread the syringe" in message(ada.get(f"{url}/history"))
    ada.submit(ada.get(f"{url}/withdraw"), f"{url}/withdraw", reason="wrong animal")
    assert "withdrawn" in message(ada.get(url))
    assert ada.get("/p/BCBM/doses/?q=M00").find("table") is None


@each(
    ("typed", "told"),
    [
        ({"animal": "M00", "agent": "T-DXd", "on": "2026-03-02"}, "200 µL follows: 10 mL/kg, and M00 weighed 20 g on 2026-03-02."),
        ({"animal": "m00\t", "agent": "T-DXd", "on": "2026-03-07"}, "The last weight, of 2026-03-02, is 5 days old."),
        ({"animal": "M00", "agent": "T-DXd", "on": "2026-03-01"}, "No weight is recorded: no volume follows."),
        ({"animal": "M00", "regimen": "1", "on": "2026-03-02"}, "200 µL follows"),
        ({"animal": "M00", "regimen": "2", "on": "2026-03-02"}, ""),  # of another arm
        ({"animal": "M00", "regimen": "x", "on": "2026-03-02"}, ""),
        ({"animal": "M02", "agent": "T-DXd", "on": "2026-03-02"}, ""),
        ({"animal": "M00", "agent": "", "on": "2026-03-02"}, ""),
        ({"animal": "M99", "agent": "T-DXd", "on": "2026-03-02"}, ""),
        ({"animal": "M00", "agent": "T-DXd", "on": "Monday"}, ""),
        ({}, ""),
    ],
)
def test_the_volume_that_follows_is_told_while_a_dose_is_typed(
    ada: Browser, sqlite_database: Database, lab: DoseLab, typed: dict[str, str], told: str
) -> None:
    with factories.declared(sqlite_database) as session:
        session.get_one(Regimen, lab.regimen.id).volume_ml_kg = 10
    answer = ada.client.get("/p/BCBM/doses/volume", query_string=typed)
    assert answer.status_code == (200 if told else 204)
    assert told in answer.text
    assert ada.get("/p/BCBM/doses/new").select_one("[data-volume]")["data-volume"] == "/p/BCBM/doses/volume"  # type: ignore[index]  # it is there


def test_the_volume_that_follows_tells_nobody_what_a_hidden_arm_is_given(
    app: Application, sqlite_database: Database, lab: DoseLab
) -> None:
    with factories.declared(sqlite_database) as session:
        session.get_one(Study, lab.study.id).blinded = True
        session.get_one(Regimen, lab.regimen.id).volume_ml_kg = 10
    asked = "/p/BCBM/doses/volume?animal=M00&agent=T-DXd&on=2026-03-02"
    assert Browser(app).sign_in("Tom").client.get(asked).status_code == 204
    assert Browser(app).sign_in("Ines").client.get(asked).status_code == 403
    assert Browser(app).sign_in("Ada").client.get(asked).status_code == 200


def test_an_auditor_reads_and_does_not_dose(app: Application, lab: DoseLab) -> None:
    ines = Browser(app).sign_in("Ines")
    page = ines.get("/p/BCBM/studies/1/dosing/")
    assert "Dose the cohort" not in message(page)
    ines.get(LIST, status=403)


def test_a_study_that_is_not_active_is_not_dosed(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    with factories.declared(sqlite_database) as session:
        session.get_one(Study, lab.study.id).state = StudyStatus.DRAFT
    page = ada.get(LIST)
    assert "doses are given in an active study" in message(page)
    assert "planned" in message(page)


def test_pages_cost_the_same_statements_however_many_doses(app_on_each: Application, database: Database) -> None:
    lab = _lab(database)
    ada = Browser(app_on_each).sign_in("Ada")
    counts: dict[str, list[int]] = {}
    for rows in ([planned(lab)], [planned(lab, mouse, on) for mouse in (0, 1) for on in range(1, 5)]):
        give(database, lab, *rows)
        for path in ("/p/BCBM/studies/1/dosing/", LIST, "/p/BCBM/studies/1/dosing/table", "/p/BCBM/doses/", "/p/BCBM/regimens/"):
            ada.whole(path)
            with statements(database.engine) as seen:
                ada.whole(path)
            counts.setdefault(path, []).append(len(seen))
    assert all(before == after for before, after in counts.values()), counts
    with database.reading() as session:
        assert session.query(Agent).count() == 2


def test_what_is_due_today_stands_on_the_first_page(ada: Browser, sqlite_database: Database, lab: DoseLab) -> None:
    assert "Doses due today" not in message(ada.get("/p/BCBM/"))
    with factories.declared(sqlite_database) as session:
        session.get_one(Regimen, lab.regimen.id).schedule = "QD"

    page = ada.get("/p/BCBM/")

    assert "Doses due today 2" in message(page)
    assert page.find("a", href="/p/BCBM/studies/1/dosing/list")
    late = page.find("a", href="/p/BCBM/studies/1/missing/")
    assert late is not None
    assert " of the last 7 days not recorded" in late.text
