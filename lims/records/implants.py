"""Writes implants: which tissue went where in which animal, and what came of it (PDX-MI; ARRIVE 2.0 items 8, 9, 14).

A file names animal, tumour and perhaps a model; such an implant is taken as it is. One with tissue, site or date is an
implanting, and is judged: consent, protocol, order of events, what the lineage says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.colony_terms import Engraftment, Orthotopic, ProtocolProcedure
from lims.domain.errors import DomainError, about_row, refuse_together
from lims.domain.events_order import Fact, Life, Tissue, require_engraftment, require_implanting, require_order
from lims.domain.implanting import ModelLine, TissueLine, model_of_implant, require_living
from lims.domain.notices import Notice
from lims.domain.orthotopic import orthotopic_to_collection, orthotopic_to_primary
from lims.domain.passage import implant_passage
from lims.domain.sources import AUTHORISED, CONSISTENT, LINEAGE, ORDER_OF_EVENTS
from lims.domain.surgery import check_surgery
from lims.domain.vocabulary import ImplantSite, RecordStatus
from lims.models import Aliquot, Animal, CellPreparation, Implant, Measurement, PdxModel, Specimen
from lims.queries.chunks import in_chunks
from lims.records.aliquots import require_usable
from lims.records.colony import require_procedure
from lims.records.consents import ask_by_day, require_xenograft_consent
from lims.records.implant_doubts import SURGERY, anew, doubted_models, doubts_of, surgical_record, taken_places
from lims.records.locked import keep_signed_implants, stay_signed
from lims.records.noun import Draft, Noun
from lims.records.origins import spread_origin
from lims.records.preparations import doubts_of_preparation, follow_preparation, preparations_of
from lims.records.values import today

_LINEAGE = ("animal_id", "aliquot_id", "model_id", "implanted_on")
_ORTHOTOPIC = ("orthotopic_to_collection", "orthotopic_to_primary")


@dataclass(frozen=True, slots=True)
class _Known:
    """What drafts refer to, by id, read in one statement a kind."""

    animals: dict[int, Animal]
    aliquots: dict[int, tuple[Aliquot, Specimen, int | None]]
    """With its specimen, and the model of the implant that this was harvested from."""
    models: dict[int, tuple[PdxModel, Specimen | None]]
    """With the specimen that it was founded from."""
    preparations: dict[int, CellPreparation]

    def line(self, model_id: int | None) -> ModelLine | None:
        """Give a model as the rules of lineage see it."""
        if model_id is None or model_id not in self.models:
            return None
        model, founding = self.models[model_id]
        return ModelLine(model.id, model.code, model.founding_specimen_id, founding.donor_id if founding else None)

    def tissue(self, aliquot_id: int | None) -> TissueLine | None:
        """Give an aliquot as the rules of lineage see it."""
        if aliquot_id is None:
            return None
        aliquot, specimen, grown_in = self.aliquots[aliquot_id]
        from_patient = specimen.patient_id is not None
        return TissueLine(aliquot.code, specimen.id, specimen.code, from_patient, specimen.donor_id, self.line(grown_in))

    def founded(self, specimen_id: int) -> list[ModelLine]:
        """Give the active models that were founded from a specimen."""
        lines = [
            self.line(key)
            for key, (model, _) in self.models.items()
            if model.founding_specimen_id == specimen_id and model.status is RecordStatus.ACTIVE
        ]
        return [line for line in lines if line is not None]


def _read(session: Session, drafts: Sequence[Draft]) -> _Known:
    judged = sorted({draft.values["animal_id"] for draft in drafts if _is_implanting(draft)})
    animals = in_chunks(session, judged, lambda some: select(Animal).where(Animal.id.in_(some)))
    aliquots = in_chunks(
        session,
        _ids(draft.values["aliquot_id"] for draft in drafts),
        lambda some: (
            select(Aliquot, Specimen, Implant.model_id)
            .join(Specimen, Specimen.id == Aliquot.specimen_id)
            .outerjoin(Implant, Implant.id == Specimen.source_implant_id)
            .where(Aliquot.id.in_(some))
        ),
    )
    models = select(PdxModel, Specimen).outerjoin(Specimen, Specimen.id == PdxModel.founding_specimen_id)
    specimens = _ids(specimen.id for _, specimen, _ in aliquots)
    named = _ids((*(draft.values["model_id"] for draft in drafts), *(grown_in for _, _, grown_in in aliquots)))
    lines = [
        *in_chunks(session, named, lambda some: models.where(PdxModel.id.in_(some))),
        *in_chunks(session, specimens, lambda some: models.where(PdxModel.founding_specimen_id.in_(some))),
    ]
    return _Known(
        {animal.id: animal for (animal,) in animals},
        {aliquot.id: (aliquot, specimen, grown_in) for aliquot, specimen, grown_in in aliquots},
        {model.id: (model, founding) for model, founding in lines},
        preparations_of(session, drafts),
    )


def _ids(keys: Iterable[int | None]) -> list[int]:
    return sorted({key for key in keys if key is not None})


def _is_implanting(draft: Draft) -> bool:
    """Tell a recorded implanting from a tumour that a file only names."""
    values = draft.values
    given = (values["aliquot_id"], values["implanted_on"], values["implanted_at"], values["engrafted_on"])
    return any(one is not None for one in given) or values["site"] is not ImplantSite.NOT_RECORDED


def _check_implants(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Derive origin, passage and orthotopy; refuse what the consent, the protocol, the lineage or the dates do not allow."""
    _judge(session, drafts)


def _judge(session: Session, drafts: Sequence[Draft]) -> _Known:
    known, now = _read(session, drafts), today(session)
    refused: list[DomainError] = []
    for number, draft in enumerate(drafts):
        try:
            with about_row(number):
                _derive_origin(draft, known, now)
                follow_preparation(draft, known.preparations.get(draft.values["preparation_id"]))
                if _is_implanting(draft):
                    _check_implanting(session, draft, known, now)
        except DomainError as one:
            refused.append(one)
    refuse_together(refused)
    keep_signed_implants(session, drafts)
    _require_before_followers(session, drafts)
    _ask_consent(session, drafts)
    _ask_protocols(session, drafts, known)
    return known


def _derive_origin(draft: Draft, known: _Known, now: date) -> None:
    """Model, donor and passage follow from the aliquot; without one, the donor follows from the model."""
    values = draft.values
    tissue, given = known.tissue(values["aliquot_id"]), known.line(values["model_id"])
    if tissue is None:
        values["donor_id"], values["passage"] = given.donor_id if given else None, None
        return
    aliquot, specimen, _ = known.aliquots[values["aliquot_id"]]
    if draft.record is None:
        require_living(aliquot.code, aliquot.material)
        require_usable(aliquot, values["implanted_on"] or now)
    model = model_of_implant(tissue, given, known.founded(specimen.id))
    values["model_id"] = model.id if model else None
    values["donor_id"] = specimen.donor_id or (model.donor_id if model else None)
    if values["donor_id"] is None:
        raise DomainError(
            f"Whose tissue {specimen.code} is, is not recorded, so nobody can tell whether it may be implanted.",
            field="aliquot_id",
            expected="tissue that leads back to a patient with a consent",
            remedy="Record the model of the implant it was harvested from, and the specimen that model was founded from.",
            source=LINEAGE,
        )
    values["passage"] = implant_passage(specimen.passage, tissue.from_patient)


def _check_implanting(session: Session, draft: Draft, known: _Known, now: date) -> None:
    values, animal = draft.values, known.animals[draft.values["animal_id"]]
    _check_day(session, draft)
    _require_site(draft)
    _require_origin(draft)
    life = Life(animal.code, animal.birth_date, animal.arrived_on, animal.died_on)
    tissue = None
    if values["aliquot_id"] is not None:
        aliquot, specimen, _ = known.aliquots[values["aliquot_id"]]
        tissue = Tissue(aliquot.code, specimen.collected_on, aliquot.preserved_on)
    require_implanting(values["implanted_on"], life, now, tissue)
    _check_engraftment(draft, life, now)
    if anew(draft, "site", *SURGERY):
        check_surgery(values["site"], surgical_record(draft))
    _derive_orthotopy(draft, known)


def _check_day(session: Session, draft: Draft) -> None:
    """The day follows from the end of surgery where only that is told, and the two agree; tissue is implanted on a day."""
    values, zone = draft.values, session.info.get("zone")
    ended = values["implanted_at"] and values["implanted_at"].astimezone(zone).date()
    if values["implanted_on"] is None:
        values["implanted_on"] = ended
    if values["implanted_on"] is None and values["aliquot_id"] is not None:
        raise DomainError("When was it implanted?", field="implanted_on", expected="the day of surgery", source=ORDER_OF_EVENTS)
    if ended and not timedelta(0) <= ended - values["implanted_on"] <= timedelta(days=1):
        raise DomainError(
            f"Surgery ended on {ended}, and the day of implanting is {values['implanted_on']}.",
            field="implanted_at",
            expected="a time on the day of surgery, or after midnight",
            source=ORDER_OF_EVENTS,
        )


def _require_before_followers(session: Session, drafts: Sequence[Draft]) -> None:
    """Refuse a day of implanting that is moved behind the tumour's first measurement or harvest."""
    moved = {draft.record.id: number for number, draft in enumerate(drafts) if draft.record and draft.changes("implanted_on")}
    dated = (
        ("the first measurement", Measurement.implant_id, Measurement.taken_on, Measurement.status),
        ("the first harvest", Specimen.source_implant_id, Specimen.collected_on, Specimen.status),
    )
    for what, of, column, status in dated:
        first = select(of, func.min(column)).where(status == RecordStatus.ACTIVE).group_by(of)
        rows = in_chunks(session, sorted(moved), lambda some: first.where(of.in_(some)))  # noqa: B023  # asked at once
        for key, on in rows:
            with about_row(moved[key]):
                implanting = Fact("the implanting", drafts[moved[key]].values["implanted_on"])
                require_order(implanting, Fact(what, on), field="implanted_on")


def _require_site(draft: Draft) -> None:
    """Tissue is implanted somewhere: without a site nobody can tell whether the animal's protocol allows it."""
    values = draft.values
    implanted = values["implanted_on"] is not None or values["aliquot_id"] is not None
    if implanted and values["site"] is ImplantSite.NOT_RECORDED and draft.changes("site", "implanted_on", "aliquot_id"):
        raise DomainError(
            "Where was it implanted?",
            field="site",
            expected="the site, which the animal's protocol has to allow",
            source=AUTHORISED,
        )


def _require_origin(draft: Draft) -> None:
    """It is somebody's tissue, whose consent is asked for. Only what a file brought may be dated before that is known."""
    old = draft.record
    unknown_before = old is not None and old.status is RecordStatus.ACTIVE and old.donor_id is None
    if draft.values["donor_id"] is None and not unknown_before:
        raise DomainError(
            "Whose tissue was implanted is not recorded, so nobody can tell whether it may be.",
            field="aliquot_id",
            expected="the aliquot, or a model with its founding specimen",
            remedy="Scan the aliquot, or record first which specimen the model was founded from.",
            source=LINEAGE,
        )


def _check_engraftment(draft: Draft, life: Life, now: date) -> None:
    on = draft.values["engrafted_on"]
    if on is not None and draft.values["engraftment"] is not Engraftment.ENGRAFTED:
        raise DomainError(
            f"A tumour was seen on {on}, and the implant is recorded as {draft.values['engraftment'].value}.",
            field="engrafted_on",
            expected="no date, or an implant that engrafted",
            source=CONSISTENT,
        )
    if not draft.changes("engrafted_on"):  # then it is the day of implanting that was moved
        implanting = Fact("the implanting", draft.values["implanted_on"])
        require_order(implanting, Fact("the first sight of the tumour", on), field="implanted_on")
    require_engraftment(on, draft.values["implanted_on"], life, now)


def _derive_orthotopy(draft: Draft, known: _Known) -> None:
    """Fill in what nobody typed; what followed from another site or tissue before follows again."""
    moved = draft.record is not None and draft.changes("site", "model_id")
    for name in _ORTHOTOPIC:
        if moved and not draft.changes(name):
            draft.values[name] = Orthotopic.UNKNOWN
    values = draft.values
    if values["orthotopic_to_primary"] is Orthotopic.UNKNOWN:
        values["orthotopic_to_primary"] = orthotopic_to_primary(values["site"])
    if values["orthotopic_to_collection"] is Orthotopic.UNKNOWN:
        tissue = _patients_tissue(draft, known)
        if tissue is not None:
            values["orthotopic_to_collection"] = orthotopic_to_collection(values["site"], tissue.site_uberon, tissue.site)


def _patients_tissue(draft: Draft, known: _Known) -> Specimen | None:
    """Give the specimen of the patient that the implant's tissue descends from: what collection site means in any passage."""
    if draft.values["aliquot_id"] is not None:
        specimen = known.aliquots[draft.values["aliquot_id"]][1]
        if specimen.patient_id is not None:
            return specimen
    model = known.models.get(draft.values["model_id"])
    founding = model[1] if model else None
    return founding if founding is not None and founding.patient_id is not None else None


def _ask_consent(session: Session, drafts: Sequence[Draft]) -> None:
    """Ask for consents of all donors of a day at once. What a file only names is no implanting, and is not asked about."""
    asked: dict[date, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, draft in enumerate(drafts):
        on, donor = draft.values["implanted_on"], draft.values["donor_id"]
        if on is not None and donor is not None and anew(draft, *_LINEAGE):
            asked[on][donor].append(number)
    ask_by_day(asked, lambda donors, on: require_xenograft_consent(session, donors, on))


def _ask_protocols(session: Session, drafts: Sequence[Draft], known: _Known) -> None:
    """Ask the animals' protocols for the procedure that the site stands for, and whether they held on the day."""
    asked: dict[tuple[date, ImplantSite], list[Animal]] = defaultdict(list)
    for draft in drafts:
        on, site = draft.values["implanted_on"], draft.values["site"]
        if on is not None and anew(draft, "animal_id", "site", "implanted_on"):
            asked[on, site].append(known.animals[draft.values["animal_id"]])
    for (on, site), animals in asked.items():
        procedure = None if site is ImplantSite.NOT_RECORDED else ProtocolProcedure(site.value)
        require_procedure(session, animals, procedure, on)


def _doubt_implants(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt unusual surgery, a model that failed a check or was given up, no protocol, and the same place twice in a day."""
    known = _judge(session, drafts)
    models = doubted_models(session, [model for model, _ in known.models.values()])
    taken = taken_places(session, drafts)
    found: dict[Notice, list[str]] = {}
    for draft in drafts:
        if not _is_implanting(draft):
            continue
        animal = known.animals[draft.values["animal_id"]]
        counted = doubts_of_preparation(draft, known.preparations.get(draft.values["preparation_id"]))
        for notice in (*doubts_of(draft, animal, models, taken), *counted):
            found.setdefault(notice, []).append(animal.code)
    return [
        notice if len(codes) == len(drafts) else replace(notice, message=f"{', '.join(codes)}: {notice.message}")
        for notice, codes in found.items()
    ]


IMPLANT: Noun[Implant] = Noun(
    "implant",
    Implant,
    check=_check_implants,
    doubt=_doubt_implants,
    follow=spread_origin,
    stay=stay_signed,
    fixed=frozenset({"animal_id", "aliquot_id"}),
    derived=frozenset({"donor_id", "passage"}),
    key=("animal_id", "label"),
    dependents=((Specimen, "source_implant_id"), (Measurement, "implant_id")),
)
