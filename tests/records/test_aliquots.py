"""What happens to aliquots: frozen into a box, moved, thawed, split, used, sent away, discarded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.tissue_terms import AliquotEventKind, AliquotMaterial, AliquotState, AmountUnit
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, AliquotEvent, AuditEvent, Project, Specimen, StoragePlace
from lims.records import aliquots as steps
from lims.records.consents import doubts_of_sharing
from lims.records.nouns import doubts, withdraw
from lims.records.storage import ALIQUOT, ALIQUOT_EVENT
from tests.support import factories
from tests.support.cases import each
from tests.support.statements import statements

ON = date(2026, 3, 2)
FROZEN: dict[str, Any] = {
    "material": AliquotMaterial.VIABLY_FROZEN,
    "amount": 4.0,
    "unit": AmountUnit.FRAGMENTS,
    "preserved_on": ON,
}


@dataclass
class Store:
    """A project with a specimen, and a box of 2 × 3 in a freezer."""

    project: Project
    specimen: Specimen
    freezer: StoragePlace
    box: StoragePlace


@pytest.fixture
def store(database: Database) -> Store:
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project, "BCBM-P01")
        specimen = factories.specimen(session, patient, "SP-0001", collected_on=date(2026, 3, 1))
        freezer = factories.place(session, project, "FZ-1")
        box = factories.box(session, project, "BX-03", parent_id=freezer.id, box_rows=2, box_columns=3)
    return Store(project, specimen, freezer, box)


@pytest.fixture
def frozen(database: Database, actor: Actor, store: Store) -> list[Aliquot]:
    """Four aliquots of the specimen in A1, A2, A3 and B1 of the box."""
    with database.transaction() as session:
        return steps.freeze_aliquots(session, actor, store.specimen, FROZEN, count=4, place=store.box)


def _events(session: Session, aliquot: Aliquot) -> list[AliquotEvent]:
    own = select(AliquotEvent).where(AliquotEvent.aliquot_id == aliquot.id)
    return list(session.scalars(own.order_by(AliquotEvent.id)))


def _again(session: Session, aliquot: Aliquot) -> Aliquot:
    return session.get_one(Aliquot, aliquot.id)


def _spot(aliquot: Aliquot) -> tuple[int | None, int | None, int | None]:
    return aliquot.place_id, aliquot.box_row, aliquot.box_column


def test_freezing_fills_the_next_free_positions(database: Database, actor: Actor, store: Store, frozen: list[Aliquot]) -> None:
    assert [one.code for one in frozen] == ["AL-00001", "AL-00002", "AL-00003", "AL-00004"]
    assert [_spot(one) for one in frozen] == [(store.box.id, *spot) for spot in [(1, 1), (1, 2), (1, 3), (2, 1)]]
    with database.transaction() as session:
        listed: dict[str, Any] = {"place": session.get_one(StoragePlace, store.box.id), "positions": [(2, 3)], "codes": ["TUBE-77"]}
        (one,) = steps.freeze_aliquots(session, actor, store.specimen, FROZEN, **listed)
    assert (one.code, one.box_row, one.box_column) == ("TUBE-77", 2, 3)
    with database.reading() as session:
        (told,) = _events(session, frozen[3])
        assert (told.kind, told.happened_on, told.amount) == (AliquotEventKind.STORED, ON, 4.0)
        assert (told.from_position, told.to_position) == (None, "FZ-1 / BX-03 B1")
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq.desc())).first() == "aliquot:create"


@each(
    ("asked", "field", "told"),
    [
        ({"count": 3}, "place_id", "BX-03 has 2 free positions, and 3 are needed"),
        ({"count": 1, "positions": [(1, 2)]}, "box_row", "Position A2 of BX-03 holds AL-00002"),
        ({"count": 2, "positions": [(2, 2), (2, 2)]}, "box_row", "Position B2 of BX-03 holds AL-0000"),
        ({"count": 1, "positions": [(3, 1)]}, "box_row", "outside of the box, which has 2 rows and 3 columns"),
        ({"count": 1, "positions": [(1, 4)]}, "box_column", "outside of the box"),
        ({"count": 2, "positions": [(2, 2)]}, "box_row", "1 positions for 2 aliquots"),
        ({"count": 0}, "count", "0 aliquots cannot be made"),
        ({"count": 501}, "count", "501 aliquots cannot be made"),
        ({"count": 1, "codes": ["AL-00003"]}, "code", '"AL-00003" exists already'),
        ({"count": 2, "codes": ["X1"]}, "code", "1 barcodes for 2 aliquots"),
    ],
)
def test_freezing_is_refused_at_its_field(
    database: Database, actor: Actor, store: Store, frozen: list[Aliquot], asked: dict[str, Any], field: str, told: str
) -> None:
    with database.transaction() as session, pytest.raises(DomainError, match=told) as refused:
        steps.freeze_aliquots(session, actor, store.specimen, FROZEN, place=store.box, **asked)
    assert refused.value.field == field
    assert refused.value.expected


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"unit": None}, "unit", "4 of what"),
        ({"amount": -1.0}, "amount", "Amount -1 cannot be"),
        ({"preserved_on": date(2026, 2, 28)}, "preserved_on", "comes before the collection of AL-00001 on 2026-03-01"),
        ({"preserved_on": date(2100, 1, 1)}, "preserved_on", "future"),
    ],
)
def test_values_of_an_aliquot_are_judged(
    database: Database, actor: Actor, store: Store, values: dict[str, Any], field: str, told: str
) -> None:
    with database.transaction() as session, pytest.raises(DomainError, match=told) as refused:
        steps.freeze_aliquots(session, actor, store.specimen, FROZEN | values, place=store.box)
    assert refused.value.field == field


def test_only_boxes_have_positions(database: Database, actor: Actor, store: Store) -> None:
    with database.transaction() as session, pytest.raises(DomainError, match="FZ-1 is a freezer, and only boxes have positions"):
        steps.freeze_aliquots(session, actor, store.specimen, FROZEN, place=store.freezer, positions=[(1, 1)])
    with database.transaction() as session, pytest.raises(DomainError, match="A position needs its box"):
        steps.freeze_aliquots(session, actor, store.specimen, FROZEN, positions=[(1, 1)])
    with database.transaction() as session:
        (loose,) = steps.freeze_aliquots(session, actor, store.specimen, FROZEN, place=store.freezer)
        (nowhere,) = steps.freeze_aliquots(session, actor, store.specimen, FROZEN)
    assert (_spot(loose), _spot(nowhere)) == ((store.freezer.id, None, None), (None, None, None))


def test_two_people_take_one_position_at_the_same_moment(
    database: Database, actor: Actor, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no look beforehand can see, the unique constraint does; it reads as a sentence too."""
    monkeypatch.setattr("lims.records.storage._check_taken", lambda *_: None)
    with database.transaction() as session:
        steps.freeze_aliquots(session, actor, store.specimen, FROZEN, place=store.box, positions=[(1, 1)])
    with database.transaction() as session:
        (second,) = steps.freeze_aliquots(session, actor, store.specimen, FROZEN)
    with pytest.raises(DomainError, match="contradicts another record") as refused, database.transaction() as session:
        steps.freeze_aliquots(session, actor, store.specimen, FROZEN, place=store.box, positions=[(1, 1)])
    assert "took its place, a moment ago" in str(refused.value.remedy)
    with pytest.raises(DomainError, match="contradicts another record"), database.transaction() as session:
        steps.move(session, actor, [_again(session, second)], place=store.box, positions=[(1, 1)], on=ON)
    with database.reading() as session:
        assert session.scalars(select(Aliquot.code).where(Aliquot.place_id == store.box.id)).all() == ["AL-00001"]


def test_moving_keeps_where_it_was(database: Database, actor: Actor, store: Store, frozen: list[Aliquot]) -> None:
    with database.transaction() as session:
        moved = [_again(session, one) for one in frozen[:2]]
        steps.move(session, actor, moved, place=session.get_one(StoragePlace, store.freezer.id), on=ON)
    with database.transaction() as session:
        box = session.get_one(StoragePlace, store.box.id)
        steps.move(session, actor, [_again(session, frozen[0])], place=box, positions=[(1, 2)], on=ON, note="tidied")
        told = _events(session, frozen[0])
        assert _spot(_again(session, frozen[1])) == (store.freezer.id, None, None)
    assert [one.kind.value for one in told] == ["stored", "moved", "moved"]
    assert [(one.from_position, one.to_position) for one in told[1:]] == [("FZ-1 / BX-03 A1", "FZ-1"), ("FZ-1", "FZ-1 / BX-03 A2")]
    assert told[2].note == "tidied"


def test_a_position_is_taken_until_what_stands_there_has_gone(
    database: Database, actor: Actor, store: Store, frozen: list[Aliquot]
) -> None:
    with database.transaction() as session, pytest.raises(DomainError, match="Position A2 of BX-03 holds AL-00002"):
        steps.move(session, actor, [_again(session, one) for one in frozen[:2]], place=store.box, positions=[(1, 2), (1, 3)], on=ON)


def test_many_are_moved_by_few_statements(database: Database, actor: Actor, store: Store, frozen: list[Aliquot]) -> None:
    counts = []
    for some in (frozen[:1], frozen):
        with database.transaction() as session:
            moving = [_again(session, one) for one in some]
            place = session.get_one(StoragePlace, store.freezer.id)
            with statements(database.engine) as seen:
                steps.move(session, actor, moving, place=place, on=ON)
            counts.append(sum(one.startswith("SELECT") for one in seen))
    assert counts[1] <= counts[0] + 2  # a list takes its numbers at once, for which PostgreSQL is asked and told


def test_using_takes_the_amount_and_frees_the_position_at_zero(
    database: Database, actor: Actor, store: Store, frozen: list[Aliquot]
) -> None:
    with database.transaction() as session:
        aliquot = _again(session, frozen[0])
        steps.use(session, actor, aliquot, amount=1, on=ON)
        steps.use(session, actor, aliquot, amount=None, on=ON, note="a piece of it")
        assert (aliquot.amount, aliquot.state, aliquot.box_row) == (3, AliquotState.AVAILABLE, 1)
        steps.use(session, actor, aliquot, amount=3, on=ON)
        assert (aliquot.amount, aliquot.state, _spot(aliquot)) == (0, AliquotState.USED_UP, (None, None, None))
        assert [one.amount for one in _events(session, aliquot)] == [4, 1, None, 3]
        assert _events(session, aliquot)[3].from_position == "FZ-1 / BX-03 A1"
    with database.transaction() as session, pytest.raises(DomainError, match="AL-00001 is used up") as refused:
        steps.use(session, actor, _again(session, frozen[0]), amount=None, on=ON)
    assert refused.value.field == "aliquot_id"


def test_all_of_an_aliquot_is_used_whatever_it_held(database: Database, actor: Actor, store: Store) -> None:
    with database.transaction() as session:
        told, untold = (
            steps.freeze_aliquots(session, actor, store.specimen, FROZEN | values, place=store.box)[0]
            for values in ({}, {"amount": None, "unit": None})
        )
        for one in (told, untold):
            steps.use(session, actor, one, amount=None, on=ON, all_of_it=True)
        assert [(one.amount, one.state) for one in (told, untold)] == [(0, AliquotState.USED_UP), (None, AliquotState.USED_UP)]
        assert [_events(session, one)[-1].amount for one in (told, untold)] == [4, None]


@pytest.mark.parametrize(
    ("amount", "told"),
    [(5, "AL-00001 holds 4 fragments, and 5 fragments cannot be taken"), (0, "0 cannot be taken"), (-1, "-1 cannot be taken")],
)
def test_no_more_is_used_than_is_there(database: Database, actor: Actor, frozen: list[Aliquot], amount: float, told: str) -> None:
    with database.transaction() as session, pytest.raises(DomainError, match=told) as refused:
        steps.use(session, actor, _again(session, frozen[0]), amount=amount, on=ON)
    assert refused.value.field == "amount"


def test_what_is_usable_is_told_by_state_and_day(database: Database, actor: Actor, frozen: list[Aliquot]) -> None:
    with database.transaction() as session:
        away, thrown, gone, there = (_again(session, one) for one in frozen)
        steps.ship(session, actor, [away], partner="Biobank", on=ON)
        steps.discard(session, actor, [thrown], reason="broken", on=ON)
        withdraw(session, actor, ALIQUOT, gone, version=gone.version, reason="typed twice")
        steps.require_usable(there, ON)
        for one, told in ((away, "was shipped"), (thrown, "was discarded"), (gone, "was withdrawn")):
            with pytest.raises(DomainError, match=told) as refused:
                steps.require_usable(one, ON)
            assert refused.value.field == "aliquot_id"
        with pytest.raises(DomainError, match="made on 2026-03-02, after 2026-03-01"):
            steps.require_usable(there, ON - timedelta(days=1))


def test_parts_hold_no_more_than_what_they_are_made_of(
    database: Database, actor: Actor, store: Store, frozen: list[Aliquot]
) -> None:
    with database.transaction() as session, pytest.raises(DomainError, match="holds 4 fragments, and 6 fragments cannot"):
        steps.split(session, actor, _again(session, frozen[0]), [3, 3], on=ON)
    with database.transaction() as session:
        aliquot, box = _again(session, frozen[0]), session.get_one(StoragePlace, store.box.id)
        parts = steps.split(session, actor, aliquot, [1, 2], on=ON, place=box)
        assert [(one.parent_id, one.amount, one.unit, one.material) for one in parts] == [
            (aliquot.id, amount, AmountUnit.FRAGMENTS, AliquotMaterial.VIABLY_FROZEN) for amount in (1, 2)
        ]
        assert (aliquot.amount, aliquot.state) == (1, AliquotState.AVAILABLE)
        (last,) = steps.split(session, actor, aliquot, [1], on=ON, place=box, positions=[(1, 1)])
        assert (aliquot.amount, aliquot.state) == (0, AliquotState.USED_UP)
        assert _spot(last) == (store.box.id, 1, 1)


def test_a_block_stays_a_block_when_sections_are_cut(database: Database, actor: Actor, store: Store) -> None:
    block = {"material": AliquotMaterial.FFPE, "amount": 1, "unit": AmountUnit.BLOCKS}
    with database.transaction() as session:
        (aliquot,) = steps.freeze_aliquots(session, actor, store.specimen, block)
        (cut,) = steps.split(session, actor, aliquot, [20], unit=AmountUnit.SECTIONS, on=ON)
        assert (aliquot.amount, aliquot.state) == (1, AliquotState.AVAILABLE)
        assert (cut.amount, cut.unit) == (20, AmountUnit.SECTIONS)


def test_thaws_are_counted_and_doubted(database: Database, actor: Actor, frozen: list[Aliquot]) -> None:
    for day in range(3):
        with database.transaction() as session:
            steps.thaw(session, actor, [_again(session, frozen[0])], on=ON + timedelta(days=day), put_back=day < 2)
    with database.reading() as session:
        aliquot = _again(session, frozen[0])
        assert (aliquot.thaw_count, aliquot.place_id, aliquot.state) == (3, None, AliquotState.AVAILABLE)
        row = {"aliquot_id": aliquot.id, "kind": AliquotEventKind.THAWED, "happened_on": ON + timedelta(days=2)}
        told = [one.message for one in doubts(session, ALIQUOT_EVENT, aliquot.project_id, [row])]
        assert told == [
            "AL-00001 was thawed 3 times before: what it holds may have suffered.",
            "A thaw of AL-00001 on 2026-03-04 is recorded already.",
        ]
        used = {"aliquot_id": aliquot.id, "kind": AliquotEventKind.USED, "happened_on": ON}
        (late,) = doubts(session, ALIQUOT_EVENT, aliquot.project_id, [used])
        assert "happened on 2026-03-04, after 2026-03-02" in late.message


def test_what_is_shipped_comes_back_and_nothing_else_happens_meanwhile(
    database: Database, actor: Actor, store: Store, frozen: list[Aliquot]
) -> None:
    with database.transaction() as session:
        sent = [_again(session, one) for one in frozen[:2]]
        steps.ship(session, actor, sent, partner="Biobank North", tracking="1Z-44", on=ON)
        assert [(one.state, one.place_id) for one in sent] == [(AliquotState.SHIPPED, None)] * 2
        assert _events(session, sent[0])[-1].partner == "Biobank North, 1Z-44"
        with pytest.raises(DomainError, match="AL-00001 was shipped") as refused:
            steps.thaw(session, actor, sent, on=ON)
        assert refused.value.field == "aliquots"
        steps.return_(session, actor, sent[:1], on=ON, place=session.get_one(StoragePlace, store.box.id))
        assert (sent[0].state, sent[0].box_row, sent[0].box_column) == (AliquotState.AVAILABLE, 1, 1)
        with pytest.raises(DomainError, match="AL-00001 was not shipped"):
            steps.return_(session, actor, sent[:1], on=ON)
        with pytest.raises(DomainError, match="Where did it go"):
            steps.ship(session, actor, sent[:1], partner=" ", on=ON)


def test_sharing_without_consent_is_doubted(database: Database, frozen: list[Aliquot]) -> None:
    with database.reading() as session:
        donor = _again(session, frozen[0]).specimen.donor
        assert donor is not None
        (told,) = doubts_of_sharing(session, {donor.id}, ON)
        assert told.message == "No consent of patient BCBM-P01 in force on 2026-03-02 permits sharing."
    with factories.declared(database) as session:
        factories.consent(session, donor, sharing=True)
    with database.reading() as session:
        assert doubts_of_sharing(session, {donor.id}, ON) == []


def test_every_step_needs_an_aliquot_and_a_day_that_has_come(database: Database, actor: Actor, frozen: list[Aliquot]) -> None:
    with database.transaction() as session, pytest.raises(DomainError, match="No aliquot is named"):
        steps.take_out(session, actor, [], on=ON)
    with database.transaction() as session, pytest.raises(DomainError, match="lies in the future") as refused:
        steps.take_out(session, actor, [_again(session, frozen[0])], on=date(2100, 1, 1))
    assert refused.value.field == "happened_on"
    with database.transaction() as session, pytest.raises(DomainError, match="reason"):
        steps.discard(session, actor, [_again(session, frozen[0])], reason=" ", on=ON)
    with database.transaction() as session:
        steps.take_out(session, actor, [_again(session, frozen[0])], on=ON)
    with database.reading() as session:
        assert _spot(_again(session, frozen[0])) == (None, None, None)
        assert _events(session, frozen[0])[-1].kind is AliquotEventKind.TAKEN_OUT


def test_a_withdrawn_aliquot_leaves_its_position(database: Database, actor: Actor, store: Store, frozen: list[Aliquot]) -> None:
    with database.transaction() as session:
        aliquot = _again(session, frozen[1])
        withdraw(session, actor, ALIQUOT, aliquot, version=aliquot.version, reason="typed twice")
        assert (aliquot.status, _spot(aliquot)) == (RecordStatus.WITHDRAWN, (None, None, None))
        (instead,) = steps.freeze_aliquots(session, actor, store.specimen, FROZEN, place=store.box)
        assert _spot(instead) == (store.box.id, 1, 2)
        with pytest.raises(DomainError, match="AL-00002 was withdrawn"):
            steps.move(session, actor, [aliquot], place=store.box, on=ON)


def test_an_aliquot_with_parts_is_not_withdrawn(database: Database, actor: Actor, frozen: list[Aliquot]) -> None:
    with database.transaction() as session:
        aliquot = _again(session, frozen[0])
        steps.split(session, actor, aliquot, [1], on=ON)
    with database.transaction() as session, pytest.raises(Conflict, match="1 active record"):
        aliquot = _again(session, frozen[0])
        withdraw(session, actor, ALIQUOT, aliquot, version=aliquot.version, reason="wrong")


def test_unusual_material_is_doubted(database: Database, store: Store) -> None:
    row = {"specimen_id": store.specimen.id, "material": AliquotMaterial.PLASMA}
    with database.reading() as session:
        (told,) = doubts(session, ALIQUOT, store.project.id, [{**row, "code": "X1"}, {**row, "code": "X2"}])
        assert told.message == "Plasma is not usually made of a specimen of the kind tumour."
        assert doubts(session, ALIQUOT, store.project.id, [row | {"material": AliquotMaterial.OCT, "code": "X1"}]) == []
