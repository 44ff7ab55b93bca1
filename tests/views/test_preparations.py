"""The pages of cell preparations: the list, a count with its implants, and a surgery list that names one."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import CellPreparation, Implant, Project
from lims.views.transaction import Application
from tests.records.implant_lab import make_lab
from tests.support import factories
from tests.support.pages import Browser, add_person, message, sent

LIST = "/p/BCBM/preparations/"


@pytest.fixture
def ada(app_on_each: Application, database: Database) -> Browser:
    make_lab(database)
    with factories.declared(database) as session:
        project = session.query(Project).one()
        project.code = "BCBM"
    add_person(database, "Ada", BCBM=RoleName.TECHNICIAN)
    return Browser(app_on_each).sign_in("Ada")


def test_a_count_is_typed_found_again_and_implanted(database: Database, ada: Browser) -> None:
    assert "No count yet. Upload what the cell counter wrote" in message(ada.get(LIST, heading="Cell preparations"))
    count = {"sample": "AL-1", "counted_on": "2026-03-02", "counted_at": "2026-03-02 09:00", "viable_cells_per_ml": "2.63e6"}
    form = ada.get(f"{LIST}new", heading="Record a cell preparation")
    refused = ada.submit(form, f"{LIST}new", status=422, **count, total_cells_per_ml="1e6")
    assert "2.63e+06 viable cells/mL are more than all 1e+06 cells/mL" in message(refused)
    saved = ada.submit(form, f"{LIST}new", **count, total_cells_per_ml="2.72e6", viability_percent="96.7")
    page = message(ada.get(saved.location, heading="CP-0001"))
    assert "2.63e6 viable cells/mL at 96.7 %, sample AL-1, counted 2026-03-02 09:00" in page
    assert "No implant names this count yet." in page
    with factories.declared(database) as session:
        first = session.query(CellPreparation).one()
        repeat = {"counted_on": first.counted_on, "viable_cells_per_ml": 2.4e6, "viability_percent": 95.0}
        factories.preparation(session, session.query(Project).one(), "CP-0002", sample="AL-1", **repeat)
    assert "Counted again that day CP-0002 2.4e6 viable cells/mL at 95 %" in message(ada.get(saved.location))
    rows = ada.get(f"{LIST}?q=al-1")
    assert "CP-0001 AL-1 2026-03-02 2.63e6 96.7" in message(rows)
    assert ada.client.get("/p/BCBM/search/?q=cp-0001").location.endswith(f"/preparations/{first.id}")
    assert ada.client.get(f"/p/BCBM/preparations/{first.id}/withdraw").status_code == 403, "a technician withdraws nothing"


def test_a_surgery_list_names_a_count_and_asks_about_an_old_one(database: Database, ada: Browser) -> None:
    with factories.declared(database) as session:
        at = {"counted_on": date(2026, 3, 2), "counted_at": datetime(2026, 3, 2, 6, tzinfo=UTC)}
        factories.preparation(session, session.query(Project).one(), "CP-0001", **at)
    address = "/p/BCBM/implants/surgery?preparation_id=CP-0001&aliquot_id=AL-1&animal=M1"
    form = ada.get(address, heading="Surgery list")
    assert sent(form, "/p/BCBM/implants/surgery")["preparation_id"] == "CP-0001"
    typed = {
        "implanted_on": "2026-03-02",
        "ended_at": "14:05",
        "site": "mammary_fat_pad",
        "material": "cells",
        "amount": "1",
        "cell_count": "5e5",
        "volume_ul": "50",
        "anaesthetic": "isoflurane 2 %",
        "analgesic": "buprenorphine 0.1 mg/kg",
        "analgesia_hours": "8",
        "analgesia_doses": "2",
    }
    doubt = ada.submit(form, "/p/BCBM/implants/surgery", status=422, **typed)
    assert "CP-0001 was counted 8.1 hours before the end of surgery: fewer cells live by now than it says." in message(doubt)
    saved = ada.submit(doubt, "/p/BCBM/implants/surgery", **typed, confirmed="y")
    assert "/done" in saved.location
    with database.reading() as session:
        implant = session.query(Implant).one()
        assert (implant.viability_percent, implant.preparation.code) == (96.7, "CP-0001")
        page = message(ada.get(f"/p/BCBM/implants/{implant.id}"))
        count = message(ada.get(f"/p/BCBM/preparations/{implant.preparation_id}"))
    assert "Cell preparation CP-0001" in page
    assert "M1 T1 mammary fat pad 2026-03-02 500,000" in count
