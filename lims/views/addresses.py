"""Where a record has its page."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for

RECORD_PAGES = {
    "agent": ("agents.show", "record_id"),
    "agent_lot": ("lots.show", "record_id"),
    "aliquot": ("aliquots.show", "record_id"),
    "alteration": ("alterations.show", "record_id"),
    "animal": ("animals.show", "animal_id"),
    "animal_protocol": ("protocols.show", "record_id"),
    "cage": ("cages.show", "record_id"),
    "consent": ("consents.show", "record_id"),
    "dose": ("doses.show", "record_id"),
    "endpoint_action": ("actions.show", "action_id"),
    "enrolment": ("enrolments.show", "record_id"),
    "exposure": ("exposures.show", "record_id"),
    "fate": ("fates.show", "record_id"),
    "implant": ("implants.show", "record_id"),
    "import_batch": ("imports.show", "batch_id"),
    "lab_kind": ("kinds.show", "record_id"),
    "measurement": ("measurements.show", "measurement_id"),
    "model_check": ("checks.show", "record_id"),
    "patient": ("patients.show", "record_id"),
    "pdx_model": ("models.show", "record_id"),
    "procedure": ("procedures.show", "record_id"),
    "receptor_assay": ("assays.show", "record_id"),
    "regimen": ("regimens.show", "record_id"),
    "specimen": ("specimens.show", "record_id"),
    "storage_place": ("storage.show", "record_id"),
    "str_profile": ("profiles.show", "record_id"),
    "study": ("studies.show", "study_id"),
    "therapy_line": ("therapy.show", "record_id"),
}
"""Endpoint and argument of the records that have a page of their own, by table."""


def page_of(entity: str, key: int) -> str | None:
    """Give the address of a record's page; None where records of this table have none."""
    endpoint, argument = RECORD_PAGES.get(entity, ("", ""))
    values: dict[str, Any] = {argument: key}
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None
