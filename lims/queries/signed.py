"""What a signature is bound to, and whether it still stands: the content of a study as it is now against what was signed.

The content of a study is every active record that belongs to it, table by table, as the trail writes values. A signature
keeps how many there were of each, the number of the last one, and the SHA-256 over them. What is recorded later of animals
that live on has later numbers and is no part of what was signed; whatever else differs shows, and so does a study that is not
locked any more, and a signature that was removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Boolean, Row, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from lims.audit.canon import canonical, signature_hash, text_of
from lims.audit.entities import Entity, entities, live_texts
from lims.domain.signatures import SignatureAct, SignatureMeaning, Standing
from lims.domain.vocabulary import RecordStatus, StudyStatus
from lims.models import Animal, AuditChange, AuditEvent, Base, Enrolment, Fate, Signature, Study
from lims.queries.chunks import driver_rows, read

Counted = Mapping[str, Mapping[str, Any]]
"""What was signed: by table how many records (`count`), the last one's number (`up_to`), and their `sha256`."""

_ENROLLED = "IN (SELECT animal_id FROM enrolment WHERE study_id = :study AND status = 'active')"
_ARMS = "IN (SELECT id FROM arm WHERE study_id = :study)"
_RUNS = "IN (SELECT id FROM randomisation WHERE study_id = :study)"


@dataclass(frozen=True, slots=True)
class _Part:
    """One table's share of a study. where: which records; only, left_out: which of their columns, where not all.

    grows: what is recorded later of animals that live on, or by an amendment, joins it and was not signed. What does not grow
    is signed whole: an arm or an animal that comes is a change.
    """

    where: str
    only: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    grows: bool = False


PARTS: Mapping[str, _Part] = {
    # It is locked by the signature itself, and its blinding may end later.
    "study": _Part("id = :study", left_out=frozenset({"state", "blinded"})),
    "arm": _Part("study_id = :study"),
    "regimen": _Part(f"arm_id {_ARMS}"),
    "randomisation": _Part("study_id = :study"),
    "allocation": _Part(f"randomisation_id {_RUNS}"),
    "enrolment": _Part("study_id = :study"),
    # An animal that lives on moves to other cages, and dies: its fate is a record of its own.
    "animal": _Part(f"id {_ENROLLED}", only=frozenset({"code", "sex", "strain", "genotype", "birth_date"})),
    "implant": _Part(
        f"animal_id {_ENROLLED}",
        only=frozenset({"animal_id", "label", "site", "model_id", "aliquot_id", "passage", "implanted_on"}),
        grows=True,
    ),
    "measurement": _Part(f"animal_id {_ENROLLED} AND (study_id IS NULL OR study_id = :study)", grows=True),
    "dose": _Part(f"study_id = :study AND animal_id {_ENROLLED}"),
    "exposure": _Part(f"animal_id {_ENROLLED}", grows=True),
    "fate": _Part(f"animal_id {_ENROLLED}", grows=True),
}
"""What a study is made of, in the order in which it is told."""


@cache
def _entity(table: str) -> Entity:
    part, whole = PARTS[table], entities()[table]
    columns = [one for one in whole.columns if (not part.only or one.name in part.only) and one.name not in part.left_out]
    return replace(whole, columns=tuple(columns))


@cache
def _statement(table: str, dialect: str) -> TextClause:
    # Colons of formats of times are no parameters.
    sql = _entity(table).select(dialect, "{}").replace(":", r"\:")
    return text(sql.format(f"WHERE {PARTS[table].where} AND status = '{RecordStatus.ACTIVE}'"))


class Content:
    """What belongs to a study now."""

    def __init__(self, session: Session, study_id: int) -> None:
        """Read it: a statement for each table."""
        self._rows = {table: _rows(session, table, study_id) for table in PARTS}
        self._known: dict[tuple[str, int], str] = {}

    def counted(self, up_to: Mapping[str, int] | None = None) -> dict[str, dict[str, Any]]:
        """Count and hash it, table by table; `up_to`: the last record of each that is looked at."""
        told = {}
        for table, rows in self._rows.items():
            number = len(rows)
            last = rows[-1][0] if rows else 0
            if up_to is not None:
                last = up_to.get(table, 0)
                number = sum(row[0] <= last for row in rows) if PARTS[table].grows else number
            told[table] = {"count": number, "sha256": self._hash(table, number), "up_to": last}
        return told

    def later(self, up_to: Mapping[str, int]) -> dict[str, int]:
        """Count what was recorded after the last record of each table."""
        grown = {table: rows for table, rows in self._rows.items() if PARTS[table].grows}
        later = {table: sum(row[0] > up_to.get(table, 0) for row in rows) for table, rows in grown.items()}
        return {table: number for table, number in later.items() if number}

    def told(self) -> str:
        """Give what a signature keeps of it: canonical JSON."""
        return canonical(self.counted())

    def _hash(self, table: str, number: int) -> str:
        if (table, number) not in self._known:
            said = canonical([["id", *(one.field for one in _entity(table).columns)], *self._rows[table][:number]])
            self._known[table, number] = hashlib.sha256(said.encode()).hexdigest()
        return self._known[table, number]


def _rows(session: Session, table: str, study_id: int) -> list[tuple[Any, ...]]:
    """Read a table's share of a study, as the trail writes values, in order of id."""
    rows = driver_rows(session, _statement(table, session.get_bind().dialect.name), study=study_id)
    if not rows:
        return []
    ids, *columns = zip(*rows, strict=True)
    types = Base.metadata.tables[table].columns
    told = [live_texts(one.kind, values) for one, values in zip(_entity(table).columns, columns, strict=True)]
    for place, one in enumerate(_entity(table).columns):
        if isinstance(types[one.name].type, Boolean):  # SQLite has numbers for them
            told[place] = [None if value is None else bool(value) for value in told[place]]
    return list(zip(ids, *told, strict=True))


def digest(content: str) -> str:
    """Hash what a signature keeps of a content: what a page names it by."""
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Judged:
    """A signature with how it stands. changed: tables whose share is not what was signed, with how many more or fewer.

    later: how many records of which table came after it. by: the amendment that superseded it.
    """

    signature: Signature
    standing: Standing
    changed: Mapping[str, int]
    later: Mapping[str, int]
    by: Signature | None = None


_OF_RECORD = (
    select(Signature).where(Signature.entity == bindparam("entity"), Signature.key == bindparam("key")).order_by(Signature.id)
)
_change = AuditChange.__table__.c
_MADE_BY = select(_change.key, _change.event_seq, _change.fields).where(
    _change.entity == Signature.__tablename__, _change.key.in_(bindparam("keys", expanding=True))
)
_MADE_IN = select(_change.key, _change.event_seq, _change.fields).where(
    _change.entity == Signature.__tablename__, _change.project_id == bindparam("project")
)
_REVIEW = select(Signature).where(Signature.entity == AuditEvent.__tablename__, Signature.event_seq == bindparam("seq"))
_EVENT_HASH = select(AuditEvent.hash).where(AuditEvent.seq == bindparam("seq"))


def signatures_of(session: Session, entity: str, key: int) -> Sequence[Signature]:
    """Give the signatures of a record, the first one first."""
    return session.scalars(_OF_RECORD, {"entity": entity, "key": key}).all()


def judge_study(session: Session, study: Study) -> list[Judged]:
    """Say of each signature of a study whether it stands, the first one first; of those too that only the trail tells of."""
    signatures, told = signatures_of(session, "study", study.id), _told(session, study)
    lost = [_as_told(row) for row in told.values() if _of_study(row, study.id)]
    there = {one.id for one in signatures}
    if not there and not lost:
        return []
    content, opened = Content(session, study.id), {} if study.state is StudyStatus.LOCKED else {"study": 0}
    judged = [Judged(one, Standing.MISSING, {}, {}) for one in lost if one.id not in there]
    for one in signatures:
        whole = (row := told.get(one.id)) is not None and _whole(one, row.event_seq, row.fields)
        judged.append(_judge(one, content, opened) if whole else Judged(one, Standing.BROKEN, {}, {}))
    judged.sort(key=lambda one: one.signature.id)
    return [_superseded(one, judged) for one in judged]


def _judge(signature: Signature, content: Content, opened: Mapping[str, int]) -> Judged:
    """Compare what was signed with what is there. opened: says that the study changed, where it is not locked any more."""
    signed: Counted = orjson.loads(signature.content)
    up_to = {table: part["up_to"] for table, part in signed.items()}
    now = content.counted(up_to)
    changed = {
        table: part["count"] - signed.get(table, {}).get("count", 0) for table, part in now.items() if part != signed.get(table)
    }
    changed = {**opened, **changed}
    return Judged(signature, Standing.CHANGED if changed else Standing.VALID, changed, content.later(up_to))


def _superseded(one: Judged, judged: Sequence[Judged]) -> Judged:
    """Name the amendment that came after a signature whose content it changed."""
    if one.standing is not Standing.CHANGED:
        return one
    later = (other.signature for other in judged if other.standing not in (Standing.BROKEN, Standing.MISSING))
    by = next((two for two in later if two.id > one.signature.id and two.act is SignatureAct.AMENDMENT), None)
    return replace(one, standing=Standing.SUPERSEDED, by=by) if by else one


def _told(session: Session, study: Study) -> dict[int, Any]:
    """Give what the trail tells of the signatures of a study's project, by their numbers."""
    return {row.key: row for row in read(session, _MADE_IN, project=study.project_id)}


def _of_study(row: Any, study_id: int) -> bool:
    fields = orjson.loads(row.fields)
    return bool(fields["entity"] == ["study"] and fields["key"] == [study_id])


def _as_told(row: Any) -> Signature:
    """Give a signature as the trail tells of it; it is no record."""
    told = {name: values[0] for name, values in orjson.loads(row.fields).items()}
    return Signature(
        id=row.key,
        act=SignatureAct(told["act"]),
        meaning=SignatureMeaning(told["meaning"]),
        signed_at=datetime.fromisoformat(told["signed_at"]),
        **{name: told[name] for name in ("entity", "key", "name", "statement", "event_seq", "content", "sha256")},
    )


def judge_review(session: Session, review: int) -> Standing:
    """Say whether a review, named by its event, stands signed: the trail that was reviewed ends as it did then."""
    signature = session.scalars(_REVIEW, {"seq": review}).first()
    if signature is None or signature.id not in unaltered(session, [signature]):
        return Standing.BROKEN
    same = orjson.loads(signature.content)["hash"] == hash_of_event(session, signature.key)
    return Standing.VALID if same else Standing.CHANGED


def hash_of_event(session: Session, seq: int) -> str:
    """Give the hash of an event, which stands for all of the trail up to it."""
    return session.connection().scalar(_EVENT_HASH, {"seq": seq}) or ""


def unaltered(session: Session, signatures: Sequence[Signature]) -> set[int]:
    """Give the ids of those that are what was signed, and that the trail tells of: a copied or edited row is not."""
    made = {row.key: row for row in read(session, _MADE_BY, keys=[one.id for one in signatures])}
    return {one.id for one in signatures if (row := made.get(one.id)) is not None and _whole(one, row.event_seq, row.fields)}


def _whole(signature: Signature, event_seq: int, fields: str) -> bool:
    told = orjson.loads(fields).get("sha256")
    return signature.event_seq == event_seq and told == [signature.sha256] and signature.sha256 == hash_of(signature)


def hash_of(signature: Signature) -> str:
    """Hash what a signature says of itself."""
    columns = {"person_id": "person", "project_id": "project"}
    said = {name: text_of(getattr(signature, name)) for name in _SAID} | {
        field: getattr(signature, name) for name, field in columns.items()
    }
    return signature_hash(said)


_SAID = ("act", "content", "entity", "event_seq", "key", "meaning", "name", "signed_at", "statement")


NAMED = ("study", "enrolment", "animal", "implant", "measurement", "fate")
"""Tables whose records may be named to everybody: what an arm is given is told by none of them."""
MOST_NAMED = 10


@cache
def _changed_since(table: str) -> TextClause:
    of_study = f'SELECT id FROM "{table}" WHERE {PARTS[table].where}'  # noqa: S608  # names of this module
    return text(
        f"SELECT DISTINCT key FROM audit_change WHERE entity = '{table}' AND event_seq > :seq AND key <= :up_to "  # noqa: S608  # as above
        f"AND key IN ({of_study}) ORDER BY key LIMIT {MOST_NAMED}"
    )


def changed_records(session: Session, one: Judged) -> list[tuple[str, int]]:
    """Give records that were signed and that the trail says have changed since: table and id, some of each table."""
    signed: Counted = orjson.loads(one.signature.content)
    found = []
    for table in (table for table in NAMED if table in one.changed):
        bound = {"seq": one.signature.event_seq, "up_to": signed[table]["up_to"], "study": one.signature.key}
        found += [(table, row.key) for row in read(session, _changed_since(table), **bound)]
    return found


_FATES = (
    select(Fate.id, Animal.code.label("animal"), Fate.died_on, Fate.reason)
    .join(Animal, Animal.id == Fate.animal_id)
    .join(Enrolment, Enrolment.animal_id == Animal.id)
    .where(Enrolment.study_id == bindparam("study"), Enrolment.status == RecordStatus.ACTIVE, Fate.status == RecordStatus.ACTIVE)
    .order_by(Animal.code)
)


def fates_of(session: Session, study_id: int) -> Sequence[Row[Any]]:
    """Give the fates of a study's animals, which an amendment may correct."""
    return read(session, _FATES, study=study_id).all()
