"""The gate between patients' tissue and the animal room, as services ask it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lims.db import Database
from lims.domain.errors import DomainError
from lims.domain.vocabulary import RecordStatus
from lims.records.consents import require_xenograft_consent
from tests.support import factories
from tests.support.cases import each
from tests.support.statements import statements

ON = date(2026, 3, 2)


def _donor(database: Database, *consents: dict[str, Any]) -> int:
    with factories.declared(database) as session:
        patient = factories.patient(session, factories.project(session), "BCBM-P03")
        for columns in consents:
            factories.consent(session, patient, **columns)
    return patient.id


def test_tissue_with_a_consent_for_xenografts_passes(database: Database) -> None:
    donor = _donor(database, {})
    with database.reading() as session:
        require_xenograft_consent(session, [donor, donor], ON)
        require_xenograft_consent(session, [], ON)


@each(
    ("consents", "told"),
    [
        ([], "No consent of patient BCBM-P03 is recorded"),
        ([{"withdrawn_on": ON}], "Patient BCBM-P03 withdrew consent on 2026-03-02"),
        ([{"xenograft": False}], "does not permit xenografts"),
        ([{"given_on": date(2026, 3, 3)}], "gave consent on 2026-03-03, which is after 2026-03-02"),
        ([{"status": RecordStatus.WITHDRAWN}], "No consent of patient BCBM-P03 is recorded"),
        (
            [{}, {"given_on": date(2025, 6, 1), "xenograft": False, "withdrawn_on": date(2025, 9, 1)}],
            "withdrew consent on 2025-09-01",
        ),
    ],
)
def test_tissue_without_one_is_refused_at_the_aliquot(database: Database, consents: list[dict[str, Any]], told: str) -> None:
    donor = _donor(database, *consents)
    with database.reading() as session, pytest.raises(DomainError, match=told) as refused:
        require_xenograft_consent(session, [donor], ON)
    assert refused.value.field == "aliquot_id"
    assert refused.value.expected
    assert refused.value.remedy


def test_one_donor_without_consent_refuses_a_mixture_by_one_statement(database: Database) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        donors = [factories.patient(session, project, f"P{number}") for number in range(30)]
        for patient in donors[:-1]:
            factories.consent(session, patient)
        keys = [patient.id for patient in donors]
    refused = pytest.raises(DomainError, match="No consent of patient P29")
    with database.reading() as session, statements(database.engine) as seen, refused:
        require_xenograft_consent(session, keys, ON)
    assert len(seen) == 1
