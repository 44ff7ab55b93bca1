"""One record of every noun, connected as the work connects them: from a patient to a harvest, and the place it is frozen in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import ActionState, EndpointMeasure, FateReason
from lims.domain.colony_terms import DepthReference, Hemisphere, ImplantMaterial, StereotacticOrigin
from lims.domain.tissue_terms import AmountUnit, CnsStatus, Her2Label, IshProbe
from lims.domain.vocabulary import AnimalStatus, ImplantSite, StudyStatus, TumourOrigin
from lims.models import (
    Agent,
    AgentLot,
    Aliquot,
    Alteration,
    Animal,
    AnimalAlias,
    AnimalProtocol,
    Arm,
    Cage,
    CellPreparation,
    Consent,
    Dose,
    EndpointRule,
    Exposure,
    Implant,
    ImportProfile,
    LabKind,
    ModelCheck,
    Patient,
    PdxModel,
    Procedure,
    Project,
    ReceptorAssay,
    Regimen,
    Specimen,
    StainRegion,
    StoragePlace,
    StrProfile,
    Study,
    TherapyLine,
)
from tests.support import factories


@dataclass(frozen=True, slots=True)
class Whole:
    """The records, each under the name of its pages (the blueprint of `lims/views`)."""

    patients: Patient
    consents: Consent
    therapy: TherapyLine
    specimens: Specimen
    assays: ReceptorAssay
    alterations: Alteration
    stains: StainRegion
    profiles: StrProfile
    storage: StoragePlace
    aliquots: Aliquot
    models: PdxModel
    preparations: CellPreparation
    checks: ModelCheck
    protocols: AnimalProtocol
    endpoints: EndpointRule
    cages: Cage
    animals: Animal
    aliases: AnimalAlias
    implants: Implant
    kinds: LabKind
    import_profiles: ImportProfile
    procedures: Procedure
    exposures: Exposure
    agents: Agent
    lots: AgentLot
    regimens: Regimen
    doses: Dose

    def ids(self) -> dict[str, int]:
        """Give the ids by the name of the pages."""
        return {one.name: getattr(self, one.name).id for one in fields(self)}


def whole(session: Session, project: Project, name: str = "W", **of_patient: Any) -> Whole:
    """Add one of everything to a project; `name` begins all codes, so that projects differ."""
    patient = factories.patient(session, project, f"{name}-P01", **of_patient)
    tissue = factories.specimen(
        session,
        patient,
        f"{name}-S1",
        her2_label=Her2Label.HER2_LOW,
        cns_status=CnsStatus.UNTREATED_ASYMPTOMATIC,
        origin=TumourOrigin.METASTATIC,
        collected_on=date(2025, 2, 1),
        site="frontal lobe",
    )
    box = factories.box(session, project, f"{name}-BX1")
    in_box = {"place_id": box.id, "box_row": 1, "box_column": 1, "amount": 4, "unit": AmountUnit.FRAGMENTS}
    vial = factories.aliquot(session, tissue, f"{name}-AL1", preserved_on=date(2025, 2, 1), **in_box)
    factories.aliquot_event(session, vial)
    model = factories.model(session, project, f"{name}-M1", founding_specimen_id=tissue.id)
    protocol, cage = factories.protocol(session, project, f"{name}-A1"), factories.cage(session, project, f"{name}-C1")
    mouse = _mouse(session, project, f"{name}-1", protocol, cage)
    counted = {"aliquot_id": vial.id, "specimen_id": tissue.id, "counted_on": date(2026, 2, 20)}
    suspension = factories.preparation(session, project, f"{name}-CP1", model_id=model.id, **counted)
    implant = _implant(session, mouse, model, vial, patient, preparation_id=suspension.id)
    agent = factories.agent(session, project, f"{name}-DRUG")
    rule = factories.endpoint_rule(session, protocol, EndpointMeasure.NEUROLOGICAL_SCORE, 3, watch_at=2)
    _ended(session, project, f"{name}-2", rule)
    harvested = {"patient_id": None, "source_implant_id": implant.id, "passage": 0, "her2_label": Her2Label.HER2_LOW}
    factories.specimen(session, patient, f"{name}-S2", collected_on=date(2026, 3, 20), **harvested)
    return Whole(
        patients=patient,
        consents=factories.consent(session, patient),
        therapy=factories.therapy_line(session, patient),
        specimens=tissue,
        assays=factories.assay(session, tissue, ish_probe=IshProbe.DUAL),
        alterations=factories.alteration(session, tissue, hgvs="p.His1047Arg"),
        stains=factories.stain_region(session, tissue),
        profiles=factories.profile(session, tissue),
        storage=box,
        aliquots=vial,
        models=model,
        preparations=suspension,
        checks=factories.model_check(session, model),
        protocols=protocol,
        endpoints=rule,
        cages=cage,
        animals=mouse,
        aliases=factories.alias(session, mouse, f"{name}-other"),
        implants=implant,
        kinds=factories.lab_kind(session, project),
        import_profiles=factories.import_profile(session, project, f"{name} barn"),
        procedures=factories.procedure(session, mouse),
        exposures=factories.exposure(session, mouse, agent),
        agents=agent,
        **_treatment(session, agent, mouse, name),
    )


def _treatment(session: Session, agent: Agent, mouse: Animal, name: str) -> dict[str, Any]:
    project = session.get_one(Project, agent.project_id)
    study = factories.study(session, project, f"{name}-ST1", state=StudyStatus.ACTIVE)
    lot = factories.lot(session, agent, f"{name}-L1")
    regimen = factories.regimen(session, factories.arm(session, study, "treated"), agent)
    planned = {"lot_id": lot.id, "regimen_id": regimen.id, "study_id": study.id, "due_on": date(2026, 3, 2)}
    dose = factories.dose(session, mouse, agent, **planned, reason="an hour late")
    _randomised(session, study, mouse)
    return {"lots": lot, "regimens": regimen, "doses": dose}


def _randomised(session: Session, study: Study, mouse: Animal) -> None:
    """Let a run have put the mouse in the study's arm."""
    run = factories.randomisation(session, study)
    (arm,) = session.scalars(select(Arm).where(Arm.study_id == study.id))
    factories.allocation(session, run, mouse, arm_id=arm.id, baseline_value=1.2e6, stratum="female")


def _ended(session: Session, project: Project, code: str, rule: EndpointRule) -> None:
    """Add an animal that reached an endpoint and died of it."""
    mouse = factories.animal(session, project, code, state=AnimalStatus.DEAD, died_on=date(2026, 3, 20))
    ended = factories.fate(session, mouse, died_on=date(2026, 3, 20), reason=FateReason.NEUROLOGICAL_ENDPOINT)
    closed = {"state": ActionState.CLOSED, "answer": "fate", "answered_on": date(2026, 3, 20), "fate_id": ended.id}
    factories.endpoint_action(session, rule, mouse, **closed)


def _mouse(session: Session, project: Project, code: str, protocol: AnimalProtocol, cage: Cage) -> Animal:
    lives = {"protocol_id": protocol.id, "cage_id": cage.id, "state": AnimalStatus.ALIVE, "arrived_on": date(2026, 2, 2)}
    mouse = factories.animal(session, project, code, **lives)
    factories.cage_move(session, mouse, to_cage_id=cage.id)
    return mouse


def _implant(session: Session, mouse: Animal, model: PdxModel, vial: Aliquot, patient: Patient, **columns: Any) -> Implant:
    return factories.implant(
        session,
        mouse,
        site=ImplantSite.INTRACRANIAL,
        hemisphere=Hemisphere.RIGHT,
        material=ImplantMaterial.CELLS,
        coordinate_origin=StereotacticOrigin.BREGMA,
        depth_reference=DepthReference.DURA,
        model_id=model.id,
        aliquot_id=vial.id,
        donor_id=patient.id,
        passage=0,
        implanted_on=date(2026, 2, 20),
        **columns,
    )
