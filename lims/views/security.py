"""Sign-in, password change and reset by Flask-Security, on the request's session and in the audit trail.

`lims.models.User` knows nothing of Flask: `Account` wraps it for Flask-Security and Flask-Login. Flask-Security's own
commits are flushes here; the request's transaction is committed once (`lims.views.transaction`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from time import time
from typing import Any

from flask import Flask, g, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user, user_logged_out
from flask_security import LoginForm, MailUtil, Security, SQLAlchemySessionUserDatastore, UserMixin
from flask_security.signals import password_changed, password_reset, user_authenticated
from sqlalchemy import func, select
from werkzeug.local import LocalProxy

from lims.audit.record import Actor, declare
from lims.config import Settings
from lims.models import User
from lims.queries.accounts import MyProject, Person, find_user, my_projects, person_of_session
from lims.records.passwords import MINIMUM_LENGTH, PARALLELISM, TIME_COST
from lims.views.request_log import request_id
from lims.views.transaction import current_session, installation, let_go

FAILED_SIGN_INS = "20 per 15 minutes"
RESETS = "5 per hour"
SESSION_HOURS = 12
"""How long a session lasts after its last page."""
RENEWED_SECONDS = 300
"""How old a cookie is when it is sent again: to sign one for every page takes as long as to ask the database."""
_LONGEST_ADDRESS = 255
SIGNER = "signer"
"""What a session holds once its person has signed something in it (`lims.views.signing`)."""


class Account(UserMixin):
    """A person as Flask-Security sees one: what every page shows was read with the session, the record itself where asked."""

    def __init__(self, known: Person | User) -> None:
        self._known = known

    @property
    def person(self) -> User:
        """Give the record, to change it or to check a password; from then on it answers."""
        if isinstance(self._known, Person):
            self._known = find_user(current_session(), self._known.id)
        return self._known

    @cached_property
    def projects(self) -> list[MyProject]:
        """Give the projects they belong to, by code."""
        return self._known.projects if isinstance(self._known, Person) else my_projects(current_session(), self._known.id)

    @property
    def id(self) -> int:  # type: ignore[override]  # read, never set through here
        """Give the person's id."""
        return self._known.id

    @property
    def email(self) -> str:  # type: ignore[override]  # read, never set through here
        """Give the address."""
        return self._known.email

    @property
    def name(self) -> str:
        """Give the printed name."""
        return self._known.name

    @property
    def active(self) -> bool:  # type: ignore[override]  # read, never set through here
        """Say whether the person may sign in."""
        return self._known.active

    @property
    def administrator(self) -> bool:
        """Say whether the person manages the whole installation."""
        return self._known.administrator

    @property
    def password(self) -> str:
        """Give the hash."""
        return self.person.password

    @password.setter
    def password(self, hashed: str) -> None:
        self.person.password = hashed

    @property
    def fs_uniquifier(self) -> str:
        """Give what the session cookie names; it changes with the password."""
        return self._known.fs_uniquifier

    @fs_uniquifier.setter
    def fs_uniquifier(self, value: str) -> None:
        self.person.fs_uniquifier = value

    def verify_and_update_password(self, password: str) -> bool:
        """Check a password. It is hashed for a noticeable time, on purpose, in which others may write."""
        with let_go(self.person):
            return super().verify_and_update_password(password)


class AccountDatastore(SQLAlchemySessionUserDatastore):
    """Flask-Security's store on the request's session, handing out `Account`."""

    def __init__(self) -> None:
        # Roles belong to projects here (`lims.domain.permissions`), so Flask-Security gets no model of them.
        super().__init__(LocalProxy(current_session), Account, None)  # type: ignore[arg-type]  # any session will do

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> Account | None:
        """Find a person by one attribute."""
        ((attribute, value),) = kwargs.items()
        if attribute == "fs_uniquifier":
            known = person_of_session(current_session(), str(value))
            return Account(known) if known else None
        column = getattr(User, attribute)
        match = func.lower(column) == str(value).lower() if case_insensitive else column == value
        person = current_session().scalar(select(User).where(match))
        return Account(person) if person else None

    def put(self, model: Account) -> Account:
        """Keep a change: the person is in the session already."""
        return model

    def commit(self) -> None:
        """Leave the commit to the request's transaction."""


class SignInForm(LoginForm):
    """Flask-Security's form without "remember me", writing each failure into the audit trail."""

    remember = None  # type: ignore[assignment]  # how WTForms takes an inherited field away

    def validate(self, **kwargs: Any) -> bool:  # type: ignore[override]  # Flask-Security's own signature
        """Check address and password; record it where they are not right."""
        if super().validate(**kwargs):
            return True
        g.sign_in_failed = True
        person = self.user.person if isinstance(self.user, Account) else None
        # People type a password into the wrong field: only what has the form of an address (the form then looks for its
        # owner, `ifield`) is kept.
        typed = str(self.email.data)[:_LONGEST_ADDRESS] if self.ifield is not None else "no address"
        named = person.email if person else typed
        _declare(
            Actor(person.id if person else None, person.name if person else "unknown", "form", request_id()),
            "session:fail",
            {"address": request.remote_addr or "", "email": named},
        )
        return False


class AccountMail(MailUtil):
    """Sends Flask-Security's messages through the installation's mail server."""

    def send_mail(
        self, template: str, subject: str, recipient: Any, sender: Any, body: str | None, html: str | None, **kwargs: Any
    ) -> None:
        """Send the text of a message."""
        # Loaded here: most installations start without ever sending one.
        from lims.views.mail import send_text

        server = installation().settings.mail_server
        if server and body:
            send_text(server, sender=str(sender), recipient=str(recipient), subject=str(subject), body=body)


def _declare(actor: Actor, action: str, detail: dict[str, Any]) -> None:
    # What Flask-Security has set on the person so far belongs to this event, so it must not be flushed before it.
    with current_session().no_autoflush:
        declare(current_session(), actor, action, detail=detail)


def _themselves(user: Account) -> Actor:
    return Actor(user.id, user.name, "form", request_id())


def _signed_in(sender: Flask, user: Account, authn_via: list[str] | None = None, **extra: object) -> None:
    session.pop(SIGNER, None)
    if "password" not in (authn_via or []):
        return
    session.permanent = True
    _declare(_themselves(user), "session:open", {"address": request.remote_addr or ""})
    person = user.person
    person.last_login_at, person.current_login_at = person.current_login_at, datetime.now(UTC)
    person.login_count += 1


def _signed_out(sender: Flask, user: Any, **extra: object) -> None:
    if user.is_authenticated:
        account = user._get_current_object() if isinstance(user, LocalProxy) else user
        _declare(_themselves(account), "session:close", {"address": request.remote_addr or ""})


def _password_set(sender: Flask, user: Account, **extra: object) -> None:
    way = "reset" if request.endpoint == "security.reset_password" else "change"
    _declare(_themselves(user), "user:change", {"address": request.remote_addr or "", "password": way})
    user.person.password_changed_at = datetime.now(UTC)


def _typed_address() -> str:
    return request.form.get("email", "")[:_LONGEST_ADDRESS].strip().lower()


def _limit(app: Flask) -> None:
    """Limit failed sign-ins and signatures per network address, and requests for reset messages per network address and per person.

    Counted in this process's memory unless `RATELIMIT_STORAGE_URI` names a shared store; several processes without one
    allow so many times more.
    """
    limiter = Limiter(get_remote_address, app=app, strategy="moving-window")
    views: dict[str, Any] = app.view_functions
    sign_ins = limiter.shared_limit(
        FAILED_SIGN_INS, "passwords", methods=["POST"], deduct_when=lambda _: g.get("sign_in_failed", False)
    )
    per_person = limiter.limit(RESETS, methods=["POST"], key_func=_typed_address)
    per_address = limiter.limit(FAILED_SIGN_INS, methods=["POST"])
    signing = [endpoint for endpoint, view in views.items() if getattr(view, "asks_password", False)]
    for endpoint in ("security.login", *signing):
        views[endpoint] = sign_ins(views[endpoint])
    views["security.forgot_password"] = per_address(per_person(views["security.forgot_password"]))


_FIXED = {
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SCHEMES": ["argon2"],
    # argon2 salts by itself; without the second hash, the command line makes the same ones (lims.records.passwords).
    "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},
    "SECURITY_PASSWORD_LENGTH_MIN": MINIMUM_LENGTH,
    "SECURITY_PASSWORD_NORMALIZE_FORM": "NFKD",
    "SECURITY_CHANGEABLE": True,
    "SECURITY_CHANGE_URL": "/account/password",
    "SECURITY_POST_CHANGE_VIEW": "account.index",
    "SECURITY_RECOVERABLE": True,
    "SECURITY_RESET_PASSWORD_WITHIN": timedelta(days=1),
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_EMAIL_HTML": False,
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"test_environment": True},
    "SECURITY_POST_LOGOUT_VIEW": "/login",
    "SECURITY_API_ENABLED_METHODS": ["session"],
    "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("Address or password is not right.", "error"),
    "SECURITY_MSG_UNAUTHENTICATED": ("Please sign in to see this page.", "info"),
    "RATELIMIT_STORAGE_URI": "memory://",
    "SESSION_PROTECTION": "strong",
    "SESSION_COOKIE_NAME": "lims",
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_HTTPONLY": True,
    "PERMANENT_SESSION_LIFETIME": SESSION_HOURS * 3600 + RENEWED_SECONDS,
    "SESSION_REFRESH_EACH_REQUEST": False,
    # A form stays open beside the bench for hours: its token lives as long as the session.
    "WTF_CSRF_TIME_LIMIT": None,
}
"""What Flask-Security, Flask-Login and Flask-WTF read, whatever the installation."""


def configure(app: Flask, settings: Settings) -> None:
    """Set what Flask-Security, Flask-Login and Flask-WTF read."""
    mail = bool(settings.mail_server)
    app.config.update(
        _FIXED,
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={
            "argon2__memory_cost": settings.password_memory_kib,
            "argon2__time_cost": TIME_COST,
            "argon2__parallelism": PARALLELISM,
        },
        SECURITY_SEND_PASSWORD_RESET_EMAIL=mail,
        SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL=mail,
        SECURITY_SEND_PASSWORD_CHANGE_EMAIL=mail,
        SECURITY_EMAIL_SENDER=f"no-reply@{settings.trusted_hosts[0] if settings.trusted_hosts else 'localhost'}",
        SESSION_COOKIE_SECURE=settings.https_only,
    )


def install(app: Flask) -> None:
    """Attach accounts to the application."""
    Security(app, AccountDatastore(), login_form=SignInForm, mail_util_cls=AccountMail)
    # Flask-Security hands out tokens of its own, which open every page, also from an address, and stand in no trail.
    app.login_manager.request_loader(lambda _: None)  # type: ignore[attr-defined]  # set by Flask-Login
    user_authenticated.connect(_signed_in, app)
    user_logged_out.connect(_signed_out, app)
    password_changed.connect(_password_set, app)
    password_reset.connect(_password_set, app)
    app.add_template_global(mail_is_set_up)
    _limit(app)


def current_account() -> Account:
    """Give the signed-in person; call it behind the sign-in only."""
    account: Account = current_user._get_current_object()
    return account


def renew_session() -> None:
    """Let the session last from now on, where its cookie is no new one."""
    now = int(time())
    if session.get("renewed", 0) < now - RENEWED_SECONDS:
        session["renewed"] = now


def mail_is_set_up() -> bool:
    """Say whether this installation can send a message."""
    return bool(installation().settings.mail_server)


def signed_in() -> bool:
    """Say whether somebody is signed in."""
    return bool(current_user._get_current_object().is_authenticated)
