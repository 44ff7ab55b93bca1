"""Read models of alterations: the list, and the matrix of models × genes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.domain.alterations import Call, call_of
from lims.domain.genes import PathwaySet, genes_of, pathways_of
from lims.domain.passage import passage_label
from lims.domain.tissue_terms import Compartment
from lims.domain.vocabulary import PassageConvention, RecordStatus
from lims.models import Alteration, Animal, Implant, Patient, PdxModel, Specimen
from lims.queries.series import AnySelect

MOST_OTHERS = 8
"""Genes of no set that the whole matrix shows, the most often altered first; a page of their own has them all."""


def in_pathway(pathway: PathwaySet) -> ColumnElement[bool]:
    """Give the condition that an alteration's gene is of a pathway set, human or mouse."""
    return Alteration.gene.in_([gene for compartment in Compartment for gene in genes_of(pathway, compartment)])


def in_no_pathway() -> ColumnElement[bool]:
    """Give the condition that an alteration's gene is of none of the sets."""
    return ~or_(*(in_pathway(pathway) for pathway in PathwaySet))


def of_model(model_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Give the condition that a specimen belongs to a model: it founded it, or was harvested from one of its implants."""
    founding = select(PdxModel.founding_specimen_id).where(PdxModel.id == model_id, PdxModel.status == RecordStatus.ACTIVE)
    grown = select(Implant.id).where(Implant.model_id == model_id, Implant.status == RecordStatus.ACTIVE)
    return or_(Specimen.id.in_(founding), Specimen.source_implant_id.in_(grown))


def alteration_list(project_id: int) -> AnySelect:
    """Select the alterations of the project's active specimens, with patient and model."""
    founded = select(func.min(PdxModel.code)).where(
        PdxModel.founding_specimen_id == Specimen.id, PdxModel.status == RecordStatus.ACTIVE
    )
    grown = select(PdxModel.code).join(Implant, Implant.model_id == PdxModel.id).where(Implant.id == Specimen.source_implant_id)
    return (
        select(
            Specimen.code.label("specimen"),
            Patient.code.label("patient"),
            func.coalesce(grown.correlate(Specimen).scalar_subquery(), founded.correlate(Specimen).scalar_subquery()).label(
                "model"
            ),
        )
        .select_from(Alteration)
        .join(Specimen, Specimen.id == Alteration.specimen_id)
        .outerjoin(Patient, Patient.id == Specimen.donor_id)
        .where(Alteration.project_id == project_id, Specimen.status == RecordStatus.ACTIVE)
    )


def model_codes(session: Session, project_id: int) -> Sequence[tuple[int, str]]:
    """List the project's active models by code."""
    models = select(PdxModel.id, PdxModel.code).where(PdxModel.project_id == project_id, PdxModel.status == RecordStatus.ACTIVE)
    return [(key, code) for key, code in session.execute(models.order_by(PdxModel.code))]


def finding_words(row: Any) -> str:
    """Write what was found, with its numbers: `p.H1047R`, `12 copies, amplified`, `ΔCq 5.21`."""
    call = call_of(row.kind, row.copies, row.log2_ratio, row.delta_cq)
    parts = [
        row.hgvs,
        f"{row.copies:g} copies" if row.copies is not None else None,
        f"log2 {row.log2_ratio:+.2g}" if row.log2_ratio is not None else None,
        f"ΔCq {row.delta_cq:.2f}" if row.delta_cq is not None else None,
        f"H-score {row.h_score:g}" if row.h_score is not None else None,
        str(call.value) if call not in (Call.MUTATION, Call.FUSION, Call.STAINED, Call.MEASURED) else None,
    ]
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Gene:
    """A column of the matrix. A mouse host's gene is another column than the tumour's."""

    symbol: str
    compartment: Compartment


@dataclass(frozen=True, slots=True)
class GeneGroup:
    """Columns of one pathway set, or of none."""

    pathway: PathwaySet | None
    genes: tuple[Gene, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One finding in a cell."""

    call: Call
    words: str


@dataclass(frozen=True, slots=True)
class SpecimenRow:
    """A specimen of a model. `source` says where it comes from: `patient`, `P1 · M0012`."""

    specimen_id: int
    code: str
    source: str
    cells: Mapping[Gene, tuple[Found, ...]]


@dataclass(frozen=True, slots=True)
class ModelRows:
    """A model with its founding specimen first, then what grew from it."""

    model_id: int
    code: str
    patient: str | None
    rows: tuple[SpecimenRow, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Models × genes. `left_out` counts altered genes that have no column; `without_model` specimens that have no row."""

    groups: tuple[GeneGroup, ...]
    models: tuple[ModelRows, ...]
    left_out: int
    without_model: int

    @property
    def genes(self) -> list[Gene]:
        """Give the columns in order."""
        return [gene for group in self.groups for gene in group.genes]


def alteration_matrix(session: Session, project_id: int, only: PathwaySet | str | None = None) -> Matrix:
    """Make the matrix of the project's models; `only` one pathway set, or `other` genes. Three statements."""
    models = session.execute(_models(project_id)).all()
    specimens = {row.id: row for row in session.execute(_model_specimens(project_id))}
    cells: dict[int, dict[Gene, list[Found]]] = defaultdict(lambda: defaultdict(list))
    for one in session.scalars(_alterations(project_id)):
        finding = Found(call_of(one.kind, one.copies, one.log2_ratio, one.delta_cq), finding_words(one))
        cells[one.specimen_id][Gene(one.gene, one.compartment)].append(finding)
    times = Counter(gene for key in specimens for gene, found in cells.get(key, {}).items() for _ in found)
    groups, left_out = _groups(times, only)
    grown: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in sorted(specimens.values(), key=_by_passage):
        if row.model_id is not None and row.id in cells:
            grown[row.model_id].append(row)
    return Matrix(
        groups,
        tuple(_model_rows(model, specimens.get(model.founding_specimen_id), grown[model.id], cells) for model in models),
        left_out,
        len(cells.keys() - specimens.keys()),
    )


def _model_rows(
    model: Row[Any], founding: Row[Any] | None, grown: Sequence[Row[Any]], cells: Mapping[int, Mapping[Gene, Sequence[Found]]]
) -> ModelRows:
    rows = [*([] if founding is None else [founding]), *(row for row in grown if founding is None or row.id != founding.id)]
    lines = (
        SpecimenRow(row.id, row.code, _source(row), {gene: tuple(found) for gene, found in cells.get(row.id, {}).items()})
        for row in rows
    )
    return ModelRows(model.id, model.code, model.patient, tuple(lines))


def _models(project_id: int) -> Any:
    return (
        select(PdxModel.id, PdxModel.code, PdxModel.founding_specimen_id, Patient.code.label("patient"))
        .outerjoin(Specimen, Specimen.id == PdxModel.founding_specimen_id)
        .outerjoin(Patient, Patient.id == Specimen.donor_id)
        .where(PdxModel.project_id == project_id, PdxModel.status == RecordStatus.ACTIVE)
        .order_by(PdxModel.code)
    )


def _model_specimens(project_id: int) -> Any:
    """Specimens that founded a model, or grew in one's implant; `model_id` is that of the implant."""
    founding = select(PdxModel.founding_specimen_id).where(
        PdxModel.project_id == project_id, PdxModel.status == RecordStatus.ACTIVE
    )
    return (
        select(
            Specimen.id,
            Specimen.code,
            Specimen.passage,
            Specimen.collected_on,
            Specimen.source_implant_id,
            Implant.model_id.label("model_id"),
            Animal.code.label("animal"),
            PdxModel.passage_convention.label("convention"),
        )
        .select_from(Specimen)
        .outerjoin(Implant, Implant.id == Specimen.source_implant_id)
        .outerjoin(Animal, Animal.id == Implant.animal_id)
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .where(
            Specimen.project_id == project_id,
            Specimen.status == RecordStatus.ACTIVE,
            or_(Specimen.id.in_(founding), Implant.model_id.is_not(None)),
        )
    )


def _alterations(project_id: int) -> Any:
    return (
        select(Alteration)
        .join(Specimen, Specimen.id == Alteration.specimen_id)
        .where(
            Alteration.project_id == project_id, Alteration.status == RecordStatus.ACTIVE, Specimen.status == RecordStatus.ACTIVE
        )
        .order_by(Alteration.id)
    )


def _groups(times: Counter[Gene], only: PathwaySet | str | None) -> tuple[tuple[GeneGroup, ...], int]:
    """Give the columns by set, and how many altered genes stay out of them."""
    sets: dict[PathwaySet | None, list[Gene]] = {**{pathway: [] for pathway in PathwaySet}, None: []}
    for gene in sorted(times, key=lambda one: (one.compartment is Compartment.MOUSE_HOST, one.symbol)):
        pathways = pathways_of(gene.symbol)
        sets[pathways[0] if pathways else None].append(gene)
    if only is not None:
        wanted = None if only == "other" else only
        sets = {pathway: genes for pathway, genes in sets.items() if pathway == wanted}
    elif len(sets[None]) > MOST_OTHERS:
        often = {gene for gene, _ in Counter({gene: times[gene] for gene in sets[None]}).most_common(MOST_OTHERS)}
        sets[None] = [gene for gene in sets[None] if gene in often]
    groups = tuple(GeneGroup(pathway, tuple(genes)) for pathway, genes in sets.items() if genes)
    return groups, len(times) - sum(len(group.genes) for group in groups)


def _by_passage(row: Row[Any]) -> tuple[int, date, int]:
    return row.passage if row.passage is not None else 1_000_000, row.collected_on or date.max, row.id


def _source(row: Row[Any]) -> str:
    if row.source_implant_id is None:
        return "patient"
    return f"{passage_label(row.passage, row.convention or PassageConvention.FIRST_IS_P0) or 'P?'} · {row.animal}"
