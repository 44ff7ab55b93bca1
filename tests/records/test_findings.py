"""What is found in a specimen: HER2 derived from assays, alterations of the pinned genes, STR profiles in one way of writing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.tissue_terms import AlterationKind, CnsStatus, Compartment, Her2Ihc, Her2Label, Her2Result, IshProbe
from lims.domain.vocabulary import SpecimenKind
from lims.models import AuditChange, Project, Specimen
from lims.records.noun import Noun
from lims.records.nouns import change, doubts, record, reinstate, withdraw
from lims.records.tissue import ALTERATION, RECEPTOR_ASSAY, SPECIMEN, STR_PROFILE
from tests.support import factories
from tests.support.cases import each
from tests.support.databases import kept

COLLECTED = date(2025, 2, 3)


@pytest.fixture
@kept
def tissue(database: Database) -> tuple[Project, Specimen]:
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project, "P01", birth_year=1970)
        return project, factories.specimen(session, patient, "P01-BM", collected_on=COLLECTED)


@pytest.fixture
def add(database: Database, actor: Actor, tissue: tuple[Project, Specimen]) -> Callable[..., Any]:
    project, specimen = tissue

    def added(noun: Noun[Any], **values: Any) -> Any:
        with database.transaction() as session:
            (made,) = record(session, actor, noun, project.id, [{"specimen_id": specimen.id, **values}])
        return made

    return added


def _her2(database: Database, specimen: Specimen) -> tuple[Her2Result, Her2Label | None]:
    with database.reading() as session:
        found = session.get(Specimen, specimen.id)
        assert found is not None
        return found.her2_result, found.her2_label


def test_her2_follows_its_assays_and_is_audited(
    database: Database, actor: Actor, tissue: tuple[Project, Specimen], add: Callable[..., Any]
) -> None:
    _, specimen = tissue
    stained = add(RECEPTOR_ASSAY, assayed_on=date(2025, 2, 5), her2_ihc=Her2Ihc.TWO_PLUS)
    assert _her2(database, specimen) == (Her2Result.EQUIVOCAL, None)
    counted = add(RECEPTOR_ASSAY, assayed_on=date(2025, 2, 9), ish_probe=IshProbe.DUAL, her2_copies=5.1, her2_cep17_ratio=2.4)
    assert _her2(database, specimen) == (Her2Result.POSITIVE, None)
    with database.transaction() as session:
        counted = session.merge(counted)
        change(
            session,
            actor,
            RECEPTOR_ASSAY,
            counted,
            version=1,
            reason="typing error",
            fields={"her2_cep17_ratio": 1.4, "her2_copies": 3.1},
        )
    assert _her2(database, specimen) == (Her2Result.NEGATIVE, Her2Label.HER2_LOW)
    with database.transaction() as session:
        counted = session.merge(counted)
        withdraw(session, actor, RECEPTOR_ASSAY, counted, version=2, reason="another patient's")
    assert _her2(database, specimen) == (Her2Result.EQUIVOCAL, None)
    with database.transaction() as session:
        stained = session.merge(stained)
        withdraw(session, actor, RECEPTOR_ASSAY, stained, version=1, reason="another patient's")
    assert _her2(database, specimen) == (Her2Result.NOT_ASSESSED, None)
    with database.transaction() as session:
        stained = session.merge(stained)
        reinstate(session, actor, RECEPTOR_ASSAY, stained, version=2, reason="it was hers after all")
    assert _her2(database, specimen) == (Her2Result.EQUIVOCAL, None)
    with database.reading() as session:
        trail = session.scalars(select(AuditChange.fields).where(AuditChange.entity == "specimen")).all()
    results = [one for one in map(str, trail) if "her2_result" in one]
    assert len(results) == 7  # made, and each of the six steps


def test_her2_cannot_be_typed(database: Database, actor: Actor, tissue: tuple[Project, Specimen]) -> None:
    project, specimen = tissue
    with pytest.raises(TypeError, match="her2_result"), database.transaction() as session:
        values = {"kind": SpecimenKind.TUMOUR, "patient_id": specimen.patient_id, "her2_result": Her2Result.POSITIVE}
        record(session, actor, SPECIMEN, project.id, [values])


@each(
    ("values", "told", "field"),
    [
        ({}, "reports nothing", "er_percent"),
        ({"antibody": "4B5"}, "reports nothing", "er_percent"),
        ({"ish_probe": IshProbe.SINGLE, "her2_copies": 5.0, "her2_cep17_ratio": 2.4}, "single probe", "her2_cep17_ratio"),
        ({"er_percent": 101.0}, "101 %", "er_percent"),
        ({"her2_copies": 900.0}, "900", "her2_copies"),
        ({"her2_ihc": Her2Ihc.ZERO, "assayed_on": date(2025, 2, 2)}, "before the collection of P01-BM", "assayed_on"),
    ],
)
def test_reports_that_cannot_be_are_refused(add: Callable[..., Any], values: dict[str, Any], told: str, field: str) -> None:
    with pytest.raises(DomainError, match=told) as refused:
        add(RECEPTOR_ASSAY, **values)
    assert refused.value.field == field


def test_contradiction_of_ihc_and_ish_is_asked_about(database: Database, tissue: tuple[Project, Specimen]) -> None:
    project, specimen = tissue
    both = {"her2_ihc": Her2Ihc.THREE_PLUS, "ish_probe": IshProbe.DUAL, "her2_copies": 2.0, "her2_cep17_ratio": 1.1}
    empty = {"her2_ihc": Her2Ihc.TWO_PLUS, "ish_probe": IshProbe.DUAL}
    with database.reading() as session:
        (told,) = doubts(session, RECEPTOR_ASSAY, project.id, [{"specimen_id": specimen.id, **both}])
        (uncounted,) = doubts(session, RECEPTOR_ASSAY, project.id, [{"specimen_id": specimen.id, **empty}])
        usual = {"specimen_id": specimen.id, "her2_ihc": Her2Ihc.THREE_PLUS}
        assert doubts(session, RECEPTOR_ASSAY, project.id, [usual]) == []
    assert "have both reviewed" in told.message
    assert "nothing that was counted" in uncounted.message


def test_collection_is_not_moved_behind_what_was_found(
    database: Database, actor: Actor, tissue: tuple[Project, Specimen], add: Callable[..., Any]
) -> None:
    _, specimen = tissue
    add(RECEPTOR_ASSAY, assayed_on=date(2025, 2, 5), er_percent=0.0)
    with pytest.raises(DomainError, match="first receptor assay on 2025-02-05") as refused, database.transaction() as session:
        held = session.get(Specimen, specimen.id)
        assert held is not None
        change(session, actor, SPECIMEN, held, version=held.version, reason="mistyped", fields={"collected_on": date(2025, 3, 1)})
    assert refused.value.field == "collected_on"


@each(
    ("values", "told", "field"),
    [
        ({"collected_on": date(1960, 1, 1)}, "before 1970", "collected_on"),
        ({"collected_on": date(2199, 1, 1)}, "future", "collected_on"),
        ({"site_uberon": "0000955"}, "no UBERON code", "site_uberon"),
        ({"grade": 4}, "4 cannot be", "grade"),
        ({"necrosis_percent": 120.0}, "120 %", "necrosis_percent"),
    ],
)
def test_specimens_that_cannot_be_are_refused(
    database: Database, actor: Actor, tissue: tuple[Project, Specimen], values: dict[str, Any], told: str, field: str
) -> None:
    project, specimen = tissue
    with pytest.raises(DomainError, match=told) as refused, database.transaction() as session:
        record(session, actor, SPECIMEN, project.id, [{"patient_id": specimen.patient_id, "kind": SpecimenKind.TUMOUR, **values}])
    assert refused.value.field == field


@each(
    ("values", "told"),
    [
        ({"kind": SpecimenKind.PLASMA, "tumour_content_percent": 10.0}, "Plasma has no tumour content"),
        ({"kind": SpecimenKind.CSF, "necrosis_percent": 10.0}, "CSF has no necrosis"),
        ({"site": "breast", "cns_status": CnsStatus.LEPTOMENINGEAL}, "the site is breast"),
        ({"cns_status": CnsStatus.STABLE_AFTER_LOCAL_THERAPY}, "no site is given"),
    ],
)
def test_what_is_unusual_about_a_specimen_is_asked(
    database: Database, tissue: tuple[Project, Specimen], values: dict[str, Any], told: str
) -> None:
    project, specimen = tissue
    with database.reading() as session:
        row = {"patient_id": specimen.patient_id, "kind": SpecimenKind.TUMOUR, **values}
        (notice,) = doubts(session, SPECIMEN, project.id, [row])
    assert told in notice.message


@pytest.mark.parametrize(
    "values",
    [
        {"kind": SpecimenKind.CSF, "cns_status": CnsStatus.LEPTOMENINGEAL},
        {"site": "left frontal lobe", "cns_status": CnsStatus.UNTREATED_ASYMPTOMATIC},
        {"site_uberon": "UBERON:0002360", "cns_status": CnsStatus.LEPTOMENINGEAL},
        {"site": "breast", "cns_status": CnsStatus.NONE_KNOWN},
    ],
)
def test_brain_disease_of_brain_tissue_is_usual(
    database: Database, tissue: tuple[Project, Specimen], values: dict[str, Any]
) -> None:
    project, specimen = tissue
    with database.reading() as session:
        row = {"patient_id": specimen.patient_id, "kind": SpecimenKind.TUMOUR, **values}
        assert doubts(session, SPECIMEN, project.id, [row]) == []


def test_brain_disease_of_a_harvest_is_asked_about(database: Database, actor: Actor, tissue: tuple[Project, Specimen]) -> None:
    project, specimen = tissue
    with factories.declared(database) as session:
        mouse = factories.animal(session, project)
        grown = factories.implant(session, mouse, donor_id=specimen.patient_id, passage=2)
    row = {"source_implant_id": grown.id, "kind": SpecimenKind.TUMOUR, "site_uberon": "uberon 0000955"}
    with database.transaction() as session:
        (notice,) = doubts(session, SPECIMEN, project.id, [row | {"cns_status": CnsStatus.LEPTOMENINGEAL}])
        (harvest,) = record(session, actor, SPECIMEN, project.id, [row])
    assert "from an animal" in notice.message
    assert (harvest.donor_id, harvest.passage, harvest.site_uberon) == (specimen.patient_id, 2, "UBERON:0000955")


def test_alterations_name_genes_of_the_list(add: Callable[..., Any]) -> None:
    found = add(ALTERATION, gene="her-2", kind=AlterationKind.COPY_NUMBER, copies=12.0)
    assert (found.gene, found.compartment) == ("ERBB2", Compartment.HUMAN_TUMOUR)


@each(
    ("values", "told", "field"),
    [
        ({"gene": "ERBBB2", "kind": AlterationKind.MUTATION, "hgvs": "p.L755S"}, "no gene of the list", "gene"),
        ({"gene": "PIK3CA", "kind": AlterationKind.MUTATION}, "without a value", "hgvs"),
        (
            {"gene": "Abcb1a", "kind": AlterationKind.EXPRESSION, "log2_ratio": 1.0, "compartment": Compartment.MOUSE_HOST},
            "no mouse host",
            "compartment",
        ),
        ({"gene": "PIK3CA", "kind": AlterationKind.MUTATION, "vaf_percent": 140.0}, "140", "vaf_percent"),
        (
            {"gene": "PIK3CA", "kind": AlterationKind.MUTATION, "vaf_percent": 14.0, "found_on": date(2025, 1, 1)},
            "before the collection",
            "found_on",
        ),
    ],
)
def test_alterations_that_cannot_be_are_refused(add: Callable[..., Any], values: dict[str, Any], told: str, field: str) -> None:
    with pytest.raises(DomainError, match=told) as refused:
        add(ALTERATION, **values)
    assert refused.value.field == field


def test_profiles_are_kept_in_one_way_of_writing(
    database: Database, actor: Actor, tissue: tuple[Project, Specimen], add: Callable[..., Any]
) -> None:
    project, specimen = tissue
    profile = add(STR_PROFILE, alleles=["tho1 = 9.3/6", "", "D5S818\t12\t11"])
    assert profile.alleles == ["D5S818: 11, 12", "TH01: 6, 9.3"]
    with pytest.raises(DomainError, match="Line 2") as refused:
        add(STR_PROFILE, alleles=["TH01: 6", "D99: 4"])
    assert refused.value.field == "alleles"
    with pytest.raises(DomainError, match="empty"):
        add(STR_PROFILE, alleles=[])
    with database.reading() as session:
        (notice,) = doubts(session, STR_PROFILE, project.id, [{"specimen_id": specimen.id, "alleles": ["TH01: 6"]}])
    assert "Only 1 autosomal locus is typed" in notice.message


def test_a_profile_that_a_check_stands_on_is_not_withdrawn(
    database: Database, actor: Actor, tissue: tuple[Project, Specimen], add: Callable[..., Any]
) -> None:
    project, _ = tissue
    profile = add(STR_PROFILE, alleles=["TH01: 6"])
    with factories.declared(database) as session:
        factories.model_check(session, factories.model(session, project), profile_id=profile.id)
    with pytest.raises(Conflict, match="check of a model"), database.transaction() as session:
        withdraw(session, actor, STR_PROFILE, session.merge(profile), version=1, reason="wrong tube")


@pytest.mark.parametrize(
    ("noun", "values", "word"),
    [
        (RECEPTOR_ASSAY, {"er_percent": 80}, "receptor assay"),
        (ALTERATION, {"gene": "PIK3CA", "kind": AlterationKind.MUTATION, "hgvs": "p.H1047R"}, "alteration"),
        (STR_PROFILE, {"alleles": ["TH01: 6"]}, "STR profile"),
    ],
)
def test_a_specimen_that_findings_stand_on_is_not_withdrawn(
    database: Database,
    actor: Actor,
    tissue: tuple[Project, Specimen],
    add: Callable[..., Any],
    noun: Noun[Any],
    values: dict[str, Any],
    word: str,
) -> None:
    _, specimen = tissue
    finding = add(noun, **values)

    def withdrawn(of: Noun[Any], row: Any) -> None:
        with database.transaction() as session:
            found = session.get_one(of.model, row.id)
            withdraw(session, actor, of, found, version=found.version, reason="another patient's")

    with pytest.raises(Conflict, match=rf"1 active record \({word}\) stands on this specimen"):
        withdrawn(SPECIMEN, specimen)
    withdrawn(noun, finding)
    withdrawn(SPECIMEN, specimen)
