"""The pages of alterations: the list, one alteration, its form, and the matrix of models × genes."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, null
from wtforms import StringField, TextAreaField

from lims.domain.alterations import Call, kinds_with
from lims.domain.errors import DomainError
from lims.domain.genes import GENE_LIST_VERSION, PathwaySet, clean_gene, pathways_of
from lims.domain.tissue_terms import AlterationKind, Compartment
from lims.domain.vocabulary import RecordStatus
from lims.models import Alteration, Patient, Specimen
from lims.queries.alterations import (
    Gene,
    Matrix,
    alteration_list,
    alteration_matrix,
    finding_words,
    in_no_pathway,
    in_pathway,
)
from lims.queries.specimens import donor_codes
from lims.records.tissue import ALTERATION
from lims.views.cells import badge
from lims.views.form_fields import CodeField, GeneField, IsoDateField, NumberField, TermField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session, needs
from lims.views.tables import Column, Empty, Filter, Listing, choice, one_of, send_rows
from lims.views.tissue_filters import model_filter

PATHWAY_TITLES = {
    PathwaySet.HER_FAMILY: "HER family",
    PathwaySet.PI3K_AKT_MTOR: "PI3K–AKT–mTOR",
    PathwaySet.ABC_TRANSPORTERS: "ABC transporters",
}
OTHER = "other"
OTHER_TITLE = "Other genes"
SHOWN_AS = {
    Call.MUTATION: ("◆", "endpoint"),
    Call.FUSION: ("⧓", "endpoint"),
    Call.AMPLIFIED: ("▲▲", "error"),
    Call.GAIN: ("▲", "warning"),
    Call.NEUTRAL: ("=", "quiet"),
    Call.LOSS: ("▽", "note"),
    Call.DELETED: ("▽▽", "note"),
    Call.UP: ("↑", "warning"),
    Call.UNCHANGED: ("=", "quiet"),
    Call.DOWN: ("↓", "note"),
    Call.STAINED: ("●", "good"),
    Call.MEASURED: ("◇", "quiet"),
}
"""Symbol and tone of a cell; the word stands beside them."""


def _of_kinds(name: str) -> dict[str, str]:
    """Say in the page of which kinds a value is, so that its script shows no others (`js/kinds.js`)."""
    return {"data-kinds": " ".join(kind.value for kind in kinds_with(name))}


class AlterationForm(RecordForm):
    """One finding in one gene."""

    groups = (
        Group("Gene", ("specimen_id", "compartment", "gene", "kind"), "Human tumour by HGNC symbol, mouse host by MGI symbol."),
        Group(
            "Mutation or fusion",
            ("hgvs", "vaf_percent"),
            "A mutation needs its change or its allele frequency, a fusion its partners.",
        ),
        Group("Copy number", ("copies",), "Copies as reported, or the log2 ratio below."),
        Group(
            "Copy number, expression or protein",
            ("log2_ratio", "calibrator"),
            "Of tumour over reference: 1 is twice as much, −1 is half.",
        ),
        Group(
            "Expression by qPCR",
            ("delta_cq", "delta_cq_sd", "reference_genes"),
            "Mean Cq of the gene less that of the reference genes: the higher, the less is expressed (MIQE).",
        ),
        Group("Expression or protein by stain", ("h_score",), "The H-score of a stained slide, or the log2 ratio above."),
        Group("Test", ("platform", "found_on", "note")),
    )
    units: ClassVar = {"vaf_percent": "%", "copies": "per cell", "delta_cq": "cycles", "delta_cq_sd": "cycles"}
    once: ClassVar = frozenset({"specimen_id"})

    specimen_id = CodeField("Specimen", Specimen, [needed("Name the specimen it was found in.")])
    compartment = TermField("Compartment", Compartment, default=Compartment.HUMAN_TUMOUR)
    gene = GeneField(
        "Gene",
        [needed("Name the gene.")],
        description=f"Of the list of {GENE_LIST_VERSION}. Usual aliases such as HER2, MDR1 and BCRP are understood.",
    )
    kind = TermField("Kind", AlterationKind)
    hgvs = StringField(
        "Change (HGVS)", description="Such as p.His1047Arg; of a fusion its partners, ERBB2::GRB7.", render_kw=_of_kinds("hgvs")
    )
    vaf_percent = NumberField("Variant allele frequency", render_kw=_of_kinds("vaf_percent"))
    copies = NumberField("Copies", render_kw=_of_kinds("copies"))
    log2_ratio = NumberField("Log2 ratio", render_kw=_of_kinds("log2_ratio"))
    calibrator = StringField("Relative to", description="Where it is a sample.", render_kw=_of_kinds("log2_ratio"))
    delta_cq = NumberField("ΔCq", render_kw=_of_kinds("delta_cq"))
    delta_cq_sd = NumberField("SD of ΔCq", description="Of the technical replicates.", render_kw=_of_kinds("delta_cq"))
    reference_genes = StringField("Reference genes", description="Such as GAPDH, ACTB.", render_kw=_of_kinds("delta_cq"))
    h_score = NumberField("H-score", description="0 to 300.", render_kw=_of_kinds("h_score"))
    platform = StringField("Platform", description="Such as MSK-IMPACT 341, NanoString nCounter, IHC.")
    found_on = IsoDateField("Date of the report")
    note = TextAreaField("Note")


def _listing() -> tuple[Listing, Any]:
    project, session = current_project(), current_session()
    rows = alteration_list(project.id)
    column = rows.selected_columns
    patients = [(code, code) for code in donor_codes(session, project.id)]
    listing = Listing(
        noun="alteration",
        caption="Alterations",
        columns=_list_columns(column),
        filters=(
            Filter("gene", "Gene", "search", _of_gene),
            Filter("pathway", "Pathway set", "select", _of_pathway, PATHWAY_OPTIONS),
            choice("kind", "Kind", Alteration.kind, AlterationKind),
            choice("compartment", "Compartment", Alteration.compartment, Compartment),
            model_filter(),
            one_of("patient", "Patient", Patient.code, patients),
            Filter("specimen", "Specimen", "search", lambda typed: Specimen.code.icontains(typed, autoescape=True)),
            choice("status", "Record", Alteration.status, RecordStatus),
        ),
        sort="gene",
        key=Alteration.id,
        page="alterations.show",
        empty=Empty(
            "No alteration yet. Record what a panel, a sequencing or a stain found.", "Record an alteration", "alterations.new"
        ),
    )
    return listing, rows


def _list_columns(column: Any) -> tuple[Column, ...]:
    return (
        Column("gene", "Gene", Alteration.gene, mono=True),
        Column("compartment", "Compartment", Alteration.compartment, show=_compartment),
        Column("kind", "Kind", Alteration.kind),
        Column("hgvs", "Finding", Alteration.hgvs, of_row=True, show=finding_words),
        Column("vaf_percent", "VAF", Alteration.vaf_percent, unit="%", align="end", show=_plain_number),
        Column("specimen", "Specimen", column.specimen, mono=True),
        Column("patient", "Patient", column.patient, mono=True),
        Column("model", "Model", column.model, mono=True),
        Column("copies", "Copies", Alteration.copies, on_page=False),
        Column("log2_ratio", "Log2 ratio", Alteration.log2_ratio, on_page=False),
        Column("calibrator", "Relative to", Alteration.calibrator, on_page=False),
        Column("delta_cq", "ΔCq", Alteration.delta_cq, unit="cycles", on_page=False),
        Column("delta_cq_sd", "SD of ΔCq", Alteration.delta_cq_sd, unit="cycles", on_page=False),
        Column("reference_genes", "Reference genes", Alteration.reference_genes, on_page=False),
        Column("h_score", "H-score", Alteration.h_score, on_page=False),
        Column("platform", "Platform", Alteration.platform, on_page=False),
        Column("found_on", "Date", Alteration.found_on, on_page=False),
        Column("status", "Record", Alteration.status, show=badge, on_page=False),
    )


PATHWAY_OPTIONS = [*((str(one.value), title) for one, title in PATHWAY_TITLES.items()), (OTHER, OTHER_TITLE)]


def _compartment(compartment: Compartment) -> str:
    return "tumour" if compartment is Compartment.HUMAN_TUMOUR else "mouse host"


def _plain_number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _of_gene(typed: str) -> ColumnElement[bool]:
    """A symbol or alias names its gene in tumour and host; anything else is searched for."""
    symbols = []
    for compartment in Compartment:
        try:
            symbols.append(clean_gene(typed, compartment))
        except DomainError:
            continue
    return Alteration.gene.in_(symbols) if symbols else Alteration.gene.icontains(typed, autoescape=True)


def _of_pathway(typed: str) -> ColumnElement[bool]:
    pathway = _pathway(typed)
    return in_pathway(pathway) if isinstance(pathway, PathwaySet) else in_no_pathway()


def _pathway(typed: str) -> PathwaySet | str:
    if typed not in dict(PATHWAY_OPTIONS):
        raise DomainError(f"{typed!r} is no pathway set.", expected=", ".join(code for code, _ in PATHWAY_OPTIONS))
    return OTHER if typed == OTHER else PathwaySet(typed)


def _context(alteration: Alteration) -> dict[str, Any]:
    pathways = ", ".join(PATHWAY_TITLES[one] for one in pathways_of(alteration.gene))
    measured = [
        ("Change (HGVS)", alteration.hgvs, ""),
        ("Variant allele frequency", _plain_number(alteration.vaf_percent), "%"),
        ("Copies", _plain_number(alteration.copies), "per cell"),
        ("Log2 ratio", _plain_number(alteration.log2_ratio), ""),
        ("Relative to", alteration.calibrator, ""),
        ("ΔCq", None if alteration.delta_cq is None else f"{alteration.delta_cq:.2f}", "cycles"),
        ("SD of ΔCq", None if alteration.delta_cq_sd is None else f"{alteration.delta_cq_sd:.2f}", "cycles"),
        ("Against", alteration.reference_genes, ""),
        ("H-score", _plain_number(alteration.h_score), "of 300"),
    ]
    return {
        "finding": finding_words(alteration),
        "pathways": pathways or "none of the three",
        "measured": [{"label": label, "value": value, "unit": unit} for label, value, unit in measured if value is not None],
    }


PAGES = RecordPages(
    pages=Blueprint("alterations", __name__, url_prefix="/p/<project_code>/alterations"),
    noun=ALTERATION,
    form=AlterationForm,
    listing=_listing,
    template="alterations/show.html",
    context=_context,
    index_template="alterations/index.html",
    form_template="alterations/form.html",
    lead="What was found in a gene of a specimen, in the tumour or in its host.",
)
pages = install(PAGES)


@pages.get("/matrix")
@needs("project:read")
def matrix() -> ResponseReturnValue:
    """Show models × genes, or send exactly that as a file."""
    asked = request.args.get("pathway", "")
    shown = alteration_matrix(current_session(), current_project().id, _pathway(asked) if asked else None)
    if name := request.args.get("format"):
        return send_rows("alteration", "Alterations of models", _columns(shown), _lines(shown), name, {"pathway": asked})
    return render_template(
        "alterations/matrix.html",
        matrix=shown,
        asked=asked,
        options=PATHWAY_OPTIONS,
        titles=PATHWAY_TITLES,
        other=OTHER_TITLE,
        symbols=SHOWN_AS,
    )


def _heading(gene: Gene) -> str:
    return gene.symbol if gene.compartment is Compartment.HUMAN_TUMOUR else f"{gene.symbol} (mouse host)"


def _columns(shown: Matrix) -> tuple[Column, ...]:
    fixed = [("model", "Model"), ("patient", "Patient"), ("specimen", "Specimen"), ("source", "From")]
    genes = [(_heading(gene), _heading(gene)) for gene in shown.genes]
    return tuple(Column(key, label, null()) for key, label in (*fixed, *genes))


def _lines(shown: Matrix) -> list[dict[str, str | None]]:
    return [
        {"model": model.code, "patient": model.patient, "specimen": row.code, "source": row.source}
        | {_heading(gene): "; ".join(_told(one.call, one.words) for one in row.cells.get(gene, ())) or None for gene in shown.genes}
        for model in shown.models
        for row in model.rows
    ]


def _told(call: Call, words: str) -> str:
    return words if call.value in words else f"{call.value} {words}".strip()
