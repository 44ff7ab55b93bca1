"""The macros' mark-up: one table, field, finding list, history and plot for every page, drawn under the strict policy."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from playwright.sync_api import Browser, Route
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DecimalField, Form, SelectField, StringField
from wtforms.validators import InputRequired

from importers.base import Finding, Severity
from lims import plots
from lims.plot_parts import Spec
from lims.views import filters, headers, kept, marks, rows
from lims.views.saved_views import can_be_saved

ROOT = Path(__file__).resolve().parent.parent
ARMS = [("Vehicle", "vehicle"), ("Tucatinib", "treatment")]


@pytest.fixture(scope="module")
def app() -> Flask:
    """Nothing but the templates, the static files and the headers."""
    app = Flask("macros", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "lims" / "static"))
    headers.install(app, https_only=False)
    marks.install(app)
    rows.install(app)
    kept.install(app)
    app.add_template_filter(filters.dated)
    app.add_template_filter(filters.packed)
    app.add_template_global(can_be_saved)
    return app


def render(app: Flask, source: str, **names: Any) -> BeautifulSoup:
    with app.test_request_context():
        return BeautifulSoup(app.jinja_env.from_string(source).render(**names), "html.parser")


def one(soup: BeautifulSoup | Tag, selector: str) -> Tag:
    (found,) = soup.select(selector)
    return found


class View(SimpleNamespace):
    """A table as views hand it over."""

    def url(self, **changes: object) -> str:
        return "?" + "&".join(f"{key}={value}" for key, value in changes.items() if value is not None)


def view(**changes: Any) -> View:
    columns = [
        {"key": "id", "label": "Animal", "unit": None, "align": "start", "mono": True, "sortable": True},
        {"key": "weight", "label": "Weight", "unit": "g", "align": "end", "mono": False, "sortable": True},
        {"key": "status", "label": "Status", "unit": None, "align": "start", "mono": False, "sortable": False},
    ]
    filters = [
        {"key": "q", "label": "Find", "kind": "search", "value": "M1", "options": []},
        {"key": "sex", "label": "Sex", "kind": "select", "value": "male", "options": [("female", "female"), ("male", "male")]},
        {"key": "since", "label": "Since", "kind": "date", "value": None, "options": []},
    ]
    rows = [
        {
            "id": "M1 <b>",
            "weight": {"text": "17.0", "tone": "endpoint"},
            "status": {"text": "dead", "badge": "dead"},
            "_url": "/animals/1",
        }
    ]
    given = {
        "columns": columns, "filters": filters, "rows": rows, "total": 1200, "counted": "1,200", "more": False,
        "page": 2, "pages": 30, "sort": "id",
        "descending": False, "exports": [("CSV", "/animals.csv?sex=male")], "caption": "Animals", "empty": None,
    }  # fmt: skip
    return View(**(given | changes))


TABLE = '{% from "macros/table.html" import data_table %}{{ data_table(view) }}'


def test_a_table_links_its_row_marks_its_sort_and_escapes(app: Flask) -> None:
    soup = render(app, TABLE, view=view())
    link = one(soup, "tbody a")
    assert (link["href"], link.get_text()) == ("/animals/1", "M1 <b>")
    sorted_head = one(soup, "th[aria-sort]")
    assert sorted_head["aria-sort"] == "ascending"
    assert one(sorted_head, "a")["href"] == "?sort=-id"
    assert soup.select("th")[1].get_text(" ", strip=True) == "Weight g"
    assert soup.select("th")[2].find("a") is None
    assert one(soup, ".tone-endpoint").get_text() == "17.0"


def test_a_second_click_on_a_sorted_column_turns_it_round(app: Flask) -> None:
    head = one(render(app, TABLE, view=view(descending=True)), "th[aria-sort]")
    assert head["aria-sort"] == "descending"
    assert one(head, "a")["href"] == "?sort=id"


def test_the_filter_bar_keeps_what_is_asked_for_in_the_address(app: Flask) -> None:
    form = one(render(app, TABLE, view=view()), "form")
    assert form["method"] == "get"
    assert one(form, "input[name=q]")["value"] == "M1"
    assert one(form, "select[name=sex] option[selected]")["value"] == "male"
    assert one(form, "input[name=sort]")["value"] == "id"
    for control in form.select("input:not([type=hidden]), select"):
        assert form.select(f'label[for="{control["id"]}"]'), control


def test_pager_and_exports(app: Flask) -> None:
    soup = render(app, TABLE, view=view())
    assert (one(soup, "a[rel=prev]")["href"], one(soup, "a[rel=next]")["href"]) == ("?page=1", "?page=3")
    assert one(soup, ".exports a")["href"] == "/animals.csv?sex=male"
    assert "1,200 in all" in soup.get_text()
    assert render(app, TABLE, view=view(page=30)).select("a[rel=next]") == []


def test_an_empty_table_says_what_to_do_first(app: Flask) -> None:
    empty = {"sentence": "No animal yet.", "url": "/imports/new", "label": "Upload a file"}
    soup = render(app, TABLE, view=view(rows=[], empty=empty))
    assert soup.select("table") == []
    assert one(soup, ".empty a")["href"] == "/imports/new"


SEXES: Any = ["female", "male"]


class AnimalForm(Form):
    """Fields of every make."""

    code = StringField("Animal id", [InputRequired("Give the animal an id.")], description="As on the ear tag.")
    weight = DecimalField("Weight")
    sex = SelectField("Sex", choices=SEXES)
    confirmed = BooleanField("Genotype confirmed")

    def is_submitted(self) -> bool:
        """Say what the pages' forms say: these were sent."""
        return True


FORM = """{% from "macros/field.html" import field, error_summary %}{{ error_summary(form) }}
{{ field(form.code) }}{{ field(form.weight, unit="g") }}{{ field(form.sex) }}{{ field(form.confirmed) }}"""


def test_an_error_stands_beside_its_field_and_on_top(app: Flask) -> None:
    form = AnimalForm(MultiDict({"weight": "12,3x", "sex": "male"}))
    assert not form.validate()
    soup = render(app, FORM, form=form)
    code = one(soup, "input#code")
    assert code["aria-invalid"] == "true"
    told = " ".join(one(soup, f"#{part}").get_text(strip=True) for part in str(code["aria-describedby"]).split())
    assert "Give the animal an id." in told
    assert "As on the ear tag." in told
    assert [link["href"] for link in soup.select("[role=alert] a")] == ["#code", "#weight"]
    assert one(soup, "input#weight")["value"] == "12,3x"
    assert one(soup, "option[selected]")["value"] == "male"


def test_a_number_is_typed_as_text_with_its_unit(app: Flask) -> None:
    weight = one(render(app, FORM, form=AnimalForm()), "input#weight")
    assert (weight["type"], weight["inputmode"]) == ("text", "decimal")
    assert "weight-unit" in weight["aria-describedby"]


def test_a_form_without_errors_has_no_summary(app: Flask) -> None:
    soup = render(app, FORM, form=AnimalForm())
    assert soup.select("[role=alert], [aria-invalid], .field-error") == []


def test_findings_say_where_what_and_what_to_do(app: Flask) -> None:
    found = [
        Finding(Severity.ERROR, "low", "Weight 2.14 g is below 5 g.", "Sheet1", 7, 3, "2.14", "5 to 80 g", "Correct the cell."),
        Finding(Severity.NOTE, "unread", "Nothing else was read."),
    ]
    soup = render(app, '{% from "macros/finding.html" import findings %}{{ findings(found) }}', found=found)
    first, second = ([cell.get_text(" ", strip=True) for cell in row.select("td")] for row in soup.select("tbody tr"))
    assert first == ["error", "Sheet1!C7", "2.14", "Weight 2.14 g is below 5 g. Expected: 5 to 80 g.", "Correct the cell."]
    assert second == ["note", "whole file", "", "Nothing else was read.", ""]


def test_history_reads_as_sentences(app: Flask) -> None:
    entries = [
        {"who": "A. Miller", "sentence": "changed the weight", "when": "2026-11-02 14:05", "origin": "batch 12", "url": "/audit/9"}
    ]
    source = '{% from "macros/history.html" import history %}{{ history(entries) }}'
    item = one(render(app, source, entries=entries), "li")
    assert item.get_text(" ", strip=True) == "A. Miller changed the weight 2026-11-02 14:05 · batch 12"
    assert "Nothing has been recorded" in render(app, source, entries=[]).get_text()


def test_a_fact_nobody_recorded_is_said_to_be_so(app: Flask) -> None:
    pairs = [{"label": "Weight", "value": 0, "unit": "g"}, {"label": "Strain", "value": None}]
    soup = render(app, '{% from "macros/facts.html" import facts %}{{ facts(pairs) }}', pairs=pairs)
    assert [fact.get_text(" ", strip=True) for fact in soup.select("dd")] == ["0 g", "not recorded"]


PLOT = """<!doctype html><html lang="en"><title>Plots</title>{% from "macros/plot.html" import plot, plot_scripts %}
{% for id, spec in specs.items() %}
{{ plot(id, spec, "Plot " ~ id, [{"key": "value", "label": "Value"}], spec.data["values"]) }}
{% endfor %}
{{ plot_scripts() }}</html>"""


def some_plots() -> dict[str, Spec]:
    points: list[dict[str, Any]] = [
        {"animal": f"{arm}-{animal}", "arm": arm, "day": day, "value": 1e6 * (day + animal), "url": "/animals/1</script>"}
        for arm, _ in ARMS
        for animal in (1, 2)
        for day in (0, 7, 14)
    ]
    states = {14: "new"}
    dated = [point | {"state": states.get(point["day"], "recorded"), "date": f"2026-11-{point['day'] + 1:02}"} for point in points]
    columns = [[point[key] for point in points] for key in ("arm", "day", "animal", "value")]
    rows = plots.mean_rows(*columns, unit="p/s", decimals=None)
    return {
        "growth": plots.growth_curves(points, arms=ARMS, unit="p/s", title_y="Flux", decimals=None, log=True, limit=1e7),
        "mean": plots.mean_sem(rows, arms=ARMS, unit="p/s", title_y="Flux"),
        "weight": plots.weight_change(plots.percent_of_baseline(points), arms=ARMS, limit_percent=80),
        "days": plots.new_against_existing(dated, unit="g", title_y="Weight"),
        "dates": plots.new_against_existing(dated, unit="g", title_y="Weight", dates=True),
    }


def test_a_plot_carries_its_numbers_as_a_table(app: Flask) -> None:
    soup = render(app, PLOT, specs=some_plots())
    figure = one(soup, "figure#mean")
    assert len(figure.select("tbody tr")) == 6
    assert figure["aria-labelledby"] == one(figure, "figcaption")["id"]
    assert all(script.get("src") or script["type"] == "application/json" for script in soup.select("script"))


@pytest.mark.browser
def test_every_plot_is_drawn_under_the_strict_policy(app: Flask, chromium: Browser) -> None:
    specs = some_plots()

    @app.get("/plots")
    def page() -> str:
        return app.jinja_env.from_string(PLOT).render(specs=specs)

    client = app.test_client()
    origin = "http://localhost"

    def answer(route: Route) -> None:
        with client.get(route.request.url.removeprefix(origin)) as response:
            route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.data)

    said: list[str] = []
    tab = chromium.new_page()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.route("**/*", answer)
    tab.goto(f"{origin}/plots")
    for name in specs:
        tab.wait_for_selector(f"#{name} .plot-area svg .mark-symbol path", state="attached")
    tab.close()
    assert said == []
