"""A lineage from whichever record of it: all kin, the chain, and as many statements for 5,000 records as for ten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db import Database
from lims.domain.consents import ConsentState
from lims.domain.vocabulary import PassageConvention, RecordStatus
from lims.models import Aliquot, Animal, Base, Implant, Patient, PdxModel, Project, Specimen
from lims.queries.lineage import chain_of, chains_of, lineage_of
from tests.support import factories as make
from tests.support.cases import each
from tests.support.statements import statements


@dataclass(frozen=True)
class Line:
    """Ids of a line of two passages, from patient to the harvest of the second mouse."""

    patient: int
    specimen: int
    vial: int
    split: int
    first: int
    harvest: int
    second_vial: int
    second: int
    model: int
    mouse: int


def line(session: Session, project: Project, name: str = "P01") -> Line:
    patient = make.patient(session, project, name)
    make.consent(session, patient)
    specimen = make.specimen(session, patient, f"{name}-BM")
    model = make.model(session, project, f"{name}-M", founding_specimen_id=specimen.id)
    vial = make.aliquot(session, specimen, f"{name}-A1")
    split = make.aliquot(session, specimen, f"{name}-A1b", parent_id=vial.id)
    mouse = make.animal(session, project, f"{name}-M1")
    first = make.implant(session, mouse, aliquot_id=split.id, donor_id=patient.id, passage=0, model_id=model.id)
    harvest = grown(session, patient, first, f"{name}-H1", donor_id=patient.id, passage=0)
    second_vial = make.aliquot(session, harvest, f"{name}-A2")
    second_mouse = make.animal(session, project, f"{name}-M2")
    second = make.implant(session, second_mouse, aliquot_id=second_vial.id, donor_id=patient.id, passage=1, model_id=model.id)
    return Line(
        patient.id,
        specimen.id,
        vial.id,
        split.id,
        first.id,
        harvest.id,
        second_vial.id,
        second.id,
        model.id,
        second_mouse.id,
    )


def grown(session: Session, patient: Patient, tumour: Implant, code: str, **columns: Any) -> Specimen:
    """What was harvested from a tumour."""
    return make.specimen(
        session, patient, code, **{"patient_id": None, "source_implant_id": tumour.id, "donor_id": None, **columns}
    )


CHAIN = ["P01", "P01-BM", "P01-A1", "P01-A1b", "P01-M1 brain", "P01-H1", "P01-A2", "P01-M2 brain"]
STARTS: dict[str, tuple[type[Base], Callable[[Line], int], int]] = {
    "patient": (Patient, lambda found: found.patient, 1),
    "specimen": (Specimen, lambda found: found.specimen, 2),
    "aliquot": (Aliquot, lambda found: found.split, 4),
    "implant": (Implant, lambda found: found.first, 5),
    "harvest": (Specimen, lambda found: found.harvest, 6),
    "last": (Implant, lambda found: found.second, 8),
    "animal": (Animal, lambda found: found.mouse, 8),
    "model": (PdxModel, lambda found: found.model, 8),
}
"""Its table, its id, and how many records of the chain lead to it."""


@each("start", STARTS)
def test_every_start_gives_all_kin_and_the_chain_that_leads_to_it(database: Database, start: str) -> None:
    table, key, length = STARTS[start]
    with make.declared(database) as session:
        project = make.project(session)
        ids = line(session, project)
        line(session, project, "P02")
    with database.reading() as session:
        record = session.get_one(table, key(ids))
        found = lineage_of(session, record)
    codes = {one.key: one.code for one in found.kin}
    assert sorted(codes.values()) == sorted(CHAIN)
    assert [code for code in CHAIN if code in {codes[key] for key in found.chain}] == CHAIN[:length]
    assert {one.code for one in found.kin if one.state is ConsentState.GIVEN} == {"P01"}


@each("start", ["specimen", "aliquot", "implant", "harvest", "last"])
def test_a_crumb_names_the_ancestors_in_one_statement(database: Database, start: str) -> None:
    table, key, length = STARTS[start]
    with make.declared(database) as session:
        ids = line(session, make.project(session))
    with database.reading() as session:
        record = session.get_one(table, key(ids))
        with statements(database.engine) as seen:
            steps = chain_of(session, record)
    assert [step.code for step in steps] == CHAIN[:length]
    assert (steps[0].word, steps[0].kind, steps[0].id) == ("patient", "patient", ids.patient)
    assert len(seen) == 1


def test_a_model_ends_its_founding_specimens_crumb(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        ids = line(session, project)
        bare = make.model(session, project, "OLD").id
    with database.reading() as session:
        steps = chain_of(session, session.get_one(PdxModel, ids.model))
        assert [(step.word, step.code) for step in steps][-2:] == [("specimen", "P01-BM"), ("PDX model", "P01-M")]
        assert [step.code for step in chain_of(session, session.get_one(PdxModel, bare))] == ["OLD"]
        assert lineage_of(session, session.get_one(PdxModel, bare)).kin == []


def test_an_animal_has_a_crumb_for_each_of_its_tumours(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        ids = line(session, project)
        mouse = session.get_one(Animal, ids.mouse)
        make.implant(session, mouse, "flank")
        make.implant(session, mouse, "mistake", status=RecordStatus.WITHDRAWN)
    with database.reading() as session, statements(database.engine) as seen:
        chains = chains_of(session, session.get_one(Animal, ids.mouse))
    assert [[step.code for step in chain] for chain in chains.values()] == [CHAIN, ["P01-M2 flank"]]
    assert len(seen) == 2


@pytest.mark.parametrize("start", ["root", "harvest", "last"])
def test_where_nobody_knows_the_donor_it_begins_with_the_first_tumour(database: Database, start: str) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        other = line(session, project)
        patient = session.get_one(Patient, other.patient)
        root = make.implant(session, make.animal(session, project, "OLD-1"), "MG R4")
        harvest = grown(session, patient, root, "OLD-H1")
        vial = make.aliquot(session, harvest, "OLD-A1")
        last = make.implant(session, make.animal(session, project, "OLD-2"), aliquot_id=vial.id)
        make.implant(session, make.animal(session, project, "OLD-9"), "stranger")
    record = {"root": root, "harvest": harvest, "last": last}[start]
    with database.reading() as session:
        found = lineage_of(session, session.get_one(type(record), record.id))
        steps = chain_of(session, session.get_one(type(record), record.id))
    whole = ["OLD-1 MG R4", "OLD-H1", "OLD-A1", "OLD-2 brain"]
    assert sorted(one.code for one in found.kin) == sorted(whole)
    assert [step.code for step in steps] == whole[: {"root": 1, "harvest": 2, "last": 4}[start]]


def test_passages_are_told_in_the_convention_of_the_model_they_grew_in(database: Database) -> None:
    from lims.views.lineage import ordered
    from lims.views.lineage_drawing import passages

    with make.declared(database) as session:
        ids = line(session, make.project(session))
        session.get_one(PdxModel, ids.model).passage_convention = PassageConvention.FIRST_IS_P1
    with database.reading() as session:
        kin, depths = ordered(lineage_of(session, session.get_one(Patient, ids.patient)))
    told = passages(kin)
    assert [told[one.key] for one in kin] == [None, None, None, None, "P1", "P1", "P1", "P2"]
    assert list(depths.values()) == list(range(8))


def many(session: Session, project: Project, vials: int) -> int:
    """A patient with one specimen of `vials` aliquots, each in one mouse: two records and twice as many."""
    patient = make.patient(session, project)
    specimen = make.specimen(session, patient)
    stored = [
        Aliquot(project_id=project.id, code=f"V{patient.id}-{n}", specimen_id=specimen.id, material=make.AliquotMaterial.FFPE)
        for n in range(vials)
    ]
    mice = [Animal(project_id=project.id, code=f"X{patient.id}-{n}") for n in range(vials)]
    session.add_all([*stored, *mice])
    session.flush()
    session.add_all(
        Implant(project_id=project.id, animal_id=mouse.id, label="brain", aliquot_id=vial.id, donor_id=patient.id, passage=0)
        for vial, mouse in zip(stored, mice, strict=True)
    )
    session.flush()
    return patient.id


def test_1000_records_take_as_many_statements_as_ten(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        few, lots = many(session, project, 4), many(session, project, 499)
    counts = []
    for patient_id, size in ((few, 10), (lots, 1_000)):
        with database.reading() as session:
            start = session.scalars(select(Implant).where(Implant.donor_id == patient_id)).first()
            with statements(database.engine) as seen:
                assert len(lineage_of(session, start).kin) == size
        counts.append(len(seen))
    assert counts[0] == counts[1] == 5
