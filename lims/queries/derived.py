"""What was made of a patient's tissue, down to the living animal, and whose tissue may not be used.

Tissue belongs to its donor (`donor_id` of specimens and implants). A tumour that an old file names only by its model
belongs to the donor of the specimen that the model was founded from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    String,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from lims.domain.consents import ConsentState
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Aliquot, Animal, Base, Cage, CellPreparation, Implant, Patient, PdxModel, Specimen, StoragePlace
from lims.queries.chunks import read
from lims.queries.patients import consent_state_of, last_withdrawal_of
from lims.queries.series import AnySelect

Donor: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]
KINDS = ("specimen", "pdx_model", "cell_preparation", "implant", "animal", "aliquot")
"""Tables of what is derived from a patient."""
_ROWS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class DonorConsent:
    """A patient, and what their consents come to today. withdrawn_on: the newest withdrawal, if any."""

    id: int
    code: str
    state: ConsentState
    withdrawn_on: date | None


def derived_from(patient_id: int) -> AnySelect:
    """Select everything that was made of a patient's tissue and counts: one statement, one kind of row.

    `kind` is the table. `source` is what it was made of, `place` where it is kept, `made_on` when it was collected,
    preserved, established, counted or implanted; of an animal, when it was first given this tissue.
    """
    parts = (_specimens, _models, _preparations, _implants, _animals, _aliquots)
    every = union_all(*(part(patient_id) for part in parts)).subquery("derived")
    return select(*every.c)


def may_live(kind: Donor, state: Donor) -> ColumnElement[bool]:
    """Give the condition that a row is an animal of which nobody knows that it is dead."""
    return and_(kind == "animal", state != AnimalStatus.DEAD.value)


def derived_rows(session: Session, patient_id: int) -> Sequence[Row[Any]]:
    """Give everything that was made of a patient's tissue, by code."""
    rows = derived_from(patient_id)
    return session.execute(rows.order_by(rows.selected_columns.code)).all()


def derived_counts(session: Session, patient_id: int) -> dict[str, int]:
    """Count what was made of a patient's tissue by kind; `living` are the animals that may be alive."""
    every = derived_from(patient_id).subquery()
    living = func.count().filter(may_live(every.c.kind, every.c.state))
    counts = session.execute(select(every.c.kind, func.count(), living).group_by(every.c.kind)).all()
    return {kind: number for kind, number, _ in counts} | {"living": sum(alive for _, _, alive in counts)}


def models_of(session: Session, patient_id: int) -> Sequence[PdxModel]:
    """List the active models founded from a patient's tissue."""
    wanted = select(PdxModel).join(PdxModel.founding_specimen)
    return session.scalars(
        wanted.where(Specimen.donor_id == patient_id, PdxModel.status == RecordStatus.ACTIVE).order_by(PdxModel.code)
    ).all()


def specimens_since(session: Session, patient_id: int, on: date) -> int:
    """Count the specimens that were taken from a patient on a day or later."""
    own = (Specimen.patient_id == patient_id, Specimen.status == RecordStatus.ACTIVE, Specimen.collected_on >= on)
    return session.scalar(select(func.count()).select_from(Specimen).where(*own)) or 0


def implants_since(session: Session, patient_id: int, on: date) -> int:
    """Count the implants of a patient's tissue on a day or later."""
    later = select(func.count()).select_from(Implant).where(*_carrying(patient_id), Implant.implanted_on >= on)
    return session.scalar(later) or 0


def lacks_consent(donor: Donor) -> ColumnElement[bool]:
    """Give the condition that the donor is known, and no consent of theirs allows xenografts today."""
    return and_(donor.is_not(None), consent_state_of(donor) != ConsentState.GIVEN.value)


def donors_without_consent(session: Session, record: Base) -> list[DonorConsent]:
    """Give the patients whose tissue a record is, or carries, and whose consents do not allow xenografts today.

    Tissue of whom nobody recorded the donor has none. One statement; none for a record that is no tissue.
    """
    wanted = _without_consent(type(record))
    if wanted is None:
        return []
    key: Any = record.id  # type: ignore[attr-defined]  # every record has one
    found = read(session, wanted, record_id=key)
    return [DonorConsent(key, code, ConsentState(told), withdrawn_on) for key, code, told, withdrawn_on in found]


@cache
def _without_consent(table: type[Base]) -> AnySelect | None:
    """Select the donors of a record of this table who have not consented; put together once. None where it is no tissue."""
    donors = _donors_of(table)
    if donors is None:
        return None
    state = consent_state_of(Patient.id).label("state")
    return (
        select(Patient.id, Patient.code, state, last_withdrawal_of(Patient.id).label("withdrawn_on"))
        .where(Patient.id.in_(donors), lacks_consent(Patient.id))
        .order_by(Patient.code)
    )


def _donors_of(table: type[Base]) -> AnySelect | None:
    key: BindParameter[int] = bindparam("record_id")
    donor, founded = select(Specimen.donor_id), PdxModel.founding_specimen_id == Specimen.id
    made = select(CellPreparation.specimen_id, CellPreparation.model_id).where(CellPreparation.id == key).subquery()
    donors: dict[type[Base], AnySelect] = {
        Patient: select(Patient.id).where(Patient.id == key),
        Specimen: donor.where(Specimen.id == key),
        Aliquot: donor.join(Aliquot, Aliquot.specimen_id == Specimen.id).where(Aliquot.id == key),
        PdxModel: donor.join(PdxModel, founded).where(PdxModel.id == key),
        CellPreparation: donor.outerjoin(PdxModel, founded).join(
            made, or_(made.c.specimen_id == Specimen.id, made.c.model_id == PdxModel.id)
        ),
        Implant: _implant_donors().where(Implant.id == key),
        Animal: _implant_donors().where(Implant.animal_id == key, Implant.status == RecordStatus.ACTIVE),
    }
    return donors.get(table)


def _implant_donors() -> AnySelect:
    return (
        select(func.coalesce(Implant.donor_id, Specimen.donor_id))
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .outerjoin(Specimen, Specimen.id == PdxModel.founding_specimen_id)
    )


def _carrying(patient_id: int) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions that an implant counts and is of this patient's tissue."""
    founded = select(PdxModel.id).join(PdxModel.founding_specimen).where(Specimen.donor_id == patient_id)
    by_model = and_(Implant.donor_id.is_(None), Implant.model_id.in_(founded))
    return Implant.status == RecordStatus.ACTIVE, or_(Implant.donor_id == patient_id, by_model)


def _text(value: Any) -> ColumnElement[str]:
    """Give a term as text."""
    return func.replace(type_coerce(value, String), "_", " ")


def _row(kind: type[Base], code: Any, what: Any, source: Any, state: Any, place: Any, made_on: Any) -> AnySelect:
    key: Any = kind.id  # type: ignore[attr-defined]  # every record has one
    return select(
        literal(str(kind.__tablename__)).label("kind"),
        key.label("id"),
        code.label("code"),
        what.label("what"),
        source.label("source"),
        cast(state, String(40)).label("state"),
        cast(place, String(200)).label("place"),
        made_on.label("made_on"),
    )


def _tumour() -> ColumnElement[str]:
    return Animal.code + " " + Implant.label


def _specimens(patient_id: int) -> AnySelect:
    what = _text(Specimen.kind) + func.coalesce(", " + Specimen.site, "")
    source = func.coalesce(Patient.code, _tumour())
    return (
        _row(Specimen, Specimen.code, what, source, null(), null(), Specimen.collected_on)
        .select_from(Specimen)
        .outerjoin(Patient, Patient.id == Specimen.patient_id)
        .outerjoin(Implant, Implant.id == Specimen.source_implant_id)
        .outerjoin(Animal, Animal.id == Implant.animal_id)
        .where(Specimen.donor_id == patient_id, Specimen.status == RecordStatus.ACTIVE)
    )


def _aliquots(patient_id: int) -> AnySelect:
    cell = func.substr(literal(_ROWS), Aliquot.box_row, 1) + cast(Aliquot.box_column, String)
    place = StoragePlace.code + func.coalesce(" " + cell, "")
    return (
        _row(Aliquot, Aliquot.code, _text(Aliquot.material), Specimen.code, Aliquot.state, place, Aliquot.preserved_on)
        .join(Specimen, Specimen.id == Aliquot.specimen_id)
        .outerjoin(StoragePlace, StoragePlace.id == Aliquot.place_id)
        .where(Specimen.donor_id == patient_id, Aliquot.status == RecordStatus.ACTIVE)
    )


def _models(patient_id: int) -> AnySelect:
    return (
        _row(PdxModel, PdxModel.code, _text(PdxModel.kind), Specimen.code, PdxModel.state, null(), PdxModel.established_on)
        .join(Specimen, Specimen.id == PdxModel.founding_specimen_id)
        .where(Specimen.donor_id == patient_id, PdxModel.status == RecordStatus.ACTIVE)
    )


def _preparations(patient_id: int) -> AnySelect:
    founding, made = aliased(Specimen), func.coalesce(Aliquot.code, Specimen.code, PdxModel.code)
    return (
        _row(CellPreparation, CellPreparation.code, CellPreparation.sample, made, null(), null(), CellPreparation.counted_on)
        .outerjoin(Aliquot, Aliquot.id == CellPreparation.aliquot_id)
        .outerjoin(Specimen, Specimen.id == CellPreparation.specimen_id)
        .outerjoin(PdxModel, PdxModel.id == CellPreparation.model_id)
        .outerjoin(founding, founding.id == PdxModel.founding_specimen_id)
        .where(func.coalesce(Specimen.donor_id, founding.donor_id) == patient_id, CellPreparation.status == RecordStatus.ACTIVE)
    )


def _implants(patient_id: int) -> AnySelect:
    what = _text(Implant.site) + func.coalesce(", " + Implant.region, "")
    source = func.coalesce(Aliquot.code, PdxModel.code)
    return (
        _row(Implant, _tumour(), what, source, Implant.engraftment, Cage.code, Implant.implanted_on)
        .join(Animal, Animal.id == Implant.animal_id)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .outerjoin(Aliquot, Aliquot.id == Implant.aliquot_id)
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .where(*_carrying(patient_id))
    )


def _animals(patient_id: int) -> AnySelect:
    own = (Implant.animal_id == Animal.id, *_carrying(patient_id))
    tumours = select(func.aggregate_strings(Implant.label, ", ")).where(*own).correlate(Animal).scalar_subquery()
    first = select(func.min(Implant.implanted_on)).where(*own).correlate(Animal).scalar_subquery()
    carriers = select(Implant.animal_id).where(*_carrying(patient_id))
    return (
        _row(Animal, Animal.code, Animal.strain, tumours, Animal.state, Cage.code, first)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .where(Animal.id.in_(carriers), Animal.status == RecordStatus.ACTIVE)
    )
