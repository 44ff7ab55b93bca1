"""The colony view: racks drawn as grids of cages, with who lives in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for

from lims.domain.positions import position_label
from lims.domain.vocabulary import Sex
from lims.queries.colony import CageShown, Rack, colony, protocol_codes, strains
from lims.queries.studies import ArmOfStudy, arms_of_studies
from lims.views.support import current_project, current_session, needs, sees_arms

pages = Blueprint("colony", __name__, url_prefix="/p/<project_code>/colony")


@dataclass(frozen=True, slots=True)
class CageDrawn:
    """A cage in the drawing. signs: the sexes as signs; told: all of it in words, for those who do not see the drawing."""

    url: str
    code: str
    animals: int
    capacity: int
    over: bool
    fits: bool
    signs: str
    arms: list[tuple[ArmOfStudy, int]]
    told: str


@dataclass(frozen=True, slots=True)
class RackDrawn:
    """A rack as a table: `columns` are its numbers, each row is its letter and a cage or nothing for each column."""

    code: str
    cages: int
    animals: int
    columns: range
    rows: list[tuple[str, list[CageDrawn | None]]]


@pages.get("/")
@needs("project:read")
def index() -> str:
    """Draw the colony: the racks, then the cages that stand in none."""
    session, project = current_session(), current_project()
    asked = {name: value.strip() for name, value in request.args.items() if name in ("protocol", "strain") and value.strip()}
    found = colony(session, project.id, **asked)
    arms = {arm.id: arm for arm in arms_of_studies(session, project.id, unblinded=sees_arms(), count=False)}
    loose = [_drawn(cage, arms) for cage in found.loose if cage.fits]
    racks = [_rack(rack, arms) for rack in found.racks]
    cages = [cage for rack in racks for _, row in rack.rows for cage in row if cage] + loose
    return render_template(
        "colony/index.html",
        colony=found,
        racks=racks,
        loose=loose,
        cages=len(cages),
        key=[arm for key, arm in arms.items() if key in {one.id for cage in cages for one, _ in cage.arms}],
        filters=(
            ("protocol", "Protocol", protocol_codes(session, project.id)),
            ("strain", "Strain", strains(session, project.id)),
        ),
        asked=asked,
    )


def _rack(rack: Rack, arms: Mapping[int, ArmOfStudy]) -> RackDrawn:
    drawn = {place: _drawn(cage, arms) for place, cage in rack.places.items()}
    rows = [(position_label(row, 1)[0], [drawn.get((row, column)) for column in rack.columns]) for row in rack.rows]
    return RackDrawn(rack.code, len(drawn), sum(cage.animals for cage in drawn.values()), rack.columns, rows)


def _drawn(cage: CageShown, arms: Mapping[int, ArmOfStudy]) -> CageDrawn:
    enrolled = [(arm, cage.arms[key]) for key, arm in arms.items() if cage.arms[key]]
    told = [f"{cage.animals} of {cage.capacity} animals"]
    told += [f"{number} {sex.value.replace('_', ' ')}" for sex, number in sorted(cage.sexes.items()) if sex in _SIGNS]
    told += [f"{number} in {arm.study} {arm.name}" for arm, number in enrolled]
    return CageDrawn(
        url=url_for("cages.show", record_id=cage.id),
        code=cage.code,
        animals=cage.animals,
        capacity=cage.capacity,
        over=cage.over,
        fits=cage.fits,
        signs="".join(_SIGNS[sex] for sex in sorted(cage.sexes) if sex in _SIGNS),
        arms=enrolled,
        told=", ".join(told),
    )


_SIGNS: Mapping[Any, str] = {Sex.FEMALE: "♀", Sex.MALE: "♂"}
