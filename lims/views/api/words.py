"""The fields of the API in words, for its document and its page: what a value is, of what kind, in which unit."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Date, Float, Integer

from lims.audit.record import field_name
from lims.audit.words import field_word, unit_of
from lims.models.base import UtcDateTime
from lims.queries.api_resources import Field, Resource
from lims.records.colony import ANIMAL, CAGE, PROTOCOL
from lims.records.doses import DOSE
from lims.records.implants import IMPLANT
from lims.records.patients import CONSENT, PATIENT, THERAPY_LINE
from lims.records.pdx import MODEL, MODEL_CHECK
from lims.records.storage import ALIQUOT, ALIQUOT_EVENT, PLACE
from lims.records.tissue import ALTERATION, RECEPTOR_ASSAY, SPECIMEN, STR_PROFILE
from lims.records.treatment import AGENT, LOT, REGIMEN

NOUNS = (
    PATIENT, CONSENT, THERAPY_LINE, SPECIMEN, RECEPTOR_ASSAY, ALTERATION, STR_PROFILE, ALIQUOT, ALIQUOT_EVENT, PLACE,
    MODEL, MODEL_CHECK, ANIMAL, CAGE, PROTOCOL, IMPLANT, AGENT, LOT, REGIMEN, DOSE,
)  # fmt: skip
_DERIVED = {noun.model: noun.derived for noun in NOUNS}
_BOOKKEEPING = {
    "id": "number of the record: never given to another",
    "status": "active, or withdrawn with a reason that stands in the audit trail",
    "version": "counts the changes of the record",
}
_KINDS = {
    Boolean: "true or false",
    UtcDateTime: "time, UTC",
    Date: "date",
    Integer: "whole number",
    Float: "number",
    JSON: "list of texts",
}


def about(resource: Resource, one: Field) -> str:
    """Say what a value is, with its unit; and of a value that nobody types, that it follows from others."""
    if one.about or one.name in _BOOKKEEPING:
        return one.about or _BOOKKEEPING[one.name]
    word = field_word(str(resource.model.__tablename__), field_name(one.name))
    unit = unit_of(str(resource.model.__tablename__), one.name)
    derived = one.parameter in _DERIVED.get(resource.model, frozenset())
    return f"{word}{f', in {unit}' if unit else ''}{'; follows from other records' if derived else ''}"


def kind_of(one: Field) -> str:
    """Say of which kind a value is."""
    if one.target is not None:
        return f"reference: id{f', {one.naming}' if one.naming else ''}"
    if one.terms:
        return "term"
    return next((told for kind, told in _KINDS.items() if isinstance(one.type, kind)), "text")
