"""A project with something on every page, and one with nothing but a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import (
    ActionState,
    ConcentrationUnit,
    DoseState,
    EndpointLevel,
    EndpointMeasure,
    ExposureMatrix,
    WeightBaseline,
)
from lims.domain.colony_terms import Hemisphere
from lims.domain.signatures import SignatureMeaning
from lims.domain.tissue_terms import (
    AgentClass,
    AlterationKind,
    CheckKind,
    CheckResult,
    CnsStatus,
    Compartment,
    Her2Ihc,
    Her2Label,
    Her2Result,
)
from lims.domain.vocabulary import AnimalStatus, BatchState, ImplantSite, RecordStatus, StudyStatus
from lims.intake.run import Outcome
from lims.models import (
    Agent,
    Aliquot,
    Animal,
    AnimalProtocol,
    AuditEvent,
    Enrolment,
    Implant,
    ImportProfileVersion,
    Measurement,
    Membership,
    PdxModel,
    Project,
    Study,
    User,
)
from lims.queries.signed import Content, digest
from lims.records.readings import NewReading
from lims.records.signatures import Said, amend_reading, lock
from tests.browser.addresses import EMPTY, FULL, SIGNED_OUT
from tests.intake.desk import EVERYTHING, Desk
from tests.intake.event_log import WEEK, log
from tests.support import factories, files

ALLELES = ["CSF1PO: 10, 12", "D13S317: 11, 12", "D16S539: 9, 11", "D18S51: 14, 17", "D3S1358: 15, 16", "D5S818: 11, 12"]
ALLELES += ["D7S820: 8, 10", "FGA: 21, 23", "AMEL: X"]
DAYS = ("2026-03-02", "2026-03-09")


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Two projects, one with everything and one with a bare study; `keys` are the records their addresses name."""

    desk: Desk
    keys: dict[str, int]

    def path(self, place: str) -> str:
        """Give a place's address."""
        return (FULL | EMPTY | SIGNED_OUT)[place].format(**self.keys)


def built(new_desk: Callable[[str], Desk]) -> Laboratory:
    """Make a project with readings of every kind, a file in each state, and one with nothing but a study."""
    full, empty = new_desk("FULL"), new_desk("EMPTY")
    with factories.declared(full.database) as session:
        project = session.get_one(Project, full.project)
        study = factories.cohort(session, project, arms=("vehicle", "tucatinib", "Anti-HER2 antibody 10 mg/kg + PI3K inhibitor"))
        bare = factories.study(session, session.get_one(Project, empty.project))
        member = session.scalars(select(Membership).where(Membership.project_id == project.id)).one()
        keys = {"study": study.id, "empty_study": bare.id, "member": member.id, "person": member.user_id}
        keys["token"] = factories.token(session, session.get_one(User, member.user_id), last_used_on=date(2026, 3, 9)).id
        keys |= colony(session, project)
        keys |= freezer(session, project)
        keys |= findings(session, project)
        keys |= readings(session, project, study)
    with full.database.reading() as session:
        of_project = Animal.project_id == full.project
        living = of_project, Animal.died_on.is_(None)
        animals = list(session.scalars(select(Animal.code).where(*living).order_by(Animal.id)))
        keys["animal"] = session.scalars(select(func.min(Animal.id)).where(of_project)).one()
    keys |= files_in_every_state(full, study.code, animals)
    with factories.declared(full.database) as session:
        keys |= treatment(session, session.get_one(Project, full.project))
        keys |= signed(session, session.get_one(Project, full.project), session.get_one(User, keys["person"]))
        keys["alias"] = factories.alias(session, session.get_one(Animal, keys["animal"])).id
    with full.database.reading() as session:
        of_batch = select(func.min(Measurement.id)).where(Measurement.batch_id == keys["committed"])
        keys["measurement"] = session.scalars(of_batch).one()
        keys["event"] = session.scalars(select(func.max(AuditEvent.seq))).one()
    return Laboratory(full, keys)


def signed(session: Session, project: Project, person: User) -> dict[str, int]:
    """Sign a locked study: by one signature that holds, one that was amended, and one that nobody gave. Gives what was recorded."""
    study = factories.cohort(session, project, animals=1)
    animal = session.scalars(select(Enrolment.animal_id).where(Enrolment.study_id == study.id).order_by(Enrolment.id)).first()
    reading = factories.measurement(session, session.get_one(Animal, animal), value=20.0)
    fate = factories.fate(session, session.get_one(Animal, animal), died_on=date(2026, 3, 20), reason="found_dead")
    study.state, actor = StudyStatus.CLOSED, factories.actor(person)
    session.flush()
    said = Said(SignatureMeaning.APPROVED, "every reading compared with its file")
    lock(session, actor, study, said, version=study.version, seen=digest(Content(session, study.id).told()))
    right = NewReading(reading.animal_id, reading.kind, reading.taken_on or date(2026, 3, 2), 20.9)
    amend_reading(session, actor, study, reading, said, version=reading.version, right=right)
    factories.signature(session, study, person)
    return {"signed": study.id, "signed_reading": reading.id, "signed_fate": fate.id}


def readings(session: Session, project: Project, study: Study) -> dict[str, int]:
    """Type a weight, add a kind, image an animal, and measure how much of an agent reached it. Gives what was recorded."""
    first = session.scalars(select(Enrolment).where(Enrolment.study_id == study.id).order_by(Enrolment.id)).first()
    assert first is not None
    animal = session.get_one(Animal, first.animal_id)
    drug = factories.agent(session, project, "TUC", fraction_unbound_plasma=0.05, fraction_unbound_brain=0.02)
    factories.exposure(session, animal, drug)
    tissue = {"unit": ConcentrationUnit.NG_PER_G, "concentration": 40.0}
    core = factories.exposure(session, animal, drug, matrix=ExposureMatrix.LESION_CORE, **tissue)
    below = {"unit": ConcentrationUnit.NG_PER_G, "concentration": None, "below_lloq": True, "lloq": 1.0}
    factories.exposure(session, animal, drug, matrix=ExposureMatrix.CONTRALATERAL_BRAIN, **below)
    profile = factories.import_profile(session, project, "Weekly sheet of the barn")
    return {
        "profile": profile.id,
        "profile_version": session.scalars(
            select(ImportProfileVersion.id).where(ImportProfileVersion.profile_id == profile.id)
        ).one(),
        "arm": first.arm_id,
        "enrolment": first.id,
        "typed": factories.measurement(session, animal, "body_weight", 20.1, taken_on=date(2026, 3, 18)).id,
        "kind": factories.lab_kind(session, project).id,
        "procedure": factories.procedure(session, animal, device="IVIS Lumina").id,
        "exposure": core.id,
    }


def treatment(session: Session, project: Project) -> dict[str, int]:
    """Dose a cohort for a day, one animal held, and nothing after. Gives the study and what was recorded."""
    study = factories.study(session, project, "DOSED", state=StudyStatus.ACTIVE)
    vehicle = factories.agent(session, project, "Vehicle", agent_class=AgentClass.VEHICLE, targets=[])
    drug = factories.agent(session, project, note="Kept at 4 °C.")
    lot = factories.lot(session, drug, "TD-2201", expires_on=date(2026, 4, 1), supplier="Daiichi", concentration_mg_ml=2.0)
    arms = [factories.arm(session, study), factories.arm(session, study, "tdxd", 2)]
    regimens = [factories.regimen(session, arms[0], vehicle, dose=None), factories.regimen(session, arms[1], drug, "QDx60")]
    given = None
    for number in range(4):
        mouse = factories.animal(session, project)
        factories.enrolment(session, arms[number % 2], mouse)
        factories.measurement(session, mouse, value=20.0, taken_on=date(2026, 3, 2), slot="2026-03-02")
        of = regimens[number % 2]
        planned = {"regimen_id": of.id, "study_id": study.id, "due_on": date(2026, 3, 2)}
        held = {"state": DoseState.HELD, "given_on": None, "reason": "weight loss"} if number == 0 else {"volume_ul": 100.0}
        given = factories.dose(session, mouse, session.get_one(Agent, of.agent_id), **planned, **held)
    assert given is not None
    return {"dosed": study.id, "agent": drug.id, "lot": lot.id, "regimen": regimens[1].id, "dose": given.id}


def freezer(session: Session, project: Project) -> dict[str, int]:
    """Put an aliquot, and a part of it, into a box in a freezer. Gives the three."""
    cold = factories.place(session, project, "FZ-1", title="Ultra-low freezer", temperature_celsius=-80)
    box = factories.box(session, project, "BX-03", parent_id=cold.id)
    specimen = factories.specimen(session, factories.patient(session, project, "BCBM-P01"), "SP-0001")
    aliquot = factories.aliquot(session, specimen, "AL-1", place_id=box.id, box_row=1, box_column=1)
    factories.aliquot(session, specimen, "AL-2", place_id=cold.id, parent_id=aliquot.id)
    factories.aliquot_event(session, aliquot, to_position="FZ-1 / BX-03 A1", note="as delivered")
    return {"freezer": cold.id, "box": box.id, "aliquot": aliquot.id}


def colony(session: Session, project: Project) -> dict[str, int]:
    """House the animals in a rack, too many in one cage, under a protocol that has expired. Gives a cage and the protocol."""
    protocol = factories.protocol(session, project, "A-07", expires_on=date(2026, 3, 1))
    cages = [factories.cage(session, project, f"C{n}", rack="R1", rack_row=1, rack_column=n, capacity=2) for n in (1, 2, 9)]
    for animal in session.scalars(select(Animal).where(Animal.project_id == project.id)):
        animal.cage_id, animal.protocol_id = cages[0].id, protocol.id
        factories.cage_move(session, animal, from_cage_id=cages[1].id, to_cage_id=cages[0].id)
    session.flush()
    return {"cage": cages[0].id, "protocol": protocol.id, **welfare(session, project, protocol)}


def welfare(session: Session, project: Project, protocol: AnimalProtocol) -> dict[str, int]:
    """Let an animal reach an endpoint, one be deferred beyond it, and one be dead. Gives endpoint, action and fate."""
    baseline = {"watch_at": 15, "baseline": WeightBaseline.IMPLANT_DAY}
    rule = factories.endpoint_rule(session, protocol, EndpointMeasure.WEIGHT_LOSS, 20, **baseline)
    first, second = session.scalars(select(Animal).where(Animal.project_id == project.id).order_by(Animal.id).limit(2))
    action = factories.endpoint_action(session, rule, first, note="Weight 20.9 g on 2026-03-10: it no longer reaches the endpoint.")
    deferred = {"state": ActionState.DEFERRED, "deferred_until": date(2026, 3, 11), "answer": "wet food, weighed again"}
    factories.endpoint_action(session, rule, second, level=EndpointLevel.WATCH, **deferred)
    gone = factories.animal(session, project, "GONE", state=AnimalStatus.DEAD, died_on=date(2026, 3, 9))
    fate = factories.fate(session, gone, note="tumour harvested")
    return {"endpoint": rule.id, "action": action.id, "fate": fate.id}


def findings(session: Session, project: Project) -> dict[str, int]:
    """Collect tissue of a patient and of two passages, whose HER2 drifts; find something in each. Gives what was recorded."""
    patient = factories.patient(session, project, "P01")
    disease = {"cns_status": CnsStatus.PROGRESSING_AFTER_LOCAL_THERAPY, "her2_result": Her2Result.POSITIVE}
    consent, line = factories.consent(session, patient), factories.therapy_line(session, patient, started_on=date(2024, 3, 1))
    founding = factories.specimen(session, patient, "P01-BM", site="frontal lobe", cold_ischaemia_minutes=95, **disease)
    model = factories.model(session, project, "BM-01", founding_specimen_id=founding.id)
    assay = factories.assay(session, founding, laboratory="Central pathology", note="Second reader agreed.")
    factories.assay(session, founding, status=RecordStatus.WITHDRAWN)
    profile = factories.profile(session, founding, alleles=ALLELES)
    factories.aliquot(session, founding)
    alteration = factories.alteration(session, founding, "ERBB2", hgvs="p.Leu755Ser", vaf_percent=12)
    harvest = founding
    for passage in range(3):
        grown = factories.implant(
            session, factories.animal(session, project), passage=passage, donor_id=patient.id, model_id=model.id
        )
        source = {"patient_id": None, "source_implant_id": grown.id, "passage": passage}
        low = {"her2_result": Her2Result.NEGATIVE, "her2_label": Her2Label.HER2_LOW}
        harvest = factories.specimen(session, patient, f"BM-01-P{passage}", **source, **low)
        factories.assay(session, harvest, her2_ihc=Her2Ihc.ONE_PLUS)
        for gene in ("ERBB2", "PIK3CA", "PTEN", "ABCB1", "ABCG2", "TP53", "MYC"):
            factories.alteration(session, harvest, gene, kind=AlterationKind.COPY_NUMBER, copies=8 - 3 * passage)
        host = {"kind": AlterationKind.EXPRESSION, "compartment": Compartment.MOUSE_HOST}
        factories.alteration(session, harvest, "Abcg2", log2_ratio=2.1, **host)
    failed = {"kind": CheckKind.STR_PROFILE, "result": CheckResult.FAILED, "value_percent": 61.5}
    compared = {"profile_id": factories.profile(session, harvest, alleles=ALLELES[:8]).id, "reference_profile_id": profile.id}
    check = factories.model_check(session, model, **failed, **compared)
    return {
        "patient": patient.id,
        "consent": consent.id,
        "therapy": line.id,
        "model": model.id,
        "check": check.id,
        "implant": operated(session, model).id,
        "specimen": founding.id,
        "harvest": harvest.id,
        "assay": assay.id,
        "stain": factories.stain_region(session, founding).id,
        "alteration": alteration.id,
        "preparation": _counted(session, model),
        "profile": profile.id,
    }


def _counted(session: Session, model: PdxModel) -> int:
    """Count a suspension twice."""
    factories.preparation(session, session.get_one(Project, model.project_id), model_id=model.id)
    return factories.preparation(session, session.get_one(Project, model.project_id), model_id=model.id, device="Vi-CELL BLU").id


def operated(session: Session, model: PdxModel) -> Implant:
    """Implant tissue of a model into a brain, with all that is recorded of surgery."""
    tissue = session.scalars(select(Aliquot).where(Aliquot.specimen_id == model.founding_specimen_id)).one()
    surgery = {
        "site": ImplantSite.INTRACRANIAL,
        "hemisphere": Hemisphere.RIGHT,
        "region": "striatum",
        "implanted_on": date(2026, 3, 2),
        "implanted_at": datetime(2026, 3, 2, 14, 5, tzinfo=UTC),
        "analgesic": "buprenorphine 0.1 mg/kg",
        "analgesia_hours": 8,
        "analgesia_doses": 3,
        "ap_mm": 0.5,
        "ml_mm": 2,
        "dv_mm": 3,
        "cell_count": 100_000,
        "passage": 0,
    }
    project = session.get_one(Project, model.project_id)
    return factories.implant(session, factories.animal(session, project), "T1", model_id=model.id, aliquot_id=tissue.id, **surgery)


def files_in_every_state(desk: Desk, study: str, animals: list[str]) -> dict[str, int]:
    """Record light, weights and calipers; leave a file ready, one refused and one withdrawn. Gives the batches."""
    for number, day in enumerate(DAYS):
        light = {animal: f"{1e6 * 3**number * (1 + place / 9):.2E}" for place, animal in enumerate(animals)}
        recorded(desk.record(files.living_image(light, day), f"{day} IVIS.csv", study=study))
    grams = [(animal, day, 21.4 - number * place / 4) for number, day in enumerate(DAYS) for place, animal in enumerate(animals)]
    committed = recorded(desk.record(files.weights(grams), "2026-03-12 body weights of the whole cohort.csv", study=study))
    sizes = [(animal, day, 4 + number, 3.5) for number, day in enumerate(DAYS) for animal in animals]
    recorded(desk.record(files.caliper_long(sizes), "calipers.xlsx", study=study, tumour="brain"))
    withdrawn = recorded(desk.record(files.weights([(animals[0], "2026-03-20", 20.1)]), "wrong day.csv", study=study))
    desk.withdraw(withdrawn, "weighed on another day")
    ready = desk.check(files.living_image(dict.fromkeys(animals, "9.87E+07"), "2026-03-16"), "2026-03-16 IVIS.csv", study=study)
    assert ready.state is BatchState.CHECKED, ready.findings
    marked = dict.fromkeys(animals, "9.87E+07") | {animals[0]: "1*", "NOBODY-1": "2.0E+07"}
    refused = desk.check(files.living_image(marked, "2026-03-19"), "2026-03-19 IVIS edited.csv", study=study)
    assert refused.state is BatchState.REFUSED, refused.findings
    logged = desk.check(log(*WEEK), "colony log.xlsx", create=EVERYTHING).batch_id
    return {"committed": committed, "withdrawn": withdrawn, "ready": ready.batch_id, "refused": refused.batch_id, "logged": logged}


def recorded(outcome: Outcome) -> int:
    """Give the batch of a file that was recorded."""
    assert outcome.state is BatchState.COMMITTED, outcome.findings
    return outcome.batch_id
