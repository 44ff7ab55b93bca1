"""One transaction per request: the view and its commit are one step, so an answer never claims what was not saved.

GET, HEAD and OPTIONS get a reading session, everything else a writing one (`BEGIN IMMEDIATE` on SQLite). It is committed
when the view has returned a response below 400, before that response is sent; otherwise it is rolled back. A commit that
fails is answered by the same error handlers as a view that fails. A form that was sent twice is recorded once: the second
one is led to where the first one led (`lims.views.once`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Response, current_app, flash, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lims.config import Settings
from lims.db import Database
from lims.models import Base
from lims.records.submissions import answered, taken
from lims.views.addresses import Addressed
from lims.views.compiled import Templates
from lims.views.once import sent_form
from lims.views.shelf import Shelf

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Installation:
    """What this process serves: its settings and its database. shelf: what was drawn from that (`lims.views.kept`)."""

    settings: Settings
    database: Database
    shelf: Shelf = field(default_factory=Shelf)


def installation() -> Installation:
    """Give the settings and the database of the running application."""
    found: Installation = current_app.extensions["lims"]
    return found


def current_session() -> Session:
    """Give the request's session, opened at its first use."""
    if "session" not in g:
        database = installation().database
        g.session = database.reader() if request.method in READING_METHODS else database.writer()
    session: Session = g.session
    return session


class Application(Addressed):
    """Flask, with the commit inside the dispatch: a failing one reaches the error handlers."""

    jinja_environment = Templates

    def dispatch_request(self) -> ResponseReturnValue:
        """Call the view, then commit what it did if it succeeded."""
        if request.method in READING_METHODS:
            return super().dispatch_request()
        sent = sent_form()
        before = taken(current_session(), *sent) if sent else None
        if before is not None:
            close_session()
            flash("This form was sent twice; it is recorded once.", "info")
            return redirect(before)
        response: Response = self.make_response(super().dispatch_request())
        if "session" in g:
            if response.status_code < HTTPStatus.BAD_REQUEST:
                if sent and "answered" not in g:
                    answered(current_session(), *sent, response.location or _own_page())
                current_session().commit()
            else:
                close_session()
        return response


def _own_page() -> str | None:
    """Give the page of the form that was sent; None for a form whose answer, such as a file, may be asked for again."""
    rule = request.url_rule
    return request.full_path.rstrip("?") if rule is not None and "GET" in (rule.methods or ()) else None


def start_again() -> None:
    """Undo what the request did, and read the rest of the answer through a new session: for pages about a failure."""
    close_session()
    # What was loaded before belongs to the session that failed.
    for name in ("_login_user", "project"):
        g.pop(name, None)
    g.session = installation().database.reader()


def close_session(error: BaseException | None = None) -> None:
    """Give the connection back; whatever was not committed is rolled back."""
    session: Session | None = g.pop("session", None)
    if session is not None:
        session.close()


@contextmanager
def let_go(record: Base) -> Iterator[None]:
    """Give the connection back, and with it the right to write, while something slow goes on that needs one record only.

    For the beginning of a request: what it changed so far is undone. Whoever changes the record meanwhile is noticed by
    its version when it is saved.
    """
    session = current_session()
    session.expunge(record)
    session.rollback()
    try:
        yield
    finally:
        session.add(record)


def commit_now() -> None:
    """Commit what the request did so far and let go of the database.

    For requests of two steps, whose second one has a transaction of its own and would wait for ours. What happened so far
    stands, whatever the second step comes to.
    """
    session = current_session()
    session.commit()
    session.close()


def answer_now(leads_to: str) -> None:
    """Do the same, count the form as answered by the page that it leads to, and only read from now on.

    For requests whose second step is a job: while that records, nobody else can write, this request included.
    """
    sent = sent_form()
    if sent:
        answered(current_session(), *sent, leads_to)
    g.answered = True
    commit_now()
    g.session = installation().database.reader()
