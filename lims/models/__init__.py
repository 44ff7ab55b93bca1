"""All tables. Importing this package makes the metadata complete."""

from sqlalchemy.orm import configure_mappers

from lims.models.accounts import Membership, Project, Role, User
from lims.models.audit import AuditChange, AuditCheckpoint, AuditEvent
from lims.models.base import Base, add_term_checks
from lims.models.colony import Animal, AnimalAlias, AnimalProtocol, Cage, CageMove
from lims.models.desk import ApiToken, IdentifierPattern, SavedView
from lims.models.implants import Implant
from lims.models.imports import ImportBatch, ImportFinding, StoredFile
from lims.models.measurements import Measurement
from lims.models.patients import Consent, Patient, TherapyAgent, TherapyLine
from lims.models.pdx import ModelCheck, PdxModel
from lims.models.storage import Aliquot, AliquotEvent, StoragePlace
from lims.models.studies import Arm, Enrolment, Study
from lims.models.tissue import Alteration, ReceptorAssay, Specimen, StrProfile

add_term_checks(Base.metadata)
# Now, and not at the first query: each child process that reads a file begins with the mappers that its server has.
configure_mappers()

__all__ = [
    "Aliquot",
    "AliquotEvent",
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
    "Consent",
    "Enrolment",
    "IdentifierPattern",
    "Implant",
    "ImportBatch",
    "ImportFinding",
    "Measurement",
    "Membership",
    "ModelCheck",
    "Patient",
    "PdxModel",
    "Project",
    "ReceptorAssay",
    "Role",
    "SavedView",
    "Specimen",
    "StoragePlace",
    "StoredFile",
    "StrProfile",
    "Study",
    "TherapyAgent",
    "TherapyLine",
    "User",
]
