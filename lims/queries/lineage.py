"""Where tissue came from and what became of it: from patient to specimen, aliquot, implant, harvest, and on.

A record's kin is found by its donor, or, where an old import does not know the donor, from the implant it all begins
with. However many records there are, it takes the same number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import CTE, BindParameter, ColumnElement, and_, bindparam, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from lims.audit.words import entity_word
from lims.domain.consents import ConsentState
from lims.domain.vocabulary import PassageConvention, RecordStatus
from lims.models import Aliquot, Animal, Implant, Patient, PdxModel, Specimen
from lims.queries.chunks import read
from lims.queries.patients import consent_state_of
from lims.queries.series import AnySelect

Key: TypeAlias = tuple[str, int]
"""A record's table and id."""
LONGEST = 1_000
"""Steps of a chain; no line of tissue is passaged that often."""


@dataclass(frozen=True, slots=True)
class Step:
    """One record of a chain: its kind in people's words, its code, its table and id."""

    word: str
    code: str
    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class Kin:
    """One record of a lineage. `what` are the terms that say what it is; `on` is when it was collected, preserved or implanted."""

    kind: str
    id: int
    code: str
    parent: Key | None
    status: RecordStatus
    what: tuple[Enum | str | None, ...]
    passage: int | None = None
    on: date | None = None
    state: Enum | None = None
    model_id: int | None = None
    convention: PassageConvention | None = None

    @property
    def key(self) -> Key:
        """Give table and id."""
        return self.kind, self.id


@dataclass(frozen=True, slots=True)
class Lineage:
    """All kin of a record, and the keys of the chain that leads to it."""

    kin: Sequence[Kin]
    starts: frozenset[Key]
    chain: frozenset[Key]


def chain_of(session: Session, record: Any) -> list[Step]:
    """Give a record's ancestors and itself, the patient first: one statement."""
    return next(iter(chains_of(session, record).values()), [])


def chains_of(session: Session, record: Any) -> dict[int, list[Step]]:
    """Give the chains that end in a record, by where they end: an animal has one for each of its tumours."""
    chains: dict[int, list[Step]] = defaultdict(list)
    table: Any = type(record)
    for origin, kind, key, code in read(session, _chains(table), record_id=record.id):
        chains[origin].append(Step(entity_word(kind), code, kind, key))
    if isinstance(record, PdxModel):
        own = Step(entity_word("pdx_model"), record.code, "pdx_model", record.id)
        return {record.id: [step for chain in chains.values() for step in chain] + [own]}
    return chains


@cache
def _chains(table: type[Any]) -> AnySelect:
    """Select the chains of a record of this table, of a model those of its founding specimen; put together once."""
    up = _climb(_founding() if table is PdxModel else _starts(table))
    return (
        select(up.c.origin, up.c.kind, up.c.id, _code().label("code"))
        .select_from(up)
        .outerjoin(Patient, and_(up.c.kind == "patient", Patient.id == up.c.id))
        .outerjoin(Specimen, and_(up.c.kind == "specimen", Specimen.id == up.c.id))
        .outerjoin(Aliquot, and_(up.c.kind == "aliquot", Aliquot.id == up.c.id))
        .outerjoin(Implant, and_(up.c.kind == "implant", Implant.id == up.c.id))
        .outerjoin(Animal, Animal.id == Implant.animal_id)
        .order_by(up.c.origin, up.c.steps.desc())
    )


def lineage_of(session: Session, record: Any) -> Lineage:
    """Give all kin of a record: every record of the patients, or of the first implants, that its chains begin with."""
    starts, patients, implants, samples = _roots(session, record)
    kin = [
        *_patients(session, patients),
        *_specimens(session, _own_specimens(patients, implants, samples)),
        *_aliquots(session, _own_specimens(patients, implants, samples)),
        *_implants(session, patients, implants),
    ]
    parents = {one.key: one.parent for one in kin}
    chain: set[Key] = set()
    for start in starts:
        step: Key | None = start
        while step is not None and step not in chain:
            chain.add(step)
            step = parents.get(step)
    return Lineage(kin, frozenset(starts), frozenset(chain))


def tumour_code() -> ColumnElement[str]:
    """Name an implant by its animal and its label, in a statement that joins both."""
    return Animal.code + " " + Implant.label


def _code() -> ColumnElement[Any]:
    return func.coalesce(Patient.code, Specimen.code, Aliquot.code, tumour_code())


_RECORD_ID: BindParameter[int] = bindparam("record_id")


def _starts(table: type[Any]) -> AnySelect:
    """Select what a lineage starts from: the record itself, an animal's tumours, a model's founding specimen and tumours."""
    if table is PdxModel:
        tumours = _start("implant", Implant.id).where(Implant.model_id == _RECORD_ID, Implant.status == RecordStatus.ACTIVE)
        both = union_all(_founding(), tumours).subquery()
        return select(both.c.origin, both.c.kind, both.c.id)
    if table is Animal:
        return _start("implant", Implant.id).where(Implant.animal_id == _RECORD_ID, Implant.status == RecordStatus.ACTIVE)
    return _start(str(table.__tablename__), table.id).where(table.id == _RECORD_ID)


def _founding() -> AnySelect:
    founding = PdxModel.founding_specimen_id
    return _start("specimen", founding).where(PdxModel.id == _RECORD_ID, founding.is_not(None))


def _start(kind: str, key: Any) -> AnySelect:
    return select(key.label("origin"), literal(kind).label("kind"), key.label("id"))


def _climb(starts: AnySelect) -> CTE:
    """Walk from each start up to where its tissue came from."""
    up = starts.add_columns(literal(0).label("steps")).cte("up", recursive=True)
    kind = case(
        (up.c.kind == "implant", literal("aliquot")),
        (Aliquot.parent_id.is_not(None), literal("aliquot")),
        (up.c.kind == "aliquot", literal("specimen")),
        (Specimen.patient_id.is_not(None), literal("patient")),
        else_=literal("implant"),
    )
    # Only one of the three tables is joined in a row: the others are all null.
    key: ColumnElement[Any] = func.coalesce(
        Specimen.patient_id, Specimen.source_implant_id, Aliquot.parent_id, Aliquot.specimen_id, Implant.aliquot_id
    )
    step = (
        select(up.c.origin, kind, key, up.c.steps + 1)
        .select_from(up)
        .outerjoin(Specimen, and_(up.c.kind == "specimen", Specimen.id == up.c.id))
        .outerjoin(Aliquot, and_(up.c.kind == "aliquot", Aliquot.id == up.c.id))
        .outerjoin(Implant, and_(up.c.kind == "implant", Implant.id == up.c.id))
        .where(key.is_not(None), up.c.steps < LONGEST)
    )
    return up.union_all(step)


def _roots(session: Session, record: Any) -> tuple[set[Key], set[int], set[int], set[int]]:
    """Give the starts, and where their chains begin: patients, implants whose tissue nobody recorded, samples of animals."""
    up = _climb(_starts(type(record)))
    unknown, sample = and_(up.c.kind == "implant", Implant.aliquot_id.is_(None)), Specimen.source_animal_id.is_not(None)
    rows = session.execute(
        select(up.c.kind, up.c.id, up.c.steps, Implant.aliquot_id, Specimen.source_animal_id)
        .outerjoin(Implant, and_(up.c.kind == "implant", Implant.id == up.c.id))
        .outerjoin(Specimen, and_(up.c.kind == "specimen", Specimen.id == up.c.id))
        .where(or_(up.c.steps == 0, up.c.kind == "patient", unknown, sample)),
        {"record_id": record.id},
    ).all()
    starts = {(kind, key) for kind, key, steps, _, _ in rows if steps == 0}
    patients = {key for kind, key, *_ in rows if kind == "patient"}
    implants = {key for kind, key, _, aliquot, _ in rows if kind == "implant" and aliquot is None}
    samples = {key for kind, key, _, _, animal in rows if kind == "specimen" and animal is not None}
    return starts, patients, implants, samples


def _grown_from(implants: Collection[int]) -> AnySelect:
    """Select the specimens that grew from these implants, over however many passages."""
    harvest = aliased(Specimen)
    grown = select(Specimen.id).where(Specimen.source_implant_id.in_(implants)).cte("grown", recursive=True)
    later = (
        select(harvest.id)
        .join(Implant, Implant.id == harvest.source_implant_id)
        .join(Aliquot, Aliquot.id == Implant.aliquot_id)
        .join(grown, grown.c.id == Aliquot.specimen_id)
    )
    return select(grown.union(later).c.id)


def _own_specimens(patients: Collection[int], implants: Collection[int], samples: Collection[int]) -> ColumnElement[bool]:
    """Give the condition that a specimen is of these patients, grew from these implants, or is one of these samples."""
    own = [Specimen.donor_id.in_(patients)] + ([Specimen.id.in_(_grown_from(implants))] if implants else [])
    return or_(*own, *([Specimen.id.in_(samples)] if samples else []))


def _patients(session: Session, patients: Collection[int]) -> list[Kin]:
    rows = session.execute(
        select(Patient, consent_state_of(Patient.id)).where(Patient.id.in_(patients)).order_by(Patient.code)
    ).all()
    return [
        Kin("patient", one.id, one.code, None, one.status, (one.diagnosis,), state=ConsentState(consent)) for one, consent in rows
    ]


def _specimens(session: Session, own: ColumnElement[bool]) -> list[Kin]:
    rows = session.execute(
        select(
            Specimen.id,
            Specimen.code,
            Specimen.patient_id,
            Specimen.source_implant_id,
            Specimen.status,
            Specimen.kind,
            Specimen.site,
            Specimen.passage,
            Specimen.collected_on,
        )
        .where(own)
        .order_by(Specimen.collected_on.nulls_last(), Specimen.code)
    ).all()
    return [
        Kin(
            "specimen",
            one.id,
            one.code,
            _source(one),
            one.status,
            (one.kind, one.site),
            one.passage,
            one.collected_on,
        )
        for one in rows
    ]


def _source(one: Any) -> Key | None:
    if one.patient_id is not None:
        return "patient", one.patient_id
    return None if one.source_implant_id is None else ("implant", one.source_implant_id)


def _aliquots(session: Session, own: ColumnElement[bool]) -> list[Kin]:
    rows = session.execute(
        select(
            Aliquot.id,
            Aliquot.code,
            Aliquot.specimen_id,
            Aliquot.parent_id,
            Aliquot.status,
            Aliquot.material,
            Aliquot.state,
            Aliquot.preserved_on,
            Specimen.passage,
        )
        .join(Specimen, Specimen.id == Aliquot.specimen_id)
        .where(own)
        .order_by(Aliquot.code)
    ).all()
    return [
        Kin(
            "aliquot",
            one.id,
            one.code,
            ("aliquot", one.parent_id) if one.parent_id else ("specimen", one.specimen_id),
            one.status,
            (one.material,),
            one.passage,
            one.preserved_on,
            one.state,
        )
        for one in rows
    ]


def _implants(session: Session, patients: Collection[int], implants: Collection[int]) -> list[Kin]:
    own: ColumnElement[bool] = Implant.donor_id.in_(patients)
    if implants:
        later = select(Aliquot.id).where(Aliquot.specimen_id.in_(_grown_from(implants)))
        own = or_(own, Implant.id.in_(implants), Implant.aliquot_id.in_(later))
    rows = session.execute(
        select(
            Implant.id,
            tumour_code().label("code"),
            Implant.aliquot_id,
            Implant.status,
            Implant.site,
            Implant.region,
            Implant.passage,
            Implant.implanted_on,
            Implant.engraftment,
            PdxModel.id.label("model_id"),
            PdxModel.passage_convention,
        )
        .join(Animal, Animal.id == Implant.animal_id)
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .where(own)
        .order_by(Implant.implanted_on.nulls_last(), Animal.code, Implant.label)
    ).all()
    return [
        Kin(
            "implant",
            one.id,
            one.code,
            ("aliquot", one.aliquot_id) if one.aliquot_id else None,
            one.status,
            (one.site, one.region),
            one.passage,
            one.implanted_on,
            one.engraftment,
            one.model_id,
            one.passage_convention,
        )
        for one in rows
    ]
