"""Writes protocols, cages and animals, and what a protocol, a cage and an animal's own dates allow (ARRIVE 2.0 items 8, 9, 14)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.audit.record import Actor, current
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import DomainError
from lims.domain.events_order import Life, require_animal_dates
from lims.domain.identifiers import clean_identifier
from lims.domain.notices import Notice
from lims.domain.positions import position_label
from lims.domain.protocols import require_protocol
from lims.domain.sources import AUTHORISED, CONSISTENT, HOUSING, NAMED_PLACES, ONE_TAG
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import (
    Animal,
    AnimalProtocol,
    Cage,
    Dose,
    Enrolment,
    Exposure,
    Fate,
    Implant,
    Measurement,
    Procedure,
    Specimen,
)
from lims.queries.chunks import in_chunks
from lims.queries.colony import living
from lims.records.endpoints import judge_last
from lims.records.lives import require_life
from lims.records.noun import Draft, Noun, judge_each
from lims.records.nouns import record
from lims.records.values import today


def _joins(draft: Draft, column: str) -> bool:
    """Tell whether an animal comes under a protocol, or into a cage, that it does not count in yet."""
    return draft.values[column] is not None and (draft.returns or draft.changes(column))


def _own(drafts: Sequence[Draft]) -> set[int]:
    """Give the ids of the records that are judged, which do not stand in their own way."""
    return {draft.record.id for draft in drafts if draft.record is not None}


def _animals_by(
    session: Session, column: InstrumentedAttribute[int | None], keys: Iterable[int], *where: ColumnElement[bool]
) -> Counter[int]:
    """Count animals by protocol or cage."""
    rows = in_chunks(
        session, sorted(set(keys)), lambda some: select(column, func.count()).where(column.in_(some), *where).group_by(column)
    )
    return Counter(dict(rows))


# Protocols


def _protocols(session: Session, keys: Iterable[int | None]) -> dict[int | None, AnimalProtocol]:
    wanted = sorted({key for key in keys if key is not None})
    rows = in_chunks(session, wanted, lambda some: select(AnimalProtocol).where(AnimalProtocol.id.in_(some)))
    return {protocol.id: protocol for (protocol,) in rows}


def require_procedure(session: Session, animals: Sequence[Animal], procedure: ProtocolProcedure | None, on: date) -> None:
    """Refuse a procedure on animals whose protocol does not allow it, or not on that day; those without a protocol pass.

    Where nobody recorded which procedure it was (None), the protocol still has to hold on that day.

    Raises:
        DomainError: on `animal_id`, naming the first animal of the protocol that refuses.
    """
    first: dict[int | None, Animal] = {}
    for animal in animals:
        first.setdefault(animal.protocol_id, animal)
    for key, protocol in _protocols(session, first).items():
        try:
            require_protocol(
                protocol.code,
                protocol.expires_on,
                protocol.approved_on,
                protocol.animals_allowed,
                animals_used=0,
                wanted=0,  # they are counted already
                on=on,
                procedure=procedure,
                procedures=protocol.procedures,
            )
        except DomainError as refused:
            raise DomainError(
                f"Animal {first[key].code}: {refused}",
                field="animal_id",
                expected=refused.expected,
                remedy=refused.remedy,
                source=refused.source,
            ) from refused


def _check_protocols(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a protocol that expires before it is approved, allows what nobody knows, or fewer animals than it has."""
    known = {one.value for one in ProtocolProcedure}
    used = _animals_by(
        session, Animal.protocol_id, (one.record.id for one in drafts if one.record), Animal.status == RecordStatus.ACTIVE
    )
    for draft in drafts:
        values = draft.values
        if values["approved_on"] is not None and values["expires_on"] < values["approved_on"]:
            raise DomainError(
                f"It cannot expire on {values['expires_on']}, before it was approved on {values['approved_on']}.",
                field="expires_on",
                expected=f"{values['approved_on']} or later",
                source=AUTHORISED,
            )
        unknown = sorted(set(values["procedures"]) - known)
        if unknown:
            raise DomainError(
                f'"{unknown[0]}" is no procedure.', field="procedures", expected=", ".join(sorted(known)), source=AUTHORISED
            )
        under = used[draft.record.id] if draft.record else 0
        if values["animals_allowed"] < under:
            raise DomainError(
                f"{under} animals are under this protocol already, so it cannot allow {values['animals_allowed']}.",
                field="animals_allowed",
                expected=f"{under} or more",
                remedy="Move animals to another protocol first, or type the number that the committee allowed.",
                source=AUTHORISED,
            )


PROTOCOL: Noun[AnimalProtocol] = Noun(
    "protocol",
    AnimalProtocol,
    check=_check_protocols,
    future=frozenset({"expires_on"}),
    dependents=((Animal, "protocol_id"),),
)


# Cages


def require_room(session: Session, joining: Mapping[int, int], *, field: str = "cage_id") -> None:
    """Refuse more animals (`joining`, by cage) than the cages have room for, and any in a withdrawn one; the living count.

    Raises:
        DomainError: on the column `field`, naming the first cage that is too small.
    """
    inside = _animals_by(session, Animal.cage_id, joining, *living())
    for (cage,) in in_chunks(session, sorted(joining), lambda some: select(Cage).where(Cage.id.in_(some))):
        if cage.status is RecordStatus.WITHDRAWN:
            raise DomainError(
                f"Cage {cage.code} was withdrawn.",
                field=field,
                expected="a cage that is there",
                remedy="Bring the cage back first, or choose another one.",
                source=HOUSING,
            )
        free = max(cage.capacity - inside[cage.id], 0)
        if joining[cage.id] > free:
            room = "is full" if free == 0 else f"has room for {free} more"
            raise DomainError(
                f"Cage {cage.code} {room}: {inside[cage.id]} of {cage.capacity} animals are in it, "
                f"and {joining[cage.id]} would come.",
                field=field,
                expected="a cage with room for them",
                remedy="Choose another cage, or take animals out of this one first.",
                source=HOUSING,
            )


def _check_cages(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse half a rack position, one that another cage has, and a capacity below the animals inside."""
    judge_each(drafts, _check_rack)
    _check_free(session, project_id, drafts)
    smaller = [draft for draft in drafts if draft.record is not None and draft.changes("capacity")]
    inside = _animals_by(session, Animal.cage_id, (draft.record.id for draft in smaller), *living())
    for draft in smaller:
        if draft.values["capacity"] < inside[draft.record.id]:
            raise DomainError(
                f"{inside[draft.record.id]} animals are in this cage.",
                field="capacity",
                expected=f"{inside[draft.record.id]} or more",
                remedy="Move animals out of it first.",
                source=HOUSING,
            )


def _check_rack(draft: Draft) -> None:
    row, column = draft.values["rack_row"], draft.values["rack_column"]
    if (row is None) != (column is None):
        raise DomainError(
            "A position in a rack is a row and a column.",
            field="rack_column" if column is None else "rack_row",
            expected="both, or neither",
            source=NAMED_PLACES,
        )
    if row is not None and draft.values["rack"] is None:
        raise DomainError("A position needs the rack it is in.", field="rack", expected="the rack's name", source=NAMED_PLACES)


def _check_free(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    placed = [draft for draft in drafts if draft.values["rack_row"] is not None]
    racks = sorted({draft.values["rack"] for draft in placed})
    standing = in_chunks(
        session,
        racks,
        lambda some: select(Cage.rack, Cage.rack_row, Cage.rack_column, Cage.id, Cage.code).where(
            Cage.project_id == project_id, Cage.status == RecordStatus.ACTIVE, Cage.rack.in_(some)
        ),
    )
    own = _own(placed)
    taken = {(rack, row, column): code for rack, row, column, key, code in standing if key not in own}

    def judge(draft: Draft) -> None:
        if draft.values["rack_row"] is None:
            return
        place = draft.values["rack"], draft.values["rack_row"], draft.values["rack_column"]
        code = taken.setdefault(place, draft.values["code"])
        if code != draft.values["code"]:
            raise DomainError(
                f"Cage {code} stands at {position_label(*place[1:])} of rack {place[0]}.",
                field="rack",
                expected="a position that is free",
                remedy="Read the position off the rack again, or move that cage first.",
                source=NAMED_PLACES,
            )

    judge_each(drafts, judge)


CAGE: Noun[Cage] = Noun("cage", Cage, check=_check_cages, dependents=((Animal, "cage_id", *living()),))


def cages_named(session: Session, actor: Actor, project_id: int, codes: Iterable[str | None]) -> dict[str | None, int]:
    """Give the ids of cages by the codes that a file or an arrival names them by, and make those that are not there yet."""
    cleaned = {code: clean_identifier(code, what="code") for code in codes if code and code.strip()}
    wanted = sorted(set(cleaned.values()))
    known = in_chunks(
        session,
        wanted,
        lambda some: select(Cage.code, Cage.id).where(
            Cage.project_id == project_id, Cage.status == RecordStatus.ACTIVE, Cage.code.in_(some)
        ),
    )
    found: dict[str, int] = dict(known)
    missing = [code for code in wanted if code not in found]
    made = record(session, actor, CAGE, project_id, [{"code": code} for code in missing]) if missing else []
    found |= {cage.code: cage.id for cage in made}
    return {code: found[kept] for code, kept in cleaned.items()}


# Animals


def _check_animals(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse dates out of order, a dead animal that lives, a chip that another has, and what the protocol does not allow."""
    now = today(session)

    def judge(draft: Draft) -> None:
        values = draft.values
        require_animal_dates(Life(values["code"], values["birth_date"], values["arrived_on"], values["died_on"]), now)
        if values["died_on"] is not None and values["state"] is AnimalStatus.ALIVE:
            raise DomainError(
                f"An animal that died on {values['died_on']} is not alive.",
                field="state",
                expected="dead, or no date of death",
                source=CONSISTENT,
            )

    judge_each(drafts, judge)
    require_life(session, drafts, now)
    _check_chips(session, project_id, drafts)
    _check_allowed(session, drafts, now)
    require_room(session, Counter(one.values["cage_id"] for one in drafts if _needs_room(one)))


def _follow_animals(session: Session, animals: Sequence[Animal]) -> None:
    """Judge the last values of animals that came under another protocol by its endpoints."""
    moved = {one.id for one, fields in current(session).flushed if isinstance(one, Animal) and "protocol_id" in fields}
    if moved := moved & {animal.id for animal in animals}:
        judge_last(session, animals[0].project_id, moved)


def _alive(draft: Draft) -> bool:
    return draft.values["died_on"] is None and draft.values["state"] is not AnimalStatus.DEAD


def _needs_room(draft: Draft) -> bool:
    """Tell whether a living animal comes into a cage, or one inside turns out not to be dead."""
    was: Animal | None = draft.record
    if was is not None and (was.state is AnimalStatus.DEAD or was.died_on is not None) and _alive(draft):
        return draft.values["cage_id"] is not None
    # A file that does not say whether its animals live is taken as it is: its cages may hold more than they should.
    return draft.values["state"] is AnimalStatus.ALIVE and _joins(draft, "cage_id")


def _check_chips(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """A chip is read out as one animal: among the living of a project it is unique."""
    chipped = [draft for draft in drafts if draft.values["rfid"] is not None and _alive(draft)]
    found = in_chunks(
        session,
        sorted({draft.values["rfid"] for draft in chipped}),
        lambda some: select(Animal.rfid, Animal.code, Animal.id).where(
            Animal.project_id == project_id, Animal.rfid.in_(some), *living()
        ),
    )
    own = _own(chipped)
    bearers: dict[str, str] = {rfid: code for rfid, code, key in found if key not in own}

    def judge(draft: Draft) -> None:
        if draft.values["rfid"] is None or not _alive(draft):
            return
        bearer = bearers.setdefault(draft.values["rfid"], draft.values["code"])
        if bearer != draft.values["code"]:
            raise DomainError(
                f"Animal {bearer} has the RFID {draft.values['rfid']}.",
                field="rfid",
                expected="a chip that no other living animal has",
                remedy="Read the chip again; correct the other animal if it is wrong there.",
                source=ONE_TAG,
            )

    judge_each(drafts, judge)


def _check_allowed(session: Session, drafts: Sequence[Draft], now: date) -> None:
    """Ask each protocol for all of its animals in this list at once, on the day of arrival, or today where that is not recorded."""
    asked: dict[int, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if _joins(draft, "protocol_id") or (draft.values["protocol_id"] is not None and draft.changes("arrived_on")):
            asked[draft.values["protocol_id"]].append(draft)
    used = _animals_by(session, Animal.protocol_id, asked, Animal.status == RecordStatus.ACTIVE)
    for key, protocol in _protocols(session, asked).items():
        assert key is not None  # noqa: S101  # ids that were found
        wanted = sum(_joins(draft, "protocol_id") for draft in asked[key])
        for on in sorted({_judged_on(draft, protocol, now) for draft in asked[key]}):
            require_protocol(
                protocol.code, protocol.expires_on, protocol.approved_on, protocol.animals_allowed, used[key], wanted, on
            )


def _judged_on(draft: Draft, protocol: AnimalProtocol, now: date) -> date:
    """Give the day that counts: a protocol that renews another takes over animals which arrived before it was approved."""
    arrived: date | None = draft.values["arrived_on"]
    taken_over = draft.record is not None and draft.changes("protocol_id")
    if arrived is None or (taken_over and protocol.approved_on is not None and arrived < protocol.approved_on):
        return now
    return arrived


def _doubt_animals(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt an ear tag that another living animal of the cage has: the two cannot be told apart by hand."""
    tagged = [draft for draft in drafts if draft.values["ear_tag"] and draft.values["cage_id"] and _alive(draft)]
    found = in_chunks(
        session,
        sorted({draft.values["cage_id"] for draft in tagged}),
        lambda some: select(Animal.cage_id, Animal.ear_tag, Animal.code, Animal.id).where(Animal.cage_id.in_(some), *living()),
    )
    own, notices = _own(tagged), list[Notice]()
    for draft in tagged:
        if not draft.changes("ear_tag", "cage_id"):
            continue
        place = draft.values["cage_id"], draft.values["ear_tag"]
        other = next((code for cage, tag, code, key in found if (cage, tag) == place and key not in own), None)
        if other is not None:
            message = f"Animal {other} of the same cage has ear tag {draft.values['ear_tag']} too."
            notices.append(Notice("warning", "ear_tag", message, "an ear tag of its own within the cage", ONE_TAG))
    return notices


ANIMAL: Noun[Animal] = Noun(
    "animal",
    Animal,
    check=_check_animals,
    doubt=_doubt_animals,
    follow=_follow_animals,
    dependents=(
        *((of, "animal_id") for of in (Implant, Enrolment, Measurement, Dose, Procedure, Exposure, Fate)),
        (Specimen, "source_animal_id"),
    ),
)
