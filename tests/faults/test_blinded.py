"""Fault: somebody who must not know learns at any address, in any format, which arm of a blinded study is which."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import openpyxl
import pytest
from bs4 import BeautifulSoup, Tag
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lims.domain.cohort_terms import AllocationMethod
from lims.domain.vocabulary import ArmRole, BatchState
from lims.exports.tidy import TABLES
from lims.models import Allocation, Animal, Arm, Enrolment, ImportFinding, Project, Randomisation, Study
from lims.queries.api_resources import RESOURCES
from lims.records.nouns import change
from lims.records.registries import REGISTRIES
from lims.records.studies import ENROLMENT, blind, unblind
from lims.views.figures import STUDY_PLOTS
from tests.faults.conftest import HERE, Lab
from tests.support import factories
from tests.support.pages import message, sent

CONTROL, DRUG, CODE, AGENT, NOTE = "Xantholactose", "Quillobrutinib", "QQ-ARM-7", "AG-ZZYZX", "in Wobblesol"
SEED = "SEED-90817"
FORMULARY = frozenset({"agents", "lots", "templates"})
"""Pages that list what the project has in its cupboard; which arm gets it is said elsewhere."""
FORMATS = ("csv", "xlsx", "json")


@dataclass
class Blinded:
    """A laboratory with a blinded study of two arms, whose names are found nowhere else."""

    lab: Lab
    study: int
    arms: list[int]
    codes: list[str]
    animals: list[int]
    enrolments: list[int]
    batches: list[int]

    def ids(self, rule: Rule) -> Iterator[dict[str, Any]]:
        """Give what stands in a route for each record of the study that it could be about."""
        blueprint = rule.endpoint.partition(".")[0]
        about = {"arms": self.arms, "enrolments": self.enrolments, "animals": self.animals, "imports": self.batches}
        for key in about.get(blueprint, [None]):
            found = {"study_id": self.study, "record_id": key, "animal_id": key, "batch_id": key}
            yield {name: value for name, value in found.items() if value is not None and name in rule.arguments}

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give endpoint and address of every page, and of everything that the API answers."""
        adapter = self.lab.app.url_map.bind("localhost")
        for rule in self.lab.rules("GET", "/"):
            usual = self.lab.address(rule)
            _, arguments = adapter.match(usual, method="GET")
            for own in self.ids(rule):
                yield rule.endpoint, str(adapter.build(rule.endpoint, {**arguments, **own}))
        for plural in RESOURCES:
            yield f"api.{plural}", f"/api/v1/projects/{HERE}/{plural}"
            yield f"api.{plural}", f"/api/v1/projects/{HERE}/{plural}?status=any&count=1"
        for key in self.arms:
            yield "api.arms", f"/api/v1/projects/{HERE}/arms/{key}"
            yield "api.enrolments", f"/api/v1/projects/{HERE}/enrolments?arm_id={key}"
            yield "animals.index", f"/p/{HERE}/animals/?arm={key}"
        study = f"/p/{HERE}/studies/{self.study}"
        for form in ("csv", "svg"):
            for plot in STUDY_PLOTS:
                yield "figures.of_study", f"{study}/plots/{plot}.{form}?limits=1&of={AGENT}"
        for plot in STUDY_PLOTS:
            for part in ("", "/table"):
                yield "figures.part_of_study", f"{study}/plots/{plot}{part}?limits=1&of={AGENT}"
        for table in (*(f"{one}.csv" for one in TABLES), "all.xlsx", "all.zip"):
            yield "study_export.download", f"{study}/export/{table}"
        for noun in REGISTRIES:
            yield "templates.download", f"/p/{HERE}/templates/{noun}.xlsx?filled=1"
        for word in (CONTROL, DRUG, CODE):
            yield "search", f"/p/{HERE}/search/?q={word}"
        for column in ("arm", "arms", "-arm"):
            yield "animals.index", f"/p/{HERE}/animals/?sort={column}&state=any"
            yield "studies.animals", f"/p/{HERE}/studies/{self.study}/animals?sort={column}"
            yield "studies.readings", f"/p/{HERE}/studies/{self.study}/readings?sort={column}"


def text_of(content: bytes, kind: str) -> str:
    """Give what a file says; a workbook is unpacked."""
    if "spreadsheet" not in kind:
        return content.decode("utf-8", errors="replace")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return "\n".join(packed.read(name).decode() for name in packed.namelist())


@pytest.fixture
def blinded(lab: Lab) -> Blinded:
    """Give the laboratory with readings, a file and findings that name the arms, blinded last."""
    with factories.declared(lab.database) as session:
        project = session.get_one(Project, lab.projects[HERE])
        study = factories.study(session, project, "ST-BLIND")
        control = factories.arm(session, study, "CTRL-ZERO", 1, title=CONTROL, role=ArmRole.VEHICLE)
        drug = factories.arm(session, study, CODE, 2, title=DRUG, role=ArmRole.SHAM)
        agent = factories.agent(session, project, AGENT)
        regimens = [factories.regimen(session, arm, agent, note=NOTE) for arm in (control, drug)]
        cage = factories.cage(session, project, "C-BLIND", rack="R1", rack_row=1, rack_column=1)
        animals = [factories.animal(session, project, f"B-{n}", cage_id=cage.id) for n in range(4)]
        enrolments = [factories.enrolment(session, (control, drug)[n % 2], one) for n, one in enumerate(animals)]
        drawn = {"method": AllocationMethod.STRATIFIED_BLOCKS, "algorithm": "ranked blocks 1", "seed": SEED, "strata": []}
        run = Randomisation(project_id=project.id, study_id=study.id, number=1, made_on=factories.NOON.date(), **drawn)
        run.places = [f"{arm.code}: 2" for arm in (control, drug)]
        session.add(run)
        session.flush()
        for n, animal in enumerate(animals):
            of_run = {"project_id": project.id, "randomisation_id": run.id, "animal_id": animal.id, "position": n}
            session.add(Allocation(arm_id=(control, drug)[n % 2].id, **of_run))
        batch = factories.batch(session, project, study_id=study.id, file_name="flux.csv")
        for n, animal in enumerate(animals):
            factories.measurement(session, animal, "bli_total_flux", 1e6 * (n + 1), batch_id=batch.id)
            factories.measurement(session, animal, value=20.0 + n)
            factories.dose(session, animal, agent, study_id=study.id, regimen_id=regimens[n % 2].id)
        told = f'Animal "B-0" is in arm "{CONTROL}" of study ST-BLIND; this file puts it in "{DRUG}".'
        report = {
            "create": {"study": [], "arms": ["ST-BLIND: Nevermabtansine"], "animals": ["B-9"], "tumours": 0},
            "questions": [
                {
                    "key": "moved",
                    "prompt": f"Is B-1 in {DRUG}?",
                    "typed": f"the dose of {DRUG}",
                    "options": [["yes", f"in {DRUG}"], ["no", f"in {CONTROL}"]],
                    "proposed": None,
                    "answer": None,
                    "evidence": f"{CODE} until day 3",
                    "samples": [CONTROL],
                }
            ],
            "set_aside": [],
            "columns": [],
        }
        checked = factories.batch(session, project, study_id=study.id, state=BatchState.CHECKED, report=report, file_name="x.csv")
        for code, value in (("animal-in-other-arm", DRUG), ("arm-unknown", "Nevermabtansine")):
            said = {"batch_id": checked.id, "severity": "warning", "code": code, "message": f'{told} No arm "{value}".'}
            session.add(ImportFinding(**said, value=value, sheet="S", row_number=2))
        return Blinded(
            lab,
            study.id,
            [control.id, drug.id],
            [control.blind_code, drug.blind_code],
            [one.id for one in animals],
            [one.id for one in enrolments],
            [batch.id, checked.id],
        )


@pytest.fixture
def hidden(blinded: Blinded) -> Blinded:
    """Give it blinded, after somebody excluded an animal and wrote an arm's name in the reason."""
    database = blinded.lab.database
    with database.transaction() as session:
        found = session.get_one(Enrolment, blinded.enrolments[0])
        fields = {"exclusion_reason": "no tumour", "excluded_on": found.enrolled_on or factories.NOON.date()}
        actor = factories.actor()
        change(session, actor, ENROLMENT, found, version=found.version, reason=f"all of {CONTROL} were late", fields=fields)
    with database.transaction() as session:
        study = session.get_one(Study, blinded.study)
        blind(session, factories.actor(), study, version=study.version, reason="randomised")
    return blinded


def said_anywhere(blinded: Blinded, person: str, only: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Give word → endpoints whose answers have it, for one person at every address, or at those of some endpoints."""
    found: dict[str, set[str]] = {}
    answered, client = 0, blinded.lab.browser(person).client
    left = [one for one in blinded.addresses() if not only or one[0] in only]
    while left:
        endpoint, path = left.pop()
        with client.get(path) as response:
            assert response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR, path
            answered += response.status_code == HTTPStatus.OK
            text = text_of(response.data, response.content_type or "").casefold()
        if "format=csv" in text and "format=" not in path:
            left += [(endpoint, f"{path}{'&' if '?' in path else '?'}format={one}") for one in FORMATS]
        asked = path.partition("?")[2].casefold()
        for word in (CONTROL, DRUG, CODE, "CTRL-ZERO", "Nevermabtansine", NOTE, SEED, AGENT, "vehicle-0"):
            if word.casefold() in text and word.casefold() not in asked:
                found.setdefault(word, set()).add(endpoint)
    assert answered > (len(only) or 150)
    return found


@pytest.mark.parametrize("person", ["technician", "scientist"])
def test_whoever_may_not_unblind_reads_no_arms_name_anywhere(hidden: Blinded, person: str) -> None:
    found = said_anywhere(hidden, person)
    agents = {one for one in found.pop(AGENT, set()) if one.removeprefix("api.").partition(".")[0] not in FORMULARY}
    # The other study of the project has a vehicle, drawn in its grey; this study's own pages are looked at below.
    found.pop("vehicle-0", None)
    assert found == {}
    # Forms offer the cupboard; what an arm of this study is given would show with the note of its regimen.
    assert {one for one in agents if not one.endswith((".new", ".change"))} == set()


def test_whoever_may_unblind_reads_them(hidden: Blinded) -> None:
    titles = {"studies.show", "studies.animals", "studies.readings", "animals.index", "animals.show", "colony.index"}
    codes = {"arms.of_study", "arms.change", "imports.show", "api.arms", "api.enrolments"}
    found = said_anywhere(hidden, "director", frozenset(titles | codes))
    assert titles <= found[DRUG]
    assert codes <= found[CODE]
    assert "studies.show" in found["vehicle-0"]


def test_colours_order_and_addresses_of_arms_tell_nothing(hidden: Blinded) -> None:
    browser = hidden.lab.browser("scientist")
    by_code = sorted(hidden.codes)
    for tab in ("", "/animals", "/readings"):
        page = browser.get(f"/p/{HERE}/studies/{hidden.study}{tab}")
        assert "vehicle-0" not in str(page)
        for key in hidden.arms:
            assert f"arm={key}" not in str(page)
            assert not page.select(f'option[value="{key}"]')
    arms = browser.get(f"/p/{HERE}/arms/of/{hidden.study}")
    shown = [cell.get_text(strip=True) for cell in arms.select("tbody td:first-child")]
    assert shown == by_code
    assert [swatch["class"][-1] for swatch in arms.select(".arm-swatch")] == ["arm-0", "arm-1"]


def test_the_api_gives_the_code_in_place_of_the_arm(hidden: Blinded) -> None:
    client = hidden.lab.browser("technician").client
    enrolments = client.get(f"/api/v1/projects/{HERE}/enrolments?study_id={hidden.study}").get_json()["items"]
    assert [one["arm"] for one in enrolments] == [{"id": None, "code": hidden.codes[n % 2]} for n in range(4)]
    assert client.get(f"/api/v1/projects/{HERE}/arms?study_id={hidden.study}").get_json()["items"] == []
    assert client.get(f"/api/v1/projects/{HERE}/arms/{hidden.arms[0]}").status_code == HTTPStatus.NOT_FOUND
    narrowed = client.get(f"/api/v1/projects/{HERE}/enrolments?arm_id={hidden.arms[0]}").get_json()
    assert narrowed["items"] == []
    director = hidden.lab.browser("director").client
    seen = director.get(f"/api/v1/projects/{HERE}/enrolments?arm_id={hidden.arms[0]}").get_json()["items"]
    assert [one["arm"] for one in seen] == [{"id": hidden.arms[0], "code": "CTRL-ZERO"}] * 2


def test_templates_with_records_leave_out_lines_that_tell_an_arm_or_what_it_is_given(hidden: Blinded) -> None:
    def lines(person: str, noun: str) -> set[str]:
        sent = hidden.lab.file(f"/p/{HERE}/templates/{noun}.xlsx", person, filled="1")
        rows = openpyxl.load_workbook(io.BytesIO(sent.data)).worksheets[0].iter_rows(min_row=3, values_only=True)
        return {str(value) for row in rows for value in row}

    for noun, known in (("enrolment", "B-0"), ("dose", "B-0"), ("arm", "CTRL-ZERO")):
        assert known not in lines("scientist", noun), noun
        assert known in lines("director", noun), noun
    assert "B-0" in lines("technician", "animal")
    told = hidden.lab.browser("scientist").get(f"/p/{HERE}/templates/", heading="Templates")
    assert "Blinded: ST-BLIND" in message(told)


def test_a_file_that_tells_arms_is_kept_from_those_who_must_not_know(hidden: Blinded) -> None:
    for batch in hidden.batches:
        for page in ("file", "refused.csv", "refused.xlsx", "rows?row=2", "names"):
            path = f"/p/{HERE}/imports/{batch}/{page}"
            response = hidden.lab.browser("scientist").client.get(path)
            assert response.status_code == HTTPStatus.FORBIDDEN, path
    assert "blinded study" in message(BeautifulSoup(response.text, "html.parser"))


def test_the_page_of_such_a_file_leads_them_nowhere_that_is_kept_from_them(hidden: Blinded) -> None:
    scientist, director = (hidden.lab.browser(name) for name in ("scientist", "director"))
    kept, checks = ("/file", "/names", "/refused.csv", "/mapping"), 0
    for batch in hidden.batches:
        page = f"/p/{HERE}/imports/{batch}"
        if not director.get(page).find("form", action=f"{page}/check"):
            continue
        checks += 1
        assert f"{page}/file" in _links(director.get(page))
        assert not {f"{page}{one}" for one in kept} & _links(scientist.get(page))
        asked = sent(scientist.get(page), f"{page}/check") | {"do": "suggest", "means-animal:B-0": ""}
        assert scientist.client.post(f"{page}/names", data=asked).status_code == HTTPStatus.FORBIDDEN
    assert checks


def _links(page: Tag | TestResponse) -> set[str]:
    return {str(link["href"]) for link in page.select("main a[href]")} if isinstance(page, Tag) else set()


def test_arms_of_a_blinded_study_are_planned_by_those_who_know_them(hidden: Blinded) -> None:
    lab = hidden.lab
    client, arms = lab.browser("scientist").client, lab.of(Arm)
    for step in ("change", "history"):
        assert client.get(f"/p/{HERE}/arms/{hidden.arms[0]}/{step}").status_code == HTTPStatus.FORBIDDEN
    new = f"/p/{HERE}/arms/new"
    asked = sent(lab.browser("scientist").get(new), new) | {"study_id": "ST-BLIND", "code": "N1", "title": "Another"}
    assert client.post(new, data=asked).status_code == HTTPStatus.FORBIDDEN
    assert lab.of(Arm) == arms


def test_a_blinded_person_enrols_by_code(hidden: Blinded) -> None:
    lab = hidden.lab
    with factories.declared(lab.database) as session:
        factories.animal(session, session.get_one(Project, lab.projects[HERE]), "B-NEW")
    path = f"/p/{HERE}/enrolments/of/{hidden.study}/new"
    page = lab.browser("scientist").get(path, heading="Enrol animals")
    (option,) = [one for one in page.select("select option") if one.text.startswith(hidden.codes[0])]
    lab.browser("scientist").submit(page, path, codes="b-new", arm_id=str(option["value"]))
    with lab.database.reading() as session:
        animal = session.query(Animal).filter_by(code="B-NEW").one()
        assert session.query(Enrolment).filter_by(animal_id=animal.id).one().arm_id == hidden.arms[0]


def test_unblinding_takes_the_right_and_a_reason(hidden: Blinded) -> None:
    lab, path = hidden.lab, f"/p/{HERE}/studies/{hidden.study}/unblind"
    for name in ("technician", "scientist", "auditor"):
        for response in (lab.browser(name).client.get(path), lab.browser(name).client.post(path, data=lab.token(name))):
            assert response.status_code == HTTPStatus.FORBIDDEN, name
    director = lab.browser("director")
    director.submit(director.get(path, heading="Unblind study"), path, status=422, reason="")
    director.submit(director.get(path), path, reason="analysed")
    page = lab.browser("technician").get(f"/p/{HERE}/arms/of/{hidden.study}")
    assert {CONTROL, DRUG} <= {cell.get_text(strip=True) for cell in page.select("tbody td:first-child")}


def test_the_same_on_both_engines(lab_on_each: Lab) -> None:
    with factories.declared(lab_on_each.database) as session:
        project = session.get_one(Project, lab_on_each.projects[HERE])
        study = factories.cohort(session, project, arms=("vehicle", "drug"), animals=1)
        study.blinded = True
        codes = sorted(arm.blind_code for arm in study.arms)
        key, titles = study.id, [arm.title for arm in study.arms]
    browser = lab_on_each.browser("technician")
    pages = [browser.get(f"/p/{HERE}/{path}") for path in (f"studies/{key}", f"studies/{key}/animals", "animals/", "colony/")]
    for page in pages[:2]:
        assert all(code in page.text for code in codes)
        assert not any(title in page.text for title in titles)
    for plural in ("arms", "enrolments", "studies", "animals"):
        told = browser.client.get(f"/api/v1/projects/{HERE}/{plural}")
        assert told.status_code == HTTPStatus.OK
    with lab_on_each.database.transaction() as session:
        study = session.get_one(Study, key)
        unblind(session, factories.actor(), study, version=study.version, reason="over")
    assert all(title in browser.get(f"/p/{HERE}/studies/{key}").text for title in titles)
