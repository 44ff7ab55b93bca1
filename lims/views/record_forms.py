"""The form of a record: its groups of fields, what was typed as columns, and the part that changes and withdrawals add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar

from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import InputRequired

from lims.views.form_fields import CodeField, TermField, YesNoField
from lims.views.once import OnceForm

Form = TypeVar("Form", bound="RecordForm")
REASON = "A reason is needed: it stands in the audit trail."


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together. explanation: one line, with its source, where a field is not obvious."""

    title: str
    fields: tuple[str, ...]
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What a page says around a form that does one thing, such as moving animals (`records/step.html`).

    code: the record it is about, if any; back: the page it came from. button: a verb with its object.
    """

    title: str
    button: str
    back: str
    code: str = ""
    lead: str = ""


class RecordForm(OnceForm):
    """A form whose fields are named as the columns of a noun.

    groups: the fields in order; a field that no group names is not shown. units: shown inside a field's end.
    code_field: the column that is typed once and never changed later, if any.
    """

    groups: ClassVar[tuple[Group, ...]] = ()
    units: ClassVar[Mapping[str, str]] = {}
    once: ClassVar[frozenset[str]] = frozenset({"code"})
    """Fields that are typed when a record is made, and shown but not offered when it is changed."""

    confirmed = BooleanField("I have looked at this again, and it is right")

    def columns(self, *, changing: bool) -> list[str]:
        """Name the columns that this form fills in, in order."""
        names = [name for group in self.groups for name in group.fields]
        return [name for name in names if not (changing and name in self.once)]

    def values(self, *, changing: bool = False) -> dict[str, Any]:
        """Give what was typed, by column."""
        return {name: typed(self._fields[name]) for name in self.columns(changing=changing)}


def typed(field: Any) -> Any:
    """Give a field's data as its column takes it: terms, ids of records, blanks as nothing."""
    if isinstance(field, TermField | YesNoField):
        return field.term
    if isinstance(field, CodeField):
        return field.record_id
    if isinstance(field.data, str):
        return field.data.strip() or None
    return field.data


@cache
def changing(form: type[Form]) -> type[Form]:
    """Give the form with a reason and the version seen, and without what is typed only once."""
    fields: dict[str, Any] = {
        "reason": StringField(
            "Reason", [InputRequired(REASON)], description="It stands in the audit trail beside what you change."
        ),
        "version": HiddenField(),
        **dict.fromkeys(form.once, None),
    }
    return type(f"Change{form.__name__}", (form,), fields)


class WithdrawForm(OnceForm):
    """Withdrawing a record, or bringing it back."""

    reason = StringField("Reason", [InputRequired(REASON)])
    version = HiddenField()
