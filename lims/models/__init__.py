"""All tables. Importing this package makes the metadata complete."""

from sqlalchemy.orm import configure_mappers

from lims.models.accounts import Membership, Project, Role, User
from lims.models.audit import AuditChange, AuditCheckpoint, AuditEvent
from lims.models.base import Base, set_up_terms
from lims.models.colony import Animal, AnimalAlias, AnimalProtocol, Cage, CageMove
from lims.models.desk import ApiToken, FormSubmission, IdentifierPattern, SavedView
from lims.models.exposure import Exposure, Procedure
from lims.models.implants import Implant
from lims.models.import_edits import ImportAcceptance, ImportEdit
from lims.models.import_profiles import ImportProfile, ImportProfileVersion
from lims.models.imports import ImportBatch, ImportFinding, StoredFile
from lims.models.jobs import ImportRequest, Job
from lims.models.measurements import LabKind, Measurement
from lims.models.patients import Consent, Patient, TherapyAgent, TherapyLine
from lims.models.pdx import ModelCheck, PdxModel
from lims.models.preparations import CellPreparation
from lims.models.record_sources import RecordSource
from lims.models.signatures import Signature
from lims.models.stains import StainRegion
from lims.models.storage import Aliquot, AliquotEvent, StoragePlace
from lims.models.studies import Allocation, Arm, Enrolment, Randomisation, Study
from lims.models.tissue import Alteration, ReceptorAssay, Specimen, StrProfile
from lims.models.treatment import Agent, AgentLot, Dose, Regimen
from lims.models.welfare import EndpointAction, EndpointRule, Fate

set_up_terms(Base.metadata)
# Now, and not at the first query: each child process that reads a file begins with the mappers that its server has.
configure_mappers()

__all__ = [
    "Agent",
    "AgentLot",
    "Aliquot",
    "AliquotEvent",
    "Allocation",
    "Alteration",
    "Animal",
    "AnimalAlias",
    "AnimalProtocol",
    "ApiToken",
    "Arm",
    "AuditChange",
    "AuditCheckpoint",
    "AuditEvent",
    "Base",
    "Cage",
    "CageMove",
    "CellPreparation",
    "Consent",
    "Dose",
    "EndpointAction",
    "EndpointRule",
    "Enrolment",
    "Exposure",
    "Fate",
    "FormSubmission",
    "IdentifierPattern",
    "Implant",
    "ImportAcceptance",
    "ImportBatch",
    "ImportEdit",
    "ImportFinding",
    "ImportProfile",
    "ImportProfileVersion",
    "ImportRequest",
    "Job",
    "LabKind",
    "Measurement",
    "Membership",
    "ModelCheck",
    "Patient",
    "PdxModel",
    "Procedure",
    "Project",
    "Randomisation",
    "ReceptorAssay",
    "RecordSource",
    "Regimen",
    "Role",
    "SavedView",
    "Signature",
    "Specimen",
    "StainRegion",
    "StoragePlace",
    "StoredFile",
    "StrProfile",
    "Study",
    "TherapyAgent",
    "TherapyLine",
    "User",
]
