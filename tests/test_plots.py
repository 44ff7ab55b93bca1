"""Plots say what the numbers say: means, errors, counts, percent of baseline, and arms in their colours."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lims import plots
from lims.plot_parts import HEIGHT, LABEL_GAP, date_axis, value_scale
from lims.plots_survival import Step, survival_curves

ROOT = Path(__file__).resolve().parent.parent
ARMS = [("Vehicle", "vehicle"), ("Tucatinib", "treatment"), ("Trastuzumab", "treatment")]


def point(animal: str, arm: str | None, day: float, value: float) -> dict[str, Any]:
    return {"animal": animal, "arm": arm, "day": day, "value": value, "url": f"/animals/{animal}"}


def points() -> list[dict[str, Any]]:
    return [
        point(f"{name[:2]}{animal}", name, day, 100.0 + 10 * animal + 50 * place * day)
        for place, (name, _) in enumerate(ARMS)
        for animal in range(3)
        for day in (0, 7, 14)
    ]


def means(read: list[dict[str, Any]], unit: str = "mm³") -> list[dict[str, Any]]:
    columns = [[one[key] for one in read] for key in ("arm", "day", "animal", "value")]
    return plots.mean_rows(*columns, unit=unit)


def drawn(spec: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spec["data"]["values"]
    return rows


def written(spec: dict[str, Any], field: str) -> list[Any]:
    """Every text that a layer with data of its own writes from `field`."""
    texts = []
    for layer in spec["layer"]:
        if layer["encoding"].get("text", {}).get("field") == field:
            texts += [row[field] for row in layer["data"]["values"]]
    return texts


def y_domain(spec: dict[str, Any]) -> list[float]:
    domain: list[float] = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    return domain


def test_vehicles_are_grey_and_the_others_take_the_palette_in_arm_order() -> None:
    arms = [("A", "treatment"), ("Vehicle iv", "vehicle"), ("B", "sham"), ("Vehicle po", "vehicle")]
    assert plots.arm_colours(arms) == {
        "A": plots.OKABE_ITO[0],
        "Vehicle iv": plots.VEHICLE_GREYS[0],
        "B": plots.OKABE_ITO[1],
        "Vehicle po": plots.VEHICLE_GREYS[1],
    }


def test_more_arms_than_colours_are_told_apart_by_their_dashes() -> None:
    styles = plots.arm_styles([(str(number), "treatment") for number in range(20)]).values()
    assert len({(style.colour, tuple(style.dash)) for style in styles}) == 20


def test_the_style_sheet_has_the_same_arm_colours() -> None:
    sheet = (ROOT / "lims" / "static" / "css" / "app.css").read_text(encoding="utf-8")
    variables = dict(re.findall(r"--((?:arm|vehicle)-\d): (#[0-9a-f]+);", sheet))
    longer = {
        name: colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:]) for name, colour in variables.items()
    }
    expected = {f"arm-{place}": colour for place, colour in enumerate(plots.OKABE_ITO)}
    expected |= {f"vehicle-{place}": colour for place, colour in enumerate(plots.VEHICLE_GREYS)}
    assert longer == expected
    assert all(f".{name} {{ background: var(--{name}); }}" in sheet for name in expected)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1234.56, 1, "1,234.6"), (1.264e6, None, "1.26e6"), (-3.2e-4, None, "-3.20e-4"), (0.0, None, "0.00e0"), (20.0, 0, "20")],
)
def test_values_are_written_with_the_digits_of_their_kind(value: float, decimals: int | None, text: str) -> None:
    assert plots.shown(value, decimals) == text


def test_mean_and_sem_are_of_animals_not_of_readings() -> None:
    rows = means([point("a", "X", 7, 10), point("a", "X", 7, 20), point("b", "X", 7, 25)], unit="mm³")
    (row,) = rows
    assert row["n"] == 2
    assert row["mean"] == 20.0
    assert row["sem"] == pytest.approx(math.sqrt(50) / math.sqrt(2))
    assert row["shown"] == "20.0 ± 5.0 mm³"
    assert (row["low"], row["high"]) == (15.0, 25.0)


def test_one_animal_alone_has_no_error() -> None:
    (row,) = means([point("a", "X", 0, 10)], unit="g")
    assert row["sem"] is None
    assert row["shown"] == "10.0 g"
    assert row["low"] == row["high"] == 10.0


def test_counts_stand_under_the_axis_for_every_arm() -> None:
    fewer = [p for p in points() if not (p["animal"] == "Ve0" and p["day"] == 14)]
    spec = plots.mean_sem(means(fewer), arms=ARMS, unit="mm³", title_y="Volume")
    assert written(spec, "n").count(3) == 8
    assert written(spec, "n").count(2) == 1
    assert [label for label in written(spec, "label") if label.startswith("n, ")] == [
        "n, Vehicle",
        "n, Tucatinib",
        "n, Trastuzumab",
    ]


def test_daily_counts_are_thinned_so_that_they_can_be_read() -> None:
    daily = [point("a", "Vehicle", day, 20) for day in range(100)]
    spec = plots.mean_sem(means(daily), arms=ARMS, unit="g", title_y="Weight")
    assert 7 <= len(written(spec, "n")) <= 14


def test_growth_has_every_reading_with_its_animal_and_page() -> None:
    spec = plots.growth_curves(points(), arms=ARMS, unit="mm³", title_y="Tumour volume")
    assert len(drawn(spec)) == 27
    assert drawn(spec)[0] == {
        "animal": "Ve0", "day": 0, "value": 100.0, "url": "/animals/Ve0", "arm": "Vehicle", "on": "d0", "shown": "100.0 mm³",
    }  # fmt: skip
    assert spec["layer"][0]["encoding"]["y"]["axis"]["title"] == "Tumour volume (mm³)"


def test_a_log_axis_leaves_out_what_it_cannot_show_and_says_so() -> None:
    flux = [point("a", "Vehicle", 0, -2e3), point("a", "Vehicle", 3, 0.0), point("a", "Vehicle", 7, 4e6)]
    spec = plots.growth_curves(flux, arms=ARMS, unit="p/s", title_y="Total flux", decimals=None, log=True)
    assert [row["day"] for row in drawn(spec)] == [7]
    assert spec["title"] == "2 at or below 0 are not drawn on the log axis; the table has them."
    assert y_domain(spec) == [2e6, 5e6]


@pytest.mark.parametrize(
    ("values", "ends", "ticks"),
    [
        ([1.1e6, 2.8e6], [1e6, 5e6], [1e6, 2e6, 5e6]),
        ([1e6], [1e6, 2e6], [1e6, 2e6]),
        ([2e6, 5e6], [2e6, 5e6], [2e6, 5e6]),
        ([3e5, 4.5e8], [2e5, 5e8], [1e6, 1e7, 1e8]),
        ([0.03, 40.0], [0.02, 50.0], [0.1, 1.0, 10.0]),
    ],
)
def test_a_log_axis_ends_at_the_next_round_number_and_tells_what_lies_between(
    values: list[float], ends: list[float], ticks: list[float]
) -> None:
    flux = [point("a", "Vehicle", day, value) for day, value in enumerate(values)]
    spec = plots.growth_curves(flux, arms=ARMS, unit="p/s", title_y="Total flux", decimals=None, log=True)
    assert y_domain(spec) == ends
    assert spec["layer"][0]["encoding"]["y"]["axis"]["values"] == ticks


def test_an_error_bar_on_a_log_axis_ends_at_the_axis() -> None:
    flux = [point("a", "Vehicle", 0, 1.0), point("b", "Vehicle", 0, 1e6), point("c", "Vehicle", 0, -4e5)]
    spec = plots.mean_sem(means(flux), arms=ARMS, unit="p/s", title_y="Total flux", log=True)
    (row,) = drawn(spec)
    assert row["low"] == y_domain(spec)[0] > 0


def test_the_limit_lies_on_the_plot_and_is_named() -> None:
    spec = plots.growth_curves(points(), arms=ARMS, unit="mm³", title_y="Volume", limit=4000)
    assert written(spec, "words") == ["limit 4,000 mm³"]
    assert y_domain(spec)[1] >= 4000
    assert written(plots.growth_curves(points(), arms=ARMS, unit="mm³", title_y="Volume"), "words") == []


def test_weight_is_in_percent_of_the_last_weight_before_day_0() -> None:
    rows = plots.percent_of_baseline([point("a", "X", 7, 18), point("a", "X", -3, 25), point("a", "X", 0, 20)])
    assert [(row["day"], row["raw"], row["value"]) for row in rows] == [(-3, 25, 125.0), (0, 20, 100.0), (7, 18, 90.0)]


def test_weight_without_an_early_reading_starts_at_its_first() -> None:
    rows = plots.percent_of_baseline([point("a", "X", 5, 20), point("a", "X", 9, 19)])
    assert [row["value"] for row in rows] == [100.0, 95.0]


def test_weight_change_shows_grams_and_percent_and_the_limit() -> None:
    spec = plots.weight_change(
        plots.percent_of_baseline([point("a", "Vehicle", 0, 20), point("a", "Vehicle", 7, 18)]), arms=ARMS, limit_percent=80
    )
    assert [row["shown"] for row in drawn(spec)] == ["20.0 g, 100.0 %", "18.0 g, 90.0 %"]
    assert written(spec, "words") == ["limit 80 %"]
    assert y_domain(spec) == [80, 100]


def test_new_readings_are_counted_and_set_apart() -> None:
    existing = [point("a", None, day, 20.0) | {"state": "recorded"} for day in range(3)]
    spec = plots.new_against_existing([*existing, point("a", None, 3, 21.0) | {"state": "new"}], unit="g", title_y="Body weight")
    assert [row["state"] for row in drawn(spec)] == 3 * ["Recorded already: 3"] + ["New in this file: 1"]
    changed = point("a", None, 4, 22.0) | {"state": "changed", "old": 12.0}
    out = point("a", None, 5, 9.0) | {"state": "excluded"}
    spec = plots.new_against_existing([*existing, changed, out], unit="g", title_y="Weight")
    assert drawn(spec)[3]["shown"] == "22.0 g, recorded 12.0"
    (rule,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    assert [(row["value"], row["old"]) for row in rule["data"]["values"]] == [(22.0, 12.0)]
    shapes = spec["layer"][-1]["encoding"]["shape"]["scale"]
    assert dict(zip(shapes["domain"], shapes["range"], strict=True)) == {
        "Recorded already: 3": "circle",
        "New in this file: 0": "diamond",
        "Changed by this file: 1": "triangle-up",
        "Left out: 1": "cross",
    }
    assert spec["layer"][0]["transform"] == [{"filter": "!datum.excluded"}]


def test_new_readings_without_a_study_lie_on_their_dates() -> None:
    reading = {"animal": "a", "date": "2026-11-02", "value": 20.0, "url": None, "state": "new"}
    spec = plots.new_against_existing([reading], unit="g", title_y="Body weight", dates=True)
    assert drawn(spec)[0]["on"] == drawn(spec)[0]["date"] == "2026-11-02"
    assert spec["layer"][0]["encoding"]["x"]["scale"] == {"type": "utc"}


@pytest.mark.parametrize(("last", "ticks"), [("2026-11-02", "day"), ("2026-11-08", "day"), ("2026-11-09", 6)])
def test_no_day_is_marked_twice_under_a_plot_of_few_days(last: str, ticks: str | int) -> None:
    assert date_axis(["2026-11-02", last])["axis"]["tickCount"] == ticks


def test_arms_are_named_beside_their_lines_up_to_five_and_in_a_legend_beyond() -> None:
    few = plots.growth_curves(points(), arms=ARMS, unit="mm³", title_y="Volume")
    assert set(written(few, "label")) == {name for name, _ in ARMS}
    assert few["layer"][0]["encoding"]["color"]["legend"] is None
    arms = [*ARMS, *((f"Arm {number}", "treatment") for number in range(3))]
    many = plots.growth_curves(points(), arms=arms, unit="mm³", title_y="Volume")
    assert written(many, "label") == []
    assert many["layer"][0]["encoding"]["color"]["legend"] == {"values": [name for name, _ in arms]}


def test_labels_of_arms_that_end_together_do_not_overlap() -> None:
    together = [point(name, name, 0, 1000.0) for name, _ in ARMS]
    spec = plots.growth_curves(together, arms=ARMS, unit="mm³", title_y="Volume")
    places = sorted(row["at"] for layer in spec["layer"] if layer["mark"]["type"] == "text" for row in layer["data"]["values"])
    assert len(places) == 3
    assert all(lower - upper >= LABEL_GAP for upper, lower in pairwise(places))
    assert places[-1] <= HEIGHT


def test_animals_outside_every_arm_are_drawn_and_named() -> None:
    spec = plots.growth_curves([point("a", None, 0, 10.0)], arms=ARMS, unit="mm³", title_y="Volume")
    assert drawn(spec)[0]["arm"] == "No arm"
    assert "No arm" in spec["layer"][0]["encoding"]["color"]["scale"]["domain"]


def test_an_arm_the_study_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Lapatinib.*Vehicle, Tucatinib, Trastuzumab"):
        plots.growth_curves([point("a", "Lapatinib", 0, 10.0)], arms=ARMS, unit="mm³", title_y="Volume")


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([60.0, 9_700.0], (0, 10_000)),  # volumes start at 0
        ([17.4, 19.6], (17, 20)),  # weights start near the lightest
        ([-12.0, 3.0], (-15, 5)),
        ([0.0, 0.0], (0, 0.2)),
        ([], (1, 1.2)),
    ],
)
def test_the_value_axis_ends_at_round_numbers(values: list[float], ends: tuple[float, float]) -> None:
    scale = value_scale(values)
    assert (scale.low, scale.high) == pytest.approx(ends)
    assert all(0 <= scale.pixel(value) <= HEIGHT for value in values)


def test_nothing_measured_yet_still_gives_a_plot() -> None:
    for spec in (
        plots.growth_curves([], arms=ARMS, unit="mm³", title_y="Volume", log=True),
        plots.mean_sem(means([]), arms=ARMS, unit="mm³", title_y="Volume"),
        plots.weight_change(plots.percent_of_baseline([]), arms=ARMS, limit_percent=None),
        plots.new_against_existing([], unit="g", title_y="Body weight"),
    ):
        assert drawn(spec) == []


def test_a_mean_of_fewer_than_half_of_an_arm_is_dotted_and_never_hidden() -> None:
    read = [point(f"a{n}", "Vehicle", day, 100.0 + n) for day, left in ((0, 5), (7, 3), (14, 2)) for n in range(left)]
    spec = plots.mean_sem(means(read), arms=ARMS, unit="mm³", title_y="Volume")
    assert [(row["day"], row["n"], row["few"]) for row in drawn(spec)] == [(0, 5, False), (7, 3, False), (14, 2, True)]
    (dotted,) = [layer for layer in spec["layer"] if layer["mark"].get("strokeDash") == [1, 3]]
    assert [row["day"] for row in dotted["data"]["values"]] == [7, 14]
    whole = plots.mean_sem(means(read[:8]), arms=ARMS, unit="mm³", title_y="Volume")
    assert not [layer for layer in whole["layer"] if layer["mark"].get("strokeDash") == [1, 3]]


def test_a_spider_shows_percent_from_baseline_or_multiples_on_a_log_axis() -> None:
    read = [point("a", "Vehicle", day, value) for day, value in ((-3, 80.0), (0, 100.0), (7, 50.0), (14, 250.0))]
    linear = plots.spider(plots.percent_of_baseline(read), arms=ARMS, unit="mm³", title_y="Volume", decimals=1, log=False)
    assert [row["value"] for row in drawn(linear)] == [-20, 0, -50, 150]
    assert drawn(linear)[-1]["shown"] == "+150 %, 250.0 mm³"
    log = plots.spider(plots.percent_of_baseline(read), arms=ARMS, unit="p/s", title_y="Flux", decimals=None, log=True)
    assert [row["value"] for row in drawn(log)] == [0.8, 1, 0.5, 2.5]
    assert log["layer"][0]["encoding"]["y"]["scale"]["type"] == "log"


def test_an_animal_without_a_baseline_above_zero_has_no_percentage() -> None:
    assert plots.percent_of_baseline([point("a", "Vehicle", 0, 0.0), point("a", "Vehicle", 7, 50.0)]) == []
    nothing = plots.spider(
        plots.percent_of_baseline([point("a", "Vehicle", 0, 0.0)]), arms=ARMS, unit="mm³", title_y="Volume", decimals=1, log=False
    )
    assert drawn(nothing) == []


def steps() -> list[Step]:
    return [
        Step("Vehicle", 0, 100, 100, 100, 4, 0, 0),
        Step("Vehicle", 20, 50, 19, 100, 4, 2, 0),
        Step("Vehicle", 30, 0, math.nan, math.nan, 2, 2, 0),
        Step("Tucatinib", 0, 100, 100, 100, 3, 0, 0),
        Step("Tucatinib", 42, 100, 100, 100, 3, 0, 3),
    ]


def test_survival_has_steps_ticks_limits_where_known_and_numbers_at_risk() -> None:
    at_risk = {"Vehicle": [(0, 4), (20, 4), (40, 0)], "Tucatinib": [(0, 3), (20, 3), (40, 3)]}
    spec = survival_curves(steps(), at_risk, arms=ARMS, limits=True)
    band = spec["layer"][0]
    assert band["mark"]["type"] == "area"
    assert [(row["arm"], row["day"]) for row in band["data"]["values"]] == [
        ("Vehicle", 0), ("Vehicle", 20), ("Tucatinib", 0), ("Tucatinib", 42)
    ]  # fmt: skip
    assert [row["said"] for row in drawn(spec)][1:3] == ["2 with an event", "2 with an event"]
    assert drawn(spec)[-1]["said"] == "3 censored"
    assert written(spec, "n") == [4, 4, 0, 3, 3, 3]
    assert len(survival_curves(steps(), at_risk, arms=ARMS)["layer"]) == len(spec["layer"]) - 1


def test_a_curve_of_an_arm_that_the_study_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="Curves of Vehicle"):
        survival_curves(steps(), {}, arms=ARMS[1:])
