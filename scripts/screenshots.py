"""Take the documentation's screenshots again: `make screenshots`. Needs Chromium on this machine.

The demo is made in a temporary folder, served, and looked at as its people see it. Its dates count back from today, so
the pictures change from day to day; take them again when a page changed, not otherwise.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
LARGEST_BYTES = 250_000
START_SECONDS = 30
WIDTH, HEIGHT = 1280, 820


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its file, who looks, and the links clicked one after the other from the project's page.

    A link is found by its text, a row's by the text of the row that it stands in.
    """

    file: str
    role: str
    path: str
    links: tuple[str, ...] = ()
    height: int = HEIGHT


SHOTS = (
    Shot("study.png", "scientist", "studies/", ("BM01-BRAIN",), 736),
    Shot("survival.png", "scientist", "studies/", ("BM01-BRAIN", "Survival"), 1100),
    Shot("dosing.png", "study_director", "studies/", ("BM02-BRAIN", "Dosing"), 1400),
    Shot("check.png", "scientist", "imports/?state=refused", ("edited.csv",), 900),
    Shot("measurement.png", "scientist", "measurements/?quality=excluded", ("NSG-",)),
    Shot("audit.png", "auditor", "audit/"),
)


def main() -> int:
    """Make, serve and photograph the demo; exit status 1 where a picture is too large or there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("No Chromium on this machine (Debian, Ubuntu: apt-get install chromium).", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    too_large = []
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            size = take(browser, url, shot)
            print(f"{shot.file}: {size / 1000:.0f} kB")
            if size > LARGEST_BYTES:
                too_large.append(shot.file)
        browser.close()
    if too_large:
        print(f"Larger than {LARGEST_BYTES / 1000:.0f} kB: {', '.join(too_large)}.", file=sys.stderr)
    return 1 if too_large else 0


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a fresh demo on a free port of this machine; gives its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIMS_")}
    lims = [sys.executable, "-m", "lims.cli", "--data", str(folder)]
    subprocess.run([*lims, "demo", "--no-serve"], check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [*lims, "serve", "--port", str(port)]
    server = subprocess.Popen(serve, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  # our own command
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server of the demo did not start")


def take(browser: Browser, url: str, shot: Shot) -> int:
    """Take one picture; gives its size in bytes."""
    from lims.demo.people import PEOPLE
    from lims.domain.synthetic import DEMO_PROJECT

    person = next(one for one in PEOPLE if one.role == shot.role)
    page = browser.new_page(viewport={"width": WIDTH, "height": shot.height}, base_url=url)
    sign_in(page, person.email, person.password)
    page.goto(f"/p/{DEMO_PROJECT}/{shot.path}")
    for link in shot.links:
        page.locator("main a").filter(has_text=link).or_(page.locator("main tr", has_text=link).get_by_role("link")).first.click()
        page.wait_for_load_state("networkidle")
    if page.locator("[data-spec], .plot").count():
        page.locator(".plot canvas, .plot svg").first.wait_for()
    target = IMAGES / shot.file
    page.screenshot(path=target)
    page.close()
    return target.stat().st_size


def sign_in(page: Page, email: str, password: str) -> None:
    """Sign in as one of the demo's people."""
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/login" not in address)


if __name__ == "__main__":
    sys.exit(main())
