"""Every form that writes is recorded once, however often it is sent: the form carries an id, and what was sent is known by it.

`OnceForm` is the base of all forms, and `tokens()` stands in those that templates write by hand; `lims.views.transaction`
asks `sent_form` before each view. What was sent is known by the form's id together with everything that was typed: a second
click sends the same, while somebody who goes back, corrects the form and sends it again means a new record.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from flask import request
from flask_login import current_user
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from wtforms import HiddenField

from lims.domain.notices import Notice

ID_BYTES = 16
_NOT_TYPED = frozenset({"csrf_token"})


class OnceForm(FlaskForm):
    """A form that is recorded once; `hidden_tag()` writes its id."""

    notices: tuple[Notice, ...] = ()
    """What a person has to confirm before anything is recorded."""
    conflict = False
    """Whether it was refused because somebody else was faster."""

    form_id = HiddenField(default=lambda: secrets.token_urlsafe(ID_BYTES), render_kw={"id": False})

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.shows = settings.get("obj")
        """The record whose fields these are, if any."""


def tokens() -> Markup:
    """Write the hidden fields of a form that has no others, as `OnceForm` names them."""
    hidden = Markup('<input type="hidden" name="csrf_token" value="{}"><input type="hidden" name="form_id" value="{}">')
    return hidden.format(generate_csrf(), secrets.token_urlsafe(ID_BYTES))


def sent_form() -> tuple[int, str] | None:
    """Give who sent a form and what it is known by; None for what is no form with an id, or comes from nobody."""
    if not request.form.get("form_id") or not current_user.is_authenticated:
        return None
    known = hashlib.sha256(request.full_path.encode())
    for name, value in request.form.items(multi=True):
        if name not in _NOT_TYPED:
            known.update(repr((name, value)).encode())
    for name, file in request.files.items(multi=True):
        content = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]  # a binary stream, whatever its stubs say
        file.stream.seek(0)
        known.update(repr((name, file.filename, content)).encode())
    return current_user.id, known.hexdigest()
