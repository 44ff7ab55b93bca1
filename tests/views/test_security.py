"""Attacks on sign-in, session and forms, each against the running application."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from flask_security import UserMixin
from sqlalchemy import event, select
from werkzeug.routing import Rule

from lims.config import Settings
from lims.db import Database
from lims.models import AuditEvent, User
from lims.views import security
from lims.views.api.bearer import TAKES_IMPORTS
from lims.views.support import OPEN_ENDPOINTS
from lims.views.transaction import Application
from tests.support.pages import PASSWORD, Browser, add_person, add_project, address, message, only, sent

MakeApp = Callable[[Settings, Database], Application]


def events(database: Database) -> list[tuple[str, str, dict[str, str]]]:
    """Give action, actor and detail of every event, oldest first."""
    with database.reading() as session:
        found = session.scalars(select(AuditEvent).order_by(AuditEvent.seq))
        return [(one.action, one.actor, json.loads(one.detail)) for one in found]


def path_of(rule: Rule) -> str:
    """Give an address that fits a route, with plausible values for what it takes."""
    path = rule.rule
    for argument in rule.arguments:
        converter = rule._converters[argument]
        value = "1" if type(converter).__name__ == "IntegerConverter" else "x"
        for form in (f"<int:{argument}>", f"<path:{argument}>", f"<{argument}>"):
            path = path.replace(form, value)
    return path


def test_everything_but_the_sign_in_needs_a_sign_in(app: Application, browser: Browser) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS or "GET" not in (rule.methods or ()):
            continue
        response = browser.client.get(path_of(rule))
        if rule.rule.startswith(("/api/v1/", "/api/imports")):
            assert response.status_code == 401, rule
            assert response.content_type == "application/problem+json", rule
            continue
        assert response.status_code == 302, rule
        assert response.headers["Location"].startswith("/login"), rule


def test_every_post_without_a_token_is_refused(app: Application, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Ada Admin", administrator=True)
    browser = Browser(app).sign_in_on_the_page("Ada Admin")
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert len(posts) > 10
    for rule in posts:
        response = browser.client.post(path_of(rule), data={"reason": "x"})
        if rule.endpoint == TAKES_IMPORTS:  # for which no sign-in of a browser's is enough
            assert response.status_code == 401, rule
            continue
        assert response.status_code == 400, rule
        browser.check(response, "The request could not be read")


def test_every_view_says_who_may_use_it(app: Application) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("security.") or rule.endpoint == "static":
            continue
        assert getattr(app.view_functions[rule.endpoint], "guarded_by", None), f"{rule.endpoint} has no needs(…)"


def test_another_projects_pages_are_not_found_by_any_route(app: Application, sqlite_database: Database) -> None:
    add_project(sqlite_database, "x")
    add_person(sqlite_database, "Ada Admin", administrator=True)
    browser = Browser(app).sign_in_on_the_page("Ada Admin")
    token = {"csrf_token": sent(browser.get("/account/"), "/account/")["csrf_token"]}
    rules = [rule for rule in app.url_map.iter_rules() if "project_code" in rule.arguments]
    assert {rule.rule.split("/")[1] for rule in rules} == {"p", "api"}
    assert rules
    for rule in rules:
        if "GET" in (rule.methods or ()):
            assert browser.client.get(path_of(rule)).status_code == 404, rule
        if "POST" in (rule.methods or ()):
            assert browser.client.post(path_of(rule), data=token).status_code == 404, rule


def test_sign_in_and_out_stand_in_the_audit_trail(app_on_each: Application, database: Database) -> None:
    add_person(database, "Tom Tech")
    browser = Browser(app_on_each).sign_in_on_the_page("Tom Tech")
    home = browser.get("/", heading="Home")
    browser.submit(home, "/logout")
    assert browser.client.get("/").status_code == 302
    told = [(action, actor) for action, actor, _ in events(database)]
    assert told == [("user:create", "tester"), ("session:open", "Tom Tech"), ("session:close", "Tom Tech")]


def test_both_ways_to_sign_in_are_one(app: Application, sqlite_database: Database) -> None:
    """Other tests sign in without the page (`Browser.sign_in`)."""
    add_person(sqlite_database, "Ada Admin", administrator=True)
    seen, kept, cookies = [], [], []
    for browser in (Browser(app).sign_in_on_the_page("Ada Admin"), Browser(app).sign_in("Ada Admin")):
        with browser.client.session_transaction() as inside:
            kept.append({key: value for key, value in inside.items() if key not in ("csrf_token", "fs_paa")})
            assert inside["fs_paa"]
        cookie = browser.client.get_cookie("lims")
        assert cookie
        cookies.append((cookie.http_only, cookie.secure, cookie.same_site, cookie.path, cookie.expires is not None))
        seen.append([message(browser.get(path)) for path in ("/", "/people/", "/account/password")])
    assert kept[0] == kept[1]
    assert cookies[0] == cookies[1]
    assert seen[0] == seen[1]
    on_the_page, directly = events(sqlite_database)[-2:]
    assert on_the_page == directly
    with sqlite_database.reading() as session:
        assert session.scalars(select(User.login_count)).all() == [2]


def test_a_failed_sign_in_is_recorded_and_says_nothing_of_who_exists(app_on_each: Application, database: Database) -> None:
    add_person(database, "Tom Tech")
    said = []
    for email in (address("Tom Tech"), "nobody@lab.test"):
        browser = Browser(app_on_each)
        page = browser.submit(browser.get("/login"), "/login", status=200, heading="Sign in", email=email, password="wrong")
        said.append(message(page))
    assert said[0] == said[1]
    assert "Address or password is not right." in said[0]
    failed = [(actor, detail["email"]) for action, actor, detail in events(database) if action == "session:fail"]
    assert failed == [("Tom Tech", "tom.tech@lab.test"), ("unknown", "nobody@lab.test")]


def test_a_password_typed_as_the_address_is_not_kept(app: Application, sqlite_database: Database) -> None:
    browser = Browser(app)
    browser.submit(browser.get("/login"), "/login", status=200, email=PASSWORD, password="x")
    assert events(sqlite_database)[-1][2]["email"] == "no address"


def test_the_twenty_first_bad_sign_in_is_429_and_a_good_one_counts_for_nothing(app: Application, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Tom Tech")
    Browser(app).sign_in_on_the_page("Tom Tech")
    browser = Browser(app)
    page = browser.get("/login")
    for _ in range(20):
        browser.submit(page, "/login", status=200, email=address("Tom Tech"), password="wrong")
    browser.submit(page, "/login", status=429, heading="Too many attempts", email=address("Tom Tech"), password=PASSWORD)
    assert [action for action, _, _ in events(sqlite_database)].count("session:fail") == 20


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "/\\evil.test", "https:evil.test", "\thttps://evil.test"])
def test_no_open_redirect_after_the_sign_in(app: Application, sqlite_database: Database, target: str) -> None:
    add_person(sqlite_database, "Tom Tech")
    browser = Browser(app)
    page = browser.get("/login")
    response = browser.client.post(
        "/login",
        query_string={"next": target},
        data={**sent(page, "/login"), "email": address("Tom Tech"), "password": PASSWORD, "next": target},
    )
    location = response.headers.get("Location", "/")
    assert location.startswith("/"), location
    assert not location.startswith(("//", "/\\")), location


def test_the_sign_in_leads_back_to_the_page_asked_for(app: Application, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Tom Tech")
    browser = Browser(app)
    asked = browser.client.get("/account/").headers["Location"]
    response = browser.client.post(
        asked, data={**sent(browser.get(asked), "/login"), "email": address("Tom Tech"), "password": PASSWORD}
    )
    assert response.headers["Location"] == "/account/"


def test_cookies_are_closed_to_scripts_and_other_sites(make_app: MakeApp, settings: Settings, sqlite_database: Database) -> None:
    app = make_app(settings.model_copy(update={"https_only": True}), sqlite_database)
    cookies = app.test_client().get("/login", base_url="https://localhost").headers.getlist("Set-Cookie")
    [session] = [cookie for cookie in cookies if cookie.startswith("lims=")]
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= {part.strip() for part in session.split(";")}


def test_the_cookie_changes_at_the_sign_in(app: Application, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Tom Tech")
    browser = Browser(app)
    browser.get("/login")
    before = browser.client.get_cookie("lims")
    browser.sign_in_on_the_page("Tom Tech")
    after = browser.client.get_cookie("lims")
    assert before
    assert after
    assert before.value != after.value
    other = app.test_client()
    other.set_cookie("lims", before.value)
    assert other.get("/").status_code == 302


def test_a_session_lasts_from_its_last_page(app: Application, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add_person(sqlite_database, "Ada Admin", administrator=True)
    browser = Browser(app).sign_in_on_the_page("Ada Admin")
    browser.client.get("/")
    assert "Set-Cookie" not in browser.client.get("/").headers, "its cookie is no older than it may be"
    later = security.time() + security.RENEWED_SECONDS + 1
    monkeypatch.setattr(security, "time", lambda: later)
    assert "Expires=" in browser.client.get("/").headers["Set-Cookie"]
    assert "Set-Cookie" not in browser.client.get("/").headers


def test_a_new_password_ends_older_sessions(app_on_each: Application, database: Database) -> None:
    add_person(database, "Tom Tech")
    elsewhere, here = Browser(app_on_each).sign_in_on_the_page("Tom Tech"), Browser(app_on_each).sign_in_on_the_page("Tom Tech")
    page = here.get("/account/password", heading="Change password")
    new = "noch ein langer Satz"
    here.submit(page, "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new)
    assert elsewhere.client.get("/").status_code == 302
    here.get("/", heading="Home")
    Browser(app_on_each).sign_in_on_the_page("Tom Tech", new)
    action, actor, detail = events(database)[-2]
    assert (action, actor, detail["password"]) == ("user:change", "Tom Tech", "change")
    with database.reading() as session:
        assert "noch ein" not in "".join(session.scalars(select(AuditEvent.detail)))


def test_a_wrong_or_short_password_changes_nothing(app: Application, sqlite_database: Database) -> None:
    person = add_person(sqlite_database, "Tom Tech")
    browser = Browser(app).sign_in_on_the_page("Tom Tech")
    page = browser.get("/account/password")
    path, long, short = "/account/password", "x" * 14, "short"
    browser.submit(page, path, status=200, password="wrong", new_password=long, new_password_confirm=long)
    page = browser.submit(page, path, status=200, password=PASSWORD, new_password=short, new_password_confirm=short)
    assert "12 characters" in message(page)
    with sqlite_database.reading() as session:
        assert session.scalars(select(User.password)).one() == person.password


def test_a_reset_link_works_once(app_on_each: Application, database: Database) -> None:
    add_person(database, "Ada Admin", administrator=True)
    person = add_person(database, "Tom Tech")
    old = Browser(app_on_each).sign_in_on_the_page("Tom Tech")
    admin = Browser(app_on_each).sign_in_on_the_page("Ada Admin")
    shown = admin.submit(admin.get(f"/people/{person.id}"), f"/people/{person.id}/reset", status=200, heading="Tom Tech")
    link = only(shown, "code:-soup-contains-own('/reset/')").text
    path = "/reset/" + link.partition("/reset/")[2]
    stranger = Browser(app_on_each)
    new = "ganz neuer langer Satz"
    stranger.submit(stranger.get(path, heading="New password"), path, password=new, password_confirm=new)
    assert old.client.get("/").status_code == 302
    Browser(app_on_each).sign_in_on_the_page("Tom Tech", new)
    assert Browser(app_on_each).client.get(path).status_code == 302
    actions = [action for action, _, _ in events(database)]
    assert "user:reset" in actions
    assert "user:change" in actions


def test_a_forged_host_is_refused(make_app: MakeApp, settings: Settings, sqlite_database: Database) -> None:
    app = make_app(settings.model_copy(update={"trusted_hosts": ["lims.lab.test"]}), sqlite_database)
    assert app.test_client().get("/login", base_url="http://evil.test").status_code == 400
    assert app.test_client().get("/login", base_url="http://lims.lab.test").status_code == 200


def test_mail_without_trusted_hosts_does_not_start(make_app: MakeApp, settings: Settings, sqlite_database: Database) -> None:
    with pytest.raises(ValueError, match="LIMS_TRUSTED_HOSTS"):
        make_app(settings.model_copy(update={"mail_server": "mail.lab.test"}), sqlite_database)


def test_headers_of_every_page(app: Application, browser: Browser) -> None:
    first = browser.client.get("/login")
    policy = first.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert first.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert first.headers["Cache-Control"] == "no-store"


def test_a_file_that_is_too_large_is_refused_before_it_is_read(app: Application, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Ada Admin", administrator=True)
    browser = Browser(app).sign_in_on_the_page("Ada Admin")
    app.config["MAX_CONTENT_LENGTH"] = 1_000
    response = browser.client.post("/people/new", data={"name": "x" * 2_000})
    assert response.status_code == 413
    browser.check(response, "The file is too large")


def test_the_secret_key_is_made_once_and_is_private(settings: Settings) -> None:
    from lims.app import stored_secret_key

    first = stored_secret_key(settings.data_dir)
    assert stored_secret_key(settings.data_dir) == first
    assert len(first) >= 48
    assert (settings.data_dir / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in settings.data_dir.iterdir()] == ["secret-key"]


def test_a_database_locked_too_long_is_503_with_a_sentence(app: Application, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Ada Admin", administrator=True)
    browser = Browser(app).sign_in_on_the_page("Ada Admin")
    page = browser.get("/account/")
    sqlite_database.engine.dispose()
    event.listen(sqlite_database.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 20"))
    with sqlite_database.transaction() as holder:
        holder.connection()
        response = browser.client.post("/account/", data={**sent(page, "/account/"), "name": "New Name"})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert "The database is busy" in response.text


@pytest.mark.parametrize(("password", "status", "action"), [(PASSWORD, 302, "session:open"), ("wrong", 200, "session:fail")])
def test_others_can_write_while_a_password_is_hashed(
    sqlite_database: Database, browser: Browser, monkeypatch: pytest.MonkeyPatch, password: str, status: int, action: str
) -> None:
    add_person(sqlite_database, "Ada Admin", administrator=True)
    hashing = UserMixin.verify_and_update_password
    written: list[bool] = []

    def with_somebody_else_writing(self: UserMixin, typed: str) -> bool:
        with closing(sqlite3.connect(str(sqlite_database.engine.url.database), timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
        written.append(True)
        return hashing(self, typed)

    monkeypatch.setattr(UserMixin, "verify_and_update_password", with_somebody_else_writing)
    browser.submit(browser.get("/login"), "/login", status, email=address("Ada Admin"), password=password)
    assert written == [True]
    assert events(sqlite_database)[-1][0] == action
