"""Read models of PDX models: the list with take rate and latency, and what one model has. Rates and latency are never stored.

Take rate: engrafted / (engrafted + failed); what is pending does not count yet. Latency: median days from implanting to
the day the tumour was first seen. Withdrawn implants never count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Float, Row, ScalarSelect, Select, Subquery, and_, cast, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from lims.domain.colony_terms import Engraftment
from lims.domain.tissue_terms import AliquotState, CheckKind
from lims.domain.vocabulary import ImplantSite, RecordStatus
from lims.models import Aliquot, Animal, Implant, ModelCheck, Patient, PdxModel, Specimen, StrProfile
from lims.queries.alterations import of_model
from lims.queries.chunks import in_chunks
from lims.queries.days import days_between
from lims.queries.series import AnySelect
from lims.queries.specimens import cohort_of

SHOWN = 50
"""Rows of a table on a model's page; the lists have the rest."""


def _counted() -> tuple[ColumnElement[bool], ...]:
    return Implant.status == RecordStatus.ACTIVE, Implant.model_id.is_not(None)


_ENGRAFTED = func.count().filter(Implant.engraftment == Engraftment.ENGRAFTED)
_DECIDED = func.count().filter(Implant.engraftment != Engraftment.PENDING)


def _of_model(*columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).where(Implant.model_id == PdxModel.id, *_counted()).correlate(PdxModel)


def engrafted_of() -> ScalarSelect[int]:
    """Count a model's implants that engrafted, as a column of a statement that selects from `PdxModel`."""
    return _of_model(_ENGRAFTED).scalar_subquery()


def decided_of() -> ScalarSelect[int]:
    """Count a model's implants that engrafted or failed, as a column of a statement that selects from `PdxModel`."""
    return _of_model(_DECIDED).scalar_subquery()


def take_rate_of() -> ScalarSelect[float]:
    """Give a model's take rate in percent, as a column of a statement that selects from `PdxModel`."""
    return _of_model(cast(100.0 * _ENGRAFTED / func.nullif(_DECIDED, 0), Float)).scalar_subquery()


def latency_of() -> ScalarSelect[float]:
    """Give a model's median days to engraftment, as a column of a statement that selects from `PdxModel`."""
    days = days_between(Implant.engrafted_on, Implant.implanted_on)
    ranked = _of_model(days.label("days"), func.row_number().over(order_by=days).label("place"), func.count().over().label("n"))
    ordered = ranked.where(days.is_not(None)).subquery("ordered")
    return select(cast(func.avg(ordered.c.days), Float)).where(_middle(ordered)).scalar_subquery()


def _middle(ranked: Subquery) -> ColumnElement[bool]:
    """Pick the one or two in the middle of what is ranked by `place` among `n`: their mean is the median."""
    return and_(ranked.c.place * 2 >= ranked.c.n, ranked.c.place * 2 <= ranked.c.n + 2)


def _takes(project_id: int) -> Subquery:
    """By model: how many engrafted, failed, and the highest passage."""
    return (
        select(
            Implant.model_id.label("model_id"),
            _ENGRAFTED.label("engrafted"),
            _DECIDED.label("decided"),
            func.max(Implant.passage).label("passage"),
        )
        .where(Implant.project_id == project_id, *_counted())
        .group_by(Implant.model_id)
        .subquery("takes")
    )


def _latencies(project_id: int) -> Subquery:
    """By model: the median of days to engraftment, as the mean of the one or two in the middle."""
    days = days_between(Implant.engrafted_on, Implant.implanted_on)
    ranked = (
        select(
            Implant.model_id.label("model_id"),
            days.label("days"),
            func.row_number().over(partition_by=Implant.model_id, order_by=days).label("place"),
            func.count().over(partition_by=Implant.model_id).label("n"),
        )
        .where(Implant.project_id == project_id, *_counted(), Implant.engrafted_on.is_not(None), Implant.implanted_on.is_not(None))
        .subquery("ranked")
    )
    return (
        select(ranked.c.model_id, func.avg(ranked.c.days).label("days"))
        .where(_middle(ranked))
        .group_by(ranked.c.model_id)
        .subquery("latency")
    )


def model_list(project_id: int) -> AnySelect:
    """Select the project's models with patient, founding specimen, cohort, highest passage, take rate and latency (days)."""
    takes, latency = _takes(project_id), _latencies(project_id)
    return (
        select(
            PdxModel.code.label("code"),
            Patient.code.label("patient"),
            Specimen.site.label("site"),
            Specimen.her2_result.label("her2_result"),
            Specimen.her2_label.label("her2_label"),
            cohort_of().label("cohort"),
            takes.c.passage.label("passage"),
            func.coalesce(takes.c.engrafted, 0).label("engrafted"),
            func.coalesce(takes.c.decided, 0).label("decided"),
            (100.0 * takes.c.engrafted / func.nullif(takes.c.decided, 0)).label("take_percent"),
            latency.c.days.label("latency"),
        )
        .select_from(PdxModel)
        .outerjoin(Specimen, Specimen.id == PdxModel.founding_specimen_id)
        .outerjoin(Patient, Patient.id == Specimen.donor_id)
        .outerjoin(takes, takes.c.model_id == PdxModel.id)
        .outerjoin(latency, latency.c.model_id == PdxModel.id)
        .where(PdxModel.project_id == project_id)
    )


@dataclass(slots=True)
class Take:
    """How implants did: counts by outcome, and the days to engraftment of those whose two dates are recorded."""

    engrafted: int = 0
    failed: int = 0
    pending: int = 0
    days: list[float] = field(default_factory=list)

    def add(self, outcome: Engraftment, days: float | None) -> None:
        """Count one implant."""
        name = outcome.value
        setattr(self, name, getattr(self, name) + 1)
        if days is not None:
            self.days.append(days)

    @property
    def decided(self) -> int:
        """Count those whose outcome is known."""
        return self.engrafted + self.failed

    @property
    def percent(self) -> float | None:
        """Give the take rate in percent; none where nothing is decided yet."""
        return 100 * self.engrafted / self.decided if self.decided else None

    @property
    def latency(self) -> float | None:
        """Give the median days to engraftment."""
        return median(self.days) if self.days else None


@dataclass(frozen=True, slots=True)
class TakeTable:
    """A model's takes: overall, by passage, and by site."""

    overall: Take
    by_passage: dict[int | None, Take]
    by_site: dict[ImplantSite, Take]


def take_table(session: Session, model_id: int) -> TakeTable:
    """Derive a model's take rate and latency, overall, by passage and by site, in one statement."""
    days = days_between(Implant.engrafted_on, Implant.implanted_on)
    rows = session.execute(
        select(Implant.passage, Implant.site, Implant.engraftment, days)
        .where(Implant.model_id == model_id, Implant.status == RecordStatus.ACTIVE)
        .order_by(Implant.passage.nulls_last(), Implant.site)
    )
    table = TakeTable(Take(), defaultdict(Take), defaultdict(Take))
    for passage, site, outcome, latency in rows:
        for take in (table.overall, table.by_passage[passage], table.by_site[site]):
            take.add(outcome, latency)
    return table


def latest_checks(session: Session, model_ids: Sequence[int]) -> dict[int, dict[CheckKind, ModelCheck]]:
    """Give the newest active check of each kind, by model: an older one that it repeats does not count any more."""
    newest: dict[int, dict[CheckKind, ModelCheck]] = {}
    rows = in_chunks(
        session,
        model_ids,
        lambda some: (
            select(ModelCheck)
            .where(ModelCheck.model_id.in_(some), ModelCheck.status == RecordStatus.ACTIVE)
            .order_by(ModelCheck.checked_on, ModelCheck.id)
        ),
    )
    for (check,) in rows:
        newest.setdefault(check.model_id, {})[check.kind] = check
    return newest


def checks_of(session: Session, model_id: int) -> Sequence[ModelCheck]:
    """List a model's active checks with the tissue that was checked, the newest first."""
    wanted = select(ModelCheck).where(ModelCheck.model_id == model_id, ModelCheck.status == RecordStatus.ACTIVE)
    ordered = wanted.order_by(ModelCheck.checked_on.desc(), ModelCheck.id.desc())
    return session.scalars(ordered.options(joinedload(ModelCheck.specimen))).all()


def profiles_to_compare(session: Session, project_id: int) -> Sequence[tuple[StrProfile, str]]:
    """List the active STR profiles of the project's active specimens with their code, by specimen, the newest of each first."""
    wanted = (
        select(StrProfile, Specimen.code)
        .join(Specimen, Specimen.id == StrProfile.specimen_id)
        .where(
            StrProfile.project_id == project_id, StrProfile.status == RecordStatus.ACTIVE, Specimen.status == RecordStatus.ACTIVE
        )
        .order_by(Specimen.code, StrProfile.typed_on.desc().nulls_last(), StrProfile.id.desc())
    )
    return [(profile, code) for profile, code in session.execute(wanted)]


def implants_of(session: Session, model_id: int) -> Sequence[Implant]:
    """List the newest active implants of a model with their animals, the highest passage first."""
    wanted = select(Implant).join(Animal).where(Implant.model_id == model_id, Implant.status == RecordStatus.ACTIVE)
    passages = (Implant.passage.desc().nulls_last(), Implant.implanted_on.desc().nulls_last(), Animal.code, Implant.label)
    return session.scalars(wanted.order_by(*passages).limit(SHOWN).options(contains_eager(Implant.animal))).all()


def tissue_available(session: Session, model_id: int) -> Sequence[Row[Any]]:
    """Count the available aliquots of a model by passage and material, the patient's own tissue first: one statement.

    Each row has `own` (the patient's tissue), `passage`, `material` and `aliquots`.
    """
    own = Specimen.source_implant_id.is_(None)
    counted: AnySelect = select(own.label("own"), Specimen.passage, Aliquot.material, func.count().label("aliquots"))
    counted = counted.join(Specimen, Specimen.id == Aliquot.specimen_id).where(
        of_model(model_id), Aliquot.status == RecordStatus.ACTIVE, Aliquot.state == AliquotState.AVAILABLE
    )
    grouped = counted.group_by(own, Specimen.passage, Aliquot.material)
    return session.execute(grouped.order_by(own.desc(), Specimen.passage.nulls_last(), Aliquot.material)).all()


def other_lines(session: Session, model: PdxModel) -> Sequence[PdxModel]:
    """List the models of the same patient, such as an organoid line that is kept beside a xenograft."""
    if model.founding_specimen is None or model.founding_specimen.donor_id is None:
        return []
    donor = model.founding_specimen.donor_id
    wanted = select(PdxModel).join(Specimen, Specimen.id == PdxModel.founding_specimen_id).where(Specimen.donor_id == donor)
    return session.scalars(
        wanted.where(PdxModel.id != model.id, PdxModel.status == RecordStatus.ACTIVE).order_by(PdxModel.code)
    ).all()
