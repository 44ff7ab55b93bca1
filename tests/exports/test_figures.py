"""Figures on file: whole, with their title, without a network, and within limits."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from lims import plots
from lims.domain.errors import DomainError
from lims.exports.figures import FONT, MOST_MARKS, SCALE, WIDTH, draw, figure

ARMS = [("Vehicle", "vehicle"), ("Tucatinib 50 mg/kg", "treatment")]


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """Give a plot as a page has it."""
    points = [
        {"animal": f"M{n}", "arm": ARMS[n % 2][0], "day": day, "value": 20.0 + n + day / 7, "url": f"/animals/{n}"}
        for n in range(4)
        for day in (0, 7, 14)
    ]
    return plots.growth_curves(points, arms=ARMS, unit="g", title_y="Body weight", limit=18)


def test_a_figure_has_its_title_and_nothing_that_follows_a_pointer(spec: dict[str, Any]) -> None:
    alone = figure(spec, "BM-014: Body weight")
    assert alone["title"]["text"] == "BM-014: Body weight"
    assert alone["width"] == WIDTH
    assert alone["padding"]["right"] > 5 * alone["padding"]["left"], "labels in a wider font are not cut off"
    assert "params" not in str(alone["layer"])
    assert "tooltip" not in str(alone["layer"])
    assert "tooltip" in str(spec["layer"]), "the page's own specification stays as it is"


def test_what_the_plot_says_of_itself_stands_below_the_title(spec: dict[str, Any]) -> None:
    assert figure(spec | {"title": "1 at or below 0 is not drawn."}, "Flux")["title"]["subtitle"] == "1 at or below 0 is not drawn."


def test_svg_has_words_as_text_in_a_font_that_everybody_has(spec: dict[str, Any]) -> None:
    drawn = draw(figure(spec, "BM-014: Körpergewicht ± SEM"), "svg").decode()
    assert drawn.startswith("<svg")
    for words in ("BM-014: Körpergewicht ± SEM", "Tucatinib 50 mg/kg", "Body weight (g)", "limit 18 g"):
        assert words in drawn
    assert f'font-family="{FONT}, Arial, Helvetica, sans-serif"' in drawn


def test_png_is_large_enough_to_print(spec: dict[str, Any]) -> None:
    drawn = draw(figure(spec, "Body weight"), "png")
    assert drawn.startswith(b"\x89PNG")
    width, _ = struct.unpack(">II", drawn[16:24])
    assert width >= WIDTH * SCALE


def test_pdf_holds_its_fonts(spec: dict[str, Any]) -> None:
    drawn = draw(figure(spec, "Body weight"), "pdf")
    assert drawn.startswith(b"%PDF")
    assert b"LiberationSans" in drawn


@pytest.mark.parametrize("form", ["", "gif", "SVG", "html"])
def test_another_format_is_refused_by_name(spec: dict[str, Any], form: str) -> None:
    with pytest.raises(DomainError, match="no format of a figure") as refused:
        draw(figure(spec, "Body weight"), form)
    assert refused.value.expected == "svg, png, pdf"


def test_more_than_anybody_can_read_is_refused_with_what_to_do(spec: dict[str, Any]) -> None:
    row = spec["data"]["values"][0]
    with pytest.raises(DomainError, match="20,001 points") as refused:
        draw(spec | {"data": {"values": [row] * (MOST_MARKS + 1)}}, "svg")
    assert "Download its table" in str(refused.value.remedy)


def test_a_figure_asks_no_address(spec: dict[str, Any]) -> None:
    away = spec | {"layer": [{"data": {"url": "https://example.org/rows.json"}, "mark": "point", "encoding": {}}]}
    with pytest.raises(ValueError, match=r"(?i)not allowed|external|url"):
        draw(figure(away, "Away"), "svg")
