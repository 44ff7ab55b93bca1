"""Finds what the lines of a file's records refer to: by code, animals also by alias, tumours by animal; a statement a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import RecordStatus
from lims.intake.record_nouns import target_of
from lims.models import Animal, AnimalAlias, Base, Implant
from lims.queries.chunks import in_chunks
from lims.records.values import table_of

Key = tuple[int | None, str]
"""A name, and the record within which it is one where that matters."""


@dataclass(slots=True)
class Found:
    """What names of one table mean: name → id. several: names that more than one record has."""

    ids: dict[Key, int] = field(default_factory=dict)
    several: set[Key] = field(default_factory=set)


def find(session: Session, project_id: int, model: type[Base], wanted: Sequence[Key]) -> Found:
    """Look names up among the active records of a project; another project's record is not found.

    wanted: names, each with the id of the record within which it stands, such as the animal of a tumour; `None` where the
    name alone has to do.
    """
    found, target = Found(), target_of(model)
    names = sorted({target.plain(name) for _, name in wanted})
    for column in target.names:
        _add(found, _named(session, project_id, model, column, names))
    if model is Animal:
        _add(found, _aliased(session, project_id, names))
    if model is Implant:
        _add(found, _tumours(session, project_id, [name for within, name in wanted if within is None]))
    return found


def _add(found: Found, rows: Sequence[tuple[Any, ...]]) -> None:
    """Take names in; what an earlier column says of a name stands."""
    named: dict[Key, set[int]] = defaultdict(set)
    for key, name, within in rows:
        named[within, str(name)].add(key)
        if within is not None:
            named[None, str(name)].add(key)
    for key, ids in named.items():
        if key not in found.ids and key not in found.several:
            if len(ids) == 1:
                (found.ids[key],) = ids
            else:
                found.several.add(key)


def _named(session: Session, project_id: int, model: Any, column: str, names: Sequence[str]) -> Sequence[tuple[Any, ...]]:
    table, target = table_of(model).c, target_of(model)
    keys: Sequence[Any] = names
    if table[column].type.python_type is int:
        keys = [int(name) for name in names if name.isdigit()]
    name: Any = func.lower(table[column]) if target.folded else table[column]
    columns = (table.id, name, table[target.within or "id"])
    active = select(*columns).where(table.project_id == project_id, table.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, keys, lambda some: active.where(name.in_(some)))
    return [(key, told, owner if target.within else None) for key, told, owner in rows]


def _aliased(session: Session, project_id: int, names: Sequence[str]) -> Sequence[tuple[Any, ...]]:
    alive = (AnimalAlias.status == RecordStatus.ACTIVE, Animal.status == RecordStatus.ACTIVE, Animal.project_id == project_id)
    joined = select(Animal.id, AnimalAlias.alias).join(AnimalAlias, AnimalAlias.animal_id == Animal.id).where(*alive)
    return [(*row, None) for row in in_chunks(session, names, lambda some: joined.where(AnimalAlias.alias.in_(some)))]


def _tumours(session: Session, project_id: int, names: Sequence[str]) -> Sequence[tuple[Any, ...]]:
    """Find tumours that are named with their animal: `M07 brain`, `M07 / brain`."""
    active = (Implant.project_id == project_id, Implant.status == RecordStatus.ACTIVE, Animal.status == RecordStatus.ACTIVE)
    joined = select(Implant.id, Animal.code, Implant.label).join(Animal, Animal.id == Implant.animal_id).where(*active)
    wanted = {name: " ".join(part.strip() for part in name.split("/", 1)) for name in names}
    said = Animal.code + " " + Implant.label
    rows = in_chunks(session, sorted(set(wanted.values())), lambda some: joined.where(said.in_(some)))
    known = {f"{animal} {label}": key for key, animal, label in rows}
    return [(known[plain], name, None) for name, plain in wanted.items() if plain in known]
