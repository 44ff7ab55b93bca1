"""The fields of forms: terms, dates, numbers and references, all typed as text so that no browser mangles a scan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import select
from wtforms import (  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs
    DateField,
    FloatField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from lims.domain.genes import GENES
from lims.domain.tissue_terms import Compartment
from lims.domain.vocabulary import RecordStatus
from lims.views.filters import choice_words, term_words
from lims.views.support import current_project, current_session
from lims.views.transaction import installation

SUGGESTED = 200
"""How many codes a reference field suggests; any other may be typed or scanned."""


def needed(why: str) -> InputRequired:
    """Require a field, and say why."""
    return InputRequired(why)


def _read(reader: Callable[[str], Any], text: str) -> Any:
    try:
        return reader(text.strip())
    except (ValueError, OverflowError):
        return None


class IsoDateField(DateField):
    """A date typed as text, so that no browser turns day and month round."""

    widget = TextInput()

    def process_data(self, value: Any) -> None:
        """Take a recorded date, or one that an address names; what cannot be read stays blank."""
        super().process_data(_read(date.fromisoformat, value) if isinstance(value, str) else value)

    def __init__(self, label: str, validators: list[Any] | None = None, **settings: Any) -> None:
        settings.setdefault("render_kw", {"placeholder": "YYYY-MM-DD", "autocomplete": "off", "inputmode": "numeric"})
        super().__init__(label, validators or [Optional()], **settings)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read `2026-11-02`."""
        try:
            super().process_formdata(valuelist)
        except ValueError as refused:
            raise ValueError(f'"{valuelist[0]}" is no date. Expected: year-month-day, such as 2026-11-02.') from refused


class MomentField(StringField):
    """A time of the laboratory, typed as `2026-11-02 14:05`; its data is aware."""

    data: Any

    def __init__(self, label: str, validators: list[Any] | None = None, **settings: Any) -> None:
        settings.setdefault("render_kw", {"placeholder": "YYYY-MM-DD HH:MM", "autocomplete": "off"})
        super().__init__(label, validators or [Optional()], **settings)

    def process_data(self, value: Any) -> None:
        """Take a recorded time; an address names none."""
        self.data = value if isinstance(value, datetime) else None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        zone = installation().settings.zone
        return "" if self.data is None else self.data.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the time in the laboratory's zone."""
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            self.data = datetime.strptime(text.replace("T", " "), "%Y-%m-%d %H:%M").replace(tzinfo=installation().settings.zone)
        except ValueError as refused:
            raise ValueError(f'"{text}" is no time. Expected: date and time, such as 2026-11-02 14:05.') from refused


class NumberField(FloatField):
    """A number with a decimal point or comma."""

    def __init__(self, label: str, validators: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(label, validators or [Optional()], **settings)

    def process_data(self, value: Any) -> None:
        """Take a recorded number, or one that an address names; what cannot be read stays blank."""
        number = _read(float, value) if isinstance(value, str) else value
        self.data = number if number is None or math.isfinite(number) else None

    def _value(self) -> str:
        """Show what was typed, or every digit of the number without an empty fraction: saving again changes nothing."""
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else repr(self.data).removesuffix(".0")

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read `20`, `17.5` or `17,5`."""
        try:
            super().process_formdata([valuelist[0].strip().replace(",", ".")] if valuelist else valuelist)
            if self.data is not None and not math.isfinite(self.data):
                self.data = None
                raise ValueError(valuelist[0])  # said once, below
        except ValueError as refused:
            raise ValueError(f'"{valuelist[0]}" is no number. Expected: digits, such as 20 or 17.5.') from refused


class WholeNumberField(NumberField):
    """A whole number, such as a count."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read `20`; `1e5` is a usual way to write a number of cells."""
        super().process_formdata(valuelist)
        if self.data is not None:
            if self.data != int(self.data):
                raise ValueError(f'"{valuelist[0]}" is no whole number. Expected: digits, such as 20.')
            self.data = int(self.data)


class TermField(SelectField):
    """One term of a vocabulary; its data is the term, or None where the field may stay blank."""

    def __init__(
        self, label: str, terms: Iterable[Enum], *, blank: str | None = None, words: Any = term_words, **settings: Any
    ) -> None:
        self.terms = {str(term.value): term for term in terms}
        first = [] if blank is None else [SelectChoice("", blank)]
        choices = first + [SelectChoice(code, choice_words(words(term))) for code, term in self.terms.items()]
        super().__init__(label, choices=choices, **settings)

    def process_data(self, value: Any) -> None:
        """Take the recorded term."""
        self.data = value.value if isinstance(value, Enum) else value or ""

    @property
    def term(self) -> Any:
        """Give the term chosen."""
        return self.terms.get(self.data or "")


class TermsField(SelectMultipleField):
    """Several terms of a vocabulary, as checkboxes; its data is a list of their codes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: str, terms: Iterable[Enum], *, words: Any = term_words, **settings: Any) -> None:
        super().__init__(label, choices=[SelectChoice(str(term.value), choice_words(words(term))) for term in terms], **settings)


class YesNoField(SelectField):
    """Yes, no, or not recorded; its data is a truth value or None."""

    def __init__(self, label: str, **settings: Any) -> None:
        choices = [SelectChoice("", "Not recorded"), SelectChoice("yes", "Yes"), SelectChoice("no", "No")]
        super().__init__(label, choices=choices, **settings)

    def process_data(self, value: Any) -> None:
        """Take the recorded value."""
        self.data = {True: "yes", False: "no"}.get(value, "")

    @property
    def term(self) -> bool | None:
        """Give what was chosen."""
        return {"yes": True, "no": False}.get(self.data or "")


class LinesField(TextAreaField):
    """Several lines of text; its data is a list of them, blank ones included so that their numbers stay right."""

    data: Any

    def __init__(self, label: str, validators: list[Any] | None = None, *, rows: int = 12, **settings: Any) -> None:
        super().__init__(label, validators, render_kw={"rows": rows, "spellcheck": "false"}, **settings)

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else "\n".join(self.data or [])

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Part the text into lines."""
        self.data = valuelist[0].rstrip().splitlines() if valuelist else []


class GeneField(StringField):
    """A gene by its symbol, or a usual alias, of the pinned list."""

    def __init__(self, label: str, validators: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(label, validators, render_kw={"autocomplete": "off", "spellcheck": "false"}, **settings)

    suggestions = tuple(sorted(GENES[Compartment.HUMAN_TUMOUR])) + tuple(sorted(GENES[Compartment.MOUSE_HOST]))


class WordsField(StringField):
    """Several words apart by commas; its data is a list of them."""

    data: Any

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ", ".join(self.data or [])

    def process_data(self, value: Any) -> None:
        """Take the recorded list."""
        self.data = list(value or [])

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Part the text at its commas."""
        self.data = [word.strip() for word in valuelist[0].replace(";", ",").split(",") if word.strip()] if valuelist else []


class CodeField(StringField):
    """A record of the project by its code, typed or scanned; `record_id` is its id.

    `table` is a model with a code. `choose` narrows what is suggested and accepted, such as to aliquots that are
    available; what it leaves out is refused with `else_told`.
    """

    def __init__(self, label: str, table: Any, validators: list[Any] | None = None, *, choose: Any = None, **settings: Any) -> None:
        super().__init__(
            label, validators or [Optional()], render_kw={"autocomplete": "off", **settings.pop("render_kw", {})}, **settings
        )
        self.table, self.choose = table, choose
        self.record: Any = None

    @property
    def record_id(self) -> int | None:
        """Give the id of the record that was named."""
        return self.record.id if self.record is not None else None

    @property
    def suggestions(self) -> list[str]:
        """Give codes to choose from, the newest first."""
        found = current_session().scalars(
            self._rows().with_only_columns(self.table.code).order_by(self.table.id.desc()).limit(SUGGESTED)
        )
        return list(found)

    def _rows(self) -> Any:
        rows = select(self.table).where(self.table.project_id == current_project().id, self.table.status == RecordStatus.ACTIVE)
        return rows if self.choose is None else rows.where(self.choose())

    def process_data(self, value: Any) -> None:
        """Take the recorded id, or a code."""
        if isinstance(value, int):
            self.record = current_session().get(self.table, value)
            value = self.record.code if self.record is not None and self.record.project_id == current_project().id else ""
        self.data = value

    def look_up(self) -> Any:
        """Give the record that the text names; another project's is not found."""
        code = (self.data or "").strip()
        return current_session().scalar(self._rows().where(self.table.code == code)) if code else None

    def pre_validate(self, form: Any) -> None:
        """Find the record."""
        code = (self.data or "").strip()
        self.record = self.look_up()
        if not code:
            return
        if self.record is None:
            what = self.table.__tablename__.replace("_", " ").replace("pdx ", "").replace("storage ", "")
            others = self.suggestions
            remedy = (
                f"Expected: one that the field offers, such as {others[0]}." if others else "There is none yet: record it first."
            )
            raise StopValidation(f'There is no {what} "{code}" in this project that could stand here. {remedy}')
