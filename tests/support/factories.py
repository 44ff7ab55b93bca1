"""Records to begin a test with, written as the application writes them: declared, audited, committed by the caller.

Each function adds one record to a session whose transaction has declared its action (`declared` opens one), flushes
and returns it. What a test does not care about has a plausible value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from importers.mapping import KEY, MappedColumn, TableMapping
from lims.audit.record import Actor, declare
from lims.db import Database
from lims.domain.cohort_terms import (
    USUAL_EVENTS,
    AllocationMethod,
    ConcentrationUnit,
    DoseRoute,
    EndpointLevel,
    EndpointMeasure,
    ExposureMatrix,
    FateReason,
    ProcedureKind,
)
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.tissue_terms import (
    AgentClass,
    AliquotEventKind,
    AliquotMaterial,
    AlterationKind,
    CheckKind,
    CheckResult,
    Her2Ihc,
    PlaceKind,
)
from lims.domain.vocabulary import ArmRole, BatchState, JobKind, JobState, RoleName, Sex, SpecimenKind, Subject
from lims.models import (
    Agent,
    AgentLot,
    Aliquot,
    AliquotEvent,
    Allocation,
    Alteration,
    Animal,
    AnimalAlias,
    AnimalProtocol,
    ApiToken,
    Arm,
    Base,
    Cage,
    CageMove,
    CellPreparation,
    Consent,
    Dose,
    EndpointAction,
    EndpointRule,
    Enrolment,
    Exposure,
    Fate,
    IdentifierPattern,
    Implant,
    ImportAcceptance,
    ImportBatch,
    ImportEdit,
    ImportProfile,
    ImportProfileVersion,
    ImportRequest,
    Job,
    LabKind,
    Measurement,
    Membership,
    ModelCheck,
    Patient,
    PdxModel,
    Procedure,
    Project,
    Randomisation,
    ReceptorAssay,
    RecordSource,
    Regimen,
    Role,
    SavedView,
    Signature,
    Specimen,
    StainRegion,
    StoragePlace,
    StoredFile,
    StrProfile,
    Study,
    TherapyAgent,
    TherapyLine,
    User,
)

Record = TypeVar("Record", bound=Base)

NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)

_numbers = count(1)

PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$bm8gcGFzc3dvcmQgaGFzIHRoaXMgaGFzaA"
"""Fits no password: tests that sign in make their people through `lims.records`."""


def actor(user: User | None = None) -> Actor:
    """Give who acts: a person's account, or the command line."""
    return Actor(user.id, user.name) if user else Actor(None, "tester", "command line")


@contextmanager
def declared(database: Database, action: str = "system:set-up", *, by: Actor | None = None) -> Iterator[Session]:
    """Open a transaction that has declared its action."""
    with database.transaction() as session:
        declare(session, by or actor(), action, reason="test")
        yield session


def _added(session: Session, record: Record) -> Record:
    session.add(record)
    session.flush()
    return record


def project(session: Session, code: str | None = None, **columns: object) -> Project:
    """Add a project."""
    code = code or f"P{next(_numbers)}"
    return _added(session, Project(**{"code": code, "title": f"Project {code}"} | columns))


def role(session: Session, name: RoleName) -> Role:
    """Give a role, added if it is not there yet."""
    found = session.scalar(select(Role).where(Role.name == name))
    return found or _added(session, Role(name=name, description=name.value.replace("_", " ")))


def user(session: Session, name: str | None = None, **columns: object) -> User:
    """Add a person who can sign in."""
    number = next(_numbers)
    values = {
        "email": f"person{number}@lab.example",
        "name": name or f"Person {number}",
        "password": PASSWORD_HASH,
        "fs_uniquifier": f"uniquifier-{number}",
    }
    return _added(session, User(**values | columns))


def member(session: Session, of: Project, name: RoleName = RoleName.SCIENTIST, person: User | None = None) -> User:
    """Add a person with a role in a project."""
    person = person or user(session)
    _added(session, Membership(user_id=person.id, project_id=of.id, role_id=role(session, name).id))
    return person


def patient(session: Session, of: Project, code: str | None = None, **columns: object) -> Patient:
    """Add a patient."""
    return _added(session, Patient(**{"project_id": of.id, "code": code or f"PT{next(_numbers)}", "sex": Sex.FEMALE} | columns))


def specimen(session: Session, of: Patient, code: str | None = None, **columns: object) -> Specimen:
    """Add a specimen of a patient."""
    values = {
        "project_id": of.project_id,
        "code": code or f"SP{next(_numbers)}",
        "patient_id": of.id,
        "donor_id": of.id,
        "kind": next(iter(SpecimenKind)),
    }
    return _added(session, Specimen(**values | columns))


def model(session: Session, of: Project, code: str | None = None, **columns: object) -> PdxModel:
    """Add a PDX model."""
    return _added(session, PdxModel(**{"project_id": of.id, "code": code or f"BM{next(_numbers)}"} | columns))


def animal(session: Session, of: Project, code: str | None = None, **columns: object) -> Animal:
    """Add an animal."""
    values = {"project_id": of.id, "code": code or f"M{next(_numbers):03}", "sex": Sex.FEMALE, "birth_date": date(2026, 1, 5)}
    return _added(session, Animal(**values | columns))


def implant(session: Session, of: Animal, label: str = "brain", **columns: object) -> Implant:
    """Add a tumour in an animal."""
    return _added(session, Implant(**{"project_id": of.project_id, "animal_id": of.id, "label": label} | columns))


def study(session: Session, of: Project, code: str | None = None, **columns: object) -> Study:
    """Add a study."""
    code = code or f"ST{next(_numbers)}"
    values = {"project_id": of.id, "code": code, "title": f"Study {code}", "day_zero_on": date(2026, 3, 2)}
    values["event_reasons"] = [reason.value for reason in USUAL_EVENTS]
    return _added(session, Study(**values | columns))


def signature(session: Session, of: Study, by: User, **columns: object) -> Signature:
    """Add a signature of a study, as a service signs it; columns take the place of what it says."""
    said = {
        "entity": "study",
        "key": of.id,
        "act": "lock",
        "meaning": "approved",
        "person_id": by.id,
        "name": by.name,
        "signed_at": NOON,
        "statement": "final report",
        "event_seq": 1,
        "content": "{}",
        "sha256": "0" * 64,
        "project_id": of.project_id,
    }
    return _added(session, Signature(**said | columns))


def arm(session: Session, of: Study, code: str = "vehicle", position: int = 1, **columns: object) -> Arm:
    """Add an arm to a study."""
    values = {"project_id": of.project_id, "study_id": of.id, "code": code, "title": code.title(), "position": position}
    values["blind_code"] = f"K{next(_numbers)}"
    return _added(session, Arm(**values | {"role": ArmRole.VEHICLE if code == "vehicle" else ArmRole.TREATMENT} | columns))


def enrolment(session: Session, into: Arm, of: Animal, **columns: object) -> Enrolment:
    """Put an animal into an arm."""
    values = {"project_id": of.project_id, "study_id": into.study_id, "arm_id": into.id, "animal_id": of.id}
    return _added(session, Enrolment(**values | columns))


def randomisation(session: Session, of: Study, **columns: object) -> Randomisation:
    """Add a run in blocks on flux."""
    values: dict[str, object] = {"project_id": of.project_id, "study_id": of.id, "number": 1, "seed": "7", "strata": ["sex"]}
    values |= {"method": AllocationMethod.STRATIFIED_BLOCKS, "algorithm": "ranked-blocks/1", "places": ["vehicle: 6"]}
    values |= {"baseline_kind": "bli_total_flux", "baseline_on": date(2026, 3, 2), "made_on": date(2026, 3, 2)}
    return _added(session, Randomisation(**values | columns))


def allocation(session: Session, of: Randomisation, animal: Animal, **columns: object) -> Allocation:
    """Add an animal to a run."""
    values = {"project_id": of.project_id, "randomisation_id": of.id, "animal_id": animal.id, "position": 1}
    return _added(session, Allocation(**values | columns))


def alias(session: Session, of: Animal, name: str | None = None) -> AnimalAlias:
    """Add another name of an animal."""
    return _added(session, AnimalAlias(project_id=of.project_id, animal_id=of.id, alias=name or f"A{next(_numbers)}"))


def stored_file(session: Session, content: bytes | None = None) -> StoredFile:
    """Add the index row of a stored file; the bytes themselves are not put anywhere."""
    content = content if content is not None else f"file {next(_numbers)}".encode()
    return _added(session, StoredFile(sha256=hashlib.sha256(content).hexdigest(), size=len(content), stored_at=NOON))


def batch(session: Session, of: Project, **columns: object) -> ImportBatch:
    """Add an import of a file."""
    values = {"project_id": of.id, "file_name": "weights.csv", "state": BatchState.COMMITTED, "uploaded_at": NOON}
    if "file_id" not in columns:
        values["file_id"] = stored_file(session).id
    return _added(session, ImportBatch(**values | columns))


def import_edit(session: Session, of: ImportBatch, **columns: object) -> ImportEdit:
    """Add a correction of a cell of a file."""
    values = {"project_id": of.project_id, "batch_id": of.id, "sheet": "weights", "row_number": 2, "column_number": 3}
    values |= {"raw": "20*", "value": "20", "reason": "misread", "made_at": NOON}
    return _added(session, ImportEdit(**values | columns))


def acceptance(session: Session, of: ImportBatch, code: str = "value-jumps", **columns: object) -> ImportAcceptance:
    """Add that somebody looked at the warnings of a kind."""
    values = {"project_id": of.project_id, "batch_id": of.id, "code": code, "number": 1, "digest": "0" * 64, "accepted_at": NOON}
    return _added(session, ImportAcceptance(**values | columns))


def record_source(session: Session, of: ImportBatch, record: Animal) -> RecordSource:
    """Add the cell that an animal came from."""
    values = {"project_id": of.project_id, "batch_id": of.id, "entity": "animal", "record_id": record.id, "made": True}
    return _added(session, RecordSource(**values, source_sheet="weights", source_row=2, source_column=1, raw=record.code))


def job(session: Session, of: ImportBatch, **columns: object) -> Job:
    """Add a check that is over."""
    values = {"project_id": of.project_id, "batch_id": of.id, "kind": JobKind.CHECK, "state": JobState.DONE, "actor": "tester"}
    values |= {"origin": "form", "request": "", "reason": "", "queued_at": NOON}
    return _added(session, Job(**values | columns))


def import_request(session: Session, of: ImportBatch, key: ApiToken) -> ImportRequest:
    """Add a program's request to import a file."""
    values = {"project_id": of.project_id, "batch_id": of.id, "token_id": key.id, "key": f"request {next(_numbers)}"}
    return _added(session, ImportRequest(**values, body_sha256="0" * 64, made_at=NOON))


def measurement(session: Session, of: Animal, kind: str = "body_weight", value: float = 21.4, **columns: object) -> Measurement:
    """Add a reading, of 9 March 2026 unless told otherwise."""
    values = {"project_id": of.project_id, "animal_id": of.id, "kind": kind, "value": value}
    on = columns.get("taken_on", date(2026, 3, 9))
    values |= {"taken_on": on, "slot": f"{on or 's1d'}#{next(_numbers)}"}
    return _added(session, Measurement(**values | columns))


def cohort(session: Session, of: Project, *, arms: tuple[str, ...] = ("vehicle", "tucatinib"), animals: int = 3) -> Study:
    """Add a study with its arms and `animals` enrolled animals, each with a brain tumour, in every one of them."""
    experiment = study(session, of)
    for position, code in enumerate(arms, start=1):
        cohort_arm = arm(session, experiment, code, position)
        for _ in range(animals):
            mouse = animal(session, of)
            implant(session, mouse)
            enrolment(session, cohort_arm, mouse)
    return experiment


def consent(session: Session, of: Patient, **columns: object) -> Consent:
    """Add a consent that allows xenografts."""
    values = {"project_id": of.project_id, "patient_id": of.id, "protocol": "BM-Bank", "protocol_version": "3"}
    return _added(session, Consent(**values | {"given_on": date(2025, 1, 8), "research": True, "xenograft": True} | columns))


def therapy_line(session: Session, of: Patient, agent: str = "trastuzumab", **columns: object) -> TherapyLine:
    """Add a line of therapy with one agent."""
    line = _added(session, TherapyLine(**{"project_id": of.project_id, "patient_id": of.id, "line_number": 1} | columns))
    kind = AgentClass.MONOCLONAL_ANTIBODY
    _added(session, TherapyAgent(project_id=of.project_id, therapy_line_id=line.id, name=agent, agent_class=kind))
    return line


def assay(session: Session, of: Specimen, **columns: object) -> ReceptorAssay:
    """Add a receptor assay: IHC 3+ unless told otherwise."""
    values = {"project_id": of.project_id, "specimen_id": of.id, "assayed_on": date(2025, 2, 3), "her2_ihc": Her2Ihc.THREE_PLUS}
    return _added(session, ReceptorAssay(**values | columns))


def alteration(session: Session, of: Specimen, gene: str = "PIK3CA", **columns: object) -> Alteration:
    """Add an alteration."""
    values = {"project_id": of.project_id, "specimen_id": of.id, "gene": gene, "kind": AlterationKind.MUTATION}
    return _added(session, Alteration(**values | columns))


def profile(session: Session, of: Specimen, **columns: object) -> StrProfile:
    """Add an STR profile."""
    values = {"project_id": of.project_id, "specimen_id": of.id, "alleles": ["D5S818: 11, 12", "TH01: 6, 9.3"]}
    return _added(session, StrProfile(**values | columns))


def model_check(session: Session, of: PdxModel, **columns: object) -> ModelCheck:
    """Add a check of a model: no mycoplasma."""
    values = {"project_id": of.project_id, "model_id": of.id, "kind": CheckKind.MYCOPLASMA, "checked_on": date(2025, 9, 1)}
    return _added(session, ModelCheck(**values | {"result": CheckResult.PASSED} | columns))


def box(session: Session, of: Project, code: str | None = None, **columns: object) -> StoragePlace:
    """Add a box of 9 × 9."""
    values = {"project_id": of.id, "code": code or f"BX{next(_numbers)}", "kind": PlaceKind.BOX, "box_rows": 9, "box_columns": 9}
    return _added(session, StoragePlace(**values | columns))


def place(session: Session, of: Project, code: str | None = None, **columns: object) -> StoragePlace:
    """Add a place of the storage tree: a freezer unless told otherwise."""
    return _added(
        session, StoragePlace(**{"project_id": of.id, "code": code or f"FZ{next(_numbers)}", "kind": PlaceKind.FREEZER} | columns)
    )


def aliquot(session: Session, of: Specimen, code: str | None = None, **columns: object) -> Aliquot:
    """Add a viably frozen aliquot."""
    values = {"project_id": of.project_id, "code": code or f"AL{next(_numbers)}", "specimen_id": of.id}
    return _added(session, Aliquot(**values | {"material": AliquotMaterial.VIABLY_FROZEN} | columns))


def aliquot_event(session: Session, of: Aliquot, **columns: object) -> AliquotEvent:
    """Add what happened to an aliquot."""
    values = {"project_id": of.project_id, "aliquot_id": of.id, "kind": AliquotEventKind.STORED, "happened_on": date(2025, 2, 3)}
    return _added(session, AliquotEvent(**values | columns))


def protocol(session: Session, of: Project, code: str | None = None, **columns: object) -> AnimalProtocol:
    """Add an animal protocol that allows everything to a hundred animals until 2099."""
    values = {"project_id": of.id, "code": code or f"A-{next(_numbers)}", "title": "Brain metastasis", "animals_allowed": 100}
    allowed = [one.value for one in ProtocolProcedure]
    return _added(session, AnimalProtocol(**values | {"expires_on": date(2099, 1, 1), "procedures": allowed} | columns))


def endpoint_rule(session: Session, of: AnimalProtocol, measure: EndpointMeasure, act_at: float, **columns: object) -> EndpointRule:
    """Add a humane endpoint to a protocol."""
    values = {"project_id": of.project_id, "protocol_id": of.id, "measure": measure, "act_at": act_at}
    return _added(session, EndpointRule(**values | columns))


def endpoint_action(session: Session, rule: EndpointRule, of: Animal, **columns: object) -> EndpointAction:
    """Add an open action on a humane endpoint, reached on 9 March 2026."""
    values = {"project_id": of.project_id, "animal_id": of.id, "rule_id": rule.id, "level": EndpointLevel.ACT, "value": 20.1}
    values |= {"reached_on": date(2026, 3, 9), "finding": "Weight 17.1 g on 2026-03-09 is 20.1 % below 21.4 g: act at 20 %"}
    return _added(session, EndpointAction(**values | columns))


def fate(session: Session, of: Animal, **columns: object) -> Fate:
    """Add what became of an animal that is dead already."""
    values = {"project_id": of.project_id, "animal_id": of.id, "died_on": of.died_on, "reason": FateReason.SCHEDULED}
    return _added(session, Fate(**values | columns))


def agent(session: Session, of: Project, code: str = "T-DXd", **columns: object) -> Agent:
    """Add an agent: an antibody–drug conjugate against ERBB2 unless told otherwise."""
    values = {
        "project_id": of.id,
        "code": code,
        "name": code,
        "agent_class": AgentClass.ANTIBODY_DRUG_CONJUGATE,
        "targets": ["ERBB2"],
    }
    return _added(session, Agent(**values | columns))


def lot(session: Session, of: Agent, code: str | None = None, **columns: object) -> AgentLot:
    """Add a lot of an agent."""
    return _added(
        session, AgentLot(**{"project_id": of.project_id, "agent_id": of.id, "code": code or f"L{next(_numbers)}"} | columns)
    )


def regimen(session: Session, into: Arm, of: Agent, schedule: str = "QDx5", **columns: object) -> Regimen:
    """Add what an arm is given: 10 mg/kg in 5 mL/kg into a vein, from day 0 on."""
    values = {"project_id": into.project_id, "arm_id": into.id, "agent_id": of.id, "schedule": schedule, "start_day": 0}
    values |= {"dose": 10.0, "route": DoseRoute.INTRAVENOUS, "volume_ml_kg": 5.0}
    return _added(session, Regimen(**values | columns))


def dose(session: Session, of: Animal, agent: Agent, **columns: object) -> Dose:
    """Add a dose that was given on 2 March 2026."""
    values = {"project_id": of.project_id, "animal_id": of.id, "agent_id": agent.id, "given_on": date(2026, 3, 2)}
    return _added(session, Dose(**values | columns))


def lab_kind(session: Session, of: Project, code: str = "rotarod", **columns: object) -> LabKind:
    """Add a kind of measurement of the laboratory's own: a latency in s, from 0 to 300."""
    values = {"project_id": of.id, "code": code, "title": code.capitalize(), "unit": "s", "subject": Subject.ANIMAL}
    return _added(session, LabKind(**values | {"hard_min": 0, "hard_max": 300, "decimals": 0} | columns))


def import_profile(session: Session, of: Project, name: str | None = None, **columns: object) -> ImportProfile:
    """Add an import profile with one version: a mapping of an odd sheet of weights."""
    profile = _added(session, ImportProfile(project_id=of.id, name=name or f"Sheet {next(_numbers)}"))
    mapping = TableMapping(
        "Sheet1",
        1,
        (
            MappedColumn(f"Tier {profile.name}", "animal"),
            MappedColumn("Wann", "date"),
            MappedColumn("KG", "value", kind="body_weight", unit="g"),
        ),
    )
    values = {"project_id": of.id, "profile_id": profile.id, "number": 1, "importer": "mapped_table", "reason": "first version"}
    said = {"choices": {KEY: mapping.to_text(), "decimal": "comma"}, "signature": [one.header for one in mapping.columns]}
    _added(session, ImportProfileVersion(**values | said | {"made_at": NOON} | columns))
    return profile


def procedure(session: Session, of: Animal, **columns: object) -> Procedure:
    """Add a procedure: bioluminescence imaging unless told otherwise."""
    values = {"project_id": of.project_id, "animal_id": of.id, "kind": ProcedureKind.BIOLUMINESCENCE, "done_on": date(2026, 3, 9)}
    return _added(session, Procedure(**values | columns))


def exposure(session: Session, of: Animal, agent: Agent, **columns: object) -> Exposure:
    """Add a concentration: 400 ng/mL in plasma unless told otherwise."""
    values = {"project_id": of.project_id, "animal_id": of.id, "agent_id": agent.id, "collected_on": date(2026, 3, 9)}
    sample = {"matrix": ExposureMatrix.PLASMA, "unit": ConcentrationUnit.NG_PER_ML, "concentration": 400.0, "hours_after_dose": 2.0}
    return _added(session, Exposure(**values | sample | columns))


def stain_region(session: Session, of: Specimen, marker: str = "ERBB2", **columns: object) -> StainRegion:
    """Add a count: 300 of 1,000 tumour cells stained, H-score 55, in 1.5 mm²."""
    counted = {"cells": 1_000, "positive_cells": 300, "positive_percent": 30.0, "h_score": 55.0, "area_mm2": 1.5}
    place = {"image": f"{of.code}.svs", "region": "Tumour", "software": "QuPath", "analysed_on": date(2026, 4, 1)}
    return _added(
        session, StainRegion(**{"project_id": of.project_id, "specimen_id": of.id, "marker": marker, **counted, **place, **columns})
    )


def preparation(session: Session, of: Project, code: str | None = None, **columns: object) -> CellPreparation:
    """Add a count of a suspension: 2.63 million viable cells/mL, 96.7 % of all, on 2026-03-01."""
    code = code or f"CP-{next(_numbers):04}"
    counted = {
        "counted_on": date(2026, 3, 1),
        "viable_cells_per_ml": 2.63e6,
        "total_cells_per_ml": 2.72e6,
        "viability_percent": 96.7,
    }
    return _added(session, CellPreparation(**{"project_id": of.id, "code": code, "sample": "BM-01 P2", **counted, **columns}))


def cage(session: Session, of: Project, code: str | None = None, **columns: object) -> Cage:
    """Add a cage."""
    return _added(session, Cage(**{"project_id": of.id, "code": code or f"C{next(_numbers)}"} | columns))


def cage_move(session: Session, of: Animal, **columns: object) -> CageMove:
    """Add a move of an animal between cages."""
    return _added(session, CageMove(**{"project_id": of.project_id, "animal_id": of.id, "moved_on": date(2026, 2, 2)} | columns))


def saved_view(session: Session, of: User, within: Project, **columns: object) -> SavedView:
    """Add a saved view."""
    values = {"project_id": within.id, "user_id": of.id, "endpoint": "animals.index", "name": f"View {next(_numbers)}", "query": ""}
    return _added(session, SavedView(**values | columns))


def token(session: Session, of: User, **columns: object) -> ApiToken:
    """Add a token for the API that nobody knows."""
    digest = hashlib.sha256(f"token {next(_numbers)}".encode()).hexdigest()
    return _added(session, ApiToken(**{"user_id": of.id, "name": "script", "token_sha256": digest, "made_at": NOON} | columns))


def pattern(session: Session, of: Project, noun: str = "aliquot", **columns: object) -> IdentifierPattern:
    """Add a pattern of codes."""
    return _added(session, IdentifierPattern(**{"project_id": of.id, "noun": noun, "pattern": "AL-{number:05}"} | columns))
