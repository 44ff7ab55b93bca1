"""What each role may do in a project: one table of role × action, asked by views and services alike.

Actions are `noun:verb` in the words of the audit trail, plus `read` for looking. Everybody in a project reads its data;
an auditor reads everything, the audit trail included, and writes nothing.
"""

from __future__ import annotations

from lims.domain.errors import NotAllowed
from lims.domain.vocabulary import RoleName

_ALL = frozenset(RoleName)
_LEAD = frozenset({RoleName.ADMINISTRATOR, RoleName.STUDY_DIRECTOR})
_SCIENCE = _LEAD | {RoleName.SCIENTIST}
_BENCH = _SCIENCE | {RoleName.TECHNICIAN}

PERMISSIONS: dict[str, frozenset[RoleName]] = {
    "project:read": _ALL,
    "project:export": _ALL,
    "project:change": frozenset({RoleName.ADMINISTRATOR}),
    "membership:create": frozenset({RoleName.ADMINISTRATOR}),
    "membership:change": frozenset({RoleName.ADMINISTRATOR}),
    "membership:withdraw": frozenset({RoleName.ADMINISTRATOR}),
    "patient:create": _SCIENCE,
    "patient:change": _SCIENCE,
    "patient:withdraw": _SCIENCE,
    "specimen:create": _SCIENCE,
    "specimen:change": _SCIENCE,
    "specimen:withdraw": _SCIENCE,
    "model:create": _SCIENCE,
    "model:change": _SCIENCE,
    "model:withdraw": _SCIENCE,
    **{
        f"{noun}:{verb}": _SCIENCE
        for noun in ("consent", "therapy", "assay", "alteration", "stain", "profile", "check", "place", "protocol")
        for verb in ("create", "change", "withdraw")
    },
    "aliquot:create": _BENCH,
    "aliquot:change": _BENCH,
    "aliquot:withdraw": _SCIENCE,
    **{f"preparation:{verb}": _BENCH for verb in ("create", "change")},
    "preparation:withdraw": _SCIENCE,
    "cage:create": _BENCH,
    "cage:change": _BENCH,
    "cage:withdraw": _SCIENCE,
    "pattern:change": _LEAD,
    "animal:create": _BENCH,
    "animal:change": _BENCH,
    "animal:withdraw": _SCIENCE,
    "alias:create": _BENCH,
    "alias:withdraw": _SCIENCE,
    "implant:create": _BENCH,
    "implant:change": _BENCH,
    "implant:withdraw": _SCIENCE,
    "study:create": _SCIENCE,
    "study:change": _SCIENCE,
    "study:withdraw": _LEAD,
    "study:unblind": _LEAD | {RoleName.AUDITOR},
    "study:lock": _LEAD,
    "study:amend": _LEAD,
    "study:sign": _SCIENCE,
    "arm:create": _SCIENCE,
    "arm:change": _SCIENCE,
    "arm:withdraw": _LEAD,
    "enrolment:create": _SCIENCE,
    "enrolment:change": _SCIENCE,
    "enrolment:withdraw": _SCIENCE,
    "measurement:create": _BENCH,
    "measurement:change": _BENCH,
    "measurement:withdraw": _SCIENCE,
    **{
        f"{noun}:{verb}": _SCIENCE
        for noun in ("agent", "lot", "regimen", "exposure", "endpoint", "kind", "randomisation")
        for verb in ("create", "change", "withdraw")
    },
    **{f"{noun}:{verb}": _BENCH for noun in ("dose", "procedure", "fate") for verb in ("create", "change")},
    "action:create": _BENCH,
    # Whoever finds the animal may end its suffering; to let it live on beyond its endpoint takes a scientist.
    "action:change": _SCIENCE,
    **{f"{noun}:withdraw": _SCIENCE for noun in ("dose", "procedure", "fate", "action")},
    "batch:store": _BENCH,
    "batch:check": _BENCH,
    "batch:change": _BENCH,
    "batch:commit": _BENCH,
    "batch:withdraw": _SCIENCE,
    "batch:supersede": _SCIENCE,
    "import-profile:create": _BENCH,
    "import-profile:change": _BENCH,
    "import-profile:withdraw": _SCIENCE,
    "audit:read": _LEAD | {RoleName.AUDITOR},
    "audit:export": _LEAD | {RoleName.AUDITOR},
}

READING = frozenset({"read", "export", "unblind"})
"""Verbs that change nothing. `study:unblind` is to see which arm is which; to end the blinding changes the study."""

ROLE_TITLES: dict[RoleName, str] = {
    RoleName.ADMINISTRATOR: "administrator",
    RoleName.STUDY_DIRECTOR: "study director",
    RoleName.SCIENTIST: "scientist",
    RoleName.TECHNICIAN: "technician",
    RoleName.AUDITOR: "auditor",
}

ROLE_DESCRIPTIONS: dict[RoleName, str] = {
    RoleName.ADMINISTRATOR: "Everything in the project, and who belongs to it with which role",
    RoleName.STUDY_DIRECTOR: "All work in the project, its studies from draft to the signature that locks, and its audit trail",
    RoleName.SCIENTIST: "Patients' tissue, models, storage, animals, studies, measurements and imports",
    RoleName.TECHNICIAN: "Aliquots, animals, cages, implants, measurements and imports; withdraws nothing",
    RoleName.AUDITOR: "Reads everything of the project, its audit trail included; writes nothing",
}


def roles_for(action: str) -> frozenset[RoleName]:
    """Give the roles that may do `action`; raises `KeyError` for an action the table does not know."""
    return PERMISSIONS[action]


def allowed(role: RoleName, action: str) -> bool:
    """Say whether `role` may do `action`; raises `KeyError` for an action the table does not know."""
    return role in PERMISSIONS[action]


def writes(action: str) -> bool:
    """Say whether `action` changes records: everything but reading, exporting and seeing the arms of blinded studies."""
    return action.partition(":")[2] not in READING


def titles(roles: frozenset[RoleName]) -> str:
    """List roles as people read them, in the order of the vocabulary: `administrator, study director or scientist`."""
    names = [ROLE_TITLES[role] for role in RoleName if role in roles]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def require(role: RoleName, action: str) -> None:
    """Raise `NotAllowed`, naming the roles that may, unless `role` may do `action`."""
    if not allowed(role, action):
        raise NotAllowed(
            f"Your role in this project is {ROLE_TITLES[role]}, which may not do this. "
            f"It takes the role {titles(roles_for(action))}.",
            remedy="Ask somebody with that role, or ask an administrator of the project to change yours.",
        )
