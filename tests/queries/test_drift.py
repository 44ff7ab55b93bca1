"""HER2 along the way, the cohort condition in SQL, and the matrix of models × genes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from lims.db import Database
from lims.domain.cohorts import ClinicalCohort, clinical_cohort
from lims.domain.genes import PathwaySet
from lims.domain.tissue_terms import AlterationKind, CnsStatus, Compartment, Her2Ihc, Her2Label, Her2Result
from lims.domain.vocabulary import PassageConvention, RecordStatus, TumourOrigin
from lims.models import Alteration, Patient, PdxModel, Project, Specimen
from lims.queries.alterations import MOST_OTHERS, alteration_matrix, of_model
from lims.queries.drift import Her2Class, her2_drift
from lims.queries.specimens import cohort_of, in_cohort
from tests.support import factories
from tests.support.statements import statements

POSITIVE = {"her2_result": Her2Result.POSITIVE}
LOW = {"her2_result": Her2Result.NEGATIVE, "her2_label": Her2Label.HER2_LOW}
EQUIVOCAL = {"her2_result": Her2Result.EQUIVOCAL}


def _line(database: Database) -> tuple[Project, Patient, PdxModel, list[Specimen]]:
    """Primary and metastasis of a patient, and the model's tissue at its first two passages, called P1 and P2 there."""
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project, "P01")
        tissue = [
            factories.specimen(
                session,
                patient,
                "BM",
                collected_on=date(2025, 2, 3),
                site="frontal lobe",
                origin=TumourOrigin.METASTATIC,
                **EQUIVOCAL,
            ),
            factories.specimen(
                session, patient, "PT", collected_on=date(2021, 2, 3), site="breast", origin=TumourOrigin.PRIMARY, **POSITIVE
            ),
        ]
        factories.assay(session, tissue[1])
        factories.assay(session, tissue[0], her2_ihc=Her2Ihc.TWO_PLUS)
        model = factories.model(
            session, project, "BM-01", founding_specimen_id=tissue[0].id, passage_convention=PassageConvention.FIRST_IS_P1
        )
        for passage, her2 in ((1, LOW), (0, POSITIVE)):
            mouse = factories.animal(session, project, f"M{passage}")
            grown = factories.implant(session, mouse, donor_id=patient.id, passage=passage, model_id=model.id)
            values: dict[str, Any] = {"patient_id": None, "source_implant_id": grown.id, "passage": passage, **her2}
            tissue.append(factories.specimen(session, patient, f"X{passage}", **values))
        factories.specimen(session, patient, "PLASMA")
        factories.specimen(session, patient, "WITHDRAWN", status=RecordStatus.WITHDRAWN, **LOW)
        factories.specimen(session, factories.patient(session, project), "OTHER", **LOW)
    return project, patient, model, tissue


def test_drift_goes_from_the_patient_through_the_passages(database: Database) -> None:
    project, patient, _, _ = _line(database)
    with database.reading() as session:
        drift = her2_drift(session, project.id, patient.id)
    assert [point.code for point in drift.points] == ["PT", "BM", "X0", "X1"]
    assert [point.where for point in drift.points] == ["primary, breast", "metastasis, frontal lobe", "xenograft", "xenograft"]
    assert [point.passage for point in drift.points] == [None, None, "P1", "P2"]
    assert [point.ihc for point in drift.points] == ["3+", "2+", None, None]
    # What is equivocal decides nothing, so the class before it is what the next one is compared with.
    assert [(point.code, point.changed_from, point.her2) for point in drift.changes] == [("X1", Her2Class.POSITIVE, Her2Class.LOW)]
    assert drift.unassessed == 1


def test_drift_of_nobody_is_empty(database: Database) -> None:
    project, _, _, _ = _line(database)
    with database.reading() as session:
        assert her2_drift(session, project.id, None).points == ()
        assert her2_drift(session, project.id + 1, 1).points == ()


def test_cohorts_in_sql_are_those_of_the_table(database: Database) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, factories.project(session))
        for status in CnsStatus:
            for result in Her2Result:
                for label in (None, *Her2Label):
                    factories.specimen(session, patient, cns_status=status, her2_result=result, her2_label=label)
    with database.reading() as session:
        found = session.execute(select(Specimen, cohort_of())).all()
        assert len(found) == len(CnsStatus) * len(Her2Result) * 3
        for specimen, number in found:
            cohort = clinical_cohort(specimen.cns_status, specimen.her2_result, specimen.her2_label)
            assert number == (cohort and int(cohort))
        for one in ClinicalCohort:
            by_condition = session.scalars(select(Specimen.id).where(in_cohort(one))).all()
            assert sorted(by_condition) == sorted(specimen.id for specimen, number in found if number == one)


def _found(database: Database, tissue: list[Specimen]) -> None:
    copies, rna = {"kind": AlterationKind.COPY_NUMBER}, {"kind": AlterationKind.EXPRESSION}
    by_code = {one.code: one for one in tissue}
    with factories.declared(database) as session:
        factories.alteration(session, by_code["BM"], "ERBB2", copies=12, **copies)
        factories.alteration(session, by_code["BM"], "PIK3CA", hgvs="p.His1047Arg")
        factories.alteration(session, by_code["X1"], "ERBB2", copies=3, **copies)
        factories.alteration(session, by_code["X1"], "ERBB2", hgvs="p.Leu755Ser")
        factories.alteration(session, by_code["X1"], "Abcg2", log2_ratio=2.0, compartment=Compartment.MOUSE_HOST, **rna)
        factories.alteration(session, by_code["X1"], "PTEN", log2_ratio=-1.2, status=RecordStatus.WITHDRAWN, **copies)
        factories.alteration(session, by_code["PT"], "TP53", hgvs="p.Arg273His")
        for gene in ("TP53", "MYC", "CDKN2A", "CCND1", "BRCA1", "BRCA2", "ESR1", "GATA3", "KRAS", "TERT"):
            factories.alteration(session, by_code["BM"], gene, vaf_percent=20)


def test_matrix_has_a_row_for_each_specimen_of_a_model(database: Database) -> None:
    project, _, model, tissue = _line(database)
    _found(database, tissue)
    with statements(database.engine) as asked, database.reading() as session:
        matrix = alteration_matrix(session, project.id)
    assert len([one for one in asked if "SELECT" in one]) == 3
    assert [group.pathway for group in matrix.groups] == [*PathwaySet, None]
    assert [gene.symbol for gene in matrix.genes][:3] == ["ERBB2", "PIK3CA", "Abcg2"]
    assert len(matrix.groups[-1].genes) == MOST_OTHERS
    assert matrix.left_out == 10 - MOST_OTHERS
    assert matrix.without_model == 1  # the primary
    (rows,) = matrix.models
    assert (rows.code, rows.patient) == ("BM-01", "P01")
    assert [(row.code, row.source) for row in rows.rows] == [("BM", "patient"), ("X1", "P2 · M1")]
    erbb2 = matrix.genes[0]
    assert [[one.call.value for one in row.cells[erbb2]] for row in rows.rows] == [["amplified"], ["gain", "mutation"]]
    with database.reading() as session:
        assert alteration_matrix(session, project.id, PathwaySet.ABC_TRANSPORTERS).genes == [matrix.genes[2]]
        assert len(alteration_matrix(session, project.id, "other").genes) == 10
        of = select(Alteration.id).join(Specimen, Specimen.id == Alteration.specimen_id).where(of_model(model.id))
        assert len(session.scalars(of).all()) == 16


@pytest.mark.parametrize("only", [None, "other", PathwaySet.HER_FAMILY])
def test_matrix_of_an_empty_project_is_empty(database: Database, only: PathwaySet | str | None) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
    with database.reading() as session:
        matrix = alteration_matrix(session, project.id, only)
    assert (matrix.genes, matrix.models, matrix.left_out, matrix.without_model) == ([], (), 0, 0)
