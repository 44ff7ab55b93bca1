"""The pages of checks of a model: authentication by STR profile, mycoplasma, mouse cells, lymphoma, histology, HER2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Blueprint
from wtforms import SelectChoice, SelectField, StringField, TextAreaField  # type: ignore[attr-defined]  # newer than the stubs

from lims.domain.errors import DomainError, told
from lims.domain.model_checks import CHECK_TITLES, CHECK_WORDS, VALUE_WORDS
from lims.domain.str_match import FEWEST_LOCI, LOCI, parse_profile
from lims.domain.tissue_terms import CheckKind, CheckResult
from lims.domain.vocabulary import RecordStatus
from lims.models import ModelCheck, PdxModel, Specimen, StrProfile
from lims.queries.models import profiles_to_compare
from lims.queries.tissue_lists import check_list
from lims.records.pdx import MODEL_CHECK, str_match_of, suggested_result
from lims.records.values import today
from lims.views.cells import badge
from lims.views.form_fields import CodeField, IsoDateField, NumberField, TermField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Column, Empty, Listing, choice, day, search

STR_RULE = (
    "ANSI/ATCC ASN-0002-2022: a Tanabe match from 90 % is the same person, below 80 % another. "
    f"At least {FEWEST_LOCI} loci have to be typed in both; the match and the result follow from them."
)


def _profiles() -> list[Any]:
    found = profiles_to_compare(current_session(), current_project().id)
    named = [(profile, " · ".join(str(one) for one in (code, profile.typed_on, profile.kit) if one)) for profile, code in found]
    return [SelectChoice("", "None"), *(SelectChoice(str(profile.id), name) for profile, name in named)]


def _id(value: Any) -> int | None:
    return int(value) if str(value or "").isdigit() else None


class CheckForm(RecordForm):
    """One check; what follows from profiles or assays is left blank."""

    groups = (
        Group("Check", ("model_id", "kind", "checked_on", "specimen_id")),
        Group(
            "STR profiles",
            ("profile_id", "reference_profile_id"),
            STR_RULE,
        ),
        Group("Result", ("result", "value_percent", "method", "note")),
    )
    units: ClassVar = {"value_percent": "%"}
    once: ClassVar = frozenset({"model_id"})

    model_id = CodeField("Model", PdxModel, [needed("Name the model that was checked.")])
    kind = TermField("Kind", CheckKind, words=CHECK_TITLES.get)
    checked_on = IsoDateField("Checked on", [needed("The day of the check is needed.")])
    specimen_id = CodeField("Checked tissue", Specimen, description="The specimen; its passage is the check's.")
    profile_id = SelectField("Profile of the model", choices=_profiles, coerce=_id)
    reference_profile_id = SelectField("Profile of the patient", choices=_profiles, coerce=_id)
    result = TermField("Result", CheckResult, blank="Follows from profiles, or from HER2 of both specimens")
    value_percent = NumberField("Value", description="The human fraction, or a match that an outside laboratory reported.")
    method = StringField("Method", description="Such as PCR, flow cytometry for CD45, EBER in situ hybridisation.")
    note = TextAreaField("Note")

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.standing: ModelCheck | None = settings.get("obj")

    def values(self, *, changing: bool = False) -> dict[str, Any]:
        """Give what was typed; a result that was left blank follows from what is recorded, where it can."""
        values = super().values(changing=changing)
        if values["result"] is None:
            model_id = self.standing.model_id if self.standing else values["model_id"]
            values["result"] = suggested_result(current_session(), values | {"model_id": model_id})
        return values


def _listing() -> tuple[Listing, Any]:
    listing = Listing(
        noun="check",
        caption="Checks of models",
        columns=(
            Column("kind", "Check", ModelCheck.kind, show=lambda kind: CHECK_TITLES[kind]),
            Column("model", "Model", PdxModel.code, mono=True),
            Column("checked_on", "Checked", ModelCheck.checked_on),
            Column("result", "Result", ModelCheck.result, show=badge),
            Column("value_percent", "Value", ModelCheck.value_percent, unit="%", align="end", show=_value),
            Column("specimen", "Tissue", Specimen.code, mono=True),
            Column("method", "Method", ModelCheck.method),
            Column("masters_percent", "Masters", ModelCheck.masters_percent, unit="%", on_page=False),
            Column("note", "Note", ModelCheck.note, on_page=False),
            Column("status", "Record", ModelCheck.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Model or tissue", PdxModel.code, Specimen.code),
            choice("kind", "Check", ModelCheck.kind, CheckKind),
            choice("result", "Result", ModelCheck.result, CheckResult),
            day("from", "Checked from", ModelCheck.checked_on),
            day("to", "To", ModelCheck.checked_on, until=True),
            choice("status", "Record", ModelCheck.status, RecordStatus),
        ),
        sort="-checked_on",
        key=ModelCheck.id,
        page="checks.show",
        empty=Empty("No check yet. A model is checked against its patient before it is trusted.", "Record a check", "checks.new"),
    )
    return listing, check_list(current_project().id)


def _value(percent: float | None) -> str | None:
    return None if percent is None else f"{percent:.3g}"


@dataclass(frozen=True, slots=True)
class LocusRow:
    """One locus of two profiles: each allele with whether the other profile has it; and whether the match counts the locus."""

    locus: str
    model: list[tuple[str, bool]]
    patient: list[tuple[str, bool]]
    counted: bool

    @property
    def shared(self) -> int:
        """Count the alleles that both have."""
        return sum(both for _, both in self.model)


def _context(check: ModelCheck) -> dict[str, Any]:
    found, loci = _compared(check)
    return {"words": CHECK_WORDS[check.kind], "value_word": VALUE_WORDS.get(check.kind), **found, "loci": loci}


def _compared(check: ModelCheck) -> tuple[dict[str, Any], list[LocusRow]]:
    """Match the two profiles as they are recorded now; one that lost loci since is told to match no more."""
    if check.profile is None or check.reference_profile is None:
        return {}, []
    try:
        match = str_match_of(check.profile, check.reference_profile)
    except DomainError as refused:
        return {"unmatched": told(refused)}, _loci(check.profile, check.reference_profile, ())
    return {"match": match}, _loci(check.profile, check.reference_profile, match.loci)


def _loci(model: StrProfile, patient: StrProfile, counted: tuple[str, ...]) -> list[LocusRow]:
    ours, theirs = (parse_profile("\n".join(one.alleles)) for one in (model, patient))
    return [
        LocusRow(
            locus,
            [(allele, allele in theirs.get(locus, ())) for allele in ours.get(locus, ())],
            [(allele, allele in ours.get(locus, ())) for allele in theirs.get(locus, ())],
            locus in counted,
        )
        for locus in LOCI
        if locus in ours or locus in theirs
    ]


PAGES = RecordPages(
    pages=Blueprint("checks", __name__, url_prefix="/p/<project_code>/checks"),
    noun=MODEL_CHECK,
    form=CheckForm,
    listing=_listing,
    template="checks/show.html",
    context=_context,
    start=lambda: {"checked_on": today(current_session())},
    lead="Whose the model is, and whether it still is what it was (PDX-MI, quality assurance).",
)
pages = install(PAGES)
