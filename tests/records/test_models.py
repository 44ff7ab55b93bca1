"""Models and their checks: founded from tumour, established once something grew, authenticated by two profiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.colony_terms import Engraftment
from lims.domain.errors import DomainError
from lims.domain.tissue_terms import CheckKind, CheckResult, Her2Result
from lims.domain.vocabulary import ModelStatus, SpecimenKind
from lims.models import ModelCheck, PdxModel, Project, Specimen, StrProfile
from lims.records.nouns import change, doubts, record
from lims.records.pdx import MODEL, MODEL_CHECK, suggested_result
from tests.support import factories
from tests.support.databases import kept

DONOR = [
    "CSF1PO: 10, 12",
    "D13S317: 11, 12",
    "D16S539: 9, 11",
    "D18S51: 14, 17",
    "D3S1358: 15, 16",
    "D5S818: 11, 12",
    "D7S820: 8, 10",
    "FGA: 21, 23",
    "AMEL: X",
]
MODEL_LINES = ["CSF1PO: 10", *DONOR[1:]]
"""One allele was lost: 15 of 15 are the donor's 16."""
STRANGER = ["CSF1PO: 11", "D13S317: 8, 9", "D16S539: 12, 13", "D18S51: 12, 15", *DONOR[4:]]
CHECKED = date(2026, 6, 1)


@dataclass(frozen=True, slots=True)
class Line:
    """A model with its founding specimen, and tissue of its first mouse."""

    project: Project
    model: PdxModel
    founding: Specimen
    grown: Specimen
    profiles: dict[str, StrProfile]


@pytest.fixture
@kept
def line(database: Database) -> Line:
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project, "BCBM-P01")
        tissue = {"kind": SpecimenKind.TUMOUR, "collected_on": date(2026, 1, 12), "her2_result": Her2Result.POSITIVE}
        founding = factories.specimen(session, patient, "SP-1", **tissue)
        model = factories.model(session, project, "BM-01", founding_specimen_id=founding.id)
        tumour = factories.implant(session, factories.animal(session, project), model_id=model.id, donor_id=patient.id, passage=0)
        source = {"patient_id": None, "source_implant_id": tumour.id, "passage": 0}
        grown = factories.specimen(session, patient, "SP-2", **tissue | source)
        own = {"donor": (founding, DONOR), "model": (grown, MODEL_LINES), "stranger": (grown, STRANGER), "few": (grown, DONOR[:5])}
        profiles = {name: factories.profile(session, of, alleles=alleles) for name, (of, alleles) in own.items()}
    return Line(project, model, founding, grown, profiles)


def add(database: Database, line: Line, **columns: Any) -> PdxModel:
    with database.transaction() as session:
        return record(session, factories.actor(), MODEL, line.project.id, [columns])[0]


def check(database: Database, line: Line, kind: CheckKind, **columns: Any) -> ModelCheck:
    row = {"model_id": line.model.id, "kind": kind, "checked_on": CHECKED, "result": CheckResult.PASSED} | columns
    with database.transaction() as session:
        return record(session, factories.actor(), MODEL_CHECK, line.project.id, [row])[0]


def compared(line: Line, query: str, reference: str = "donor") -> dict[str, Any]:
    return {"profile_id": line.profiles[query].id, "reference_profile_id": line.profiles[reference].id}


def refused(told: str) -> Any:
    return pytest.raises(DomainError, match=told)


def test_a_model_is_named_and_founded_from_tumour_or_csf(database: Database, line: Line) -> None:
    assert add(database, line, founding_specimen_id=line.founding.id).code == "BM-02"
    with factories.declared(database) as session:
        patient = factories.patient(session, line.project)
        csf = factories.specimen(session, patient, kind=SpecimenKind.CSF)
        plasma = factories.specimen(session, patient, "SP-P", kind=SpecimenKind.PLASMA)
    add(database, line, founding_specimen_id=csf.id)
    with refused("Specimen SP-P is plasma: no model grows from that") as error:
        add(database, line, founding_specimen_id=plasma.id)
    assert error.value.field == "founding_specimen_id"


def test_it_is_established_after_the_tissue_was_there(database: Database, line: Line) -> None:
    established = {"founding_specimen_id": line.founding.id, "state": ModelStatus.ESTABLISHED}
    assert add(database, line, established_on=date(2026, 1, 12), **established).established_on
    with refused("comes before the collection of SP-1 on 2026-01-12") as error:
        add(database, line, established_on=date(2026, 1, 11), **established)
    assert error.value.field == "established_on"
    with refused("its state is attempted"):
        add(database, line, established_on=date(2026, 2, 1))


def test_established_without_a_tumour_that_grew_is_doubted(database: Database, line: Line) -> None:
    fields = {"state": ModelStatus.ESTABLISHED}

    def asked() -> list[str]:
        with database.reading() as session:
            known = session.get_one(PdxModel, line.model.id)
            return [one.message for one in doubts(session, MODEL, line.project.id, [fields], known)]

    assert asked() == ["No implant of this model is recorded as engrafted."]
    with factories.declared(database) as session:
        grew = {"model_id": line.model.id, "engraftment": Engraftment.ENGRAFTED}
        factories.implant(session, factories.animal(session, line.project), **grew)
    assert asked() == []


def test_the_founding_specimen_stays_once_implants_stand_on_it(database: Database, line: Line, actor: Actor) -> None:
    with factories.declared(database) as session:
        other = factories.specimen(session, factories.patient(session, line.project))
    with refused("1 implant of BM-01 stand on its founding specimen"), database.transaction() as session:
        model = session.get_one(PdxModel, line.model.id)
        fields = {"founding_specimen_id": other.id}
        change(session, actor, MODEL, model, version=1, reason="mixed up", fields=fields)


def test_two_profiles_say_whose_a_model_is(database: Database, line: Line) -> None:
    found = check(database, line, CheckKind.STR_PROFILE, **compared(line, "model"))
    assert (found.value_percent, found.masters_percent) == (pytest.approx(200 * 15 / 31), 100)
    assert found.specimen_id == line.grown.id
    with refused("unrelated: failed") as error:
        check(database, line, CheckKind.STR_PROFILE, **compared(line, "stranger"))
    assert (error.value.field, error.value.expected) == ("result", "failed")
    failed = check(database, line, CheckKind.STR_PROFILE, result=CheckResult.FAILED, **compared(line, "stranger"))
    assert failed.value_percent is not None
    assert failed.value_percent < 80


@pytest.mark.parametrize(
    ("query", "reference", "told", "field"),
    [
        ("few", "donor", "Only 5 loci are typed in both", "profile_id"),
        ("donor", "donor", "always matches itself", "reference_profile_id"),
    ],
)
def test_profiles_that_say_nothing_are_refused(
    database: Database, line: Line, query: str, reference: str, told: str, field: str
) -> None:
    with refused(told) as error:
        check(database, line, CheckKind.STR_PROFILE, **compared(line, query, reference))
    assert error.value.field == field


def test_a_match_needs_two_profiles_and_only_str_has_them(database: Database, line: Line) -> None:
    with refused("A match compares two profiles"):
        check(database, line, CheckKind.STR_PROFILE, profile_id=line.profiles["model"].id)
    with refused("Only a check by STR compares profiles"):
        check(database, line, CheckKind.MYCOPLASMA, profile_id=line.profiles["model"].id)
    reported = check(database, line, CheckKind.STR_PROFILE, value_percent=97, method="outside laboratory")
    assert (reported.value_percent, reported.masters_percent) == (97, None)


def test_percentages_belong_to_what_is_measured(database: Database, line: Line) -> None:
    assert check(database, line, CheckKind.SPECIES_FRACTION, value_percent=88).value_percent == 88
    with refused("What fraction is human"):
        check(database, line, CheckKind.SPECIES_FRACTION)
    with refused("measures nothing in percent"):
        check(database, line, CheckKind.MYCOPLASMA, value_percent=3)
    with refused("cannot be"):
        check(database, line, CheckKind.SPECIES_FRACTION, value_percent=101)


def test_tissue_of_another_patient_is_not_this_models(database: Database, line: Line) -> None:
    with factories.declared(database) as session:
        other = factories.specimen(session, factories.patient(session, line.project), "SP-X")
    with refused("SP-X is recorded as tissue of another patient") as error:
        check(database, line, CheckKind.MYCOPLASMA, specimen_id=other.id)
    assert error.value.field == "specimen_id"


def test_what_follows_is_suggested_and_what_contradicts_it_is_doubted(database: Database, line: Line) -> None:
    row: dict[str, Any] = {"model_id": line.model.id, "checked_on": CHECKED, "profile_id": None, "reference_profile_id": None}
    her2 = row | {"kind": CheckKind.HER2_RETAINED, "specimen_id": line.grown.id}
    with database.reading() as session:
        assert suggested_result(session, her2) is CheckResult.PASSED
        assert suggested_result(session, row | {"kind": CheckKind.MYCOPLASMA, "specimen_id": None}) is None
        str_check = row | {"kind": CheckKind.STR_PROFILE, "specimen_id": None, **compared(line, "stranger")}
        assert suggested_result(session, str_check) is CheckResult.FAILED
    with factories.declared(database) as session:
        session.get_one(Specimen, line.grown.id).her2_result = Her2Result.NEGATIVE
    with database.reading() as session:
        assert suggested_result(session, her2) is CheckResult.FAILED
        said = her2 | {"result": CheckResult.PASSED}
        (notice,) = doubts(session, MODEL_CHECK, line.project.id, [said])
        assert notice.message == "By the assays of founding and checked tissue this check would be failed."
