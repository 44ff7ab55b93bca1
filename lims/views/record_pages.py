"""The pages that every noun has: its list, a record, the forms to make, change and withdraw one, and its history.

A noun's own module says what is its own, and `install` adds the pages to its blueprint::

    PAGES = RecordPages(
        pages=Blueprint("patients", __name__, url_prefix="/p/<project_code>/patients"),
        noun=PATIENT,
        form=PatientForm,
        listing=_listing,
        template="patients/show.html",
        context=_context,
    )
    pages = install(PAGES)

A noun without a page of its own, such as a consent on its patient's page, has no template and says where it is shown
(`home`). `/new?patient_id=BCBM-P01` fills fields in beforehand, by their names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm.interfaces import ORMOption

from lims.domain.errors import NotFound
from lims.domain.notices import Notice
from lims.domain.vocabulary import RecordStatus
from lims.queries.scope import find
from lims.queries.series import AnySelect
from lims.records.noun import Noun
from lims.records.nouns import change, doubts, record, reinstate, withdraw
from lims.views.addresses import page_of
from lims.views.consent_flag import consent_of
from lims.views.crumbs import crumb_of
from lims.views.filters import url_of
from lims.views.form_fields import CodeField
from lims.views.kept import kept_page
from lims.views.list_tabs import tabs_of
from lims.views.record_forms import RecordForm, WithdrawForm, changing
from lims.views.record_history import SHORT, history_of
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    seen_version,
)
from lims.views.tables import Listing, answer


def _nothing(found: Any) -> dict[str, Any]:
    return {}


def _make(form: RecordForm, noun: Noun[Any], reason: str) -> Any:
    (made,) = record(current_session(), current_actor(), noun, current_project().id, [form.values()], reason=reason)
    return made


def _change(form: RecordForm, noun: Noun[Any], existing: Any, reason: str) -> None:
    fields = form.values(changing=True)
    change(current_session(), current_actor(), noun, existing, version=seen_version(form), reason=reason, fields=fields)


@dataclass(frozen=True)
class RecordPages:
    """What is a noun's own.

    listing: gives its list and the statement behind it; template and context: its record page. home: where a record is
    shown. lead: a line under the heading of its forms. make and save: what is called where `record` and `change` alone do
    not do, such as with rows beside the record.
    """

    pages: Blueprint
    noun: Noun[Any]
    form: type[RecordForm]
    listing: Callable[[], tuple[Listing, Any]] | None = None
    template: str | None = None
    context: Callable[[Any], dict[str, Any]] = _nothing
    home: Callable[[Any], str] | None = None
    lead: str = ""
    index_template: str = "records/index.html"
    form_template: str = "records/form.html"
    withdraw_template: str = "records/withdraw.html"
    history_template: str = "records/history.html"
    index_context: Callable[[], dict[str, Any]] = field(default=dict)
    make: Callable[[RecordForm, Noun[Any], str], Any] = _make
    save: Callable[[RecordForm, Noun[Any], Any, str], None] = _change
    start: Callable[[], dict[str, Any]] = field(default=dict)
    """What a new form begins with, beside what the address names."""
    shown: Callable[[Any], bool] = lambda found: True
    """Tells whether this person reads a record at all; one that says what a blinded arm is given is not found."""
    loads: tuple[ORMOption, ...] = ()
    """What its page shows of other records, read with it."""
    keeps: bool = False
    """Its page is drawn once for as long as no record changes (`lims.views.kept`): there is no form on it."""
    makes: bool = True
    """False where records are made on a page of their own."""
    changes: bool = True
    """False where nothing of a record can change: it is withdrawn, and recorded anew."""
    parameter: str = "record_id"
    """What the record's id is called in the addresses."""

    def url(self, found: Any) -> str:
        """Give the address of the page that shows a record."""
        return self.home(found) if self.home else self.page("show", found)

    def page(self, step: str, found: Any) -> str:
        """Give the address of one of a record's pages: show, change, withdraw, history."""
        return url_for(f"{self.pages.name}.{step}", **{self.parameter: found.id})

    def back(self, form: RecordForm) -> str:
        """Give where a new record's form leads when it is given up: to the record that it belongs to, or to the list."""
        for name in sorted(form.once):
            owner = form._fields.get(name)
            found = owner.look_up() if isinstance(owner, CodeField) else None
            if found is not None and (address := page_of(found.__tablename__, found.id)):
                return address
        return url_of(f"{self.pages.name}.index") or url_for("home.project")

    def name(self, found: Any) -> str:
        """Name a record in a sentence, with the animal that it is of: `fate of M07 (2026-11-02 weight endpoint)`."""
        word, label, animal = self.noun.word, self.label(found), self.animal(found)
        return f"{word} of {animal} ({label})" if animal else f"{word} {label}"

    def label(self, found: Any) -> str:
        """Give what a record is called beside the word for its noun."""
        return str(found.audit_label).removeprefix(f"{self.noun.word} ")

    def animal(self, found: Any) -> str:
        """Give the code of the animal that a record is of, which its label leaves out; nothing where it is of none."""
        animal = getattr(found, "animal", None)
        return animal.code if animal is not None else ""


def install(spec: RecordPages) -> Blueprint:
    """Add the pages to the noun's blueprint."""
    noun, both = spec.noun.name, ["GET", "POST"]
    add, of = spec.pages.add_url_rule, f"/<int:{spec.parameter}>"

    def page(view: Callable[[RecordPages, int], ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        return lambda **where: view(spec, where[spec.parameter])

    if spec.listing is not None:
        add("/", "index", needs("project:read")(lambda: _index(spec)))
    if spec.template is not None:
        add(of, "show", needs("project:read")(page(_show)))
    if spec.makes:
        add("/new", "new", needs(f"{noun}:create")(lambda: _new(spec)), methods=both)
    if spec.changes:
        add(f"{of}/change", "change", needs(f"{noun}:change")(page(_changed)), methods=both)
    add(f"{of}/withdraw", "withdraw", needs(f"{noun}:withdraw")(page(_withdrawn)), methods=both)
    add(f"{of}/history", "history", needs("project:read")(page(_history)))
    return spec.pages


def _find(spec: RecordPages, record_id: int) -> Any:
    found = find(current_session(), spec.noun.model, current_project().id, record_id, *spec.loads)
    if not spec.shown(found):
        raise NotFound(f"There is no {spec.noun.word} {record_id} in this project.")
    return found


def _index(spec: RecordPages) -> ResponseReturnValue:
    assert spec.listing is not None  # noqa: S101  # the page is only there where there is a list
    listed = partial(_listed, spec.listing, spec.noun.model)
    return answer(listed, spec.index_template, lambda: {"pages": spec, "tabs": tabs_of(spec.pages.name), **spec.index_context()})


def _listed(listing: Callable[[], tuple[Listing, Any]], model: Any) -> tuple[Listing, Any]:
    of, rows = listing()
    # What was withdrawn is listed when asked for.
    return of, rows if request.args.get("status") else _active(rows, model)


@lru_cache(maxsize=256)
def _active(rows: AnySelect, model: Any) -> AnySelect:
    return rows.where(model.status == RecordStatus.ACTIVE)


def _show(spec: RecordPages, record_id: int) -> ResponseReturnValue:
    assert spec.template is not None  # noqa: S101  # as above
    drawn_from = partial(_drawn_from, spec, record_id)
    return kept_page(spec.template, drawn_from) if spec.keeps else render_template(spec.template, **drawn_from())


def _drawn_from(spec: RecordPages, record_id: int) -> dict[str, Any]:
    """Read what the page of a record shows: its history, where it comes from, and what is the noun's own."""
    found = _find(spec, record_id)
    history = history_of(str(found.__tablename__), found.id, SHORT)
    beside = {"history": history, "crumb": crumb_of(found), "consent": consent_of(found)}
    return {"record": found, "pages": spec, **beside, **spec.context(found)}


def _new(spec: RecordPages) -> ResponseReturnValue:
    asked = {name: value for name, value in request.args.items() if name in spec.form.__dict__ or hasattr(spec.form, name)}
    form = spec.form(data={**spec.start(), **asked})
    if form.validate_on_submit():
        with refusing(form):
            rows = [form.values()]
            if confirmed(form, doubts(current_session(), spec.noun, current_project().id, rows)):
                made = spec.make(form, spec.noun, confirmation(form))
                flash(f"{_capital(spec.name(made))} was recorded.", "success")
                return redirect(spec.url(made))
    return render_form(spec.form_template, form, pages=spec, record=None, names=form.columns(changing=False))


def _changed(spec: RecordPages, record_id: int) -> ResponseReturnValue:
    found = _find(spec, record_id)
    form = changing(spec.form)(obj=found)
    if form.validate_on_submit():
        with refusing(form):
            fields = form.values(changing=True)
            if confirmed(form, doubts(current_session(), spec.noun, found.project_id, [fields], found)):
                told, reason = confirmation(form), form._fields["reason"].data or ""
                spec.save(form, spec.noun, found, f"{reason} ({told})" if told else reason)
                flash(f"{_capital(spec.name(found))} was changed.", "success")
                return redirect(spec.url(found))
    return render_form(spec.form_template, form, pages=spec, record=found, names=form.columns(changing=True))


def confirmed(form: RecordForm, notices: Sequence[Notice]) -> bool:
    """Tell whether nothing is in doubt, or a person said that it is right; otherwise the form shows what is in doubt."""
    form.notices = tuple(notices)
    if not notices or form.confirmed.data:
        return True
    for typed in form:
        typed.doubts = [one for one in notices if one.field == typed.name]  # type: ignore[attr-defined]  # shown beside the field; fields of WTForms take what templates read
    return False


def confirmation(form: RecordForm) -> str:
    """Give what was confirmed, for the audit trail."""
    return f"confirmed: {' '.join(one.message for one in form.notices)}" if form.notices else ""


def _withdrawn(spec: RecordPages, record_id: int) -> ResponseReturnValue:
    found = _find(spec, record_id)
    back = found.status is RecordStatus.WITHDRAWN
    form = WithdrawForm(obj=found)
    if form.validate_on_submit():
        with refusing(form):
            step = reinstate if back else withdraw
            step(current_session(), current_actor(), spec.noun, found, version=seen_version(form), reason=form.reason.data or "")
            flash(f"{_capital(spec.name(found))} was {'brought back' if back else 'withdrawn'}.", "success")
            return redirect(spec.url(found))
    return render_form(spec.withdraw_template, form, pages=spec, record=found, back=back)


def _history(spec: RecordPages, record_id: int) -> ResponseReturnValue:
    def drawn_from() -> dict[str, Any]:
        found = _find(spec, record_id)
        history = history_of(str(found.__tablename__), found.id, made_with=True)
        return {"pages": spec, "record": found, "history": history}

    return kept_page(spec.history_template, drawn_from)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
