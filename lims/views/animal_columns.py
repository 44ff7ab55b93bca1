"""The columns of animals, which the list and the pages of cages and protocols show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from lims.domain.vocabulary import KIND_BY_CODE, Sex
from lims.models import Animal, Cage
from lims.plots import shown as written
from lims.queries.bench_order import counting_column
from lims.queries.series import AnySelect
from lims.queries.studies import arms_of_studies
from lims.views.cells import badge
from lims.views.support import current_project, current_session, sees_arms
from lims.views.tables import Cell, Column

WEIGHT = KIND_BY_CODE["body_weight"]


@lru_cache(maxsize=256)
def animal_columns(rows: AnySelect, *keys: str) -> tuple[Column, ...]:
    """Give the columns of a statement by `lims.queries.animals.animal_list` that `keys` name, in their order."""
    column = rows.selected_columns
    known = (
        Column("code", "Animal", column.code, mono=True),
        Column("ear_tag", "Ear tag", Animal.ear_tag, mono=True),
        Column("arms", "Arm", column.arms, show_of=_arms_of),
        Column("sex", "Sex", column.sex, show=sex_words),
        Column("birth_date", "Born", column.birth_date),
        Column("arrived_on", "Arrived", Animal.arrived_on),
        Column("strain", "Strain", column.strain),
        Column("protocol", "Protocol", column.protocol, mono=True),
        Column("cage", "Cage", column.cage, mono=True, order=counting_column(Cage.code.expression)),
        Column("state", "State", column.state, show=badge),
        Column("weight", "Last weight", column.weight, unit="g", align="end", show=weight),
        Column("last_on", "Last reading", column.last_on),
        Column("status", "Record", Animal.status, show=badge),
    )
    by_key = {one.key: one for one in known}
    return tuple(by_key[key] for key in keys)


def sex_words(sex: Sex | str | None) -> str | None:
    """Name a sex that is recorded."""
    return None if sex is None or sex == Sex.NOT_RECORDED else str(sex)


def weight(value: float | None) -> str | None:
    """Write a weight in grams."""
    return None if value is None else written(value, WEIGHT.decimals)


def _arms_of(rows: Sequence[Any]) -> Callable[[str | None], Cell]:
    """Look up the colours of the arms that animals are in."""
    animals, project = [row.key for row in rows if row.arms], current_project()
    unblinded = sees_arms()
    arms = arms_of_studies(current_session(), project.id, unblinded=unblinded, count=False, animals=animals) if animals else []
    badges = {f"{arm.study}: {arm.title}": {"text": arm.name, "arm": arm.slot} for arm in arms}
    return lambda names: badges.get(names or "", names)
