"""Each rule's refusal says on which field, quotes the value, says what was expected, and where the rule stands."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import lims
from lims.domain import (
    aliquots,
    alterations,
    consents,
    events_order,
    genes,
    her2,
    identifiers,
    implanting,
    naming,
    passage,
    positions,
    protocols,
    pseudonyms,
    sources,
    str_match,
    surgery_limits,
)
from lims.domain.colony_terms import ImplantMaterial, ProtocolProcedure
from lims.domain.consents import ConsentTerms
from lims.domain.errors import DomainError, told
from lims.domain.events_order import Fact, Life
from lims.domain.implanting import ModelLine, TissueLine
from lims.domain.surgery import SurgicalRecord, check_surgery
from lims.domain.tissue_terms import (
    AliquotMaterial,
    AliquotState,
    AlterationKind,
    AmountUnit,
    Compartment,
    Her2Ihc,
    IshProbe,
    PlaceKind,
)
from lims.domain.vocabulary import ImplantSite, SpecimenKind

EARLY, LATE = date(2026, 1, 5), date(2026, 3, 2)
MODULES = (
    *("aliquots", "alterations", "consents", "events_order", "genes", "her2", "identifiers", "implanting", "naming", "passage"),
    *("positions", "protocols", "pseudonyms", "str_match"),
)


def protocol(**changed: Any) -> None:
    usual: dict[str, Any] = {"code": "A-12", "expires_on": LATE, "approved_on": EARLY, "animals_allowed": 18, "animals_used": 0}
    protocols.require_protocol(**usual | {"wanted": 0, "on": date(2026, 2, 1)} | changed)


def surgery(**fields: Any) -> None:
    check_surgery(ImplantSite.SUBCUTANEOUS, SurgicalRecord(**fields))


REFUSALS: list[tuple[str, Callable[[], object], str, str, str]] = [
    ("no consent", lambda: consents.require_xenograft([], LATE, "P03"), "aliquot_id", "P03", consents.GATE_SOURCE),
    (
        "withdrawn",
        lambda: consents.require_not_withdrawn([ConsentTerms(EARLY, EARLY)], LATE, "P03", field="patient_id", new="specimen"),
        "patient_id",
        str(EARLY),
        consents.WITHDRAWAL_SOURCE,
    ),
    ("name", lambda: pseudonyms.clean_patient_code("Anna Jansen"), "code", "Anna Jansen", pseudonyms.PSEUDONYM_SOURCE),
    (
        "birth date in a note",
        lambda: pseudonyms.refuse_identifying("born 12.04.1968", "note", "The note"),
        "note",
        "12.04.1968",
        pseudonyms.PSEUDONYM_SOURCE,
    ),
    ("hidden sign", lambda: identifiers.clean_identifier("P\u200b1", what="code"), "code", "U+200B", identifiers.UNICODE_SOURCE),
    (
        "HER2 ratio of a single probe",
        lambda: her2.classify(Her2Ihc.TWO_PLUS, IshProbe.SINGLE, 5.1, 2.4),
        "her2_cep17_ratio",
        "2.4",
        her2.SOURCE,
    ),
    ("HER2 copies", lambda: her2.classify(None, None, -1, None), "her2_copies", "-1", her2.SOURCE),
    ("STR locus", lambda: str_match.parse_profile("D99: 11"), "alleles", "D99", sources.STR_TYPING),
    ("STR allele", lambda: str_match.parse_profile("TH01: 99"), "alleles", "99", sources.STR_TYPING),
    ("STR match", lambda: str_match.match({"TH01": ("6",)}, {"TH01": ("6",)}), "alleles", "TH01", sources.STR_TYPING),
    ("gene", lambda: genes.clean_gene("ERBB9", Compartment.HUMAN_TUMOUR), "gene", "ERBB9", sources.GENE_SYMBOLS),
    ("mouse gene", lambda: genes.clean_gene("Abcb1a", Compartment.HUMAN_TUMOUR), "gene", "Abcb1a", sources.GENE_SYMBOLS),
    (
        "alteration without value",
        lambda: alterations.require_value(AlterationKind.MUTATION, {}),
        "hgvs",
        "A mutation",
        sources.CLINICAL,
    ),
    (
        "used-up aliquot",
        lambda: aliquots.require_available("AL-1", AliquotState.USED_UP),
        "aliquot_id",
        "AL-1 is used up",
        sources.ALL_OR_PART,
    ),
    (
        "more than it holds",
        lambda: aliquots.remaining("AL-1", 4, 5, AmountUnit.FRAGMENTS),
        "amount",
        "5 fragments",
        sources.ALL_OR_PART,
    ),
    ("parts", lambda: aliquots.shares(4, 0, None), "parts", "0 parts", sources.ALL_OR_PART),
    ("passage", lambda: passage.implant_passage(-1, from_patient=False), "passage", "-1", sources.LINEAGE),
    ("passage of a patient", lambda: passage.implant_passage(2, from_patient=True), "passage", "2", sources.LINEAGE),
    (
        "dead material",
        lambda: implanting.require_living("AL-1", AliquotMaterial.FFPE),
        "aliquot_id",
        "AL-1 is ffpe",
        sources.LIVING_TISSUE,
    ),
    (
        "another model",
        lambda: implanting.model_of_implant(
            TissueLine("AL-1", 1, "SP-1", from_patient=True), ModelLine(2, "BM-02"), [ModelLine(1, "BM-01")]
        ),
        "model_id",
        "BM-02",
        sources.LINEAGE,
    ),
    ("expired", lambda: protocol(on=date(2026, 4, 1)), "protocol_id", str(LATE), sources.AUTHORISED),
    ("not approved yet", lambda: protocol(on=date(2026, 1, 1)), "protocol_id", str(EARLY), sources.AUTHORISED),
    ("too many animals", lambda: protocol(wanted=20), "protocol_id", "18 animals", sources.AUTHORISED),
    (
        "procedure",
        lambda: protocol(procedure=ProtocolProcedure.INTRACRANIAL),
        "protocol_id",
        "intracranial implanting",
        sources.AUTHORISED,
    ),
    ("position", lambda: positions.parse_position("K4", 9, 9), "box_row", "K4", sources.NAMED_PLACES),
    ("grid", lambda: positions.require_grid(27, 9), "box_rows", "27", sources.NAMED_PLACES),
    (
        "nesting",
        lambda: positions.require_nesting(PlaceKind.FREEZER, PlaceKind.BOX, "BX-1"),
        "parent_id",
        "BX-1",
        sources.NAMED_PLACES,
    ),
    ("pattern", lambda: naming.check_pattern("AL"), "pattern", "AL", sources.NEVER_TWICE),
    (
        "order",
        lambda: events_order.require_order(Fact("the birth", LATE), Fact("the arrival", EARLY), field="arrived_on"),
        "arrived_on",
        str(EARLY),
        sources.ORDER_OF_EVENTS,
    ),
    (
        "future",
        lambda: events_order.require_not_future(Fact("the harvest", LATE), EARLY, field="collected_on"),
        "collected_on",
        str(LATE),
        sources.ORDER_OF_EVENTS,
    ),
    (
        "after death",
        lambda: events_order.require_alive(Fact("the implanting", LATE), Life("M1", died=EARLY), field="implanted_on"),
        "implanted_on",
        str(EARLY),
        sources.ORDER_OF_EVENTS,
    ),
    (
        "collected before birth",
        lambda: events_order.require_collection(date(1960, 1, 1), LATE, patient_code="P03", birth_year=1968),
        "collected_on",
        "1968",
        sources.ORDER_OF_EVENTS,
    ),
    ("volume", lambda: surgery(volume_ul=5e3), "volume_ul", "5000", surgery_limits.VOLUMES),
    ("coordinates", lambda: surgery(dv_mm=-3), "dv_mm", "-3 mm", surgery_limits.ATLAS),
    ("analgesia", lambda: surgery(analgesia_hours=999), "analgesia_hours", "999 h", surgery_limits.CARE),
    ("cells", lambda: surgery(material=ImplantMaterial.CELLS, cell_count=0), "cell_count", "0 cells", surgery_limits.PRACTICE),
    ("weight", lambda: surgery(weight_g=214), "weight_g", "214 g", sources.PLAUSIBLE),
]


@pytest.mark.parametrize(("rule", "field", "value", "source"), [pytest.param(*one[1:], id=one[0]) for one in REFUSALS])
def test_a_refusal_says_where_what_and_by_which_rule(rule: Callable[[], object], field: str, value: str, source: str) -> None:
    with pytest.raises(DomainError) as refused:
        rule()
    assert refused.value.field == field
    assert value in str(refused.value)
    assert refused.value.expected
    assert refused.value.source == source
    assert told(refused.value).endswith(f"Rule: {source}.")


@pytest.mark.parametrize(
    ("notices", "source"),
    [
        (aliquots.doubt_material(SpecimenKind.TUMOUR, AliquotMaterial.PLASMA), sources.SAMPLE_TYPES),
        (aliquots.doubt_thaws("AL-1", 3, LATE, None), sources.FREEZE_THAW),
        (aliquots.doubt_order("AL-1", EARLY, LATE), sources.ORDER_OF_EVENTS),
        (alterations.unusual(AlterationKind.MUTATION, {"hgvs": "H1047R"}), sources.HGVS),
        (pseudonyms.doubt_patient_code("MUSTERMANN1"), pseudonyms.PSEUDONYM_SOURCE),
        (consents.doubt_withdrawn([ConsentTerms(EARLY, EARLY)], LATE, "P03", field="aliquots"), consents.WITHDRAWAL_SOURCE),
        (check_surgery(ImplantSite.SUBCUTANEOUS, SurgicalRecord(volume_ul=400)), surgery_limits.VOLUMES),
    ],
)
def test_a_doubt_says_by_which_rule(notices: list[Any], source: str) -> None:
    (notice,) = notices
    assert (notice.source, bool(notice.expected)) == (source, True)


def test_nothing_that_a_rule_of_tissue_refuses_or_doubts_leaves_its_source_out() -> None:
    silent = []
    for module in MODULES:
        path = Path(lims.__file__).parent / "domain" / f"{module}.py"
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"DomainError", "Notice"}):
                continue
            named = any(keyword.arg == "source" for keyword in call.keywords) or len(call.args) > 4
            silent += [] if named else [f"{path.name}:{call.lineno}"]
    assert silent == ["identifiers.py:26", "identifiers.py:28"], "empty and too long are plain sense"
