"""Every page, with data and without, at a desk's and a tablet's width: axe finds nothing, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, Page, StorageState, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from importers.preflight import MAX_UPLOAD_BYTES
from lims.app import create_app
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
from lims.domain.vocabulary import AnimalStatus, BatchState, ImplantSite, RecordStatus, RoleName, StudyStatus
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
from lims.records.accounts import create_user
from lims.records.projects import add_member
from tests.browser.conftest import PASSWORD_HASH, LiveServer, browsing, sign_in
from tests.intake.desk import EVERYTHING, Desk
from tests.intake.test_events import WEEK, log
from tests.support import factories, files
from tests.support.whole import Whole

WIDTHS: dict[int, dict[str, object]] = {
    1280: {},
    820: {"runOnly": ["button-name", "color-contrast", "label", "link-name", "scrollable-region-focusable", "target-size"]},
}
"""Each width with axe's options: at the second, the rules that a narrower window can break."""
ALLELES = ["CSF1PO: 10, 12", "D13S317: 11, 12", "D16S539: 9, 11", "D18S51: 14, 17", "D3S1358: 15, 16", "D5S818: 11, 12"]
ALLELES += ["D7S820: 8, 10", "FGA: 21, 23", "AMEL: X"]
DAYS = ("2026-03-02", "2026-03-09")
FILES = frozenset({"imports.source", "imports.refused", "templates.download", "audit.export", "static", "security.static"})
FILES |= {"api.projects", "api.index", "api.show", "api.document", "api_imports.show", "import_jobs.progress"}
FILES |= {"figures.of_study", "figures.of_animal", "study_export.download"}
"""What answers with a file, or JSON, instead of a page."""

FULL = {
    "home": "/",
    "account": "/account/",
    "change-password": "/account/password",
    "tokens": "/account/tokens/",
    "token-withdraw": "/account/tokens/{token}/withdraw",
    "api": "/api/",
    "identifiers": "/p/FULL/identifiers/",
    "identifier-change": "/p/FULL/identifiers/aliquot",
    "verify": "/verify",
    "projects": "/projects/",
    "project-new": "/projects/new",
    "project-members": "/projects/FULL",
    "project-change": "/projects/FULL/change",
    "project-withdraw": "/projects/FULL/withdraw",
    "project-member": "/projects/FULL/members/{member}",
    "people": "/people/",
    "person-new": "/people/new",
    "person": "/people/{person}",
    "project": "/p/FULL/",
    "studies": "/p/FULL/studies/",
    "study-new": "/p/FULL/studies/new",
    "study": "/p/FULL/studies/{study}",
    "study-weights": "/p/FULL/studies/{study}?kind=body_weight",
    "study-animals": "/p/FULL/studies/{study}/animals",
    "study-readings": "/p/FULL/studies/{study}/readings",
    "study-survival": "/p/FULL/studies/{study}/survival/?limits=1",
    "study-missing": "/p/FULL/studies/{study}/missing/?kind=body_weight",
    "study-export": "/p/FULL/studies/{study}/export/",
    "study-files": "/p/FULL/studies/{study}/files",
    "study-history": "/p/FULL/studies/{study}/history",
    "study-change": "/p/FULL/studies/{study}/change",
    "study-design": "/p/FULL/studies/{study}/design",
    **{f"study-{step}": f"/p/FULL/studies/{{study}}/{step}" for step in ("activate", "close", "reopen", "blind", "unblind")},
    "randomisation": "/p/FULL/studies/{study}/randomisation",
    "randomise": "/p/FULL/studies/{study}/randomise?kind=bli_total_flux&on=2026-03-09",
    "arms": "/p/FULL/arms/of/{study}",
    "arm-new": "/p/FULL/arms/new",
    "arm-change": "/p/FULL/arms/{arm}/change",
    "enrol": "/p/FULL/enrolments/of/{study}/new",
    "enrolment": "/p/FULL/enrolments/{enrolment}",
    **{f"enrolment-{step}": f"/p/FULL/enrolments/{{enrolment}}/{step}" for step in ("change", "exclude", "include")},
    "animals": "/p/FULL/animals/",
    "animal": "/p/FULL/animals/{animal}",
    "animal-measurements": "/p/FULL/animals/{animal}/measurements",
    "animal-new": "/p/FULL/animals/new",
    "animal-change": "/p/FULL/animals/{animal}/change",
    "animal-move": "/p/FULL/animals/{animal}/move",
    "animals-arrive": "/p/FULL/animals/arrive",
    "alias-new": "/p/FULL/other-names/new?animal_id=M1",
    "alias-withdraw": "/p/FULL/other-names/{alias}/withdraw",
    "alias-history": "/p/FULL/other-names/{alias}/history",
    "colony": "/p/FULL/colony/",
    "colony-filtered": "/p/FULL/colony/?protocol=A-07",
    "cages": "/p/FULL/cages/",
    "cage": "/p/FULL/cages/{cage}",
    "cage-card": "/p/FULL/cages/{cage}/card",
    "cage-new": "/p/FULL/cages/new",
    "cage-change": "/p/FULL/cages/{cage}/change",
    "cage-move-in": "/p/FULL/cages/{cage}/move-in",
    "endpoint-new": "/p/FULL/endpoints/new?protocol_id=A-07",
    "endpoint-change": "/p/FULL/endpoints/{endpoint}/change",
    "actions": "/p/FULL/actions/",
    "action": "/p/FULL/actions/{action}",
    "action-defer": "/p/FULL/actions/{action}/defer",
    "action-close": "/p/FULL/actions/{action}/close",
    "fates": "/p/FULL/fates/",
    "fate-new": "/p/FULL/fates/new?animal_id=GONE",
    "fates-several": "/p/FULL/fates/several?animal=GONE",
    "fate": "/p/FULL/fates/{fate}",
    "fate-change": "/p/FULL/fates/{fate}/change",
    "protocols": "/p/FULL/protocols/",
    "protocol": "/p/FULL/protocols/{protocol}",
    "protocol-new": "/p/FULL/protocols/new",
    "protocol-change": "/p/FULL/protocols/{protocol}/change",
    "patients": "/p/FULL/patients/",
    "patient": "/p/FULL/patients/{patient}",
    "patient-new": "/p/FULL/patients/new",
    **{
        f"patient-{step}": f"/p/FULL/patients/{{patient}}/{step}"
        for step in ("change", "withdraw", "history", "derived", "withdraw-consent")
    },
    "consents": "/p/FULL/consents/",
    "consent": "/p/FULL/consents/{consent}",
    "consent-new": "/p/FULL/consents/new?patient_id=P01",
    "consent-change": "/p/FULL/consents/{consent}/change",
    "consent-withdraw": "/p/FULL/consents/{consent}/withdraw",
    "therapy": "/p/FULL/therapy/",
    "therapy-line": "/p/FULL/therapy/{therapy}",
    "therapy-new": "/p/FULL/therapy/new?patient_id=P01",
    "therapy-change": "/p/FULL/therapy/{therapy}/change",
    "specimens": "/p/FULL/specimens/",
    "specimens-cohort": "/p/FULL/specimens/?cohort=3",
    "specimens-columns": "/p/FULL/specimens/?columns=site,cns_status",
    "specimen": "/p/FULL/specimens/{specimen}",
    "specimen-harvest": "/p/FULL/specimens/{harvest}",
    "specimen-new": "/p/FULL/specimens/new",
    "specimen-change": "/p/FULL/specimens/{specimen}/change",
    "assays": "/p/FULL/assays/",
    "assay": "/p/FULL/assays/{assay}",
    "assay-new": "/p/FULL/assays/new?specimen_id=P01-BM",
    "assay-change": "/p/FULL/assays/{assay}/change",
    "stains": "/p/FULL/stains/",
    "stain": "/p/FULL/stains/{stain}",
    "stain-new": "/p/FULL/stains/new?specimen_id=P01-BM",
    "stain-change": "/p/FULL/stains/{stain}/change",
    "alterations": "/p/FULL/alterations/",
    "alterations-matrix": "/p/FULL/alterations/matrix",
    "alterations-matrix-set": "/p/FULL/alterations/matrix?pathway=her_family",
    "alteration": "/p/FULL/alterations/{alteration}",
    "alteration-new": "/p/FULL/alterations/new?specimen_id=P01-BM",
    "alteration-change": "/p/FULL/alterations/{alteration}/change",
    "profiles": "/p/FULL/profiles/",
    "profile": "/p/FULL/profiles/{profile}",
    "profile-new": "/p/FULL/profiles/new?specimen_id=P01-BM",
    "profile-change": "/p/FULL/profiles/{profile}/change",
    "preparations": "/p/FULL/preparations/",
    "preparation": "/p/FULL/preparations/{preparation}",
    "preparation-new": "/p/FULL/preparations/new",
    "preparation-change": "/p/FULL/preparations/{preparation}/change",
    "models": "/p/FULL/models/",
    "models-cohort": "/p/FULL/models/?cohort=3",
    "model": "/p/FULL/models/{model}",
    "model-new": "/p/FULL/models/new",
    "model-change": "/p/FULL/models/{model}/change",
    "model-checks": "/p/FULL/checks/",
    "model-check": "/p/FULL/checks/{check}",
    "model-check-new": "/p/FULL/checks/new?model_id=BM-01",
    "model-check-change": "/p/FULL/checks/{check}/change",
    "implants": "/p/FULL/implants/",
    "implant": "/p/FULL/implants/{implant}",
    **{f"implant-{step}": f"/p/FULL/implants/{{implant}}/{step}" for step in ("change", "engraftment", "harvest")},
    "surgery": "/p/FULL/implants/surgery?aliquot_id=AL-1",
    "surgery-done": "/p/FULL/implants/surgery/done?implant={implant}",
    "animal-lineage": "/p/FULL/lineage/animal/{animal}",
    "storage": "/p/FULL/storage/",
    "storage-moving": "/p/FULL/storage/?moving=AL-1",
    "storage-new": "/p/FULL/storage/new",
    "freezer": "/p/FULL/storage/{freezer}",
    "freezer-contents": "/p/FULL/storage/{freezer}/contents",
    "box": "/p/FULL/storage/{box}",
    "box-moving": "/p/FULL/storage/{box}?moving=AL-1",
    "box-map": "/p/FULL/storage/{box}/map",
    "freezer-map": "/p/FULL/storage/{freezer}/map",
    "place-change": "/p/FULL/storage/{box}/change",
    "scan": "/p/FULL/storage/scan?code=nowhere",
    "aliquots": "/p/FULL/aliquots/",
    "aliquots-freeze": "/p/FULL/aliquots/freeze?place_id=BX-03&box_row=A2",
    "aliquot": "/p/FULL/aliquots/{aliquot}",
    **{f"aliquot-{step}": f"/p/FULL/aliquots/{{aliquot}}/{step}" for step in ("use", "split", "change", "label")},
    **{
        f"aliquots-{step}": f"/p/FULL/aliquots/{step}?aliquots=AL-1"
        for step in ("move", "take-out", "thaw", "ship", "return", "discard")
    },
    "search": "/p/FULL/search/?q=M",
    "search-nothing": "/p/FULL/search/?q=nowhere",
    "measurements": "/p/FULL/measurements/",
    "measurements-none-fit": "/p/FULL/measurements/?q=no-such-animal",
    "measurement": "/p/FULL/measurements/{measurement}",
    "measurement-quality": "/p/FULL/measurements/{measurement}/quality?as=excluded",
    "measurement-change": "/p/FULL/measurements/{typed}/change",
    "measure-begin": "/p/FULL/measurements/measure",
    "measure": "/p/FULL/measurements/measure?study={study}&on=2026-03-20",
    "measure-tumours": "/p/FULL/measurements/measure?implant={implant}&kind=mri_volume&kind=body_weight",
    "kinds": "/p/FULL/kinds/",
    "kind": "/p/FULL/kinds/{kind}",
    "kind-new": "/p/FULL/kinds/new",
    "kind-change": "/p/FULL/kinds/{kind}/change",
    "procedures": "/p/FULL/procedures/",
    "procedure": "/p/FULL/procedures/{procedure}",
    "procedure-new": "/p/FULL/procedures/new?animal=GONE",
    "procedure-change": "/p/FULL/procedures/{procedure}/change",
    "exposures": "/p/FULL/exposures/",
    "exposure": "/p/FULL/exposures/{exposure}",
    "exposure-change": "/p/FULL/exposures/{exposure}/change",
    "exposures-list": "/p/FULL/exposures/new?study={study}",
    "exposure-of-study": "/p/FULL/exposures/study/{study}",
    "collect": "/p/FULL/specimens/collect?study={study}&take=plasma",
    "collect-begin": "/p/FULL/specimens/collect",
    "agents": "/p/FULL/agents/",
    "agent": "/p/FULL/agents/{agent}",
    "agent-new": "/p/FULL/agents/new",
    "agent-change": "/p/FULL/agents/{agent}/change",
    "lots": "/p/FULL/lots/",
    "lot": "/p/FULL/lots/{lot}",
    "lot-new": "/p/FULL/lots/new",
    "lot-change": "/p/FULL/lots/{lot}/change",
    "regimens": "/p/FULL/regimens/",
    "regimen": "/p/FULL/regimens/{regimen}",
    "regimen-new": "/p/FULL/regimens/new",
    "regimen-change": "/p/FULL/regimens/{regimen}/change",
    "doses": "/p/FULL/doses/",
    "dose": "/p/FULL/doses/{dose}",
    "dose-new": "/p/FULL/doses/new",
    "dose-change": "/p/FULL/doses/{dose}/change",
    "dosing": "/p/FULL/studies/{dosed}/dosing/",
    "dosing-table": "/p/FULL/studies/{dosed}/dosing/table",
    "dosing-list": "/p/FULL/studies/{dosed}/dosing/list?on=2026-03-03",
    "dosing-no-list": "/p/FULL/studies/{dosed}/dosing/list?on=2026-09-03",
    "imports": "/p/FULL/imports/",
    "templates": "/p/FULL/templates/",
    "import-new": "/p/FULL/imports/new",
    "import-corrected": "/p/FULL/imports/new?supersedes={committed}",
    "import-several": "/p/FULL/imports/uploaded?batch={ready}&batch={refused}",
    "import-mapping": "/p/FULL/imports/{refused}/mapping",
    "import-profiles": "/p/FULL/import-profiles/",
    "import-profile": "/p/FULL/import-profiles/{profile}",
    "import-profile-edit": "/p/FULL/import-profiles/{profile}/edit",
    "import-profile-change": "/p/FULL/import-profiles/{profile}/change",
    "import-profile-new": "/p/FULL/import-profiles/new?batch={ready}",
    "import-profile-version": "/p/FULL/import-profiles/versions/{profile_version}",
    "check-ready": "/p/FULL/imports/{ready}",
    "check-log": "/p/FULL/imports/{logged}",
    "check-refused": "/p/FULL/imports/{refused}",
    "check-row": "/p/FULL/imports/{refused}/rows?row=3",
    "check-names": "/p/FULL/imports/{refused}/names?suggest=all",
    "check-changes": "/p/FULL/imports/{refused}/changes",
    "batch": "/p/FULL/imports/{committed}",
    "batch-records": "/p/FULL/imports/{committed}/records",
    "batch-withdrawn": "/p/FULL/imports/{withdrawn}",
    "audit": "/p/FULL/audit/",
    "audit-event": "/p/FULL/audit/{event}",
    "audit-record": "/p/FULL/audit/record/animal/{animal}",
    "no-such-page": "/nowhere",
    "no-such-record": "/p/FULL/animals/999999",
    "filter-refused": "/p/FULL/measurements/?from=yesterday",
}
EMPTY = {
    f"empty-{name}": f"/p/EMPTY/{path}"
    for name, path in {
        "project": "",
        "studies": "studies/",
        "patients": "patients/",
        "specimens": "specimens/",
        "models": "models/",
        "implants": "implants/",
        "surgery": "implants/surgery",
        "stains": "stains/",
        "alterations": "alterations/",
        "alterations-matrix": "alterations/matrix",
        "preparations": "preparations/",
        "animals": "animals/",
        "colony": "colony/",
        "cages": "cages/",
        "actions": "actions/",
        "fates": "fates/",
        "protocols": "protocols/",
        "measurements": "measurements/",
        "kinds": "kinds/",
        "procedures": "procedures/",
        "exposures": "exposures/",
        "agents": "agents/",
        "lots": "lots/",
        "regimens": "regimens/",
        "doses": "doses/",
        "dosing": "studies/{empty_study}/dosing/",
        "imports": "imports/",
        "import-profiles": "import-profiles/",
        "study": "studies/{empty_study}",
        "study-design": "studies/{empty_study}/design",
        "study-animals": "studies/{empty_study}/animals",
        "arms": "arms/of/{empty_study}",
        "randomisation": "studies/{empty_study}/randomisation",
    }.items()
}
SIGNED_OUT = {"sign-in": "/login", "forgot-password": "/reset"}
NOWHERE = frozenset({"no-such-page"})
SAME_FOR_ALL = frozenset({"history", "withdraw"})
"""Pages of one template for every noun (`lims/views/record_pages.py`); a patient's are walked, and a consent's withdrawal."""
NOUNS = frozenset(field.name for field in fields(Whole)) | {"arms", "enrolments", "fates", "measurements", "studies"}
NOT_WALKED = {"security.reset_password": "needs a link from a message", "story.show": "stands in the demo's project only"}


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Two projects, one with everything and one with a bare study; `keys` are the records their addresses name."""

    desk: Desk
    keys: dict[str, int]

    def path(self, place: str) -> str:
        """Give a place's address."""
        return (FULL | EMPTY | SIGNED_OUT)[place].format(**self.keys)


@pytest.fixture(scope="session")
def laboratory(new_desk: Callable[[str], Desk]) -> Laboratory:
    """Give a project with readings of every kind, a file in each state, and one with nothing but a study."""
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
        keys["alias"] = factories.alias(session, session.get_one(Animal, keys["animal"])).id
    with full.database.reading() as session:
        of_batch = select(func.min(Measurement.id)).where(Measurement.batch_id == keys["committed"])
        keys["measurement"] = session.scalars(of_batch).one()
        keys["event"] = session.scalars(select(func.max(AuditEvent.seq))).one()
    return Laboratory(full, keys)


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


@pytest.fixture(scope="session")
def reader(chromium: Browser, live_server: LiveServer, session_cookie: StorageState) -> Iterator[Page]:
    """Give one page that walks through the whole application."""
    with browsing(chromium, live_server, storage_state=session_cookie) as opened:
        yield opened


def look(page: Page) -> None:
    """Assert what every page must have, at each width."""
    assert page.title().removesuffix("· BCBM LIMS").strip()
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text().strip()
    assert page.locator("input[type=number]").count() == 0, "a scanned id typed into a number field is mangled"
    expect(page.locator("[data-plot]:not(:has(svg, canvas))")).to_have_count(0)
    page.evaluate(AXE_SCRIPT)
    for width, options in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        assert wide <= 0, f"the page is {wide} px wider than {width} px"
        # Naming every element that is as it should be, which axe does unless told not to, takes longer than finding what is not.
        found = AxeResults(page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **options}))
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("place", [*FULL, *EMPTY])
def test_a_page_is_sound(laboratory: Laboratory, reader: Page, place: str) -> None:
    reader.goto(laboratory.path(place))
    look(reader)


@pytest.mark.parametrize("place", SIGNED_OUT)
def test_a_page_before_sign_in_is_sound(page: Page, place: str) -> None:
    page.goto(SIGNED_OUT[place])
    look(page)


def test_a_refusal_for_who_was_slower_is_a_sound_page(laboratory: Laboratory, reader: Page) -> None:
    reader.goto(laboratory.path("check-ready"))
    done = laboratory.path("batch") + "/commit"
    reader.locator("form.commit-bar").evaluate("(form, action) => { form.action = action }", done)
    reader.locator("form.commit-bar button").click()
    expect(reader.locator("h1")).to_have_text("Somebody was faster")
    look(reader)


def test_a_refusal_of_too_large_a_file_is_a_sound_page(laboratory: Laboratory, reader: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(MAX_UPLOAD_BYTES + 1)
    reader.goto(laboratory.path("import-new"))
    reader.get_by_label("Choose a file").set_input_files(large)
    reader.get_by_role("button", name="Upload and check").click()
    expect(reader.get_by_role("alert")).to_contain_text("too large to be sent: 50.0 MB")
    expect(reader.get_by_role("alert")).to_be_focused()
    look(reader)
    # What goes round the script, such as a browser without it, is refused by the server.
    reader.locator("form[data-upload]").evaluate("form => form.submit()")
    expect(reader.locator("h1")).to_have_text("The file is too large")
    expect(reader.get_by_role("main")).to_contain_text("50 MB")
    look(reader)


def test_a_refusal_of_a_forged_form_is_a_sound_page(laboratory: Laboratory, reader: Page) -> None:
    reader.goto(laboratory.path("study-new"))
    reader.locator("main input[name=csrf_token]").evaluate("field => { field.value = 'forged' }")
    reader.get_by_role("button", name="Record the study").click()
    expect(reader.get_by_role("main")).to_contain_text("not one of this sign-in")
    look(reader)


def test_a_refusal_for_want_of_permission_is_a_sound_page(
    laboratory: Laboratory, chromium: Browser, live_server: LiveServer
) -> None:
    with laboratory.desk.database.transaction() as session:
        auditor = create_user(session, factories.actor(), email="auditor@lab.example", name="Ann", password_hash=PASSWORD_HASH)
        add_member(session, factories.actor(), session.get_one(Project, laboratory.desk.project), auditor, RoleName.AUDITOR)
    with browsing(chromium, live_server) as page:
        sign_in(page, "auditor@lab.example")
        page.goto(laboratory.path("import-new"))
        expect(page.get_by_role("main")).to_contain_text("auditor")
        look(page)


def test_every_page_is_walked(laboratory: Laboratory, live_server: LiveServer) -> None:
    """A new page has to be named here."""
    application = create_app(laboratory.desk.settings, live_server.database)
    addresses = application.url_map.bind("127.0.0.1")
    walked = {
        addresses.match(laboratory.path(place).partition("?")[0])[0] for place in FULL | EMPTY | SIGNED_OUT if place not in NOWHERE
    }
    pages = {rule.endpoint for rule in application.url_map.iter_rules() if "GET" in (rule.methods or ())}
    same = {f"{noun}.{page}" for noun in NOUNS for page in SAME_FOR_ALL}
    assert pages - walked - FILES - same == set(NOT_WALKED)
