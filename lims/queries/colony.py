"""Read models of the colony: protocols and what is used of them, cages and who lives in them, moves, the racks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session, joinedload, selectinload

from lims.domain.protocols import RENEWAL_NOTICE, ProtocolState
from lims.domain.vocabulary import AnimalStatus, RecordStatus, Sex
from lims.models import Animal, AnimalProtocol, Cage, CageMove, Enrolment
from lims.queries.bench_order import counting
from lims.queries.chunks import read
from lims.queries.series import AnySelect


def living() -> tuple[ColumnElement[bool], ...]:
    """Give the conditions that an animal is recorded and not known to be dead."""
    return Animal.status == RecordStatus.ACTIVE, Animal.state != AnimalStatus.DEAD, Animal.died_on.is_(None)


def animals_used() -> ScalarSelect[int]:
    """Give how many animals are under a protocol, dead ones too, as a column of a statement that selects from it."""
    used = select(func.count()).where(Animal.protocol_id == AnimalProtocol.id, Animal.status == RecordStatus.ACTIVE)
    return used.correlate(AnimalProtocol).scalar_subquery()


def protocol_list(project_id: int, on: date) -> AnySelect:
    """Select the project's protocols with their state on a day and the animals used (`lims.domain.protocols`)."""
    state = case(
        (AnimalProtocol.expires_on < on, literal(ProtocolState.EXPIRED.value)),
        (AnimalProtocol.approved_on > on, literal(ProtocolState.NOT_YET_APPROVED.value)),
        (AnimalProtocol.expires_on < on + RENEWAL_NOTICE, literal(ProtocolState.EXPIRING.value)),
        else_=literal(ProtocolState.HOLDS.value),
    )
    return select(
        AnimalProtocol.code.label("code"),
        AnimalProtocol.title.label("title"),
        state.label("state"),
        AnimalProtocol.approved_on.label("approved_on"),
        AnimalProtocol.expires_on.label("expires_on"),
        animals_used().label("used"),
        AnimalProtocol.animals_allowed.label("allowed"),
    ).where(AnimalProtocol.project_id == project_id)


def used_of(session: Session, protocol_id: int) -> int:
    """Count the animals under one protocol."""
    return session.scalar(select(animals_used()).select_from(AnimalProtocol).where(AnimalProtocol.id == protocol_id)) or 0


def cage_list(project_id: int) -> AnySelect:
    """Select the project's cages with the living animals in each, their sex and strain where all share it."""
    inside = select(func.count()).where(Animal.cage_id == Cage.id, *living()).correlate(Cage).scalar_subquery()
    return select(
        Cage.code.label("code"),
        Cage.rack.label("rack"),
        Cage.rack_row.label("rack_row"),
        Cage.rack_column.label("rack_column"),
        inside.label("animals"),
        Cage.capacity.label("capacity"),
        _shared(Animal.sex).label("sex"),
        _shared(Animal.strain).label("strain"),
        Cage.note.label("note"),
    ).where(Cage.project_id == project_id)


def _shared(column: Any) -> ScalarSelect[str]:
    """Give what all living animals of a cage have in a column, or that it is mixed."""
    shared = select(case((func.min(column) == func.max(column), func.min(column)), (func.count(column) > 0, literal("mixed"))))
    return shared.where(Animal.cage_id == Cage.id, *living()).correlate(Cage).scalar_subquery()


def animals_in(session: Session, cage_id: int) -> Sequence[Animal]:
    """List the living animals of a cage by code, with their protocols."""
    inside = select(Animal).where(Animal.cage_id == cage_id, *living())
    return sorted(session.scalars(inside.options(selectinload(Animal.protocol))), key=lambda animal: counting(animal.code))


def were_in(session: Session, cage_id: int, limit: int = 50) -> list[tuple[Animal, CageMove | None]]:
    """List the animals that were in a cage, the latest first: those that died in it, and those moved out, with that move."""
    out = (
        select(CageMove.animal_id, func.max(CageMove.id).label("id"))
        .where(CageMove.from_cage_id == cage_id, CageMove.status == RecordStatus.ACTIVE)
        .group_by(CageMove.animal_id)
        .subquery()
    )
    here = Animal.cage_id == cage_id
    gone = (
        select(Animal, CageMove)
        .outerjoin(out, and_(out.c.animal_id == Animal.id, ~here))
        .outerjoin(CageMove, CageMove.id == out.c.id)
        .where(Animal.status == RecordStatus.ACTIVE, or_(CageMove.id.is_not(None), and_(here, not_(and_(*living())))))
        .order_by(func.coalesce(CageMove.moved_on, Animal.died_on).desc().nulls_last(), Animal.code)
        .limit(limit)
    )
    return [(animal, move) for animal, move in session.execute(gone.options(joinedload(CageMove.to_cage)))]


def moves_of(session: Session, *, animal_id: int | None = None, cage_id: int | None = None, limit: int = 50) -> Sequence[CageMove]:
    """List the moves of an animal, or into and out of a cage, the latest first."""
    of = {"animal_id": animal_id, "cage_id": cage_id}
    asked = {name: key for name, key in of.items() if key is not None}
    return session.scalars(_moves(*asked), {**asked, "most": limit}).all()


@cache
def _moves(*of: str) -> Select[CageMove]:
    """Select the moves of the animal or the cage that `of` names; put together once."""
    moves = select(CageMove).where(CageMove.status == RecordStatus.ACTIVE)
    if "animal_id" in of:
        moves = moves.where(CageMove.animal_id == bindparam("animal_id"))
    if "cage_id" in of:
        cage: BindParameter[int] = bindparam("cage_id")
        moves = moves.where(or_(CageMove.from_cage_id == cage, CageMove.to_cage_id == cage))
    loaded = selectinload(CageMove.animal), selectinload(CageMove.from_cage), selectinload(CageMove.to_cage)
    latest = moves.order_by(CageMove.moved_on.desc(), CageMove.id.desc())
    return latest.limit(bindparam("most", type_=BigInteger())).options(*loaded)


_protocol = AnimalProtocol.__table__.c
_PROTOCOLS = (
    select(_protocol.code)
    .where(_protocol.project_id == bindparam("project_id"), _protocol.status == RecordStatus.ACTIVE)
    .order_by(_protocol.code)
)


def protocol_codes(session: Session, project_id: int) -> list[str]:
    """List the codes of the project's protocols."""
    return list(read(session, _PROTOCOLS, project_id=project_id).scalars())


def strains(session: Session, project_id: int) -> list[str]:
    """List the strains of the project's living animals."""
    own = select(Animal.strain).where(Animal.project_id == project_id, Animal.strain.is_not(None), *living())
    return [strain for strain in session.scalars(own.distinct().order_by(Animal.strain)) if strain]


# The racks


@dataclass(slots=True)
class CageShown:
    """A cage as the colony view draws it. arms: living animals by id of their arm."""

    id: int
    code: str
    rack: str | None
    row: int | None
    column: int | None
    capacity: int
    animals: int = 0
    sexes: Counter[Sex] = field(default_factory=Counter)
    arms: Counter[int] = field(default_factory=Counter)
    fits: bool = True
    """Whether an animal in it fits the filters; without filters every cage does."""

    @property
    def over(self) -> bool:
        """Tell whether more animals live in it than it should hold."""
        return self.animals > self.capacity


@dataclass(slots=True)
class Rack:
    """A rack with its cages by row and column, as large as its outermost cages."""

    code: str
    places: dict[tuple[int, int], CageShown]

    @property
    def rows(self) -> range:
        """Give its rows from the top."""
        return range(1, max(row for row, _ in self.places) + 1)

    @property
    def columns(self) -> range:
        """Give its columns from the left."""
        return range(1, max(column for _, column in self.places) + 1)


@dataclass(slots=True)
class Colony:
    """All cages of a project: those with a place in a rack, and the others."""

    racks: list[Rack]
    loose: list[CageShown]
    animals: int
    """Living animals, those without a cage among them."""
    uncaged: int


def colony(session: Session, project_id: int, *, protocol: str | None = None, strain: str | None = None) -> Colony:
    """Read the racks with who lives in them: three statements, however many cages there are."""
    cages = _cages(session, project_id, fits=protocol is None and strain is None)
    here = Animal.project_id == project_id
    inside = session.execute(
        select(Animal.cage_id, Animal.sex, Animal.strain, AnimalProtocol.code)
        .outerjoin(AnimalProtocol, AnimalProtocol.id == Animal.protocol_id)
        .where(here, *living())
    ).all()
    for cage_id, sex, animal_strain, code in inside:
        cage = cages.get(cage_id)
        if cage is not None:
            cage.animals += 1
            cage.sexes[sex] += 1
            cage.fits = cage.fits or (protocol in (None, code) and strain in (None, animal_strain))
    enrolled = session.execute(
        select(Animal.cage_id, Enrolment.arm_id, func.count())
        .join(Enrolment, (Enrolment.animal_id == Animal.id) & (Enrolment.status == RecordStatus.ACTIVE))
        .where(here, *living())
        .group_by(Animal.cage_id, Enrolment.arm_id)
    )
    for cage_id, arm_id, number in enrolled:
        if cage_id in cages:
            cages[cage_id].arms[arm_id] = number
    loose, racks = list[CageShown](), dict[str, Rack]()
    for cage in cages.values():
        if cage.rack is None or cage.row is None or cage.column is None:
            loose.append(cage)
        else:
            racks.setdefault(cage.rack, Rack(cage.rack, {})).places[cage.row, cage.column] = cage
    uncaged = sum(cage_id not in cages for cage_id, *_ in inside)
    return Colony([racks[code] for code in sorted(racks, key=counting)], loose, len(inside), uncaged)


def _cages(session: Session, project_id: int, *, fits: bool) -> dict[int | None, CageShown]:
    rows = session.execute(
        select(Cage.id, Cage.code, Cage.rack, Cage.rack_row, Cage.rack_column, Cage.capacity).where(
            Cage.project_id == project_id, Cage.status == RecordStatus.ACTIVE
        )
    )
    return {row.id: CageShown(*row, fits=fits) for row in sorted(rows, key=lambda row: counting(row.code))}
