"""The second half of the record as a new user walks it, in a browser alone: design, allocation, treatment, endpoint, result.

The study began a fortnight ago: what people do day by day is recorded here day by day.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from lims.audit.verify import verify
from lims.domain.vocabulary import ImplantSite
from tests.browser.conftest import LiveServer
from tests.browser.walk import TODAY, Walk, ago
from tests.intake.desk import Desk
from tests.support import factories
from tests.support.files import LIVING_IMAGE_HEADERS, delimited

MICE = [f"W{number:02}" for number in range(1, 17)]
BARE = "W17"
"""It carries a tumour in the fat pad, and none that shines."""
ILL = "W01"
DAY_ZERO = 14
"""Days ago: day 14 after implanting."""
FLUX = {code: 1.0e6 + 0.12e6 * number for number, code in enumerate(MICE)}


@pytest.fixture
def walk(director: Page, new_desk: Callable[[str], Desk]) -> Walk:
    """Give a browser in a project with implanted mice, and nothing else."""
    desk = new_desk("COHORT")
    with factories.declared(desk.database) as session:
        project = session.get_one(factories.Project, desk.project)
        protocol = factories.protocol(session, project, "C-A1")
        cages = [factories.cage(session, project, f"C{number:02}") for number in range(1, 6)]
        for number, code in enumerate([*MICE, BARE]):
            columns = {"protocol_id": protocol.id, "cage_id": cages[number // 4].id, "birth_date": TODAY - timedelta(days=100)}
            mouse = factories.animal(session, project, code, **columns)
            site = ImplantSite.MAMMARY_FAT_PAD if code == BARE else ImplantSite.INTRACRANIAL
            factories.implant(session, mouse, site=site, implanted_on=TODAY - timedelta(days=28))
    return Walk(director, "COHORT")


def test_from_a_design_to_an_export(walk: Walk, live_server: LiveServer) -> None:
    study = _design(walk)
    _baseline(walk)
    _randomise(walk, study)
    _dose_a_week(walk, study)
    _weigh_until_an_endpoint(walk, study)
    _import_two_weeks_of_flux(walk)
    _see_and_export(walk, study)
    assert verify(live_server.database).problems == []


def _refused(walk: Walk, *told: str) -> None:
    """See that nothing was recorded, and what is said of it."""
    for text in told:
        expect(walk.main).to_contain_text(text)
    expect(walk.main).not_to_contain_text("Recorded ")


def _design(walk: Walk) -> str:
    """Plan a study of three arms and what each is given; a schedule that cannot be read is refused, and the form kept."""
    walk.go("protocols/")
    walk.main.get_by_role("link", name="C-A1").first.click()
    walk.press(re.compile("usual"))
    expect(walk.main).to_contain_text("5 usual endpoints were recorded")
    said = {"hypothesis": "Tucatinib slows it", "primary_outcome": "Growth rate of total flux", "experimental_unit": "the animal"}
    walk.record("studies/new", "Record the study", code="EFF-1", title="Brain, three arms", day_zero_on=ago(DAY_ZERO), **said)
    study = re.search(r"studies/(\d+)", walk.page.url)
    assert study
    walk.go(f"studies/{study[1]}/activate")
    walk.fill(reason="let us begin")
    walk.press("Activate the study")
    _refused(walk, "Study EFF-1 has no arm.", "an arm at least", "Add its arms, the control among them.")
    for code, title, role, number in (
        ("VEH", "Vehicle", "vehicle", "6"),
        ("TUC", "Tucatinib", "treatment", "5"),
        ("TRAS", "Trastuzumab", "treatment", "5"),
    ):
        walk.record("arms/new?study_id=EFF-1", "Record the arm", code=code, title=title, role=role, target_n=number)
    gavage = {"route": "oral_gavage", "volume_ml_kg": "10"}
    for arm, agent, kind, given in (
        ("Vehicle", "MC", "vehicle", {**gavage, "schedule": "qd x 7"}),
        ("Tucatinib", "TUC", "tyrosine_kinase_inhibitor", {**gavage, "dose": "50", "schedule": "QDx7"}),
        (
            "Trastuzumab",
            "TRAS",
            "monoclonal_antibody",
            {"route": "intraperitoneal", "volume_ml_kg": "10", "dose": "10", "schedule": "QW"},
        ),
    ):
        walk.record("agents/new", "Record the agent", code=agent, name=f"{agent} of the walk", agent_class=kind)
        _regimen(walk, arm, agent, **given)
    lot = {"received_on": ago(30), "expires_on": str(TODAY + timedelta(days=30))}
    walk.record("lots/new?agent_id=TUC", "Record the lot", code="L-7", **lot)
    return study[1]


def _regimen(walk: Walk, arm: str, agent: str, *, schedule: str, **given: str) -> None:
    walk.go(f"regimens/new?agent_id={agent}")
    label = walk.main.locator('[name="arm_id"] option', has_text=re.compile(rf"{arm}\b")).first.inner_text()
    walk.main.locator('[name="arm_id"]').select_option(label=label)
    walk.fill(schedule="every now and then", **given)
    walk.press("Record the regimen")
    _refused(walk, '"every now and then" cannot be read as a schedule', "QDx21")
    expect(walk.main.locator('[name="volume_ml_kg"]')).to_have_value(given["volume_ml_kg"])
    walk.fill(schedule=schedule)
    walk.press("Record the regimen")
    expect(walk.main).to_contain_text("recorded")


def _cell(walk: Walk, code: str, what: str) -> Locator:
    """Find the input of a mouse in a list: by what is read aloud of it."""
    return walk.main.get_by_label(re.compile(rf"^{code}\b.*{what}"))


def _type(walk: Walk, values: Mapping[str, float | str], what: str) -> None:
    for code, value in values.items():
        _cell(walk, code, what).fill(str(value))


def _baseline(walk: Walk) -> None:
    """Type the flux of day 14; a decimal comma is asked about, a day that lies ahead refused, and nothing typed is lost."""
    walk.go(f"measurements/measure?kind=bli_total_flux&on={ago(DAY_ZERO)}&animal={','.join(MICE)}")
    _type(walk, {code: f"{value:.2e}" for code, value in FLUX.items()}, "total flux")
    _cell(walk, "W02", "total flux").fill("1,12e6")
    walk.fill(taken_on=str(TODAY + timedelta(days=1)))
    walk.press("Record the measurements")
    _refused(walk, f"dated {TODAY + timedelta(days=1)}, and today is {TODAY}", "today or earlier")
    expect(_cell(walk, "W16", "total flux")).to_have_value("2.80e+06")
    walk.fill(taken_on=ago(DAY_ZERO))
    walk.press("Record the measurements")
    _refused(walk, '"1,12e6": did you mean 1.12e6?')
    walk.press_twice("Record the measurements")
    expect(walk.page.locator("body")).to_contain_text("Recorded 16 measurements of 16 animals")


def _randomise(walk: Walk, study: str) -> None:
    """Put sixteen mice in three arms by their flux, leave one out with its reason, and see the balance."""
    walk.go(f"studies/{study}/randomise?kind=bli_total_flux&on={ago(DAY_ZERO)}")
    walk.fill(seed="2026", made_on=ago(DAY_ZERO))
    walk.press("Put the animals in arms")
    _refused(walk, f"{BARE} is left out, and nobody says why.", "a reason for every animal that is left out")
    walk.main.locator("tr", has_text=BARE).get_by_role("textbox").fill("does not shine")
    walk.press("Put the animals in arms")
    expect(walk.page.locator("body")).to_contain_text("16 animals were put in arms by run 1")
    expect(walk.main.locator("[data-plot] svg").first).to_be_visible()
    expect(walk.main).to_contain_text("The largest difference between two arms")
    expect(walk.main).to_contain_text("the same allocation")
    expect(walk.main.locator("tr", has_text="Vehicle").first).to_contain_text("6")
    expect(walk.main).to_contain_text(f"{BARE} does not shine")
    _enrol(walk, study, BARE, "Vehicle", "Arm Vehicle of study EFF-1 is full: 6 of 6 animals are in it, and 1 would come.")
    _enrol(walk, study, "W03", "Tucatinib", "Animal W03 is in arm")
    walk.go(f"studies/{study}/activate")
    walk.fill(reason="randomised, first doses today")
    walk.press_twice("Activate the study")
    expect(walk.main).to_contain_text("active")


def _enrol(walk: Walk, study: str, code: str, arm: str, told: str) -> None:
    walk.go(f"enrolments/of/{study}/new")
    label = walk.main.locator('[name="arm_id"] option', has_text=arm).inner_text()
    walk.main.locator('[name="arm_id"]').select_option(label=label)
    walk.fill(codes=code)
    walk.press("Enrol the animals")
    _refused(walk, told)
    expect(walk.main.locator('[name="codes"]')).to_have_value(code)


def _weigh(walk: Walk, study: str, day: int, weights: Mapping[str, float | str]) -> None:
    walk.go(f"measurements/measure?study={study}&kind=body_weight&on={ago(DAY_ZERO - day)}")
    _type(walk, weights, "body weight")


def _dose_a_week(walk: Walk, study: str) -> None:
    """Weigh and dose for a week; a dose is held, with the reason."""
    for day in range(7):
        if day in (0, 3):
            _weigh(walk, study, day, dict.fromkeys(MICE, 20.5) | {ILL: 20.0 - day * 0.5})
            walk.press_twice("Record the measurements")
            expect(walk.page.locator("body")).to_contain_text("Recorded 16 measurements")
        walk.go(f"studies/{study}/dosing/list?on={ago(DAY_ZERO - day)}")
        walk.fill(rest="given")
        if day == 3:
            _cell(walk, ILL, "outcome").select_option("held")
            walk.press("Record the doses")
            _refused(walk, "Why was the dose held?", "a reason")
            expect(_cell(walk, ILL, "outcome")).to_have_value("held")
            _cell(walk, ILL, "reason").fill("weak, seen by the veterinarian")
        walk.press_twice("Record the doses")
        expect(walk.page.locator("body")).to_contain_text(re.compile(r"Recorded \d+ given"))
    walk.go(f"studies/{study}/dosing/")
    expect(walk.main).to_contain_text("held 1")


def _weigh_until_an_endpoint(walk: Walk, study: str) -> None:
    """Weigh until one mouse has lost a fifth; the action leads to its fate, and nothing is done to the dead."""
    _weigh(walk, study, 6, dict.fromkeys(MICE, 20.6) | {ILL: 17.2, "W05": 2.14})
    walk.press("Record the measurements")
    _refused(walk, "2.14", "5 to 80 g")
    expect(_cell(walk, "W16", "body weight")).to_have_value("20.6")
    _cell(walk, "W05", "body weight").fill("21.4")
    walk.press_twice("Record the measurements")
    _weigh(walk, study, 9, dict.fromkeys(MICE, 20.8) | {ILL: 15.9})
    walk.press_twice("Record the measurements")
    expect(walk.page.locator("body")).to_contain_text("act at 20 %")
    walk.go("")
    action = walk.main.locator("article, li, .action", has_text="act at 20 %").filter(has_text=ILL).last
    action.get_by_role("link", name="Record its fate").click()
    walk.fill(died_on=ago(DAY_ZERO - 9), reason="weight_endpoint", method="CO₂")
    walk.press("Record the fate")
    walk.go("")
    expect(walk.main).not_to_contain_text("act at 20 %")
    walk.go(f"doses/new?animal_id={ILL}")
    with walk.page.expect_response(re.compile(f"/doses/volume.animal={ILL}&agent=TUC&regimen=&on={ago(1)}$")) as told:
        walk.fill(agent_id="TUC", given_on=ago(1), route="oral_gavage")
    follows = told.value.text() if told.value.status == 200 else ""  # the arm that it was put in by chance may be given no TUC
    expect(walk.main.locator("[data-volume]")).to_have_text(follows)
    walk.press("Record the dose")
    _refused(walk, f"comes after the death of {ILL} on {ago(DAY_ZERO - 9)}", "Look whether it is the right animal")
    expect(walk.main.locator('[name="given_on"]')).to_have_value(ago(1))
    walk.go(f"measurements/measure?kind=caliper_volume&animal={BARE}")
    _cell(walk, BARE, "length").fill("40")
    _cell(walk, BARE, "width").fill("2")
    walk.press("Record the measurements")
    _refused(walk, "this is unusual", "W17 brain measures 40 × 2 mm: a decimal point missing in one of the two?")
    expect(_cell(walk, BARE, "length")).to_have_value("40")


def _living_image(days: Mapping[int, Mapping[str, str]]) -> bytes:
    """Write the ROI table of several sessions, by study day."""
    rest = ["2.28E+03", "1.92E+03", "-3.16E+03", "1.23E+04"]
    rows = [
        [
            f"IV{ago(DAY_ZERO - day).replace('-', '')}090235_001A",
            f"ROI {number}",
            "Overlay",
            value,
            *rest,
            code,
            ago(DAY_ZERO - day),
        ]
        for day, values in days.items()
        for number, (code, value) in enumerate(values.items(), 1)
    ]
    return delimited(LIVING_IMAGE_HEADERS, rows, encoding="cp1252")


def _import_two_weeks_of_flux(walk: Walk) -> None:
    """Import sessions of two weeks from one file; a copy with a decimal comma is refused, cell by cell."""
    alive = {day: [code for code in MICE if code != ILL or day < 9] for day in (3, 7, 10, 14)}
    light = {day: {code: f"{FLUX[code] * 1.15**day:.2E}" for code in codes} for day, codes in alive.items()}
    wrong = {**light, 7: {**light[7], "W04": light[7]["W04"].replace(".", ",")}}
    _upload(walk, _living_image(wrong), "by hand.csv")
    finding = walk.page.locator("table.findings tbody tr", has_text=wrong[7]["W04"]).first
    expect(finding).to_contain_text("Expected:")
    expect(walk.main.get_by_role("button", name=re.compile("^Record"))).to_have_count(0)
    _upload(walk, _living_image(light), "IVIS.csv")
    walk.main.get_by_role("button", name=re.compile("^Record")).click()
    expect(walk.main).to_contain_text("Recorded 124 measurements")


def _upload(walk: Walk, content: bytes, name: str) -> None:
    walk.go("imports/new")
    walk.page.get_by_label("Choose a file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    walk.page.get_by_label("Study").select_option(label="EFF-1 · Brain, three arms")
    walk.page.get_by_role("button", name="Upload and check").click()
    walk.page.wait_for_url(re.compile(r"/imports/\d+$"))
    expect(walk.page.locator("[data-progress]")).to_have_count(0)


def _see_and_export(walk: Walk, study: str) -> None:
    """See growth, weight change and survival, and take all tables home."""
    walk.go(f"studies/{study}")
    for title in ("Bioluminescence, total flux, each animal", "mean ± SEM", "Body weight, change from baseline"):
        expect(
            walk.main.get_by_role("heading", name=re.compile(re.escape(title))).or_(walk.main.get_by_text(title)).first
        ).to_be_visible()
    expect(walk.main.locator("[data-plot] svg").first).to_be_visible()
    walk.go(f"studies/{study}/survival")
    expect(walk.main.locator("[data-plot] svg").first).to_be_visible()
    expect(walk.main).to_contain_text("log-rank")
    walk.go(f"studies/{study}/export/")
    with walk.page.expect_download() as started:
        walk.main.locator('a[href$="all.zip"]').click()
    with zipfile.ZipFile(io.BytesIO(started.value.path().read_bytes())) as tables:
        lines = {name: tables.read(name).decode("utf-8-sig").splitlines() for name in tables.namelist()}
    assert sum(ILL in line for line in lines["doses.csv"]) >= 1
    assert len(lines["readings.csv"]) == 1 + 16 + 64 + 124
