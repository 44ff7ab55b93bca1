"""The records that a filled template begins with, and the codes that its drop-downs offer, as one person may see them.

Of a blinded study nothing is given that would tell an arm or what it is given; a line that a person could not read whole is
left out, because it would come back as a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, or_, select
from sqlalchemy.orm import Session

from importers.template_format import ColumnKind
from lims.audit.words import term_text
from lims.domain.positions import position_label
from lims.domain.vocabulary import KIND_BY_CODE, Quality, RecordStatus, VolumeFormula
from lims.exports.tables import printable
from lims.exports.templates import Contents
from lims.models import Animal, Arm, Implant, Measurement, TherapyAgent, TherapyLine
from lims.queries.blinding import of_blinded, readable, veil
from lims.queries.series import AnySelect
from lims.records.references import refers_to
from lims.records.registry_columns import Described, Registry, naming_of
from lims.records.values import table_of

READ_AT_ONCE = 2_000


@dataclass(slots=True)
class Reader:
    """A project as one person reads it: `unblinded` is `may_unblind` of the role, `zone` the laboratory's."""

    session: Session
    project_id: int
    unblinded: bool
    zone: tzinfo
    skipped: int = field(default=0, init=False)

    def contents(self, registry: Registry, project: str, *, filled: bool) -> Contents:
        """Give what goes into a template, its records read while it is written."""
        codes = {one.field: self.codes(one) for one in registry.columns if one.target is not None}
        contents = Contents(registry, project, datetime.now(UTC), codes, filled=filled)
        if filled:
            contents.rows = self._lines(contents)
        return contents

    def codes(self, one: Described) -> list[str]:
        """Give the project's own codes that a column may name, each once, in order."""
        model: Any = one.target
        named = getattr(model, naming_of(model) or "code")
        rows = select(named).where(model.project_id == self.project_id, model.status == RecordStatus.ACTIVE)
        return list(self.session.scalars(rows.where(readable(model, unblinded=self.unblinded)).distinct().order_by(named)))

    def _lines(self, contents: Contents) -> Iterator[Sequence[Any]]:
        """Read the records that count; one statement, however many."""
        registry = contents.registry
        read = _readings if registry.only_extra else _records
        hide = veil(self.session, self.project_id, unblinded=self.unblinded)
        written = [place for place, one in enumerate(registry.columns, 2) if one.column.kind is ColumnKind.TEXT]
        for row in read(self, registry):
            texts = [value for value in row if isinstance(value, str)]
            told = [value for place in written if isinstance(value := row[place], str)]
            if any(printable(text) != text for text in texts) or any(hide.text(text) != text for text in told):
                self.skipped += 1
            else:
                yield row
        if self.skipped:
            contents.left_out.append(f"{self.skipped:,} records that hold text which cannot be shown here")
        if not self.unblinded and hide.studies:
            studies = ", ".join(sorted(hide.studies))
            contents.left_out.append(f"whatever would tell an arm of a blinded study, or what it is given ({studies})")


def _records(reader: Reader, registry: Registry) -> Iterator[Sequence[Any]]:
    model: Any = registry.noun.model
    statement: AnySelect = select(model.id, model.version).where(
        model.project_id == reader.project_id, model.status == RecordStatus.ACTIVE, readable(model, unblinded=reader.unblinded)
    )
    sources: list[ColumnElement[Any]] = []
    spans = []
    for one in registry.columns:
        first = len(sources)
        statement = _joined(reader, statement, sources, registry, one)
        spans.append(slice(first, len(sources)))
    agents = _agents(reader) if registry.noun.model is TherapyLine else {}
    rows = statement.add_columns(*sources).order_by(model.id)
    for key, version, *values in reader.session.execute(rows.execution_options(yield_per=READ_AT_ONCE)):
        cells = [_cell(reader, one, values[span]) for one, span in zip(registry.columns, spans, strict=True)]
        if agents:
            cells[-2:] = [agents.get(key)] * 2
        yield (key, version, *cells)


def _joined(
    reader: Reader, statement: AnySelect, sources: list[ColumnElement[Any]], registry: Registry, one: Described
) -> AnySelect:
    """Add what a column is read from; a reference's name by a join, and no row that names an arm to be kept secret."""
    table = table_of(registry.noun.model)
    if one.column.kind is ColumnKind.AGENTS:
        return statement
    if one.target is None:
        sources.extend(table.c[name] for name in one.column.fields)
        return statement
    named = table_of(one.target).alias(f"named_{one.field}")
    sources.append(named.c[naming_of(one.target) or "code"])
    if one.target is Arm and not reader.unblinded:
        statement = statement.where(or_(named.c.id.is_(None), ~of_blinded(named.c.study_id)))
    if one.through is not None:
        part = table_of(refers_to(registry.noun.model, one.through)).alias(f"through_{one.field}")
        joined = statement.outerjoin(part, part.c.id == table.c[one.through])
        return joined.outerjoin(named, named.c.id == part.c[f"{one.field}_id"])
    if one.target is Implant and "animal_id" not in table.c:
        animal = table_of(Animal).alias(f"host_{one.field}")
        sources.append(animal.c.code)
        joined = statement.outerjoin(named, named.c.id == table.c[f"{one.field}_id"])
        return joined.outerjoin(animal, animal.c.id == named.c.animal_id)
    return statement.outerjoin(named, named.c.id == table.c[f"{one.field}_id"])


def _cell(reader: Reader, one: Described, values: Sequence[Any]) -> Any:
    """Write a value as a cell of its column holds it."""
    if not values or values[0] is None:
        return None
    value = values[0]
    if one.column.kind is ColumnKind.POSITION:
        return position_label(*values)
    if len(values) > 1:  # an implant by its animal and label
        return f"{values[1]} / {value}"
    if isinstance(value, datetime):
        return _moment(value, reader.zone)
    if isinstance(value, Enum):
        return term_text(str(value.value))
    if isinstance(value, list):
        value = "; ".join(map(str, value)) or None
    return value if not isinstance(value, bool) else "yes" if value else "no"


def _moment(value: datetime, zone: tzinfo) -> str:
    local = value.astimezone(zone).replace(tzinfo=None)
    return local.isoformat(" ", "auto" if local.second or local.microsecond else "minutes")


def _agents(reader: Reader) -> dict[int, str]:
    """Give the agents of each line of therapy in one text."""
    rows = reader.session.execute(
        select(TherapyAgent.therapy_line_id, TherapyAgent.name, TherapyAgent.agent_class)
        .where(TherapyAgent.project_id == reader.project_id, TherapyAgent.status == RecordStatus.ACTIVE)
        .order_by(TherapyAgent.id)
    )
    found: dict[int, list[str]] = {}
    for line, name, kind in rows:
        found.setdefault(line, []).append(f"{name} [{term_text(kind.value)}]")
    return {line: "; ".join(agents) for line, agents in found.items()}


def _readings(reader: Reader, registry: Registry) -> Iterator[Sequence[Any]]:
    """Read the readings of kinds that every project has and that a date was given for; excluded ones count nowhere."""
    words = {kind.code: f"{kind.title} ({kind.unit})" for kind in KIND_BY_CODE.values()}
    when = (Measurement.taken_on, Measurement.taken_at)
    # Diameters of a volume that was made of them in another way than a file's are would come back as another volume.
    usual = Measurement.formula == VolumeFormula.HALF_L_W2
    length, width = (case((usual, one), else_=None) for one in (Measurement.length_mm, Measurement.width_mm))
    sizes = (Measurement.value, length, width, Measurement.operator, Measurement.device)
    rows: Select[Any] = (
        select(Measurement.id, Measurement.version, Animal.code, Implant.label, Measurement.kind, *when, *sizes)
        .join(Animal, Animal.id == Measurement.animal_id)
        .outerjoin(Implant, Implant.id == Measurement.implant_id)
        .where(
            Measurement.project_id == reader.project_id,
            Measurement.status == RecordStatus.ACTIVE,
            Measurement.quality != Quality.EXCLUDED,
            Measurement.taken_on.is_not(None),
            Measurement.kind.in_(words),
        )
        .order_by(Measurement.id)
    )
    for key, version, animal, tumour, kind, taken_on, taken_at, *sized in reader.session.execute(
        rows.execution_options(yield_per=READ_AT_ONCE)
    ):
        taken: date | str = taken_on.isoformat() if taken_at is None else _moment(taken_at, reader.zone)
        yield (key, version, animal, tumour, words[kind], taken, *sized)
