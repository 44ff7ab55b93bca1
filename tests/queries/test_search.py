"""Whatever a record is known by finds it, in whatever case, and nothing of another project does."""

from __future__ import annotations

import pytest

from lims.db import Database
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, Project
from lims.queries.search import SHOWN, Found, find_anything
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.statements import statements


@pytest.fixture
@kept
def project(database: Database) -> Project:
    """A project with a record of each kind, and another one with the like."""
    with make.declared(database) as session:
        for code in ("HERE", "THERE"):
            project = make.project(session, code)
            at = "" if code == "HERE" else "T-"
            patient = make.patient(session, project, f"{at}BCBM-P01")
            specimen = make.specimen(session, patient, f"{at}SP-01")
            box = make.box(session, project, f"{at}BX-03", title="Metastases 50%_done")
            make.aliquot(session, specimen, f"{at}AL-00012", place_id=box.id)
            model = make.model(session, project, f"{at}BM-01")
            cage = make.cage(session, project, f"{at}C-07")
            mouse = make.animal(session, project, f"{at}M001", ear_tag=f"{at}231", rfid=f"{at}900118000123456", cage_id=cage.id)
            make.alias(session, mouse, f"{at}Mickey")
            make.implant(session, mouse, "brain", model_id=model.id)
            make.protocol(session, project, f"{at}A-2025/7", title=f"{at}Grafts")
            make.study(session, project, f"{at}ST-1")
            make.batch(session, project, file_name=f"{at}weights.xlsx")
    with database.reading() as session:
        return session.query(Project).filter_by(code="HERE").one()


def find(database: Database, project: Project, typed: str) -> Found:
    with database.reading() as session:
        return find_anything(session, project.id, typed)


@each(
    ("typed", "entity", "code"),
    [
        ("BCBM-P01", "patient", "BCBM-P01"),
        ("sp-01", "specimen", "SP-01"),
        ("AL-00012", "aliquot", "AL-00012"),
        ("al-00012AL-00012", "aliquot", "AL-00012"),
        ("AL-00012\tAL-00012\r\n", "aliquot", "AL-00012"),
        ("  AL-00012,", "aliquot", "AL-00012"),
        ("\ufeffAL-\u200b00012", "aliquot", "AL-00012"),
        ("bm-01", "pdx_model", "BM-01"),
        ("m001", "animal", "M001"),
        ("231", "animal", "M001"),
        ("900118000123456", "animal", "M001"),
        ("mickey", "animal", "M001"),
        ("M001 brain", "implant", "M001 brain"),
        ("c-07", "cage", "C-07"),
        ("BX-03", "storage_place", "BX-03"),
        ("a-2025/7", "animal_protocol", "A-2025/7"),
        ("st-1", "study", "ST-1"),
        ("batch 1", "import_batch", "batch 1"),
        ("weights.XLSX", "import_batch", "batch 1"),
    ],
)
def test_one_exact_hit(database: Database, project: Project, typed: str, entity: str, code: str) -> None:
    only = find(database, project, typed).only
    assert only is not None
    assert (only.entity, only.code) == (entity, code)


@each("typed", ["M00", "rain", "BM", "AL-000", "metas"])
def test_a_part_finds_and_does_not_jump(database: Database, project: Project, typed: str) -> None:
    found = find(database, project, typed)
    assert found.only is None
    assert found.hits


@each("typed", ["", "  ", ",", "%", "_", "M0_1", "AL%", "\\", "/%", "\x00", "' OR 1=1 --", "x" * 5_000, "𝓜001", "zzz"])
def test_hostile_text_and_nothing_find_nothing(database: Database, project: Project, typed: str) -> None:
    hits = find(database, project, typed).hits
    # These two signs do stand in the title of the box.
    assert [hit.code for hit in hits] == (["BX-03"] if typed in ("%", "_") else [])


@each("typed", ["T-BCBM-P01", "T-M001", "T-231", "T-Mickey", "batch 2", "T-weights.xlsx", "T-M001 brain"])
def test_another_projects_records_are_not_found(database: Database, project: Project, typed: str) -> None:
    assert [hit.code for hit in find(database, project, typed).hits] == []


def test_two_of_one_name_are_both_told_and_neither_is_opened(database: Database, project: Project) -> None:
    with make.declared(database) as session:
        make.animal(session, project, "M002", ear_tag="231")
    found = find(database, project, "231")
    assert found.only is None
    assert [(hit.code, hit.found_as) for hit in found.hits if hit.rank == 0] == [("M001", "ear tag"), ("M002", "ear tag")]


def test_of_a_withdrawn_and_a_standing_record_the_standing_one_is_meant(database: Database, project: Project) -> None:
    with make.declared(database) as session:
        make.animal(session, project, "M002", ear_tag="777", status=RecordStatus.WITHDRAWN)
    only = find(database, project, "777").only
    assert only is not None
    assert only.status == "withdrawn"
    with make.declared(database) as session:
        make.animal(session, project, "M003", ear_tag="777")
    only = find(database, project, "777").only
    assert only is not None
    assert only.code == "M003"


def test_an_animal_found_by_two_names_is_one_hit(database: Database, project: Project) -> None:
    with make.declared(database) as session:
        mouse = session.query(Animal).filter_by(code="M001").one()
        make.alias(session, mouse, "m001-old")
    hits = [hit for hit in find(database, project, "m001").hits if hit.entity == "animal"]
    assert [(hit.code, hit.found_as, hit.what[-1]) for hit in hits] == [("M001", "code", "C-07")]


def test_each_kind_is_limited_and_all_of_it_is_one_statement(database: Database, project: Project) -> None:
    with make.declared(database) as session:
        for number in range(SHOWN + 5):
            make.animal(session, project, f"Z{number:02}")
    with database.reading() as session, statements(database.engine) as seen:
        hits = find_anything(session, project.id, "Z").hits
    assert [hit.code for hit in hits if hit.entity == "animal"] == [f"Z{number:02}" for number in range(SHOWN + 1)]
    assert len(seen) == 1
