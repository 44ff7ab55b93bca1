"""The columns of animals, which the list and the pages of cages and protocols show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lims.domain.vocabulary import Sex
from lims.models import Animal, Cage
from lims.queries.bench_order import counting_column
from lims.queries.series import AnySelect
from lims.queries.studies import ArmOfStudy
from lims.views.cells import badge, digits
from lims.views.tables import Cell, Column


def animal_columns(rows: AnySelect, arms: Sequence[ArmOfStudy], *keys: str) -> tuple[Column, ...]:
    """Give the columns of `lims.queries.animals.animal_list` that `keys` name, in their order."""
    column = rows.selected_columns
    badges = {f"{arm.study}: {arm.title}": arm for arm in arms}
    known = (
        Column("code", "Animal", column.code, mono=True),
        Column("ear_tag", "Ear tag", Animal.ear_tag, mono=True),
        Column("arms", "Arm", column.arms, show=lambda names: _arm(badges.get(names or ""), names)),
        Column("sex", "Sex", column.sex, show=sex_words),
        Column("birth_date", "Born", column.birth_date),
        Column("arrived_on", "Arrived", Animal.arrived_on),
        Column("strain", "Strain", column.strain),
        Column("protocol", "Protocol", column.protocol, mono=True),
        Column("cage", "Cage", column.cage, mono=True, order=counting_column(Cage.code.expression)),
        Column("state", "State", column.state, show=badge),
        Column("weight", "Last weight", column.weight, unit="g", align="end", show=lambda value: digits(value, "body_weight")),
        Column("last_on", "Last reading", column.last_on),
        Column("status", "Record", Animal.status, show=badge),
    )
    by_key = {one.key: one for one in known}
    return tuple(by_key[key] for key in keys)


def sex_words(sex: Sex | str | None) -> str | None:
    """Name a sex that is recorded."""
    return None if sex is None or sex == Sex.NOT_RECORDED else str(sex)


def _arm(arm: ArmOfStudy | None, names: Any) -> Cell:
    return {"text": arm.name, "arm": arm.slot} if arm else names
