"""All tables. Importing this package makes the metadata complete."""

from sqlalchemy.orm import configure_mappers

from lims.models.accounts import Membership, Project, Role, User
from lims.models.audit import AuditChange, AuditCheckpoint, AuditEvent
from lims.models.base import Base, add_term_checks
from lims.models.colony import Animal, AnimalAlias, Implant
from lims.models.imports import ImportBatch, ImportFinding, StoredFile
from lims.models.measurements import Measurement
from lims.models.studies import Arm, Enrolment, Study
from lims.models.tissue import Patient, PdxModel, Specimen

add_term_checks(Base.metadata)
# Now, and not at the first query: each child process that reads a file begins with the mappers that its server has.
configure_mappers()

__all__ = [
    "Animal",
    "AnimalAlias",
    "Arm",
    "AuditChange",
    "AuditCheckpoint",
    "AuditEvent",
    "Base",
    "Enrolment",
    "Implant",
    "ImportBatch",
    "ImportFinding",
    "Measurement",
    "Membership",
    "Patient",
    "PdxModel",
    "Project",
    "Role",
    "Specimen",
    "StoredFile",
    "Study",
    "User",
]
