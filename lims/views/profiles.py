"""The pages of STR profiles; each is shown on its specimen's page too, and models are checked against them."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, url_for
from wtforms import StringField

from lims.domain.vocabulary import RecordStatus
from lims.models import Patient, Specimen, StrProfile
from lims.queries.specimens import donor_codes
from lims.queries.tissue_lists import checks_with, profile_list
from lims.records.tissue import STR_PROFILE
from lims.views.cells import badge
from lims.views.form_fields import CodeField, IsoDateField, LinesField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Column, Empty, Listing, choice, day, one_of, search


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


def _listing() -> tuple[Listing, Any]:
    project = current_project()
    rows = profile_list(project.id)
    patients = [(code, code) for code in donor_codes(current_session(), project.id)]
    listing = Listing(
        noun="profile",
        caption="STR profiles",
        columns=(
            Column("typed_on", "Typed", StrProfile.typed_on, show=lambda on: str(on or "no date")),
            Column("specimen", "Specimen", Specimen.code, mono=True),
            Column("patient", "Patient", Patient.code, mono=True),
            Column("kit", "Kit", StrProfile.kit),
            Column("loci", "Loci", rows.selected_columns.loci, align="end"),
            Column("alleles", "Alleles", rows.selected_columns.alleles, sortable=False, on_page=False),
            Column("status", "Record", StrProfile.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Specimen or kit", Specimen.code, StrProfile.kit),
            one_of("patient", "Patient", Patient.code, patients),
            day("from", "Typed from", StrProfile.typed_on),
            day("to", "To", StrProfile.typed_on, until=True),
            choice("status", "Record", StrProfile.status, RecordStatus),
        ),
        sort="-typed_on",
        key=StrProfile.id,
        page="profiles.show",
        empty=Empty("No STR profile yet. A model is shown to be a patient's by comparing two.", "Record a profile", "profiles.new"),
    )
    return listing, rows


def _context(profile: StrProfile) -> dict[str, Any]:
    return {"loci": [line.partition(": ")[::2] for line in profile.alleles], "checks": checks_with(current_session(), profile.id)}


def _home(profile: StrProfile) -> str:
    return url_for("specimens.show", record_id=profile.specimen_id, _anchor="profiles")


PAGES = RecordPages(
    pages=Blueprint("profiles", __name__, url_prefix="/p/<project_code>/profiles"),
    noun=STR_PROFILE,
    form=ProfileForm,
    listing=_listing,
    template="profiles/show.html",
    context=_context,
    home=_home,
    lead="Whose tissue it is: a model is compared with the profile of its patient.",
)
pages = install(PAGES)
