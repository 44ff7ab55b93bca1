"""Forms of STR profiles; they are shown on their specimen's page, and models are checked against them."""

from __future__ import annotations

from typing import ClassVar

from flask import Blueprint, url_for
from wtforms import StringField

from lims.models import Specimen, StrProfile
from lims.records.tissue import STR_PROFILE
from lims.views.form_fields import CodeField, IsoDateField, LinesField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install


class ProfileForm(RecordForm):
    """One typing."""

    groups = (
        Group("Typing", ("specimen_id", "typed_on", "kit")),
        Group(
            "Alleles",
            ("alleles",),
            "ANSI/ATCC ASN-0002: numbers of repeats by locus. Columns pasted from a spreadsheet are read as they are.",
        ),
    )
    once: ClassVar = frozenset({"specimen_id"})

    specimen_id = CodeField("Specimen", Specimen, [needed("Name the specimen that was typed.")])
    typed_on = IsoDateField("Typed on")
    kit = StringField("Kit", description="Such as PowerPlex 16.")
    alleles = LinesField(
        "Alleles, one locus a line",
        [needed("Type at least one locus.")],
        description="Such as D5S818: 11, 12 on one line and TH01: 6, 9.3 on the next.",
    )


def _home(profile: StrProfile) -> str:
    return url_for("specimens.show", record_id=profile.specimen_id, _anchor="profiles")


PAGES = RecordPages(
    pages=Blueprint("profiles", __name__, url_prefix="/p/<project_code>/profiles"),
    noun=STR_PROFILE,
    form=ProfileForm,
    home=_home,
    lead="Whose tissue it is: a model is compared with the profile of its patient.",
)
pages = install(PAGES)
