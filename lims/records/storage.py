"""Writes where tissue is kept: the rules of places, of aliquots in them, and of what happened to each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from lims.domain.aliquots import doubt_material, doubt_order, doubt_thaws
from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, require_order, require_preservation
from lims.domain.implanting import LIVING
from lims.domain.notices import Notice
from lims.domain.positions import position_label, require_grid, require_inside, require_nesting
from lims.domain.sources import CONSISTENT, LINEAGE, LIVING_TISSUE, NAMED_PLACES, ONE_PLACE
from lims.domain.tissue_terms import AliquotEventKind, AliquotState, PlaceKind
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, AliquotEvent, Implant, Specimen, StoragePlace
from lims.queries.chunks import by_id, in_chunks
from lims.records.consents import doubts_of_withdrawn
from lims.records.noun import Draft, Noun, judge_each
from lims.records.values import today

COLDEST, WARMEST = -273.15, 60.0
"""°C: nothing is colder, and nothing is kept warmer (paraffin melts at about 56 °C)."""
WARMEST_FREEZER = 0.0
_USES = frozenset({AliquotEventKind.THAWED, AliquotEventKind.SPLIT, AliquotEventKind.USED})


def _check_places(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Keep the levels of the tree in order, and a grid on boxes alone, as large as what they hold needs."""
    parents = by_id(session, StoragePlace, [draft.values["parent_id"] for draft in drafts])

    def judge(draft: Draft) -> None:
        kind, parent = draft.values["kind"], parents.get(draft.values["parent_id"])
        require_nesting(kind, parent.kind if parent else None, parent.code if parent else "")
        _check_grid(kind, draft.values["box_rows"], draft.values["box_columns"])
        degrees = draft.values["temperature_celsius"]
        if degrees is not None and not COLDEST <= degrees <= WARMEST:
            raise DomainError(
                f"Nothing is kept at {degrees:g} °C.",
                field="temperature_celsius",
                expected=f"{COLDEST:g} to {WARMEST:g} °C",
                source=NAMED_PLACES,
            )
        if draft.record is not None:
            _check_what_it_holds(session, draft)

    judge_each(drafts, judge)


def _check_grid(kind: PlaceKind, rows: int | None, columns: int | None) -> None:
    if kind is PlaceKind.BOX:
        for name, number in (("box_rows", rows), ("box_columns", columns)):
            if number is None:
                raise DomainError(
                    "A box needs its rows and columns.",
                    field=name,
                    expected="as many as its lid shows, such as 9 × 9",
                    source=NAMED_PLACES,
                )
        require_grid(rows or 0, columns or 0)
    elif rows is not None or columns is not None:
        raise DomainError(
            f"A {kind.value} has no rows and columns: only boxes have positions.",
            field="box_rows" if rows is not None else "box_columns",
            expected="nothing",
            source=NAMED_PLACES,
        )


def _check_what_it_holds(session: Session, draft: Draft) -> None:
    """Refuse a change that would leave what stands in a place without room."""
    values, place = draft.values, draft.record
    if draft.changes("kind"):
        for inside in session.scalars(_active(StoragePlace).where(StoragePlace.parent_id == place.id)):
            try:
                require_nesting(inside.kind, values["kind"], values["code"])
            except DomainError as refused:
                raise DomainError(
                    f"{refused} It stands there now: {inside.code}.",
                    field="kind",
                    expected=refused.expected,
                    source=refused.source,
                ) from refused
    rows, columns = values["box_rows"] or 0, values["box_columns"] or 0
    if rows >= (place.box_rows or 0) and columns >= (place.box_columns or 0):
        return
    outside = _active(Aliquot).where(Aliquot.place_id == place.id, (Aliquot.box_row > rows) | (Aliquot.box_column > columns))
    lost = session.scalars(outside.order_by(Aliquot.box_row, Aliquot.box_column)).first()
    if lost is not None:
        raise DomainError(
            f"Position {position_label(lost.box_row or 0, lost.box_column or 0)} of {place.code} holds {lost.code} "
            f"and would be outside of {rows} rows and {columns} columns.",
            field="box_rows" if (lost.box_row or 0) > rows else "box_columns",
            expected="a grid with every position that is taken",
            remedy="Move the aliquot first.",
            source=ONE_PLACE,
        )


def _doubt_places(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt a freezer above freezing: a minus sign is easily forgotten."""
    warm = [
        draft.values["temperature_celsius"]
        for draft in drafts
        if draft.values["kind"] is PlaceKind.FREEZER and (draft.values["temperature_celsius"] or 0) > WARMEST_FREEZER
    ]
    told = "A freezer at {:g} °C: is the minus sign missing?"
    return [
        Notice("warning", "temperature_celsius", told.format(degrees), "-20, -80, -150 or -196 °C", source=NAMED_PLACES)
        for degrees in warm
    ]


PLACE: Noun[StoragePlace] = Noun(
    "place",
    StoragePlace,
    check=_check_places,
    doubt=_doubt_places,
    dependents=((Aliquot, "place_id"), (StoragePlace, "parent_id")),
)


def _check_aliquots(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Judge amounts, dates and positions: one aliquot in one position, and positions in boxes alone."""
    specimens = by_id(session, Specimen, [draft.values["specimen_id"] for draft in drafts])
    places = by_id(session, StoragePlace, [draft.values["place_id"] for draft in drafts])
    parents = by_id(session, Aliquot, [draft.values["parent_id"] for draft in drafts])
    now = today(session)

    def judge(draft: Draft) -> None:
        values = draft.values
        if values["amount"] is not None and values["unit"] is None:
            raise DomainError(f"{values['amount']:g} of what?", field="unit", expected="the unit of the amount", source=CONSISTENT)
        specimen, parent = specimens[values["specimen_id"]], parents.get(values["parent_id"])
        require_preservation(values["preserved_on"], values["code"], specimen.collected_on, now)
        if parent is not None and parent.specimen_id != specimen.id:
            raise DomainError(
                f"{parent.code} is tissue of another specimen.",
                field="parent_id",
                expected=f"an aliquot of {specimen.code}",
                source=LINEAGE,
            )
        if values.get("state", AliquotState.AVAILABLE) is not AliquotState.AVAILABLE and values["place_id"] is not None:
            raise DomainError(
                "What is not there any more stands in no place.", field="place_id", expected="no place", source=ONE_PLACE
            )
        _check_position(values["code"], values["box_row"], values["box_column"], places.get(values["place_id"]))

    judge_each(drafts, judge)
    _check_taken(session, drafts, places)
    _check_implanted(session, drafts)


def _check_implanted(session: Session, drafts: Sequence[Draft]) -> None:
    """Refuse that what was implanted was made later, or held no living cells."""
    changed = {draft.record.id: draft for draft in drafts if draft.record and draft.changes("preserved_on", "material")}
    implants = select(Implant.aliquot_id, func.min(Implant.implanted_on)).where(Implant.status == RecordStatus.ACTIVE)
    first = implants.group_by(Implant.aliquot_id)
    for key, on in in_chunks(session, sorted(changed), lambda some: first.where(Implant.aliquot_id.in_(some))):
        draft, values = changed[key], changed[key].values
        if draft.changes("preserved_on"):
            preservation = Fact(f"the preservation of {values['code']}", values["preserved_on"])
            require_order(preservation, Fact("its first implanting", on), field="preserved_on")
        if draft.changes("material") and values["material"] not in LIVING:
            raise DomainError(
                f"{values['code']} was implanted, so its cells lived.",
                field="material",
                expected=", ".join(sorted(one.value.replace("_", " ") for one in LIVING)),
                remedy="Withdraw the implant first, if it was of other tissue.",
                source=LIVING_TISSUE,
            )


def _check_position(code: str, row: int | None, column: int | None, place: StoragePlace | None) -> None:
    if row is None and column is None:
        return
    if row is None or column is None:
        raise DomainError(
            f"The position of {code} is half of one.",
            field="box_row" if row is None else "box_column",
            expected="row and column, such as A4",
            source=NAMED_PLACES,
        )
    if place is None or place.kind is not PlaceKind.BOX:
        raise DomainError(
            f"{place.code} is a {place.kind.value}, and only boxes have positions." if place else "A position needs its box.",
            field="box_row" if place else "place_id",
            expected="no position" if place else "the box it stands in",
            source=NAMED_PLACES,
        )
    require_inside(row, column, place.box_rows or 0, place.box_columns or 0)


def _check_taken(session: Session, drafts: Sequence[Draft], places: dict[int, StoragePlace]) -> None:
    """Refuse a position that another aliquot has, be it of the same list."""
    wanted = {draft.values["place_id"] for draft in drafts if draft.values["box_row"] is not None}
    standing = select(Aliquot).where(Aliquot.place_id.in_(wanted), Aliquot.box_row.is_not(None))
    held: dict[tuple[Any, ...], tuple[int | None, str]] = {
        (one.place_id, one.box_row, one.box_column): (one.id, one.code) for one in (session.scalars(standing) if wanted else ())
    }

    def judge(draft: Draft) -> None:
        spot = tuple(draft.values[name] for name in ("place_id", "box_row", "box_column"))
        if None in spot:
            return
        own = draft.record.id if draft.record is not None else None
        holder, code = held.setdefault(spot, (own, draft.values["code"]))
        if (holder, code) != (own, draft.values["code"]):
            raise DomainError(
                f"Position {position_label(spot[1], spot[2])} of {places[spot[0]].code} holds {code}.",
                field="box_row",
                expected="a free position",
                remedy="Choose another position, or move what stands there.",
                source=ONE_PLACE,
            )

    judge_each(drafts, judge)


def _doubt_aliquots(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt new vials of a patient who withdrew, and a material that is not made of such a specimen."""
    specimens = by_id(session, Specimen, [draft.values["specimen_id"] for draft in drafts])
    made = [specimens.get(draft.values["specimen_id"]) for draft in drafts if draft.record is None]
    donors = {specimen.donor_id for specimen in made if specimen is not None and specimen.donor_id is not None}
    found = doubts_of_withdrawn(session, donors, today(session), field="specimen_id")
    alike: dict[Notice, list[int]] = defaultdict(list)
    for number, draft in enumerate(drafts):
        specimen = specimens.get(draft.values["specimen_id"])
        if specimen is not None and draft.changes("material"):
            for notice in doubt_material(specimen.kind, draft.values["material"]):
                alike[notice].append(number)
    return [*found, *(replace(notice, rows=tuple(numbers)) for notice, numbers in alike.items())]


def _free_positions(session: Session, aliquots: Sequence[Aliquot]) -> None:
    """Let an aliquot that was withdrawn leave its position to others: there is no such vial."""
    for aliquot in aliquots:
        if aliquot.status is RecordStatus.WITHDRAWN and aliquot.place_id is not None:
            aliquot.place_id = aliquot.box_row = aliquot.box_column = None
    session.flush()


ALIQUOT: Noun[Aliquot] = Noun(
    "aliquot",
    Aliquot,
    check=_check_aliquots,
    doubt=_doubt_aliquots,
    follow=_free_positions,
    fixed=frozenset({"specimen_id", "parent_id"}),
    dependents=((Implant, "aliquot_id"), (Aliquot, "parent_id")),
)


def _doubt_events(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt what is dated before the last thing that happened, one more thaw after many, and use after a withdrawal."""
    keys = sorted({draft.values["aliquot_id"] for draft in drafts})
    aliquots = by_id(session, Aliquot, keys)
    thawed_on = case((AliquotEvent.kind == AliquotEventKind.THAWED, AliquotEvent.happened_on))
    latest = select(AliquotEvent.aliquot_id, func.max(AliquotEvent.happened_on), func.max(thawed_on))
    active = latest.where(AliquotEvent.status == RecordStatus.ACTIVE).group_by(AliquotEvent.aliquot_id)
    rows = in_chunks(session, keys, lambda some: active.where(AliquotEvent.aliquot_id.in_(some)))
    last = {key: (event_on, thaw_on) for key, event_on, thaw_on in rows}
    found = _doubt_use(session, drafts, aliquots)
    for draft in drafts:
        aliquot, on = aliquots[draft.values["aliquot_id"]], draft.values["happened_on"]
        event_on, thaw_on = last.get(aliquot.id, (None, None))
        found += doubt_order(aliquot.code, on, event_on)
        if draft.values["kind"] is AliquotEventKind.THAWED:
            found += doubt_thaws(aliquot.code, aliquot.thaw_count, on, thaw_on)
    return found


def _doubt_use(session: Session, drafts: Sequence[Draft], aliquots: dict[int, Aliquot]) -> list[Notice]:
    """Doubt using the tissue of a patient who withdrew, whole or in parts."""
    used = [aliquots[draft.values["aliquot_id"]] for draft in drafts if draft.values["kind"] in _USES]
    specimens = by_id(session, Specimen, [one.specimen_id for one in used])
    donors = {specimen.donor_id for specimen in specimens.values() if specimen.donor_id is not None}
    return doubts_of_withdrawn(session, donors, today(session), field="aliquots")


ALIQUOT_EVENT: Noun[AliquotEvent] = Noun(
    "aliquot", AliquotEvent, doubt=_doubt_events, fixed=frozenset({"aliquot_id", "kind"}), key=()
)


def _active(model: Any) -> Any:
    return select(model).where(model.status == RecordStatus.ACTIVE)
