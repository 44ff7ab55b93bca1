"""Writes specimens and what was found in them: receptor assays, alterations, STR profiles.

HER2 of a specimen is written here and nowhere else: by the rules of `lims.domain.her2`, from its active assays, whenever one
of them is recorded, changed, withdrawn or brought back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.alterations import require_value, unusual
from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, Life, require_collection, require_harvest, require_order
from lims.domain.genes import clean_gene
from lims.domain.her2 import SOURCE as HER2_SOURCE
from lims.domain.her2 import AssayReport, Her2Finding, classify, combine
from lims.domain.notices import Notice
from lims.domain.orthotopic import Organ, organ_of
from lims.domain.sources import CNS_DISEASE, LINEAGE, SAMPLE_TYPES, STR_TYPING, UBERON
from lims.domain.str_match import AUTOSOMAL_LOCI, FEWEST_LOCI, parse_profile, profile_lines
from lims.domain.tissue_terms import CnsStatus, Compartment
from lims.domain.vocabulary import RecordStatus, SpecimenKind
from lims.models import (
    Aliquot,
    Alteration,
    Animal,
    Exposure,
    Implant,
    ModelCheck,
    Patient,
    PdxModel,
    ReceptorAssay,
    Specimen,
    StainRegion,
    StrProfile,
)
from lims.queries.chunks import by_id, in_chunks
from lims.queries.specimens import as_report
from lims.records.consents import ask_by_day, doubts_of_withdrawn, require_consent_kept
from lims.records.noun import Draft, Noun, doubt_each, judge_each
from lims.records.values import today

FLUIDS = frozenset({SpecimenKind.BLOOD, SpecimenKind.PLASMA, SpecimenKind.CSF})
CNS_KINDS = frozenset({SpecimenKind.BRAIN_REGION, SpecimenKind.CSF})
CNS_ORGANS = frozenset({Organ.BRAIN, Organ.MENINGES, Organ.SPINAL_CORD})
_UBERON = re.compile(r"UBERON[:_ ]?([0-9]{7})", re.IGNORECASE)


def _check_specimens(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """One source each; donor and passage follow from it; nothing is collected before its source was there."""
    judge_each(drafts, _check_one_source)
    implants = by_id(session, Implant, [draft.values["source_implant_id"] for draft in drafts], joinedload(Implant.animal))
    patients = by_id(session, Patient, [draft.values["patient_id"] for draft in drafts])
    animals = by_id(session, Animal, [draft.values["source_animal_id"] for draft in drafts])
    now = today(session)

    def judge(draft: Draft) -> None:
        values, collected = draft.values, draft.values["collected_on"]
        patient, implant = patients.get(values["patient_id"]), implants.get(values["source_implant_id"])
        animal = animals.get(values["source_animal_id"])
        if implant is not None:
            values["donor_id"], values["passage"] = implant.donor_id, implant.passage
            require_harvest(collected, implant.implanted_on, _life(implant.animal), now)
        elif animal is not None:
            values["donor_id"], values["passage"] = None, None
            _check_sample(values, animal, now)
        elif patient is not None:
            values["donor_id"], values["passage"] = patient.id, None
            require_collection(collected, now, patient_code=patient.code, birth_year=patient.birth_year)
        if draft.record is not None and draft.changes("collected_on"):
            _require_before_findings(session, draft)

    judge_each(drafts, judge)
    _ask_consents(session, drafts, now)


def _ask_consents(session: Session, drafts: Sequence[Draft], now: date) -> None:
    """Refuse tissue that was taken from patients on a day when they had withdrawn; what is not dated was taken today."""
    asked: dict[date, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, draft in enumerate(drafts):
        donor = draft.values["patient_id"]
        if donor is not None and (draft.changes("collected_on") or draft.returns):
            asked[draft.values["collected_on"] or now][donor].append(number)

    def ask(donors: Collection[int], on: date) -> None:
        require_consent_kept(session, donors, on, field="patient_id", new="specimen is received")

    ask_by_day(asked, ask)


def _check_one_source(draft: Draft) -> None:
    draft.values["site_uberon"] = _uberon(draft.values["site_uberon"])
    sources = [draft.values[name] for name in ("patient_id", "source_implant_id", "source_animal_id")]
    known = sum(source is not None for source in sources)
    if known != 1:
        raise DomainError(
            f'Specimen "{draft.values["code"]}" has {"two sources" if known else "no source"}.',
            field="patient_id",
            expected="one source: a patient, a tumour in an animal, or an animal",
            source=LINEAGE,
        )


def _life(animal: Animal) -> Life:
    return Life(animal.code, animal.birth_date, animal.arrived_on, animal.died_on)


def _check_sample(values: dict[str, Any], animal: Animal, now: date) -> None:
    """A sample of an animal is its own tissue or fluid; a tumour is harvested from its implant, which gives it a donor."""
    if values["kind"] is SpecimenKind.TUMOUR:
        raise DomainError(
            f"Which tumour of {animal.code}?",
            field="kind",
            expected="plasma, blood, CSF, brain or an organ",
            remedy="Record a tumour as a harvest of its implant: donor and passage follow from there.",
            source=LINEAGE,
        )
    require_harvest(values["collected_on"], None, _life(animal), now)


def _uberon(text: str | None) -> str | None:
    """Give an UBERON code in its one way of writing."""
    if text is None:
        return None
    code = _UBERON.fullmatch(text)
    if code is None:
        raise DomainError(
            f'"{text}" is no UBERON code.',
            field="site_uberon",
            expected="UBERON: and seven digits, such as UBERON:0000955 for the brain",
            remedy="Look it up in the Uberon ontology, or leave it out and write the site in words.",
            source=UBERON,
        )
    return f"UBERON:{code[1]}"


def _require_before_findings(session: Session, draft: Draft) -> None:
    """Refuse a collection that is moved behind what was already found in the specimen, kept of it or implanted."""
    collection = Fact(f"the collection of {draft.values['code']}", draft.values["collected_on"])
    dated: list[tuple[str, Any, Any]] = [
        ("its first receptor assay", ReceptorAssay, ReceptorAssay.assayed_on),
        ("its first alteration", Alteration, Alteration.found_on),
        ("its first STR profile", StrProfile, StrProfile.typed_on),
        ("its first aliquot", Aliquot, Aliquot.preserved_on),
    ]
    for what, model, column in dated:
        first = select(func.min(column)).where(model.specimen_id == draft.record.id, model.status == RecordStatus.ACTIVE)
        require_order(collection, Fact(what, session.scalar(first)), field="collected_on")
    implanted = select(func.min(Implant.implanted_on)).join(Aliquot, Aliquot.id == Implant.aliquot_id)
    own = implanted.where(Aliquot.specimen_id == draft.record.id, Implant.status == RecordStatus.ACTIVE)
    require_order(collection, Fact("its first implanting", session.scalar(own)), field="collected_on")


def _doubt_specimens(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about new tissue of patients who withdrew, tumour content of a fluid, and brain disease stated for other tissue."""
    now = today(session)
    _ask_consents(session, drafts, now)  # nobody confirms what is refused anyway
    implants = by_id(session, Implant, [draft.values["source_implant_id"] for draft in drafts if draft.record is None])
    donors = {draft.values["patient_id"] for draft in drafts if draft.record is None} | {one.donor_id for one in implants.values()}
    withdrawn = doubts_of_withdrawn(session, {one for one in donors if one is not None}, now, field="patient_id")
    return [*withdrawn, *doubt_each(drafts, lambda draft: (*_doubtful_content(draft), *_doubtful_status(draft)))]


def _doubtful_content(draft: Draft) -> list[Notice]:
    kind = draft.values["kind"]
    return [
        Notice(
            "warning",
            name,
            f"{kind.value.upper() if kind is SpecimenKind.CSF else kind.value.capitalize()} has no {word}.",
            source=SAMPLE_TYPES,
        )
        for name, word in (("tumour_content_percent", "tumour content"), ("necrosis_percent", "necrosis"))
        if kind in FLUIDS and draft.values[name] is not None and draft.changes("kind", name)
    ]


def _doubtful_status(draft: Draft) -> list[Notice]:
    values = draft.values
    stated = values["cns_status"] not in (None, CnsStatus.NOT_RECORDED, CnsStatus.NONE_KNOWN)
    if not stated or not draft.changes("cns_status", "kind", "site", "site_uberon"):
        return []
    expected = "tissue of brain or meninges, or CSF, taken from the patient"
    if values["patient_id"] is None:
        told = "The CNS disease is the patient's at collection, and this was harvested from an animal."
        return [Notice("warning", "cns_status", told, expected, source=CNS_DISEASE)]
    if values["kind"] in CNS_KINDS or organ_of(values["site_uberon"], values["site"]) in CNS_ORGANS:
        return []
    where = f"the site is {values['site']}" if values["site"] else "no site is given"
    return [Notice("warning", "cns_status", f"A CNS disease at collection is stated, and {where}.", expected, source=CNS_DISEASE)]


SPECIMEN: Noun[Specimen] = Noun(
    "specimen",
    Specimen,
    check=_check_specimens,
    doubt=_doubt_specimens,
    fixed=frozenset({"patient_id", "source_implant_id", "source_animal_id"}),
    derived=frozenset({"donor_id", "passage", "her2_result", "her2_label"}),
    dependents=(
        (Aliquot, "specimen_id"),
        (PdxModel, "founding_specimen_id"),
        (ModelCheck, "specimen_id"),
        (ReceptorAssay, "specimen_id"),
        (Alteration, "specimen_id"),
        (StainRegion, "specimen_id"),
        (StrProfile, "specimen_id"),
        (Exposure, "specimen_id"),
    ),
)


_MEASURED = ("er_percent", "pr_percent", "ki67_percent", "her2_ihc", "her2_copies", "her2_cep17_ratio")


def _specimens(session: Session, drafts: Sequence[Draft]) -> dict[int | None, Specimen]:
    """Give the specimens that findings stand on."""
    return by_id(session, Specimen, [draft.values["specimen_id"] for draft in drafts])


def _require_after_collection(draft: Draft, specimen: Specimen | None, what: str, column: str) -> None:
    if specimen is not None:
        collected = Fact(f"the collection of {specimen.code}", specimen.collected_on)
        require_order(collected, Fact(what, draft.values[column]), field=column)


def _check_assays(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a report that says nothing, contradicts itself, or is older than the specimen."""
    specimens = _specimens(session, drafts)

    def judge(draft: Draft) -> None:
        values = draft.values
        if all(values[name] is None for name in _MEASURED):
            raise DomainError(
                "This assay reports nothing.",
                field="er_percent",
                expected="at least one of ER, PR, Ki-67, HER2 IHC and ISH",
                remedy="Copy the values from the report.",
                source=HER2_SOURCE,
            )
        _require_after_collection(draft, specimens.get(values["specimen_id"]), "the assay", "assayed_on")
        _classified(values)

    judge_each(drafts, judge)


def _classified(values: dict[str, Any]) -> Her2Finding:
    return classify(values["her2_ihc"], values["ish_probe"], values["her2_copies"], values["her2_cep17_ratio"])


def _doubt_assays(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about a probe without counts, and about IHC and ISH that contradict each other."""

    def doubt(draft: Draft) -> Iterator[Notice]:
        values = draft.values
        counts = values["her2_copies"], values["her2_cep17_ratio"]
        if values["ish_probe"] is not None and counts == (None, None) and draft.changes("ish_probe", "her2_copies"):
            told = "An ISH probe is named, and nothing that was counted with it."
            yield Notice(
                "warning", "her2_copies", told, "HER2 copies per cell, and with a dual probe the ratio", source=HER2_SOURCE
            )
        finding = _classified(values)
        if finding.discordant and draft.changes("her2_ihc", "ish_probe", "her2_copies", "her2_cep17_ratio"):
            yield Notice("warning", "her2_ihc", finding.rule, "IHC and ISH that agree", source=HER2_SOURCE)

    return doubt_each(drafts, doubt)


def derive_her2(session: Session, assays: Sequence[ReceptorAssay]) -> None:
    """Write the HER2 result and label of the specimens that these assays stand on, inside the declared action."""
    keys = sorted({assay.specimen_id for assay in assays})
    reports: dict[int, list[AssayReport]] = defaultdict(list)
    active = select(ReceptorAssay).where(ReceptorAssay.status == RecordStatus.ACTIVE).order_by(ReceptorAssay.id)
    for (assay,) in in_chunks(session, keys, lambda some: active.where(ReceptorAssay.specimen_id.in_(some))):
        reports[assay.specimen_id].append(as_report(assay))
    # As they stand in the database: somebody else's assay may have changed them since this request first read them.
    standing = select(Specimen).execution_options(populate_existing=True)
    for (specimen,) in in_chunks(session, keys, lambda some: standing.where(Specimen.id.in_(some))):
        finding = combine(reports[specimen.id])
        specimen.her2_result, specimen.her2_label = finding.result, finding.label
    session.flush()


RECEPTOR_ASSAY: Noun[ReceptorAssay] = Noun(
    "assay",
    ReceptorAssay,
    check=_check_assays,
    doubt=_doubt_assays,
    follow=derive_her2,
    fixed=frozenset({"specimen_id"}),
    key=(),
)


def _check_alterations(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Genes of the list of their compartment, a value of the kind, and no mouse in a patient."""
    specimens = _specimens(session, drafts)

    def judge(draft: Draft) -> None:
        values, specimen = draft.values, specimens.get(draft.values["specimen_id"])
        values["gene"] = clean_gene(values["gene"], values["compartment"])
        require_value(values["kind"], values)
        if specimen is not None and specimen.patient_id is not None and values["compartment"] is Compartment.MOUSE_HOST:
            raise DomainError(
                f"{specimen.code} was taken from a patient, and there is no mouse host in it.",
                field="compartment",
                expected="human tumour",
                remedy="Look whether it is the right specimen.",
                source=LINEAGE,
            )
        _require_after_collection(draft, specimen, "the finding", "found_on")

    judge_each(drafts, judge)


def _doubt_alterations(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about values that do not belong to the kind, and about changes not written as HGVS writes them."""

    def doubt(draft: Draft) -> list[Notice]:
        require_value(draft.values["kind"], draft.values)  # nobody confirms what is refused anyway
        return [one for one in unusual(draft.values["kind"], draft.values) if draft.changes("kind", one.field or "kind")]

    return doubt_each(drafts, doubt)


ALTERATION: Noun[Alteration] = Noun(
    "alteration", Alteration, check=_check_alterations, doubt=_doubt_alterations, fixed=frozenset({"specimen_id"}), key=()
)


def _check_profiles(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Read what was typed, one locus a line, and keep it in one way of writing."""
    specimens = _specimens(session, drafts)

    def judge(draft: Draft) -> None:
        draft.values["alleles"] = profile_lines(parse_profile("\n".join(draft.values["alleles"])))
        _require_after_collection(draft, specimens.get(draft.values["specimen_id"]), "the typing", "typed_on")

    judge_each(drafts, judge)


def _doubt_profiles(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about a profile with too few loci to tell two people apart."""

    def doubt(draft: Draft) -> Iterator[Notice]:
        loci = [locus for locus in parse_profile("\n".join(draft.values["alleles"])) if locus in AUTOSOMAL_LOCI]
        if len(loci) < FEWEST_LOCI and draft.changes("alleles"):
            told = f"Only {len(loci)} autosomal {'locus is' if len(loci) == 1 else 'loci are'} typed: too few to match a model by."
            yield Notice("warning", "alleles", told, f"{FEWEST_LOCI} loci or more (ASN-0002)", source=STR_TYPING)

    return doubt_each(drafts, doubt)


STR_PROFILE: Noun[StrProfile] = Noun(
    "profile",
    StrProfile,
    check=_check_profiles,
    doubt=_doubt_profiles,
    fixed=frozenset({"specimen_id"}),
    key=(),
    dependents=((ModelCheck, "profile_id"), (ModelCheck, "reference_profile_id")),
)
