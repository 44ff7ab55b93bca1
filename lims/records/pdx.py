"""Writes patient-derived models and what was checked of them (PDX-MI)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.colony_terms import Engraftment
from lims.domain.errors import DomainError, about_row
from lims.domain.events_order import Fact, require_order
from lims.domain.model_checks import BY_VERDICT, VALUE_WORDS, her2_retained
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT, LINEAGE, QUALITY, STR_TYPING
from lims.domain.str_match import StrMatch, match, parse_profile
from lims.domain.tissue_terms import CheckKind, CheckResult, ModelKind
from lims.domain.vocabulary import ModelStatus, RecordStatus, SpecimenKind
from lims.models import Animal, Implant, ModelCheck, PdxModel, Specimen, StrProfile
from lims.queries.chunks import by_id, in_chunks
from lims.queries.implants import brought_by_files
from lims.queries.series import AnySelect
from lims.records.consents import require_consent_kept, require_xenograft_consent
from lims.records.noun import Draft, Noun, judge_each
from lims.records.origins import give_models, spread_origin
from lims.records.values import today

FOUNDING_KINDS = (SpecimenKind.TUMOUR, SpecimenKind.CSF)
"""What a model may be founded from: tumour, or the fluid that carries its cells."""
_NEVER_STOOD = frozenset({ModelStatus.ATTEMPTED, ModelStatus.FAILED})


def _check_models(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse founding tissue that is no tumour, dates out of order, and another founding specimen than implants came from."""
    _judge_models(session, drafts)


def _judge_models(session: Session, drafts: Sequence[Draft]) -> list[Notice]:
    specimens = by_id(session, Specimen, (draft.values["founding_specimen_id"] for draft in drafts))

    def judge(draft: Draft) -> None:
        founding = specimens.get(draft.values["founding_specimen_id"])
        if founding is not None:
            _check_founding(draft, founding)
        _check_established(draft)

    judge_each(drafts, judge)
    _refuse_other_founding(session, drafts)
    _refuse_withdrawn(session, drafts, specimens)
    return _ask_consents(session, drafts, specimens)


def _check_founding(draft: Draft, founding: Specimen) -> None:
    values = draft.values
    if founding.kind not in FOUNDING_KINDS:
        raise DomainError(
            f"Specimen {founding.code} is {founding.kind.value.replace('_', ' ')}: no model grows from that.",
            field="founding_specimen_id",
            expected="a specimen of tumour or CSF",
            remedy="Name the tissue that was implanted or cultured first.",
            source=LINEAGE,
        )
    collected = Fact(f"the collection of {founding.code}", founding.collected_on)
    require_order(collected, Fact("the establishing of this model", values["established_on"]), field="established_on")


def _check_established(draft: Draft) -> None:
    state, on = draft.values["state"], draft.values["established_on"]
    if on is not None and state in _NEVER_STOOD:
        raise DomainError(
            f"It was established on {on}, and its state is {state.value}.",
            field="established_on",
            expected="no date, or the state established or retired",
            source=CONSISTENT,
        )


def _refuse_other_founding(session: Session, drafts: Sequence[Draft]) -> None:
    changed = [
        draft
        for draft in drafts
        if draft.record is not None and draft.record.founding_specimen_id is not None and draft.changes("founding_specimen_id")
    ]
    for draft in changed:
        active = select(func.count()).where(Implant.model_id == draft.record.id, Implant.status == RecordStatus.ACTIVE)
        count = session.scalar(active)
        if count:
            raise DomainError(
                f"{count} implant{'s' if count > 1 else ''} of {draft.record.code} stand on its founding specimen.",
                field="founding_specimen_id",
                expected="the specimen that is recorded",
                remedy="If the implants are of other tissue, record another model and give it to them.",
                source=LINEAGE,
            )


def _refuse_withdrawn(session: Session, drafts: Sequence[Draft], specimens: Mapping[int | None, Specimen]) -> None:
    """Refuse a model of a patient who had withdrawn when it was founded: when it was established, or else today."""
    now = today(session)
    for number, draft in enumerate(drafts):
        founding, values = specimens.get(draft.values["founding_specimen_id"]), draft.values
        if founding is not None and founding.donor_id is not None and (draft.changes("founding_specimen_id") or draft.returns):
            use = "xenograft" if values["kind"] is ModelKind.XENOGRAFT else None
            with about_row(number):
                require_consent_kept(
                    session,
                    {founding.donor_id},
                    values["established_on"] or now,
                    use=use,
                    field="founding_specimen_id",
                    new="model is founded",
                )


def _ask_consents(session: Session, drafts: Sequence[Draft], specimens: Mapping[int | None, Specimen]) -> list[Notice]:
    """Ask for the consent of a patient who only now gets known, on the days when tissue of the model was implanted.

    Refused without one; where a file brought the implants, the animals were there before anybody could ask: that is doubted.
    """
    named = [draft for draft in drafts if draft.record is not None and draft.changes("founding_specimen_id")]
    founding = {draft.record.id: specimens.get(draft.values["founding_specimen_id"]) for draft in named}
    donors = {key: specimen.donor_id for key, specimen in founding.items() if specimen is not None and specimen.donor_id}
    dated = in_chunks(session, sorted(donors), _dated_by_model)
    files = brought_by_files(session, [implant.id for implant, _ in dated])
    asked: dict[tuple[date, int, bool], list[str]] = defaultdict(list)
    for implant, animal in dated:
        asked[implant.implanted_on, donors[implant.model_id], implant.id in files].append(f"{animal} {implant.label}")
    notices = []
    for (on, donor, by_file), tumours in sorted(asked.items()):
        try:
            require_xenograft_consent(session, {donor}, on)
        except DomainError as refused:
            told = f"{refused} Implanted on {on}: {', '.join(tumours)}."
            if not by_file:
                raise DomainError(
                    told,
                    field="founding_specimen_id",
                    expected=refused.expected,
                    remedy="Record the consent first.",
                    source=refused.source,
                ) from refused
            notices.append(Notice("warning", "founding_specimen_id", told, refused.expected, refused.source))
    return notices


def _dated_by_model(model_ids: Sequence[int]) -> AnySelect:
    """Select the dated implants that are of a patient only by their model, with their animals."""
    rows = select(Implant, Animal.code).join(Animal, Animal.id == Implant.animal_id).order_by(Animal.code, Implant.label)
    only = (Implant.status == RecordStatus.ACTIVE, Implant.aliquot_id.is_(None), Implant.implanted_on.is_not(None))
    return rows.where(Implant.model_id.in_(model_ids), *only)


def _doubt_models(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt an established xenograft line of which no implant is known to have grown, and missing consents of old implants."""
    notices = _judge_models(session, drafts)
    for draft in drafts:
        values = draft.values
        established = values["state"] is ModelStatus.ESTABLISHED and values["kind"] is ModelKind.XENOGRAFT
        if established and draft.changes("state", "kind") and not _has_grown(session, draft.record):
            message = "No implant of this model is recorded as engrafted."
            notices.append(Notice("warning", "state", message, "at least one that grew; record it at the implant", source=LINEAGE))
    return notices


def _has_grown(session: Session, model: PdxModel | None) -> bool:
    if model is None:
        return False
    grown = (Implant.model_id == model.id, Implant.engraftment == Engraftment.ENGRAFTED, Implant.status == RecordStatus.ACTIVE)
    return session.scalar(select(Implant.id).where(*grown).limit(1)) is not None


def _give_donors(session: Session, models: Sequence[PdxModel]) -> None:
    """Let implants that only name their model, as those of old files do, be of the patient it was founded from."""
    founding = by_id(session, Specimen, (model.founding_specimen_id for model in models))
    donors = {model.id: founding[model.founding_specimen_id].donor_id for model in models if model.founding_specimen_id}
    unsourced = in_chunks(
        session,
        sorted(donors),
        lambda some: select(Implant).where(Implant.model_id.in_(some), Implant.aliquot_id.is_(None)),
    )
    followers = [implant for (implant,) in unsourced if implant.donor_id != donors[implant.model_id]]
    for implant in followers:
        implant.donor_id = donors[implant.model_id]
    spread_origin(session, followers)


def _follow_models(session: Session, models: Sequence[PdxModel]) -> None:
    """Give implants the patient, and the model, that follow from what their line was founded from."""
    _give_donors(session, models)
    standing = [model for model in models if model.status is RecordStatus.ACTIVE]
    give_models(session, sorted({model.founding_specimen_id for model in standing if model.founding_specimen_id is not None}))


MODEL: Noun[PdxModel] = Noun(
    "model",
    PdxModel,
    check=_check_models,
    doubt=_doubt_models,
    follow=_follow_models,
    dependents=((Implant, "model_id"),),
)


# Checks


def str_match_of(query: StrProfile, reference: StrProfile) -> StrMatch:
    """Match two recorded profiles.

    Raises:
        DomainError: on `profile_id`: too few loci are typed in both.
    """
    try:
        return match(parse_profile("\n".join(query.alleles)), parse_profile("\n".join(reference.alleles)))
    except DomainError as refused:
        raise DomainError(
            str(refused), field="profile_id", expected=refused.expected, remedy=refused.remedy, source=refused.source
        ) from refused


def suggested_result(session: Session, values: Mapping[str, Any]) -> CheckResult | None:
    """Give the result that follows from what is recorded: two STR profiles, or the HER2 of founding and checked tissue."""
    if values["kind"] is CheckKind.STR_PROFILE and values["profile_id"] and values["reference_profile_id"]:
        query, reference = (session.get_one(StrProfile, values[name]) for name in ("profile_id", "reference_profile_id"))
        return BY_VERDICT[str_match_of(query, reference).verdict]
    if values["kind"] is CheckKind.HER2_RETAINED and values["specimen_id"]:
        return _her2_result(session.get_one(PdxModel, values["model_id"]), session.get_one(Specimen, values["specimen_id"]))
    return None


def _her2_result(model: PdxModel, checked: Specimen) -> CheckResult | None:
    founding = model.founding_specimen
    return None if founding is None else her2_retained(founding.her2_result, checked.her2_result)


def _check_checks(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse tissue of another patient, percentages of what is not measured; an STR result follows from its two profiles."""
    models = by_id(session, PdxModel, (draft.values["model_id"] for draft in drafts))
    profiles = by_id(
        session, StrProfile, (draft.values[name] for draft in drafts for name in ("profile_id", "reference_profile_id"))
    )

    def judge(draft: Draft) -> None:
        _check_profiles(draft, profiles)
        _require_same_donor(session, models[draft.values["model_id"]], draft, profiles)
        _check_value(draft)

    judge_each(drafts, judge)


def _check_profiles(draft: Draft, profiles: Mapping[int | None, StrProfile]) -> None:
    values = draft.values
    query, reference = profiles.get(values["profile_id"]), profiles.get(values["reference_profile_id"])
    values["masters_percent"] = None
    if values["kind"] is not CheckKind.STR_PROFILE:
        for name in ("profile_id", "reference_profile_id"):
            if values[name] is not None:
                raise DomainError("Only a check by STR compares profiles.", field=name, expected="no profile", source=STR_TYPING)
        return
    if (query is None) != (reference is None):
        raise DomainError(
            "A match compares two profiles.",
            field="reference_profile_id" if reference is None else "profile_id",
            expected="the profile of the model, and the one of the patient",
            source=STR_TYPING,
        )
    if query is None or reference is None:
        return
    if query.id == reference.id:
        raise DomainError(
            "A profile always matches itself.",
            field="reference_profile_id",
            expected="the patient's own profile",
            source=STR_TYPING,
        )
    found = str_match_of(query, reference)
    result = BY_VERDICT[found.verdict]
    if values["result"] is not result:
        raise DomainError(
            f"The profiles match by {found.tanabe_percent:.1f} % (Tanabe), which is {found.verdict.value}: {result.value}.",
            field="result",
            expected=result.value,
            remedy="Leave the result to the profiles.",
            source=STR_TYPING,
        )
    values["value_percent"], values["masters_percent"] = found.tanabe_percent, found.masters_percent
    values["specimen_id"] = values["specimen_id"] or query.specimen_id


def _require_same_donor(session: Session, model: PdxModel, draft: Draft, profiles: Mapping[int | None, StrProfile]) -> None:
    """Refuse tissue that the record says is of another patient: then it is not this model's, whatever the check says."""
    founding = model.founding_specimen
    donor = founding.donor_id if founding else None
    checked = draft.values["specimen_id"]
    asked = {"specimen_id": session.get(Specimen, checked) if checked else None}
    asked |= {name: one.specimen for name in ("profile_id", "reference_profile_id") if (one := profiles.get(draft.values[name]))}
    for name, specimen in asked.items():
        if specimen is not None and donor is not None and specimen.donor_id not in {None, donor}:
            raise DomainError(
                f"{specimen.code} is recorded as tissue of another patient than model {model.code}.",
                field=name,
                expected="tissue of the patient that the model was founded from",
                source=LINEAGE,
            )


def _check_value(draft: Draft) -> None:
    kind, value = draft.values["kind"], draft.values["value_percent"]
    if value is not None and kind not in VALUE_WORDS:
        raise DomainError(
            "This kind of check measures nothing in percent.",
            field="value_percent",
            expected="no value; percentages belong to STR matches and fractions of species",
            source=QUALITY,
        )
    if value is None and kind is CheckKind.SPECIES_FRACTION:
        raise DomainError("What fraction is human?", field="value_percent", expected="a percentage, such as 92", source=QUALITY)


def _doubt_checks(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt a comparison of HER2 that says something else than the assays of the two specimens do."""
    _check_checks(session, project_id, drafts)
    notices = []
    for draft in drafts:
        follows = suggested_result(session, draft.values)
        if follows not in {None, CheckResult.INCONCLUSIVE} and draft.values["result"] is not follows:
            message = f"By the assays of founding and checked tissue this check would be {follows.value}."
            notices.append(Notice("warning", "result", message, follows.value, source=QUALITY))
    return notices


MODEL_CHECK: Noun[ModelCheck] = Noun(
    "check",
    ModelCheck,
    check=_check_checks,
    doubt=_doubt_checks,
    fixed=frozenset({"model_id"}),
    derived=frozenset({"masters_percent"}),
    key=(),
)
