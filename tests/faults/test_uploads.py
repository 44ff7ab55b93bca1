"""Faults 23, 25 and 32 by the page: names that are paths, files that are too large, the same file at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from importers.preflight import MAX_UPLOAD_BYTES
from lims.models import ImportBatch, StoredFile
from tests.faults.conftest import Lab
from tests.support.pages import Browser, sent

PATH = "/p/HERE/imports/new"
NAMES = (
    "../../../../etc/cron.d/x.csv",
    "..\\..\\windows\\x.csv",
    "/etc/passwd",
    "a\x00b.csv",
    "CON",
    "..",
    ".",
    "x" * 4_096 + ".csv",
    'x"; filename="y.csv',
    "\u202evsc.exe",
)


def files_below(folder: Path) -> dict[str, int]:
    """Give every file with its size, the database and its logs left out."""
    found = {str(one.relative_to(folder)): one.stat().st_size for one in folder.rglob("*") if one.is_file()}
    return {name: size for name, size in found.items() if not name.startswith("lims.db")}


def test_a_file_name_is_only_ever_shown(lab_on_each: Lab, tmp_path: Path) -> None:
    lab = lab_on_each
    browser = lab.browser()
    for number, name in enumerate(NAMES):
        content = f"id,date,weight (g)\nM{number},2026-03-02,20\n".encode()
        answer = browser.client.post(PATH, data=sent(browser.get(PATH), PATH) | {"file": (BytesIO(content), name)})
        assert answer.status_code == HTTPStatus.FOUND, name
        page = answer.headers["Location"]
        browser.get(page)
        back = lab.file(f"{page}/file")
        assert back.data == content
        assert len(back.headers.getlist("Content-Disposition")) == 1
        assert [cookie for cookie in back.headers.getlist("Set-Cookie") if not cookie.startswith("lims=.")] == []
    stored = [path for path in files_below(tmp_path) if not path.startswith(("data/files/", "data/jobs."))]
    assert [path for path in stored if "secret" not in path and "key" not in path] == []
    with lab.database.reading() as session:
        assert all(len(one) <= 200 and one.isprintable() for one in session.scalars(select(ImportBatch.file_name)))


def test_a_file_beyond_the_limit_is_refused_and_nothing_is_kept(lab: Lab, tmp_path: Path) -> None:
    browser, before, events = lab.browser(), files_below(tmp_path), lab.events()
    file = FileStorage(BytesIO(b"x" * MAX_UPLOAD_BYTES), "large.csv", "file")
    boundary, body = encode_multipart(sent(browser.get(PATH), PATH) | {"file": file})
    answer = browser.client.post(PATH, data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    browser.check(answer, "The file is too large")
    assert files_below(tmp_path) == before
    assert lab.events() == events


def test_of_four_uploads_of_one_file_at_once_one_makes_a_batch(lab_on_each: Lab) -> None:
    lab = lab_on_each
    before = len(lab.of(ImportBatch))
    names = ("manager", "director", "scientist", "technician")
    browsers: list[Browser] = [lab.browser(name) for name in names]
    forms = [sent(browser.get(PATH), PATH) for browser in browsers]

    def upload(number: int) -> int:
        file = (BytesIO(b"id,date,weight (g)\nM-HERE,2026-03-16,21\n"), f"{number}.csv")
        return browsers[number].client.post(PATH, data=forms[number] | {"file": file}).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(upload, range(4)))

    assert set(answers) <= {HTTPStatus.FOUND, HTTPStatus.CONFLICT}, answers
    assert HTTPStatus.FOUND in answers
    assert len(lab.of(ImportBatch)) == before + 1
    with lab.database.reading() as session:
        assert len(session.scalars(select(StoredFile)).all()) == 3
