"""Tests of cell counts in Allotrope's model: the JSON that allotropy writes, of whichever counter."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from importers.asm import IMPORTER
from importers.base import Refused
from importers.identify import identify
from importers.sheets import Workbook
from importers.workbook import open_workbook
from tests.importers.tables_support import errors, read

MOMENT = "2026-03-04T15:15:00+00:00"


def value(number: Any, unit: str) -> dict[str, Any]:
    return {"value": number, "unit": unit}


def measurement(sample: str, at: str = MOMENT, viable: Any = 0.69, **more: Any) -> dict[str, Any]:
    """Give one count as the model nests it."""
    counted = {
        "data processing document": {"cell density dilution factor": value(2.0, "(unitless)")},
        "viability (cell counter)": value(92.03, "%"),
        "viable cell density (cell counter)": value(viable, "10^6 cells/mL"),
        "total cell density (cell counter)": value(0.75, "10^6 cells/mL"),
        "average total cell diameter": value(16.0, "µm") | {"has statistic datum role": "mean"},
        "custom information document": {"Average cells per image": 20.0},
    }
    device = {"device control document": [{"device type": "cell counter"}, {"device type": "camera"}]}
    return {
        "device control aggregate document": device,
        "measurement identifier": "made anew",
        "measurement time": at,
        "processed data aggregate document": {"processed data document": [counted]},
        "sample document": {"sample identifier": sample},
        **more,
    }


def document(*measurements: dict[str, Any], **more: Any) -> dict[str, Any]:
    of_each = [{"measurement aggregate document": {"measurement document": [one]}, "analyst": "agnes"} for one in measurements]
    counting = {"device system document": {"model number": "CASY"}, "cell counting document": of_each, **more}
    return {"$asm.manifest": "http://purl.allotrope.org/manifests/cell-counting", "cell counting aggregate document": counting}


def book(told: Any) -> Workbook:
    return open_workbook(json.dumps(told).encode(), "counts.json")


def test_each_measurement_is_a_count_with_the_counters_own_clock() -> None:
    reading = read(IMPORTER, book(document(measurement("BM-01 P2"), measurement("BM-01 P2", "2026-03-04T23:30:00+02:00", 0.7))))

    (records,) = reading.records
    assert (records.noun, list(records.rows)) == ("preparation", [2, 3])
    assert {name: column[0] for name, column in records.fields.items()} == {
        "sample": "BM-01 P2",
        "counted_on": date(2026, 3, 4),
        "counted_at": datetime.fromisoformat("2026-03-04 15:15:00"),
        "viable_cells_per_ml": 690_000.0,
        "total_cells_per_ml": 750_000.0,
        "viability_percent": 92.03,
        "mean_diameter_um": 16.0,
        "dilution_factor": 2.0,
        "device": "CASY",
        "operator": "agnes",
        "note": None,
    }
    assert records.fields["counted_at"][1] == datetime.fromisoformat("2026-03-04 23:30:00")
    unread = {use.header: use.reason for use in reading.columns if use.role is None}
    assert "made anew at each conversion" in unread["measurement identifier"]
    assert {
        "device type",
        "device type 2",
        "Average cells per image",
        "average total cell diameter has statistic datum role",
    } < unread.keys()
    assert identify(book(document(measurement("A")))).importer == "asm_counts"


def test_a_count_without_a_time_or_with_a_word_for_a_number_is_refused_in_its_row() -> None:
    told = document(measurement("A", "1970-01-01T00:00:00+00:00"), measurement("B", viable="N/A"), measurement("C"))
    reading = read(IMPORTER, book(told))

    assert sorted(errors(reading)) == ["date-missing", "number-unreadable"]
    assert reading.records[0].fields["sample"] == ["C"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"$asm.manifest": "x", "plate reader aggregate document": {}}, "is of plate reader"),
        ({"$asm.manifest": "x"}, "is of nothing that it names"),
        (document(), "has no measurement"),
        (document(**{"cell counting document": "none"}), "is not built as the model is"),
        (document(measurement("A", nested=json.loads("[" * 40 + "]" * 40))), "is nested deeper than the model"),
    ],
)
def test_another_document_is_refused_with_what_it_is(told: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        book(told)


def test_counts_without_density_say_what_is_missing() -> None:
    told = json.loads(json.dumps(document(measurement("A"))).replace("viable cell density", "cell density"))

    with pytest.raises(Refused, match="no counts with sample, viable cell density and time"):
        read(IMPORTER, book(told))
