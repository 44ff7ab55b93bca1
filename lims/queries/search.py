"""Finds records of a project by anything they are known by: code, barcode, ear tag, RFID, other name, number of an import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, null, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.domain.identifiers import LONGEST, as_scanned
from lims.domain.vocabulary import RecordStatus
from lims.models import (
    Agent,
    AgentLot,
    Aliquot,
    Animal,
    AnimalAlias,
    AnimalProtocol,
    Cage,
    CellPreparation,
    Enrolment,
    Implant,
    ImportBatch,
    Patient,
    PdxModel,
    Specimen,
    StoragePlace,
    Study,
)
from lims.queries.lineage import tumour_code
from lims.queries.series import AnySelect

SHOWN = 8
"""Hits of one kind on the page; whoever sees as many types another letter."""
EXACT, SAID_TWICE, BEGINS, CONTAINS = range(4)
Source: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """One record that was found. `found_as` says by which name, where it is not its code; `what` says what it is."""

    entity: str
    id: int
    code: str
    found_as: str
    status: str
    what: tuple[str, ...]
    rank: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked for, and the hits, the best of each kind first."""

    text: str
    hits: Sequence[Hit]

    @property
    def only(self) -> Hit | None:
        """Give the one record that is called exactly this; of several, the one that still counts."""
        best = min((hit.rank for hit in self.hits if hit.rank <= SAID_TWICE), default=None)
        exact = [hit for hit in self.hits if hit.rank == best]
        standing = [hit for hit in exact if hit.status != RecordStatus.WITHDRAWN] or exact
        return standing[0] if len(standing) == 1 else None


def _alone(rows: AnySelect) -> AnySelect:
    return rows


@dataclass(frozen=True, slots=True)
class _Source:
    """Where records of one kind are looked for. names: what they are known by, in words; what: up to three facts."""

    entity: str
    model: Any
    code: Source
    names: Sequence[tuple[str, Source]]
    what: Sequence[Source]
    joined: Callable[[AnySelect], AnySelect] = _alone
    id: Source | None = None
    status: Source | None = None


def find_anything(session: Session, project_id: int, typed: str) -> Found:
    """Find what is called so: exactly, beginning with it or containing it, in whatever case. One statement."""
    texts = as_scanned(typed)
    if not texts or len(texts[-1]) > LONGEST:
        return Found(texts[0] if texts else "", ())
    rows = session.execute(union_all(*(_branch(source, project_id, texts) for source in _sources()))).all()
    best: dict[tuple[str, int], Hit] = {}
    for entity, key, code, found_as, status, first, second, third, rank in sorted(rows, key=lambda row: (row.rank, row.code)):
        what = tuple(text for text in (first, second, third) if text and text != "not_recorded")
        best.setdefault((entity, key), Hit(entity, key, code, found_as, status, what, rank))
    return Found(texts[0], list(best.values()))


def _branch(source: _Source, project_id: int, texts: Sequence[str]) -> AnySelect:
    matches = [match for rank in range(CONTAINS + 1) for match in _matches(source, rank, texts)]
    rank = case(*((match, literal(rank)) for rank, _, match in matches))
    said = case(*((match, literal(said)) for _, said, match in matches))
    what = [*source.what, *[null()] * (3 - len(source.what))]
    key = source.model.id if source.id is None else source.id
    status = source.model.status if source.status is None else source.status
    rows: AnySelect = select(
        literal(source.entity).label("entity"),
        key.label("id"),
        source.code.label("code"),
        said.label("found_as"),
        cast(status, String).label("status"),
        *(cast(one, String).label(f"what_{number}") for number, one in enumerate(what)),
        rank.label("rank"),
    ).select_from(source.model)
    # Who is called so, or begins so, also contains it.
    wanted = or_(*(match for rank, _, match in matches if rank in (SAID_TWICE, CONTAINS)))
    rows = source.joined(rows).where(source.model.project_id == project_id, wanted)
    # A branch with an order and a limit of its own has to be a table of its own, on SQLite at least.
    best = rows.order_by(rank, source.code).limit(SHOWN + 1).subquery()
    return select(*best.c)


def _matches(source: _Source, rank: int, texts: Sequence[str]) -> list[tuple[int, str, ColumnElement[bool]]]:
    """Give rank, name and condition of one way to be what was looked for, for each name that records of a kind have."""
    if rank == SAID_TWICE and len(texts) == 1:
        return []
    whole, half = texts[0], texts[-1]
    ways: dict[int, Callable[[Source], ColumnElement[bool]]] = {
        EXACT: lambda name: func.lower(name) == func.lower(whole),
        SAID_TWICE: lambda name: func.lower(name) == func.lower(half),
        BEGINS: lambda name: name.istartswith(whole, autoescape=True),
        CONTAINS: lambda name: name.icontains(whole, autoescape=True),
    }
    return [(rank, said, ways[rank](name)) for said, name in source.names]


def _sources() -> Sequence[_Source]:
    return (*_tissue(), *_colony(), *_work())


def _known_by_code(entity: str, model: Any, what: Sequence[Source], joined: Callable[[AnySelect], AnySelect] = _alone) -> _Source:
    return _Source(entity, model, model.code, [("code", model.code)], what, joined)


def _tissue() -> Sequence[_Source]:
    return (
        _known_by_code("patient", Patient, [Patient.diagnosis]),
        _known_by_code("specimen", Specimen, [Specimen.kind, Specimen.site, Patient.code], _with_donor),
        _known_by_code("aliquot", Aliquot, [Aliquot.material, Aliquot.state, StoragePlace.code], _with_place),
        _known_by_code("pdx_model", PdxModel, [PdxModel.kind, PdxModel.state]),
        _Source(
            "cell_preparation",
            CellPreparation,
            CellPreparation.code,
            [("code", CellPreparation.code), ("sample", CellPreparation.sample), ("count", CellPreparation.count_name)],
            [CellPreparation.sample, CellPreparation.counted_on],
        ),
        _Source(
            "implant",
            Implant,
            tumour_code(),
            [("animal and tumour", tumour_code())],
            [Implant.site, PdxModel.code, Implant.engraftment],
            _with_animal_and_model,
        ),
        _Source(
            "storage_place",
            StoragePlace,
            StoragePlace.code,
            [("code", StoragePlace.code), ("title", StoragePlace.title)],
            [StoragePlace.kind, StoragePlace.title],
        ),
    )


def _colony() -> Sequence[_Source]:
    return (
        _Source(
            "animal",
            Animal,
            Animal.code,
            [("code", Animal.code), ("ear tag", Animal.ear_tag), ("RFID", Animal.rfid)],
            [Animal.strain, Animal.state, Cage.code],
            _with_cage,
        ),
        _Source(
            "animal",
            AnimalAlias,
            Animal.code,
            [("other name", AnimalAlias.alias)],
            [AnimalAlias.alias, Animal.state, Cage.code],
            _of_alias,
            id=Animal.id,
            status=Animal.status,
        ),
        _known_by_code("cage", Cage, [Cage.rack]),
        _Source(
            "animal_protocol",
            AnimalProtocol,
            AnimalProtocol.code,
            [("number", AnimalProtocol.code), ("title", AnimalProtocol.title)],
            [AnimalProtocol.title],
        ),
    )


def _work() -> Sequence[_Source]:
    batch: Source = literal("batch ") + cast(ImportBatch.id, String)
    enrolled: Source = Animal.code + literal(" in ") + Study.code
    return (
        _Source("study", Study, Study.code, [("code", Study.code), ("title", Study.title)], [Study.title, Study.state]),
        # Beside the animal itself, which is called so exactly: its arm is for those who may see it, on the enrolment's page.
        _Source("enrolment", Enrolment, enrolled, [("animal and study", enrolled)], [Study.title], _with_animal_and_study),
        _Source("agent", Agent, Agent.code, [("code", Agent.code), ("name", Agent.name)], [Agent.name, Agent.agent_class]),
        _known_by_code("agent_lot", AgentLot, [Agent.code, AgentLot.supplier], _with_agent),
        _Source(
            "import_batch",
            ImportBatch,
            batch,
            [("number", cast(ImportBatch.id, String)), ("number", batch), ("file", ImportBatch.file_name)],
            [ImportBatch.file_name, ImportBatch.state],
            status=ImportBatch.state,
        ),
    )


def _with_donor(rows: AnySelect) -> AnySelect:
    return rows.outerjoin(Patient, Patient.id == Specimen.donor_id)


def _with_place(rows: AnySelect) -> AnySelect:
    return rows.outerjoin(StoragePlace, StoragePlace.id == Aliquot.place_id)


def _with_cage(rows: AnySelect) -> AnySelect:
    return rows.outerjoin(Cage, Cage.id == Animal.cage_id)


def _of_alias(rows: AnySelect) -> AnySelect:
    return _with_cage(rows.join(Animal, and_(Animal.id == AnimalAlias.animal_id, AnimalAlias.status == RecordStatus.ACTIVE)))


def _with_animal_and_study(rows: AnySelect) -> AnySelect:
    return rows.join(Animal, Animal.id == Enrolment.animal_id).join(Study, Study.id == Enrolment.study_id)


def _with_agent(rows: AnySelect) -> AnySelect:
    return rows.join(Agent, Agent.id == AgentLot.agent_id)


def _with_animal_and_model(rows: AnySelect) -> AnySelect:
    return rows.join(Animal, Animal.id == Implant.animal_id).outerjoin(PdxModel, PdxModel.id == Implant.model_id)
