"""The registries that a laboratory keeps as workbooks, both ways: templates go out by them, and come in."""

from __future__ import annotations

from importers.template_format import RECORDED_AGENTS, ColumnKind, TemplateColumn
from lims.audit.words import term_text
from lims.domain.errors import NotFound
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import MEASUREMENT_KINDS
from lims.models import Animal, Implant, Study
from lims.records.colony import ANIMAL, CAGE, PROTOCOL
from lims.records.doses import DOSE
from lims.records.exposures import EXPOSURE
from lims.records.fates import FATE
from lims.records.implants import IMPLANT
from lims.records.patients import CONSENT, PATIENT, THERAPY_LINE
from lims.records.pdx import MODEL, MODEL_CHECK
from lims.records.preparations import PREPARATION
from lims.records.procedures import PROCEDURE
from lims.records.readings import MEASUREMENT
from lims.records.registry_columns import Described, Registry
from lims.records.storage import ALIQUOT, PLACE
from lims.records.studies import ARM, ENROLMENT, STUDY
from lims.records.tissue import ALTERATION, RECEPTOR_ASSAY, SPECIMEN, STR_PROFILE
from lims.records.treatment import AGENT, LOT, REGIMEN

_CLASSES = tuple((term_text(one.value), one.value) for one in AgentClass if one is not AgentClass.VEHICLE)
_KINDS = tuple((f"{kind.title} ({kind.unit})", kind.code) for kind in MEASUREMENT_KINDS)
_PDX_MI = "PDX-MI (Meehan et al. 2017)"
_ARRIVE = "ARRIVE 2.0"

_AGENTS = (
    Described(
        TemplateColumn("agents", ColumnKind.AGENTS, ("agents",), needed=True, terms=_CLASSES),
        "Every agent of the line with its class in brackets, separated by semicolons. Needed.",
        f"classes: {', '.join(told for told, _ in _CLASSES)}",
        "trastuzumab [monoclonal antibody]; capecitabine [chemotherapy]",
    ),
    Described(
        TemplateColumn("agents as recorded", ColumnKind.AGENTS, (RECORDED_AGENTS,), terms=_CLASSES),
        "The agents when the workbook was written, by which it shows what was taken out. Leave it as it is.",
        "as exported, or blank",
    ),
)
_STUDY_OF_ARM = Described(
    TemplateColumn("study", ColumnKind.REFERENCE, ("study",), needed=True),
    "Of which study the arm is. Needed.",
    "study that is there, by its code; of this project",
    "ST-01",
    target=Study,
    through="arm_id",
)
_READINGS = (
    Described(
        TemplateColumn("animal", ColumnKind.REFERENCE, ("animal",), needed=True),
        "Which animal was measured. Needed.",
        "animal that is there, by its code",
        "M-0001",
        target=Animal,
    ),
    Described(
        TemplateColumn("tumour", ColumnKind.REFERENCE, ("implant",)),
        "Which tumour of the animal, where a tumour was measured.",
        "implant that is there, by its label; blank where the animal has one alone",
        "brain",
        target=Implant,
    ),
    Described(
        TemplateColumn("kind", ColumnKind.TERM, ("kind",), needed=True, terms=_KINDS),
        "What was measured; its unit stands in brackets. Needed.",
        ", ".join(told for told, _ in _KINDS),
        "Body weight (g)",
    ),
    Described(
        TemplateColumn("taken", ColumnKind.DAY_OR_MOMENT, ("when",), needed=True),
        "When it was measured, in the laboratory's time. Needed.",
        "date such as 2026-11-02, or date and time such as 2026-11-02 14:30",
        "2026-01-15",
    ),
    Described(
        TemplateColumn("value", ColumnKind.NUMBER, ("value",)),
        "The value in the unit of its kind. Needed, unless length and width stand beside it.",
        "number; limits by kind, as on the page of measurements",
        21.4,
    ),
    Described(
        TemplateColumn("length (mm)", ColumnKind.NUMBER, ("length_mm",)), "Longer diameter of a tumour by caliper.", "number", None
    ),
    Described(
        TemplateColumn("width (mm)", ColumnKind.NUMBER, ("width_mm",)), "Shorter diameter of a tumour by caliper.", "number", None
    ),
    Described(TemplateColumn("operator", ColumnKind.TEXT, ("operator",)), "Who measured.", "text, at most 200 characters", "AB"),
    Described(TemplateColumn("device", ColumnKind.TEXT, ("device",)), "With what.", "text, at most 200 characters", "scale 2"),
)

REGISTRIES: dict[str, Registry] = {
    one.name: one
    for one in (
        Registry(
            PATIENT,
            "Patients",
            f"{_PDX_MI}, clinical module; MIABIS 2.0",
            {
                "code": "P-0001",
                "birth_year": 1968,
                "diagnosis": "HER2-positive breast carcinoma",
                "diagnosis_ncit": "C53556",
                "age_at_diagnosis": 49,
            },
        ),
        Registry(
            CONSENT,
            "Consents",
            "MIABIS 2.0, permitted uses",
            {"patient": "P-0001", "protocol": "BIOBANK-2", "protocol_version": "3.1", "given_on": "2025-11-02"},
        ),
        Registry(
            THERAPY_LINE,
            "Therapy lines",
            f"{_PDX_MI}, clinical module; RECIST 1.1, RANO-BM",
            {"patient": "P-0001", "line_number": 1, "started_on": "2024-03-04", "stopped_on": "2024-11-18"},
            extra=_AGENTS,
        ),
        Registry(
            SPECIMEN,
            "Specimens",
            f"{_PDX_MI}, tumour module; MIABIS 2.0; SPREC 3.0",
            {
                "code": "P-0001-BM",
                "patient": "P-0001",
                "collected_on": "2026-01-15",
                "site": "cerebral cortex",
                "site_uberon": "UBERON:0000956",
                "warm_ischaemia_minutes": 4,
                "cold_ischaemia_minutes": 25,
                "tumour_content_percent": 80,
                "necrosis_percent": 5,
                "grade": 3,
            },
        ),
        Registry(
            RECEPTOR_ASSAY,
            "Receptor assays",
            "ASCO/CAP 2018 and 2023 (HER2), ASCO/CAP 2020 (ER, PR)",
            {"specimen": "P-0001-BM", "assayed_on": "2026-01-20", "er_percent": 0, "pr_percent": 0, "ki67_percent": 40}
            | {"her2_ihc": "3+", "her2_copies": 8.1, "her2_cep17_ratio": 3.9, "antibody": "4B5"},
        ),
        Registry(
            ALTERATION,
            "Alterations",
            "HGNC and MGI symbols; HGVS nomenclature 21.1",
            {"specimen": "P-0001-BM", "gene": "PIK3CA", "hgvs": "p.His1047Arg", "vaf_percent": 42, "found_on": "2026-02-01"},
        ),
        Registry(
            STR_PROFILE,
            "STR profiles",
            "ANSI/ATCC ASN-0002-2022",
            {"specimen": "P-0001-BM", "typed_on": "2026-02-10", "kit": "PowerPlex 16", "alleles": "D5S818: 11, 12; TH01: 6, 9.3"},
        ),
        Registry(
            PLACE,
            "Storage places",
            "ANSI/SLAS 4, rows and columns",
            {"code": "BX-01", "kind": "box", "parent": "RACK-2", "temperature_celsius": -80, "box_rows": 9, "box_columns": 9},
        ),
        Registry(
            ALIQUOT,
            "Aliquots",
            "MIABIS 2.0; SPREC 3.0",
            {
                "code": "AL-0001",
                "specimen": "P-0001-BM",
                "amount": 2,
                "preserved_on": "2026-01-15",
                "thaw_count": 0,
                "place": "BX-01",
            },
        ),
        Registry(MODEL, "PDX models", f"{_PDX_MI}, model creation", {"code": "PDX-001", "founding_specimen": "P-0001-BM"}),
        Registry(
            MODEL_CHECK,
            "Checks of models",
            f"{_PDX_MI}, quality assurance",
            {"model": "PDX-001", "checked_on": "2026-02-12", "specimen": "P-0001-BM", "value_percent": 96.5},
        ),
        Registry(
            PREPARATION,
            "Cell preparations",
            f"{_PDX_MI}, model creation",
            {
                "code": "CP-0001",
                "sample": "PDX-001 P2",
                "model": "PDX-001",
                "counted_on": "2026-01-15",
                "viable_cells_per_ml": 2.4e6,
            }
            | {"viability_percent": 92},
        ),
        Registry(
            PROTOCOL,
            "Animal protocols",
            f"{_ARRIVE}, item 14; Directive 2010/63/EU",
            {"code": "AP-2026-01", "title": "Brain metastasis models", "expires_on": "2029-12-31", "animals_allowed": 200},
        ),
        Registry(
            ANIMAL,
            "Animals",
            f"{_ARRIVE}, item 8",
            {
                "code": "M-0001",
                "ear_tag": "007",
                "strain": "NOD.Cg-Prkdc<scid> Il2rg<tm1Wjl>/SzJ",
                "birth_date": "2025-11-03",
                "arrived_on": "2026-01-05",
                "source": "breeder",
                "cage": "C-01",
            },
        ),
        Registry(CAGE, "Cages", "Directive 2010/63/EU, annex III", {"code": "C-01", "rack": "R1", "capacity": 5}),
        Registry(
            IMPLANT,
            "Implants",
            f"{_PDX_MI}, model creation; {_ARRIVE}, item 9",
            {
                "animal": "M-0001",
                "label": "brain",
                "model": "PDX-001",
                "implanted_on": "2026-01-15",
                "cell_count": 100000,
                "viability_percent": 92,
                "volume_ul": 2,
                "ap_mm": 0.5,
                "ml_mm": 2,
                "dv_mm": -3.5,
            },
        ),
        Registry(
            PROCEDURE,
            "Procedures",
            f"{_ARRIVE}, item 9",
            {"animal": "M-0001", "done_on": "2026-02-20", "device": "IVIS Spectrum", "anaesthetic": "isoflurane 2 %"},
        ),
        Registry(
            STUDY,
            "Studies",
            f"{_ARRIVE}, items 1 to 7",
            {"code": "ST-01", "title": "T-DXd in the brain", "hypothesis": "T-DXd slows growth in the brain."},
        ),
        Registry(ARM, "Arms", f"{_ARRIVE}, items 1 and 2", {"study": "ST-01", "code": "A", "title": "vehicle", "target_n": 10}),
        Registry(
            ENROLMENT,
            "Enrolments",
            f"{_ARRIVE}, items 2 to 4",
            {"study": "ST-01", "arm": "A", "animal": "M-0001", "enrolled_on": "2026-02-01"},
        ),
        Registry(
            AGENT,
            "Agents",
            "PDX-MI, treatment; HGNC symbols",
            {"code": "T-DXd", "name": "trastuzumab deruxtecan", "targets": "ERBB2"},
        ),
        Registry(LOT, "Lots of agents", f"{_ARRIVE}, item 9", {"agent": "T-DXd", "code": "L-2317", "received_on": "2026-01-10"}),
        Registry(
            REGIMEN,
            "Regimens",
            f"{_ARRIVE}, item 9; PDX-MI, treatment",
            {
                "study": "ST-01",
                "arm": "A",
                "agent": "T-DXd",
                "dose": 10,
                "route": "intravenous",
                "volume_ml_kg": 5,
                "schedule": "Q3Wx3",
                "start_day": 0,
            },
            context=(_STUDY_OF_ARM,),
        ),
        Registry(
            DOSE,
            "Doses",
            f"{_ARRIVE}, item 9; PDX-MI, treatment",
            {
                "animal": "M-0001",
                "agent": "T-DXd",
                "study": "ST-01",
                "due_on": "2026-02-02",
                "nth": 1,
                "given_on": "2026-02-02",
                "dose": 10,
                "weight_g": 21.4,
                "volume_ul": 107,
                "operator": "AB",
            },
        ),
        Registry(MEASUREMENT, "Measurements", f"{_ARRIVE}, item 6", {}, extra=_READINGS, only_extra=True),
        Registry(
            EXPOSURE,
            "Exposures",
            f"{_ARRIVE}, item 6",
            {
                "animal": "M-0001",
                "agent": "T-DXd",
                "analyte": "DXd",
                "concentration": 3.2,
                "below_lloq": "no",
                "lloq": 0.5,
                "collected_on": "2026-02-03",
                "hours_after_dose": 24,
            },
        ),
        Registry(FATE, "Fates", f"{_ARRIVE}, items 3 and 16", {"animal": "M-0001", "died_on": "2026-03-20", "method": "CO₂"}),
    )
}
"""Every registry by the name of its noun."""


def registry_named(name: str) -> Registry:
    """Give a registry by its noun.

    Raises:
        NotFound: there is none.
    """
    if name not in REGISTRIES:
        raise NotFound(f'There is no template for "{name}".', expected=", ".join(REGISTRIES))
    return REGISTRIES[name]
