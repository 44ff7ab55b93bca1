"""Two people at one record: the second one's form is shown again, with what was typed and what is recorded now beside it."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Field, SelectField, SelectMultipleField
from wtforms.widgets import HiddenInput

from lims.audit.history import entries
from lims.domain.errors import ChangedMeanwhile
from lims.views.once import OnceForm
from lims.views.transaction import current_session


def show_both(form: OnceForm, refused: ChangedMeanwhile) -> None:
    """Let a form be saved again over what somebody else recorded meanwhile, beside which it stands now."""
    record = refused.record
    for field in form:
        if field.name.endswith("version"):
            field.data = getattr(record, field.name)
        elif form.shows is record and _comparable(field, record):
            _compare(field, record)
    differs = any(getattr(field, "recorded", None) is not None for field in form)
    look = "What is recorded now stands beside each field that differs" if differs else "Look at it once more"
    form.form_errors.append(f"{_who(refused)} {look}; correct what should stand, then save again.")


def _who(refused: ChangedMeanwhile) -> str:
    table, session = refused.record.__tablename__, current_session()
    newest = next(iter(entries(session, table, refused.record.id, 1)), None)
    if refused.whole and newest is not None:
        at = newest.at.astimezone(session.info["zone"])
        return f"{newest.person} changed this record at {at:%Y-%m-%d %H:%M}, after you opened it."
    return str(refused)


def _comparable(field: Field, record: Any) -> bool:
    shown = isinstance(field, SelectField | SelectMultipleField) or hasattr(field, "_value")
    return shown and not isinstance(field.widget, HiddenInput) and (hasattr(record, field.name) or field.object_data is not None)


def _compare(field: Any, record: Any) -> None:
    """Keep what was typed; note beside it what is recorded, written the same way, where it differs."""
    typed, kept = _text(field), (field.data, field.raw_data)
    field.raw_data = None
    field.process_data(getattr(record, field.name, field.object_data))
    recorded = _text(field)
    field.data, field.raw_data = kept
    if recorded != typed:
        field.recorded = recorded or "nothing"


def _text(field: Any) -> str:
    if isinstance(field, BooleanField):
        return "yes" if field.data else "no"
    if isinstance(field, SelectField | SelectMultipleField):
        return ", ".join(option.label.text for option in field if option.checked)
    return str(field._value()).strip()
