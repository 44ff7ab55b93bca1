"""What happens to aliquots: frozen, moved, taken out, thawed, split, used, sent away, back again, discarded.

Each step judges, changes the aliquot by `ALIQUOT`'s rules, and writes one `AliquotEvent` with the positions as people read
them. What is unusual about a step, such as a date before the last event, is asked of `ALIQUOT_EVENT` beforehand
(`lims.records.nouns.doubts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.aliquots import MOST_AT_ONCE, remaining, require_available, total
from lims.domain.errors import DomainError
from lims.domain.positions import Position, free_positions
from lims.domain.sources import ALL_OR_PART, ONE_PLACE, ORDER_OF_EVENTS
from lims.domain.tissue_terms import AliquotEventKind, AliquotMaterial, AliquotState, AmountUnit, PlaceKind
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, Specimen, StoragePlace
from lims.queries.storage import chains, position_text, taken_positions
from lims.records.accounts import require_reason
from lims.records.nouns import apply_all, record
from lims.records.storage import ALIQUOT, ALIQUOT_EVENT
from lims.records.values import today

NOWHERE: Mapping[str, Any] = {"place_id": None, "box_row": None, "box_column": None}


def require_usable(aliquot: Aliquot, on: date) -> None:
    """Refuse to use an aliquot that is withdrawn, used up, shipped or discarded, or was not there yet on that day.

    Raises:
        DomainError: on `aliquot_id`.
    """
    if aliquot.status is RecordStatus.WITHDRAWN:
        raise DomainError(
            f"Aliquot {aliquot.code} was withdrawn.",
            field="aliquot_id",
            expected="an aliquot that is available",
            source=ORDER_OF_EVENTS,
        )
    require_available(aliquot.code, aliquot.state)
    if aliquot.preserved_on is not None and on < aliquot.preserved_on:
        raise DomainError(
            f"Aliquot {aliquot.code} was made on {aliquot.preserved_on}, after {on}.",
            field="aliquot_id",
            expected=f"an aliquot that was there on {on}",
            remedy="Look whether it is the right aliquot, and correct the date that is wrong.",
            source=ORDER_OF_EVENTS,
        )


def use(
    session: Session,
    actor: Actor,
    aliquot: Aliquot,
    *,
    amount: float | None,
    on: date,
    note: str | None = None,
    all_of_it: bool = False,
    reason: str = "",
) -> None:
    """Use some of an aliquot, in its own unit; at zero, or where told so, it is used up and leaves its position.

    An amount of None is one that nobody measured: what is left stays as it is recorded.

    Raises:
        DomainError: it cannot be used (`aliquot_id`), or does not hold so much (`amount`).
    """
    _begin(session, actor, [aliquot], reason)
    require_usable(aliquot, on)
    left = remaining(aliquot.code, aliquot.amount, amount, aliquot.unit)
    taken = aliquot.amount if all_of_it and amount is None else amount
    _step(session, actor, AliquotEventKind.USED, [(aliquot, _left(aliquot, left, all_of_it))], on, amount=taken, note=note)


def freeze_aliquots(
    session: Session,
    actor: Actor,
    specimen: Specimen,
    values: Mapping[str, Any],
    *,
    count: int = 1,
    codes: Sequence[str] = (),
    place: StoragePlace | None = None,
    positions: Sequence[Position] = (),
    reason: str = "",
) -> list[Aliquot]:
    """Make aliquots of a specimen, alike in `values` (material, amount, unit, preserved_on, note), and put them away.

    In a box they take the positions listed, or the next free ones, row by row. Codes are given or generated.

    Raises:
        DomainError: the box has too few free positions, one of them is taken, or a value does not fit.
    """
    declare(session, actor, "aliquot:create", reason=reason, project=specimen.project_id)
    if not 1 <= count <= MOST_AT_ONCE:
        raise DomainError(f"{count} aliquots cannot be made at once.", field="count", expected=f"1 to {MOST_AT_ONCE}")
    rows = [{**values, "specimen_id": specimen.id}] * count
    return _made(session, actor, specimen.project_id, rows, codes, place, positions, values.get("preserved_on") or today(session))


def move(
    session: Session,
    actor: Actor,
    aliquots: Sequence[Aliquot],
    *,
    place: StoragePlace,
    positions: Sequence[Position] = (),
    on: date,
    note: str | None = None,
    reason: str = "",
) -> None:
    """Put aliquots into a place: in a box into the positions listed, or into the next free ones.

    Raises:
        DomainError: one of them is not there any more, or a position is taken or outside of the box.
    """
    _begin(session, actor, aliquots, reason)
    require_all(aliquots)
    spots = _spots(session, place, len(aliquots), positions)
    stored = [one for one in zip(aliquots, spots, strict=True) if one[0].place_id is None]
    moved = [one for one in zip(aliquots, spots, strict=True) if one[0].place_id is not None]
    _step(session, actor, AliquotEventKind.MOVED, moved, on, note=note)
    _step(session, actor, AliquotEventKind.STORED, stored, on, note=note)


def take_out(
    session: Session, actor: Actor, aliquots: Sequence[Aliquot], *, on: date, note: str | None = None, reason: str = ""
) -> None:
    """Take aliquots out of where they stand, frozen as they are; their positions are free then."""
    _begin(session, actor, aliquots, reason)
    require_all(aliquots)
    _step(session, actor, AliquotEventKind.TAKEN_OUT, [(one, NOWHERE) for one in aliquots], on, note=note)


def thaw(
    session: Session,
    actor: Actor,
    aliquots: Sequence[Aliquot],
    *,
    on: date,
    put_back: bool = False,
    note: str | None = None,
    reason: str = "",
) -> None:
    """Count a thaw of each aliquot; unless they are put back, they leave their positions."""
    _begin(session, actor, aliquots, reason)
    require_all(aliquots)
    where = {} if put_back else NOWHERE
    thawed = [(one, {"thaw_count": one.thaw_count + 1, **where}) for one in aliquots]
    _step(session, actor, AliquotEventKind.THAWED, thawed, on, note=note)


def split(
    session: Session,
    actor: Actor,
    aliquot: Aliquot,
    amounts: Sequence[float | None],
    *,
    on: date,
    unit: AmountUnit | None = None,
    material: AliquotMaterial | None = None,
    codes: Sequence[str] = (),
    place: StoragePlace | None = None,
    positions: Sequence[Position] = (),
    all_of_it: bool = False,
    note: str | None = None,
    reason: str = "",
) -> list[Aliquot]:
    """Make parts of an aliquot, which has so much less then; at zero, or where told so, it is used up.

    Parts counted in another unit, such as sections of a block, leave the block's own amount as it is.

    Raises:
        DomainError: it cannot be used (`aliquot_id`), or the parts hold more than it does (`amount`).
    """
    _begin(session, actor, [aliquot], reason)
    require_usable(aliquot, on)
    taken = total(amounts) if unit in (None, aliquot.unit) else None
    left = remaining(aliquot.code, aliquot.amount, taken, aliquot.unit)
    _step(session, actor, AliquotEventKind.SPLIT, [(aliquot, _left(aliquot, left, all_of_it))], on, amount=taken, note=note)
    alike = {
        "specimen_id": aliquot.specimen_id,
        "parent_id": aliquot.id,
        "material": material or aliquot.material,
        "unit": unit or aliquot.unit,
        "preserved_on": aliquot.preserved_on,
        "thaw_count": aliquot.thaw_count,
    }
    rows = [{**alike, "amount": amount} for amount in amounts]
    return _made(session, actor, aliquot.project_id, rows, codes, place, positions, on)


def ship(
    session: Session,
    actor: Actor,
    aliquots: Sequence[Aliquot],
    *,
    partner: str,
    tracking: str | None = None,
    on: date,
    note: str | None = None,
    reason: str = "",
) -> None:
    """Send aliquots to a partner, under the courier's number where there is one."""
    _begin(session, actor, aliquots, reason)
    require_all(aliquots)
    if not partner.strip():
        raise DomainError("Where did it go?", field="partner", expected="who received it")
    told = ", ".join(part for part in (partner.strip(), (tracking or "").strip()) if part)
    shipped = [(one, {"state": AliquotState.SHIPPED, **NOWHERE}) for one in aliquots]
    _step(session, actor, AliquotEventKind.SHIPPED, shipped, on, partner=told, note=note)


def return_(
    session: Session,
    actor: Actor,
    aliquots: Sequence[Aliquot],
    *,
    on: date,
    place: StoragePlace | None = None,
    positions: Sequence[Position] = (),
    partner: str | None = None,
    note: str | None = None,
    reason: str = "",
) -> None:
    """Take aliquots back that were shipped, and put them away.

    Raises:
        DomainError: one of them was not shipped.
    """
    _begin(session, actor, aliquots, reason)
    for one in aliquots:
        if one.state is not AliquotState.SHIPPED:
            raise DomainError(
                f"Aliquot {one.code} was not shipped.",
                field="aliquots",
                expected="aliquots that were shipped",
                source=ORDER_OF_EVENTS,
            )
    spots = _spots(session, place, len(aliquots), positions)
    back = [(one, {"state": AliquotState.AVAILABLE, **spot}) for one, spot in zip(aliquots, spots, strict=True)]
    _step(session, actor, AliquotEventKind.RETURNED, back, on, partner=partner, note=note)


def discard(session: Session, actor: Actor, aliquots: Sequence[Aliquot], *, reason: str, on: date) -> None:
    """Throw aliquots away, for a reason that stands in the trail and with the event."""
    _begin(session, actor, aliquots, require_reason(reason))
    require_all(aliquots)
    thrown = [(one, {"state": AliquotState.DISCARDED, **NOWHERE}) for one in aliquots]
    _step(session, actor, AliquotEventKind.DISCARDED, thrown, on, note=reason)


def require_all(aliquots: Sequence[Aliquot]) -> None:
    """Refuse a step with aliquots of which one is used up, shipped or discarded.

    Raises:
        DomainError: on `aliquots`, naming the first.
    """
    for one in aliquots:
        require_available(one.code, one.state, field="aliquots")


def _begin(session: Session, actor: Actor, aliquots: Sequence[Aliquot], reason: str = "") -> None:
    if not aliquots:
        raise DomainError("No aliquot is named.", field="aliquots", expected="at least one barcode", source=ALL_OR_PART)
    declare(session, actor, "aliquot:change", reason=reason, project=aliquots[0].project_id)
    for one in aliquots:
        if one.status is RecordStatus.WITHDRAWN:
            raise DomainError(
                f"Aliquot {one.code} was withdrawn.",
                field="aliquots",
                expected="aliquots that are not withdrawn",
                source=ALL_OR_PART,
            )


def _left(aliquot: Aliquot, left: float | None, all_of_it: bool) -> dict[str, Any]:
    """Give what becomes of an aliquot of which so much is left."""
    if not all_of_it and left != 0:
        return {"amount": left}
    return {"amount": None if aliquot.amount is None else 0.0, "state": AliquotState.USED_UP, **NOWHERE}


def _spots(session: Session, place: StoragePlace | None, count: int, positions: Sequence[Position]) -> list[dict[str, Any]]:
    """Give where each of `count` aliquots goes: the positions listed, or the next free ones of a box."""
    if positions and len(positions) != count:
        raise DomainError(
            f"{len(positions)} positions for {count} aliquot{'s' if count != 1 else ''}.",
            field="box_row",
            expected="as many positions as aliquots, or none to take the next free ones",
            source=ONE_PLACE,
        )
    if not positions and (place is None or place.kind is not PlaceKind.BOX):
        return [{**NOWHERE, "place_id": place.id if place else None}] * count
    if place is None:
        raise DomainError("A position needs its box.", field="place_id", expected="the box", source=ONE_PLACE)
    if not positions:
        rows, columns = place.box_rows or 0, place.box_columns or 0
        positions = free_positions(rows, columns, taken_positions(session, place.id))[:count]
        if len(positions) < count:
            raise DomainError(
                f"{place.code} has {len(positions)} free position{'s' if len(positions) != 1 else ''}, and {count} are needed.",
                field="place_id",
                expected="a box with enough room",
                remedy="Take another box, or fewer aliquots.",
                source=ONE_PLACE,
            )
    return [{"place_id": place.id, "box_row": row, "box_column": column} for row, column in positions]


def _made(
    session: Session,
    actor: Actor,
    project_id: int,
    rows: Sequence[Mapping[str, Any]],
    codes: Sequence[str],
    place: StoragePlace | None,
    positions: Sequence[Position],
    on: date,
) -> list[Aliquot]:
    """Record new aliquots where they are put, with the event that begins each one's history."""
    if codes and len(codes) != len(rows):
        raise DomainError(f"{len(codes)} barcodes for {len(rows)} aliquots.", field="code", expected="one for each, or none")
    named = [{"code": code} for code in codes] or [{}] * len(rows)
    spots = _spots(session, place, len(rows), positions)
    made = record(
        session, actor, ALIQUOT, project_id, [{**row, **name, **spot} for row, name, spot in zip(rows, named, spots, strict=True)]
    )
    begin_histories(session, actor, made, dict.fromkeys((one.id for one in made), on))
    return made


def begin_histories(session: Session, actor: Actor, made: Sequence[Aliquot], days: Mapping[int, date]) -> None:
    """Write the event with which each new aliquot's history begins; one that is in no place yet was received. days: by id."""
    where = positions_of(session, made)
    events = [
        {
            "aliquot_id": one.id,
            "kind": AliquotEventKind.RECEIVED if one.place_id is None else AliquotEventKind.STORED,
            "happened_on": days[one.id],
            "amount": one.amount,
            "to_position": where.get(one.id),
        }
        for one in made
    ]
    if events:
        record(session, actor, ALIQUOT_EVENT, made[0].project_id, events)


def tell_moves(session: Session, actor: Actor, aliquots: Sequence[Aliquot], before: Mapping[int, str], on: date, note: str) -> None:
    """Write what happened to aliquots that a list says stand elsewhere than they did. before: `positions_of` them then."""
    after, events = positions_of(session, aliquots), []
    for one in aliquots:
        old, new = before.get(one.id), after.get(one.id)
        if old != new:
            kind = AliquotEventKind.MOVED if old and new else AliquotEventKind.STORED if new else AliquotEventKind.TAKEN_OUT
            places = {"from_position": old, "to_position": new}
            events.append({"aliquot_id": one.id, "kind": kind, "happened_on": on, "note": note, **places})
    if events:
        record(session, actor, ALIQUOT_EVENT, aliquots[0].project_id, events)


def _step(
    session: Session,
    actor: Actor,
    kind: AliquotEventKind,
    changes: Sequence[tuple[Aliquot, Mapping[str, Any]]],
    on: date,
    **told: Any,
) -> None:
    """Change aliquots of one project, and write what happened to each; a position stands there where it became another."""
    if not changes:
        return
    aliquots = [aliquot for aliquot, _ in changes]
    before = positions_of(session, aliquots)
    apply_all(session, ALIQUOT, changes)
    after = positions_of(session, aliquots)
    events = []
    for one in aliquots:
        old, new = before.get(one.id), after.get(one.id)
        where = {} if old == new else {"from_position": old, "to_position": new}
        events.append({"aliquot_id": one.id, "kind": kind, "happened_on": on, **where, **told})
    record(session, actor, ALIQUOT_EVENT, aliquots[0].project_id, events)


def positions_of(session: Session, aliquots: Sequence[Aliquot]) -> dict[int, str]:
    """Write where aliquots stand, by their ids: `FZ-1 / R2 / BX-03 A4`; those that stand nowhere are left out."""
    found = chains(session, {one.place_id for one in aliquots if one.place_id is not None})
    return {one.id: position_text(found[one.place_id], one.box_row, one.box_column) for one in aliquots if one.place_id is not None}
