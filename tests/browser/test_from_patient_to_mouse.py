"""The first half of the record as a new user walks it, in a browser alone: from a consent to a second passage, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lims.audit.verify import verify
from tests.browser.conftest import LiveServer
from tests.browser.walk import TODAY, Walk, ago
from tests.intake.desk import Desk

TUMOUR = 'a[href*="/implants/"]:not([href*="surgery"])'


@pytest.fixture
def walk(director: Page, new_desk: Callable[[str], Desk]) -> Iterator[Walk]:
    """Give a browser in an empty project."""
    desk = new_desk("WALK")
    assert desk.project
    return Walk(director, "WALK")


def test_from_a_consent_to_the_second_passage_and_back(walk: Walk, live_server: LiveServer, tmp_path: Path) -> None:
    _tissue(walk)
    _colony(walk)
    _surgery(walk)
    _harvest_and_passage(walk)
    _back_to_the_patient(walk)
    _withdrawal(walk)
    with walk.page.expect_download() as download:
        walk.go("aliquots/")
        walk.main.get_by_role("link", name="csv").click()
    file = tmp_path / "aliquots.csv"
    download.value.save_as(file)
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 1 + 6 + 4
    assert verify(live_server.database).problems == []


def _tissue(walk: Walk) -> None:
    """Consent a patient, receive a craniotomy specimen, score it, freeze six aliquots into a box."""
    walk.record("patients/new", "Record the patient", code="W-P01", sex="female", birth_year="1970", age_at_diagnosis="50")
    signed = {"protocol": "BIOBANK", "protocol_version": "3", "given_on": ago(60), "research": True, "xenograft": True}
    walk.record("consents/new?patient_id=W-P01", "Record the consent", **signed)
    taken = {"collected_on": ago(50), "procedure": "craniotomy", "site": "frontal lobe", "site_uberon": "UBERON:0016525"}
    disease = {"origin": "metastatic", "cns_status": "progressing_after_local_therapy"}
    walk.record("specimens/new?patient_id=W-P01", "Record the specimen", code="W-S1", kind="tumour", **taken, **disease)
    scored = {"assayed_on": ago(45), "her2_ihc": "2+"}
    walk.record("assays/new?specimen_id=W-S1", "Record the receptor assay", **scored)
    expect(walk.main).to_contain_text("equivocal")
    counted = {"assayed_on": ago(44), "ish_probe": "dual", "her2_copies": "5.1", "her2_cep17_ratio": "2.4"}
    walk.record("assays/new?specimen_id=W-S1", "Record the receptor assay", **counted)
    expect(walk.main).to_contain_text("HER2 positive")
    expect(walk.main).to_contain_text("DEBBRAH cohort 3")
    walk.record("storage/new", "Record the storage place", kind="freezer", code="W-FZ", temperature_celsius="-150")
    walk.record("storage/new", "Record the storage place", kind="box", code="W-BX", parent_id="W-FZ", box_rows="9", box_columns="9")
    walk.go("aliquots/freeze?specimen_id=W-S1&place_id=W-BX")
    walk.fill(material="viably_frozen", amount="4", unit="fragments", preserved_on=ago(50), count="6")
    walk.press(re.compile("Freeze"))
    walk.go("storage/?q=")
    walk.main.get_by_role("link", name="W-BX", exact=True).first.click()
    expect(walk.main.get_by_text("AL-00006")).to_be_visible()


def _colony(walk: Walk) -> None:
    """Bring in twenty mice under a protocol for eighteen: refused; sixteen come."""
    allowed = {"procedures": ["intracranial", "mammary_fat_pad", "necropsy"]}
    held = {"approved_on": ago(100), "expires_on": str(TODAY + timedelta(days=300)), "animals_allowed": "18"}
    walk.record("protocols/new", re.compile("Record the"), code="W-A12", title="Brain metastasis", **held, **allowed)
    walk.go("animals/arrive")
    walk.fill(count="20", arrived_on=ago(48), protocol_id="W-A12", strain="NSG", sex="female", birth_date=ago(100), per_cage="4")
    walk.press(re.compile("Record"))
    expect(walk.main).to_contain_text("Protocol W-A12 allows 18 animals; 0 are used and 20 were asked for: 2 too many.")
    walk.fill(count="17")
    walk.press(re.compile("Record"))
    expect(walk.main).to_contain_text("17")
    walk.go("animals/")
    expect(walk.main).to_contain_text("M0017")


def _surgery(walk: Walk) -> None:
    """Implant eight intracranially and eight in the fat pad, from one surgery list each."""
    brain = {"ap_mm": "0.5", "ml_mm": "2", "dv_mm": "3", "coordinate_origin": "bregma", "depth_reference": "dura"}
    cells = {"material": "cells", "cell_count": "1e5", "viability_percent": "92", "volume_ul": "2"}
    slowly = {"rate_ul_min": "0.5", "dwell_min": "3", "needle": "26 G"}
    care = {"anaesthetic": "isoflurane", "analgesic": "buprenorphine", "analgesia_hours": "8", "analgesia_doses": "3"}
    walk.record("models/new", re.compile("Record the"), code="W-BM", founding_specimen_id="W-S1")
    _list(
        walk,
        "AL-00001",
        range(1, 9),
        40,
        site="intracranial",
        region="striatum",
        hemisphere="right",
        **brain,
        **cells,
        **slowly,
        **care,
    )
    pad = {"site": "mammary_fat_pad", "region": "right fourth", "hemisphere": "right", "volume_ul": "50"}
    _list(walk, "AL-00002", range(9, 17), 40, **{**cells, **pad}, **care)
    walk.go("implants/?site=intracranial")
    expect(walk.page.locator("h1 .count")).to_have_text("8")


def _list(walk: Walk, vial: str, mice: range, days: int, **fields: str) -> None:
    walk.go(f"implants/surgery?aliquot_id={vial}")
    walk.fill(implanted_on=ago(days), ended_at="14:05", all_of_it=True, model_id="W-BM", **fields)
    for row, number in enumerate(mice):
        walk.main.locator(f'[name="rows-{row}-animal"]').fill(f"M{number:04}")
    walk.press_twice("Record the implants")
    expect(walk.main).to_contain_text("P0")


def _harvest_and_passage(walk: Walk) -> None:
    """Harvest two tumours, and implant the next passage from one of them."""
    for mouse in ("M0001", "M0002"):
        walk.go(f"search/?q={mouse}")
        walk.main.locator(TUMOUR).first.click()
        walk.main.get_by_role("link", name=re.compile("Harvest")).first.click()
        walk.fill(collected_on=ago(10))
        first = {"count": "2", "material": "viably_frozen", "amount": "4", "unit": "fragments", "place": "W-BX"}
        walk.fill(**{f"pieces-0-{name}": value for name, value in first.items()})
        walk.press_twice(re.compile("Record"))
        expect(walk.main).to_contain_text("P0")
    pad = {"site": "mammary_fat_pad", "region": "right fourth", "hemisphere": "right", "volume_ul": "50", "material": "cells"}
    walk.go("implants/surgery?aliquot_id=AL-00007")
    walk.fill(implanted_on=ago(5), all_of_it=True, cell_count="1e5", viability_percent="92", analgesic="buprenorphine", **pad)
    walk.main.locator('[name="rows-0-animal"]').fill("M0017")
    walk.press_twice("Record the implants")
    expect(walk.main).to_contain_text("P1")


def _back_to_the_patient(walk: Walk) -> None:
    """Open the lineage at the last mouse and click back to the patient."""
    walk.go("search/?q=M0017")
    walk.main.locator(TUMOUR).first.click()
    walk.main.get_by_role("link", name="Lineage", exact=True).click()
    expect(walk.main.locator("svg.lineage")).to_be_visible()
    walk.main.locator("svg.lineage a", has_text="W-P01").click()
    expect(walk.page.locator("h1")).to_have_text("W-P01")


def _withdrawal(walk: Walk) -> None:
    """Withdraw the consent and see what is flagged, down to the living mice; implanting is refused from then on."""
    walk.main.get_by_role("link", name="Record that consent was withdrawn").click()
    expect(walk.main).to_contain_text("17 animals that carry this tissue may be alive")
    expect(walk.main).to_contain_text("M0017")
    walk.fill(withdrawn_on=str(TODAY), reason="the patient asked for it")
    walk.press_twice("Record the withdrawal")
    for page in ("search/?q=M0016", "search/?q=AL-00003"):
        walk.go(page)
        expect(walk.main).to_contain_text("Consent of W-P01 was withdrawn")
    walk.go("implants/surgery?aliquot_id=AL-00003&animal=M0016")
    walk.fill(implanted_on=str(TODAY), all_of_it=True, site="subcutaneous")
    walk.press("Record the implants")
    expect(walk.main).to_contain_text(re.compile("consent", re.IGNORECASE))
    walk.go("implants/")
    expect(walk.page.locator("h1 .count")).to_have_text("17")
