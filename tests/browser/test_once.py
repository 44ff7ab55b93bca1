"""A double click on save, with script and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Request, StorageState, expect
from sqlalchemy import func, select

from lims.models import Patient
from tests.browser.conftest import LiveServer, browsing


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_double_click_on_save_records_one_patient(
    chromium: Browser, live_server: LiveServer, session_cookie: StorageState, script: bool
) -> None:
    diagnosis, posts = f"clicked twice, {'with' if script else 'without'} script", list[Request]()
    with browsing(chromium, live_server, storage_state=session_cookie, java_script_enabled=script) as page:
        page.on("request", lambda one: posts.append(one) if one.method == "POST" else None)
        page.goto(f"/p/{live_server.project}/patients/new")
        page.locator("#diagnosis").fill(diagnosis)
        page.get_by_role("button", name="Record the patient").dblclick()
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Record a patient")
    with live_server.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Patient).where(Patient.diagnosis == diagnosis)) == 1
    assert not script or len(posts) == 1, "the script did not stop the second click"
