"""What a person may see of arms: the one place that decides (ARRIVE 2.0 item 5).

While a study is blinded, whoever may not unblind sees a code in place of an arm's name: on pages, in lists, filters,
files, plots and answers of the API. Codes are drawn by chance, so that neither they nor their order tell the vehicle; ids
and positions of arms do tell it, and go nowhere either. `unblinded` in these functions is `may_unblind` of the person's
role.

Statements select `shown_arm`; what people or importers have written passes a `Veil`; rows that would say what an arm is
given are `readable` or not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, case, exists, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from lims.domain.blinding import VEILED
from lims.domain.permissions import allowed
from lims.domain.vocabulary import BatchState, RecordStatus, RoleName
from lims.models import (
    Allocation,
    Animal,
    Arm,
    Dose,
    Enrolment,
    Exposure,
    Fate,
    ImportBatch,
    Measurement,
    Randomisation,
    RecordSource,
    Regimen,
    Study,
)
from lims.queries.chunks import in_chunks, read

_OPEN = (BatchState.STORED, BatchState.CHECKED, BatchState.REFUSED)


def may_unblind(role: RoleName) -> bool:
    """Tell whether people with this role see which arm is which while a study is blinded."""
    return allowed(role, "study:unblind")


def hides_arms(study: Study, *, unblinded: bool) -> bool:
    """Tell whether the arms of a study are to be shown by their codes."""
    return study.blinded and not unblinded


def of_blinded(study_id: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Give the condition that the study of this id is blinded; a table of its own, so that a statement may have `Study` too."""
    study = aliased(Study)
    return select(study.blinded).where(study.id == study_id).scalar_subquery()


def _of_owner(owner: type[Arm] | type[Randomisation], key: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Give the condition that the study of the arm, or of the run, that a column refers to is blinded."""
    study, named = aliased(Study), aliased(owner)
    return select(study.blinded).join(named, named.study_id == study.id).where(named.id == key).scalar_subquery()


def _in_blinded(animal_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Give the condition that an animal is in a blinded study: a concentration names the agent that its arm is given."""
    study, enrolled = aliased(Study), aliased(Enrolment)
    active = enrolled.status == RecordStatus.ACTIVE
    return exists().where(enrolled.animal_id == animal_id, enrolled.study_id == study.id, study.blinded, active)


def blinded_animals(session: Session, animals: Sequence[int]) -> set[int]:
    """Give those of these animals of whom nobody may be told what they were given: they are in a blinded study."""
    rows = in_chunks(session, animals, lambda some: select(Animal.id).where(Animal.id.in_(some), _in_blinded(Animal.id)))
    return {key for (key,) in rows}


def shown_arm(*, unblinded: bool, arm: FromClause = Arm.__table__, column: str = "title") -> ColumnElement[str]:
    """Give an arm's title, or another `column` that names it, as this person may read it.

    For a statement that selects from `Arm`, or from `arm` where that is an alias of its table.
    """
    named: ColumnElement[str] = arm.c[column]
    return named if unblinded else case((of_blinded(arm.c.study_id), arm.c.blind_code), else_=named)


def shown_order(*, unblinded: bool) -> tuple[ColumnElement[Any], ...]:
    """Give what orders the arms of a study: their place, or their code where they are hidden."""
    if unblinded:
        return (Arm.position.expression,)
    hidden = of_blinded(Arm.study_id)
    return case((hidden, Arm.blind_code), else_=""), case((hidden, 0), else_=Arm.position)


def shown_id(arm: FromClause, *, unblinded: bool) -> ColumnElement[int | None]:
    """Give an arm's id, or nothing: ids are given in the order in which arms were planned, mostly the vehicle first."""
    return arm.c.id if unblinded else case((of_blinded(arm.c.study_id), None), else_=arm.c.id)


def readable(model: type[Any], *, unblinded: bool) -> ColumnElement[bool]:
    """Give the condition under which a person reads a record at all.

    Of a blinded study the rows that say what an arm is, what it is given, or how its animals came into it are not there
    for those who may not unblind.
    """
    if unblinded or model not in _HIDDEN:
        return true()
    return ~_HIDDEN[model]()


_HIDDEN: dict[type[Any], Callable[[], ColumnElement[bool]]] = {
    Arm: lambda: of_blinded(Arm.study_id),
    Randomisation: lambda: of_blinded(Randomisation.study_id),
    Allocation: lambda: _of_owner(Randomisation, Allocation.randomisation_id),
    Regimen: lambda: _of_owner(Arm, Regimen.arm_id),
    Dose: lambda: and_(Dose.study_id.is_not(None), of_blinded(Dose.study_id)),
    Exposure: lambda: _in_blinded(Exposure.animal_id),
}
"""By model, how to say which of its rows tell of an arm of a blinded study; made when asked, which takes a while."""


class Veil:
    """Takes the names of hidden arms out of texts that people, importers and the audit trail have written.

    names: what is taken out. studies: codes of the studies whose arms are hidden.
    """

    def __init__(self, names: Iterable[str], studies: Iterable[str] = ()) -> None:
        self.names = sorted(set(names), key=lambda name: (-len(name), name))
        self.studies = frozenset(studies)

    def also(self, names: Iterable[str]) -> Veil:
        """Give one that hides these names too, such as of arms that a file would add; as it is where nothing is hidden."""
        return Veil((*self.names, *names), self.studies) if self.studies else self

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(_of_name(name) for name in self.names), re.IGNORECASE)

    def text(self, text: str) -> str:
        """Give the text without the names."""
        return self._pattern.sub(VEILED, text) if self.names else text

    def within(self, value: Any) -> Any:
        """Do the same throughout lists, mappings (their keys included) and whatever else stands in them."""
        if not self.names:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.within(key): self.within(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.within(one) for one in value]
        return value


def _of_name(name: str) -> str:
    """Give the pattern of a name: whole words, and of one letter only where it is clearly named, for it stands in every text."""
    word = re.escape(name)
    return rf"(?<!\w){word}(?!\w)" if len(name) > 1 else rf"(?<=[\"“']){word}(?=[\"”'])|(?<=\barm ){word}(?!\w)|\A{word}\Z"


_HIDDEN_ARMS = (
    select(Study.code, Arm.code, Arm.title)
    .outerjoin(Arm, Arm.study_id == Study.id)
    .where(Study.project_id == bindparam("project_id"), Study.blinded)
)


def veil(session: Session, project_id: int, *, unblinded: bool) -> Veil:
    """Give what hides the arms of the project's blinded studies from a person; one statement, none for who may see them."""
    if unblinded:
        return Veil(())
    rows = read(session, _HIDDEN_ARMS, project_id=project_id).all()
    return Veil((name for _, *names in rows for name in names if name), (study for study, *_ in rows))


def tells_arms(session: Session, batch: ImportBatch, person_id: int | None) -> bool:
    """Tell whether an imported file may say which animal of a blinded study is in which arm.

    A file that is not recorded yet says so to nobody but the person who brought it.
    """
    blinded = select(Study.id).where(Study.project_id == batch.project_id, Study.blinded)
    if session.scalar(blinded.limit(1)) is None:
        return False
    if batch.state in _OPEN:
        return batch.uploaded_by_id != person_id
    if batch.study_id is not None and session.scalar(blinded.where(Study.id == batch.study_id)) is not None:
        return True
    enrolled = select(Enrolment.id).where(Enrolment.study_id.in_(blinded))
    recorded = [
        enrolled.where(Enrolment.animal_id == of.animal_id, of.batch_id == batch.id).exists()
        for of in (Measurement, Dose, Fate, Exposure)
    ]
    arms = select(Arm.id).where(Arm.study_id.in_(blinded))
    recorded += [
        select(RecordSource.id)
        .where(RecordSource.batch_id == batch.id, RecordSource.entity == table, RecordSource.record_id.in_(named))
        .exists()
        for table, named in (
            ("arm", arms),
            ("enrolment", enrolled),
            ("regimen", select(Regimen.id).where(Regimen.arm_id.in_(arms))),
        )
    ]
    return bool(session.scalar(select(or_(*recorded))))
