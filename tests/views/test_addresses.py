"""Addresses that are kept: the same as Flask's own, whatever stands beside a record's number."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, g

from lims.views.transaction import Application


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("studies.show", {"study_id": 7}),
        ("study_export.download", {"study_id": 7, "table": "all", "form": "xlsx"}),
        ("studies.show", {"study_id": 7, "sort": "code", "q": None}),
        ("studies.show", {"study_id": 7, "q": "9223372036854775807"}),
        ("studies.show", {"study_id": 7, "q": "a & é"}),
        ("studies.show", {"study_id": 7, "page": 2}),
        ("studies.show", {"study_id": 7, "_anchor": "notes"}),
        ("fates.new", {"animal_id": "M-07", "reason": "tumour_burden"}),
        ("fates.new", {"animal_id": "M 07/a", "reason": "tumour_burden"}),
        ("fates.new", {"animal_id": "M-07", "project_code": "other"}),
        ("figures.part_of_animal", {"animal_id": 7}),
        ("imports.show", {"project_code": "a b", "batch_id": 7}),
        ("studies.show", {"study_id": 7, "project_code": "other"}),
        ("studies.show", {"study_id": 7, "_scheme": "https", "_external": True}),
    ],
)
def test_an_address_asked_for_again_is_of_this_project_and_root(app: Application, endpoint: str, values: dict[str, Any]) -> None:
    for root in ("", "/lab"):
        for project in ("ONE", "TWO"):
            with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
                g.project_code = project
                expected = Flask.url_for(app, endpoint, **values)
                assert [app.url_for(endpoint, **values) for _ in range(2)] == [expected, expected]
