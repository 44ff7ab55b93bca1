"""The steps of aliquots as pages: each a small form, filled by keyboard or scanner, that records one thing that happened.

Steps with many take a list of barcodes, one a line as scanners send them; `?aliquots=AL-00012` begins it. Steps that
share out an amount are about one aliquot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lims.domain.aliquots import shares
from lims.domain.notices import Notice
from lims.domain.tissue_terms import AliquotEventKind, AliquotState
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot
from lims.queries.scope import find
from lims.records import aliquots as services
from lims.records.consents import doubts_of_sharing
from lims.records.nouns import doubts
from lims.records.storage import ALIQUOT_EVENT
from lims.records.values import today
from lims.records.versions import check_version
from lims.views.aliquot_forms import (
    DiscardForm,
    ManyForm,
    MoveForm,
    ReturnForm,
    ShipForm,
    SplitForm,
    StepForm,
    ThawForm,
    UseForm,
    codes_in,
)
from lims.views.cells import amount
from lims.views.record_forms import Step
from lims.views.record_pages import confirmation, confirmed
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form, seen_version


def _move(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    place = form.place_id.record
    services.move(current_session(), current_actor(), aliquots, place=place, positions=form.box_row.read(place), **common)


def _take_out(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    services.take_out(current_session(), current_actor(), aliquots, **common)


def _thaw(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    services.thaw(current_session(), current_actor(), aliquots, put_back=form.put_back.data, **common)


def _use(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    check_version(aliquots[0], seen_version(form))
    services.use(current_session(), current_actor(), aliquots[0], amount=form.amount.data, all_of_it=form.all_of_it.data, **common)


def _split(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    (aliquot,) = aliquots
    check_version(aliquot, seen_version(form))
    place, unit = form.place_id.record, form.unit.term
    services.split(
        current_session(),
        current_actor(),
        aliquot,
        shares(aliquot.amount if unit in (None, aliquot.unit) else None, form.parts.data, form.amount.data),
        unit=unit,
        material=form.material.term,
        codes=codes_in(form.code.data),
        place=place,
        positions=form.box_row.read(place),
        all_of_it=form.all_of_it.data,
        **common,
    )


def _ship(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    partner, tracking = form.partner.data, form.tracking.data
    services.ship(current_session(), current_actor(), aliquots, partner=partner, tracking=tracking, **common)


def _return(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    place, partner = form.place_id.record, form.partner.data
    positions = form.box_row.read(place)
    services.return_(current_session(), current_actor(), aliquots, place=place, positions=positions, partner=partner, **common)


def _discard(form: Any, aliquots: Sequence[Aliquot], common: dict[str, Any]) -> None:
    why = " ".join(part for part in (form.reason.data or "", f"({common['reason']})" if common["reason"] else "") if part)
    services.discard(current_session(), current_actor(), aliquots, reason=why, on=common["on"])


@dataclass(frozen=True, slots=True)
class AliquotStep:
    """Something that happens to aliquots. done: how the message says it. single: it is about one at a time."""

    name: str
    title: str
    icon: str
    done: str
    kind: AliquotEventKind
    form: type[StepForm]
    act: Callable[[Any, Sequence[Aliquot], dict[str, Any]], None]
    single: bool = False

    def suits(self, aliquot: Aliquot) -> bool:
        """Tell whether it can happen to an aliquot in its state; there is nothing to take out of nowhere."""
        if aliquot.status is RecordStatus.WITHDRAWN or (self.name == "take_out" and aliquot.place_id is None):
            return False
        return aliquot.state is (AliquotState.SHIPPED if self.name == "return" else AliquotState.AVAILABLE)

    def url(self, aliquot: Aliquot) -> str:
        """Give the page of this step for an aliquot."""
        if self.single:
            return url_for(f"aliquots.{self.name}", record_id=aliquot.id)
        return url_for(f"aliquots.{self.name}", aliquots=aliquot.code)


STEPS = (
    AliquotStep("move", "Move", "arrow-left-right", "moved", AliquotEventKind.MOVED, MoveForm, _move),
    AliquotStep("take_out", "Take out", "upload", "taken out", AliquotEventKind.TAKEN_OUT, ManyForm, _take_out),
    AliquotStep("thaw", "Thaw", "thermometer-half", "thawed", AliquotEventKind.THAWED, ThawForm, _thaw),
    AliquotStep("use", "Use", "eyedropper", "used", AliquotEventKind.USED, UseForm, _use, single=True),
    AliquotStep("split", "Split", "scissors", "split", AliquotEventKind.SPLIT, SplitForm, _split, single=True),
    AliquotStep("ship", "Ship", "truck", "shipped", AliquotEventKind.SHIPPED, ShipForm, _ship),
    AliquotStep("return", "Take back", "truck", "taken back", AliquotEventKind.RETURNED, ReturnForm, _return),
    AliquotStep("discard", "Discard", "trash", "discarded", AliquotEventKind.DISCARDED, DiscardForm, _discard),
)


def add_steps(pages: Blueprint) -> None:
    """Add a page for each step to the blueprint of aliquots."""
    for step in STEPS:
        address = f"/<int:record_id>/{step.name}" if step.single else f"/{step.name.replace('_', '-')}"
        view = needs("aliquot:change")(_named(step))
        pages.add_url_rule(address, step.name, view, methods=["GET", "POST"])


def _named(step: AliquotStep) -> Callable[..., ResponseReturnValue]:
    def view(record_id: int | None = None) -> ResponseReturnValue:
        return _page(step, record_id)

    return view


def _page(step: AliquotStep, record_id: int | None) -> ResponseReturnValue:
    one = None if record_id is None else find(current_session(), Aliquot, current_project().id, record_id)
    form: Any = step.form(data={**_start(step.form), "version": one and one.version})
    if form.validate_on_submit():
        with refusing(form):
            aliquots = [one] if one is not None else form.aliquots.records
            if confirmed(form, _doubts(step, aliquots, form.happened_on.data)):
                common = {"on": form.happened_on.data, "note": form.note.data, "reason": confirmation(form)}
                step.act(form, aliquots, common)
                return _done(step, aliquots)
    if one is None:
        said = Step(f"{step.title} aliquots", f"{step.title} them", url_for("aliquots.index"))
    else:
        holds = amount(one.amount, one.unit)
        back = url_for("aliquots.show", record_id=one.id)
        said = Step(f"{step.title} aliquot", f"{step.title} it", back, one.code, f"It holds {holds}." if holds else "")
    return render_form("records/step.html", form, step=said)


def _start(form_class: type[StepForm]) -> dict[str, Any]:
    asked = {name: value for name, value in request.args.items() if hasattr(form_class, name)}
    return {"happened_on": today(current_session()), **asked}


def _doubts(step: AliquotStep, aliquots: Sequence[Aliquot], on: Any) -> list[Notice]:
    rows = [{"aliquot_id": one.id, "kind": step.kind, "happened_on": on} for one in aliquots]
    found = doubts(current_session(), ALIQUOT_EVENT, current_project().id, rows)
    if step.kind is AliquotEventKind.SHIPPED:
        donors = {one.specimen.donor_id for one in aliquots if one.specimen.donor_id is not None}
        found += doubts_of_sharing(current_session(), donors, on)
    return found


def _done(step: AliquotStep, aliquots: Sequence[Aliquot]) -> ResponseReturnValue:
    many = f"{len(aliquots)} aliquots were" if len(aliquots) > 1 else f"Aliquot {aliquots[0].code} was"
    flash(f"{many} {step.done}.", "success")
    place_ids = {one.place_id for one in aliquots}
    if len(aliquots) > 1:
        (place_id, *others) = place_ids
        elsewhere = url_for("aliquots.index") if others or place_id is None else url_for("storage.show", record_id=place_id)
        return redirect(elsewhere)
    return redirect(url_for("aliquots.show", record_id=aliquots[0].id))
